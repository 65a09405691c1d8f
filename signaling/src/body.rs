//! Reading a request's body within its limits of size and time.

use std::error::Error;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::LengthLimitError;

use crate::error::{ApiError, ErrorBody};
use crate::settings::SignalingSettings;

/// The whole body, or 413, 408 or 400.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    settings: &SignalingSettings,
) -> Result<axum::body::Bytes, ApiError> {
    read_up_to(settings.body_limit_bytes, headers, body, settings).await
}

/// The same with another limit of bytes.
pub(crate) async fn read_up_to(
    limit: usize,
    headers: &HeaderMap,
    body: Body,
    settings: &SignalingSettings,
) -> Result<axum::body::Bytes, ApiError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    match tokio::time::timeout(settings.body_timeout, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if error.source().is_some_and(|source| source.is::<LengthLimitError>()) => Err(too_large(limit)),
        Ok(Err(error)) => Err(ApiError::bad_request("broken_body", format!("The body broke off: {error}."))),
        Err(_) => {
            let seconds = settings.body_timeout.as_secs_f32();
            let body = ErrorBody::invalid("request_timeout", format!("The body did not arrive within {seconds} s."));
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, body))
        }
    }
}

fn too_large(limit: usize) -> ApiError {
    let body = ErrorBody::invalid("body_too_large", format!("The body is too large; send at most {limit} bytes."));
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, body)
}

/// The media type in lower case without its parameters; empty when there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
