//! The mind: one client for every OpenAI-compatible chat server, and the local one that we start ourselves.

mod client;
mod local;

pub use client::{LanguageError, LanguageModel, Piece};
pub use local::{LocalServer, LocalServerGuard};

use serde::{Deserialize, Serialize};

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// `visavis-llm`, started and watched by this server.
    Local,
    /// Any server that speaks OpenAI's chat completions.
    OpenAi,
}

/// `[llm]` of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LanguageSettings {
    pub provider: Provider,
    /// With `openai`: the URL before `/chat/completions`.
    pub base_url: String,
    /// With `openai`: the model's name there. With `local`: the name of a weight in the store.
    pub model: String,
    /// Environment variable that holds the API key; empty: no key is sent.
    pub api_key_env: String,
    pub system_prompt: String,
    /// 0 (always the likeliest word) to 2.
    pub temperature: f32,
    /// Longest answer, in tokens.
    pub max_tokens: u32,
    /// Items of the conversation that are remembered.
    pub history_items: usize,
    pub first_token_timeout_millis: u64,
    pub total_timeout_millis: u64,
    /// With `local`: threads for the model; 0 chooses by the machine.
    pub threads: usize,
    /// With `local`: the context's length in tokens.
    pub context_tokens: u32,
}

impl Default for LanguageSettings {
    fn default() -> Self {
        Self {
            provider: Provider::Local,
            base_url: "http://127.0.0.1:11434/v1".into(),
            model: "qwen-0.5b".into(),
            api_key_env: "OPENAI_API_KEY".into(),
            system_prompt: "You are a friendly assistant in a live voice conversation. Answer in one or two short \
                            spoken sentences, in the language of the question, without lists, markup or emoji."
                .into(),
            temperature: 0.3,
            max_tokens: 200,
            history_items: 24,
            first_token_timeout_millis: 15_000,
            total_timeout_millis: 60_000,
            threads: 0,
            context_tokens: 4096,
        }
    }
}

impl LanguageSettings {
    pub fn validate(&self) -> Result<(), String> {
        if !(0.0..=2.0).contains(&self.temperature) {
            return Err(format!("llm.temperature is {}: use 0 to 2", self.temperature));
        }
        if self.max_tokens == 0 || self.history_items < 2 || self.context_tokens < 512 {
            return Err("llm: max_tokens must be at least 1, history_items 2, context_tokens 512".into());
        }
        if self.first_token_timeout_millis == 0 || self.total_timeout_millis == 0 {
            return Err("llm: timeouts must be more than 0 milliseconds".into());
        }
        if self.provider == Provider::OpenAi && !self.base_url.starts_with("http") {
            return Err(format!("llm.base_url is \"{}\": give a URL such as http://127.0.0.1:11434/v1", self.base_url));
        }
        Ok(())
    }
}
