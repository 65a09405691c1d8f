//! What lies between one call's media thread and the thread of the network: sound and the time one way, mouths the
//! other. The network's thread has a low priority and may be kept from its work while it holds the desk; so the media
//! thread does not wait for it to show a frame, only (for a copy of a few kilobytes) to tell sound.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::patch::Patch;
use super::reel::{Counters, Reel, Shown};
use crate::media::{MediaTime, VIDEO_FRAME_TICKS};

/// Pieces of sound that wait to be heard; a further one takes the place of the newest, which then is never seen on the
/// lips. A call lays eight clauses ahead at most.
const MOST_ORDERS: usize = 32;

/// Sound as it was told: from when on, and what.
pub type Told = (MediaTime, Vec<i16>);

#[derive(Default)]
struct State {
    now: u64,
    /// From the frame that is shown to the place in the footage then.
    lead: i64,
    told: Vec<Told>,
    /// The first frame of which the mouth is another one by what was told and is not heard yet.
    stale: Option<u64>,
    reel: Reel,
    counters: Counters,
}

impl State {
    fn stand(&mut self, frame: u64, place: u64) {
        (self.now, self.lead) = (frame, place.cast_signed().wrapping_sub(frame.cast_signed()));
    }
}

/// One for each call.
#[derive(Default)]
pub struct Desk {
    state: Mutex<State>,
    /// Frames for which the desk was not free.
    missed: AtomicU64,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By the media thread: from `at` on `pcm` is heard, then silence.
    pub fn tell(&self, at: MediaTime, pcm: &[i16]) {
        let mut state = self.state();
        if state.told.len() == MOST_ORDERS {
            state.told.pop();
        }
        state.told.push((at, pcm.to_vec()));
        let frame = at.0 / VIDEO_FRAME_TICKS;
        state.stale = Some(state.stale.map_or(frame, |stale| stale.min(frame)));
        state.reel.forget_from(frame);
    }

    /// By the media thread: at `frame`, which is not before the one that is shown next, the footage is at `place`.
    pub fn place(&self, frame: u64, place: u64) {
        self.state().stand(frame, place);
    }

    /// By the media thread: puts the mouth of `frame`, which is shown now on the picture of `place`, into `patch`. `None`
    /// if the desk is not free: then what was shown before still is.
    pub fn show(&self, frame: u64, place: u64, patch: &mut Patch) -> Option<Shown> {
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.missed.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        };
        state.stand(frame, place);
        let shown = state.reel.show(frame, patch);
        state.counters.count(shown);
        Some(shown)
    }

    /// By the network's thread: what was told since, the frame that is shown now and how far ahead of it the footage is.
    pub fn take(&self, told: &mut Vec<Told>) -> (u64, i64) {
        let mut state = self.state();
        told.append(&mut state.told);
        state.stale = None;
        (state.now, state.lead)
    }

    /// By the network's thread: these frames are of speech.
    pub fn expect(&self, frames: impl Iterator<Item = u64>) {
        let mut state = self.state();
        let stale = state.stale.unwrap_or(u64::MAX);
        frames.filter(|frame| *frame < stale).for_each(|frame| state.reel.expect(frame));
    }

    /// By the network's thread: the mouth of a frame.
    pub fn put(&self, frame: u64, patch: &Patch) {
        let mut state = self.state();
        if state.stale.is_none_or(|stale| frame < stale) {
            state.reel.put(frame, patch);
        }
    }

    pub fn counters(&self) -> Counters {
        let counters = self.state().counters;
        Counters { late: counters.late + self.missed.load(Ordering::Relaxed), ..counters }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn white() -> Patch {
        let mut patch = Patch::default();
        patch.fill(|_| [255; 3]);
        patch
    }

    #[test]
    fn a_mouth_made_for_sound_that_was_taken_back_is_not_shown() {
        let desk = Desk::default();
        let mut told = Vec::new();
        desk.tell(MediaTime(0), &[1; 96_000]);
        assert_eq!(desk.take(&mut told), (0, 0));
        assert_eq!(told.len(), 1);
        desk.expect(0..20);
        desk.put(5, &white());
        desk.tell(MediaTime(10 * VIDEO_FRAME_TICKS), &[]);
        desk.put(9, &white());
        desk.put(10, &white());
        let mut patch = Patch::default();
        let shown = [5, 9, 10].map(|frame| desk.show(frame, frame + 100, &mut patch));
        assert_eq!(shown, [Some(Shown::Inferred), Some(Shown::Inferred), Some(Shown::Rest)]);
        assert_eq!(desk.take(&mut told), (10, 100));
        assert_eq!(desk.counters(), Counters { inferred: 2, resting: 1, ..Counters::default() });
    }

    #[test]
    fn a_desk_that_is_not_free_is_not_waited_for() {
        let desk = Desk::default();
        let mut patch = white();
        let held = desk.state();
        assert_eq!(desk.show(1, 1, &mut patch), None);
        drop(held);
        assert_eq!(patch, white());
        assert_eq!(desk.counters(), Counters { late: 1, ..Counters::default() });
    }

    #[test]
    fn sound_that_nobody_hears_does_not_pile_up() {
        let desk = Desk::default();
        (0..100).for_each(|n| desk.tell(MediaTime(n), &[0; 10]));
        let mut told = Vec::new();
        desk.take(&mut told);
        assert_eq!(told.len(), MOST_ORDERS);
        assert_eq!(told.last().map(|told| told.0), Some(MediaTime(99)));
    }
}
