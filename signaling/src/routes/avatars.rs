//! Faces by name: which there are, what they look like, and portraits of the user's own.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use crate::error::{ApiError, ErrorReply};
use crate::host::{Avatar, HostError, SessionHost};
use crate::{auth, body};

/// Largest photo that is taken.
const MOST_BYTES: usize = 20 * 1024 * 1024;

/// All faces that a call can ask for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AvatarList {
    /// Always `list`.
    object: &'static str,
    data: Vec<Avatar>,
}

/// List the faces
#[utoipa::path(
    get, path = "/v1/avatars", tag = "avatars",
    responses((status = 200, description = "Those that are built in and the server's own; not those that people sent", body = AvatarList),
        (status = 401, description = "No valid token", body = ErrorReply)),
    security((), ("bearer" = [])),
)]
pub(super) async fn list<H: SessionHost>(
    State(app): State<App<H>>,
    headers: HeaderMap,
) -> Result<Json<AvatarList>, ApiError> {
    auth::caller(&headers, &app.settings, &app.secrets)?;
    Ok(Json(AvatarList { object: "list", data: app.host.avatars().await? }))
}

/// Show a face
///
/// A picture of 512 by 512 pixels, at rest. No token is asked for, so that an `img` element can show it: whoever knows
/// the id may see it.
#[utoipa::path(
    get, path = "/v1/avatars/{id}/picture", tag = "avatars",
    params(("id" = String, Path, description = "The face's id")),
    responses((status = 200, description = "PNG", content_type = "image/png"),
        (status = 404, description = "There is no such face", body = ErrorReply)),
)]
pub(super) async fn picture<H: SessionHost>(
    State(app): State<App<H>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id.map_err(|_| HostError::NoAvatar)?;
    let png = app.host.avatar_picture(&id).await?;
    Ok(([(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "private, max-age=300")], png).into_response())
}

/// Make a face of a photo
///
/// The body is a JPEG, PNG or WebP file of one person who looks into the camera; it takes some seconds. The id that comes
/// back cannot be guessed and is in no list: keep it, and give it as `session.avatar.character`. What is not used for
/// long is deleted when others come.
#[utoipa::path(
    post, path = "/v1/avatars", tag = "avatars",
    request_body(content = String, content_type = "image/jpeg", description = "JPEG, PNG or WebP"),
    responses((status = 201, description = "The face is ready", body = Avatar),
        (status = 400, description = "No face can be made of it; the message says why", body = ErrorReply),
        (status = 401, description = "No valid token", body = ErrorReply),
        (status = 403, description = "The server takes no photos", body = ErrorReply),
        (status = 413, description = "The file is too large", body = ErrorReply),
        (status = 503, description = "Too many photos at once", body = ErrorReply)),
    security((), ("bearer" = [])),
)]
pub(super) async fn create<H: SessionHost>(
    State(app): State<App<H>>,
    headers: HeaderMap,
    photo: Body,
) -> Result<(StatusCode, Json<Avatar>), ApiError> {
    auth::caller(&headers, &app.settings, &app.secrets)?;
    let photo = body::read_up_to(MOST_BYTES, &headers, photo, &app.settings).await?;
    Ok((StatusCode::CREATED, Json(app.host.add_avatar(photo.into()).await?)))
}

/// Delete a face that was made of a photo
#[utoipa::path(
    delete, path = "/v1/avatars/{id}", tag = "avatars",
    params(("id" = String, Path, description = "The id that came back when it was made")),
    responses((status = 204, description = "It is deleted; calls that show it keep it to their end"),
        (status = 401, description = "No valid token", body = ErrorReply),
        (status = 404, description = "There is no such face, or it was not made of a photo", body = ErrorReply)),
    security((), ("bearer" = [])),
)]
pub(super) async fn delete<H: SessionHost>(
    State(app): State<App<H>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    auth::caller(&headers, &app.settings, &app.secrets)?;
    let Path(id) = id.map_err(|_| HostError::NoAvatar)?;
    app.host.remove_avatar(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
