//! Where in the sent sound that is found which the microphone has just heard.
//!
//! Cross-correlation over all delays at once, of sounds whose spectra were made flat (GCC: Knapp and Carter, The
//! generalized correlation method for estimation of time delay, 1976), with less weight for what is noise. Two voices
//! are alike in pitch and vowels; flat and over a quarter of a second they are not: somebody else's speech reaches a
//! likeness of 0.2 at the best of 12 000 delays, an echo in a small room 0.5, across a large room 0.3.

use realfft::num_complex::Complex32;

use super::fft::Fft;
use super::filter::BLOCK;
use crate::media::HEARING_HZ;

/// How long after it was sent an echo may come (750 ms): 600 ms and the jitter of both ways.
pub const REACH: usize = 12_000;
/// Samples of the microphone that are looked for (256 ms).
pub const SEGMENT: usize = 4096;
/// The sent sound in which they are looked for.
pub const FIELD: usize = REACH + SEGMENT;
/// The next power of two, so that nothing wraps around.
const FFT: usize = 16_384;
const BINS: usize = FFT / 2 + 1;
/// Small loudspeakers have little below, noise and codecs spoil what is above (200 Hz to 4 kHz).
const BAND: std::ops::Range<usize> = 200 * FFT / 16_000..4_000 * FFT / 16_000;
/// Bins to each side over which a spectrum is flattened (about 25 Hz): harmonics go, the room's echoes stay.
const FLAT: usize = 24;
/// Places nearer than this to the best one belong to it (20 ms).
const NEAR: usize = 320;
/// Delays that count as the one that was expected (1.5 ms).
const SAME: usize = 24;
/// Power that counts as none.
const NOTHING: f32 = 1e-9;

#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Where in the field the segment begins.
    pub at: usize,
    /// Correlation there, 0..1.
    pub likeness: f32,
    /// The same over the greatest one elsewhere.
    pub lead: f32,
    /// Correlation where it was expected.
    pub expected: f32,
    /// How much sound it was found by, in seconds, of the microphone or of what was sent, whichever has less.
    pub seconds: f32,
}

pub struct Search {
    fft: Fft,
    mic: Vec<f32>,
    sent: Vec<f32>,
    mic_spectrum: Vec<Complex32>,
    sent_spectrum: Vec<Complex32>,
    likeness: Vec<f32>,
}

impl Search {
    pub fn new() -> Self {
        Self {
            fft: Fft::new(FFT),
            mic: vec![0.0; FFT],
            sent: vec![0.0; FFT],
            mic_spectrum: vec![Complex32::default(); BINS],
            sent_spectrum: vec![Complex32::default(); BINS],
            likeness: vec![0.0; REACH],
        }
    }

    /// Looks for the last [`SEGMENT`] samples of the microphone in the last [`FIELD`] samples sent. `noise`: mean
    /// power of the microphone's noise in a sample, as a bin of 31.25 Hz has it.
    pub fn run(
        &mut self,
        mic: impl Iterator<Item = f32>,
        fill: impl FnOnce(&mut [f32]),
        noise: impl Fn(usize) -> f32,
        expected: Option<usize>,
    ) -> Found {
        self.mic.fill(0.0);
        for (to, sample) in self.mic[..SEGMENT].iter_mut().zip(mic) {
            *to = sample;
        }
        let segment = active(self.mic[..SEGMENT].iter().copied());
        self.sent.fill(0.0);
        fill(&mut self.sent[..FIELD]);
        self.fft.forward(&mut self.mic, &mut self.mic_spectrum);
        self.fft.forward(&mut self.sent, &mut self.sent_spectrum);
        flatten(&mut self.mic_spectrum, |bin, power| {
            let noise = 2.0 * noise(bin / (FFT / 512)) * SEGMENT as f32;
            ((power - noise) / (power + NOTHING)).max(0.0)
        });
        flatten(&mut self.sent_spectrum, |_, _| 1.0);

        let mut energy = 0.0;
        for (mic, sent) in self.mic_spectrum.iter_mut().zip(&self.sent_spectrum) {
            energy += mic.norm_sqr();
            *mic = mic.conj() * sent;
        }
        // Parseval, for half a spectrum.
        let energy = 2.0 * energy / FFT as f32;
        self.fft.inverse(&mut self.mic_spectrum, &mut self.mic);
        self.fft.inverse(&mut self.sent_spectrum, &mut self.sent);
        self.compare(energy);

        let (at, likeness) = best(self.likeness.iter().copied().enumerate());
        let elsewhere = self.likeness.iter().copied().enumerate().filter(|(other, _)| other.abs_diff(at) > NEAR);
        let (_, second) = best(elsewhere);
        let around = |at: usize| at.saturating_sub(SAME).min(REACH)..(at + SAME).min(REACH);
        let expected = expected.map_or(0.0, |at| best(self.likeness[around(at)].iter().copied().enumerate()).1);
        let seconds = segment.min(active(self.sent[at..at + SEGMENT].iter().copied()));
        Found { at, likeness, lead: likeness / (second + NOTHING), expected, seconds }
    }

    /// Correlation at each place over the energies of both: of the segment, and of what was sent there.
    fn compare(&mut self, energy: f32) {
        let power = |sample: f32| f64::from(sample * sample);
        let all: f64 = self.sent[..FIELD].iter().map(|&sample| power(sample)).sum();
        // In a pause of the sent sound anything would be like it.
        let floor = 0.1 * all * SEGMENT as f64 / FIELD as f64;
        // Doubles: a running sum must come back to nothing.
        let mut here: f64 = self.sent[..SEGMENT].iter().map(|&sample| power(sample)).sum();
        for (at, likeness) in self.likeness.iter_mut().enumerate() {
            *likeness = self.mic[at].abs() / (energy * (here + floor) as f32 + NOTHING * NOTHING).sqrt();
            here += power(self.sent[at + SEGMENT]) - power(self.sent[at]);
        }
    }
}

/// For how long there is sound, in seconds: as long as sound of even loudness would have to be, to be spread so.
fn active(samples: impl Iterator<Item = f32>) -> f32 {
    let mut blocks = [0.0f32; SEGMENT / BLOCK];
    for (n, sample) in samples.enumerate() {
        blocks[n / BLOCK] += sample * sample;
    }
    let squares: f32 = blocks.iter().map(|power| power * power).sum();
    blocks.iter().sum::<f32>().powi(2) / (squares + NOTHING * NOTHING) * BLOCK as f32 / HEARING_HZ as f32
}

fn best(of: impl Iterator<Item = (usize, f32)>) -> (usize, f32) {
    of.fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best })
}

/// Divides a spectrum by its own magnitude smoothed over [`FLAT`], times a weight made of bin and power.
fn flatten(spectrum: &mut [Complex32], weight: impl Fn(usize, f32) -> f32) {
    let mut sums = Vec::with_capacity(BINS + 1);
    let mut sum = 0.0;
    sums.push(sum);
    for value in spectrum.iter() {
        sum += f64::from(value.norm_sqr());
        sums.push(sum);
    }
    for (bin, value) in spectrum.iter_mut().enumerate() {
        if BAND.contains(&bin) {
            let power = ((sums[bin + FLAT + 1] - sums[bin - FLAT]) / (2 * FLAT + 1) as f64) as f32;
            *value *= weight(bin, power) / (power + NOTHING).sqrt();
        } else {
            *value = Complex32::default();
        }
    }
}
