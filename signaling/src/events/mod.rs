//! The types that travel over the data channel `oai-events`: what the server says, what a client may say,
//! and the nouns that both use.
//!
//! They are the GA form of the OpenAI Realtime protocol with a few additions of our own. Nothing here knows
//! how a conversation runs; the session decides which event is due and these types give it its exact shape.

mod client;
#[cfg(test)]
mod fuzz;
mod ids;
mod item;
mod patch;
mod response;
mod server;
mod session;
#[cfg(test)]
mod tests;

pub use client::{
    CLIENT_EVENT_LIMIT, ClientEvent, ConversationMode, EVENT_ID_LIMIT, ResponseInput, ResponseParams,
    parse_client_event,
};
pub use ids::{Envelope, EventIds};
pub use item::{ContentPart, ITEM_LIMIT, Item, ItemKind, ItemObject, ItemStatus, NewItem, Role};
pub use patch::SessionPatch;
pub use response::{
    CancelReason, FailedError, IncompleteReason, Response, ResponseAudio, ResponseAudioOutput, ResponseObject,
    ResponseStatus, StatusDetails, Usage,
};
pub use server::{
    BargeInOutcome, Conversation, ConversationObject, EndReason, InputTokenDetails, Latency, PartRef, RateLimit,
    ResponsePart, ServerEvent, TranscriptionError, TranscriptionUsage,
};
pub use session::{
    Audio, AudioInput, AudioOutput, MaxOutputTokens, Modality, SESSION_LIMIT, Session, SessionKind, SessionObject,
    Tool, Transcription, TurnDetection, Voice,
};

pub use crate::error::{ErrorBody, ErrorEvent, ErrorKind};

/// A free-form JSON object.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;
