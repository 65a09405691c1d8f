//! Log-mel bands of a stream of sound, 10 ms apart, the same for any rate of the sound.
//!
//! Windows of 25 ms (Hann), 40 bands of equal width in mels (O'Shaughnessy) from 60 to 7600 Hz, in decibels of a tone
//! at full scale. Bands beyond the sound's own rate are at the floor.

use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

use super::SoundLipsError;

/// Bands of a frame.
pub const BANDS: usize = 40;
/// Decibels; what is softer is not heard.
pub const FLOOR: f32 = -100.0;
const LOWEST_HZ: f32 = 60.0;
const HIGHEST_HZ: f32 = 7600.0;

/// Cuts a stream into frames.
#[derive(Clone)]
pub struct Mel {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// For each band its first bin and the weights from there on.
    bands: Vec<(usize, Vec<f32>)>,
    hop: usize,
    /// Samples that later frames need.
    kept: Vec<f32>,
    /// Working memory.
    framed: Vec<f32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Mel {
    /// `rate_hz`: a multiple of 1000, so that frames of all rates cover the same time.
    pub fn new(rate_hz: u32) -> Result<Self, SoundLipsError> {
        if !rate_hz.is_multiple_of(1000) || !(8_000..=192_000).contains(&rate_hz) {
            return Err(SoundLipsError::Rate { rate_hz });
        }
        let millis = rate_hz as usize / 1000;
        let (window, size) = (25 * millis, 32 * millis);
        let fft = RealFftPlanner::new().plan_fft_forward(size);
        let phase = |i: usize| std::f32::consts::TAU * (i as f32 + 0.5) / window as f32;
        let mut window: Vec<f32> = (0..window).map(|i| 0.5 - 0.5 * phase(i).cos()).collect();
        // A tone at full scale has a power of 1 in its bin.
        let scale = 2.0 / window.iter().sum::<f32>() / 32768.0;
        window.iter_mut().for_each(|value| *value *= scale);
        Ok(Self {
            bands: bands(rate_hz as f32 / size as f32, size / 2 + 1),
            hop: 10 * millis,
            kept: Vec::new(),
            framed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
            window,
        })
    }

    /// Each frame that is whole now; the first begins with the first sample.
    pub fn push(&mut self, pcm: &[i16], each: &mut dyn FnMut(&[f32; BANDS])) {
        self.kept.extend(pcm.iter().map(|sample| f32::from(*sample)));
        let mut at = 0;
        while let Some(sound) = self.kept.get(at..at + self.window.len()) {
            for ((to, sample), weight) in self.framed.iter_mut().zip(sound).zip(&self.window) {
                *to = sample * weight;
            }
            self.framed[self.window.len()..].fill(0.0);
            at += self.hop;
            // It fails for buffers of a wrong size only, and these are its own.
            if self.fft.process_with_scratch(&mut self.framed, &mut self.spectrum, &mut self.scratch).is_err() {
                continue;
            }
            let mut frame = [FLOOR; BANDS];
            for (level, (first, weights)) in frame.iter_mut().zip(&self.bands) {
                let bins = self.spectrum[*first..].iter().zip(weights);
                let power: f32 = bins.map(|(bin, weight)| bin.norm_sqr() * weight).sum();
                *level = (10.0 * power.max(1e-12).log10()).max(FLOOR);
            }
            each(&frame);
        }
        self.kept.drain(..at);
    }
}

impl std::fmt::Debug for Mel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mel").field("hop", &self.hop).finish_non_exhaustive()
    }
}

/// Triangles over the bins, `step_hz` apart. A band narrower than a bin takes its share of the nearest ones.
fn bands(step_hz: f32, bins: usize) -> Vec<(usize, Vec<f32>)> {
    let mel = |hz: f32| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f32| 700.0 * (10.0_f32.powf(mel / 2595.0) - 1.0);
    let (low, high) = (mel(LOWEST_HZ), mel(HIGHEST_HZ));
    let edge = |i: usize| hz(low + (high - low) * i as f32 / (BANDS + 1) as f32) / step_hz;
    let band = |i: usize| {
        let (left, centre, right) = (edge(i), edge(i + 1), edge(i + 2));
        let (left, right) = (left.min(centre - 1.0), right.max(centre + 1.0));
        let first = left.ceil() as usize;
        let own = first..(right.floor() as usize + 1).min(bins);
        let weights = own.map(|bin| {
            let bin = bin as f32;
            if bin < centre { (bin - left) / (centre - left) } else { (right - bin) / (right - centre) }
        });
        (first.min(bins - 1), weights.collect())
    };
    (0..BANDS).map(band).collect()
}
