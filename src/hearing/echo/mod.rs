//! The echo veto: whether the voice in the microphone is our own answer that comes back.
//!
//! Browsers take their echo away, but loudspeakers without that, cheap headsets and other clients do not, and the
//! answer would interrupt itself. [`SentSound`] holds what was sent; [`EchoVeto`] is given the microphone's sound
//! window by window, beside the voice detector, and says of each window whether anybody else is heard. It does not
//! clean the sound and knows nothing of voices: it is asked when the detector found one. While nothing was sent for
//! 1.5 s it does nothing. Time is counted in samples of either stream; how the two lie to each other is found by
//! search (the streams' positions have nothing in common) and then holds until the delay jumps.
//!
//! ```text
//! sent --> search: where is it? --> filter: what is left? --> judge: is that more than an echo leaves?
//!      \-> ceiling: can there be an echo at all? (while none was found)
//! ```

use std::collections::VecDeque;

mod ceiling;
mod fft;
mod filter;
mod judge;
mod search;
mod sent;
#[cfg(test)]
mod tests;

use ceiling::Ceiling;
use filter::{BLOCK, FRAME, Filter, PARTS};
use judge::{Judge, PERSON_DB};
use search::{FIELD, SEGMENT, Search};
pub use sent::SentSound;

use super::gate::WINDOW;

/// Samples of the microphone that are kept to learn from when an echo is found (512 ms).
const HISTORY: usize = 8192;
/// The filter begins this far before the place that was found (8 ms): the strongest path need not be the shortest.
const MARGIN: i64 = 128;
/// Windows with sound for which an echo is searched before it counts as somebody's voice (about 0.2 s), and windows
/// without after which it is waited for anew.
const PATIENCE: u32 = 6;
const REST: u32 = 20;
/// An echo is found for certain from this likeness and lead on; where one may well be, from the lesser pair; where
/// so far none was heard of what was sent, from the greater one.
const SURE: (f32, f32) = (0.3, 1.5);
const IN_SPITE: (f32, f32) = (0.45, 2.0);
const LIKELY: (f32, f32) = (0.25, 1.4);
/// No echo is found in less sound than this (s): the beginnings of any two voices are alike.
const LEAST: f32 = 0.05;
/// A delay has jumped if it moved by more than this (2 ms) and the old one is less alike by this factor.
const JUMP: u64 = 32;
const BETTER: f32 = 2.0;
/// While somebody else talks, only every so many windows are searched.
const TALK_STRIDE: u32 = 4;
/// Windows of sent sound without an audible echo after which the filter is given up (4 s).
const GIVE_UP: u32 = 128;

/// See the module's text.
pub struct EchoVeto {
    search: Search,
    filter: Filter,
    judge: Judge,
    ceiling: Ceiling,
    mic: VecDeque<f32>,
    /// Position after the microphone's newest sample.
    heard: i64,
    /// Microphone's position less sent position, at the filter's first tap; none while no echo was found.
    offset: Option<i64>,
    awake: bool,
    echo: bool,
    /// Windows in a row: with sound and without an echo found, with nothing but echo and noise, of somebody else,
    /// without an audible echo of what sounded.
    waited: u32,
    rested: u32,
    talked: u32,
    missed: u32,
}

impl Default for EchoVeto {
    fn default() -> Self {
        Self {
            search: Search::new(),
            filter: Filter::new(),
            judge: Judge::new(),
            ceiling: Ceiling::new(),
            mic: VecDeque::from(vec![0.0; HISTORY]),
            heard: 0,
            offset: None,
            awake: false,
            echo: false,
            waited: 0,
            rested: 0,
            talked: 0,
            missed: 0,
        }
    }
}

impl EchoVeto {
    /// An answer sounds, or has just done so, and nothing in the microphone's last 64 ms is from anybody else: a
    /// voice that was detected there is our own.
    pub fn is_echo(&self) -> bool {
        self.echo
    }

    /// Takes the microphone's next window; call it when the window has come, whatever is or was sent.
    pub fn push(&mut self, window: &[f32; WINDOW], sent: &SentSound) {
        self.mic.drain(..WINDOW);
        self.mic.extend(window.iter().map(|&sample| if sample.is_finite() { sample } else { 0.0 }));
        self.heard += WINDOW as i64;
        if !sent.is_sounding() {
            (self.awake, self.echo) = (false, false);
            return;
        }
        let mut from = self.heard - WINDOW as i64;
        if !self.awake {
            self.awake = true;
            self.judge.wake();
            from = self.heard - HISTORY as i64;
        }
        self.listen(from, sent);

        let loudness = self.judge.loudness();
        let exceeds = self.ceiling.is_below(loudness);
        let nobody = self.decide(exceeds, sent);
        let mut newest = [0.0; WINDOW];
        sent.copy(sent.end() as i64 - WINDOW as i64, &mut newest);
        self.ceiling.push(&newest, nobody.then_some(loudness));
    }

