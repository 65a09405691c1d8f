//! Items of a conversation: messages, function calls and their results.
//!
//! [`Item`] is what the server holds and sends; [`NewItem`] is what a client proposes in
//! `conversation.item.create`. An item's content type is `output_audio`; the *part* of a running response is
//! called `audio` instead and lives in [`ResponsePart`](super::ResponsePart).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::JsonObject;
use crate::error::{ErrorBody, clip, shape_error};

/// Most bytes of JSON that a client's item may have: it is echoed, and a data-channel message must stay
/// under 64 KiB (the SCTP maximum that stock clients assume).
pub const ITEM_LIMIT: usize = 48 * 1024;
/// Most bytes of an id chosen by a client.
const ID_LIMIT: usize = 128;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemObject {
    #[default]
    #[serde(rename = "realtime.item")]
    Item,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    InProgress,
    #[default]
    Completed,
    /// Broken off, e.g. because the user spoke over it.
    Incomplete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
    System,
}

/// One item of the conversation as the server shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub id: String,
    #[serde(default)]
    pub object: ItemObject,
    #[serde(default)]
    pub status: ItemStatus,
    #[serde(flatten)]
    pub kind: ItemKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ItemKind {
    Message {
        role: Role,
        content: Vec<ContentPart>,
    },
    FunctionCall {
        call_id: String,
        name: String,
        /// A JSON object as text, as the model wrote it.
        arguments: String,
    },
    FunctionCallOutput {
        call_id: String,
        output: String,
    },
}

/// One piece of a message. `Option` without a skip is on purpose: stock clients need `"transcript": null` on
/// speech that is not yet transcribed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentPart {
    InputText {
        text: String,
    },
    InputAudio {
        #[serde(default)]
        transcript: Option<String>,
    },
    InputImage {
        #[serde(default)]
        image_url: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    OutputText {
        text: String,
    },
    OutputAudio {
        #[serde(default)]
        transcript: Option<String>,
    },
}

impl ContentPart {
    /// The words of this part: its text, or its transcript if there is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::InputText { text } | Self::OutputText { text } => Some(text),
            Self::InputAudio { transcript } | Self::OutputAudio { transcript } => transcript.as_deref(),
            Self::InputImage { .. } => None,
        }
    }
}

impl Item {
    pub fn new(id: impl Into<String>, status: ItemStatus, kind: ItemKind) -> Self {
        Self { id: id.into(), object: ItemObject::Item, status, kind }
    }

    /// What the user said; `None` until it is transcribed.
    pub fn user_audio(id: impl Into<String>, transcript: Option<String>) -> Self {
        let content = vec![ContentPart::InputAudio { transcript }];
        Self::new(id, ItemStatus::Completed, ItemKind::Message { role: Role::User, content })
    }

    /// A spoken answer; `None` gives the empty content of an answer that has just begun.
    pub fn assistant_audio(id: impl Into<String>, status: ItemStatus, transcript: Option<String>) -> Self {
        let part = transcript.map(|words| ContentPart::OutputAudio { transcript: Some(words) });
        Self::new(id, status, ItemKind::Message { role: Role::Assistant, content: part.into_iter().collect() })
    }

    /// A written answer; `None` gives the empty content of an answer that has just begun.
    pub fn assistant_text(id: impl Into<String>, status: ItemStatus, text: Option<String>) -> Self {
        let part = text.map(|text| ContentPart::OutputText { text });
        Self::new(id, status, ItemKind::Message { role: Role::Assistant, content: part.into_iter().collect() })
    }

    /// A call that the model makes. A client runs the function as soon as it sees `Completed`, so only
    /// `response.output_item.done` may carry that status.
    pub fn function_call(
        id: impl Into<String>,
        status: ItemStatus,
        call_id: impl Into<String>,
        name: impl Into<String>,
        arguments: impl Into<String>,
    ) -> Self {
        let kind = ItemKind::FunctionCall { call_id: call_id.into(), name: name.into(), arguments: arguments.into() };
        Self::new(id, status, kind)
    }

    /// All words of a message, parts joined by a space; empty for other items.
    pub fn text(&self) -> String {
        match &self.kind {
            ItemKind::Message { content, .. } => {
                content.iter().filter_map(ContentPart::text).collect::<Vec<_>>().join(" ")
            }
            ItemKind::FunctionCall { .. } | ItemKind::FunctionCallOutput { .. } => String::new(),
        }
    }
}

/// An item that a client proposes.
#[derive(Clone, Debug, PartialEq)]
pub struct NewItem {
    /// The client's own id, which must be kept if given.
    pub id: Option<String>,
    pub kind: ItemKind,
}

impl NewItem {
    pub fn into_item(self, fresh_id: impl FnOnce() -> String) -> Item {
        Item::new(self.id.unwrap_or_else(fresh_id), ItemStatus::Completed, self.kind)
    }

    /// Reads an item; `param` is the path under which errors name it.
    pub(super) fn read(mut fields: JsonObject, param: &str) -> Result<Self, ErrorBody> {
        let id = match fields.remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) if !id.is_empty() && id.len() <= ID_LIMIT => Some(id),
            Some(_) => {
                let message =
                    format!("'{param}.id' must be a string of 1 to {ID_LIMIT} bytes; leave it out for a new one.");
                return Err(ErrorBody::invalid("invalid_value", message).with_param(format!("{param}.id")));
            }
        };
        match fields.get("type").and_then(Value::as_str) {
            Some("message" | "function_call" | "function_call_output") => {}
            Some(other) => {
                let message = format!(
                    "Items of type '{}' are not supported; send message, function_call or function_call_output.",
                    clip(other, 64)
                );
                return Err(ErrorBody::invalid("invalid_value", message).with_param(format!("{param}.type")));
            }
            None => {
                let message =
                    format!("'{param}.type' is missing; send message, function_call or function_call_output.");
                return Err(
                    ErrorBody::invalid("missing_required_parameter", message).with_param(format!("{param}.type"))
                );
            }
        }
        let kind: ItemKind =
            serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| shape_error(param, error))?;
        let size = serde_json::to_string(&kind).map_or(usize::MAX, |json| json.len());
        if size > ITEM_LIMIT {
            let message = format!("'{param}' has {size} bytes; an item may have at most {ITEM_LIMIT}.");
            return Err(ErrorBody::invalid("item_too_large", message).with_param(param));
        }
        Ok(Self { id, kind })
    }
}
