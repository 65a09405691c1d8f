//! Hearing: from 16 kHz sound to who spoke when, and to their words.
//!
//! [`Listener`] finds utterances (voice activity, then cutting); a [`Recognizer`] turns an utterance into text;
//! [`EndOfTurn`] says how likely the speaker has finished. All are synchronous stages: the session owns one listener,
//! model threads own the others. None of them knows about answers or ends a turn; that is the dialogue's work.

pub mod asr;
mod decoding;
pub mod echo;
pub mod end_of_turn;
pub mod fake;
pub mod gate;
pub mod hints;
pub mod languages;
pub mod listener;
mod mel;
mod phantom;
pub mod remote;
mod simplified;
pub mod utterance;
pub mod vad;
pub mod whisper;

pub use asr::{AsrError, AsrRequest, Recognizer, Transcript};
pub use echo::SentSound;
pub use end_of_turn::EndOfTurn;
pub use fake::FakeRecognizer;
pub use gate::{SpeechEvent, SpeechGate, VadSettings};
pub use hints::Hints;
pub use languages::{Language, Languages, UnknownLanguage};
pub use listener::{Heard, Listener};
pub use utterance::Utterance;
pub use vad::{SileroModel, Vad};
pub use whisper::{WhisperModel, WhisperRecognizer, WhisperSettings};
