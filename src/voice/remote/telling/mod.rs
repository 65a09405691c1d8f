//! Tells a clause in parts while its sound arrives: cuts at the beginnings of words, levels, and adds words and mouth.
//!
//! Gets sound at 48 kHz whose silence at the ends is cut, and word boundaries if the server has any; if none come, the
//! places of words are estimated. A part is given away as soon as it is long enough and its words are known.

mod boundaries;
mod estimate;
mod mouth;

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::RemoteProblem;
use crate::media::{Clause, MEDIA_HZ, Speech};
use crate::voice::sound::{Loudness, sample_out};
use crate::voice::{VoiceStyle, words};
use boundaries::Boundaries;
use estimate::{Estimate, Rate};
use mouth::Mouth;

/// Takes a part; false if no more is wanted.
pub type Listen<'a> = &'a mut (dyn FnMut(Speech) -> bool + Send);

/// Sound of the first part at least, 0.4 s. Each is at least half as long again as the one before it, up to 3 s: it
/// arrives while that one plays if the server is half as fast again as its sound.
const FIRST_PART: u64 = MEDIA_HZ as u64 * 2 / 5;
const LONGEST_PART: u64 = MEDIA_HZ as u64 * 3;
/// Sound that waits for the first word boundary, 1.5 s; then there is none.
const BOUNDARY_PATIENCE: usize = MEDIA_HZ as usize * 3 / 2;
/// A change of loudness between two parts is spread over 20 ms.
const RAMP: usize = MEDIA_HZ as usize / 50;
/// Frames whose level tells a pause, 10 ms, and how far below the loudest one they are (-28 dB).
const FRAME: usize = MEDIA_HZ as usize / 100;
const PAUSE: f32 = 0.04;
/// Weight of a clause from which the voice's rate is learnt.
const LEAST_LEARNT: f64 = 12.0;

/// What all clauses of a voice have taught about it.
#[derive(Debug, Default)]
pub struct Memory {
    loudness: Loudness,
    rate: Rate,
}

/// How the words of a clause get their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// The server tells word boundaries.
    Told,
    Estimated,
}

/// See the module's text.
pub struct Telling<'a> {
    clause: &'a Clause,
    memory: &'a Mutex<Memory>,
    speed: f32,
    volume: f32,
    ranges: Vec<Range<usize>>,
    /// Words and ticks given away.
    told: usize,
    given: u64,
    pending: Vec<f32>,
    /// Less than a frame.
    frame: Vec<f32>,
    loudest: f32,
    placing: Placing,
    boundaries: Boundaries,
    estimate: Estimate,
    mouth: Mouth,
    /// Sound of the next part at least.
    part: u64,
    gain: Option<f32>,
}

impl<'a> Telling<'a> {
    /// `volume`: 1 is as loud as every voice.
    pub fn new(
        clause: &'a Clause,
        style: &VoiceStyle,
        volume: f32,
        placing: Placing,
        memory: &'a Mutex<Memory>,
    ) -> Self {
        let (text, ranges) = (&clause.text, words::ranges(&clause.text));
        let speed = style.clamped_speed();
        let rate = memory.lock().unwrap_or_else(PoisonError::into_inner).rate;
        Self {
            boundaries: Boundaries::new(text, &ranges),
            estimate: Estimate::new(text, &ranges, rate, speed),
            clause,
            memory,
            speed,
            volume,
            ranges,
            told: 0,
            given: 0,
            pending: Vec::new(),
            frame: Vec::new(),
            loudest: 0.0,
            placing,
            mouth: Mouth::new(),
            part: FIRST_PART,
            gain: None,
        }
    }

    /// The server says that `piece` of the text is said at `span`, in ticks of the clause's sound.
    pub fn boundary(&mut self, piece: &str, span: Range<u64>) -> Result<(), RemoteProblem> {
        self.boundaries.push(piece, span)
    }

    /// Takes the sound that follows.
    pub fn sound(&mut self, pcm: &[f32]) {
        self.pending.extend_from_slice(pcm);
        self.mouth.hear(pcm);
        self.frame.extend_from_slice(pcm);
        let frames = std::mem::take(&mut self.frame);
        let whole = frames.chunks_exact(FRAME);
        self.frame = whole.remainder().to_vec();
        for frame in whole {
            let level = (frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME as f32).sqrt();
            self.loudest = self.loudest.max(level);
            self.estimate.push(level <= self.loudest * PAUSE);
        }
    }

