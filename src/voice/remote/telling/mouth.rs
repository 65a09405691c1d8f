//! What the mouth does in each part of a clause: the phonemes that are heard in its sound.
//!
//! A part need not wait for them: what is not certain where it ends is guessed. PURE.

use std::sync::Arc;

use crate::face::SoundLips;
use crate::media::{MEDIA_HZ, TimedPhoneme};
use crate::voice::sound::sample_out;

/// See the module's text. Times are ticks of the clause's sound.
#[derive(Debug)]
pub struct Mouth {
    /// None: it stays at rest.
    lips: Option<SoundLips>,
    /// Those that are certain and were not given away.
    known: Vec<TimedPhoneme>,
    /// Where the part that is due begins.
    given: u64,
    /// The last phoneme that is known by its own symbol: one that is told in pieces goes on as a length mark.
    last: Arc<str>,
}

impl Mouth {
    pub fn new() -> Self {
        let lips = SoundLips::new(MEDIA_HZ).inspect_err(|error| tracing::error!(%error, "the mouth stays at rest"));
        Self { lips: lips.ok(), known: Vec::new(), given: 0, last: "".into() }
    }

    /// Takes the sound that follows, in full scale 1.
    pub fn hear(&mut self, pcm: &[f32]) {
        if let Some(lips) = &mut self.lips {
            let pcm: Vec<i16> = pcm.iter().map(|&sample| sample_out(sample)).collect();
            self.known.extend(lips.push(&pcm));
        }
    }

    /// The phonemes of the part that ends at `end`, from its beginning to its end without gaps, pauses as the empty
    /// string; times count from the part's beginning.
    pub fn up_to(&mut self, end: u64) -> Vec<TimedPhoneme> {
        let mut heard = self.known.clone();
        if heard.last().is_none_or(|last| last.end < end) {
            heard.extend(self.lips.iter().flat_map(SoundLips::guess));
        }
        self.known.retain(|phoneme| phoneme.end > end);
        let mut part: Vec<TimedPhoneme> = Vec::with_capacity(heard.len() + 1);
        let start = std::mem::replace(&mut self.given, end);
        for phoneme in heard.iter().take_while(|phoneme| phoneme.start < end) {
            if !is_longer(phoneme) {
                self.last = phoneme.ipa.clone();
            }
            let (from, to) = (phoneme.start.max(start), phoneme.end.min(end));
            if from >= to {
                continue;
            }
            // Whoever hears this part first knows nothing of the one before.
            let ipa = if part.is_empty() { self.last.clone() } else { phoneme.ipa.clone() };
            part.push(TimedPhoneme { ipa, start: from - start, end: to - start, stressed: phoneme.stressed });
        }
        let told = part.last().map_or(0, |last| last.end);
        if told < end - start {
            part.push(TimedPhoneme { ipa: "".into(), start: told, end: end - start, stressed: false });
        }
        part
    }
}

fn is_longer(phoneme: &TimedPhoneme) -> bool {
    &*phoneme.ipa == "ː"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::sound::classes::{at, opening, spans};
    use crate::face::sound::clips::{CLIP_HZ, clips};

    const PART: u64 = 14_400;

    #[test]
    fn parts_follow_one_another_and_tell_what_is_heard() -> Result<(), Box<dyn std::error::Error>> {
        for clip in clips()? {
            let slow = (MEDIA_HZ / CLIP_HZ) as usize;
            let pcm = clip.pcm.iter().flat_map(|sample| std::iter::repeat_n(f32::from(*sample) / 32_768.0, slow));
            let pcm: Vec<f32> = pcm.collect();
            let whole = SoundLips::of(&pcm.iter().map(|&sample| sample_out(sample)).collect::<Vec<_>>(), MEDIA_HZ)?;
            for size in [480, 4_801, usize::MAX] {
                let (mut mouth, mut heard, mut given, mut told) = (Mouth::new(), 0, 0, Vec::new());
                for piece in pcm.chunks(size) {
                    mouth.hear(piece);
                    heard += piece.len() as u64;
                    while given + PART <= heard {
                        let part = mouth.up_to(given + PART);
                        assert_eq!(part.first().map(|first| first.start), Some(0));
                        assert_eq!(part.last().map(|last| last.end), Some(PART));
                        assert!(part.windows(2).all(|pair| pair[0].end == pair[1].start), "{part:?}");
                        assert!(part.iter().all(|phoneme| phoneme.start < phoneme.end), "{part:?}");
                        assert!(part.first().is_some_and(|first| !is_longer(first)), "{part:?}");
                        let moved = |p: TimedPhoneme| TimedPhoneme { start: p.start + given, end: p.end + given, ..p };
                        told.extend(part.into_iter().map(moved));
                        given += PART;
                    }
                }
                // What a part ends with is a guess where its sound has only just come, and then a good one.
                let (told, right) = (spans(&told), spans(&whole));
                let open = |spans: &[_], tick: u64| opening(at(spans, tick as f64).class);
                let same = (0..given).step_by(480).filter(|&tick| open(&told, tick) == open(&right, tick)).count();
                let (same, all) = (same as u64, given / 480);
                let least = if size == usize::MAX { 100 } else { 85 };
                assert!(same * 100 >= all * least, "{}, pieces of {size}: {same} of {all}", clip.name);
            }
        }
        Ok(())
    }

    #[test]
    fn without_sound_there_is_nothing_but_rest() {
        let mut mouth = Mouth::new();
        assert!(mouth.up_to(0).is_empty());
        mouth.hear(&vec![0.0; 9_600]);
        assert!(mouth.up_to(9_600).iter().all(|phoneme| phoneme.ipa.is_empty()));
        // A part that is longer than what was heard.
        mouth.hear(&[0.0; 10]);
        assert_eq!(mouth.up_to(9_600 + 480).last().map(|last| last.end), Some(480));
    }
}
