//! Timeline: which 20 ms of sound go out next, and what media time they have.
//!
//! PURE core. Clauses are laid end to end on the call's media clock; where nothing lies there is silence,
//! so every step yields exactly one frame and the clock never stops. The mouth is drawn for the same
//! media time, so picture and sound agree by construction. What a silenced answer left is dropped here and
//! nowhere else.

use std::collections::VecDeque;

use crate::media::{AUDIO_FRAME, MediaTime, Speech, TurnId, VIDEO_FRAME_TICKS};

/// Samples over which the sound glides to zero where speech was cut, so that nothing clicks (3 ms).
const GLIDE: usize = 144;

/// A clause that is or will be played.
#[derive(Debug)]
struct Laid {
    turn: TurnId,
    at: MediaTime,
    pcm: Vec<i16>,
}

impl Laid {
    fn end(&self) -> MediaTime {
        self.at + self.pcm.len() as u64
    }
}

/// One step of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Media time of the frame's first sample.
    pub at: MediaTime,
    /// The frame holds speech of this answer.
    pub speaking: Option<TurnId>,
    /// A picture of the same media time is due too.
    pub picture: bool,
}

/// How far playout has come: the newest answer that sounded, and how much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Zero before the first answer.
    pub turn: TurnId,
    /// Ticks of the answer's sound that went out, pauses for missing sound not counted.
    pub played: u64,
    /// All of it went out; no more follows.
    pub ended: bool,
}

#[derive(Debug, Default)]
pub struct Timeline {
    next: MediaTime,
    laid: VecDeque<Laid>,
    /// Answers up to this one have been silenced.
    silenced: TurnId,
    /// The newest answer of which no more sound will come.
    finished: TurnId,
    progress: Progress,
    last_sample: i16,
    /// Samples of the glide that are still to come, and where it starts.
    glide: usize,
    glide_from: i16,
}

impl Timeline {
    /// Media time of the next frame.
    pub fn now(&self) -> MediaTime {
        self.next
    }

    /// Lays a clause behind what is there and says where it begins; `None` if its answer was silenced.
    pub fn push(&mut self, speech: Speech) -> Option<MediaTime> {
        if speech.turn <= self.silenced {
            return None;
        }
        let at = self.laid.back().map_or(self.next, Laid::end).max(self.next);
        self.laid.push_back(Laid { turn: speech.turn, at, pcm: speech.pcm });
        Some(at)
    }

    /// No more clauses of this answer follow.
    pub fn finish(&mut self, turn: TurnId) {
        self.finished = self.finished.max(turn);
    }

    /// Drops every sound of the answers up to this one. The next frame is already free of them.
    pub fn silence(&mut self, up_to: TurnId) {
        if up_to <= self.silenced {
            return;
        }
        self.silenced = up_to;
        let cut = self.laid.front().is_some_and(|laid| laid.turn <= up_to && laid.at < self.next);
        self.laid.retain(|laid| laid.turn > up_to);
        if cut {
            self.glide = GLIDE;
            self.glide_from = self.last_sample;
        }
    }

    /// Ticks of sound that lie ahead.
    pub fn ahead(&self) -> u64 {
        self.laid.back().map_or(0, |laid| laid.end().since(self.next))
    }

    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Writes the next frame of sound and moves the clock on by it.
    pub fn step(&mut self, frame: &mut [i16; AUDIO_FRAME]) -> Due {
        let at = self.next;
        let end = at + AUDIO_FRAME as u64;
        frame.fill(0);
        self.write_glide(frame);
        let mut speaking = None;
        for laid in self.laid.iter().take_while(|laid| laid.at < end) {
            let from = laid.at.max(at);
            let to = laid.end().min(end);
            if to <= from {
                continue;
            }
            let source = from.since(laid.at) as usize..to.since(laid.at) as usize;
            frame[from.since(at) as usize..to.since(at) as usize].copy_from_slice(&laid.pcm[source]);
            speaking = Some(laid.turn);
            if self.progress.turn != laid.turn {
                self.progress = Progress { turn: laid.turn, played: 0, ended: false };
            }
            self.progress.played += to.since(from);
        }
        self.next = end;
        self.last_sample = frame[AUDIO_FRAME - 1];
        while self.laid.front().is_some_and(|laid| laid.end() <= end) {
            self.laid.pop_front();
        }
        let turn = self.progress.turn;
        if turn <= self.finished && self.laid.front().is_none_or(|laid| laid.turn != turn) {
            self.progress.ended = true;
        }
        Due { at, speaking, picture: at.0.is_multiple_of(VIDEO_FRAME_TICKS) }
    }

