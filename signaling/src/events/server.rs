//! What the server says on the data channel: one variant for each event, with the fields that stock clients
//! require. A missing one silently turns the event into an unknown one there, so no field is optional that
//! they need.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Item, JsonObject, Response, Session};
use crate::error::ErrorEvent;

/// An event without its id; [`EventIds::wrap`](super::EventIds::wrap) adds that. Times are milliseconds of the
/// call's incoming audio (`audio_start_ms`, `audio_end_ms` of speech) or of the item's sound (of a truncation).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ServerEvent {
    #[serde(rename = "session.created")]
    SessionCreated { session: Box<Session> },
    #[serde(rename = "session.updated")]
    SessionUpdated { session: Box<Session> },
    #[serde(rename = "conversation.created")]
    ConversationCreated { conversation: Conversation },

    #[serde(rename = "input_audio_buffer.speech_started")]
    SpeechStarted { audio_start_ms: u64, item_id: String },
    #[serde(rename = "input_audio_buffer.speech_stopped")]
    SpeechStopped { audio_end_ms: u64, item_id: String },
    #[serde(rename = "input_audio_buffer.committed")]
    InputAudioCommitted { item_id: String, previous_item_id: Option<String> },
    #[serde(rename = "input_audio_buffer.cleared")]
    InputAudioCleared {},

    #[serde(rename = "conversation.item.added")]
    ItemAdded { item: Item, previous_item_id: Option<String> },
    #[serde(rename = "conversation.item.done")]
    ItemDone { item: Item, previous_item_id: Option<String> },
    #[serde(rename = "conversation.item.retrieved")]
    ItemRetrieved { item: Item },
    #[serde(rename = "conversation.item.deleted")]
    ItemDeleted { item_id: String },
    #[serde(rename = "conversation.item.truncated")]
    ItemTruncated { item_id: String, content_index: u32, audio_end_ms: u64 },

    /// Append-only: what was sent is never taken back.
    #[serde(rename = "conversation.item.input_audio_transcription.delta")]
    TranscriptionDelta { item_id: String, content_index: u32, delta: String },
    #[serde(rename = "conversation.item.input_audio_transcription.completed")]
    TranscriptionCompleted { item_id: String, content_index: u32, transcript: String, usage: TranscriptionUsage },
    #[serde(rename = "conversation.item.input_audio_transcription.failed")]
    TranscriptionFailed { item_id: String, content_index: u32, error: TranscriptionError },

    #[serde(rename = "response.created")]
    ResponseCreated { response: Box<Response> },
    #[serde(rename = "response.done")]
    ResponseDone { response: Box<Response> },
    #[serde(rename = "response.output_item.added")]
    OutputItemAdded { response_id: String, output_index: u32, item: Item },
    #[serde(rename = "response.output_item.done")]
    OutputItemDone { response_id: String, output_index: u32, item: Item },
    #[serde(rename = "response.content_part.added")]
    ContentPartAdded {
        #[serde(flatten)]
        at: PartRef,
        part: ResponsePart,
    },
    #[serde(rename = "response.content_part.done")]
    ContentPartDone {
        #[serde(flatten)]
        at: PartRef,
        part: ResponsePart,
    },
    /// The model's words as they are made, ahead of playback.
    #[serde(rename = "response.output_audio_transcript.delta")]
    AudioTranscriptDelta {
        #[serde(flatten)]
        at: PartRef,
        delta: String,
    },
    #[serde(rename = "response.output_audio_transcript.done")]
    AudioTranscriptDone {
        #[serde(flatten)]
        at: PartRef,
        transcript: String,
    },
    #[serde(rename = "response.output_text.delta")]
    OutputTextDelta {
        #[serde(flatten)]
        at: PartRef,
        delta: String,
    },
    #[serde(rename = "response.output_text.done")]
    OutputTextDone {
        #[serde(flatten)]
        at: PartRef,
        text: String,
    },
    #[serde(rename = "response.output_audio.done")]
    OutputAudioDone {
        #[serde(flatten)]
        at: PartRef,
    },
    #[serde(rename = "response.function_call_arguments.delta")]
    FunctionArgumentsDelta { response_id: String, item_id: String, output_index: u32, call_id: String, delta: String },
    #[serde(rename = "response.function_call_arguments.done")]
    FunctionArgumentsDone {
        response_id: String,
        item_id: String,
        output_index: u32,
        call_id: String,
        name: String,
        arguments: String,
    },

    #[serde(rename = "output_audio_buffer.started")]
    PlayoutStarted { response_id: String },
    /// The last sound of the response has been sent; comes after `response.done`.
    #[serde(rename = "output_audio_buffer.stopped")]
    PlayoutStopped { response_id: String },
    #[serde(rename = "output_audio_buffer.cleared")]
    PlayoutCleared { response_id: String },
    #[serde(rename = "rate_limits.updated")]
    RateLimitsUpdated { rate_limits: Vec<RateLimit> },

    /// Addition, by the name that Azure's avatars gave it.
    #[serde(rename = "session.avatar.switch_to_speaking")]
    AvatarSwitchToSpeaking { turn_id: String },
    /// Addition, by the name that Azure's avatars gave it.
    #[serde(rename = "session.avatar.switch_to_idle")]
    AvatarSwitchToIdle { turn_id: String },
    /// Addition of our own: the call will end in `remaining_ms` unless the reason goes away.
    #[serde(rename = "session.ending")]
    SessionEnding { reason: EndReason, remaining_ms: u64 },

    /// Addition of our own: this word of an answer's transcript is being heard now.
    #[serde(rename = "visavis.word")]
    Word {
        response_id: String,
        item_id: String,
        content_index: u32,
        word: String,
        /// Where the word stands in the transcript, in UTF-16 code units as browsers count.
        start: usize,
        end: usize,
        /// Where the word stands in the answer's sound.
        audio_start_ms: u64,
        audio_end_ms: u64,
    },
    /// Addition of our own: when each step of an answer was done.
    #[serde(rename = "visavis.latency")]
    Latency(Latency),
    /// Addition of our own: somebody spoke over an answer, and what came of it.
    #[serde(rename = "visavis.barge_in")]
    BargeIn {
        response_id: String,
        /// From the first voiced sample that came in to the last packet of the answer that went out.
        silent_ms: u64,
        /// From that packet to the first picture with lips at rest; absent if nobody looks.
        #[serde(skip_serializing_if = "Option::is_none")]
        lips_ms: Option<u64>,
        /// From the first voiced sample to the decision.
        decided_ms: u64,
        outcome: BargeInOutcome,
    },

    #[serde(rename = "error")]
    Error { error: ErrorEvent },

    /// Any other event, with its `type` among the fields; see [`ServerEvent::extension`].
    #[serde(untagged)]
    Other(JsonObject),
}

