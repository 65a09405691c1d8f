//! The network: log-mel bands in, every 20 ms how likely each class of sound is, [`AHEAD`] steps late.
//!
//! Two frames of bands make a step. A convolution over five steps, three residual ones over three steps each (1, 2 and
//! 4 apart), a gated recurrent unit, one layer on top of both; all causal. Plain loops: it takes some microseconds.
//! Trained by models/lips/train.py, which writes the weights in the order in which they are read here.

mod layers;
mod weights;

use std::sync::Arc;

use self::layers::{Gru, History, relu};
pub use self::weights::Weights;
use super::mel::{BANDS, Mel};
use super::{SoundLipsError, classes};

/// Steps of 20 ms that it waits before it tells.
pub const AHEAD: usize = 4;
/// Ticks of the media clock from step to step, and from the stream's beginning to the middle of the first.
pub const STEP_TICKS: u64 = 960;
pub const FIRST_TICKS: u64 = 840;
/// Bands of a step, and steps of the first convolution.
const STEP: usize = 2 * BANDS;
const TAPS: usize = 5;
/// Steps from tap to tap of the residual convolutions.
const DILATIONS: [usize; 3] = [1, 2, 4];
const OUTPUTS: usize = classes::COUNT + 1;

/// What is heard in the 20 ms around an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// Middle of the step, in ticks of the media clock from the stream's beginning.
    pub at: u64,
    /// How likely each of [`classes`] is; the sum is 1.
    pub weights: [f32; classes::COUNT],
    /// How likely it is stressed.
    pub stress: f32,
}

/// The network with its memory of one stream.
#[derive(Clone, Debug)]
pub struct Network {
    mel: Mel,
    state: State,
}

#[derive(Clone, Debug)]
struct State {
    weights: Arc<Weights>,
    /// Bands of a step of which one frame is here.
    half: Option<[f32; BANDS]>,
    /// The newest frame.
    newest: [f32; BANDS],
    steps: u64,
    first: History,
    residual: [History; 3],
    gru: Gru,
}

impl Network {
    pub fn new(rate_hz: u32, weights: Arc<Weights>) -> Result<Self, SoundLipsError> {
        let channels = weights.channels;
        let quiet = normal(super::mel::FLOOR);
        let state = State {
            half: None,
            newest: [quiet; BANDS],
            steps: 0,
            // Before the stream it is quiet.
            first: History::new(STEP, TAPS, 1, quiet),
            residual: DILATIONS.map(|dilation| History::new(channels, 3, dilation, 0.0)),
            gru: Gru::new(channels),
            weights,
        };
        Ok(Self { mel: Mel::new(rate_hz)?, state })
    }

    /// Tells of each step whose look-ahead is complete now.
    pub fn push(&mut self, pcm: &[i16], each: &mut dyn FnMut(&Told)) {
        let Self { mel, state } = self;
        mel.push(pcm, &mut |frame| {
            if let Some(told) = state.frame(frame.map(normal)) {
                each(&told);
            }
        });
    }

    /// As if what was heard last went on for so many steps.
    pub fn hold(&mut self, steps: usize, each: &mut dyn FnMut(&Told)) {
        for _ in 0..2 * steps {
            if let Some(told) = self.state.frame(self.state.newest) {
                each(&told);
            }
        }
    }
}

impl State {
    fn frame(&mut self, frame: [f32; BANDS]) -> Option<Told> {
        self.newest = frame;
        match self.half.take() {
            None => {
                self.half = Some(frame);
                None
            }
            Some(half) => self.step(&half, &frame),
        }
    }

    fn step(&mut self, half: &[f32; BANDS], frame: &[f32; BANDS]) -> Option<Told> {
        let weights = &self.weights;
        self.first.push(&[&half[..], frame].concat());
        let mut x = weights.first.of(self.first.taps());
        relu(&mut x);
        for (history, dense) in self.residual.iter_mut().zip(&weights.residual) {
            history.push(&x);
            let mut more = dense.of(history.taps());
            relu(&mut more);
            x.iter_mut().zip(&more).for_each(|(x, more)| *x += more);
        }
        let h = self.gru.step(&weights.input, &weights.recurrent, &x);
        let outputs = weights.output.of([h, &x[..]].into_iter());
        self.steps += 1;
        let step = self.steps.checked_sub(AHEAD as u64 + 1)?;
        let (logits, stress) = outputs.split_at(classes::COUNT);
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut told = [0.0; classes::COUNT];
        told.iter_mut().zip(logits).for_each(|(weight, logit)| *weight = (logit - most).exp());
        let sum: f32 = told.iter().sum();
        told.iter_mut().for_each(|weight| *weight /= sum);
        let stress = stress.first().map_or(0.0, |stress| 1.0 / (1.0 + (-stress).exp()));
        Some(Told { at: step * STEP_TICKS + FIRST_TICKS, weights: told, stress })
    }
}

/// Decibels as the network takes them.
fn normal(decibels: f32) -> f32 {
    (decibels + 60.0) / 20.0
}
