//! How loud an echo can be at most, while none was found: what was heard over what was sent, so far.
//!
//! Most calls have none: the browser takes it away, or the person wears headphones. Then much was sent and next to
//! nothing heard, and a voice that is loud all of a sudden cannot be an echo; nobody has to wait for proof.

use std::collections::VecDeque;

/// Windows within which the echo of what is sent now must come (768 ms).
const REACH: usize = 24;
/// Windows of sound that must have been sent before anything is known (about 0.4 s).
const ENOUGH: u32 = 12;
/// Loudness of a window that counts as sound: speech at -60 dB of full scale.
const SOUND: f32 = 1e-4;
/// What of both sums outlasts a window: a memory of 3 s.
const KEPT: f32 = 0.99;
/// An echo is this much louder than the ceiling at times (10 dB).
const MARGIN: f32 = 10.0;

pub struct Ceiling {
    /// Loudness of what was sent in the last windows.
    recent: VecDeque<f32>,
    /// Sums of what was sent, when its echo must have come, and of what was heard.
    sent: f32,
    heard: f32,
    windows: u32,
}

impl Ceiling {
    pub fn new() -> Self {
        Self { recent: VecDeque::from(vec![0.0; REACH]), sent: 0.0, heard: 0.0, windows: 0 }
    }

    /// Takes the newest window of what was sent, and how loud the newest one heard was, if that may have been echo.
    pub fn push(&mut self, sent: &[f32], heard: Option<f32>) {
        // Differences raise the high frequencies, as the judge's loudness does.
        let loudness = sent.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
        self.recent.push_back(loudness);
        let old = self.recent.pop_front().unwrap_or(0.0);
        self.windows = self.windows.saturating_add(u32::from(old > SOUND));
        if let Some(heard) = heard {
            self.sent = KEPT * self.sent + old;
            self.heard = KEPT * self.heard + heard;
        }
    }

    /// Whether a window as loud as `heard` is too loud for an echo of anything sent of late.
    pub fn is_below(&self, heard: f32) -> bool {
        let loudest = self.recent.iter().copied().fold(0.0, f32::max);
        self.windows >= ENOUGH && heard * self.sent > MARGIN * self.heard * loudest
    }

    /// Whether there is anything of which an echo could be heard now.
    pub fn is_sounding(&self) -> bool {
        self.recent.iter().any(|&loudness| loudness > SOUND)
    }
}
