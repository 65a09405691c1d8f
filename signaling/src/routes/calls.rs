//! Calls: an SDP offer in, an SDP answer out, and the end of a call.

use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, FromRequest, Path, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, ORIGIN, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;

use super::App;
use crate::error::{ApiError, ErrorBody, ErrorReply, clip};
use crate::events::{Session, SessionPatch};
use crate::host::{CallOffer, CallOrigin, HostError, SessionHost};
use crate::{auth, body};

const SDP: HeaderValue = HeaderValue::from_static("application/sdp");
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// The parts of a form, for the documentation.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read part by part, never as a whole")]
pub(super) struct OfferForm {
    /// The SDP offer.
    sdp: String,
    /// Settings of the call, all optional, as JSON.
    session: Option<Session>,
}

/// What the body of an offer holds.
#[derive(Debug, Default)]
struct Parts {
    sdp: String,
    session: Option<SessionPatch>,
}

/// Start a call
///
/// Send a WebRTC offer, get the answer. The answer holds all candidates; there is no trickle. Open the data
/// channel `oai-events` and, to see the face, offer a video section to receive. The id of the call is the last
/// segment of `Location`.
#[utoipa::path(
    post, path = "/v1/realtime/calls", tag = "calls",
    request_body(content((String = "application/sdp"), (OfferForm = "multipart/form-data"))),
    responses(
        (status = 201, description = "The SDP answer", content_type = "application/sdp", body = String,
            headers(("Location" = String, description = "/v1/realtime/calls/{call_id}"))),
        (status = 400, description = "The offer or the session cannot be used", body = ErrorReply),
        (status = 401, description = "No valid token", body = ErrorReply),
        (status = 403, description = "Pages of this origin may not call", body = ErrorReply),
        (status = 408, description = "The body did not arrive in time", body = ErrorReply),
        (status = 413, description = "The body is too large", body = ErrorReply),
        (status = 415, description = "Neither application/sdp nor multipart/form-data", body = ErrorReply),
        (status = 503, description = "All calls are taken, or the server is shutting down", body = ErrorReply,
            headers(("Retry-After" = u64, description = "Seconds"))),
    ),
    security((), ("bearer" = [])),
)]
pub(super) async fn create<H: SessionHost>(State(app): State<App<H>>, request: Request) -> Result<Response, ApiError> {
    let (head, request_body) = request.into_parts();
    let stored = auth::caller(&head.headers, &app.settings, &app.secrets)?;
    let remote = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    let origin = origin_of(&head.headers, remote);
    let Parts { sdp, session } = match body::media_type(&head.headers).as_str() {
        "application/sdp" => raw_offer(&body::read(&head.headers, request_body, &app.settings).await?)?,
        "multipart/form-data" => {
            let bytes = body::read(&head.headers, request_body, &app.settings).await?;
            form_offer(Request::from_parts(head, Body::from(bytes))).await?
        }
        other => return Err(unsupported(other)),
    };
    let session = match (stored, session) {
        (Some(stored), Some(given)) => Some(stored.then(given)),
        (stored, given) => given.or(stored),
    };
    if let Some(session) = &session {
        app.host.default_session().apply(session)?;
    }
    let answer = app.host.create_call(CallOffer { sdp, session, origin }).await?;
    let location = HeaderValue::try_from(format!("/v1/realtime/calls/{}", answer.call_id))
        .map_err(|_| HostError::Internal(format!("the call id {:?} cannot stand in a header", answer.call_id)))?;
    Ok((StatusCode::CREATED, [(CONTENT_TYPE, SDP), (LOCATION, location)], answer.sdp).into_response())
}

