//! Whisper's picture of sound: the log-mel spectrogram of the last 8 s, as models on Whisper's encoder take it.
//!
//! Shorter sound stands at the end of the 8 s, with zeros before it. The sound is brought to zero mean and unit
//! variance first, so its level does not matter; then 25 ms windows every 10 ms (Hann, centred, mirrored at the
//! ends), power, Slaney's 80 mel filters, log10 down to 80 dB below the loudest, (x + 4) / 4. The steps and
//! constants are those of WhisperFeatureExtractor with `chunk_length=8` and `do_normalize=True` in Hugging Face's
//! transformers; what it computes in f64 is f32 here, which moves no value by more than 0.0001.

use std::f64::consts::TAU;
use std::sync::Arc;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2};
use realfft::num_complex::Complex32;
use realfft::{FftError, RealFftPlanner, RealToComplex};

use crate::media::HEARING_HZ;
use crate::models::slaney_filters;

/// Samples of sound in one picture: 8 s.
pub const SPAN: usize = 8 * HEARING_HZ as usize;
/// Rows of the picture, low to high.
pub const MELS: usize = 80;
/// Columns of the picture, 10 ms each, the newest last.
pub const FRAMES: usize = SPAN / HOP;

const WINDOW: usize = 400;
const HOP: usize = 160;
const BINS: usize = WINDOW / 2 + 1;
/// Added to the variance, so that silence stays silence.
const VARIANCE_FLOOR: f64 = 1e-7;
const POWER_FLOOR: f32 = 1e-10;
/// Decades of power below the loudest value at which the picture ends.
const DECADES: f32 = 8.0;

/// The tables and the working memory, made once.
pub struct LogMel {
    fft: Arc<dyn RealToComplex<f32>>,
    hann: Vec<f32>,
    /// `[MELS, BINS]`.
    filters: Array2<f32>,
    /// [`SPAN`] samples with half a window mirrored at each end.
    sound: Vec<f32>,
    windowed: Vec<f32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
    /// `[FRAMES, BINS]`.
    power: Array2<f32>,
    /// `[MELS, FRAMES]`.
    picture: Array2<f32>,
}

