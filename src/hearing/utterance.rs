//! The sound of what is being said: kept from shortly before the first voice, cut out when speech ends.
//!
//! Not a decision maker: [`super::Listener`] says when to keep, cut and forget. Memory is bounded: in silence
//! only the last moments are kept, and an utterance that reaches [`LONGEST_MILLIS`] is cut at its quietest place
//! near the end, so that a monologue is recognized in pieces and no word is lost.

use std::collections::VecDeque;
use std::sync::Arc;

use super::gate::samples;
use crate::media::UtteranceId;

/// An utterance is cut before this length, so that after a long speech only its last part is left to recognize.
pub const LONGEST_MILLIS: u32 = 15_000;
/// Where a cut may fall: within this last part of an utterance that is too long.
const CUT_MILLIS: u32 = 6_000;
/// Stretch whose loudness decides where to cut.
const QUIET_MILLIS: u32 = 100;

/// Sound to be recognized: the samples `start..end` of the call, 16 kHz mono.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    pub id: UtteranceId,
    pub start: u64,
    pub end: u64,
    /// -1..1; `end - start` samples.
    pub pcm: Arc<[f32]>,
}

/// The last sound of a call, by position.
#[derive(Clone, Debug, Default)]
pub struct UtteranceBuffer {
    samples: VecDeque<i16>,
    /// Position of the first kept sample; nothing before it will be needed again.
    first: u64,
    next_id: u64,
}

impl UtteranceBuffer {
    /// Position after the last sample.
    pub fn end(&self) -> u64 {
        self.first + self.samples.len() as u64
    }

    /// Position of the first kept sample.
    pub fn first(&self) -> u64 {
        self.first
    }

    pub fn push(&mut self, pcm: &[i16]) {
        self.samples.extend(pcm);
    }

    /// Drops what lies before `position`.
    pub fn forget_before(&mut self, position: u64) {
        let count = position.saturating_sub(self.first).min(self.samples.len() as u64);
        self.samples.drain(..count as usize);
        self.first += count;
        if self.samples.is_empty() || self.samples.capacity() > 4 * self.samples.len().max(16_000) {
            self.samples.shrink_to(2 * self.samples.len().max(16_000));
        }
    }

    /// The kept part of `start..end`; it stays in the buffer.
    pub fn cut(&mut self, start: u64, end: u64) -> Utterance {
        let end = end.clamp(self.first, self.end());
        let start = start.clamp(self.first, end);
        let range = (start - self.first) as usize..(end - self.first) as usize;
        let pcm = self.samples.range(range).map(|&sample| f32::from(sample) / 32768.0).collect();
        self.next_id += 1;
        Utterance { id: UtteranceId(self.next_id), start, end, pcm }
    }

    /// The middle of the quietest stretch in the last seconds of `start..`, if that is too long to go on.
    pub fn overflow(&self, start: u64) -> Option<u64> {
        let end = self.end();
        if end - start.max(self.first) < samples(LONGEST_MILLIS) {
            return None;
        }
        let from = (end - samples(CUT_MILLIS) - self.first) as usize;
        let stretch = samples(QUIET_MILLIS) as usize;
        let tail: Vec<i64> = self.samples.range(from..).map(|&s| i64::from(s) * i64::from(s)).collect();
        let mut energy: i64 = tail[..stretch].iter().sum();
        let mut quietest = (energy, 0);
        for at in 1..=tail.len() - stretch {
            energy += tail[at + stretch - 1] - tail[at - 1];
            quietest = quietest.min((energy, at));
        }
        Some(self.first + (from + quietest.1 + stretch / 2) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_the_samples_between_two_positions() {
        let mut buffer = UtteranceBuffer::default();
        buffer.push(&(0..1000).collect::<Vec<i16>>());
        buffer.forget_before(100);
        let cut = buffer.cut(50, 200);
        assert_eq!((cut.start, cut.end, cut.pcm.len()), (100, 200, 100));
        assert_eq!(cut.pcm[0], 100.0 / 32768.0);
        assert_ne!(buffer.cut(100, 200).id, cut.id);
        assert_eq!(buffer.cut(900, 5000).end, 1000);
    }

    #[test]
    fn forgetting_more_than_there_is_leaves_an_empty_buffer_at_the_same_position() {
        let mut buffer = UtteranceBuffer::default();
        buffer.push(&[0; 10]);
        buffer.forget_before(1000);
        assert_eq!((buffer.first(), buffer.end()), (10, 10));
    }

    #[test]
    fn a_long_utterance_is_cut_where_it_is_quietest() {
        let mut buffer = UtteranceBuffer::default();
        let loud = |count: u32| vec![9000_i16; samples(count) as usize];
        buffer.push(&loud(10_000));
        buffer.push(&vec![10; samples(200) as usize]);
        buffer.push(&loud(4_799));
        assert_eq!(buffer.overflow(0), None);
        buffer.push(&loud(1));
        let Some(cut) = buffer.overflow(0) else { panic!("15 s went by without a cut") };
        assert!((samples(10_000)..samples(10_200)).contains(&cut), "cut at {cut}");
    }
}
