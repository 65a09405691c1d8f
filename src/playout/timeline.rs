//! Timeline: which 20 ms of sound go out next, and what media time they have.
//!
//! PURE core. A queue of clauses and a cursor into the first: what lies behind the cursor was heard. Each step yields
//! exactly one frame, of sound if some lies there and is not held, else of silence, so the media clock never stops.
//! The mouth is drawn for the same media time, so picture and sound agree by construction. What a silenced answer
//! left is dropped here and nowhere else; what is held stays here until it is released.

use std::collections::VecDeque;

use super::progress::Progress;
use crate::media::{AUDIO_FRAME, MediaTime, Speech, TurnId, VIDEO_FRAME_TICKS, WORD_TAIL};

/// Samples over which sound rises where it begins within a clause, so that nothing clicks (5 ms). It falls over a
/// whole frame.
const FADE_IN: usize = 240;

/// One step of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Media time of the frame's first sample.
    pub at: MediaTime,
    /// The frame holds speech of this answer.
    pub speaking: Option<TurnId>,
    /// The frame holds only the fading end of speech that was held or silenced.
    pub fading: bool,
    /// A picture of the same media time is due too.
    pub picture: bool,
}

/// A clause of which sound is still to be heard.
#[derive(Clone, Copy, Debug)]
pub struct Laid<'a> {
    pub speech: &'a Speech,
    /// Samples of it that are not heard (again).
    pub from: usize,
    /// When sample `from` is heard.
    pub at: MediaTime,
}

#[derive(Debug, Default)]
pub struct Timeline {
    next: MediaTime,
    /// What is to be heard, in order.
    queue: VecDeque<Speech>,
    /// Samples of the queue's first clause that were heard.
    cursor: usize,
    /// The sound at the cursor does not follow what was heard last.
    fade_in: bool,
    /// What fades out in the next frame, before anything else; mostly empty.
    fade_out: Vec<i16>,
    /// Answers up to this one have been silenced.
    silenced: TurnId,
    /// The newest answer of which no more sound will come.
    finished: TurnId,
    progress: Progress,
}

impl Timeline {
    /// Media time of the next frame.
    pub fn now(&self) -> MediaTime {
        self.next
    }

    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Lays a clause behind what is there and says when it begins; `None` if its answer was silenced, or if nobody
    /// knows because the timeline is held.
    pub fn push(&mut self, speech: Speech) -> Option<MediaTime> {
        if speech.turn <= self.silenced {
            return None;
        }
        self.queue.push_back(speech);
        self.laid().last().map(|laid| laid.at)
    }

    /// No more clauses of this answer follow.
    pub fn finish(&mut self, turn: TurnId) {
        self.finished = self.finished.max(turn);
    }

    /// Drops every sound of the answers up to this one. The next frame holds the fade-out of what was being heard,
    /// no frame after that anything. True if that silences the newest answer, and did not before.
    pub fn silence(&mut self, up_to: TurnId) -> bool {
        if up_to <= self.silenced {
            return false;
        }
        self.silenced = up_to;
        if self.queue.front().is_some_and(|speech| speech.turn <= up_to) {
            if !self.progress.held {
                self.cut();
            }
            (self.cursor, self.fade_in) = (0, false);
            self.queue.retain(|speech| speech.turn > up_to);
        }
        self.progress.turn <= up_to
    }

    /// Nothing is heard from the next frame on, which only fades out; what was not heard stays.
    pub fn hold(&mut self) {
        if !self.progress.held {
            self.progress.held = true;
            self.cut();
        }
    }

    /// Goes on where [`Timeline::hold`] cut: with the whole word if it cut one. [`Timeline::laid`] says what is
    /// heard now, and when.
    pub fn release(&mut self) {
        if !self.progress.held {
            return;
        }
        self.progress.held = false;
        if let Some((start, _)) = self.word_at_cursor() {
            self.progress.played -= (self.cursor - start) as u64;
            self.cursor = start;
        }
        self.fade_in = self.cursor > 0;
    }

