//! What the mouth does for sound whose phonemes nobody knows: the sounds that its words are spelled with, spread over
//! the time in which there is sound, so that lips close in pauses and move with the voice. PURE.

use std::ops::Range;

use super::spelling::{Sound, sounds};
use crate::media::{MEDIA_HZ, TimedPhoneme};

/// Frames whose level decides whether there is sound: 10 ms.
const FRAME: usize = MEDIA_HZ as usize / 100;
/// A shorter silence (60 ms) is within a word, as before a t or k: lips stay as they are.
const SHORTEST_PAUSE: usize = 6;
/// What is heard where no word is.
const HUM: Sound = Sound { ipa: "ə", weight: 1.0, stressed: false };

/// A word of the part, in ticks of its sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    pub text: &'a str,
    pub ticks: Range<u64>,
}

/// Phonemes of `pcm` from its beginning to its end, pauses as the empty string. What has an RMS of less than `quiet`
/// (full scale = 1) is a pause.
pub fn phonemes(words: &[Said<'_>], pcm: &[i16], quiet: f32) -> Vec<TimedPhoneme> {
    let sounding = sounding(pcm, quiet);
    let end = pcm.len() as u64;
    let words: Vec<_> = words.iter().map(|word| (word.ticks.start, sounds(word.text))).collect();
    let words: Vec<_> = words.into_iter().filter(|(_, sounds)| !sounds.is_empty()).collect();
    let mut found = Vec::new();
    if words.is_empty() {
        lay(&[HUM], &sounding, &mut found);
    }
    for (index, (start, sounds)) in words.iter().enumerate() {
        // Sound before the first word or between two belongs to a word too: its place is not that exact.
        let start = if index == 0 { 0 } else { *start };
        let end = words.get(index + 1).map_or(end, |(next, _)| *next).max(start);
        let room: Vec<_> = sounding.iter().filter_map(|heard| common(heard, &(start..end))).collect();
        lay(sounds, &room, &mut found);
    }
    with_pauses(found, end)
}

/// Where there is sound, in ticks.
fn sounding(pcm: &[i16], quiet: f32) -> Vec<Range<u64>> {
    let mut found: Vec<Range<u64>> = Vec::new();
    for (index, frame) in pcm.chunks(FRAME).enumerate() {
        let energy = frame.iter().map(|&sample| (f32::from(sample) / 32_768.0).powi(2)).sum::<f32>();
        if (energy / frame.len() as f32).sqrt() < quiet {
            continue;
        }
        let start = (index * FRAME) as u64;
        let end = start + frame.len() as u64;
        match found.last_mut() {
            Some(last) if start - last.end < (SHORTEST_PAUSE * FRAME) as u64 => last.end = end,
            _ => found.push(start..end),
        }
    }
    found
}

fn common(a: &Range<u64>, b: &Range<u64>) -> Option<Range<u64>> {
    let both = a.start.max(b.start)..a.end.min(b.end);
    (!both.is_empty()).then_some(both)
}

/// Spreads `sounds` over `room`; one that meets a pause goes on after it.
fn lay(sounds: &[Sound], room: &[Range<u64>], found: &mut Vec<TimedPhoneme>) {
    let length: u64 = room.iter().map(|part| part.end - part.start).sum();
    let weight: f32 = sounds.iter().map(|sound| sound.weight).sum();
    let mut before = 0.0;
    for sound in sounds {
        let at = |weight_before: f32| (f64::from(weight_before / weight) * length as f64).round() as u64;
        let span = at(before)..at(before + sound.weight).min(length);
        before += sound.weight;
        let mut part_start = 0;
        for part in room {
            let part_length = part.end - part.start;
            if let Some(here) = common(&span, &(part_start..part_start + part_length)) {
                let (start, end) = (part.start + here.start - part_start, part.start + here.end - part_start);
                found.push(TimedPhoneme { ipa: sound.ipa.into(), start, end, stressed: sound.stressed });
            }
            part_start += part_length;
        }
    }
}

/// `found` with a pause wherever there is nothing up to `end`.
fn with_pauses(found: Vec<TimedPhoneme>, end: u64) -> Vec<TimedPhoneme> {
    let pause = |start, end| TimedPhoneme { ipa: "".into(), start, end, stressed: false };
    let mut all = Vec::with_capacity(2 * found.len() + 1);
    let mut at = 0;
    for phoneme in found {
        if phoneme.start > at {
            all.push(pause(at, phoneme.start));
        }
        at = phoneme.end;
        all.push(phoneme);
    }
    if at < end {
        all.push(pause(at, end));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: usize = MEDIA_HZ as usize / 1000;

    fn pcm(loud: &[(usize, bool)]) -> Vec<i16> {
        let sample = |n: usize, loud: bool| if loud { if n % 100 < 50 { 3000 } else { -3000 } } else { 0 };
        loud.iter().flat_map(|&(millis, loud)| (0..millis * MILLI).map(move |n| sample(n, loud))).collect()
    }

    fn said(text: &str, start: u64, end: u64) -> Said<'_> {
        Said { text, ticks: start * MILLI as u64..end * MILLI as u64 }
    }

    fn told(phonemes: &[TimedPhoneme]) -> Vec<(&str, u64, u64)> {
        let milli = MILLI as u64;
        phonemes.iter().map(|phoneme| (&*phoneme.ipa, phoneme.start / milli, phoneme.end / milli)).collect()
    }

    #[test]
    fn lips_close_in_pauses_and_words_fill_the_sound() {
        let pcm = pcm(&[(20, false), (200, true), (180, false), (100, true), (50, true), (80, false)]);
        let phonemes = phonemes(&[said("me,", 20, 220), said("你", 400, 550)], &pcm, 0.01);
        let expected = [
            ("", 0, 20),
            ("m", 20, 100),
            ("ɛ", 100, 220),
            ("", 220, 400),
            (sounds("你")[0].ipa, 400, 460),
            (sounds("你")[1].ipa, 460, 550),
            ("", 550, 630),
        ];
        assert_eq!(told(&phonemes), expected);
    }

    #[test]
    fn a_word_around_a_pause_goes_on_after_it() {
        let pcm = pcm(&[(100, true), (100, false), (100, true)]);
        let phonemes = phonemes(&[said("a", 0, 300)], &pcm, 0.01);
        assert_eq!(told(&phonemes), [("æ", 0, 100), ("", 100, 200), ("æ", 200, 300)]);
    }

    #[test]
    fn a_short_silence_is_no_pause_and_a_wordless_sound_is_a_hum() {
        let pcm = pcm(&[(100, true), (40, false), (100, true)]);
        assert_eq!(told(&phonemes(&[], &pcm, 0.01)), [("ə", 0, 240)]);
        assert_eq!(told(&phonemes(&[said("—", 0, 0)], &pcm, 0.01)), [("ə", 0, 240)]);
        assert_eq!(told(&phonemes(&[said("hi", 0, 9)], &[0; 480], 0.01)), [("", 0, 10)]);
        assert!(phonemes(&[], &[], 0.01).is_empty());
    }

    #[test]
    fn phonemes_follow_one_another_for_any_words() {
        let pcm = pcm(&[(33, true), (71, false), (400, true), (91, false), (5, true)]);
        // Words outside the sound, empty ones, and some at the same place.
        let words = [said("one", 0, 50), said("two", 50, 50), said("three", 50, 300), said("four", 700, 900)];
        let phonemes = phonemes(&words, &pcm, 0.01);
        assert!(phonemes.windows(2).all(|pair| pair[0].end == pair[1].start), "{phonemes:?}");
        assert!(phonemes.iter().all(|phoneme| phoneme.start < phoneme.end), "{phonemes:?}");
        assert_eq!(phonemes.last().map(|phoneme| phoneme.end), Some(pcm.len() as u64));
    }
}
