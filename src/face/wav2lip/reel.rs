//! The mouths that are made for the frames to come, and what is shown where one is missing.

use super::patch::Patch;
use super::schedule::AHEAD;

/// Frames kept: those ahead and some that were shown, between which others are interpolated.
const SLOTS: u64 = AHEAD + 8;
/// A mouth is looked for this many frames before and after one that is missing.
const NEAR: u64 = 4;

/// How the mouth of a frame came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The network made it.
    Inferred,
    /// It lies between two that the network made.
    Interpolated,
    /// It came too late: the one before is still shown.
    Held,
    /// It came too late, and no other is near.
    Missing,
    /// The frame is not one of speech.
    Rest,
}

/// Frames so far by what was shown, for whoever keeps the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub inferred: u64,
    pub interpolated: u64,
    /// Of speech, but nothing new was there in time.
    pub late: u64,
    /// Frames at rest.
    pub resting: u64,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    frame: u64,
    /// The frame is one of speech.
    expected: bool,
    ready: bool,
    patch: Patch,
}

/// A ring: a frame's slot is taken by the one that comes [`SLOTS`] later.
pub struct Reel {
    slots: Vec<Slot>,
}

impl Default for Reel {
    fn default() -> Self {
        Self { slots: vec![Slot::default(); SLOTS as usize] }
    }
}

impl Reel {
    /// Frame `frame` is one of speech, whether or not it will be made.
    pub fn expect(&mut self, frame: u64) {
        self.slot(frame).expected = true;
    }

    /// The mouth of a frame that was expected; if it was taken back meanwhile, or its place, nothing happens.
    pub fn put(&mut self, frame: u64, patch: &Patch) {
        let slot = &mut self.slots[(frame % SLOTS) as usize];
        if slot.frame == frame && slot.expected {
            slot.patch.copy_from(patch);
            slot.ready = true;
        }
    }

    /// Takes back all frames from `frame` on.
    pub fn forget_from(&mut self, frame: u64) {
        for slot in self.slots.iter_mut().filter(|slot| slot.frame >= frame) {
            (slot.expected, slot.ready) = (false, false);
        }
    }

    /// Puts the mouth of `frame` into `patch`, which is left alone if there is none.
    pub fn show(&self, frame: u64, patch: &mut Patch) -> Shown {
        if let Some(made) = self.made(frame) {
            patch.copy_from(made);
            return Shown::Inferred;
        }
        let expected = self.slots[(frame % SLOTS) as usize].expected && self.holds(frame);
        if !expected {
            return Shown::Rest;
        }
        let before = (1..=NEAR).find_map(|n| Some((n, self.made(frame.checked_sub(n)?)?)));
        let after = (1..=NEAR).find_map(|n| Some((n, self.made(frame + n)?)));
        match (before, after) {
            (Some((a, before)), Some((b, after))) => {
                patch.mix(before, after, (256 * a / (a + b)) as u16);
                Shown::Interpolated
            }
            (Some((_, before)), None) => {
                patch.copy_from(before);
                Shown::Held
            }
            (None, _) => Shown::Missing,
        }
    }

    fn holds(&self, frame: u64) -> bool {
        self.slots[(frame % SLOTS) as usize].frame == frame
    }

    fn made(&self, frame: u64) -> Option<&Patch> {
        let slot = &self.slots[(frame % SLOTS) as usize];
        (slot.frame == frame && slot.ready).then_some(&slot.patch)
    }

    fn slot(&mut self, frame: u64) -> &mut Slot {
        let slot = &mut self.slots[(frame % SLOTS) as usize];
        if slot.frame != frame {
            (slot.frame, slot.expected, slot.ready) = (frame, false, false);
        }
        slot
    }
}

impl Counters {
    /// Counts a frame.
    pub fn count(&mut self, shown: Shown) {
        match shown {
            Shown::Inferred => self.inferred += 1,
            Shown::Interpolated => self.interpolated += 1,
            Shown::Held | Shown::Missing => self.late += 1,
            Shown::Rest => self.resting += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(value: u8) -> Patch {
        let mut patch = Patch::default();
        patch.fill(|_| [value; 3]);
        patch
    }

    fn shown(reel: &Reel, frame: u64) -> (Shown, u8) {
        let mut patch = grey(7);
        let shown = reel.show(frame, &mut patch);
        (shown, patch.pixels().next().map_or(0, |p| p[0]))
    }

    #[test]
    fn what_is_missing_lies_between_its_neighbours_and_is_counted() {
        let mut reel = Reel::default();
        (10..16).for_each(|frame| reel.expect(frame));
        reel.put(10, &grey(100));
        reel.put(12, &grey(200));
        let frames = [10, 11, 12, 13, 16].map(|frame| shown(&reel, frame));
        let expected = [(Shown::Inferred, 100), (Shown::Interpolated, 150), (Shown::Inferred, 200), (Shown::Held, 200)];
        assert_eq!(frames[..4], expected);
        assert_eq!(frames[4], (Shown::Rest, 7));
        let mut counters = Counters::default();
        frames.iter().for_each(|(shown, _)| counters.count(*shown));
        assert_eq!(counters, Counters { inferred: 2, interpolated: 1, late: 1, resting: 1 });
    }

    #[test]
    fn a_wider_gap_is_crossed_evenly_and_a_hole_is_not() {
        let mut reel = Reel::default();
        (20..40).for_each(|frame| reel.expect(frame));
        reel.put(20, &grey(100));
        reel.put(24, &grey(200));
        assert_eq!([21, 22, 23].map(|frame| shown(&reel, frame).1), [125, 150, 175]);
        assert_eq!(shown(&reel, 29), (Shown::Missing, 7));
    }

    #[test]
    fn what_is_taken_back_or_no_longer_wanted_is_not_shown() {
        let mut reel = Reel::default();
        (0..60).for_each(|frame| reel.expect(frame));
        reel.put(5, &grey(1));
        assert_eq!(shown(&reel, 5).0, Shown::Rest, "its place was taken by a later frame");
        reel.put(50, &grey(1));
        reel.forget_from(50);
        reel.put(51, &grey(1));
        assert_eq!((shown(&reel, 50).0, shown(&reel, 51).0), (Shown::Rest, Shown::Rest));
    }
}
