//! What the routes need from the server behind them.

use std::future::Future;
use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::{ApiError, ErrorBody};
use crate::events::{Session, SessionPatch};
use crate::status::Status;

/// The server behind the routes. A future may be dropped at any `.await` when the client goes away, so what
/// it has begun must clean up by being dropped.
pub trait SessionHost: Send + Sync + 'static {
    /// Starts a call from a client's SDP offer.
    fn create_call(&self, offer: CallOffer) -> impl Future<Output = Result<CallAnswer, HostError>> + Send;

    /// Ends a call; [`HostError::NotFound`] when there is none of that id.
    fn hang_up(&self, call_id: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// Deletes a kept conversation, if there is one of that id.
    fn forget(&self, conversation_id: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// The faces that a call can ask for.
    fn avatars(&self) -> impl Future<Output = Result<Vec<Avatar>, HostError>> + Send;

    /// A face at rest, as PNG; [`HostError::NoAvatar`] when there is none of that id.
    fn avatar_picture(&self, id: &str) -> impl Future<Output = Result<Vec<u8>, HostError>> + Send;

    /// A short clip of a face that speaks; [`HostError::NoAvatar`] when there is none of that id.
    fn avatar_clip(&self, id: &str) -> impl Future<Output = Result<Clip, HostError>> + Send;

    /// Makes a face of a photo (JPEG, PNG or WebP).
    fn add_avatar(&self, photo: Vec<u8>) -> impl Future<Output = Result<Avatar, HostError>> + Send;

    /// Deletes a face that was made of a photo.
    fn remove_avatar(&self, id: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// The voices that a call, or [`SessionHost::speak`], can ask for.
    fn voices(&self) -> Vec<OfferedVoice>;

    /// The language models that a session may name.
    fn models(&self) -> Vec<OfferedModel>;

    /// Says a text: mono samples of [`SPEECH_HZ`].
    fn speak(&self, wanted: SpeechWanted) -> impl Future<Output = Result<Vec<i16>, HostError>> + Send;

    /// What every call starts from before a client's patch; shown by `client_secrets`.
    fn default_session(&self) -> Session;

    fn status(&self) -> Status;

    /// `Err` says in one line why no call can be taken now.
    fn readiness(&self) -> Result<(), String>;

    /// All metrics in Prometheus' text format.
    fn metrics_text(&self) -> String;
}

/// A client that wants a call.
#[derive(Clone, Debug)]
pub struct CallOffer {
    pub sdp: String,
    /// Changes to the default session; already checked against it.
    pub session: Option<SessionPatch>,
    pub origin: CallOrigin,
}

/// Where an offer came from, for logs and limits; all but `remote` is the client's own claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOrigin {
    /// The TCP peer, if the server passes `ConnectInfo<SocketAddr>`.
    pub remote: Option<SocketAddr>,
    /// `Origin`: the page that calls.
    pub origin: Option<String>,
    pub user_agent: Option<String>,
    /// `X-OpenAI-Agents-SDK`.
    pub sdk: Option<String>,
}

/// A face that a call can ask for as `session.avatar.character`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Avatar {
    pub id: String,
    /// Always `avatar`.
    pub object: &'static str,
    /// As people read it.
    pub name: String,
    /// `drawn` or `portrait`.
    pub kind: String,
    /// Who drew it, and how it may be used; empty if nobody said.
    pub author: String,
    pub licence: String,
    /// It came with the server.
    pub built_in: bool,
    /// Whom calls see that ask for nobody.
    pub default: bool,
}

/// A short MP4.
#[derive(Clone, Debug)]
pub struct Clip {
    pub mp4: Bytes,
    /// Differs when the clip does; letters and digits.
    pub tag: String,
}

/// A voice that a call can ask for as `session.audio.output.voice`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfferedVoice {
    pub id: String,
    /// Always `voice`.
    pub object: &'static str,
    /// As people read it.
    pub name: String,
    /// Language tags such as `en-US`; empty: many.
    pub languages: Vec<String>,
    /// Who speaks in calls that ask for nobody.
    pub default: bool,
}

/// A language model that a call can ask for as `session.model`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfferedModel {
    pub id: String,
    /// Always `model`.
    pub object: &'static str,
    /// Since when this server has it, in seconds since 1970.
    pub created: u64,
    /// Whose server runs it.
    pub owned_by: String,
}

/// Samples a second of what [`SessionHost::speak`] gives, as OpenAI's `pcm` has them.
pub const SPEECH_HZ: u32 = 24_000;

/// A text to be said.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeechWanted {
    /// Not empty.
    pub input: String,
    /// `None`: the server's.
    pub voice: Option<String>,
    /// 0.25 to 4.
    pub speed: f64,
}

/// The server's side of a call.
#[derive(Clone, Debug)]
pub struct CallAnswer {
    /// Unguessable (see [`ids::call`](crate::ids::call)), of characters that need no escape in a path.
    pub call_id: String,
    /// With all candidates: clients here take none later.
    pub sdp: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The client's fault: what is wrong and what to do.
    #[error(transparent)]
    Refused(#[from] ErrorBody),
    #[error("All calls of this server are taken; try again in {retry_after_seconds} s.")]
    Full { retry_after_seconds: u64 },
    #[error("There is no call of this id; it may have ended.")]
    NotFound,
    #[error("There is no face of this id.")]
    NoAvatar,
    #[error("This server takes no photos: `avatar.uploads` is off in its configuration.")]
    NoUploads,
    #[error("Too many such requests are being worked on; try again in {retry_after_seconds} s.")]
    Busy { retry_after_seconds: u64 },
    /// No voice could say it, and why.
    #[error("{0}")]
    Voice(String),
    #[error("The server is shutting down; try again in a moment.")]
    ShuttingDown,
    /// For the log; the client only learns that it was not its fault.
    #[error("{0}")]
    Internal(String),
}

/// Seconds until another instance, or this one restarted, may take the call.
const RETRY_AFTER_SHUTDOWN: u64 = 5;

impl From<HostError> for ApiError {
    fn from(error: HostError) -> Self {
        let message = error.to_string();
        match error {
            HostError::Refused(body) => body.into(),
            HostError::Full { retry_after_seconds } => Self::unavailable("server_full", message, retry_after_seconds),
            HostError::NotFound => Self::new(StatusCode::NOT_FOUND, ErrorBody::invalid("call_not_found", message)),
            HostError::NoAvatar => Self::new(StatusCode::NOT_FOUND, ErrorBody::invalid("avatar_not_found", message)),
            HostError::NoUploads => Self::new(StatusCode::FORBIDDEN, ErrorBody::invalid("uploads_off", message)),
            HostError::Busy { retry_after_seconds } => Self::unavailable("busy", message, retry_after_seconds),
            HostError::Voice(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorBody::server("voice_failed", message))
            }
            HostError::ShuttingDown => Self::unavailable("shutting_down", message, RETRY_AFTER_SHUTDOWN),
            HostError::Internal(reason) => {
                tracing::error!(reason, "a request failed");
                let body = ErrorBody::server("internal_error", "The server failed to do this; its log says why.");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, body)
            }
        }
    }
}
