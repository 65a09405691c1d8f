//! Lips from the sound alone: speech whose phonemes nobody knows becomes timed phonemes that [`Lips`] follows.
//!
//! Sound, 10 ms at a time, is made log-mel bands ([`mel`]); a small causal network ([`network`]) tells every 20 ms
//! which mouth they are said with; [`strokes`] joins what it tells into phonemes with a beginning and an end. What a
//! mouth does with them stays the matter of [`Lips`], so speech with and without phoneme times looks alike.
//! It is no recogniser: it knows sixteen groups of sounds that look alike, not words.
//!
//! Speech is known before it is heard, so the network looks [`LOOK_AHEAD_MILLIS`] ahead. How it was trained, on what,
//! and its scores: models/lips.
//!
//! [`Lips`]: crate::face::Lips

pub mod classes;
#[cfg(test)]
pub mod clips;
mod mel;
mod network;
mod strokes;

pub use mel::{BANDS, Mel};
pub use network::{FIRST_TICKS, Network, STEP_TICKS, Told, Weights};

use std::sync::Arc;

use self::network::AHEAD;
use self::strokes::Strokes;
use crate::media::{MEDIA_HZ, TimedPhoneme};

/// From the middle of a sound to the sound that must be known to tell its mouth.
pub const LOOK_AHEAD_MILLIS: u32 = 20 * AHEAD as u32 + 18;

/// What can go wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum SoundLipsError {
    #[error("lips cannot follow sound of {rate_hz} samples a second; resample it to a multiple of 1000 from 8000 on")]
    Rate { rate_hz: u32 },
    #[error("the weights of the lips cannot be used: {reason}; models/lips says how they are made")]
    Weights { reason: &'static str },
}

/// Follows one stream of sound, from its beginning to its end. Any cutting of the stream gives the same phonemes.
#[derive(Clone, Debug)]
pub struct SoundLips {
    rate_hz: u32,
    network: Network,
    strokes: Strokes,
    /// Samples that came.
    samples: u64,
}

impl SoundLips {
    /// `rate_hz`: of the sound, mono.
    pub fn new(rate_hz: u32) -> Result<Self, SoundLipsError> {
        Ok(Self { rate_hz, network: Network::new(rate_hz, Weights::built_in()?)?, strokes: Strokes::new(), samples: 0 })
    }

    /// The phonemes that are certain now, in ticks of the media clock from the stream's beginning, each once, without
    /// gaps. A pause is the empty string; a sound that lasts is told in pieces, the later ones as a length mark.
    pub fn push(&mut self, pcm: &[i16]) -> Vec<TimedPhoneme> {
        self.samples += pcm.len() as u64;
        let Self { network, strokes, .. } = self;
        let mut phonemes = Vec::new();
        network.push(pcm, &mut |told| strokes.push(told, &mut phonemes));
        phonemes
    }

    /// What follows up to the last sample that came, as far as it can be known now: as if what is heard last went on.
    /// It stays untold.
    pub fn guess(&self) -> Vec<TimedPhoneme> {
        let Self { mut network, mut strokes, .. } = self.clone();
        let mut phonemes = Vec::new();
        network.hold(AHEAD + 3, &mut |told| strokes.push(told, &mut phonemes));
        strokes.finish(&mut phonemes);
        ended(phonemes, self.end())
    }

    /// The rest; the last one ends with the sound.
    pub fn finish(mut self) -> Vec<TimedPhoneme> {
        let end = self.end();
        // So many samples that the network tells of the last that came.
        let rest = self.rate_hz as usize * (LOOK_AHEAD_MILLIS as usize + 60) / 1000;
        let mut phonemes = self.push(&vec![0; rest]);
        self.strokes.finish(&mut phonemes);
        ended(phonemes, end)
    }

    /// Ticks from the stream's beginning to the last sample that came.
    fn end(&self) -> u64 {
        self.samples * u64::from(MEDIA_HZ) / u64::from(self.rate_hz)
    }

    /// The phonemes of sound that is there as a whole.
    pub fn of(pcm: &[i16], rate_hz: u32) -> Result<Vec<TimedPhoneme>, SoundLipsError> {
        let mut lips = Self::new(rate_hz)?;
        let mut phonemes = lips.push(pcm);
        phonemes.extend(lips.finish());
        Ok(phonemes)
    }
}

/// `phonemes` as far as `end`, where the last one ends.
fn ended(mut phonemes: Vec<TimedPhoneme>, end: u64) -> Vec<TimedPhoneme> {
    phonemes.retain(|phoneme| phoneme.start < end);
    if let Some(last) = phonemes.last_mut() {
        last.end = end;
    }
    phonemes
}

/// The phoneme that stands for a class.
fn phoneme(class: usize, stressed: bool, start: u64, end: u64) -> TimedPhoneme {
    let ipa: Arc<str> = classes::IPA[class].into();
    TimedPhoneme { ipa, start, end, stressed }
}

#[cfg(test)]
mod tests;
