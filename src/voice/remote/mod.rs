//! Voices that live on a server elsewhere: text goes out, sound comes back as it is made.
//!
//! Not a [`Voice`](super::Voice): nothing here needs a thread, and many clauses may be asked for at once. What comes
//! back ends as the same [`Speech`] that a local voice gives: 48 kHz, as loud, with the same silence at the ends, each
//! word with its place, and phonemes for the mouth, heard in the sound. Who speaks when one fails is decided elsewhere.
//!
//! ```text
//! clause -> edge | openai (sockets, limits, retries) -> bytes -> sound (MP3, PCM, Opus -> 48 kHz, silence cut)
//!                                                    -> word boundaries -> telling (parts, words, mouth) -> Speech
//! ```

pub mod edge;
mod limits;
pub mod openai;
mod problem;
mod saying;
mod sound;
mod telling;
#[cfg(test)]
mod testing;
mod text;

use async_trait::async_trait;

use super::{VoiceError, VoiceStyle};
use crate::media::{Clause, Speech};

pub use edge::{EdgeSettings, EdgeVoice};
pub use limits::RemoteLimits;
pub use openai::{OpenAiVoice, OpenAiVoiceSettings, SoundFormat};
pub use problem::RemoteProblem;

/// A voice that lives on a server elsewhere. Many clauses may be asked for at once; dropping the future ends the
/// request.
#[async_trait]
pub trait RemoteVoice: Send + Sync {
    /// For logs and status pages, e.g. `edge zh-CN-XiaoxiaoNeural`.
    fn name(&self) -> &str;

    /// Whether it can speak `language` (ISO 639-1 code, region ignored).
    fn speaks(&self, language: &str) -> bool;

    /// Says one clause in parts (see [`Voice::speak`](super::Voice::speak) for what a part is), each given to `listen`
    /// as soon as it is there; false from `listen` ends it. After an error, what was given away stands.
    async fn speak(
        &self,
        clause: &Clause,
        style: &VoiceStyle,
        listen: &mut (dyn FnMut(Speech) -> bool + Send),
    ) -> Result<(), VoiceError>;
}
