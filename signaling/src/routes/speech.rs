//! `POST /v1/audio/speech`: a text said by one of the voices, without a call.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::App;
use crate::error::{ApiError, ErrorBody, ErrorReply, clip, shape_error};
use crate::events::Voice;
use crate::host::{SPEECH_HZ, SessionHost, SpeechWanted};
use crate::{auth, body};

/// Most characters of a text, as with OpenAI.
const MOST_CHARACTERS: usize = 4096;

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct SpeechRequest {
    /// What to say, up to 4096 characters.
    #[schema(required, value_type = String)]
    input: Option<String>,
    /// One of `GET /v1/voices`; without it the server's.
    #[schema(value_type = Option<String>)]
    voice: Option<Voice>,
    /// `wav`, or `pcm`: 16 bits, little-endian, mono, 24,000 samples a second. Without it `wav`.
    response_format: Option<String>,
    /// 0.25 to 4; 1 is the voice's own pace.
    speed: Option<f64>,
    /// Taken and not used: the voice decides.
    #[expect(dead_code, reason = "OpenAI's clients send it")]
    model: Option<String>,
}

/// Say a text
///
/// Calls go first: while one is answered, this waits.
#[utoipa::path(
    post, path = "/v1/audio/speech", tag = "speech",
    request_body = SpeechRequest,
    responses((status = 200, description = "The sound", content_type = "audio/wav"),
        (status = 400, description = "Not JSON, a field out of range, or a voice that is not here", body = ErrorReply),
        (status = 401, description = "No valid token", body = ErrorReply),
        (status = 403, description = "Pages of this origin may not use this server", body = ErrorReply),
        (status = 413, description = "The body is too large", body = ErrorReply),
        (status = 415, description = "Not application/json", body = ErrorReply),
        (status = 500, description = "The voice failed; the message says why", body = ErrorReply),
        (status = 503, description = "Too many texts at once", body = ErrorReply,
            headers(("Retry-After" = u64, description = "Seconds")))),
    security((), ("bearer" = [])),
)]
pub(super) async fn create<H: SessionHost>(State(app): State<App<H>>, request: Request) -> Result<Response, ApiError> {
    let (head, request_body) = request.into_parts();
    auth::caller(&head.headers, &app.settings, &app.secrets)?;
    if body::media_type(&head.headers) != "application/json" {
        let message = "The body must be JSON with Content-Type application/json.";
        let error = ErrorBody::invalid("unsupported_media_type", message);
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
    }
    let bytes = body::read(&head.headers, request_body, &app.settings).await?;
    let (wanted, format) = read(&bytes)?;
    let pcm = app.host.speak(wanted).await?;
    Ok(match format {
        Format::Wav => ([(CONTENT_TYPE, "audio/wav")], wav(&pcm)).into_response(),
        Format::Pcm => ([(CONTENT_TYPE, "audio/pcm")], samples(&pcm)).into_response(),
    })
}

enum Format {
    Wav,
    Pcm,
}

fn read(bytes: &[u8]) -> Result<(SpeechWanted, Format), ErrorBody> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let request: SpeechRequest = serde_path_to_error::deserialize(&mut json).map_err(|error| match error.inner() {
        inner if inner.is_data() => shape_error("", error),
        inner => ErrorBody::invalid("invalid_json", format!("The body is not JSON: {inner}.")),
    })?;
    let bad = |param: &str, message: String| Err(ErrorBody::invalid("invalid_value", message).with_param(param));
    let Some(input) = request.input else {
        let error = ErrorBody::invalid("missing_required_parameter", "There is no 'input': give the text to say.");
        return Err(error.with_param("input"));
    };
    if input.trim().is_empty() {
        return bad("input", "'input' has no text: give the words that are to be said.".to_owned());
    }
    let characters = input.chars().count();
    if characters > MOST_CHARACTERS {
        let message =
            format!("'input' has {characters} characters; send at most {MOST_CHARACTERS}, and the rest after.");
        return Err(ErrorBody::invalid("string_above_max_length", message).with_param("input"));
    }
    let speed = request.speed.unwrap_or(1.0);
    if !(0.25..=4.0).contains(&speed) {
        return bad("speed", format!("'speed' is {speed}; it must be from 0.25 to 4."));
    }
    let format = match request.response_format.as_deref() {
        None | Some("wav") => Format::Wav,
        Some("pcm") => Format::Pcm,
        Some(other) => {
            let other = clip(other, 32);
            return bad("response_format", format!("'response_format' is '{other}'; use wav or pcm."));
        }
    };
    let voice = request.voice.map(|voice| voice.name().to_owned()).filter(|name| !name.is_empty());
    Ok((SpeechWanted { input, voice, speed }, format))
}

fn samples(pcm: &[i16]) -> Vec<u8> {
    pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// A WAV file of these samples.
fn wav(pcm: &[i16]) -> Vec<u8> {
    let bytes = u32::try_from(2 * pcm.len()).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(44 + 2 * pcm.len());
    file.extend(b"RIFF");
    file.extend(bytes.saturating_add(36).to_le_bytes());
    // PCM, one channel; then bytes a second, bytes a sample, bits a sample.
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(SPEECH_HZ.to_le_bytes());
    file.extend((2 * SPEECH_HZ).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(bytes.to_le_bytes());
    file.extend(samples(pcm));
    file
}