    /// Gives away what is whole; false if nobody listens any more.
    pub fn tell(&mut self, listen: Listen<'_>) -> bool {
        if self.placing == Placing::Told && self.boundaries.is_empty() && self.pending.len() > BOUNDARY_PATIENCE {
            tracing::debug!("a voice tells no word boundaries; they are estimated");
            self.placing = Placing::Estimated;
        }
        while let Some((word, start)) = self.next_cut() {
            if !self.give(word, start, listen) {
                return false;
            }
        }
        true
    }

    /// The sound is over; its last `tail` ticks are silence. Gives away all that is left.
    pub fn finish(&mut self, tail: u64, listen: Listen<'_>) {
        let end = self.given + self.pending.len() as u64;
        if self.boundaries.is_empty() {
            self.placing = Placing::Estimated;
        }
        self.boundaries.finish(end.saturating_sub(tail));
        self.estimate.finish(end);
        let (weight, ticks) = self.estimate.learnt();
        if self.placing == Placing::Estimated && weight >= LEAST_LEARNT {
            let ticks = (ticks as f64 * f64::from(self.speed)) as u64;
            self.memory.lock().unwrap_or_else(PoisonError::into_inner).rate.learn(weight, ticks);
        }
        if self.told < self.ranges.len() || self.given < end {
            self.give(self.ranges.len(), end, listen);
        }
    }

    /// Whether anything was given away.
    pub fn has_told(&self) -> bool {
        self.given > 0
    }

    /// The word at which the part that is due ends, and where that is.
    fn next_cut(&self) -> Option<(usize, u64)> {
        let (least, end) = (self.given + self.part, self.given + self.pending.len() as u64);
        let fits = |(word, start): &(usize, u64)| *word > self.told && (least..=end).contains(start);
        match self.placing {
            Placing::Told => self.boundaries.starts().find(fits),
            Placing::Estimated => self.estimate.starts().find(fits),
        }
    }

    /// Gives away the words before `word` and the sound before `end`.
    fn give(&mut self, word: usize, end: u64, listen: Listen<'_>) -> bool {
        let (start, length) = (self.given, end - self.given);
        let spans: Vec<_> = (self.told..word)
            .map(|word| {
                let span = match self.placing {
                    Placing::Told => self.boundaries.span(word),
                    Placing::Estimated => self.estimate.span(word),
                };
                let here = |tick: u64| tick.saturating_sub(start).min(length);
                span.map(|span| here(span.start)..here(span.end))
            })
            .collect();
        let words = words::timed(self.ranges[self.told..word].to_vec(), &spans);
        let pcm: Vec<f32> = self.pending.drain(..length as usize).collect();
        let pcm = self.levelled(&pcm);
        let Clause { turn, index, text } = self.clause;
        let phonemes = self.mouth.up_to(end);
        self.estimate.fix(word, end);
        (self.told, self.given) = (word, end);
        self.part = (length + length / 2).clamp(FIRST_PART, LONGEST_PART);
        listen(Speech { turn: *turn, clause: *index, text: text.clone(), pcm, phonemes, words })
    }

    fn levelled(&mut self, pcm: &[f32]) -> Vec<i16> {
        let gain = {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.loudness.hear(pcm);
            memory.loudness.gain() * self.volume
        };
        let before = self.gain.replace(gain).unwrap_or(gain);
        let at = |index: usize| before + (gain - before) * (index as f32 / RAMP as f32).min(1.0);
        pcm.iter().enumerate().map(|(index, sample)| sample_out(sample * at(index))).collect()
    }
}

/// A clause in which there is nothing to say: its words, without sound.
pub fn silent(clause: &Clause) -> Speech {
    let words = words::timed(words::ranges(&clause.text), &[]);
    let Clause { turn, index, text } = clause.clone();
    Speech { turn, clause: index, text, pcm: Vec::new(), phonemes: Vec::new(), words }
}
