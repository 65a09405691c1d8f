//! The state of the server as `GET /api/status` shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::JsonObject;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    pub version: String,
    pub uptime_seconds: u64,
    pub calls: CallCounts,
    /// Which engine does which job, e.g. `asr` -> `whisper base q8_0`.
    pub engines: BTreeMap<String, String>,
    /// What this server can do beyond calls: `say`, `uploads` (it takes photos), `memory`, `admin`.
    #[serde(default)]
    pub features: Vec<String>,
    /// What people may speak, as codes of ISO 639-1.
    #[serde(default)]
    pub languages: Vec<String>,
    /// How long a conversation is kept in which nobody goes on; `null`: none is kept, or for ever if there is `memory`.
    #[serde(default)]
    pub conversation_days: Option<u32>,
    #[serde(default)]
    pub persona: Persona,
    /// Whatever else the server wants to tell.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: JsonObject,
}

/// Who the face is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Persona {
    /// What it says first; empty: nothing.
    pub greeting: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallCounts {
    pub active: u64,
    pub limit: u64,
    /// Since the start.
    pub total: u64,
}
