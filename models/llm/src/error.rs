//! Errors as OpenAI's clients know them: `{"error": {"message", "type", "code", "param"}}` and a status.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::job::Failure;
use crate::model::PromptError;
use crate::queue::Refused;
use crate::tools::ToolError;

/// Seconds after which a refused client may try again: about one short answer.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// What went wrong with one request.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    body: ErrorBody,
}

/// The JSON of an error, also sent as the last event of a stream that breaks.
#[derive(Debug, Serialize)]
pub struct ErrorBody {
    error: ErrorObject,
}

#[derive(Debug, Serialize)]
struct ErrorObject {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<&'static str>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: String) -> Self {
        let kind = if status.is_server_error() { "server_error" } else { "invalid_request_error" };
        Self { status, body: ErrorBody { error: ErrorObject { message, kind, code: Some(code), param: None } } }
    }

    fn about(mut self, param: &'static str) -> Self {
        self.body.error.param = Some(param);
        self
    }

    /// The body is no JSON, or not the JSON of a chat request.
    pub fn bad_json(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_json", message)
    }

    /// A field has a value that cannot be used.
    pub fn bad_value(param: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_value", message.into()).about(param)
    }

    /// More tokens in the prompt than the context holds with one token of answer.
    pub fn prompt_too_long(prompt: usize, context: usize) -> Self {
        let message = format!(
            "the messages are {prompt} tokens long, but this model's context holds {context} with the answer; \
             leave out old messages or start the server with a larger --context"
        );
        Self::new(StatusCode::BAD_REQUEST, "context_length_exceeded", message).about("messages")
    }

    /// No such route.
    pub fn unknown_path(path: &str) -> Self {
        let message = format!("no such path: {path}; there are /health, /metrics, /v1/models and /v1/chat/completions");
        Self::new(StatusCode::NOT_FOUND, "unknown_url", message)
    }

    /// The route exists, for another method.
    pub fn wrong_method(method: &str, path: &str) -> Self {
        let message = format!("{path} does not take {method}; the header Allow says what it takes");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// The body could not be read: too large, or the client stopped sending.
    pub fn body(status: StatusCode, limit: usize) -> Self {
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::new(status, "request_too_large", format!("the body is larger than {limit} bytes"));
        }
        Self::new(StatusCode::BAD_REQUEST, "unreadable_body", "the body did not arrive whole".to_owned())
    }

    /// The engine ended without a word about this request.
    pub fn engine_gone() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "engine_stopped", Refused::Stopped.to_string())
    }

    /// Names the kind of error in metrics.
    pub fn code(&self) -> &'static str {
        self.body.error.code.unwrap_or("none")
    }

    /// What is sent inside a stream, whose status has gone out already.
    pub fn into_body(self) -> ErrorBody {
        self.body
    }
}

impl From<PromptError> for ApiError {
    fn from(error: PromptError) -> Self {
        Self::bad_value("messages", error.to_string())
    }
}

impl From<ToolError> for ApiError {
    fn from(error: ToolError) -> Self {
        Self::bad_value("tools", error.to_string())
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::Full => "queue_full",
            Refused::Stopped => "engine_stopped",
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, refused.to_string())
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        let (status, code) = match failure {
            Failure::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, "shutting_down"),
            Failure::NoMemory => (StatusCode::SERVICE_UNAVAILABLE, "context_memory_full"),
            Failure::Decode(_) => (StatusCode::INTERNAL_SERVER_ERROR, "inference_failed"),
            Failure::Grammar => (StatusCode::INTERNAL_SERVER_ERROR, "grammar_failed"),
        };
        Self::new(status, code, failure.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}
