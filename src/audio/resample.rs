//! Changes of rate: the streaming step from 48 kHz to the 16 kHz of everything that listens, and a whole file to
//! 48 kHz for our own caller.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

use super::AudioError;
use crate::media::MEDIA_HZ;

/// Input samples of one step: 10 ms. The filter delays the sound by half of it, 5 ms.
const STEP_IN: usize = 480;
const STEP_OUT: usize = STEP_IN / 3;

/// 48 kHz to 16 kHz, 10 ms at a time whatever the chunks are that come in.
pub struct Resampler48to16 {
    resampler: Fft<f32>,
    /// Less than one step.
    waiting: Vec<f32>,
    step: Vec<f32>,
}

impl Resampler48to16 {
    pub fn new() -> Result<Self, AudioError> {
        let resampler =
            Fft::new_custom(MEDIA_HZ as usize, 16_000, STEP_IN, 1, 1, WindowFunction::BlackmanHarris2, FixedSync::Both)
                .map_err(|error| AudioError::Resample(error.to_string()))?;
        Ok(Self { resampler, waiting: Vec::with_capacity(2 * STEP_IN), step: vec![0.0; STEP_OUT] })
    }

    /// Appends samples in -1..1 at 16 kHz; between calls up to 10 ms wait for their step.
    pub fn push(&mut self, pcm: &[i16], out: &mut Vec<f32>) {
        self.waiting.extend(pcm.iter().map(|&sample| f32::from(sample) / 32_768.0));
        let steps = self.waiting.len() / STEP_IN;
        for step in 0..steps {
            let input = &self.waiting[step * STEP_IN..(step + 1) * STEP_IN];
            let done = match (
                SequentialSlice::new(input, 1, STEP_IN),
                SequentialSlice::new_mut(&mut self.step, 1, STEP_OUT),
            ) {
                (Ok(input), Ok(mut output)) => self.resampler.process_into_buffer(&input, &mut output, None).is_ok(),
                _ => false,
            };
            // Sizes are fixed, so it always is done; if not, silence keeps the time right.
            if !done {
                self.step.fill(0.0);
            }
            out.extend_from_slice(&self.step);
        }
        self.waiting.drain(..steps * STEP_IN);
    }
}

/// A whole mono recording at 48 kHz, without the filter's delay.
pub fn to_media_rate(pcm: &[f32], rate_hz: u32) -> Result<Vec<f32>, AudioError> {
    whole(pcm, rate_hz, MEDIA_HZ)
}

/// A whole mono sound of 48 kHz at another rate, without the filter's delay.
pub fn from_media_rate(pcm: &[i16], rate_hz: u32) -> Result<Vec<i16>, AudioError> {
    let samples: Vec<f32> = pcm.iter().map(|&sample| f32::from(sample)).collect();
    Ok(whole(&samples, MEDIA_HZ, rate_hz)?.into_iter().map(|sample| sample.round() as i16).collect())
}

fn whole(pcm: &[f32], from_hz: u32, to_hz: u32) -> Result<Vec<f32>, AudioError> {
    if from_hz == to_hz || pcm.is_empty() {
        return Ok(pcm.to_vec());
    }
    let failed = |error: String| AudioError::Resample(error);
    let mut resampler = Fft::<f32>::new(from_hz as usize, to_hz as usize, 1024, 1, FixedSync::Input)
        .map_err(|error| failed(error.to_string()))?;
    let input = SequentialSlice::new(pcm, 1, pcm.len()).map_err(|error| failed(error.to_string()))?;
    let output = resampler.process_all(&input, pcm.len(), None).map_err(|error| failed(error.to_string()))?;
    Ok(output.take_data())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, count: usize) -> Vec<i16> {
        (0..count)
            .map(|n| ((n as f64 / f64::from(MEDIA_HZ) * hz * std::f64::consts::TAU).sin() * 16_384.0) as i16)
            .collect()
    }

    fn run(pcm: &[i16], chunk: usize) -> Vec<f32> {
        let mut resampler = Resampler48to16::new().unwrap();
        let mut out = Vec::new();
        for chunk in pcm.chunks(chunk) {
            resampler.push(chunk, &mut out);
        }
        out
    }

    fn rms(pcm: &[f32]) -> f32 {
        (pcm.iter().map(|s| s * s).sum::<f32>() / pcm.len() as f32).sqrt()
    }

    #[test]
    fn any_chunking_gives_the_same_output() {
        let pcm = tone(440.0, 48_000);
        let whole = run(&pcm, pcm.len());
        assert_eq!(whole.len(), 16_000);
        for chunk in [1, 7, 480, 960, 1_111] {
            assert_eq!(run(&pcm, chunk), whole, "chunks of {chunk}");
        }
    }

    #[test]
    fn speech_passes_and_what_would_alias_does_not() {
        let expected = 0.5 / 2f32.sqrt();
        for hz in [100.0, 1_000.0, 5_000.0, 6_500.0] {
            let level = rms(&run(&tone(hz, 48_000), 960)[1_000..]);
            assert!((level / expected - 1.0).abs() < 0.05, "{hz} Hz comes out at {level}");
        }
        let aliased = rms(&run(&tone(11_000.0, 48_000), 960)[1_000..]);
        assert!(aliased < 0.001, "11 kHz comes out at {aliased}");
    }

    #[test]
    fn a_file_of_another_rate_keeps_its_length_in_seconds() {
        assert!(to_media_rate(&vec![0.1; 22_050], 22_050).unwrap().len().abs_diff(48_000) <= 1);
        let half = from_media_rate(&tone(440.0, 48_000), 24_000).unwrap();
        assert!(half.len().abs_diff(24_000) <= 1);
        let loudest = half[1_000..23_000].iter().max().copied().unwrap_or_default();
        assert!(loudest.abs_diff(16_384) < 100, "{loudest}");
    }
}
