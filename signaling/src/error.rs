//! The one form in which this server says "no": `{"error":{"message","type","code","param"}}` over HTTP and
//! the `error` event on the data channel.
//!
//! [`ErrorBody`] is the shared core; [`ErrorEvent`] adds the id of the client event that caused it;
//! [`ApiError`] adds the HTTP status and headers.

use axum::Json;
use axum::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who is to blame, by the protocol's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ErrorKind {
    #[serde(rename = "invalid_request_error")]
    InvalidRequest,
    #[serde(rename = "authentication_error")]
    Authentication,
    #[serde(rename = "rate_limit_error")]
    RateLimit,
    #[serde(rename = "server_error")]
    Server,
}

/// What went wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{message}")]
pub struct ErrorBody {
    /// For a person: what was wrong and what to do.
    pub message: String,
    #[serde(rename = "type")]
    pub kind: ErrorKind,
    /// For a program, e.g. `unknown_event`.
    pub code: Option<String>,
    /// The offending field as a path, e.g. `session.audio.output.speed`.
    pub param: Option<String>,
}

impl ErrorBody {
    /// The client's fault.
    pub fn invalid(code: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: ErrorKind::InvalidRequest, code: Some(code.to_owned()), param: None }
    }

    /// The server's fault.
    pub fn server(code: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: ErrorKind::Server, code: Some(code.to_owned()), param: None }
    }

    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The same error as the payload of an `error` event; `event_id` is the client event at fault.
    pub fn for_event(self, event_id: Option<String>) -> ErrorEvent {
        ErrorEvent { body: self, event_id }
    }
}

/// The `error` object of an `error` event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEvent {
    #[serde(flatten)]
    pub body: ErrorBody,
    /// Id of the *client* event at fault; clients that wait for an outcome look for it here.
    pub event_id: Option<String>,
}

/// The body of every HTTP error.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ErrorReply {
    pub error: ErrorBody,
}

/// An HTTP error: status, a header that belongs to it, and the JSON body.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    /// One more header than every reply has.
    header: Option<Box<(HeaderName, HeaderValue)>>,
    body: ErrorBody,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, body: ErrorBody) -> Self {
        Self { status, header: None, body }
    }

    pub(crate) fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorBody::invalid(code, message))
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorBody::invalid("not_found", message))
    }

    /// 401 with the challenge that RFC 9110 section 15.5.2 asks for.
    pub(crate) fn unauthorized(code: &str, message: impl Into<String>) -> Self {
        let mut body = ErrorBody::invalid(code, message);
        body.kind = ErrorKind::Authentication;
        Self::new(StatusCode::UNAUTHORIZED, body).with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 503 with `Retry-After` in whole seconds.
    pub(crate) fn unavailable(code: &str, message: impl Into<String>, retry_after_seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorBody::server(code, message))
            .with_header(RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some(Box::new((name, value)));
        self
    }

    pub(crate) fn with_param(mut self, param: &str) -> Self {
        self.body = self.body.with_param(param);
        self
    }
}

/// A fault found in what the client sent.
impl From<ErrorBody> for ApiError {
    fn from(body: ErrorBody) -> Self {
        Self::new(StatusCode::BAD_REQUEST, body)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let header: HeaderMap = self.header.map(|header| *header).into_iter().collect();
        (self.status, header, Json(ErrorReply { error: self.body })).into_response()
    }
}

/// At most `max` characters of what a client sent, for use in a message.
pub(crate) fn clip(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The error for JSON that has the wrong shape; `prefix` is where the JSON stands, e.g. `session`.
pub(crate) fn shape_error(prefix: &str, error: serde_path_to_error::Error<serde_json::Error>) -> ErrorBody {
    let path = match error.path().to_string().as_str() {
        "." => prefix.to_owned(),
        path if prefix.is_empty() => path.to_owned(),
        path => format!("{prefix}.{path}"),
    };
    let path = clip(&path, 128);
    let reason = clip(&error.inner().to_string(), 256);
    let code = if reason.starts_with("missing field") { "missing_required_parameter" } else { "invalid_value" };
    if path.is_empty() {
        return ErrorBody::invalid(code, format!("The event has a wrong shape: {reason}."));
    }
    ErrorBody::invalid(code, format!("'{path}' has a wrong shape: {reason}.")).with_param(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_four_fields_of_the_protocol() {
        let reply = ErrorReply { error: ErrorBody::invalid("unknown_event", "No such event.").with_param("type") };
        assert_eq!(
            serde_json::to_value(reply).unwrap(),
            serde_json::json!({"error": {"message": "No such event.", "type": "invalid_request_error",
                "code": "unknown_event", "param": "type"}})
        );
    }

    #[test]
    fn clipping_counts_characters_not_bytes() {
        assert_eq!(clip("äöü", 2), "äö…");
        assert_eq!(clip("äöü", 3), "äöü");
    }
}
