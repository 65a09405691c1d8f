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
    /// Whatever else the server wants to tell.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: JsonObject,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallCounts {
    pub active: u64,
    pub limit: u64,
    /// Since the start.
    pub total: u64,
}
