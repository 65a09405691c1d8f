//! Finishes a synthesizer's raw sound for a call: silence at the ends, loudness, fades, 48 kHz.
//!
//! Engine-neutral, and piece by piece: sound may come in stretches that follow one another without a seam. Loudness is
//! that of the voice (by the level of its speech, not of its pauses), the same for every clause, and no peak passes
//! [`CEILING`].

use std::ops::Range;

use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use super::VoiceError;
use crate::media::MEDIA_HZ;

/// Silence left before the first sound.
const HEAD_MILLIS: usize = 10;
/// Length of the fades: enough for no click, too short to hear.
const FADE_MILLIS: usize = 4;
/// Frames whose level decides what is silence.
const FRAME_MILLIS: usize = 5;
/// Below the loudest frame by this factor (-46 dB), a frame is silence.
const SILENCE: f32 = 0.005;
/// RMS of the speech, full scale = 1: -20 dBFS, as voice calls have it.
const LEVEL: f32 = 0.1;
/// No gain beyond this: whispers stay whispers, and noise is not blown up.
const MOST_GAIN: f32 = 4.0;
/// Highest peak: -1.5 dBFS, room for what Opus adds.
const CEILING: f32 = 0.84;
/// Above this a peak is rounded off, so that none passes [`CEILING`].
const KNEE: f32 = 0.7;
/// Seconds of speech by which a voice's level is known: what is newer counts more.
const LEVEL_SECONDS: f32 = 10.0;
/// Samples of the model's rate beside a stretch that its resampled sound depends on.
pub const REACH: usize = 700;

/// Sound of a run of the model, from its sample `first` on.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    pub pcm: &'a [f32],
    pub first: usize,
    pub rate: u32,
}

impl Stretch<'_> {
    /// Where the sound begins, with [`HEAD_MILLIS`] before it; `None`: there is only silence.
    pub fn head(&self) -> Option<usize> {
        let start = self.sounding()?.start;
        Some(start.saturating_sub(HEAD_MILLIS * self.per_milli()).max(self.first))
    }

    /// Where the sound ends.
    pub fn tail(&self) -> Option<usize> {
        self.sounding().map(|sounding| sounding.end)
    }

    fn per_milli(&self) -> usize {
        self.rate as usize / 1000
    }

    fn sounding(&self) -> Option<Range<usize>> {
        let frame = self.per_milli() * FRAME_MILLIS;
        let levels: Vec<f32> = self.pcm.chunks(frame).map(rms).collect();
        let loudest = levels.iter().copied().fold(0.0, f32::max);
        let sounds = |level: &f32| *level > loudest * SILENCE && *level > 1e-5;
        let start = levels.iter().position(sounds)? * frame;
        let end = (levels.iter().rposition(sounds)? + 1) * frame;
        Some(self.first + start..self.first + end.min(self.pcm.len()))
    }

    /// The samples `keep` of the run at [`MEDIA_HZ`], silent beyond `sounding`, to which it fades. What is asked for
    /// lies at [`tick`] of its first sample to that of its last; neighbours fit without a seam.
    fn resampled(&self, keep: &Range<usize>, sounding: &Range<usize>) -> Result<Vec<f32>, VoiceError> {
        // A multiple of this many samples is a whole number of ticks.
        let grid = self.rate as usize / gcd(self.rate as usize, MEDIA_HZ as usize);
        let start = (keep.start.saturating_sub(REACH).max(self.first)).next_multiple_of(grid);
        let start = if start > keep.start { start - grid } else { start };
        let end = keep.end + REACH;
        let mut pcm: Vec<f32> = (start..end)
            .map(|at| {
                let heard = sounding.contains(&at).then(|| at.checked_sub(self.first)).flatten();
                heard.and_then(|at| self.pcm.get(at)).copied().unwrap_or_default()
            })
            .collect();
        let fade = (self.per_milli() * FADE_MILLIS).min(sounding.len() / 2);
        for step in 0..fade {
            let ramp = (step as f32 + 0.5) / fade as f32;
            for at in [sounding.start + step, sounding.end - 1 - step] {
                if let Some(sample) = at.checked_sub(start).and_then(|at| pcm.get_mut(at)) {
                    *sample *= ramp;
                }
            }
        }
        let sound = resample(pcm, self.rate)?;
        let origin = tick(start, self.rate) as usize;
        let (from, to) = (tick(keep.start, self.rate) as usize - origin, tick(keep.end, self.rate) as usize - origin);
        Ok(sound.get(from..to.min(sound.len())).unwrap_or_default().to_vec())
    }
}

