//! The voices that this server has.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use crate::auth;
use crate::error::{ApiError, ErrorReply};
use crate::host::{OfferedVoice, SessionHost};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VoiceList {
    /// Always `list`.
    object: &'static str,
    data: Vec<OfferedVoice>,
}

/// List the voices
#[utoipa::path(
    get, path = "/v1/voices", tag = "speech",
    responses((status = 200, description = "Those that a call can ask for", body = VoiceList),
        (status = 401, description = "No valid token", body = ErrorReply)),
    security((), ("bearer" = [])),
)]
pub(super) async fn list<H: SessionHost>(
    State(app): State<App<H>>,
    headers: HeaderMap,
) -> Result<Json<VoiceList>, ApiError> {
    auth::caller(&headers, &app.settings, &app.secrets)?;
    Ok(Json(VoiceList { object: "list", data: app.host.voices() }))
}
