//! A recognizer for tests that says what it was told to say. It hears nothing.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::asr::{AsrError, AsrRequest, Recognizer, Transcript};
use crate::media::HEARING_HZ;

/// Gives its texts in order, one for each request, then empty ones.
#[derive(Clone, Debug, Default)]
pub struct FakeRecognizer {
    texts: VecDeque<String>,
}

impl FakeRecognizer {
    pub fn new(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { texts: texts.into_iter().map(Into::into).collect() }
    }
}

impl Recognizer for FakeRecognizer {
    fn name(&self) -> &str {
        "fake"
    }

    fn transcribe(&mut self, request: &AsrRequest<'_>) -> Result<Transcript, AsrError> {
        if request.cancelled.load(Ordering::Relaxed) {
            return Err(AsrError::Cancelled);
        }
        let text = self.texts.pop_front().unwrap_or_default();
        Ok(Transcript {
            text,
            language: request.languages.assumed().code().to_owned(),
            seconds: request.pcm.len() as f32 / HEARING_HZ as f32,
        })
    }
}
