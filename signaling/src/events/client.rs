//! What a client may say on the data channel, and the one function that reads it.
//!
//! Whatever arrives, reading yields an event or an `error` event that is ready to be sent; the call goes on
//! either way. Whether an event makes sense now (is a response running?) is for the session to decide.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::session::{check_modalities, check_range, check_tool_choice, check_tools};
use super::{JsonObject, MaxOutputTokens, Modality, NewItem, SessionPatch, Tool};
use crate::error::{ErrorBody, ErrorEvent, clip, shape_error};

/// Most bytes of one message from a client.
pub const CLIENT_EVENT_LIMIT: usize = 256 * 1024;
/// Most bytes of a client's event id: it comes back in errors.
pub const EVENT_ID_LIMIT: usize = 512;
/// Most pairs, and most bytes of a key and of a value, in `response.metadata`, which is echoed.
const METADATA_LIMITS: (usize, usize, usize) = (16, 64, 512);

#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent {
    SessionUpdate {
        session: SessionPatch,
    },
    /// `previous_item_id`: `None` appends, `Some("root")` puts the item first.
    ItemCreate {
        previous_item_id: Option<String>,
        item: NewItem,
    },
    ItemRetrieve {
        item_id: String,
    },
    ItemDelete {
        item_id: String,
    },
    /// What was heard of an answer ends at `audio_end_ms` of its sound.
    ItemTruncate {
        item_id: String,
        content_index: u32,
        audio_end_ms: u64,
    },
    ResponseCreate {
        response: Box<ResponseParams>,
    },
    ResponseCancel {
        response_id: Option<String>,
    },
    /// Stop speaking now.
    OutputAudioClear,
    InputAudioCommit,
    InputAudioClear,
}

/// Settings of one response, over those of the session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseParams {
    pub instructions: Option<String>,
    pub output_modalities: Option<Vec<Modality>>,
    pub tools: Option<Vec<Tool>>,
    pub tool_choice: Option<Value>,
    pub conversation: ConversationMode,
    pub metadata: Option<JsonObject>,
    /// What the model reads instead of the conversation.
    pub input: Option<Vec<ResponseInput>>,
    pub max_output_tokens: Option<MaxOutputTokens>,
    pub temperature: Option<f64>,
    pub audio: Option<Value>,
    /// To be said as it stands, in place of what the model would say (Azure's `pre_generated_assistant_message`).
    pub said: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationMode {
    /// The answer joins the conversation.
    #[default]
    Auto,
    /// The answer stands beside it.
    None,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ResponseInput {
    Item(NewItem),
    /// An item of the conversation.
    Reference {
        id: String,
    },
}

/// Reads one message of at most `limit` bytes. Yields the event with the client's id for it, or the error to
/// send back, which names that id where it can be found.
pub fn parse_client_event(text: &str, limit: usize) -> Result<(ClientEvent, Option<String>), ErrorEvent> {
    if text.len() > limit {
        let message = format!("The message has {} bytes; send at most {limit}.", text.len());
        return Err(ErrorBody::invalid("message_too_large", message).for_event(find_event_id(text)));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        ErrorBody::invalid("invalid_json", format!("The message is not JSON: {error}.")).for_event(find_event_id(text))
    })?;
    let Value::Object(mut fields) = value else {
        return Err(ErrorBody::invalid("invalid_event", "The message must be a JSON object.").for_event(None));
    };
    let event_id = match fields.remove("event_id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) if id.len() <= EVENT_ID_LIMIT => Some(id),
        Some(_) => {
            let message = format!("'event_id' must be a string of at most {EVENT_ID_LIMIT} bytes.");
            return Err(ErrorBody::invalid("invalid_value", message).with_param("event_id").for_event(None));
        }
    };
    match read_event(fields) {
        Ok(event) => Ok((event, event_id)),
        Err(error) => Err(error.for_event(event_id)),
    }
}

