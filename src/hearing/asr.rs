//! Speech recognition as the session sees it: sound in, text out, whatever the engine.
//!
//! A recognizer is synchronous and belongs to one model thread. It knows nothing of turns; to give up work that
//! nobody wants any more, the caller sets `cancelled`.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::hints::Hints;
use super::languages::Languages;
use super::remote::HearingProblem;

/// Sound to recognize.
#[derive(Clone, Copy, Debug)]
pub struct AsrRequest<'a> {
    /// 16 kHz mono, -1..1, any length; beyond 30 s it is recognized in parts.
    pub pcm: &'a [f32],
    /// What may be spoken, and what was spoken before.
    pub languages: &'a Languages,
    /// Words that may occur.
    pub hints: &'a Hints,
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
    /// ISO 639-1 code of the language it was recognised in.
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
        "{recognizer} knows English alone, and the language is {language}; set `asr.model` to weights for many languages \
         such as \"whisper-base\", or `asr.language` to \"en\""
    )]
    EnglishOnly { recognizer: String, language: &'static str },
    #[error("recognition failed: {reason}")]
    Engine { reason: String },
    /// `url`: as it is configured, without what is secret.
    #[error("the recognizer {recognizer} at {url} failed: {problem}")]
    Remote { recognizer: String, url: String, problem: HearingProblem },
}

/// An engine with its working memory.
pub trait Recognizer: Send {
    /// For logs and status pages.
    fn name(&self) -> &str;

    fn transcribe(&mut self, request: &AsrRequest<'_>) -> Result<Transcript, AsrError>;
}
