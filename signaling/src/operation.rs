//! What the routes for an admin need from the server behind them: the calls, the news, the settings.

use std::future::Future;
use std::net::IpAddr;

use axum::http::StatusCode;
use futures::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::{ApiError, ErrorBody};
use crate::events::{BargeInOutcome, Latency};
use crate::host::HostError;

/// The server as an admin sees it.
pub trait Operation: Send + Sync + 'static {
    /// The calls that are up, the oldest first.
    fn calls(&self) -> Vec<Call>;

    /// Ends a call; [`HostError::NotFound`] when there is none of that id.
    fn end_call(&self, id: &str) -> impl Future<Output = Result<(), HostError>> + Send;

    /// [`News::Hello`], and then what happens from now on. Ends with the server.
    fn news(&self) -> impl Stream<Item = News> + Send + use<Self>;

    fn config(&self) -> Settings;

    /// Changes settings by a merge patch (RFC 7396) of [`Settings::config`]: all of it or nothing.
    fn change_config(&self, patch: Value) -> impl Future<Output = Result<Settings, ChangeRefused>> + Send;

    /// Somebody came with a wrong key.
    fn wrong_key(&self, remote: Option<IpAddr>);
}

/// A call that is up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Call {
    pub id: String,
    pub state: CallState,
    /// Seconds since 1970.
    pub started_at: u64,
    /// Since then.
    pub seconds: u64,
    /// Address and port of whoever called, as far as known.
    pub remote: Option<String>,
    /// The page that called, and with what: the caller's own claims.
    pub origin: Option<String>,
    pub user_agent: Option<String>,
    pub avatar: String,
    pub voice: String,
    /// Of the last words.
    pub language: String,
    /// Answers that were given so far, times that somebody spoke over one and ended it, and errors that were told.
    pub answers: u64,
    pub interruptions: u64,
    pub errors: u64,
    /// How well sound and picture arrive, by the last reports of the other side; `null` before the first.
    pub round_trip_ms: Option<f64>,
    /// Share of packets that were lost between the last two reports, 0 to 1; of the stream that lost most.
    pub loss: Option<f64>,
    /// Of the sound.
    pub jitter_ms: Option<f64>,
    /// Pictures that were sent in the last second; `null` without a picture.
    pub frames_per_second: Option<f64>,
    /// Pictures that left when the next one was due already.
    pub late_frames: u64,
}

/// What a call is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    #[default]
    Connecting,
    /// Nobody says anything.
    Listening,
    /// The person speaks.
    Hearing,
    Thinking,
    Speaking,
}

/// One event of `GET /api/events`; its name is [`News::name`], its data the fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum News {
    /// The first.
    Hello {
        version: String,
        /// Seconds since 1970.
        now: u64,
    },
    CallStarted {
        call: Call,
    },
    CallChanged {
        id: String,
        state: CallState,
    },
    CallEnded {
        id: String,
        reason: &'static str,
        seconds: u64,
    },
    CallRefused {
        reason: String,
    },
    Answer {
        id: String,
        latency: Latency,
    },
    BargeIn {
        id: String,
        outcome: BargeInOutcome,
        silent_ms: u64,
    },
    /// Something went wrong and was handled.
    Error {
        kind: String,
        message: String,
    },
    /// Settings were changed.
    Config {
        changed: Vec<String>,
    },
    /// The reader was too slow for so many.
    Lagged {
        missed: u64,
    },
}

impl News {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::CallStarted { .. } => "call.started",
            Self::CallChanged { .. } => "call.changed",
            Self::CallEnded { .. } => "call.ended",
            Self::CallRefused { .. } => "call.refused",
            Self::Answer { .. } => "answer",
            Self::BargeIn { .. } => "barge_in",
            Self::Error { .. } => "error",
            Self::Config { .. } => "config",
            Self::Lagged { .. } => "lagged",
        }
    }
}

/// The server's settings.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Settings {
    /// All of them, as in the configuration file; what may be a secret is masked.
    #[schema(value_type = Object)]
    pub config: Value,
    /// Paths of those that can be changed while the server runs, each with all that is below it.
    pub live: Vec<String>,
    /// What each section and each setting is for, in the order in which they are best read.
    pub words: Vec<SettingWords>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SettingWords {
    pub path: String,
    pub words: String,
}

/// Why settings were not changed. The messages are for the admin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// They would not do.
    #[error("{message}")]
    Invalid { param: Option<String>, message: String },
    /// This one takes a restart.
    #[error("{message}")]
    NotLive { param: String, message: String },
    /// They could not be written down.
    #[error("{0}")]
    NotKept(String),
}

impl From<ChangeRefused> for ApiError {
    fn from(refused: ChangeRefused) -> Self {
        let message = refused.to_string();
        match refused {
            ChangeRefused::Invalid { param, .. } => {
                ErrorBody { param, ..ErrorBody::invalid("invalid_value", message) }.into()
            }
            ChangeRefused::NotLive { param, .. } => ErrorBody::invalid("not_live", message).with_param(param).into(),
            ChangeRefused::NotKept(_) => Self::new(StatusCode::CONFLICT, ErrorBody::invalid("not_kept", message)),
        }
    }
}