/// Tick of [`MEDIA_HZ`] at which a sample is heard, both counted from the beginning of the run.
pub fn tick(sample: usize, rate: u32) -> u64 {
    (sample as u64 * u64::from(MEDIA_HZ)).div_ceil(u64::from(rate))
}

/// Brings one voice's sound to [`LEVEL`]; what it has heard of the voice decides.
#[derive(Clone, Debug, Default)]
pub struct Loudness {
    /// Mean square of its speech, and of how many seconds.
    energy: f32,
    seconds: f32,
}

impl Loudness {
    /// The samples `keep` of the run, as they go out.
    pub fn finish(
        &mut self,
        stretch: &Stretch<'_>,
        keep: &Range<usize>,
        sounding: &Range<usize>,
    ) -> Result<Vec<i16>, VoiceError> {
        let sound = stretch.resampled(keep, sounding)?;
        self.hear(&sound);
        let gain = self.gain();
        Ok(sound.into_iter().map(|sample| sample_out(sample * gain)).collect())
    }

    /// By which its sound is to be multiplied, as far as is known.
    pub fn gain(&self) -> f32 {
        if self.energy > 0.0 { (LEVEL / self.energy.sqrt()).min(MOST_GAIN) } else { 1.0 }
    }

    /// Takes more of its sound, at [`MEDIA_HZ`].
    pub fn hear(&mut self, pcm: &[f32]) {
        let frame = MEDIA_HZ as usize / 50;
        let energies: Vec<f32> = pcm.chunks(frame).map(|frame| rms(frame).powi(2)).collect();
        let loudest = energies.iter().copied().fold(0.0, f32::max);
        // Speech is what lies within 26 dB of the loudest frame.
        for energy in energies.into_iter().filter(|energy| *energy > 0.0 && *energy > loudest * 0.0025) {
            self.seconds = (self.seconds + 0.02).min(LEVEL_SECONDS);
            self.energy += (energy - self.energy) * 0.02 / self.seconds;
        }
    }
}

/// A sample as it goes out, peaks rounded off.
pub fn sample_out(sample: f32) -> i16 {
    (limited(sample) * 32767.0).round() as i16
}

