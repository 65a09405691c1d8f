//! Recognisers that live on a server elsewhere: sound goes out, text comes back.
//!
//! Not a [`Recognizer`](super::Recognizer): nothing here needs a thread, many utterances may be asked for at once, and to
//! give one up is to drop its future. Who hears when one fails is decided elsewhere.
//!
//! ```text
//! utterance -> sound (WAV, Opus in Ogg) -> client (limits, retries) -> answer | stream -> phantoms and echoes -> text
//! ```

mod answer;
mod client;
mod limits;
mod problem;
mod refusal;
mod settings;
mod sound;
#[cfg(test)]
mod stand_in;
mod stream;
#[cfg(test)]
mod tests;

use async_trait::async_trait;

use super::asr::{AsrError, Transcript};
use super::hints::Hints;
use super::languages::Languages;

pub use client::OpenAiRecognizer;
pub use limits::HearingLimits;
pub use problem::HearingProblem;
pub use settings::{AnswerForm, OpenAiHearingSettings, SoundForm};

/// Sound to recognise elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct RemoteRequest<'a> {
    /// 16 kHz mono, -1..1, at most [`OpenAiRecognizer::MOST_SECONDS`] of it.
    pub pcm: &'a [f32],
    pub languages: &'a Languages,
    pub hints: &'a Hints,
}

/// Takes the text so far, where a server sends it as it is made. What comes last is in the transcript.
pub type Partly<'a> = &'a mut (dyn FnMut(&str) + Send);

/// A recogniser that lives on a server elsewhere. Dropping the future ends the request.
#[async_trait]
pub trait RemoteRecognizer: Send + Sync {
    /// For logs and status pages, e.g. `openai whisper-1`.
    fn name(&self) -> &str;

    /// Whether it is to be asked for what may be spoken.
    fn hears(&self, languages: &Languages) -> bool;

    async fn transcribe(&self, request: &RemoteRequest<'_>, partly: Partly<'_>) -> Result<Transcript, AsrError>;
}