    fn write_glide(&mut self, frame: &mut [i16; AUDIO_FRAME]) {
        let length = std::mem::take(&mut self.glide);
        for (index, sample) in frame.iter_mut().take(length).enumerate() {
            *sample = (i32::from(self.glide_from) * (length - index) as i32 / (length + 1) as i32) as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    fn speech(turn: u64, samples: usize, value: i16) -> Speech {
        Speech { turn: TurnId(turn), clause: 0, text: String::new(), pcm: vec![value; samples], phonemes: Vec::new(), words: Vec::new() }
    }

    fn step(timeline: &mut Timeline) -> (Due, [i16; AUDIO_FRAME]) {
        let mut frame = [0; AUDIO_FRAME];
        let due = timeline.step(&mut frame);
        (due, frame)
    }

    #[test]
    fn every_step_is_20_ms_and_every_second_one_has_a_picture() {
        let mut timeline = Timeline::default();
        for n in 0..100 {
            let (due, frame) = step(&mut timeline);
            assert_eq!(due, Due { at: MediaTime(n * 960), speaking: None, picture: n % 2 == 0 });
            assert!(frame.iter().all(|sample| *sample == 0));
        }
    }

    #[test]
    fn clauses_follow_each_other_without_a_gap() {
        let mut timeline = Timeline::default();
        step(&mut timeline);
        assert_eq!(timeline.push(speech(1, 1000, 5)), Some(MediaTime(960)));
        assert_eq!(timeline.push(speech(1, 500, 7)), Some(MediaTime(1960)));
        timeline.finish(TurnId(1));
        let (_, first) = step(&mut timeline);
        let (_, second) = step(&mut timeline);
        let played: Vec<i16> = first.into_iter().chain(second).collect();
        assert!(played[..1000].iter().all(|s| *s == 5) && played[1000..1500].iter().all(|s| *s == 7));
        assert!(played[1500..].iter().all(|s| *s == 0));
        assert_eq!(timeline.progress(), Progress { turn: TurnId(1), played: 1500, ended: true });
    }

    #[test]
    fn a_silenced_answer_is_never_heard_again() {
        let mut timeline = Timeline::default();
        timeline.push(speech(1, 9600, 8000));
        step(&mut timeline);
        timeline.silence(TurnId(1));
        assert_eq!(timeline.push(speech(1, 960, 8000)), None);
        let (due, frame) = step(&mut timeline);
        assert_eq!(due.speaking, None);
        assert!(frame.windows(2).all(|w| w[1] <= w[0] && w[0] - w[1] < 100), "it glides to zero without a click");
        assert!(frame[GLIDE..].iter().all(|s| *s == 0));
        let next = timeline.now();
        assert_eq!(timeline.push(speech(2, 960, 3)), Some(next));
    }

    #[test]
    fn an_answer_ends_only_when_no_more_can_come() {
        let mut timeline = Timeline::default();
        timeline.push(speech(1, 960, 5));
        step(&mut timeline);
        assert!(!timeline.progress().ended, "the voice may be late");
        timeline.finish(TurnId(1));
        step(&mut timeline);
        assert!(timeline.progress().ended);
    }

    #[test]
    fn thousands_of_random_steps_lose_and_repeat_nothing() {
        let mut random = StdRng::seed_from_u64(11);
        let mut timeline = Timeline::default();
        let (mut turn, mut sent, mut heard, mut value) = (1u64, Vec::<i16>::new(), Vec::<i16>::new(), 0i16);
        for _ in 0..20_000 {
            match random.random_range(0..40) {
                0 => {
                    let pcm: Vec<i16> = (0..random.random_range(1..5000))
                        .map(|_| {
                            value = value % 30_000 + 1;
                            value
                        })
                        .collect();
                    sent.extend(&pcm);
                    timeline.push(Speech { pcm, ..speech(turn, 0, 0) });
                }
                1 if random.random_bool(0.2) => {
                    timeline.silence(TurnId(turn));
                    turn += 1;
                    sent.truncate(heard.len());
                    assert_eq!(step(&mut timeline).0.speaking, None);
                }
                _ => {}
            }
            let (due, frame) = step(&mut timeline);
            if let Some(speaking) = due.speaking {
                assert_eq!(speaking, TurnId(turn));
            }
            heard.extend(frame.iter().copied().filter(|s| *s != 0));
        }
        while timeline.ahead() > 0 {
            let (_, frame) = step(&mut timeline);
            heard.extend(frame.iter().copied().filter(|s| *s != 0));
        }
        assert_eq!(heard.len(), sent.len());
        assert!(heard == sent);
    }
}
