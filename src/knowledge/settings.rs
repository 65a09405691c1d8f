//! `[knowledge]` of the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KnowledgeSettings {
    /// Folder of Markdown and text files; empty: there is no knowledge.
    pub folder: PathBuf,
    /// Most passages that an answer gets.
    pub passages: usize,
    /// Most tokens that they add to a prompt, as far as those can be estimated.
    pub budget_tokens: usize,
}

impl Default for KnowledgeSettings {
    fn default() -> Self {
        Self { folder: PathBuf::new(), passages: 3, budget_tokens: 600 }
    }
}

impl KnowledgeSettings {
    /// Most passages for which somebody would wait.
    const MOST: usize = 10;
    /// Below it a passage is cut to nothing of use.
    const LEAST_TOKENS: usize = 100;

    pub fn validate(&self) -> Result<(), String> {
        if !(1..=Self::MOST).contains(&self.passages) {
            return Err(format!("knowledge.passages is {}: use 1 to {}", self.passages, Self::MOST));
        }
        if self.budget_tokens < Self::LEAST_TOKENS {
            return Err(format!(
                "knowledge.budget_tokens is {}: use at least {}",
                self.budget_tokens,
                Self::LEAST_TOKENS
            ));
        }
        Ok(())
    }
}
