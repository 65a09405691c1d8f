//! The contract between visavis and its clients: HTTP routes, realtime events, tokens.
//!
//! [`router`] serves the HTTP part of the OpenAI Realtime protocol over WebRTC and hands every offer to a
//! [`SessionHost`]; [`events`] holds the types of the data channel. No media, no WebRTC and no clock live here:
//! an SDP is a text to this crate, and time comes from the settings.

mod admin_key;
mod auth;
mod body;
mod cors;
mod error;
pub mod events;
mod host;
pub mod ids;
mod operation;
mod ranges;
mod routes;
mod secret_store;
mod settings;
mod status;

pub use error::{ErrorBody, ErrorEvent, ErrorKind, ErrorReply};
pub use host::{
    Avatar, CallAnswer, CallOffer, CallOrigin, Clip, HostError, OfferedModel, OfferedVoice, SPEECH_HZ, SessionHost,
    SpeechWanted,
};
pub use operation::{Call, CallState, ChangeRefused, News, Operation, SettingWords, Settings};
pub use routes::{admin_router, openapi_json, router};
pub use settings::{CorsOrigins, Origins, SettingsError, SignalingSettings, UnixClock};
pub use status::{CallCounts, Persona, Status};
