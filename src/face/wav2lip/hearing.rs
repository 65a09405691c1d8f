//! The sound of one call as the network wants it: the mel steps about each frame of the call's media time.
//!
//! Sound is told ahead of the time at which it is heard and may be taken back; what follows what was told counts as
//! silence until more is told. Steps are those of the media clock (step `n` is centred at tick `600 n`), so that the
//! same sound gives the same steps however it was told.

use std::collections::VecDeque;

use super::error::Wav2LipError;
use super::mel::{Before, HOP, MELS, MelStream, SAMPLE_HZ, SILENT, Step};
use crate::audio::Resampler48to16;
use crate::media::{MEDIA_HZ, MediaTime, VIDEO_FPS};

/// Steps about a frame: 0.2 s from the frame on.
pub const STEPS: usize = 16;
const STEPS_A_SECOND: u64 = (SAMPLE_HZ / HOP) as u64;
/// Ticks of the media clock from step to step.
const STEP_TICKS: u64 = MEDIA_HZ as u64 / STEPS_A_SECOND;
/// Half a window of the mels, in ticks.
const HALF_WINDOW: u64 = 1200;
/// Samples at 16 kHz by which the resampler delays.
const DELAY: usize = 80;
/// The same in ticks, with what its filter reaches ahead.
const REACH: u64 = 480;
/// Sound before a change that is gone through again, in ticks: filters and windows are full after half of it.
const REPEATED: u64 = 24 * STEP_TICKS;
/// Silence that is gone through behind the sound: what the last windows and the resampler need.
const TAIL: usize = (HALF_WINDOW + REACH) as usize + STEPS * STEP_TICKS as usize;
/// A longer pause is not gone through: the sound after it starts anew.
const LONGEST_PAUSE: u64 = MEDIA_HZ as u64;
/// Sound that is kept at most, in ticks (a minute); for what is told beyond, the face rests.
const MOST: usize = 60 * MEDIA_HZ as usize;
/// A step with a mel above this is sound (digital silence is -4, a quiet voice 0).
const SOUND: f32 = -3.0;
/// Steps around sound in which the mouth still is the network's, at either side: 0.3 s, so that a short pause is.
const AROUND: u64 = 24;

/// What the network hears at a frame: [`MELS`] rows of [`STEPS`].
#[derive(Clone, Debug, PartialEq)]
pub struct Window([f32; MELS * STEPS]);

impl Default for Window {
    /// Silence.
    fn default() -> Self {
        Self([SILENT[0]; MELS * STEPS])
    }
}

impl Window {
    pub fn values(&self) -> &[f32] {
        &self.0
    }
}

/// The first step of a frame's window, as Wav2Lip counts.
fn first_step(frame: u64) -> u64 {
    frame * STEPS_A_SECOND / u64::from(VIDEO_FPS)
}

/// The first frame whose window or surroundings change if the sound from `at` on does.
pub fn first_frame_changed(at: MediaTime) -> u64 {
    let step = (at.0.saturating_sub(HALF_WINDOW + REACH) / STEP_TICKS).saturating_sub(STEPS as u64 + AROUND);
    step * u64::from(VIDEO_FPS) / STEPS_A_SECOND
}

pub struct Hearing {
    stream: MelStream,
    /// The sound as told, from tick `start` on; `start` is the place of a step.
    sound: VecDeque<i16>,
    start: u64,
    /// The steps from number `first` on.
    steps: VecDeque<Step>,
    first: u64,
    resampled: Vec<f32>,
    made: Vec<Step>,
}

impl Default for Hearing {
    fn default() -> Self {
        Self {
            stream: MelStream::new(Before::Silence),
            sound: VecDeque::new(),
            start: 0,
            steps: VecDeque::new(),
            first: 0,
            resampled: Vec::new(),
            made: Vec::new(),
        }
    }
}

impl Hearing {
    /// From `at` on `pcm` is heard (48 kHz), and nothing after it; what was told of that time before is forgotten.
    pub fn tell(&mut self, at: MediaTime, pcm: &[i16]) -> Result<(), Wav2LipError> {
        let at = at.0;
        let end = self.start + self.sound.len() as u64;
        if self.sound.is_empty() || at < self.start || at > end + LONGEST_PAUSE {
            self.start = step_before(at.saturating_sub(REPEATED));
            self.sound.clear();
            self.steps.clear();
        }
        self.sound.resize((at - self.start) as usize, 0);
        let room = MOST.saturating_sub(self.sound.len());
        self.sound.extend(&pcm[..pcm.len().min(room)]);

        // Steps that end before the change stay; the others are made from a little before them.
        let stay = at.saturating_sub(HALF_WINDOW + REACH).div_ceil(STEP_TICKS);
        if self.steps.is_empty() {
            self.first = self.start / STEP_TICKS;
        }
        self.steps.truncate(stay.saturating_sub(self.first) as usize);
        let next = self.first + self.steps.len() as u64;
        let from = (next * STEP_TICKS).saturating_sub(REPEATED).max(self.start);
        self.go_through((from - self.start) as usize)?;
        let known = next.saturating_sub(from / STEP_TICKS) as usize;
        self.steps.extend(self.made.iter().skip(known));
        Ok(())
    }

    /// Makes the steps of the sound from `from` (samples) to its end, and of the silence after it.
    fn go_through(&mut self, from: usize) -> Result<(), Wav2LipError> {
        self.resampled.clear();
        self.made.clear();
        let mut resampler = Resampler48to16::new()?;
        let (a, b) = self.sound.as_slices();
        resampler.push(&a[from.min(a.len())..], &mut self.resampled);
        resampler.push(&b[from.saturating_sub(a.len()).min(b.len())..], &mut self.resampled);
        resampler.push(&[0; TAIL], &mut self.resampled);
        self.stream.restart(Before::Silence);
        self.stream.push(&self.resampled[DELAY.min(self.resampled.len())..], &mut self.made);
        Ok(())
    }

    /// What the network hears at `frame`. `false` if there is no sound about it: then the face rests.
    pub fn window(&self, frame: u64, window: &mut Window) -> bool {
        let first = first_step(frame);
        for n in 0..STEPS {
            let step = self.step(first + n as u64).unwrap_or(&SILENT);
            for (mel, value) in step.iter().enumerate() {
                window.0[mel * STEPS + n] = *value;
            }
        }
        self.sounds(frame)
    }

    /// True if there is sound about `frame`.
    pub fn sounds(&self, frame: u64) -> bool {
        let first = first_step(frame);
        (first.saturating_sub(AROUND)..first + STEPS as u64 + AROUND)
            .filter_map(|n| self.step(n))
            .any(|step| step.iter().any(|mel| *mel > SOUND))
    }

    fn step(&self, number: u64) -> Option<&Step> {
        self.steps.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Forgets what lies more than what a change can reach back before `at`.
    pub fn forget_before(&mut self, at: MediaTime) {
        let keep = step_before(at.0.saturating_sub(2 * REPEATED));
        if keep > self.start {
            let samples = ((keep - self.start) as usize).min(self.sound.len());
            if samples == self.sound.len() {
                self.sound.clear();
            } else {
                self.sound.drain(..samples);
                self.start = keep;
            }
        }
        let steps = (keep / STEP_TICKS).saturating_sub(self.first).min(self.steps.len() as u64);
        self.steps.drain(..steps as usize);
        self.first += steps;
    }
}

fn step_before(tick: u64) -> u64 {
    tick / STEP_TICKS * STEP_TICKS
}

#[cfg(test)]
#[path = "hearing_tests.rs"]
mod tests;
