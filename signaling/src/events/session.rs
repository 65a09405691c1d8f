//! The session object: all settings of one call, as clients read and change them.
//!
//! It holds what clients may set, also where this server has no use for it (models, formats, tracing), since
//! they expect it back; fields that nobody here knows are kept in `extra` and echoed. How a partial update
//! meets it stands in [`SessionPatch`](super::SessionPatch).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::JsonObject;
use crate::error::ErrorBody;

/// Most bytes of a session as JSON: it is echoed in one data-channel message, which must stay under 64 KiB.
pub const SESSION_LIMIT: usize = 48 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum SessionKind {
    #[default]
    #[serde(rename = "realtime")]
    Realtime,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum SessionObject {
    #[default]
    #[serde(rename = "realtime.session")]
    Session,
}

/// The settings of one call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    #[serde(rename = "type", default)]
    pub kind: SessionKind,
    #[serde(default)]
    pub object: SessionObject,
    pub id: String,
    pub model: String,
    pub output_modalities: Vec<Modality>,
    /// The system prompt.
    pub instructions: String,
    pub tools: Vec<Tool>,
    /// `auto`, `none`, `required` or an object that names a function.
    #[schema(value_type = Object)]
    pub tool_choice: Value,
    #[schema(value_type = Object)]
    pub max_output_tokens: MaxOutputTokens,
    /// 0 to 2; `None` leaves it to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    pub audio: Audio,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub tracing: Option<Value>,
    #[schema(value_type = Object)]
    pub truncation: Value,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub prompt: Option<Value>,
    /// Seconds since 1970.
    #[serde(default)]
    pub expires_at: Option<u64>,
    #[serde(default)]
    pub include: Option<Vec<String>>,
    /// The face, by Azure's field names (`type`, `character`, `style`, `video`, ...).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub avatar: Option<JsonObject>,
    /// Fields of clients that have no meaning here.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: JsonObject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    Audio,
    Text,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Audio {
    pub input: AudioInput,
    pub output: AudioOutput,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioInput {
    /// Echoed only: over WebRTC the sound is Opus.
    #[schema(value_type = Object)]
    pub format: Value,
    /// `None`: the client wants no transcript of the user.
    #[serde(default)]
    pub transcription: Option<Transcription>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub noise_reduction: Option<Value>,
    /// `None`: the client commits turns by hand.
    #[serde(default)]
    pub turn_detection: Option<TurnDetection>,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: JsonObject,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AudioOutput {
    /// Echoed only: over WebRTC the sound is Opus.
    #[schema(value_type = Object)]
    pub format: Value,
    #[schema(value_type = String)]
    pub voice: Voice,
    /// 0.25 to 1.5, 1 is normal.
    pub speed: f64,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: JsonObject,
}

/// A voice by name, or an object with an `id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Voice {
    Named(String),
    Custom(JsonObject),
}

impl Voice {
    /// The name or id; empty for an object without one.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Custom(fields) => fields.get("id").and_then(Value::as_str).unwrap_or_default(),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Transcription {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// ISO 639-1; `None` detects it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: JsonObject,
}

/// How the end of a turn is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TurnDetection {
    /// `server_vad`, `semantic_vad` or a name that another server gave.
    #[serde(rename = "type", default = "server_vad")]
    pub kind: String,
    /// Speech probability, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// 0 to 5000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_padding_ms: Option<u64>,
    /// 0 to 10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence_duration_ms: Option<u64>,
    /// Answer by itself when a turn ends.
    #[serde(default = "yes")]
    pub create_response: bool,
    /// Stop speaking when the user starts to.
    #[serde(default = "yes")]
    pub interrupt_response: bool,
    /// 1000 to 600000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eagerness: Option<String>,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: JsonObject,
}

fn server_vad() -> String {
    String::from("server_vad")
}

fn yes() -> bool {
    true
}

impl Default for TurnDetection {
    fn default() -> Self {
        Self {
            kind: server_vad(),
            threshold: None,
            prefix_padding_ms: None,
            silence_duration_ms: None,
            create_response: true,
            interrupt_response: true,
            idle_timeout_ms: None,
            eagerness: None,
            extra: JsonObject::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tool {
    #[serde(rename = "type", default = "function")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A JSON schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<Value>,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: JsonObject,
}

fn function() -> String {
    String::from("function")
}

/// Most tokens of one answer; `"inf"` on the wire is no limit of the client's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaxOutputTokens {
    /// 1 to 4096.
    Limit(u32),
    #[default]
    Inf,
}

impl MaxOutputTokens {
    pub fn limit(self) -> Option<u32> {
        match self {
            Self::Limit(tokens) => Some(tokens),
            Self::Inf => None,
        }
    }
}

impl Serialize for MaxOutputTokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Limit(tokens) => serializer.serialize_u32(*tokens),
            Self::Inf => serializer.serialize_str("inf"),
        }
    }
}

