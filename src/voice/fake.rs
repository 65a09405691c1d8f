//! A voice for tests: a tone of 60 ms for each letter, with phonemes and words to match. It needs no weights.

use std::f32::consts::TAU;

use super::{Listen, Voice, VoiceError, VoiceStyle, words};
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

    fn speak(&mut self, clause: &Clause, style: &VoiceStyle, listen: Listen<'_>) -> Result<(), VoiceError> {
        let length = (LETTER / style.clamped_speed()) as u64;
        let mut phonemes = Vec::new();
        let mut pcm = Vec::new();
        let ranges = words::ranges(&clause.text);
        let mut spans = vec![None; ranges.len()];
        let letters = clause.text.char_indices().filter(|(_, c)| c.is_alphanumeric());
        for (at, letter) in letters.flat_map(|(at, c)| c.to_lowercase().map(move |letter| (at, letter))) {
            let start = pcm.len() as u64;
            pcm.extend((start..start + length).map(|tick| {
                let phase = TAU * TONE_HZ * tick as f32 / MEDIA_HZ as f32;
                (phase.sin() * 8000.0) as i16
            }));
            let stressed = "aeiou".contains(letter);
            phonemes.push(TimedPhoneme { ipa: letter.to_string().into(), start, end: start + length, stressed });
            let span = spans[words::index_at(&ranges, at)].get_or_insert(start..start);
            span.end = start + length;
        }
        let words = words::timed(ranges, &spans);
        listen(Speech { turn: clause.turn, clause: clause.index, text: clause.text.clone(), pcm, phonemes, words });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_of_a_word_is_60_ms_of_its_time() -> Result<(), VoiceError> {
        let clause = Clause { turn: Default::default(), index: 0, text: "Hi, \"you\" – 你好! 🎉".to_owned() };
        let speech = crate::voice::whole(&mut FakeVoice::new(), &clause, &VoiceStyle::default())?;
        let words: Vec<_> =
            speech.words.iter().map(|w| (&speech.text[w.text.clone()], w.start / 2880, w.end / 2880)).collect();
        let expected = [("Hi,", 0, 2), ("\"you\"", 2, 5), ("–", 5, 5), ("你", 5, 6), ("好!", 6, 7), ("🎉", 7, 7)];
        assert_eq!(words, expected);
        assert_eq!(speech.words.last().map(|word| word.end), Some(speech.pcm.len() as u64));
        Ok(())
    }
}
