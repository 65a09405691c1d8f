//! `POST /v1/realtime/client_secrets`: a backend makes a token that it can hand to a browser.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::App;
use crate::error::{ApiError, ErrorBody, ErrorReply, clip, shape_error};
use crate::events::{Session, SessionPatch};
use crate::host::SessionHost;
use crate::{auth, body, ids};

/// Seconds that a client secret may live.
const TTL_RANGE: std::ops::RangeInclusive<u64> = 10..=7200;

#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct SecretRequest {
    expires_after: Option<ExpiresAfter>,
    /// Settings of every call made with this secret; fields as in the reply, all optional.
    #[schema(value_type = Option<Object>)]
    session: Option<Value>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct ExpiresAfter {
    /// Only `created_at`.
    anchor: Option<String>,
    /// 10 to 7200; 600 unless the server says otherwise.
    seconds: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SecretReply {
    /// `ek_...`
    value: String,
    /// Seconds since 1970.
    expires_at: u64,
    session: Session,
}

/// Make a client secret
///
/// The secret lets a browser call for a short time without knowing an API key, and fixes what its calls start
/// with. It can be used more than once until it expires.
#[utoipa::path(
    post, path = "/v1/realtime/client_secrets", tag = "tokens",
    request_body(content = SecretRequest, description = "May be empty"),
    responses((status = 200, description = "The secret and the session it stands for", body = SecretReply),
        (status = 400, description = "Not JSON, or a field out of range", body = ErrorReply),
        (status = 401, description = "No valid API key", body = ErrorReply),
        (status = 408, description = "The body did not arrive in time", body = ErrorReply),
        (status = 413, description = "The body is too large", body = ErrorReply),
        (status = 415, description = "Not application/json", body = ErrorReply),
        (status = 503, description = "Too many secrets live at this time", body = ErrorReply,
            headers(("Retry-After" = u64, description = "Seconds")))),
    security((), ("bearer" = [])),
)]
pub(super) async fn create<H: SessionHost>(
    State(app): State<App<H>>,
    request: Request,
) -> Result<([(HeaderName, HeaderValue); 1], Json<SecretReply>), ApiError> {
    let (head, request_body) = request.into_parts();
    auth::backend(&head.headers, &app.settings)?;
    let bytes = body::read(&head.headers, request_body, &app.settings).await?;
    let wanted = if bytes.is_empty() {
        SecretRequest::default()
    } else {
        let media_type = body::media_type(&head.headers);
        if media_type != "application/json" {
            return Err(unsupported(&media_type));
        }
        read_request(&bytes)?
    };
    let seconds = lifetime(wanted.expires_after, app.settings.client_secret_ttl_seconds)?;
    let patch = wanted.session.map(SessionPatch::from_value).transpose()?.unwrap_or_default();
    let mut session = app.host.default_session();
    session.apply(&patch)?;
    session.id = ids::session();
    let now = (app.settings.clock)();
    let expires_at = now.saturating_add(seconds);
    let value = app.secrets.issue(patch, expires_at, now).map_err(|full| {
        let message = "Too many client secrets live at this time; wait until some have expired.";
        ApiError::unavailable("too_many_client_secrets", message, full.retry_after_seconds)
    })?;
    let never_stored = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((never_stored, Json(SecretReply { value, expires_at, session })))
}

fn read_request(bytes: &[u8]) -> Result<SecretRequest, ApiError> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad_request("invalid_json", format!("The body is not JSON: {error}.")))?;
    if !value.is_object() {
        return Err(ApiError::bad_request("invalid_value", "The body must be a JSON object."));
    }
    Ok(serde_path_to_error::deserialize(value).map_err(|error| shape_error("", error))?)
}

fn lifetime(wanted: Option<ExpiresAfter>, default: u64) -> Result<u64, ApiError> {
    let Some(wanted) = wanted else { return Ok(default) };
    if let Some(anchor) = wanted.anchor.filter(|anchor| anchor != "created_at") {
        let message = format!("'expires_after.anchor' must be created_at, not '{}'.", clip(&anchor, 64));
        return Err(ApiError::bad_request("invalid_value", message).with_param("expires_after.anchor"));
    }
    match wanted.seconds {
        None => Ok(default),
        Some(seconds) if TTL_RANGE.contains(&seconds) => Ok(seconds),
        Some(seconds) => {
            let message = format!(
                "'expires_after.seconds' is {seconds}; it must be from {} to {}.",
                TTL_RANGE.start(),
                TTL_RANGE.end()
            );
            Err(ApiError::bad_request("invalid_value", message).with_param("expires_after.seconds"))
        }
    }
}

fn unsupported(media_type: &str) -> ApiError {
    let message = format!("The Content-Type must be application/json, not '{}'.", clip(media_type, 64));
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorBody::invalid("unsupported_media_type", message))
}
