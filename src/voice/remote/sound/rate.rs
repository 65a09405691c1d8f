//! From the rate that a server sends to that of the call, as it comes and without the filter's delay.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler, WindowFunction};

use super::super::RemoteProblem;
use crate::media::MEDIA_HZ;
use crate::voice::sound::tick;

/// Samples of one step at least: 20 ms at 24 kHz.
const STEP: usize = 480;

/// One answer's sound on its way to [`MEDIA_HZ`].
pub struct Rate {
    rate_hz: u32,
    /// None: it has the rate already.
    resampler: Option<Fft<f32>>,
    /// Less than one step.
    waiting: Vec<f32>,
    step: Vec<f32>,
    /// Samples that the filter still gives too early.
    delay: usize,
    taken: u64,
    given: u64,
}

impl Rate {
    pub fn new(rate_hz: u32) -> Result<Self, RemoteProblem> {
        let resampler = match rate_hz {
            MEDIA_HZ => None,
            8_000..=192_000 => {
                let (from, to, window) = (rate_hz as usize, MEDIA_HZ as usize, WindowFunction::BlackmanHarris2);
                let resampler = Fft::new_custom(from, to, STEP, 1, 1, window, FixedSync::Both);
                Some(resampler.map_err(|error| RemoteProblem::rubbish(error.to_string()))?)
            }
            _ => return Err(RemoteProblem::rubbish(format!("sound of {rate_hz} samples a second"))),
        };
        let delay = resampler.as_ref().map_or(0, Resampler::output_delay);
        let step = vec![0.0; resampler.as_ref().map_or(0, Resampler::output_frames_max)];
        Ok(Self { rate_hz, resampler, waiting: Vec::new(), step, delay, taken: 0, given: 0 })
    }

    pub fn push(&mut self, pcm: &[f32], out: &mut Vec<f32>) -> Result<(), RemoteProblem> {
        self.taken += pcm.len() as u64;
        self.waiting.extend_from_slice(pcm);
        let Some(resampler) = &mut self.resampler else {
            out.append(&mut self.waiting);
            return Ok(());
        };
        let failed = |error: &dyn std::fmt::Display| RemoteProblem::rubbish(format!("resampling: {error}"));
        let step = resampler.input_frames_next();
        let steps = self.waiting.len() / step;
        for input in self.waiting.chunks_exact(step) {
            let length = self.step.len();
            let input = SequentialSlice::new(input, 1, step).map_err(|error| failed(&error))?;
            let mut output = SequentialSlice::new_mut(&mut self.step, 1, length).map_err(|error| failed(&error))?;
            let (_, made) = resampler.process_into_buffer(&input, &mut output, None).map_err(|error| failed(&error))?;
            let early = self.delay.min(made);
            self.delay -= early;
            self.given += (made - early) as u64;
            out.extend_from_slice(&self.step[early..made]);
        }
        self.waiting.drain(..steps * step);
        Ok(())
    }

    /// Appends what the filter still holds, so that as much went out as came in.
    pub fn finish(mut self, out: &mut Vec<f32>) -> Result<(), RemoteProblem> {
        if self.resampler.is_none() {
            return Ok(());
        }
        let end = tick(self.taken as usize, self.rate_hz);
        while self.given < end {
            let missing = STEP.max(self.resampler.as_ref().map_or(STEP, Resampler::input_frames_next));
            self.push(&vec![0.0; missing], out)?;
        }
        out.truncate(out.len() - (self.given - end) as usize);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    #[test]
    fn a_tone_keeps_its_place_and_its_level_at_any_rate_and_chunking() -> Result<(), RemoteProblem> {
        for rate_hz in [8_000, 16_000, 22_050, 24_000, 44_100, MEDIA_HZ] {
            let wave = |n: usize, rate: u32| 0.5 * (TAU * 440.0 * n as f32 / rate as f32).sin();
            let pcm: Vec<f32> = (0..rate_hz as usize / 2).map(|n| wave(n, rate_hz)).collect();
            let run = |chunk: usize| {
                let (mut rate, mut out) = (Rate::new(rate_hz)?, Vec::new());
                for chunk in pcm.chunks(chunk) {
                    rate.push(chunk, &mut out)?;
                }
                rate.finish(&mut out)?;
                Ok::<_, RemoteProblem>(out)
            };
            let out = run(pcm.len())?;
            assert_eq!(out.len(), 24_000, "{rate_hz}");
            let worst = (2_000..22_000).map(|n| (out[n] - wave(n, MEDIA_HZ)).abs()).fold(0.0, f32::max);
            assert!(worst < 0.01, "{worst} at {rate_hz} Hz");
            assert!(run(1)? == out && run(777)? == out, "{rate_hz}");
        }
        Ok(())
    }

    #[test]
    fn the_shortest_sound_has_its_length() -> Result<(), RemoteProblem> {
        let (mut rate, mut out) = (Rate::new(24_000)?, Vec::new());
        rate.push(&[0.5; 7], &mut out)?;
        rate.finish(&mut out)?;
        assert_eq!(out.len(), 14);
        assert!(Rate::new(1).is_err());
        Ok(())
    }
}
