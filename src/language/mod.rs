//! The mind: one client for every OpenAI-compatible chat server, and the local one that we start ourselves.
//!
//! [`LanguageModel`] asks the configured servers, the next where one fails; each is an `endpoint`, left alone for a
//! while when it fails often. [`chat`] has the nouns: what is asked and what comes back, tools included. It runs no
//! tools, keeps no conversation, and knows nothing of turns.

mod answer;
mod calls;
pub mod chat;
mod client;
mod endpoint;
mod error;
mod local;
mod retry;
mod settings;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tests;
mod transport;
mod wire;

pub use chat::{ChatMessage, Piece, Question, Tool, ToolChoice};
pub use client::LanguageModel;
pub use error::LanguageError;
pub use local::{LocalServer, LocalServerGuard};
pub use settings::{EndpointSettings, LanguageSettings, OtherEndpoint, Provider};
