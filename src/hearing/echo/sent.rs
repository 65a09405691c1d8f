//! What was sent: the last 1.5 s of our own sound, written by the media thread, read by the ears' thread.
//!
//! It is kept as the ears hear, 16 kHz mono. Positions are 16 kHz samples since the call's first frame. The lock is
//! held while 20 ms are filtered or some thousand samples are copied: a few microseconds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::media::{HEARING_HZ, MEDIA_HZ};

/// Samples that are kept (1.5 s).
pub const KEPT: usize = HEARING_HZ as usize * 3 / 2;
const STEP: usize = (MEDIA_HZ / HEARING_HZ) as usize;
/// Taps of the low-pass before every third sample is taken: 1 ms to each side.
const TAPS: usize = 97;
/// Sound below this is silence (-60 dB of full scale): no echo of it can be taken for a voice.
const SILENCE: f32 = 0.001;
/// Pass up to here; Nyquist of the kept sound is 8 kHz.
const CUTOFF_HZ: f32 = 7_000.0;

/// A handle to the ring; clones share it.
#[derive(Clone, Debug)]
pub struct SentSound(Arc<Mutex<Ring>>);

#[derive(Debug)]
struct Ring {
    low_pass: [f32; TAPS],
    /// The last `TAPS - 1` samples at 48 kHz, then those that wait for their third.
    waiting: Vec<f32>,
    samples: VecDeque<f32>,
    /// Position after the newest sample.
    end: u64,
    /// Position after the newest sample that was not silence.
    sounded: Option<u64>,
}

impl Default for SentSound {
    fn default() -> Self {
        let mut low_pass = [0.0; TAPS];
        let middle = (TAPS / 2) as f32;
        for (n, tap) in low_pass.iter_mut().enumerate() {
            let from_middle = n as f32 - middle;
            let x = std::f32::consts::TAU * from_middle * CUTOFF_HZ / MEDIA_HZ as f32;
            let sinc = if from_middle == 0.0 { 1.0 } else { x.sin() / x };
            // Hann over the taps.
            *tap = sinc * (0.5 + 0.5 * (std::f32::consts::PI * from_middle / (middle + 1.0)).cos());
        }
        let sum: f32 = low_pass.iter().sum();
        low_pass.iter_mut().for_each(|tap| *tap /= sum);
        Self(Arc::new(Mutex::new(Ring {
            low_pass,
            waiting: vec![0.0; TAPS - 1],
            samples: VecDeque::with_capacity(KEPT),
            end: 0,
            sounded: None,
        })))
    }
}

impl SentSound {
    /// Takes what goes out, 48 kHz mono, also when it is silence.
    pub fn push(&self, pcm: &[i16]) {
        let mut ring = self.lock();
        let Ring { low_pass, waiting, samples, end, sounded } = &mut *ring;
        waiting.extend(pcm.iter().map(|&sample| f32::from(sample) / 32_768.0));
        let loudest = waiting.iter().fold(0.0, |loudest: f32, sample| loudest.max(sample.abs()));
        let mut taken = 0;
        while waiting.len() - taken >= TAPS - 1 + STEP {
            let sample = match loudest {
                0.0 => 0.0,
                _ => waiting[taken..].iter().zip(low_pass.iter()).map(|(sample, tap)| sample * tap).sum(),
            };
            if samples.len() == KEPT {
                samples.pop_front();
            }
            samples.push_back(sample);
            taken += STEP;
        }
        waiting.drain(..taken);
        *end += (taken / STEP) as u64;
        if loudest > SILENCE {
            *sounded = Some(*end);
        }
    }

    /// Position after the newest sample.
    pub fn end(&self) -> u64 {
        self.lock().end
    }

    /// Whether any of what is kept is not silence.
    pub fn is_sounding(&self) -> bool {
        let ring = self.lock();
        ring.sounded.is_some_and(|at| ring.end - at < KEPT as u64)
    }

    /// Fills `out` with the sound from `from` on; what is not kept, or not yet sent, is silence.
    pub fn copy(&self, from: i64, out: &mut [f32]) {
        let ring = self.lock();
        let first = ring.end as i64 - ring.samples.len() as i64;
        out.fill(0.0);
        let skipped = (first - from).clamp(0, out.len() as i64) as usize;
        let start = (from - first).clamp(0, ring.samples.len() as i64) as usize;
        for (to, sample) in out[skipped..].iter_mut().zip(ring.samples.range(start..)) {
            *to = *sample;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
