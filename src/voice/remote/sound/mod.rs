//! From the bytes that a server sends to mono sound at 48 kHz without silence at its ends, as it comes.
//!
//! Plain stages, one after the other: a decoder ([`mp3`], [`pcm`], [`opus`]), the rate of the call ([`rate`]), the ends
//! ([`ends`]). Any chunking of the bytes gives the same sound. How loud it is made is the matter of `telling`.

mod ends;
mod mp3;
mod opus;
mod pcm;
mod rate;

use super::RemoteProblem;
use crate::media::MEDIA_HZ;
use ends::Ends;
use mp3::Mp3;
use opus::OggOpus;
use pcm::Pcm;
use rate::Rate;

/// Longest sound of one clause: three times what the longest clause takes when it is read slowly.
pub const MOST_SECONDS: u64 = 60;
/// Most bytes of one clause: its sound as plain samples at 48 kHz, twice.
const MOST_BYTES: u64 = MOST_SECONDS * 2 * 2 * MEDIA_HZ as u64;

/// How the sound of one answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Signed 16-bit samples, little-endian, mono.
    Pcm { rate_hz: u32 },
    /// MPEG layer III, any rate, frames only or with tags.
    Mp3,
    /// Opus in Ogg (RFC 7845).
    Opus,
}

enum Decoder {
    Pcm(Pcm),
    Mp3(Box<Mp3>),
    Opus(Box<OggOpus>),
}

impl Decoder {
    fn new(coding: Coding) -> Result<Self, RemoteProblem> {
        Ok(match coding {
            Coding::Pcm { rate_hz } => Self::Pcm(Pcm::new(rate_hz)),
            Coding::Mp3 => Self::Mp3(Box::default()),
            Coding::Opus => Self::Opus(Box::new(OggOpus::new()?)),
        })
    }

    /// Appends to `pcm` what is whole now; its rate is known as soon as there is any.
    fn push(&mut self, bytes: &[u8], pcm: &mut Vec<f32>) -> Result<Option<u32>, RemoteProblem> {
        match self {
            Self::Pcm(decoder) => decoder.push(bytes, pcm),
            Self::Mp3(decoder) => decoder.push(bytes, pcm),
            Self::Opus(decoder) => decoder.push(bytes, pcm),
        }
    }

    /// The bytes are over: what was still waited for, or why they were none.
    fn finish(&mut self, pcm: &mut Vec<f32>) -> Result<Option<u32>, RemoteProblem> {
        match self {
            Self::Pcm(decoder) => decoder.finish(),
            Self::Mp3(decoder) => decoder.finish(pcm),
            Self::Opus(decoder) => decoder.finish(),
        }
    }
}

/// The sound of one clause while it arrives; of several answers, one after the other, if its text went in pieces.
pub struct Arriving {
    coding: Coding,
    decoder: Option<Decoder>,
    rate: Option<Rate>,
    ends: Ends,
    bytes: u64,
    /// Ticks of [`MEDIA_HZ`] so far, silence included, and of the answers before this one.
    ticks: u64,
    before: u64,
}

impl Arriving {
    pub fn new(coding: Coding) -> Self {
        Self { coding, decoder: None, rate: None, ends: Ends::default(), bytes: 0, ticks: 0, before: 0 }
    }

    /// Takes the next bytes and appends to `out` the sound that is ready.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), RemoteProblem> {
        self.bytes += bytes.len() as u64;
        if self.bytes > MOST_BYTES {
            return Err(RemoteProblem::TooMuch { seconds: MOST_SECONDS });
        }
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => none.insert(Decoder::new(self.coding)?),
        };
        let mut pcm = Vec::new();
        let rate = decoder.push(bytes, &mut pcm)?;
        self.resample(&pcm, rate, out)
    }

    /// One answer is over; the next bytes are another one's.
    pub fn next(&mut self, out: &mut Vec<f32>) -> Result<(), RemoteProblem> {
        if let Some(mut decoder) = self.decoder.take() {
            let mut pcm = Vec::new();
            let rate = decoder.finish(&mut pcm)?;
            self.resample(&pcm, rate, out)?;
        }
        if let Some(rate) = self.rate.take() {
            let mut sound = Vec::new();
            rate.finish(&mut sound)?;
            self.keep(&sound, out)?;
        }
        self.before = self.ticks;
        Ok(())
    }

    /// The clause is over: appends the silence after it. True if there was any sound.
    pub fn finish(&mut self, tail_millis: usize, out: &mut Vec<f32>) -> bool {
        std::mem::take(&mut self.ends).finish(tail_millis, out)
    }

    /// Where the first sample that was given out lies, in ticks from the first that came; none before there is one.
    pub fn head(&self) -> Option<u64> {
        self.ends.head()
    }

    /// Ticks of the answers that are over.
    pub fn before(&self) -> u64 {
        self.before
    }

    fn resample(&mut self, pcm: &[f32], rate_hz: Option<u32>, out: &mut Vec<f32>) -> Result<(), RemoteProblem> {
        let Some(rate_hz) = rate_hz.filter(|_| !pcm.is_empty()) else { return Ok(()) };
        let rate = match &mut self.rate {
            Some(rate) => rate,
            none => none.insert(Rate::new(rate_hz)?),
        };
        let mut sound = Vec::new();
        rate.push(pcm, &mut sound)?;
        self.keep(&sound, out)
    }

    fn keep(&mut self, sound: &[f32], out: &mut Vec<f32>) -> Result<(), RemoteProblem> {
        self.ticks += sound.len() as u64;
        if self.ticks > MOST_SECONDS * u64::from(MEDIA_HZ) {
            return Err(RemoteProblem::TooMuch { seconds: MOST_SECONDS });
        }
        self.ends.push(sound, out);
        Ok(())
    }
}

