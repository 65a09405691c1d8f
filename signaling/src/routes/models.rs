//! The language models that a session may name.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use crate::auth;
use crate::error::{ApiError, ErrorReply};
use crate::host::{OfferedModel, SessionHost};

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelList {
    /// Always `list`.
    object: &'static str,
    data: Vec<OfferedModel>,
}

/// List the language models
///
/// A session that names one of them as `session.model` asks it first; any other name is kept and changes nothing.
#[utoipa::path(
    get, path = "/v1/models", tag = "speech",
    responses((status = 200, description = "In the order in which they are asked", body = ModelList),
        (status = 401, description = "No valid token", body = ErrorReply)),
    security((), ("bearer" = [])),
)]
pub(super) async fn list<H: SessionHost>(
    State(app): State<App<H>>,
    headers: HeaderMap,
) -> Result<Json<ModelList>, ApiError> {
    auth::caller(&headers, &app.settings, &app.secrets)?;
    Ok(Json(ModelList { object: "list", data: app.host.models() }))
}