impl ServerEvent {
    /// An event that has no variant. Stock clients pass events of unknown type through.
    pub fn extension(kind: &str, mut fields: JsonObject) -> Self {
        fields.insert(String::from("type"), Value::String(kind.to_owned()));
        Self::Other(fields)
    }

    /// The event's `type` on the wire; empty for an [`Other`](Self::Other) without one.
    pub fn kind(&self) -> &str {
        match self {
            Self::SessionCreated { .. } => "session.created",
            Self::SessionUpdated { .. } => "session.updated",
            Self::ConversationCreated { .. } => "conversation.created",
            Self::SpeechStarted { .. } => "input_audio_buffer.speech_started",
            Self::SpeechStopped { .. } => "input_audio_buffer.speech_stopped",
            Self::InputAudioCommitted { .. } => "input_audio_buffer.committed",
            Self::InputAudioCleared {} => "input_audio_buffer.cleared",
            Self::ItemAdded { .. } => "conversation.item.added",
            Self::ItemDone { .. } => "conversation.item.done",
            Self::ItemRetrieved { .. } => "conversation.item.retrieved",
            Self::ItemDeleted { .. } => "conversation.item.deleted",
            Self::ItemTruncated { .. } => "conversation.item.truncated",
            Self::TranscriptionDelta { .. } => "conversation.item.input_audio_transcription.delta",
            Self::TranscriptionCompleted { .. } => "conversation.item.input_audio_transcription.completed",
            Self::TranscriptionFailed { .. } => "conversation.item.input_audio_transcription.failed",
            Self::ResponseCreated { .. } => "response.created",
            Self::ResponseDone { .. } => "response.done",
            Self::OutputItemAdded { .. } => "response.output_item.added",
            Self::OutputItemDone { .. } => "response.output_item.done",
            Self::ContentPartAdded { .. } => "response.content_part.added",
            Self::ContentPartDone { .. } => "response.content_part.done",
            Self::AudioTranscriptDelta { .. } => "response.output_audio_transcript.delta",
            Self::AudioTranscriptDone { .. } => "response.output_audio_transcript.done",
            Self::OutputTextDelta { .. } => "response.output_text.delta",
            Self::OutputTextDone { .. } => "response.output_text.done",
            Self::OutputAudioDone { .. } => "response.output_audio.done",
            Self::FunctionArgumentsDelta { .. } => "response.function_call_arguments.delta",
            Self::FunctionArgumentsDone { .. } => "response.function_call_arguments.done",
            Self::PlayoutStarted { .. } => "output_audio_buffer.started",
            Self::PlayoutStopped { .. } => "output_audio_buffer.stopped",
            Self::PlayoutCleared { .. } => "output_audio_buffer.cleared",
            Self::RateLimitsUpdated { .. } => "rate_limits.updated",
            Self::AvatarSwitchToSpeaking { .. } => "session.avatar.switch_to_speaking",
            Self::AvatarSwitchToIdle { .. } => "session.avatar.switch_to_idle",
            Self::SessionEnding { .. } => "session.ending",
            Self::Word { .. } => "visavis.word",
            Self::Latency(_) => "visavis.latency",
            Self::BargeIn { .. } => "visavis.barge_in",
            Self::Error { .. } => "error",
            Self::Other(fields) => fields.get("type").and_then(Value::as_str).unwrap_or_default(),
        }
    }
}

