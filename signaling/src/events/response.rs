//! A response: one answer of the model from its start to how it ended.

use serde::{Deserialize, Serialize};

use super::{Item, JsonObject, MaxOutputTokens, Modality, ResponseParams, Session};
use crate::error::{ErrorBody, ErrorKind};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseObject {
    #[default]
    #[serde(rename = "realtime.response")]
    Response,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseStatus {
    InProgress,
    Completed,
    Cancelled,
    Failed,
    Incomplete,
}

/// Why a response did not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StatusDetails {
    Cancelled { reason: CancelReason },
    Incomplete { reason: IncompleteReason },
    Failed { error: FailedError },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The user spoke over it.
    TurnDetected,
    ClientCancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncompleteReason {
    MaxOutputTokens,
    ContentFilter,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedError {
    #[serde(rename = "type")]
    pub kind: ErrorKind,
    pub code: Option<String>,
    pub message: String,
}

/// Tokens that the language model read and wrote for one response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    pub total_tokens: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    #[serde(default)]
    pub input_token_details: JsonObject,
    #[serde(default)]
    pub output_token_details: JsonObject,
}

impl Usage {
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        let total_tokens = input_tokens.saturating_add(output_tokens);
        Self { total_tokens, input_tokens, output_tokens, ..Self::default() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResponseAudio {
    pub output: ResponseAudioOutput,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResponseAudioOutput {
    /// Always a plain name: stock clients refuse the object form here.
    pub voice: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    #[serde(default)]
    pub object: ResponseObject,
    pub id: String,
    pub status: ResponseStatus,
    pub status_details: Option<StatusDetails>,
    pub output: Vec<Item>,
    /// `None` for a response outside the conversation.
    pub conversation_id: Option<String>,
    pub output_modalities: Vec<Modality>,
    pub max_output_tokens: MaxOutputTokens,
    pub metadata: Option<JsonObject>,
    pub usage: Option<Usage>,
    pub audio: ResponseAudio,
}

impl Response {
    /// A response that has just begun: the session's settings, overlaid with those of `response.create`.
    pub fn in_progress(
        id: impl Into<String>,
        conversation_id: Option<String>,
        session: &Session,
        params: &ResponseParams,
    ) -> Self {
        Self {
            object: ResponseObject::Response,
            id: id.into(),
            status: ResponseStatus::InProgress,
            status_details: None,
            output: Vec::new(),
            conversation_id,
            output_modalities: params.output_modalities.clone().unwrap_or_else(|| session.output_modalities.clone()),
            max_output_tokens: params.max_output_tokens.unwrap_or(session.max_output_tokens),
            metadata: params.metadata.clone(),
            usage: None,
            audio: ResponseAudio {
                output: ResponseAudioOutput { voice: session.audio.output.voice.name().to_owned() },
            },
        }
    }

    pub fn completed(self, output: Vec<Item>, usage: Usage) -> Self {
        Self { status: ResponseStatus::Completed, output, usage: Some(usage), ..self }
    }

    pub fn cancelled(self, reason: CancelReason, output: Vec<Item>, usage: Usage) -> Self {
        let status_details = Some(StatusDetails::Cancelled { reason });
        Self { status: ResponseStatus::Cancelled, status_details, output, usage: Some(usage), ..self }
    }

    pub fn incomplete(self, reason: IncompleteReason, output: Vec<Item>, usage: Usage) -> Self {
        let status_details = Some(StatusDetails::Incomplete { reason });
        Self { status: ResponseStatus::Incomplete, status_details, output, usage: Some(usage), ..self }
    }

    pub fn failed(self, error: ErrorBody, output: Vec<Item>) -> Self {
        let error = FailedError { kind: error.kind, code: error.code, message: error.message };
        Self { status: ResponseStatus::Failed, status_details: Some(StatusDetails::Failed { error }), output, ..self }
    }
}
