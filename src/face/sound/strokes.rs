//! From how likely each class is every 20 ms to phonemes with a beginning and an end.
//!
//! The likeliest way through the classes, where every change has its price, so that a doubt of one step is no phoneme;
//! it is settled [`LAG`] steps late (Viterbi's algorithm with a fixed lag). A change lies where the old class becomes
//! less likely than the new one, between two steps.

use std::collections::VecDeque;

use super::classes::{COUNT, SILENCE, opening};
use super::network::{STEP_TICKS, Told};
use super::phoneme;
use crate::media::TimedPhoneme;

/// Steps that follow before a step is settled.
pub const LAG: usize = 2;
/// Price of a change, as the logarithm of a likelihood.
const CHANGE: f32 = 0.7;
/// A phoneme is told in pieces of this length, so that what is certain need not wait for its end: 120 ms.
const PIECE_TICKS: u64 = 6 * STEP_TICKS;
/// How much it matters that the class is right, and not only how far it opens the mouth.
const ITSELF: f32 = 0.5;
/// Less likely than this is all the same.
const LEAST: f32 = 1e-4;
/// Marks a piece that prolongs the one before it.
const LONGER: &str = "ː";

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Strokes {
    /// The best way's worth to each class.
    scores: [f32; COUNT],
    /// Steps that are not settled, with the class that each class is best reached from.
    open: VecDeque<(Told, [u8; COUNT])>,
    /// The last settled step, and its class.
    last: Option<(Told, usize)>,
    /// Where the phoneme, and its piece that is not told yet, begin.
    stroke: u64,
    piece: u64,
    /// Sum and number of the stress in the phoneme.
    stress: (f32, f32),
}

impl Strokes {
    pub fn new() -> Self {
        Self {
            scores: [0.0; COUNT],
            open: VecDeque::with_capacity(LAG + 1),
            last: None,
            stroke: 0,
            piece: 0,
            stress: (0.0, 0.0),
        }
    }

    /// Takes a step; adds the phonemes, or pieces of them, that are certain by it.
    pub fn push(&mut self, told: &Told, phonemes: &mut Vec<TimedPhoneme>) {
        let best = best(&self.scores);
        let top = self.scores[best];
        let mut from = [0_u8; COUNT];
        for (class, score) in self.scores.iter_mut().enumerate() {
            let stays = *score >= top - CHANGE;
            from[class] = if stays { class as u8 } else { best as u8 };
            // Kept relative to the best, so that it stays small however long the stream.
            *score = score.max(top - CHANGE) - top + worth(told, class);
        }
        self.open.push_back((*told, from));
        if self.open.len() > LAG {
            self.settle(phonemes);
        }
    }

    /// Nothing follows.
    pub fn finish(&mut self, phonemes: &mut Vec<TimedPhoneme>) {
        while !self.open.is_empty() {
            self.settle(phonemes);
        }
        if let Some((told, class)) = self.last {
            self.tell(class, told.at + STEP_TICKS / 2, phonemes);
        }
    }

    /// Settles the oldest open step.
    fn settle(&mut self, phonemes: &mut Vec<TimedPhoneme>) {
        let mut class = best(&self.scores);
        for (_, from) in self.open.iter().skip(1).rev() {
            class = usize::from(from[class]);
        }
        let Some((told, _)) = self.open.pop_front() else { return };
        if let Some((before, old)) = self.last
            && old != class
        {
            self.tell(old, crossing(&before, &told, old, class), phonemes);
            self.stroke = self.piece;
            self.stress = (0.0, 0.0);
        }
        self.stress = (self.stress.0 + told.stress, self.stress.1 + 1.0);
        self.last = Some((told, class));
        if told.at >= self.piece + PIECE_TICKS {
            self.tell(class, told.at, phonemes);
        }
    }

    /// Tells of `class` up to `end`.
    fn tell(&mut self, class: usize, end: u64, phonemes: &mut Vec<TimedPhoneme>) {
        if end <= self.piece {
            return;
        }
        let stressed = self.stress.0 > 0.5 * self.stress.1;
        let mut told = phoneme(class, stressed, self.piece, end);
        if self.piece > self.stroke && class != SILENCE {
            told.ipa = LONGER.into();
        }
        phonemes.push(told);
        self.piece = end;
    }
}

/// What it is worth that `class` is heard: first that the mouth opens as far as it should, then the class itself.
fn worth(told: &Told, class: usize) -> f32 {
    let own = opening(class);
    let alike = (0..COUNT).filter(|other| opening(*other) == own).map(|other| told.weights[other]).sum::<f32>();
    (1.0 - ITSELF) * alike.max(LEAST).ln() + ITSELF * told.weights[class].max(LEAST).ln()
}

fn best(scores: &[f32; COUNT]) -> usize {
    (0..COUNT).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(SILENCE)
}

/// When `new` becomes likelier than `old` between two steps.
fn crossing(before: &Told, after: &Told, old: usize, new: usize) -> u64 {
    let ahead = (before.weights[old] - before.weights[new]).max(0.0);
    let behind = (after.weights[new] - after.weights[old]).max(0.0);
    let share = if ahead + behind > 0.0 { ahead / (ahead + behind) } else { 0.5 };
    before.at + (share * STEP_TICKS as f32) as u64
}
