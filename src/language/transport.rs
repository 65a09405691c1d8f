//! One HTTP request, once: what the client library sends its requests through.
//!
//! It takes the place of the library's own transport, which asks again of its own accord, three times and without
//! regard to our limits, and reads whatever a server sends. This one never asks twice (`endpoint` does), follows no
//! redirect (a key in a header of its own would be carried to another host), reads no more of a refusal than is told,
//! and no more of an answer than an answer can have.

use std::error::Error;
use std::io;
use std::task::{Context, Poll};
use std::time::Duration;

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Body, Response};
use serde::Deserialize;
use tokio::time::timeout;

use crate::clock;

/// Bytes of one answer, with all that is wrapped around its tokens: some ten thousand of them.
const MOST_ANSWER_BYTES: usize = 4 << 20;
/// Bytes of a refusal that are read, and characters that are told.
const MOST_REFUSAL_BYTES: usize = 4096;
const MOST_REFUSAL_CHARS: usize = 300;
/// A refusal that comes slower is told as far as it came.
const REFUSAL_LIMIT: Duration = Duration::from_secs(1);

/// Why there is no answer to read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{0}")]
    Unreachable(String),
    #[error("status {status}: {reason}")]
    Refused { status: u16, reason: String, again: Option<Duration>, spent: bool },
    #[error("{0}")]
    Rubbish(String),
}

impl From<Problem> for OpenAIError {
    fn from(problem: Problem) -> Self {
        Self::Boxed(Box::new(problem))
    }
}

/// See the module's text.
#[derive(Clone)]
pub struct Once(pub reqwest::Client);

impl tower_service::Service<HttpRequestFactory> for Once {
    type Response = Response;
    type Error = OpenAIError;
    type Future = BoxFuture<'static, Result<Response, OpenAIError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let client = self.0.clone();
        async move {
            let request = request.build().await?;
            let response = client.execute(request).await;
            let response = response.map_err(|error| Problem::Unreachable(causes(&error.without_url())))?;
            if !response.status().is_success() {
                return Err(refused(response).await.into());
            }
            let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            if ["application/json", "text/html"].iter().any(|whole| kind.starts_with(whole)) {
                let kind = kind.to_owned();
                let said = beginning(response).await;
                return Err(Problem::Rubbish(format!("{kind} instead of a stream of events: {said}")).into());
            }
            Ok(capped(response))
        }
        .boxed()
    }
}

/// An error and what caused it, in one line.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The same response, which ends with an error where it grows too long.
fn capped(response: Response) -> Response {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut left = MOST_ANSWER_BYTES;
    let bytes = response.bytes_stream().map(move |bytes| {
        let bytes = bytes.map_err(|error| io::Error::other(causes(&error.without_url())))?;
        left = left.checked_sub(bytes.len()).ok_or_else(|| {
            io::Error::other(format!("it is longer than {MOST_ANSWER_BYTES} bytes, which no answer is"))
        })?;
        Ok::<_, io::Error>(bytes)
    });
    let mut capped = axum::http::Response::new(Body::wrap_stream(bytes));
    *capped.status_mut() = status;
    *capped.headers_mut() = headers;
    capped.into()
}

async fn refused(response: Response) -> Problem {
    let status = response.status();
    let again = again(response.headers(), clock::unix_seconds());
    let moved = response.headers().get(LOCATION).and_then(|place| place.to_str().ok().map(told));
    let (mut reason, mut spent) = (beginning(response).await, false);
    if let Ok(body) = serde_json::from_str::<Refusal>(&reason) {
        spent = body.is_spent();
        reason = body.message().unwrap_or(reason);
    }
    let mut reason = told(&reason);
    if let Some(place) = moved.filter(|_| status.is_redirection()) {
        reason = format!("moved to {place}");
    } else if reason.is_empty() {
        status.canonical_reason().unwrap_or("no reason given").clone_into(&mut reason);
    }
    Problem::Refused { status: status.as_u16(), reason, again, spent }
}

/// How a body begins, as far as it comes in time.
async fn beginning(mut response: Response) -> String {
    let mut body = Vec::new();
    let read = async {
        while body.len() < MOST_REFUSAL_BYTES
            && let Ok(Some(bytes)) = response.chunk().await
        {
            body.extend(bytes.iter().take(MOST_REFUSAL_BYTES - body.len()));
        }
    };
    // What has come by then is told.
    let _ = timeout(REFUSAL_LIMIT, read).await;
    String::from_utf8_lossy(&body).into_owned()
}

/// One line of bounded length, without control characters.
pub fn told(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MOST_REFUSAL_CHARS).collect()
}

/// OpenAI's form of a refusal, and that of others.
#[derive(Deserialize)]
struct Refusal {
    error: Option<RefusalError>,
    message: Option<String>,
    detail: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RefusalError {
    Object { message: Option<String>, code: Option<serde_json::Value> },
    Text(String),
}

impl Refusal {
    /// OpenAI's 429 of an account without credit, which no wait mends.
    fn is_spent(&self) -> bool {
        matches!(&self.error, Some(RefusalError::Object { code: Some(code), .. }) if code == "insufficient_quota")
    }

    fn message(self) -> Option<String> {
        let named = match self.error {
            Some(RefusalError::Object { message, .. }) => message,
            Some(RefusalError::Text(message)) => Some(message),
            None => None,
        };
        named.or(self.message).or(self.detail.map(|detail| detail.to_string()))
    }
}

/// When to ask again: RFC 9110, section 10.2.3 (seconds or a date), and the milliseconds of OpenAI and Azure.
fn again(headers: &HeaderMap, unix_seconds: u64) -> Option<Duration> {
    let value = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(millis) = value("retry-after-ms").and_then(|millis| millis.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(millis / 1000.0).ok();
    }
    let wait = value(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = wait.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(wait).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Duration::from_secs(date.as_secs().saturating_sub(unix_seconds)))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(name: &'static str, value: &'static str) -> Option<Duration> {
        let headers =
            HeaderMap::from_iter([(reqwest::header::HeaderName::from_static(name), HeaderValue::from_static(value))]);
        // Sun, 06 Nov 1994 08:49:30 GMT.
        again(&headers, 784_111_770)
    }

    #[test]
    fn the_wait_that_is_asked_for_is_read_in_all_its_forms() {
        assert_eq!(asked("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(asked("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(asked("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(asked("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        for nonsense in ["soon", "-1", "NaN", "1e400", ""] {
            assert_eq!(asked("retry-after", nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn what_is_told_is_one_short_line() {
        assert_eq!(told(" no\r\nsuch\u{0}  model "), "no such model");
        assert_eq!(told(&"語".repeat(9_000)).chars().count(), MOST_REFUSAL_CHARS);
    }

    #[test]
    fn the_reason_is_found_in_every_form_of_refusal() {
        for body in [
            r#"{"error":{"message":"no such model","code":"model_not_found"}}"#,
            r#"{"error":{"message":"no such model","code":404}}"#,
            r#"{"error":"no such model"}"#,
            r#"{"message":"no such model"}"#,
        ] {
            let refusal: Refusal = serde_json::from_str(body).unwrap();
            assert!(!refusal.is_spent());
            assert_eq!(refusal.message().as_deref(), Some("no such model"));
        }
        let spent: Refusal = serde_json::from_str(r#"{"error":{"message":"","code":"insufficient_quota"}}"#).unwrap();
        assert!(spent.is_spent());
    }
}