    /// Whose the newest window is. Says whether it tells how loud an echo is: somebody's voice says nothing of that.
    fn decide(&mut self, exceeds: bool, sent: &SentSound) -> bool {
        self.missed = if self.judge.is_audible() || self.offset.is_none() {
            0
        } else {
            self.missed + u32::from(self.ceiling.is_sounding())
        };
        if self.missed > GIVE_UP {
            self.offset = None;
            self.judge.begin();
        }
        if self.judge.excess_db() < PERSON_DB {
            // Without an echo that was found, a voice that hardly stands out is somebody's who speaks softly.
            self.echo = self.offset.is_some();
            self.talked = 0;
            self.rested += 1;
            if self.rested > REST {
                self.waited = 0;
            }
            return true;
        }
        self.rested = 0;
        if self.talked.is_multiple_of(TALK_STRIDE) {
            self.look(exceeds, sent);
        }
        self.echo = match self.offset {
            Some(_) => self.judge.excess_db() < PERSON_DB,
            None => {
                self.waited += 1;
                !exceeds && self.waited <= PATIENCE
            }
        };
        self.talked = if self.echo { 0 } else { self.talked + 1 };
        // A guess teaches nothing.
        self.echo && self.offset.is_some()
    }

    /// Searches for an echo that the filter does not know, and begins a new one if it is there.
    fn look(&mut self, exceeds: bool, sent: &SentSound) {
        let first = self.heard - SEGMENT as i64;
        let field = sent.end() as i64 - FIELD as i64;
        let expected = self.offset.and_then(|offset| usize::try_from(first - offset - MARGIN - field).ok());
        let judge = &self.judge;
        let mic = self.mic.range(HISTORY - SEGMENT..).copied();
        // A windowed frame has 3/8 of the energy of its samples.
        let noise = |bin| judge.noise(bin) / (0.375 * FRAME as f32);
        let found = self.search.run(mic, |to| sent.copy(field, to), noise, expected);
        let offset = first - (field + found.at as i64) - MARGIN;
        let at_least = |(likeness, lead)| found.likeness > likeness && found.lead > lead;
        let begins = match self.offset {
            None => found.seconds > LEAST && at_least(if exceeds { IN_SPITE } else { LIKELY }),
            Some(old) => at_least(SURE) && offset.abs_diff(old) > JUMP && found.likeness > BETTER * found.expected,
        };
        if begins {
            self.begin(offset, sent);
        }
    }

    fn begin(&mut self, offset: i64, sent: &SentSound) {
        let mic: Vec<f32> = self.mic.range(HISTORY - SEGMENT..).copied().collect();
        let mut same = vec![0.0; SEGMENT];
        sent.copy(self.heard - SEGMENT as i64 - offset - MARGIN, &mut same);
        self.filter.begin(&mic, &same, |bin| self.judge.noise(bin));
        self.judge.begin();
        self.offset = Some(offset);
        // What came before has its part in the filter's first blocks.
        let known = HISTORY - (PARTS + 4) * BLOCK;
        self.listen(self.heard - known as i64, sent);
    }

    /// Filters and judges the microphone's sound from `from` to its end.
    fn listen(&mut self, from: i64, sent: &SentSound) {
        let (mut mic, mut error, mut frame) = ([0.0; BLOCK], [0.0; BLOCK], [0.0; FRAME]);
        let silence = [0.0; filter::BINS];
        let oldest = self.heard - HISTORY as i64;
        for at in (from..self.heard).step_by(BLOCK) {
            for (to, sample) in mic.iter_mut().zip(self.mic.range((at - oldest) as usize..)) {
                *to = *sample;
            }
            if let Some(offset) = self.offset {
                sent.copy(at - offset - (FRAME - BLOCK) as i64, &mut frame);
                self.filter.push(&frame, &mic, &mut error);
                self.judge.push(&mic, &error, self.filter.own());
            } else {
                self.judge.push(&mic, &mic, &silence);
            }
        }
    }
}