fn read_event(mut fields: JsonObject) -> Result<ClientEvent, ErrorBody> {
    let kind = match fields.remove("type") {
        Some(Value::String(kind)) => kind,
        None => {
            let message = "The event has no 'type', e.g. \"response.create\".";
            return Err(ErrorBody::invalid("missing_required_parameter", message).with_param("type"));
        }
        Some(_) => return Err(ErrorBody::invalid("invalid_value", "'type' must be a string.").with_param("type")),
    };
    Ok(match kind.as_str() {
        "session.update" => {
            let session = fields.remove("session").ok_or_else(|| missing("session"))?;
            ClientEvent::SessionUpdate { session: SessionPatch::from_value(session)? }
        }
        "conversation.item.create" => {
            let item = object(fields.remove("item").ok_or_else(|| missing("item"))?, "item")?;
            let Placement { previous_item_id } = shaped(fields)?;
            ClientEvent::ItemCreate { previous_item_id, item: NewItem::read(item, "item")? }
        }
        "conversation.item.retrieve" => ClientEvent::ItemRetrieve { item_id: shaped::<ItemRef>(fields)?.item_id },
        "conversation.item.delete" => ClientEvent::ItemDelete { item_id: shaped::<ItemRef>(fields)?.item_id },
        "conversation.item.truncate" => {
            let Truncation { item_id, content_index, audio_end_ms } = shaped(fields)?;
            ClientEvent::ItemTruncate { item_id, content_index, audio_end_ms }
        }
        "response.create" => {
            let params = match fields.remove("response") {
                None | Some(Value::Null) => ResponseParams::default(),
                Some(params) => ResponseParams::read(object(params, "response")?)?,
            };
            ClientEvent::ResponseCreate { response: Box::new(params) }
        }
        "response.cancel" => ClientEvent::ResponseCancel { response_id: shaped::<ResponseRef>(fields)?.response_id },
        "output_audio_buffer.clear" => ClientEvent::OutputAudioClear,
        "input_audio_buffer.commit" => ClientEvent::InputAudioCommit,
        "input_audio_buffer.clear" => ClientEvent::InputAudioClear,
        "input_audio_buffer.append" => {
            let message = "Over WebRTC the sound comes as RTP: speak into the audio track instead of sending 'input_audio_buffer.append'.";
            return Err(ErrorBody::invalid("invalid_event_for_transport", message).with_param("type"));
        }
        other => {
            let message = format!("There is no event of type '{}'.", clip(other, 64));
            return Err(ErrorBody::invalid("unknown_event", message).with_param("type"));
        }
    })
}

#[derive(Deserialize)]
struct Placement {
    previous_item_id: Option<String>,
}

#[derive(Deserialize)]
struct ItemRef {
    item_id: String,
}

#[derive(Deserialize)]
struct ResponseRef {
    response_id: Option<String>,
}

#[derive(Deserialize)]
struct Truncation {
    item_id: String,
    #[serde(default)]
    content_index: u32,
    #[serde(deserialize_with = "whole_millis")]
    audio_end_ms: u64,
}

/// Browsers compute times as floats; parts of a millisecond are dropped.
fn whole_millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let millis = f64::deserialize(deserializer)?;
    if millis >= 0.0 { Ok(millis as u64) } else { Err(serde::de::Error::custom("expected a time of 0 or more")) }
}

impl ResponseParams {
    fn read(mut fields: JsonObject) -> Result<Self, ErrorBody> {
        #[derive(Deserialize)]
        struct Plain {
            instructions: Option<String>,
            output_modalities: Option<Vec<Modality>>,
            tools: Option<Vec<Tool>>,
            tool_choice: Option<Value>,
            conversation: Option<ConversationMode>,
            metadata: Option<JsonObject>,
            max_output_tokens: Option<MaxOutputTokens>,
            temperature: Option<f64>,
            audio: Option<Value>,
        }
        let input = match fields.remove("input") {
            None | Some(Value::Null) => None,
            Some(Value::Array(items)) => Some(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| read_input(index, item))
                    .collect::<Result<Vec<_>, _>>()?,
            ),
            Some(_) => return Err(bad_value("response.input", "'response.input' must be a list of items.")),
        };
        let said = match fields.remove("pre_generated_assistant_message") {
            None | Some(Value::Null) => None,
            Some(message) => Some(read_said(message)?),
        };
        let plain: Plain =
            serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| shape_error("response", error))?;
        if let Some(modalities) = &plain.output_modalities {
            check_modalities(modalities, "response.output_modalities")?;
        }
        check_tools(plain.tools.as_deref().unwrap_or_default(), "response.tools")?;
        if let Some(choice) = &plain.tool_choice {
            check_tool_choice(choice, "response.tool_choice")?;
        }
        check_range(plain.temperature, 0.0, 2.0, "response.temperature")?;
        if let Some(metadata) = &plain.metadata {
            check_metadata(metadata)?;
        }
        Ok(Self {
            instructions: plain.instructions,
            output_modalities: plain.output_modalities,
            tools: plain.tools,
            tool_choice: plain.tool_choice,
            conversation: plain.conversation.unwrap_or_default(),
            metadata: plain.metadata,
            input,
            max_output_tokens: plain.max_output_tokens,
            temperature: plain.temperature,
            audio: plain.audio,
            said,
        })
    }
}

