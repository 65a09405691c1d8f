//! What the server may decide about its routes.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::HeaderValue;

/// Gives the seconds since 1970.
pub type UnixClock = Arc<dyn Fn() -> u64 + Send + Sync>;

#[derive(Clone)]
pub struct SignalingSettings {
    /// Pages that may call from a browser; may change while the server runs.
    pub origins: Origins,
    /// Most bytes of a request's body.
    pub body_limit_bytes: usize,
    /// Longest time that a body may take to arrive.
    pub body_timeout: Duration,
    /// Who may call; empty lets everyone.
    pub api_keys: Vec<String>,
    /// Life of a client secret whose maker names none; the protocol allows 10 to 7200.
    pub client_secret_ttl_seconds: u64,
    /// Most client secrets that live at one time.
    pub client_secret_capacity: usize,
    pub clock: UnixClock,
}

impl SignalingSettings {
    /// Open to every page and caller, with the protocol's usual limits.
    pub fn new(clock: UnixClock) -> Self {
        Self {
            origins: CorsOrigins::Any.into(),
            body_limit_bytes: 64 * 1024,
            body_timeout: Duration::from_secs(10),
            api_keys: Vec::new(),
            client_secret_ttl_seconds: 600,
            client_secret_capacity: 1024,
            clock,
        }
    }
}

/// Without the keys.
impl fmt::Debug for SignalingSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter
            .debug_struct("SignalingSettings")
            .field("origins", &self.origins)
            .field("body_limit_bytes", &self.body_limit_bytes)
            .field("body_timeout", &self.body_timeout)
            .field("api_keys", &self.api_keys.len())
            .field("client_secret_ttl_seconds", &self.client_secret_ttl_seconds)
            .field("client_secret_capacity", &self.client_secret_capacity)
            .finish_non_exhaustive()
    }
}

/// The pages that may use the server now. Clones are one and the same.
#[derive(Clone, Debug)]
pub struct Origins(Arc<RwLock<Arc<CorsOrigins>>>);

impl Origins {
    pub fn set(&self, origins: CorsOrigins) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(origins);
    }

    pub fn now(&self) -> Arc<CorsOrigins> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl From<CorsOrigins> for Origins {
    fn from(origins: CorsOrigins) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(origins))))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    Any,
    /// Each as a browser sends it: `https://example.org`, no path.
    List(Vec<HeaderValue>),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("'{0}' is not an origin; write it as a browser sends it, e.g. https://example.org, or * for any")]
    BadOrigin(String),
}

impl CorsOrigins {
    /// Whether it is any, or one of those listed.
    pub fn hold(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Any => true,
            Self::List(list) => list.contains(origin),
        }
    }

    /// No origins, or `*`, mean any.
    pub fn parse<S: AsRef<str>>(origins: &[S]) -> Result<Self, SettingsError> {
        if origins.is_empty() || origins.iter().any(|origin| origin.as_ref() == "*") {
            return Ok(Self::Any);
        }
        origins.iter().map(|origin| parse_origin(origin.as_ref())).collect::<Result<_, _>>().map(Self::List)
    }
}

fn parse_origin(text: &str) -> Result<HeaderValue, SettingsError> {
    let bad = || SettingsError::BadOrigin(text.to_owned());
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(bad)?;
    if host.is_empty() || host.contains(['/', ' ', '?', '#']) {
        return Err(bad());
    }
    HeaderValue::from_str(text).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_any_or_as_browsers_send_them() {
        assert_eq!(CorsOrigins::parse::<&str>(&[]), Ok(CorsOrigins::Any));
        assert_eq!(CorsOrigins::parse(&["https://a.example", "*"]), Ok(CorsOrigins::Any));
        let listed = CorsOrigins::parse(&["https://a.example", "http://localhost:5173"]).unwrap();
        assert!(matches!(listed, CorsOrigins::List(list) if list.len() == 2));
        for bad in ["a.example", "https://", "https://a.example/", "ftp://a.example", "https://a b"] {
            assert_eq!(CorsOrigins::parse(&[bad]), Err(SettingsError::BadOrigin(bad.to_owned())));
        }
    }
}
