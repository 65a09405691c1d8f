//! Conversations that are kept for visitors who come back: deleted on request.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use super::App;
use crate::auth;
use crate::error::{ApiError, ErrorReply};
use crate::host::SessionHost;

/// Delete what was said in a conversation
///
/// Whoever knows the id, which the page gave as `session.conversation_id`, may delete it. A call that goes on with it
/// keeps what is said from then on.
#[utoipa::path(
    delete, path = "/v1/realtime/conversations/{conversation_id}", tag = "conversations",
    params(("conversation_id" = String, Path, description = "The id that the page gave")),
    responses((status = 204, description = "It is deleted, or there was none"),
        (status = 401, description = "No valid token", body = ErrorReply)),
    security((), ("bearer" = [])),
)]
pub(super) async fn delete<H: SessionHost>(
    State(app): State<App<H>>,
    conversation_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    auth::caller(&headers, &app.settings, &app.secrets)?;
    // A path that cannot be decoded names no conversation.
    if let Ok(Path(conversation_id)) = conversation_id {
        app.host.forget(&conversation_id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