    /// The clauses to come, in order; none while held, as nobody knows when they are heard.
    pub fn laid(&self) -> impl Iterator<Item = Laid<'_>> {
        let fade_out = if self.fade_out.is_empty() { 0 } else { AUDIO_FRAME };
        let (mut at, mut from) = (self.next + fade_out as u64, self.cursor);
        self.queue.iter().filter(|_| !self.progress.held).map(move |speech| {
            let laid = Laid { speech, from, at };
            at = at + (speech.pcm.len() - from) as u64;
            from = 0;
            laid
        })
    }

    /// Writes the next frame of sound and moves the clock on by it.
    pub fn step(&mut self, frame: &mut [i16; AUDIO_FRAME]) -> Due {
        let at = self.next;
        self.next = at + AUDIO_FRAME as u64;
        frame.fill(0);
        let fading = !self.fade_out.is_empty();
        let mut speaking = None;
        if fading {
            frame[..self.fade_out.len()].copy_from_slice(&self.fade_out);
            self.fade_out.clear();
            ramp(frame.iter_mut().rev());
        } else if !self.progress.held {
            speaking = self.play(frame);
        }
        let turn = self.progress.turn;
        if turn <= self.finished && self.queue.front().is_none_or(|speech| speech.turn != turn) {
            self.progress.ended = true;
        }
        Due { at, speaking, fading, picture: at.0.is_multiple_of(VIDEO_FRAME_TICKS) }
    }

    /// Moves what is at the cursor into the frame, as much as it holds, and says whose the last of it is.
    fn play(&mut self, frame: &mut [i16; AUDIO_FRAME]) -> Option<TurnId> {
        let mut speaking = None;
        let mut filled = 0;
        while filled < AUDIO_FRAME
            && let Some(speech) = self.queue.front()
        {
            let turn = speech.turn;
            let sound = &speech.pcm[self.cursor..];
            let length = sound.len().min(AUDIO_FRAME - filled);
            frame[filled..filled + length].copy_from_slice(&sound[..length]);
            if std::mem::take(&mut self.fade_in) {
                ramp(frame[..length.min(FADE_IN)].iter_mut());
            }
            filled += length;
            if length > 0 {
                speaking = Some(turn);
                if self.progress.turn != turn {
                    self.progress = Progress { turn, ..Progress::default() };
                }
            }
            self.pass(length);
        }
        speaking
    }

    /// Stops within the clause that is being heard. At a clause's beginning nothing sounds that could be cut.
    fn cut(&mut self) {
        let Some(speech) = self.queue.front().filter(|_| self.cursor > 0 && !self.fade_in) else { return };
        self.fade_out.extend(speech.pcm[self.cursor..].iter().take(AUDIO_FRAME));
        if let Some((_, end)) = self.word_at_cursor()
            && end - self.cursor < WORD_TAIL
        {
            self.pass(end - self.cursor);
        }
    }

    /// Counts so many samples of the first clause as heard.
    fn pass(&mut self, samples: usize) {
        self.progress.played += samples as u64;
        self.cursor += samples;
        if self.queue.front().is_some_and(|speech| self.cursor >= speech.pcm.len()) {
            self.queue.pop_front();
            self.cursor = 0;
        }
    }

    /// Beginning and end of the word of which the cursor stands inside, in samples of the first clause.
    fn word_at_cursor(&self) -> Option<(usize, usize)> {
        let speech = self.queue.front()?;
        let mut spans = speech.words.iter().map(|w| (w.start as usize, (w.end as usize).min(speech.pcm.len())));
        spans.find(|(start, end)| (start + 1..*end).contains(&self.cursor))
    }
}

/// Multiplies the samples by a smooth rise from 0 to 1.
fn ramp<'a>(samples: impl ExactSizeIterator<Item = &'a mut i16>) {
    let steps = samples.len() as f32 + 1.0;
    for (index, sample) in samples.enumerate() {
        let x = (index as f32 + 1.0) / steps;
        *sample = (f32::from(*sample) * x * x * (3.0 - 2.0 * x)) as i16;
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