impl<'de> Deserialize<'de> for MaxOutputTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value.as_str() == Some("inf") {
            return Ok(Self::Inf);
        }
        let tokens = value.as_u64().and_then(|tokens| u32::try_from(tokens).ok());
        tokens
            .filter(|tokens| (1..=4096).contains(tokens))
            .map(Self::Limit)
            .ok_or_else(|| serde::de::Error::custom("expected a whole number from 1 to 4096 or \"inf\""))
    }
}

impl Session {
    /// A spoken session with server VAD and no tools; set the fields that the server knows better.
    pub fn new(id: impl Into<String>, model: impl Into<String>, voice: impl Into<String>) -> Self {
        let pcm = json!({"type": "audio/pcm", "rate": 24_000});
        Self {
            kind: SessionKind::Realtime,
            object: SessionObject::Session,
            id: id.into(),
            model: model.into(),
            output_modalities: vec![Modality::Audio],
            instructions: String::new(),
            tools: Vec::new(),
            tool_choice: json!("auto"),
            max_output_tokens: MaxOutputTokens::Inf,
            temperature: None,
            audio: Audio {
                input: AudioInput {
                    format: pcm.clone(),
                    transcription: None,
                    noise_reduction: None,
                    turn_detection: Some(TurnDetection::default()),
                    extra: JsonObject::new(),
                },
                output: AudioOutput {
                    format: pcm,
                    voice: Voice::Named(voice.into()),
                    speed: 1.0,
                    extra: JsonObject::new(),
                },
            },
            tracing: None,
            truncation: json!("auto"),
            prompt: None,
            expires_at: None,
            include: None,
            avatar: None,
            extra: JsonObject::new(),
        }
    }

    /// `None` when turns are committed by hand; Azure's clients say that with the type `none`.
    pub fn turn_detection(&self) -> Option<&TurnDetection> {
        self.audio.input.turn_detection.as_ref().filter(|detection| detection.kind != "none")
    }

    /// Answers are spoken, not only written.
    pub fn speaks(&self) -> bool {
        self.output_modalities.contains(&Modality::Audio)
    }

    /// Checks what types alone do not: ranges, and the size of the echo.
    pub(super) fn validate(&self) -> Result<(), ErrorBody> {
        check_modalities(&self.output_modalities, "session.output_modalities")?;
        check_tools(&self.tools, "session.tools")?;
        check_tool_choice(&self.tool_choice, "session.tool_choice")?;
        check_range(self.temperature, 0.0, 2.0, "session.temperature")?;
        check_range(Some(self.audio.output.speed), 0.25, 1.5, "session.audio.output.speed")?;
        if let Some(detection) = &self.audio.input.turn_detection {
            let millis = |value: Option<u64>| value.map(|value| value as f64);
            let at = |field: &str| format!("session.audio.input.turn_detection.{field}");
            check_range(detection.threshold, 0.0, 1.0, &at("threshold"))?;
            check_range(millis(detection.prefix_padding_ms), 0.0, 5_000.0, &at("prefix_padding_ms"))?;
            check_range(millis(detection.silence_duration_ms), 0.0, 10_000.0, &at("silence_duration_ms"))?;
            check_range(millis(detection.idle_timeout_ms), 1_000.0, 600_000.0, &at("idle_timeout_ms"))?;
        }
        let size = serde_json::to_string(self).map_or(usize::MAX, |json| json.len());
        if size > SESSION_LIMIT {
            let message = format!("The session would have {size} bytes; shorten it to at most {SESSION_LIMIT}.");
            return Err(ErrorBody::invalid("session_too_large", message).with_param("session"));
        }
        Ok(())
    }
}

fn bad_value(param: &str, message: String) -> ErrorBody {
    ErrorBody::invalid("invalid_value", message).with_param(param)
}

pub(super) fn check_range(value: Option<f64>, low: f64, high: f64, param: &str) -> Result<(), ErrorBody> {
    match value {
        Some(value) if !(low..=high).contains(&value) => {
            Err(bad_value(param, format!("'{param}' is {value}; it must be from {low} to {high}.")))
        }
        _ => Ok(()),
    }
}

pub(super) fn check_modalities(modalities: &[Modality], param: &str) -> Result<(), ErrorBody> {
    match modalities {
        [_] => Ok(()),
        [first, second] if first != second => Ok(()),
        _ => Err(bad_value(param, format!("'{param}' must be [\"audio\"] or [\"text\"]."))),
    }
}

pub(super) fn check_tools(tools: &[Tool], param: &str) -> Result<(), ErrorBody> {
    for (index, tool) in tools.iter().enumerate() {
        if tool.kind == "function" && tool.name.as_deref().is_none_or(str::is_empty) {
            return Err(bad_value(&format!("{param}[{index}].name"), format!("'{param}[{index}]' needs a name.")));
        }
    }
    Ok(())
}

pub(super) fn check_tool_choice(choice: &Value, param: &str) -> Result<(), ErrorBody> {
    match choice {
        Value::String(word) if matches!(word.as_str(), "auto" | "none" | "required") => Ok(()),
        Value::Object(_) => Ok(()),
        _ => Err(bad_value(param, format!("'{param}' must be auto, none, required or an object that names a tool."))),
    }
}