fn read_input(index: usize, item: Value) -> Result<ResponseInput, ErrorBody> {
    let param = format!("response.input[{index}]");
    let fields = object(item, &param)?;
    if fields.get("type").and_then(Value::as_str) != Some("item_reference") {
        return NewItem::read(fields, &param).map(ResponseInput::Item);
    }
    match fields.get("id").and_then(Value::as_str) {
        Some(id) => Ok(ResponseInput::Reference { id: id.to_owned() }),
        None => Err(missing(&format!("{param}.id"))),
    }
}

/// The text of a message that is to be said as it stands.
fn read_said(message: Value) -> Result<String, ErrorBody> {
    const PARAM: &str = "response.pre_generated_assistant_message";
    let at = |field: &str| format!("{PARAM}.{field}");
    let fields = object(message, PARAM)?;
    for (field, only) in [("type", "message"), ("role", "assistant")] {
        if fields.get(field).is_some_and(|value| value != only) {
            return Err(bad_value(&at(field), &format!("'{}' must be \"{only}\".", at(field))));
        }
    }
    let parts = fields.get("content").ok_or_else(|| missing(&at("content")))?.as_array();
    let text = |part: &Value| {
        let is_text = matches!(part.get("type").and_then(Value::as_str), Some("text" | "output_text"));
        part.get("text").and_then(Value::as_str).filter(|_| is_text).map(str::to_owned)
    };
    let texts: Option<Vec<String>> = parts.and_then(|parts| parts.iter().map(text).collect());
    let Some(texts) = texts else {
        let message = format!("'{}' must be a list of parts {{\"type\": \"text\", \"text\": ...}}.", at("content"));
        return Err(bad_value(&at("content"), &message));
    };
    let text = texts.join(" ");
    if text.trim().is_empty() {
        let message = "There is no text to say: give at least one content part with text.";
        return Err(ErrorBody::invalid("empty_item", message).with_param(at("content")));
    }
    Ok(text)
}

fn check_metadata(metadata: &JsonObject) -> Result<(), ErrorBody> {
    let (pairs, key_bytes, value_bytes) = METADATA_LIMITS;
    let fits = |key: &str, value: &Value| {
        key.len() <= key_bytes && value.as_str().is_some_and(|value| value.len() <= value_bytes)
    };
    if metadata.len() <= pairs && metadata.iter().all(|(key, value)| fits(key, value)) {
        return Ok(());
    }
    let message = format!(
        "'response.metadata' may have {pairs} pairs of strings, keys of at most {key_bytes} and values of at most {value_bytes} bytes."
    );
    Err(bad_value("response.metadata", &message))
}

fn missing(param: &str) -> ErrorBody {
    ErrorBody::invalid("missing_required_parameter", format!("The event has no '{param}'.")).with_param(param)
}

fn bad_value(param: &str, message: &str) -> ErrorBody {
    ErrorBody::invalid("invalid_value", message).with_param(param)
}

fn object(value: Value, param: &str) -> Result<JsonObject, ErrorBody> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(bad_value(param, &format!("'{param}' must be a JSON object."))),
    }
}

fn shaped<T: DeserializeOwned>(fields: JsonObject) -> Result<T, ErrorBody> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| shape_error("", error))
}

/// The top-level `event_id` of a message that is too long or broken off, if it stands before the damage.
/// Allocates for ids only.
fn find_event_id(text: &str) -> Option<String> {
    struct Finder<'a>(&'a mut Option<String>);

    impl<'de> DeserializeSeed<'de> for Finder<'_> {
        type Value = ();
        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_map(self)
        }
    }

    impl<'de> Visitor<'de> for Finder<'_> {
        type Value = ();
        fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
            formatter.write_str("an event")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(name) = map.next_key::<String>()? {
                if name == "event_id" {
                    *self.0 = Some(map.next_value()?);
                    return Ok(());
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }

    let mut found = None;
    // An error only says where the damage is, which the caller knows.
    let _ = Finder(&mut found).deserialize(&mut serde_json::Deserializer::from_str(text));
    found.filter(|id| id.len() <= EVENT_ID_LIMIT)
}
