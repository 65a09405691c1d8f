//! Which settings can be changed while the server runs, and the settings that hold now.
//!
//! What is listed here takes effect with the next call, or at once where no call is concerned. What a part of the
//! server reads once, when it is started (sockets, threads, weights, stores), is not listed: it takes a restart.

use std::sync::{Arc, PoisonError, RwLock};

use super::Config;

/// Paths of settings; each stands for all that is below it, too.
pub const LIVE: &[&str] = &[
    "language",
    "server.max_calls",
    "server.cors_origins",
    "server.idle_timeout_seconds",
    "server.max_duration_seconds",
    "server.end_warning_seconds",
    "webrtc.bind",
    "webrtc.udp_ports",
    "webrtc.public_ips",
    "vad.threshold",
    "vad.onset_millis",
    "vad.start_millis",
    "vad.pause_millis",
    "vad.prefix_padding_millis",
    "turn.end",
    "turn.silence_millis",
    "turn.complete",
    "turn.complete_millis",
    "turn.statement_millis",
    "turn.unsure",
    "turn.unsure_millis",
    "turn.incomplete_millis",
    "turn.open_millis",
    "asr.language",
    "asr.languages",
    "asr.hints",
    "llm.provider",
    "llm.base_url",
    "llm.model",
    "llm.api_key_env",
    "llm.key_header",
    "llm.max_tokens_field",
    "llm.system_prompt",
    "llm.greeting",
    "llm.temperature",
    "llm.max_tokens",
    "llm.history_items",
    "llm.first_token_timeout_millis",
    "llm.total_timeout_millis",
    "llm.headers",
    "llm.query",
    "llm.extra_body",
    "llm.others",
    "memory.history_tokens",
    "memory.guessable_ids",
    "tts.voice",
    "tts.others",
    "tts.speed",
    "avatar.name",
    "avatar.uploads",
    LOG_FILTER,
];

/// `RUST_LOG` goes before it; then it is not live.
pub const LOG_FILTER: &str = "log.filter";

pub fn is_live(path: &str) -> bool {
    LIVE.iter().any(|live| path.strip_prefix(live).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// The settings that hold now. Whoever starts something takes them once and keeps to them.
#[derive(Debug)]
pub struct Live(RwLock<Arc<Config>>);

impl Live {
    pub fn new(config: Config) -> Self {
        Self(RwLock::new(Arc::new(config)))
    }

    pub fn now(&self) -> Arc<Config> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, config: Config) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_live_with_all_that_is_below_it() {
        assert!(is_live("llm.headers") && is_live("llm.headers.x-team") && is_live("language"));
        assert!(!is_live("llm") && !is_live("llm.headers_of") && !is_live("server.listen") && !is_live(""));
    }
}