impl From<ErrorEvent> for ServerEvent {
    fn from(error: ErrorEvent) -> Self {
        Self::Error { error }
    }
}

/// Where in an answer a piece belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRef {
    pub response_id: String,
    pub item_id: String,
    pub output_index: u32,
    pub content_index: u32,
}

/// A part of a running response; the finished item calls the same thing `output_audio` or `output_text`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponsePart {
    Audio { transcript: String },
    Text { text: String },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConversationObject {
    #[default]
    #[serde(rename = "realtime.conversation")]
    Conversation,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub id: String,
    #[serde(default)]
    pub object: ConversationObject,
}

impl Conversation {
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), object: ConversationObject::Conversation }
    }
}

/// What a transcription cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TranscriptionUsage {
    /// Length of the sound that was transcribed.
    Duration {
        seconds: f64,
    },
    Tokens {
        total_tokens: u64,
        input_tokens: u64,
        input_token_details: InputTokenDetails,
        output_tokens: u64,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputTokenDetails {
    pub text_tokens: u64,
    pub audio_tokens: u64,
}

/// Why speech could not be transcribed. Unlike elsewhere, stock clients refuse `null` in these fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptionError {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// `requests` or `tokens`.
    pub name: String,
    pub limit: u64,
    pub remaining: u64,
    pub reset_seconds: f64,
}

/// When each step of an answer was done, in milliseconds after the person's last voiced sample came in (negative:
/// before it), or after the request for an answer to typed text. A step that has not happened is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    pub response_id: String,
    /// The question was spoken; typed if false.
    pub spoken: bool,
    /// It was decided that the person's turn is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed_ms: Option<i64>,
    /// The turn's final text was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcribed_ms: Option<i64>,
    /// The model's first token came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<i64>,
    /// The first clause went to the voice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_clause_ms: Option<i64>,
    /// The first clause had become sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_sound_ms: Option<i64>,
    /// The first packet of the answer's sound was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_packet_ms: Option<i64>,
    /// The first picture with a moving mouth was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_mouth_ms: Option<i64>,
}

/// What came of speech over an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BargeInOutcome {
    /// It was words: the answer ended.
    Ended,
    /// It was noise or a sign of listening: the answer went on.
    Resumed,
}

/// Why a call is about to be ended by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    IdleTimeout,
    MaxDuration,
    Shutdown,
}
