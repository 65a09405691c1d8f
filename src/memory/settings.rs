//! `[memory]` of the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Limits;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// A call is forgotten when it ends.
    Nothing,
    /// In memory: forgotten when the server ends.
    Memory,
    Sqlite,
    Redis,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemorySettings {
    pub store: Keep,
    /// With `sqlite`; empty: `$XDG_DATA_HOME/visavis/conversations.db`, else `~/.local/share/visavis/conversations.db`.
    pub file: PathBuf,
    /// With `redis`: environment variable that holds its address, which may hold a password.
    pub redis_url_env: String,
    /// With `redis`: beginning of all keys.
    pub redis_prefix: String,
    /// A conversation that nobody goes on with for so long is deleted; 0: never.
    pub days: u32,
    /// Of one conversation.
    pub max_items: usize,
    pub max_bytes: usize,
    /// With `memory`.
    pub max_conversations: usize,
    /// What was said is summarised when it has more tokens than this.
    pub history_tokens: usize,
    /// The host page's server decides who may use which id, so ids need no secret in them.
    pub guessable_ids: bool,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self {
            store: Keep::Sqlite,
            file: PathBuf::new(),
            redis_url_env: "VISAVIS_REDIS_URL".into(),
            redis_prefix: "visavis".into(),
            days: 30,
            max_items: 400,
            max_bytes: 200_000,
            max_conversations: 1000,
            history_tokens: 1500,
            guessable_ids: false,
        }
    }
}

impl MemorySettings {
    pub fn validate(&self) -> Result<(), String> {
        if self.max_items < 2 || self.max_bytes < 1000 || self.max_conversations == 0 {
            return Err("memory: max_items must be at least 2, max_bytes 1000, max_conversations 1".into());
        }
        if self.history_tokens < 200 {
            return Err(format!("memory.history_tokens is {}: use at least 200", self.history_tokens));
        }
        let name =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c));
        if !name(&self.redis_prefix) {
            let prefix = &self.redis_prefix;
            return Err(format!("memory.redis_prefix is \"{prefix}\": use letters, digits and _ - . :"));
        }
        Ok(())
    }

    pub fn limits(&self) -> Limits {
        Limits { items: self.max_items, bytes: self.max_bytes, age_seconds: u64::from(self.days) * 24 * 60 * 60 }
    }
}
