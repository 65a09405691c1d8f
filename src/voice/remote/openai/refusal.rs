//! What a server says instead of sound, read as far as is useful and as long as is allowed.

use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;

use super::super::RemoteProblem;
use super::super::limits::Watch;
use super::super::text::cleaned;

/// Bytes of it that are read, and characters that are told.
const MOST_BYTES: usize = 4096;
const MOST_CHARS: usize = 200;

/// OpenAI's own form, and that of most others.
#[derive(Deserialize)]
struct Body {
    error: Option<Error>,
    detail: Option<serde_json::Value>,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Error {
    Object { message: String },
    Text(String),
}

/// What a response that is no success means.
pub async fn refused(response: Response, watch: &Watch<'_>) -> RemoteProblem {
    let status = response.status();
    let wait = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.trim().parse::<f64>().ok());
    let again_millis = wait.filter(|wait| (0.0..1e6).contains(wait)).map(|wait| (wait * 1000.0) as u64);
    let reason = beginning(response, watch).await;
    let reason = match reason.as_str() {
        "" => status.canonical_reason().unwrap_or("no reason given").to_owned(),
        _ => reason,
    };
    problem(status.as_u16(), reason, again_millis)
}

fn problem(status: u16, reason: String, again_millis: Option<u64>) -> RemoteProblem {
    let said = reason.to_lowercase();
    let names_it = said.contains("voice") || said.contains("model");
    let is_unknown =
        ["not found", "not supported", "does not exist", "unknown", "invalid", "not available", "expected"]
            .iter()
            .any(|word| said.contains(word));
    match status {
        400 | 404 | 422 if names_it && is_unknown => RemoteProblem::UnknownVoice { reason },
        _ => RemoteProblem::Refused { status, reason, again_millis },
    }
}

/// The message in a body, or else its beginning; empty if there is none.
pub async fn beginning(mut response: Response, watch: &Watch<'_>) -> String {
    let mut body = Vec::new();
    // A body that does not come whole is told as far as it came.
    while body.len() < MOST_BYTES
        && let Ok(Ok(Some(bytes))) = watch.wait(response.chunk()).await
    {
        body.extend(bytes.iter().take(MOST_BYTES - body.len()));
    }
    message(&body)
}

fn message(body: &[u8]) -> String {
    let parsed: Option<Body> = serde_json::from_slice(body).ok();
    let named = parsed.and_then(|body| {
        let error = body.error.map(|error| match error {
            Error::Object { message } | Error::Text(message) => message,
        });
        error.or(body.message).or(body.detail.map(|detail| detail.to_string()))
    });
    let text = named.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let words: String = text.chars().map(cleaned).collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MOST_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_found_in_every_form_of_error() {
        for body in [
            r#"{"error":{"message":"no such voice","type":"invalid_request_error"}}"#,
            r#"{"error":"no such voice"}"#,
            r#"{"message":"no such voice"}"#,
            "no such\r\n  voice\u{0}",
        ] {
            assert_eq!(message(body.as_bytes()), "no such voice");
        }
        assert_eq!(message(br#"{"detail":[{"msg":"x"}]}"#), r#"[{"msg":"x"}]"#);
        assert_eq!(message(&[0xff; 9_000]).chars().count(), MOST_CHARS);
    }

    #[test]
    fn an_unknown_voice_is_told_from_other_refusals() {
        let problem = |status, reason: &str| problem(status, reason.into(), None);
        assert!(matches!(problem(404, "Voice 'bob' not found"), RemoteProblem::UnknownVoice { .. }));
        assert!(matches!(problem(400, "The model `x` does not exist"), RemoteProblem::UnknownVoice { .. }));
        assert!(matches!(problem(404, "Not Found"), RemoteProblem::Refused { status: 404, .. }));
        assert!(matches!(problem(500, "voice unknown"), RemoteProblem::Refused { status: 500, .. }));
    }
}