/// What `bytes` are, if they are plainly no sound of the kind that was asked for; for messages.
pub fn other_kind(bytes: &[u8]) -> Option<&'static str> {
    let text: Vec<u8> = bytes.iter().skip_while(|byte| byte.is_ascii_whitespace()).take(16).copied().collect();
    let text = text.to_ascii_lowercase();
    let begins = |with: &[u8]| text.starts_with(with);
    match () {
        () if begins(b"<!doctype") || begins(b"<html") || begins(b"<?xml") => Some("a web page"),
        () if begins(b"{\"") || begins(b"{ \"") || begins(b"{\n") => Some("JSON"),
        () if begins(b"riff") => Some("a WAV file"),
        () if begins(b"fLaC") || begins(b"flac") => Some("a FLAC file"),
        () if begins(b"oggs") => Some("an Ogg stream"),
        () if begins(b"id3") => Some("an MP3 file"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    fn tone(rate_hz: u32, millis: u32) -> Vec<u8> {
        let samples = (0..rate_hz * millis / 1000).map(|n| (TAU * 440.0 * n as f32 / rate_hz as f32).sin() * 8000.0);
        samples.flat_map(|sample| (sample as i16).to_le_bytes()).collect()
    }

    fn arrived(bytes: &[u8], chunk: usize) -> Result<(Vec<f32>, Option<u64>), RemoteProblem> {
        let mut arriving = Arriving::new(Coding::Pcm { rate_hz: 24_000 });
        let mut out = Vec::new();
        for chunk in bytes.chunks(chunk) {
            arriving.push(chunk, &mut out)?;
        }
        arriving.next(&mut out)?;
        let head = arriving.head();
        arriving.finish(80, &mut out);
        Ok((out, head))
    }

    #[test]
    fn any_chunking_gives_the_same_sound() -> Result<(), RemoteProblem> {
        let bytes = [vec![0; 24_000], tone(24_000, 700), vec![0; 9_600], tone(24_000, 333), vec![0; 30_000]].concat();
        let (whole, head) = arrived(&bytes, bytes.len())?;
        assert!(head.is_some_and(|head| head.abs_diff(23_520) < 300), "half a second less 10 ms: {head:?}");
        let millis = whole.len() / 48;
        assert!(millis.abs_diff(10 + 700 + 200 + 333 + 80) <= 10, "{millis} ms");
        for chunk in [1, 2, 3, 479, 1000, 4097] {
            assert!(arrived(&bytes, chunk)?.0 == whole, "chunks of {chunk}");
        }
        Ok(())
    }

    #[test]
    fn answers_follow_one_another_and_their_lengths_are_known() -> Result<(), RemoteProblem> {
        let mut arriving = Arriving::new(Coding::Pcm { rate_hz: 24_000 });
        let mut out = Vec::new();
        for millis in [500, 250] {
            arriving.push(&tone(24_000, millis), &mut out)?;
            arriving.next(&mut out)?;
        }
        assert_eq!(arriving.before(), 750 * 48);
        assert!(arriving.finish(0, &mut out));
        assert_eq!(out.len(), 750 * 48);
        Ok(())
    }

    #[test]
    fn sound_without_end_is_ended() {
        let mut arriving = Arriving::new(Coding::Pcm { rate_hz: 24_000 });
        let (second, mut out) = (tone(24_000, 1000), Vec::new());
        let seconds = (0..100).take_while(|_| arriving.push(&second, &mut out).is_ok()).count();
        assert_eq!(seconds, 60);
        assert_eq!(arriving.push(&second, &mut out), Err(RemoteProblem::TooMuch { seconds: 60 }));
    }

    #[test]
    fn what_is_no_sound_is_called_by_its_name() {
        assert_eq!(other_kind(b" \r\n<!DOCTYPE html><html>"), Some("a web page"));
        assert_eq!(other_kind(b"{\"error\": 1}"), Some("JSON"));
        assert_eq!(other_kind(b"RIFF\x10\x00\x00\x00WAVE"), Some("a WAV file"));
        assert_eq!(other_kind(&[0, 1, 2, 3]), None);
    }
}
