//! Faces by name: which there are, what they look like, and portraits of the user's own.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use crate::error::{ApiError, ErrorReply};
use crate::host::{Avatar, Clip, HostError, SessionHost};
use crate::{auth, body, ranges};

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

/// Show a face that moves
///
/// About three seconds without sound in which it is at rest and says a short phrase; the end leads into the beginning. It
/// is made when it is first asked for, which takes some seconds, and kept. No token is asked for, as with the picture.
#[utoipa::path(
    get, path = "/v1/avatars/{id}/clip", tag = "avatars",
    params(("id" = String, Path, description = "The face's id")),
    responses((status = 200, description = "MP4 with H.264", content_type = "video/mp4"),
        (status = 206, description = "The part that was asked for by `Range`", content_type = "video/mp4"),
        (status = 304, description = "It is as `If-None-Match` says"),
        (status = 404, description = "There is no such face", body = ErrorReply),
        (status = 503, description = "Too many clips are being made", body = ErrorReply,
            headers(("Retry-After" = u64, description = "Seconds")))),
)]
pub(super) async fn clip<H: SessionHost>(
    State(app): State<App<H>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path(id) = id.map_err(|_| HostError::NoAvatar)?;
    let Clip { mp4, tag } = app.host.avatar_clip(&id).await?;
    let tag = HeaderValue::try_from(format!("\"{tag}\""))
        .map_err(|_| HostError::Internal(format!("the tag {tag:?} cannot stand in a header")))?;
    let known = headers.get(IF_NONE_MATCH).is_some_and(|tags| {
        tags.as_bytes().windows(tag.len()).any(|part| part == tag.as_bytes()) || tags.as_bytes() == b"*"
    });
    let keep = [(ETAG, tag), (CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"))];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, keep).into_response());
    }
    Ok((keep, [(CONTENT_TYPE, "video/mp4")], ranges::part(&headers, mp4)).into_response())
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
        (status = 400, description = "No face can be made of it: `not_a_picture`, `picture_too_large`, `no_face`, \
            `several_faces`, `face_too_small`, `face_turned`, `face_cut_off`, `face_hidden`, `too_blurred`, `eyes_shut`",
            body = ErrorReply),
        (status = 401, description = "No valid token", body = ErrorReply),
        (status = 403, description = "The server takes no photos, or none of this page's origin", body = ErrorReply),
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
