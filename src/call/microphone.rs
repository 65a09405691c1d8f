//! The caller's microphone: recordings are spoken in real time, 20 ms a frame, and the room fills the rest, as with a
//! live microphone: faint noise and what the loudspeaker plays. Frames are asked for; nothing here knows the time.

use std::path::Path;

use anyhow::Context;

use super::room::Room;
use crate::audio::to_media_rate;
use crate::media::{AUDIO_FRAME, MEDIA_HZ};

/// A window of 10 ms whose energy is this far below the loudest one's is not voiced (-30 dB).
const VOICED_SHARE: f64 = 0.0316;
const WINDOW: usize = MEDIA_HZ as usize / 100;

/// A recording at 48 kHz mono.
#[derive(Clone, Debug)]
pub struct Recording {
    pub pcm: Vec<i16>,
    /// Index of the first voiced sample: where a listener would say that speech began.
    pub voiced_start: usize,
    /// Index of the sample after the last voiced one: where a listener would say that speech ended.
    pub voiced_end: usize,
}

impl Recording {
    /// Reads a WAV file of any rate; of several channels the mean is taken.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let mut reader = hound::WavReader::open(path).with_context(|| format!("reading {}", path.display()))?;
        let format = reader.spec();
        let samples: Vec<f32> = match format.sample_format {
            hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>()?,
            hound::SampleFormat::Int => {
                let full_scale = 2f32.powi(i32::from(format.bits_per_sample) - 1);
                reader.samples::<i32>().map(|one| one.map(|one| one as f32 / full_scale)).collect::<Result<_, _>>()?
            }
        };
        let channels = usize::from(format.channels.max(1));
        let mono: Vec<f32> =
            samples.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
        let pcm = to_media_rate(&mono, format.sample_rate)?;
        Ok(Self::new(pcm.into_iter().map(|one| (one.clamp(-1.0, 1.0) * 32_767.0) as i16).collect()))
    }

    pub fn new(pcm: Vec<i16>) -> Self {
        let energies: Vec<f64> = pcm.chunks(WINDOW).map(rms).collect();
        let gate = (energies.iter().copied().fold(0.0, f64::max) * VOICED_SHARE).max(1.0);
        let first = energies.iter().position(|&energy| energy > gate);
        let last = energies.iter().rposition(|&energy| energy > gate);
        let voiced_start = first.map_or(0, |window| window * WINDOW);
        let voiced_end = last.map_or(0, |window| ((window + 1) * WINDOW).min(pcm.len()));
        Self { pcm, voiced_start, voiced_end }
    }
}

pub(super) fn rms(pcm: &[i16]) -> f64 {
    (pcm.iter().map(|&one| f64::from(one).powi(2)).sum::<f64>() / pcm.len().max(1) as f64).sqrt()
}

/// What a frame means for the recording it is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// The first voiced sample is in this frame.
    pub(super) voice_began: bool,
    /// The last voiced sample is in this frame.
    pub(super) voice_ended: bool,
}

#[derive(Default)]
pub(super) struct Microphone {
    speaking: Option<(Recording, usize)>,
    room: Room,
}

impl Microphone {
    pub(super) fn new(room: Room) -> Self {
        Self { speaking: None, room }
    }

    /// Begins at the next frame; what was being spoken is cut off.
    pub(super) fn speak(&mut self, recording: Recording) {
        self.speaking = Some((recording, 0));
    }

    pub(super) fn is_speaking(&self) -> bool {
        self.speaking.is_some()
    }

    /// What the loudspeaker plays from now on.
    pub(super) fn hear_speaker(&mut self, pcm: &[i16]) {
        self.room.play(pcm);
    }

    /// Fills the next 20 ms.
    pub(super) fn frame(&mut self, frame: &mut [i16; AUDIO_FRAME]) -> Heard {
        frame.fill(0);
        let heard = self.voice(frame);
        self.room.mix(frame);
        heard
    }

    fn voice(&mut self, frame: &mut [i16; AUDIO_FRAME]) -> Heard {
        let Some((recording, position)) = &mut self.speaking else { return Heard::default() };
        let end = (*position + AUDIO_FRAME).min(recording.pcm.len());
        frame[..end - *position].copy_from_slice(&recording.pcm[*position..end]);
        let sent = *position..end;
        let heard = Heard {
            voice_began: sent.contains(&recording.voiced_start),
            voice_ended: sent.contains(&recording.voiced_end.saturating_sub(1)),
        };
        *position = end;
        if end == recording.pcm.len() {
            self.speaking = None;
        }
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_of_speech_are_found_and_told_with_their_frames() {
        let mut pcm: Vec<i16> = (0..9_600).map(|n| (n % 7) as i16).collect();
        pcm.extend((0..48_000).map(|n| if n % 40 < 20 { 9_000 } else { -9_000 }));
        pcm.extend((0..24_000).map(|n| (n % 7) as i16));
        let recording = Recording::new(pcm);
        assert_eq!((recording.voiced_start, recording.voiced_end), (9_600, 57_600));
        let mut microphone = Microphone::default();
        microphone.speak(recording);
        let mut frame = [0; AUDIO_FRAME];
        let heard: Vec<Heard> = (0..100).map(|_| microphone.frame(&mut frame)).collect();
        assert_eq!(heard.iter().position(|heard| heard.voice_began), Some(10));
        assert_eq!(heard.iter().position(|heard| heard.voice_ended), Some(59));
        assert_eq!(heard.iter().filter(|heard| heard.voice_began || heard.voice_ended).count(), 2);
        assert!(!microphone.is_speaking());
    }
}
