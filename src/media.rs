//! The nouns of the media path: times, frames, phonemes and the ids that tie them to a turn.
//!
//! Every stage imports this file and nothing of each other. Units are in the names; the media clock of a
//! call runs at 48 kHz from zero and never stops, so one [`MediaTime`] means the same instant for sound,
//! mouth and RTP timestamp.

use std::ops::{Add, Range, Sub};
use std::sync::Arc;

/// Rate of the media clock, of all outgoing sound and of Opus in RTP (RFC 7587).
pub const MEDIA_HZ: u32 = 48_000;
/// Samples of one 20 ms audio frame at [`MEDIA_HZ`].
pub const AUDIO_FRAME: usize = 960;
/// A word of which less than this is missing (20 ms) was heard: what was cut goes on after it.
pub const WORD_TAIL: usize = AUDIO_FRAME;
/// Rate of everything that listens (VAD, ASR).
pub const HEARING_HZ: u32 = 16_000;
/// Pictures a second.
pub const VIDEO_FPS: u32 = 25;
/// Media ticks from one picture to the next (40 ms).
pub const VIDEO_FRAME_TICKS: u64 = (MEDIA_HZ / VIDEO_FPS) as u64;

/// An instant on a call's media clock, in 48 kHz ticks since the call's first frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(pub u64);

impl MediaTime {
    pub const ZERO: Self = Self(0);

    pub fn from_millis(millis: u64) -> Self {
        Self(millis * u64::from(MEDIA_HZ) / 1000)
    }

    pub fn as_millis(self) -> u64 {
        self.0 * 1000 / u64::from(MEDIA_HZ)
    }

    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / f64::from(MEDIA_HZ)
    }

    /// Ticks from `earlier` to `self`, zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for MediaTime {
    type Output = Self;
    fn add(self, ticks: u64) -> Self {
        Self(self.0 + ticks)
    }
}

impl Sub<u64> for MediaTime {
    type Output = Self;
    fn sub(self, ticks: u64) -> Self {
        Self(self.0.saturating_sub(ticks))
    }
}

/// One answer of the avatar. Everything made for an answer carries its id; to cancel is to move the id on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnId(pub u64);

/// One cut of what a person says; every different cut of the same speech has its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtteranceId(pub u64);

/// A piece of an answer that is spoken in one breath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    pub turn: TurnId,
    /// Position within the answer, from zero.
    pub index: u32,
    pub text: String,
}

/// One IPA phoneme with its place in a clause's sound.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedPhoneme {
    /// IPA symbol(s) without stress marks, e.g. `b`, `uː`, `tʃ`; a pause is the empty string.
    pub ipa: Arc<str>,
    /// Start within the clause's sound, in ticks of [`MEDIA_HZ`].
    pub start: u64,
    /// End within the clause's sound, in ticks of [`MEDIA_HZ`].
    pub end: u64,
    /// Bears primary or secondary stress.
    pub stressed: bool,
}

/// One word of a clause's text with its place in the clause's sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedWord {
    /// Bytes of the clause's text, the marks at the word included, the spaces around it not.
    pub text: Range<usize>,
    /// Start within the clause's sound, in ticks of [`MEDIA_HZ`].
    pub start: u64,
    /// End within the clause's sound, in ticks of [`MEDIA_HZ`].
    pub end: u64,
}

/// The sound of a clause or of a part of it, when each word is in it, and what the mouth must do for it.
#[derive(Clone, Debug)]
pub struct Speech {
    pub turn: TurnId,
    pub clause: u32,
    /// The clause's text as it stands in the transcript.
    pub text: String,
    /// Mono, [`MEDIA_HZ`].
    pub pcm: Vec<i16>,
    /// In order, without overlap, within the length of `pcm`.
    pub phonemes: Vec<TimedPhoneme>,
    /// The words of the text that are said in it, in order, without overlap, within the length of `pcm`.
    pub words: Vec<TimedWord>,
}

impl Speech {
    /// Appends the part that follows.
    pub fn extend(&mut self, next: Self) {
        let by = self.pcm.len() as u64;
        self.pcm.extend(next.pcm);
        let phonemes = next.phonemes.into_iter();
        self.phonemes.extend(phonemes.map(|p| TimedPhoneme { start: p.start + by, end: p.end + by, ..p }));
        let words = next.words.into_iter();
        self.words.extend(words.map(|w| TimedWord { start: w.start + by, end: w.end + by, ..w }));
    }
}

/// What the avatar does while a frame is drawn; the face behaves differently in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Attention {
    #[default]
    Idle,
    Listening,
    Thinking,
    Speaking,
}

/// A planar YUV 4:2:0 picture (BT.601, limited range), as H.264 encoders take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct I420 {
    pub width: usize,
    pub height: usize,
    /// `width * height` bytes, then two planes of a quarter of that each.
    pub y: Vec<u8>,
    pub u: Vec<u8>,
    pub v: Vec<u8>,
}

impl I420 {
    /// A black picture; `width` and `height` must be even.
    pub fn new(width: usize, height: usize) -> Self {
        assert!(width.is_multiple_of(2) && height.is_multiple_of(2), "4:2:0 needs even sides, got {width}x{height}");
        Self {
            width,
            height,
            y: vec![16; width * height],
            u: vec![128; width * height / 4],
            v: vec![128; width * height / 4],
        }
    }
}

/// One encoded audio frame of 20 ms.
#[derive(Clone, Debug)]
pub struct AudioPacket {
    pub at: MediaTime,
    pub opus: bytes::Bytes,
}

/// One encoded picture: an H.264 access unit in Annex B form.
#[derive(Clone, Debug)]
pub struct VideoPacket {
    pub at: MediaTime,
    pub h264: bytes::Bytes,
    pub key_frame: bool,
}
