//! The voice: a clause of text becomes sound and timed phonemes.
//!
//! A [`Voice`] is synchronous and belongs to one model thread. It gets text as it stands in the transcript and
//! makes it speakable itself; it does not split answers into clauses and does not know when they are played.

mod align;
#[cfg(test)]
mod aligned_tests;
pub mod chinese;
pub mod fake;
mod graph;
pub mod kokoro;
mod kokoro_symbols;
pub mod language;
mod network;
mod normalize;
mod owners;
pub mod phonemes;
pub mod phonetic;
pub mod piper;
mod piper_config;
mod protobuf;
mod reader;
pub mod remote;
mod sentences;
mod sound;
mod stretches;
mod timing;
mod traced;
pub mod words;

use std::path::PathBuf;
use std::sync::Arc;

use crate::media::{Clause, Speech};
use crate::onnx::OnnxError;

pub use fake::FakeVoice;
pub use kokoro::Kokoro;
pub use phonetic::PhoneticVoice;
pub use piper::Piper;
pub use piper_config::PiperConfig;

/// How to say it.
#[derive(Clone, Debug, PartialEq)]
pub struct VoiceStyle {
    /// 1 is the voice's own pace, 2 twice as fast; taken as [`VoiceStyle::SPEEDS`] allows.
    pub speed: f32,
    /// Who speaks, for an engine of several voices; empty: its first.
    pub speaker: Arc<str>,
}

impl VoiceStyle {
    /// What voices can do and still be understood.
    pub const SPEEDS: std::ops::RangeInclusive<f32> = 0.25..=4.0;

    /// The speed within [`VoiceStyle::SPEEDS`]; 1 for what is not a number.
    pub fn clamped_speed(&self) -> f32 {
        if self.speed.is_nan() { 1.0 } else { self.speed.clamp(*Self::SPEEDS.start(), *Self::SPEEDS.end()) }
    }
}

impl Default for VoiceStyle {
    fn default() -> Self {
        Self { speed: 1.0, speaker: "".into() }
    }
}

/// What can go wrong in speaking.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    #[error("espeak-ng is not installed, and the voice needs it; `apt-get install espeak-ng` installs it")]
    EspeakMissing,
    #[error("espeak-ng failed: {reason}")]
    Espeak { reason: String },
    #[error(
        "the voice's settings file {} cannot be used: {reason}; `visavis models pull` fetches it again",
        .path.display()
    )]
    Config { path: PathBuf, reason: String },
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error("the voice {voice} cannot read the script of {text:?}; choose a voice for that language")]
    Unspeakable { voice: String, text: String },
    #[error("the voice cannot be loaded: {reason}")]
    NotLoaded { reason: String },
    #[error("the sound could not be brought to the rate of the call: {reason}")]
    Resample { reason: String },
    /// `url`: as it is configured, without what is secret or changes.
    #[error("the voice {voice} at {url} failed: {problem}")]
    Remote { voice: String, url: String, problem: remote::RemoteProblem },
}

/// An engine with its working memory.
pub trait Voice: Send {
    /// For logs and status pages.
    fn name(&self) -> &str;

    /// Says one clause, in parts that follow one another, each given to `listen` as soon as it is made.
    ///
    /// A clause with nothing to say (punctuation, emoji) gives a part without sound. A clause in a script that the
    /// voice cannot read is [`VoiceError::Unspeakable`]. Each of [`words::ranges`] has its place in one part; the times
    /// in a part count from its own beginning. After an error, what was given away stands.
    fn speak(&mut self, clause: &Clause, style: &VoiceStyle, listen: Listen<'_>) -> Result<(), VoiceError>;
}

/// Takes a part of a clause; false if no more is wanted.
pub type Listen<'a> = &'a mut dyn FnMut(Speech) -> bool;

/// A clause in one piece.
pub fn whole(voice: &mut dyn Voice, clause: &Clause, style: &VoiceStyle) -> Result<Speech, VoiceError> {
    let Clause { turn, index, text } = clause.clone();
    let mut whole = Speech { turn, clause: index, text, pcm: Vec::new(), phonemes: Vec::new(), words: Vec::new() };
    voice.speak(clause, style, &mut |part| {
        whole.extend(part);
        true
    })?;
    Ok(whole)
}

/// `en` of `en-US` or `en_US`, in lower case.
pub fn primary_language(code: &str) -> String {
    code.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

/// `en-US` of `en_US` or `en-us`.
pub fn language_tag(code: &str) -> String {
    let mut parts = code.split(['-', '_']);
    let language = parts.next().unwrap_or_default().to_ascii_lowercase();
    let rest = parts.map(|part| if part.len() == 2 { part.to_ascii_uppercase() } else { part.to_owned() });
    std::iter::once(language).chain(rest).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_named_as_browsers_name_them() {
        for (code, tag, primary) in
            [("en_US", "en-US", "en"), ("en-us", "en-US", "en"), ("zh", "zh", "zh"), ("", "", "")]
        {
            assert_eq!((language_tag(code), primary_language(code)), (tag.to_owned(), primary.to_owned()));
        }
    }
}
