//! A text that was said, as it was received: each picture's opening and each phoneme on the clock of the received sound.

use anyhow::Context;
use serde_json::{Value, json};
use visavis::media::{MEDIA_HZ, Speech, TimedPhoneme};

use super::align::Alignment;
use super::call::Received;
use super::spectrum::{HOP, Spectrum};
use super::voices::Language;

/// Silence that is kept around what sounds, in steps of the spectrum (50 ms).
const MARGIN: usize = 10;

/// A picture: when it is seen, in seconds of the received sound, and how far its mouth is open, in pixels.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    pub seconds: f64,
    pub opening: f64,
}

/// Times are seconds from the first sample of `pcm`.
#[derive(Clone, Debug)]
pub struct Line {
    pub language: Language,
    pub pcm: Vec<i16>,
    pub spectrum: Spectrum,
    pub frames: Vec<Frame>,
    /// Of what the voice tells of its own rendition, found in the received sound; in samples of `pcm`.
    pub phonemes: Vec<TimedPhoneme>,
    /// From the first to the last sound.
    pub sounding: std::ops::Range<f64>,
    /// How far the received sound and the voice's own differ, in dB a band.
    pub distance: f64,
}

impl Line {
    /// `said`: what the voice says of the same text in this process.
    pub fn new(language: Language, said: &Speech, received: &Received) -> anyhow::Result<Self> {
        let origin = received.sound.origin;
        let frames = received.pictures.iter().filter_map(|seen| {
            let ticks = seen.clocks?.sound_ticks(seen.rtp, origin);
            Some(Frame { seconds: ticks / f64::from(MEDIA_HZ), opening: seen.opening? })
        });
        let frames: Vec<Frame> = frames.collect();
        let pcm = received.sound.pcm.clone();
        let (phonemes, distance) = place(said, &pcm)?;
        let spectrum = Spectrum::of(&pcm);
        let sounding = spectrum.sounding().context("nothing was heard")?;
        let seconds = |step: usize| (step * HOP) as f64 / f64::from(MEDIA_HZ);
        let sounding = seconds(sounding.start)..seconds(sounding.end);
        Ok(Self { language, pcm, spectrum, frames, phonemes, sounding, distance })
    }

    /// All of it but the sound, for other programs: pictures as seconds and pixels, phonemes as IPA and seconds, levels
    /// of the sound every 5 ms in dB.
    pub fn json(&self) -> Value {
        let frames = self.frames.iter().map(|frame| json!([frame.seconds, frame.opening]));
        let phonemes = self.phones(0.0).map(|(phoneme, start, end)| json!([&*phoneme.ipa, start, end]));
        json!({
            "language": self.language.name(),
            "frames": frames.collect::<Vec<_>>(),
            "phonemes": phonemes.collect::<Vec<_>>(),
            "loudness": self.spectrum.loudness,
            "voice": self.spectrum.voice,
            "hiss": self.spectrum.hiss,
            "sounding": [self.sounding.start, self.sounding.end],
        })
    }

    /// The phonemes with their beginnings and ends in seconds, moved by `lag` seconds.
    pub fn phones(&self, lag: f64) -> impl Iterator<Item = (&TimedPhoneme, f64, f64)> {
        let seconds = move |samples: u64| samples as f64 / f64::from(MEDIA_HZ) + lag;
        self.phonemes.iter().map(move |phoneme| (phoneme, seconds(phoneme.start), seconds(phoneme.end)))
    }
}

/// The phonemes of one rendition in another one, and how far the two differ.
pub fn place(said: &Speech, pcm: &[i16]) -> anyhow::Result<(Vec<TimedPhoneme>, f64)> {
    let (from, from_start) = sounding(&said.pcm).context("the voice says nothing")?;
    let (to, to_start) = sounding(pcm).context("nothing was heard")?;
    let found = Alignment::new(&Spectrum::of(&from), &Spectrum::of(&to)).context("nothing was heard")?;
    let there = |samples: f64| (samples + to_start as f64).clamp(0.0, pcm.len() as f64) as u64;
    let begin = |sample: u64| there(found.begin(sample as f64 - from_start as f64));
    let end = |sample: u64| there(found.end(sample as f64 - from_start as f64));
    let placed = said.phonemes.iter().map(|p| match p.ipa.is_empty() {
        // A pause takes all of the silence.
        true => TimedPhoneme { start: end(p.start), end: begin(p.end), ..p.clone() },
        false => TimedPhoneme { start: begin(p.start), end: end(p.end).max(begin(p.start)), ..p.clone() },
    });
    Ok((placed.collect(), found.distance))
}

