//! A voice for tests: a tone of 60 ms for each letter, with phonemes to match. It needs no weights.

use std::f32::consts::TAU;

use super::{Voice, VoiceError, VoiceStyle};
use crate::media::{Clause, MEDIA_HZ, Speech, TimedPhoneme};

/// Ticks of one letter at speed 1.
const LETTER: f32 = MEDIA_HZ as f32 * 0.06;
const TONE_HZ: f32 = 220.0;

/// Speaks every language equally badly.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeVoice;

impl FakeVoice {
    pub fn new() -> Self {
        Self
    }
}

impl Voice for FakeVoice {
    fn name(&self) -> &str {
        "fake"
    }

    fn speaks(&self, _language: &str) -> bool {
        true
    }

    fn speak(&mut self, clause: &Clause, style: &VoiceStyle) -> Result<Speech, VoiceError> {
        let length = (LETTER / style.clamped_speed()) as u64;
        let mut phonemes = Vec::new();
        let mut pcm = Vec::new();
        for letter in clause.text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase) {
            let start = pcm.len() as u64;
            pcm.extend((start..start + length).map(|tick| {
                let phase = TAU * TONE_HZ * tick as f32 / MEDIA_HZ as f32;
                (phase.sin() * 8000.0) as i16
            }));
            let stressed = "aeiou".contains(letter);
            phonemes.push(TimedPhoneme { ipa: letter.to_string().into(), start, end: start + length, stressed });
        }
        Ok(Speech {
            turn: clause.turn,
            clause: clause.index,
            text: clause.text.clone(),
            pcm,
            phonemes,
            words: Vec::new(),
        })
    }
}
