//! An adaptive model of the way from what we send to what the microphone hears: codecs, loudspeaker, room.
//!
//! A partitioned-block Kalman filter in the frequency domain (Kuech, Mabande, Enzner: State-space architecture of
//! the partitioned-block-based acoustic echo controller, ICASSP 2014). Beside each weight it keeps how unsure it is
//! of it. That sets its pace, so it learns within a few hundred milliseconds and keeps still while somebody talks
//! over the echo, and it says how much of what it did not explain may be its own fault. The error of a block is
//! taken before the filter learns from it, so a voice that it never heard cannot be explained away.

use realfft::num_complex::Complex32;

use super::fft::{Fft, hann};

/// Samples of one step (16 ms).
pub const BLOCK: usize = 256;
pub const FRAME: usize = 2 * BLOCK;
/// Bins of a spectrum, 31.25 Hz each.
pub const BINS: usize = FRAME / 2 + 1;
/// Partitions, one block long each: 128 ms of room.
pub const PARTS: usize = 8;
/// Half of a frame is new (R/M in the paper).
const SHARE: f32 = BLOCK as f32 / FRAME as f32;
/// How much of a weight outlasts a block: people move, clocks drift.
const KEPT: f32 = 0.996;
/// How much of the estimate of what is not echo outlasts a block.
const NEAR_KEPT: f32 = 0.8;
/// Loudness of each partition over the one before, as rooms have it, until more is known.
const DECAY: f32 = 0.6;
/// Power that counts as none: about -100 dB of full scale in a bin.
const NOTHING: f32 = 1e-9;

pub struct Filter {
    fft: Fft,
    time: Vec<f32>,
    work: Vec<Complex32>,
    /// Spectra of the sent sound, a ring; the newest is at `newest`, older ones follow.
    sent: Vec<Vec<Complex32>>,
    newest: usize,
    weights: Vec<Vec<Complex32>>,
    /// Variance of each weight's error.
    doubt: Vec<Vec<f32>>,
    /// Power of what is not echo.
    near: Vec<f32>,
    own: Vec<f32>,
    error: Vec<Complex32>,
}

impl Filter {
    pub fn new() -> Self {
        let zeros = || vec![Complex32::default(); BINS];
        Self {
            fft: Fft::new(FRAME),
            time: vec![0.0; FRAME],
            work: zeros(),
            sent: vec![zeros(); PARTS],
            newest: 0,
            weights: vec![zeros(); PARTS],
            doubt: vec![vec![0.0; BINS]; PARTS],
            near: vec![0.0; BINS],
            own: vec![0.0; BINS],
            error: zeros(),
        }
    }

    /// Starts anew, knowing only how loud the echo is in each bin: as `mic` is over `sent`, which are of one length
    /// and belong together. `noise`: power of a bin of a windowed frame that is not echo.
    pub fn begin(&mut self, mic: &[f32], sent: &[f32], noise: impl Fn(usize) -> f32) {
        let (frames, mut mic) = self.power(mic);
        let (_, sent) = self.power(sent);
        for (bin, power) in mic.iter_mut().enumerate() {
            *power = (*power - 2.0 * noise(bin) * frames as f32).max(0.0);
        }
        let from: f32 = sent.iter().sum();
        let overall = mic.iter().sum::<f32>() / (from + NOTHING);
        let parts: f32 = (0..PARTS as i32).map(|part| DECAY.powi(part)).sum();
        for bin in 0..BINS {
            let around = bin.saturating_sub(3)..(bin + 4).min(BINS);
            // Where nothing was sent, nothing is known.
            let least = 0.001 * from / BINS as f32 * around.len() as f32 + NOTHING;
            let gain = mic[around.clone()].iter().sum::<f32>() / (sent[around].iter().sum::<f32>() + least);
            let gain = gain.clamp(0.01 * overall, 10.0 * overall);
            for (part, doubt) in self.doubt.iter_mut().enumerate() {
                doubt[bin] = gain * DECAY.powi(part as i32) / parts;
            }
        }
        for spectrum in self.weights.iter_mut().chain(&mut self.sent) {
            spectrum.fill(Complex32::default());
        }
        self.near.fill(0.0);
    }

    /// Number of windowed frames in `sound`, and the sum of their power spectra.
    fn power(&mut self, sound: &[f32]) -> (usize, Vec<f32>) {
        let (window, mut power, mut frames) = (hann(FRAME), vec![0.0; BINS], 0);
        for frame in sound.windows(FRAME).step_by(BLOCK) {
            for ((to, sample), weight) in self.time.iter_mut().zip(frame).zip(&window) {
                *to = sample * weight;
            }
            self.fft.forward(&mut self.time, &mut self.work);
            for (sum, bin) in power.iter_mut().zip(&self.work) {
                *sum += bin.norm_sqr();
            }
            frames += 1;
        }
        (frames, power)
    }

    /// Takes the next block of the microphone's sound with the [`FRAME`] samples that were sent up to its end, and
    /// gives what of it is not explained by what was sent. Then learns from it.
    pub fn push(&mut self, sent: &[f32], mic: &[f32], error: &mut [f32]) {
        self.newest = (self.newest + PARTS - 1) % PARTS;
        self.time.copy_from_slice(sent);
        self.fft.forward(&mut self.time, &mut self.sent[self.newest]);

        self.work.fill(Complex32::default());
        self.own.fill(0.0);
        for part in 0..PARTS {
            let sent = &self.sent[(self.newest + part) % PARTS];
            let known = sent.iter().zip(&self.weights[part]).zip(&self.doubt[part]);
            for ((echo, own), ((sent, weight), doubt)) in self.work.iter_mut().zip(&mut self.own).zip(known) {
                *echo += weight * sent;
                *own += SHARE * doubt * sent.norm_sqr();
            }
        }
        self.fft.inverse(&mut self.work, &mut self.time);
        for ((error, mic), echo) in error.iter_mut().zip(mic).zip(&self.time[BLOCK..]) {
            *error = mic - echo;
        }
        self.learn(error);
    }

    /// Power of the last block's error that the filter expects of itself, a bin of an unwindowed block.
    pub fn own(&self) -> &[f32] {
        &self.own
    }

    fn learn(&mut self, error: &[f32]) {
        self.time[..BLOCK].fill(0.0);
        self.time[BLOCK..].copy_from_slice(error);
        self.fft.forward(&mut self.time, &mut self.error);
        for (near, error) in self.near.iter_mut().zip(&self.error) {
            *near += (1.0 - NEAR_KEPT) * (error.norm_sqr() - *near);
        }
        for part in 0..PARTS {
            let sent = &self.sent[(self.newest + part) % PARTS];
            let (weights, doubt) = (&mut self.weights[part], &mut self.doubt[part]);
            for bin in 0..BINS {
                let pace = doubt[bin] / (self.own[bin] + self.near[bin] + NOTHING);
                self.work[bin] = sent[bin].conj() * self.error[bin] * pace;
                let left = (1.0 - SHARE * pace * sent[bin].norm_sqr()).max(0.0);
                doubt[bin] = KEPT * left * doubt[bin] + (1.0 - KEPT) * weights[bin].norm_sqr();
            }
            // A partition has one block of taps; the other half of the frame is wrapped around.
            self.fft.inverse(&mut self.work, &mut self.time);
            self.time[BLOCK..].fill(0.0);
            self.fft.forward(&mut self.time, &mut self.work);
            for (weight, step) in weights.iter_mut().zip(&self.work) {
                *weight += step;
            }
        }
    }
}
