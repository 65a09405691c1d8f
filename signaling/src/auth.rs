//! Who may call: API keys from the settings, or a client secret made with one.
//!
//! Without keys in the settings the server is open and every token, or none, is accepted; the session stored
//! with a client secret applies all the same.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::error::ApiError;
use crate::events::SessionPatch;
use crate::ids::CLIENT_SECRET_PREFIX;
use crate::secret_store::SecretStore;
use crate::settings::SignalingSettings;

const INVALID_KEY: &str = "invalid_api_key";

/// For requests that a browser makes: a key or a client secret. Yields the session that goes with the secret.
pub(crate) fn caller(
    headers: &HeaderMap,
    settings: &SignalingSettings,
    secrets: &SecretStore,
) -> Result<Option<SessionPatch>, ApiError> {
    let token = bearer(headers);
    let stored = token.and_then(|token| secrets.session_of(token, (settings.clock)()));
    if settings.api_keys.is_empty() || stored.is_some() || token.is_some_and(|token| is_key(token, settings)) {
        return Ok(stored);
    }
    let (code, message) = match token {
        None => (INVALID_KEY, "Send 'Authorization: Bearer' with an API key or a client secret."),
        Some(token) if token.starts_with(CLIENT_SECRET_PREFIX) => (
            "client_secret_expired",
            "This client secret is unknown or has expired; make a new one with POST /v1/realtime/client_secrets.",
        ),
        Some(_) => (INVALID_KEY, "This API key is not one of this server's."),
    };
    Err(ApiError::unauthorized(code, message))
}

/// For requests that a backend makes: a key only, so that a browser cannot renew its own secret.
pub(crate) fn backend(headers: &HeaderMap, settings: &SignalingSettings) -> Result<(), ApiError> {
    if settings.api_keys.is_empty() || bearer(headers).is_some_and(|token| is_key(token, settings)) {
        return Ok(());
    }
    Err(ApiError::unauthorized(INVALID_KEY, "Send 'Authorization: Bearer' with an API key of this server."))
}

/// The token of `Authorization: Bearer`; the scheme is case-insensitive (RFC 9110 section 11.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

fn is_key(token: &str, settings: &SignalingSettings) -> bool {
    // No early end: the time must not tell how much of a key was right.
    settings.api_keys.iter().fold(false, |found, key| found | same(token.as_bytes(), key.as_bytes()))
}

pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    let differing = left.iter().zip(right).fold(0, |bits, (left, right)| bits | (left ^ right));
    left.len() == right.len() && std::hint::black_box(differing) == 0
}
