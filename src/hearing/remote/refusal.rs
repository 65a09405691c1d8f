//! What a server says instead of a transcript, read as far as is useful.

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use super::HearingProblem;
use super::limits::Watch;

/// Bytes of it that are read, and characters that are told.
const MOST_BYTES: usize = 4096;
const MOST_CHARS: usize = 200;

/// The forms in which servers say what is wrong: OpenAI's, FastAPI's, others'.
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
pub async fn refused(response: Response, watch: &Watch<'_>) -> HearingProblem {
    let (status, again_millis) = (response.status(), again_millis(response.headers()));
    problem(status, told(response, watch).await, again_millis)
}

/// The message in a response, or else its beginning; as far as it comes.
pub async fn told(mut response: Response, watch: &Watch<'_>) -> String {
    let mut body = Vec::new();
    while body.len() < MOST_BYTES
        && let Ok(Ok(Some(bytes))) = watch.wait(response.chunk()).await
    {
        body.extend(bytes.iter().take(MOST_BYTES - body.len()));
    }
    message(&body)
}

/// The message in `body`, or else its beginning: one line.
pub fn message(body: &[u8]) -> String {
    let parsed: Option<Body> = serde_json::from_slice(body).ok();
    let named = parsed.and_then(|body| match body.error {
        Some(Error::Object { message } | Error::Text(message)) => Some(message),
        None => body.message.or(body.detail.map(|detail| detail.as_str().map_or(detail.to_string(), str::to_owned))),
    });
    let text = named.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MOST_CHARS).collect()
}

fn problem(status: StatusCode, said: String, again_millis: Option<u64>) -> HearingProblem {
    let reason = if said.is_empty() { status.canonical_reason().unwrap_or("no reason given").to_owned() } else { said };
    let lower = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is_unknown =
        says(&["not found", "not exist", "unknown", "invalid", "unsupported", "not supported", "unrecogni"]);
    let is_input = matches!(status.as_u16(), 400 | 404 | 415 | 422) || status.is_server_error() && says(&["decod"]);
    match is_input {
        true if says(&["model"]) && is_unknown => HearingProblem::UnknownModel { reason },
        true if says(&["file format", "audio", "codec", "decod", "ffmpeg", "media type"]) && !says(&["too short"]) => {
            HearingProblem::UnknownSound { reason }
        }
        _ => HearingProblem::Refused { status: status.as_u16(), reason, again_millis },
    }
}

/// Seconds, whole or not (RFC 9110, section 10.2.3; a date is passed over).
fn again_millis(headers: &HeaderMap) -> Option<u64> {
    let seconds: f64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    (0.0..1e6).contains(&seconds).then_some((seconds * 1000.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_found_in_every_form_of_error() {
        for body in [
            r#"{"error":{"message":"no such model","type":"invalid_request_error"}}"#,
            r#"{"error":"no such model"}"#,
            r#"{"message":"no such model"}"#,
            r#"{"detail":"no such model"}"#,
            "no such\r\n  model\u{0}",
        ] {
            assert_eq!(message(body.as_bytes()), "no such model");
        }
        assert_eq!(message(br#"{"detail":[{"msg":"x"}]}"#), r#"[{"msg":"x"}]"#);
        assert_eq!(message(&[0xff; 9_000]).chars().count(), MOST_CHARS);
    }

    #[test]
    fn an_unknown_model_and_an_unknown_sound_are_told_from_other_refusals() {
        let problem =
            |status, reason: &str| problem(StatusCode::from_u16(status).unwrap_or_default(), reason.into(), None);
        assert!(matches!(problem(404, "Model 'x' not found"), HearingProblem::UnknownModel { .. }));
        assert!(matches!(problem(400, "The model `x` does not exist"), HearingProblem::UnknownModel { .. }));
        assert!(matches!(problem(400, "Invalid file format. Supported"), HearingProblem::UnknownSound { .. }));
        assert!(matches!(problem(415, "unsupported media type"), HearingProblem::UnknownSound { .. }));
        assert!(matches!(problem(500, "failed to decode audio"), HearingProblem::UnknownSound { .. }));
        assert!(matches!(problem(404, "Not Found"), HearingProblem::Refused { status: 404, .. }));
        assert!(matches!(problem(400, "Audio file is too short"), HearingProblem::Refused { status: 400, .. }));
        assert!(matches!(problem(500, ""), HearingProblem::Refused { status: 500, .. }));
        assert!(matches!(problem(429, "model overloaded"), HearingProblem::Refused { status: 429, .. }));
    }
}