/// What sounds, with as much silence around it as is the same for all, and the sample at which that begins.
fn sounding(pcm: &[i16]) -> Option<(Vec<i16>, i64)> {
    let steps = Spectrum::of(pcm).sounding()?;
    let start = (steps.start as i64 - MARGIN as i64) * HOP as i64;
    let end = (steps.end + MARGIN) * HOP;
    let sample = |at: i64| usize::try_from(at).ok().and_then(|at| pcm.get(at)).copied().unwrap_or_default();
    Some(((start..end as i64).map(sample).collect(), start))
}

/// A line whose every time is known, for the tests of what measures lines.
#[cfg(test)]
pub mod known {
    use visavis::face::Lips;
    use visavis::media::MediaTime;

    use super::*;

    /// Pixels of a gap between the lips of 1.
    const PIXELS: f64 = 24.0;

    /// Speech whose sound comes `lag` seconds after the times of its phonemes, and pictures that are `late` seconds
    /// later than is meant for the sound.
    pub fn line(lag: f64, late: f64) -> Line {
        let said = [
            "", "m", "ɑː", "p", "iː", "s", "ɛ", "b", "uː", "t", "æ", "m", "iː", "k", "ɑː", "n", "ɪ", "p", "oʊ", "z", "",
        ];
        let (mut phonemes, mut pcm) = (Vec::new(), Vec::new());
        for (n, ipa) in said.iter().cycle().take(3 * said.len()).enumerate() {
            let start = pcm.len() as u64;
            let length = match ipa.chars().next() {
                None => 19_200,
                Some('m' | 'p' | 'b' | 't' | 'k' | 's' | 'z' | 'n') => 3_840 + (n as u64 * 7 % 5) * 240,
                Some(_) => 6_240 + (n as u64 * 11 % 7) * 480,
            };
            let tone = |hertz: f64, level: f64, at: u64| {
                (at as f64 / f64::from(MEDIA_HZ) * hertz * std::f64::consts::TAU).sin() * level
            };
            pcm.extend((0..length).map(|at| match ipa.chars().next() {
                None | Some('p' | 'b' | 't' | 'k') => 0,
                Some('m' | 'n') => tone(200.0, 900.0, at) as i16,
                Some('s' | 'z') => tone(5_600.0, 3_000.0, at) as i16,
                Some(_) => (tone(600.0, 6_000.0, at) + tone(1_700.0, 4_000.0, at)) as i16,
            }));
            phonemes.push(TimedPhoneme { ipa: (*ipa).into(), start, end: pcm.len() as u64, stressed: false });
        }
        let mut lips = Lips::new();
        lips.say(MediaTime::ZERO, &phonemes, &pcm);
        let count = pcm.len() as u64 / 1920;
        let frames = (0..count).map(|n| {
            let open = lips.mouth_at(MediaTime(n * 1920)).open;
            Frame { seconds: n as f64 * 0.040 + late, opening: PIXELS * f64::from(open) }
        });
        let frames = frames.collect();
        // The voice tells times that are wrong by as much.
        let by = (lag * f64::from(MEDIA_HZ)) as i64;
        for phoneme in &mut phonemes {
            (phoneme.start, phoneme.end) =
                (phoneme.start.saturating_add_signed(-by), phoneme.end.saturating_add_signed(-by));
        }
        let spectrum = Spectrum::of(&pcm);
        let sounding = 0.4..pcm.len() as f64 / f64::from(MEDIA_HZ) - 0.4;
        Line { language: Language::English, pcm, spectrum, frames, phonemes, sounding, distance: 0.0 }
    }
}