/// End a call
#[utoipa::path(
    post, path = "/v1/realtime/calls/{call_id}/hangup", tag = "calls",
    params(("call_id" = String, Path, description = "Last segment of the call's Location")),
    responses((status = 200, description = "The call has ended"),
        (status = 401, description = "No valid token", body = ErrorReply),
        (status = 404, description = "There is no such call", body = ErrorReply)),
    security((), ("bearer" = [])),
)]
pub(super) async fn hang_up<H: SessionHost>(
    State(app): State<App<H>>,
    call_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    auth::caller(&headers, &app.settings, &app.secrets)?;
    // A path that cannot be decoded names no call.
    let Path(call_id) = call_id.map_err(|_| HostError::NotFound)?;
    app.host.hang_up(&call_id).await?;
    Ok(StatusCode::OK)
}

/// End a call, as a WHIP client does
#[utoipa::path(
    delete, path = "/v1/realtime/calls/{call_id}", tag = "calls",
    params(("call_id" = String, Path, description = "Last segment of the call's Location")),
    responses((status = 200, description = "The call has ended"),
        (status = 401, description = "No valid token", body = ErrorReply),
        (status = 404, description = "There is no such call", body = ErrorReply)),
    security((), ("bearer" = [])),
)]
pub(super) async fn delete<H: SessionHost>(
    app: State<App<H>>,
    call_id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    hang_up(app, call_id, headers).await
}

/// `accept`, `reject` and `refer` belong to telephone calls.
pub(super) async fn telephony_only() -> ApiError {
    ApiError::not_found("This belongs to telephone (SIP) calls, which this server has not; use hangup to end a call.")
}

fn unsupported(media_type: &str) -> ApiError {
    let found = if media_type.is_empty() { String::from("none") } else { format!("'{}'", clip(media_type, 64)) };
    let message =
        format!("The Content-Type must be application/sdp, or multipart/form-data with a part 'sdp'; it is {found}.");
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorBody::invalid("unsupported_media_type", message))
        .with_header(ACCEPT_POST, HeaderValue::from_static("application/sdp, multipart/form-data"))
}

fn origin_of(headers: &HeaderMap, remote: Option<SocketAddr>) -> CallOrigin {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(|text| clip(text, 256));
    CallOrigin {
        remote,
        origin: text(ORIGIN),
        user_agent: text(USER_AGENT),
        sdk: text(HeaderName::from_static("x-openai-agents-sdk")),
    }
}

fn raw_offer(bytes: &Bytes) -> Result<Parts, ApiError> {
    Ok(Parts { sdp: sdp_text(bytes)?, session: None })
}

async fn form_offer(request: Request) -> Result<Parts, ApiError> {
    let mut form = Multipart::from_request(request, &()).await.map_err(|rejection| {
        ApiError::bad_request("invalid_multipart", format!("The form cannot be read: {rejection}."))
    })?;
    let (mut sdp, mut session) = (None, None);
    while let Some(field) = form.next_field().await.map_err(broken_form)? {
        let place = match field.name() {
            Some("sdp") => &mut sdp,
            Some("session") => &mut session,
            _ => continue,
        };
        if place.is_some() {
            return Err(ApiError::bad_request("invalid_multipart", "The form has a part twice; send each once."));
        }
        *place = Some(field_bytes(field).await?);
    }
    let Some(sdp) = sdp else {
        let error = ApiError::bad_request("missing_required_parameter", "The form has no part 'sdp' with the offer.");
        return Err(error.with_param("sdp"));
    };
    let session = session.map(|json| SessionPatch::parse(&json)).transpose()?;
    Ok(Parts { sdp: sdp_text(&sdp)?, session })
}

async fn field_bytes(field: Field<'_>) -> Result<Bytes, ApiError> {
    field.bytes().await.map_err(broken_form)
}

fn broken_form(error: MultipartError) -> ApiError {
    ApiError::bad_request("invalid_multipart", format!("The form is broken: {}.", clip(&error.body_text(), 256)))
}

fn sdp_text(bytes: &Bytes) -> Result<String, ApiError> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        Ok(_) => Err(ApiError::bad_request("invalid_sdp", "The SDP offer is empty.").with_param("sdp")),
        Err(_) => Err(ApiError::bad_request("invalid_sdp", "The SDP offer is not UTF-8 text.").with_param("sdp")),
    }
}
