//! Which frames the network is to make next, so that they are there when they are shown.
//!
//! Pure: the time is the number of the frame that is shown now, and what a frame costs is told. Where all frames
//! cannot be made in time, every second one is, and the [`super::reel::Reel`] interpolates between them; what would
//! come too late is passed over.

use std::ops::Range;

use crate::media::VIDEO_FPS;

/// Microseconds from one frame to the next.
const FRAME_MICROS: f64 = 1e6 / VIDEO_FPS as f64;
/// Frames made ahead of the one that is shown, at most: what is made may be taken back.
pub const AHEAD: u64 = 40;
/// A frame is counted this much dearer than it was on average, so that chance makes none late.
const CARE: f64 = 1.15;
/// Share of the newest cost in the average.
const NEWEST: f64 = 0.25;
/// How far speech is followed to see whether there is time for all of it, in frames.
const FORESIGHT: u64 = 250;

#[derive(Debug)]
pub struct Schedule {
    /// The first frame that is not planned.
    next: u64,
    /// What a frame costs on average, in microseconds.
    cost: f64,
}

impl Schedule {
    /// `cost_micros` is what one frame alone takes.
    pub fn new(cost_micros: f64) -> Self {
        Self { next: 0, cost: cost_micros.max(1.0) }
    }

    /// The sound from `frame` on is another one: what was planned from there on is planned again.
    pub fn told(&mut self, frame: u64) {
        self.next = self.next.min(frame);
    }

    /// `frames` were made in `micros`.
    pub fn made(&mut self, frames: usize, micros: f64) {
        if frames > 0 {
            self.cost += NEWEST * (micros / frames as f64 - self.cost);
        }
    }

    /// Fills `frames` with up to `most` frames to make now, while frame `now` is shown; `speech` tells whether a frame
    /// is one of speech. Returns the range of frames that this settles: those of them that are not to be made are
    /// interpolated or late.
    pub fn plan(
        &mut self,
        now: u64,
        most: usize,
        speech: impl Fn(u64) -> bool,
        frames: &mut Vec<u64>,
    ) -> Option<Range<u64>> {
        frames.clear();
        let from = self.next.max(now);
        // What is made now is shown when it is done, which is not this frame.
        let cost = self.cost * CARE;
        let soonest = now + 1 + (cost / FRAME_MICROS) as u64;
        let end = now + AHEAD;
        let first = (from.max(soonest)..end).find(|frame| speech(*frame));
        let Some(first) = first else {
            // Nothing to make; the frames up to `soonest` will not be made either, once they are speech.
            self.next = from;
            return None;
        };
        let lead = (first - now) as f64 * FRAME_MICROS;
        let rest = (first..first + FORESIGHT).take_while(|frame| speech(*frame)).count() as f64;
        let late = rest * (cost - FRAME_MICROS) > lead;
        let step = if late { 2 } else { 1 };
        let fits = (lead / cost) as usize;
        let run = (first..end).step_by(step).take_while(|frame| speech(*frame));
        frames.extend(run.take(fits.clamp(1, most.max(1))));
        self.next = frames.last().map_or(first, |last| last + step as u64);
        Some(from..self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Plays frames 0 to `until` on a machine on which a frame takes `cost` microseconds; speech is `talk`, known from
    /// frame `told` on. Gives the frames that were made in time.
    fn played(cost: f64, talk: Range<u64>, told: u64, until: u64, most: usize) -> (BTreeSet<u64>, usize) {
        let mut schedule = Schedule::new(cost);
        let (mut in_time, mut late) = (BTreeSet::new(), 0);
        let mut clock = 0.0;
        let mut frames = Vec::new();
        loop {
            let now = (clock / FRAME_MICROS) as u64;
            if now >= until {
                return (in_time, late);
            }
            let planned = schedule.plan(now, most, |frame| now >= told && talk.contains(&frame), &mut frames);
            if planned.is_none() {
                clock = (now + 1) as f64 * FRAME_MICROS;
                continue;
            }
            assert!(!frames.is_empty() && frames.len() <= most);
            let micros = cost * frames.len() as f64;
            clock += micros;
            schedule.made(frames.len(), micros);
            for frame in &frames {
                assert!(talk.contains(frame), "frame {frame} is no speech");
                if *frame as f64 * FRAME_MICROS >= clock {
                    assert!(in_time.insert(*frame), "frame {frame} was made twice");
                } else {
                    late += 1;
                }
            }
        }
    }

    #[test]
    fn a_fast_machine_makes_every_frame() {
        let (made, late) = played(25_000.0, 100..300, 80, 320, 8);
        assert_eq!((made, late), ((100..300).collect(), 0));
    }

    #[test]
    fn a_slow_machine_makes_every_second_frame_and_none_late() {
        let (made, late) = played(60_000.0, 100..400, 98, 420, 8);
        assert_eq!(late, 0);
        let gaps: Vec<u64> = made.iter().zip(made.iter().skip(1)).map(|(a, b)| b - a).collect();
        assert!(gaps.iter().all(|gap| *gap <= 2), "{gaps:?}");
        // There is time for 200 frames, less the care that is taken.
        assert!(made.len() > 165 && made.len() < 201, "{}", made.len());
    }

    #[test]
    fn a_hopeless_machine_passes_frames_over_rather_than_being_late_with_all() {
        let (made, late) = played(130_000.0, 100..400, 90, 420, 8);
        assert!(late < 5, "{late}");
        // One frame in 130 ms, less the care that is taken.
        assert!(made.len() > 60 && made.len() < 100, "{}", made.len());
    }

    #[test]
    fn speech_that_is_known_in_time_is_whole_on_a_slow_machine() {
        // 20 frames of speech known 40 ahead: there is time for all of them.
        let (made, late) = played(60_000.0, 100..120, 60, 140, 8);
        assert_eq!((made, late), ((100..120).collect(), 0));
    }

    #[test]
    fn the_first_frame_of_sudden_speech_is_made_alone() {
        let mut schedule = Schedule::new(30_000.0);
        let mut frames = Vec::new();
        let planned = schedule.plan(10, 8, |frame| frame >= 5, &mut frames);
        assert_eq!((planned, frames.as_slice()), (Some(10..12), &[11][..]));
    }

    #[test]
    fn what_was_told_anew_is_planned_anew_and_nothing_is_planned_for_silence() {
        let mut schedule = Schedule::new(1000.0);
        let mut frames = Vec::new();
        assert_eq!(schedule.plan(0, 16, |_| false, &mut frames), None);
        assert_eq!(schedule.plan(0, 8, |_| true, &mut frames), Some(0..9));
        schedule.told(4);
        assert_eq!(schedule.plan(1, 8, |frame| frame < 6, &mut frames), Some(4..6));
        assert_eq!(frames, [4, 5]);
        assert_eq!(schedule.plan(1, 8, |frame| frame < 6, &mut frames), None);
    }
}
