//! Speech recognition as the session sees it: sound in, text out, whatever the engine.
//!
//! A recognizer is synchronous and belongs to one model thread. It knows nothing of turns; to give up work that
//! nobody wants any more, the caller sets `cancelled`.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Sound to recognize.
#[derive(Clone, Copy, Debug)]
pub struct AsrRequest<'a> {
    /// 16 kHz mono, -1..1, any length; beyond 30 s it is recognized in parts.
    pub pcm: &'a [f32],
    /// ISO 639-1 code, region allowed (`en`, `zh-CN`); `None` detects it.
    pub language: Option<&'a str>,
    /// Words that may occur, as text that could have come before.
    pub prompt: Option<&'a str>,
    /// Somebody waits for the text: it may take more of the machine than what is only recognized in passing.
    pub awaited: bool,
    /// Set by another thread to end the work early with [`AsrError::Cancelled`].
    pub cancelled: &'a AtomicBool,
}

/// What was said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// Trimmed; empty if nothing was said.
    pub text: String,
    /// ISO 639-1 code of the language given or detected.
    pub language: String,
    /// Length of the sound.
    pub seconds: f32,
}

/// What can go wrong in recognition.
#[derive(Debug, thiserror::Error)]
pub enum AsrError {
    #[error("the model file {} is missing; `visavis models pull` fetches it", .path.display())]
    Missing { path: PathBuf },
    #[error(
        "the model file {} cannot be used: {reason}; `visavis models verify` checks it, `visavis models pull` fetches it again",
        .path.display()
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("no memory for another recognizer: {reason}; lower the number of sessions or take a smaller model")]
    State { reason: String },
    #[error("recognition was cancelled")]
    Cancelled,
    #[error(
        "the recognizer does not know the language {language:?}; give a code such as \"en\" or leave it to be detected"
    )]
    UnknownLanguage { language: String },
    #[error("recognition failed: {reason}")]
    Engine { reason: String },
}

/// An engine with its working memory.
pub trait Recognizer: Send {
    /// For logs and status pages.
    fn name(&self) -> &str;

    fn transcribe(&mut self, request: &AsrRequest<'_>) -> Result<Transcript, AsrError>;
}
