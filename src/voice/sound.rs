//! Finishes a synthesizer's raw sound for a call: silence at the ends, loudness, fades, 48 kHz.
//!
//! Engine-neutral. Loudness is the same for every clause (by the level of its speech, not of its pauses), and no
//! peak passes [`CEILING`].

use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};

use super::VoiceError;
use crate::media::MEDIA_HZ;

/// Silence left before the first sound.
const HEAD_MILLIS: usize = 40;
/// Length of the fades: enough for no click, too short to hear.
const FADE_MILLIS: usize = 4;
/// Frames whose level decides what is silence.
const FRAME_MILLIS: usize = 5;
/// Below the loudest frame by this factor (-46 dB), a frame is silence.
const SILENCE: f32 = 0.005;
/// RMS of the speech in a clause, full scale = 1: -20 dBFS, as voice calls have it.
const LEVEL: f32 = 0.1;
/// No gain beyond this: whispers stay whispers, and noise is not blown up.
const MOST_GAIN: f32 = 4.0;
/// Highest peak: -1.5 dBFS, room for what Opus adds.
const CEILING: f32 = 0.84;

/// A clause's sound at one rate, before it is finished.
#[derive(Clone, Copy, Debug)]
pub struct Trim {
    /// First sample to keep.
    pub start: usize,
    /// Sample after the last one to keep; may lie beyond the sound, which then gets silence.
    pub end: usize,
}

/// Where the sound lies: [`HEAD_MILLIS`] before it and `tail_millis` after it. `None`: there is only silence.
pub fn trim(pcm: &[f32], rate: u32, tail_millis: usize) -> Option<Trim> {
    let per_milli = rate as usize / 1000;
    let frame = per_milli * FRAME_MILLIS;
    let levels: Vec<f32> = pcm.chunks(frame).map(rms).collect();
    let loudest = levels.iter().copied().fold(0.0, f32::max);
    let sounds = |level: &f32| *level > loudest * SILENCE && *level > 1e-5;
    let first = levels.iter().position(sounds)? * frame;
    let last = (levels.iter().rposition(sounds)? + 1) * frame;
    Some(Trim {
        start: first.saturating_sub(HEAD_MILLIS * per_milli),
        end: last.min(pcm.len()) + tail_millis * per_milli,
    })
}

/// The trimmed sound with even loudness and faded ends, as 16-bit samples at [`MEDIA_HZ`].
pub fn finish(pcm: &[f32], rate: u32, trim: Trim) -> Result<Vec<i16>, VoiceError> {
    let mut sound = pcm.get(trim.start..trim.end.min(pcm.len())).unwrap_or_default().to_vec();
    fade(&mut sound, rate);
    sound.resize(trim.end.saturating_sub(trim.start), 0.0);
    let mut sound = resample(sound, rate)?;
    let gain = gain(&sound);
    for sample in &mut sound {
        *sample *= gain;
    }
    Ok(sound.into_iter().map(|sample| (sample * 32767.0).round() as i16).collect())
}

/// Brings the speech to [`LEVEL`] as far as its peak allows.
fn gain(pcm: &[f32]) -> f32 {
    let frame = MEDIA_HZ as usize / 50;
    let levels: Vec<f32> = pcm.chunks(frame).map(rms).collect();
    let loudest = levels.iter().copied().fold(0.0, f32::max);
    // Speech is what lies within 26 dB of the loudest frame.
    let speech: Vec<f32> = levels.into_iter().filter(|level| *level > loudest * 0.05).collect();
    let level = (speech.iter().map(|level| level * level).sum::<f32>() / speech.len().max(1) as f32).sqrt();
    let peak = pcm.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    if level <= 0.0 || peak <= 0.0 {
        return 1.0;
    }
    (LEVEL / level).min(MOST_GAIN).min(CEILING / peak)
}

fn fade(pcm: &mut [f32], rate: u32) {
    let length = (rate as usize * FADE_MILLIS / 1000).min(pcm.len() / 2);
    let ramp = |index: usize| (index as f32 + 0.5) / length as f32;
    for (index, sample) in pcm.iter_mut().take(length).enumerate() {
        *sample *= ramp(index);
    }
    for (index, sample) in pcm.iter_mut().rev().take(length).enumerate() {
        *sample *= ramp(index);
    }
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

    #[test]
    fn silence_at_the_ends_is_cut_to_what_is_asked() -> Result<(), VoiceError> {
        let pcm = padded(&tone(1.0, 0.3), 0.5);
        let Some(trim) = trim(&pcm, RATE, 100) else { panic!("no sound found") };
        let sound = finish(&pcm, RATE, trim)?;
        let seconds = sound.len() as f32 / MEDIA_HZ as f32;
        assert!((seconds - 1.14).abs() < 0.02, "{seconds} s");
        assert!(sound[..MEDIA_HZ as usize / 50].iter().all(|s| s.abs() < 40));
        Ok(())
    }

    #[test]
    fn a_tail_that_the_sound_does_not_have_is_silence() -> Result<(), VoiceError> {
        let pcm = tone(0.5, 0.3);
        let Some(trim) = trim(&pcm, RATE, 200) else { panic!("no sound found") };
        let sound = finish(&pcm, RATE, trim)?;
        assert!(sound[sound.len() - 9000..].iter().all(|s| s.abs() < 40));
        Ok(())
    }

    #[test]
    fn loud_and_quiet_come_out_alike_and_nothing_clips() -> Result<(), VoiceError> {
        let level = |input: f32| {
            let pcm = padded(&tone(1.0, input), 0.1);
            let trim = trim(&pcm, RATE, 50).unwrap_or(Trim { start: 0, end: 0 });
            let sound: Vec<f32> = finish(&pcm, RATE, trim)?.iter().map(|&s| f32::from(s) / 32768.0).collect();
            assert!(sound.iter().all(|s| s.abs() <= CEILING + 0.001));
            Ok::<_, VoiceError>(rms(&sound[10_000..40_000]))
        };
        let (loud, quiet) = (level(1.3)?, level(0.05)?);
        assert!((loud - quiet).abs() < 0.005 && (loud - LEVEL).abs() < 0.01, "{loud} {quiet}");
        Ok(())
    }

    #[test]
    fn the_ends_begin_and_end_near_zero() -> Result<(), VoiceError> {
        let pcm = vec![0.5; RATE as usize];
        let sound = finish(&pcm, RATE, Trim { start: 0, end: pcm.len() })?;
        assert!(
            sound[0].abs() < 1500 && sound[sound.len() - 1].abs() < 1500,
            "{} {}",
            sound[0],
            sound[sound.len() - 1]
        );
        Ok(())
    }

    #[test]
    fn silence_has_no_sound_to_keep() {
        assert!(trim(&vec![0.0; 5000], RATE, 100).is_none());
        assert!(trim(&[], RATE, 100).is_none());
    }
}