/// The sample itself up to [`KNEE`], from there on ever less of it, up to [`CEILING`].
fn limited(sample: f32) -> f32 {
    let (level, room) = (sample.abs(), CEILING - KNEE);
    if level <= KNEE { sample } else { (KNEE + room * ((level - KNEE) / room).tanh()).copysign(sample) }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn resample(pcm: Vec<f32>, rate: u32) -> Result<Vec<f32>, VoiceError> {
    if rate == MEDIA_HZ || pcm.is_empty() {
        return Ok(pcm);
    }
    let failed = |error: &dyn std::fmt::Display| VoiceError::Resample { reason: error.to_string() };
    let mut resampler =
        Fft::<f32>::new(rate as usize, MEDIA_HZ as usize, 1024, 1, FixedSync::Both).map_err(|error| failed(&error))?;
    let input = InterleavedSlice::new(&pcm, 1, pcm.len()).map_err(|error| failed(&error))?;
    let output = resampler.process_all(&input, pcm.len(), None).map_err(|error| failed(&error))?;
    Ok(output.take_data())
}

fn rms(pcm: &[f32]) -> f32 {
    (pcm.iter().map(|sample| sample * sample).sum::<f32>() / pcm.len().max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    const RATE: u32 = 22_050;

    fn tone(seconds: f32, level: f32) -> Vec<f32> {
        (0..(RATE as f32 * seconds) as usize).map(|n| level * (TAU * 300.0 * n as f32 / RATE as f32).sin()).collect()
    }

    fn padded(sound: &[f32], seconds: f32) -> Vec<f32> {
        let silence = vec![0.0; (RATE as f32 * seconds) as usize];
        [&silence, sound, &silence].concat()
    }

    fn whole(pcm: &[f32], loudness: &mut Loudness, tail: usize) -> Result<Vec<i16>, VoiceError> {
        let stretch = Stretch { pcm, first: 0, rate: RATE };
        let (Some(start), Some(end)) = (stretch.head(), stretch.tail()) else { panic!("no sound found") };
        loudness.finish(&stretch, &(start..end + tail), &(start..end))
    }

    #[test]
    fn silence_at_the_ends_is_cut_to_what_is_asked() -> Result<(), VoiceError> {
        let sound = whole(&padded(&tone(1.0, 0.3), 0.5), &mut Loudness::default(), RATE as usize / 5)?;
        let seconds = sound.len() as f32 / MEDIA_HZ as f32;
        assert!((seconds - 1.21).abs() < 0.02, "{seconds} s");
        assert!(sound[..MEDIA_HZ as usize / 200].iter().all(|s| s.abs() < 40));
        // More than the sound had.
        assert!(sound[sound.len() - 9000..].iter().all(|s| s.abs() < 40));
        Ok(())
    }

    #[test]
    fn stretches_of_a_sound_fit_without_a_seam() -> Result<(), VoiceError> {
        for rate in [16_000, RATE, 44_100, MEDIA_HZ] {
            let noise: Vec<f32> =
                (0..30_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 8) as f32 / 3e7 - 0.25).collect();
            let all = Stretch { pcm: &noise, first: 0, rate };
            let sounding = 100..29_000;
            let whole = all.resampled(&(0..30_000), &sounding)?;
            assert_eq!(whole.len() as u64, tick(30_000, rate));
            let cuts = [0_usize, 7_001, 7_777, 20_224, 30_000];
            for pair in cuts.windows(2) {
                let around = pair[0].saturating_sub(REACH)..(pair[1] + REACH).min(noise.len());
                let stretch = Stretch { pcm: &noise[around.clone()], first: around.start, rate };
                let part = stretch.resampled(&(pair[0]..pair[1]), &sounding)?;
                let same = &whole[tick(pair[0], rate) as usize..tick(pair[1], rate) as usize];
                assert_eq!(part.len(), same.len());
                let worst = part.iter().zip(same).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-3, "{worst} at {rate} Hz in {pair:?}");
            }
        }
        Ok(())
    }

    #[test]
    fn loud_and_quiet_voices_come_out_alike_and_nothing_clips() -> Result<(), VoiceError> {
        let level = |input: f32| {
            let sound = whole(&padded(&tone(1.0, input), 0.1), &mut Loudness::default(), 0)?;
            let sound: Vec<f32> = sound.iter().map(|&s| f32::from(s) / 32768.0).collect();
            assert!(sound.iter().all(|s| s.abs() <= CEILING + 0.001));
            Ok::<_, VoiceError>(rms(&sound[10_000..40_000]))
        };
        let (loud, quiet) = (level(1.3)?, level(0.05)?);
        assert!((loud - quiet).abs() < 0.005 && (loud - LEVEL).abs() < 0.01, "{loud} {quiet}");
        Ok(())
    }

    #[test]
    fn a_quiet_word_stays_quieter_and_a_shout_is_rounded_off() -> Result<(), VoiceError> {
        let mut loudness = Loudness::default();
        whole(&tone(9.0, 0.05), &mut loudness, 0)?;
        let peak = |sound: Vec<i16>| sound.into_iter().map(i16::unsigned_abs).max().unwrap_or_default();
        let quiet = peak(whole(&tone(0.5, 0.025), &mut loudness, 0)?);
        let shout = peak(whole(&tone(0.2, 0.6), &mut loudness, 0)?);
        assert!((1_800..3_000).contains(&quiet), "{quiet}");
        assert!((22_900..=(CEILING * 32_768.0) as u16).contains(&shout), "{shout}");
        Ok(())
    }

    #[test]
    fn the_ends_begin_and_end_near_zero() -> Result<(), VoiceError> {
        let sound = whole(&vec![0.5; RATE as usize], &mut Loudness::default(), 0)?;
        assert!(sound[0].abs() < 1500 && sound[sound.len() - 1].abs() < 1500);
        Ok(())
    }

    #[test]
    fn silence_has_no_sound_to_keep() {
        assert!(Stretch { pcm: &vec![0.0; 5000], first: 0, rate: RATE }.head().is_none());
        assert!(Stretch { pcm: &[], first: 0, rate: RATE }.tail().is_none());
    }
}