impl LogMel {
    pub fn new() -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(WINDOW);
        let filters = slaney_filters(f64::from(HEARING_HZ), WINDOW, MELS);
        Self {
            hann: (0..WINDOW).map(|n| (0.5 - 0.5 * (TAU * n as f64 / WINDOW as f64).cos()) as f32).collect(),
            filters: Array2::from_shape_fn((MELS, BINS), |(mel, bin)| filters[mel * BINS + bin]),
            sound: vec![0.0; SPAN + WINDOW],
            windowed: fft.make_input_vec(),
            spectrum: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: Array2::zeros((FRAMES, BINS)),
            picture: Array2::zeros((MELS, FRAMES)),
            fft,
        }
    }

    /// The picture `[MELS, FRAMES]` of the last 8 s of `pcm`, 16 kHz mono of any length.
    pub fn picture(&mut self, pcm: &[f32]) -> Result<ArrayView2<'_, f32>, FftError> {
        self.place(pcm);
        for (frame, mut power) in self.power.outer_iter_mut().enumerate() {
            let window = &self.sound[frame * HOP..frame * HOP + WINDOW];
            for ((out, sample), weight) in self.windowed.iter_mut().zip(window).zip(&self.hann) {
                *out = sample * weight;
            }
            self.fft.process_with_scratch(&mut self.windowed, &mut self.spectrum, &mut self.scratch)?;
            for (power, bin) in power.iter_mut().zip(&self.spectrum) {
                *power = bin.norm_sqr();
            }
        }
        general_mat_mul(1.0, &self.filters, &self.power.t(), 0.0, &mut self.picture);
        self.picture.mapv_inplace(|power| power.max(POWER_FLOOR).log10());
        let loudest = self.picture.fold(f32::MIN, |loudest, &value| loudest.max(value));
        self.picture.mapv_inplace(|value| (value.max(loudest - DECADES) + 4.0) / 4.0);
        Ok(self.picture.view())
    }

    /// Fills `sound` with the end of `pcm`, normalised over the whole span, zeros included.
    fn place(&mut self, pcm: &[f32]) {
        let pcm = &pcm[pcm.len().saturating_sub(SPAN)..];
        let mean = pcm.iter().copied().map(f64::from).sum::<f64>() / SPAN as f64;
        let squares: f64 = pcm.iter().map(|&sample| (f64::from(sample) - mean).powi(2)).sum();
        let variance = (squares + (SPAN - pcm.len()) as f64 * mean.powi(2)) / SPAN as f64;
        let scale = 1.0 / (variance + VARIANCE_FLOOR).sqrt();
        let normal = |sample: f32| ((f64::from(sample) - mean) * scale) as f32;

        let (first, last) = (WINDOW / 2, WINDOW / 2 + SPAN - 1);
        let start = last + 1 - pcm.len();
        self.sound[first..start].fill(normal(0.0));
        for (out, &sample) in self.sound[start..=last].iter_mut().zip(pcm) {
            *out = normal(sample);
        }
        for n in 1..=WINDOW / 2 {
            self.sound[first - n] = self.sound[first + n];
            self.sound[last + n] = self.sound[last - n];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rising tone with faint noise, so that every mel band of every frame holds something.
    fn chirp(samples: usize) -> Vec<f32> {
        let mut state = 1_u32;
        let noise = |state: &mut u32| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(*state >> 8) / f64::from(1 << 24) - 0.5
        };
        let tone = |t: f64| (TAU * (100.0 * t + 600.0 * t * t)).sin();
        (0..samples).map(|n| (0.3 * tone(n as f64 / 16_000.0) + 0.02 * noise(&mut state)) as f32).collect()
    }

    #[test]
    fn the_picture_of_a_chirp_is_that_of_whispers_own_extractor() -> Result<(), FftError> {
        // Computed with the extractor in numpy, f64, on the same 3 s of sound after 5 s of zeros.
        let expected = [
            (0, 0, -0.141_287_8),
            (10, 0, -0.215_660_7),
            (0, 499, 0.619_629_4),
            (3, 500, 1.545_828_7),
            (20, 600, 0.390_458_7),
            (33, 555, 0.346_039_1),
            (40, 650, 0.678_786_9),
            (60, 700, 0.479_555_8),
            (5, 799, 0.412_905_9),
            (79, 799, 0.440_246),
        ];
        let mut mel = LogMel::new();
        let picture = mel.picture(&chirp(48_000))?;
        for (row, column, value) in expected {
            let found = picture[[row, column]];
            assert!((found - value).abs() < 1e-4, "mel {row}, frame {column}: {found}, expected {value}");
        }
        let mean = picture.iter().copied().map(f64::from).sum::<f64>() / picture.len() as f64;
        assert!((mean - 0.053_487_72).abs() < 1e-6, "mean {mean}");
        // Weighted by place, so that exchanged rows or columns show.
        let weighted: f64 = picture.iter().enumerate().map(|(n, &value)| f64::from(value) * (n % 97) as f64).sum();
        let weighted = weighted / picture.len() as f64;
        assert!((weighted - 2.561_391_47).abs() < 1e-5, "weighted mean {weighted}");
        Ok(())
    }

    #[test]
    fn only_the_last_eight_seconds_count_whatever_was_pictured_before() -> Result<(), FftError> {
        let sound = chirp(20 * 16_000);
        let expected = LogMel::new().picture(&sound[12 * 16_000..])?.to_owned();
        let mut used = LogMel::new();
        used.picture(&sound[..1000])?;
        assert_eq!(used.picture(&sound)?, expected);
        assert_ne!(used.picture(&sound[..sound.len() - 160])?, expected);
        Ok(())
    }

    #[test]
    fn silence_of_any_length_is_flat() -> Result<(), FftError> {
        for samples in [0, 1, SPAN, SPAN + 1] {
            let mut mel = LogMel::new();
            let picture = mel.picture(&vec![0.0; samples])?;
            // log10 of the power floor, in the picture's scale.
            assert!(picture.iter().all(|&value| value == -1.5), "{samples} samples");
        }
        Ok(())
    }

    #[test]
    fn the_level_of_the_sound_does_not_matter() -> Result<(), FftError> {
        let loud = chirp(30_000);
        let quiet: Vec<f32> = loud.iter().map(|sample| sample * 0.1).collect();
        let loud = LogMel::new().picture(&loud)?.to_owned();
        let mut mel = LogMel::new();
        let quiet = mel.picture(&quiet)?;
        let moved = loud.iter().zip(quiet).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(moved < 1e-2, "{moved}");
        Ok(())
    }
}
