//! A face at rest, drawn and encoded once for all calls that see it.
//!
//! A call at rest has a [`Seat`] and takes one picture after another. The call that is first to need a picture makes it,
//! on its own media thread; the others get the same bytes. Nothing is drawn while nobody sits. A stream of H.264 can only
//! be entered at a key frame, so a new seat waits for one: it comes at once if the room is empty, else when the last one
//! is [`KEY_GAP`] old. Until then the call shows pictures of its own, in the pose that [`Seat::pose`] tells.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::studio::Studio;
use crate::face::{Face, Life, Mouth, Pose, Rgba};
use crate::media::{Attention, MediaTime, VIDEO_FRAME_TICKS};
use crate::metrics::Metrics;
use crate::video::{EncodedPicture, VideoError, VideoSettings};

/// Pictures from one key frame that was asked for to the next: key frames are large, and all who sit get them.
const KEY_GAP: u64 = 25;
/// Pictures that are kept for calls whose media thread is behind (half a second).
const KEPT: usize = 13;

/// See the module's text.
pub struct Rest {
    /// Of which each stream gets a copy.
    face: Mutex<Box<dyn Face>>,
    settings: VideoSettings,
    metrics: Arc<Metrics>,
    room: Mutex<Room>,
}

struct Room {
    /// None while nobody sits.
    studio: Option<Studio>,
    /// The newest last; never empty.
    instants: VecDeque<Instant>,
    /// All seats, and those that take pictures.
    seats: usize,
    taken: usize,
    /// Number of the picture that was encoded last, and of the last key frame.
    encoded: u64,
    key_frame: u64,
}

/// One picture's time on the clock of the room.
struct Instant {
    number: u64,
    life: Life,
    picture: Option<Drawn>,
}

#[derive(Clone)]
struct Drawn {
    encoded: EncodedPicture,
    /// The picture that it builds upon, if it is no key frame.
    after: u64,
}

impl Instant {
    fn pose(&self) -> Pose {
        self.life.pose(Mouth::REST)
    }
}

/// What a seat gets.
#[derive(Debug)]
pub(super) enum Taken {
    Picture(EncodedPicture),
    /// Another call was given a key frame a moment ago; ask again with the next picture.
    Wait,
    /// The call missed pictures that it cannot do without.
    Lost,
}

/// A call's place at the stream.
pub(super) struct Seat {
    rest: Arc<Rest>,
    /// The picture that the call saw last, by number.
    number: u64,
    taken: bool,
}

impl Rest {
    /// `seed` makes this face's blinks and glances its own.
    pub fn new(face: Box<dyn Face>, settings: VideoSettings, seed: u64, metrics: Arc<Metrics>) -> Arc<Self> {
        let first = Instant { number: 0, life: Life::new(seed), picture: None };
        let room =
            Room { studio: None, instants: VecDeque::from([first]), seats: 0, taken: 0, encoded: 0, key_frame: 0 };
        Arc::new(Self { face: Mutex::new(face), settings, metrics, room: Mutex::new(room) })
    }

    /// A studio of the same face, for pictures of a call's own.
    pub(super) fn studio(&self) -> Result<Studio, VideoError> {
        let face = self.face.lock().unwrap_or_else(PoisonError::into_inner).copy();
        Studio::new(face, &self.settings, Arc::clone(&self.metrics))
    }

    /// A place in the room; its pose follows at the caller's pace from now on. The clock of an empty room may have stood
    /// still: it goes on from `frame` at least, where the caller's own life is.
    pub(super) fn sit(self: &Arc<Self>, frame: u64) -> Seat {
        let mut room = self.room();
        // Not ahead of those who are here: they may have gone on in this beat already, and the caller will.
        let number = match (room.taken, room.seats) {
            (0, 0) => {
                room.jump(frame);
                room.newest()
            }
            (0, _) => room.newest().saturating_sub(1),
            _ => room.encoded.saturating_sub(1),
        };
        room.seats += 1;
        drop(room);
        Seat { rest: Arc::clone(self), number, taken: false }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // A face that panicked ends the call that drew it, not the others.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn newest(&self) -> u64 {
        self.instants.back().map_or(0, |instant| instant.number)
    }

    /// Lives on up to this picture.
    fn reach(&mut self, number: u64) {
        while let Some(last) = self.instants.back().filter(|last| last.number < number) {
            let (number, mut life) = (last.number + 1, last.life.clone());
            life.pose_at(MediaTime(number * VIDEO_FRAME_TICKS), Attention::Idle, Mouth::REST);
            self.instants.push_back(Instant { number, life, picture: None });
            if self.instants.len() > KEPT {
                self.instants.pop_front();
            }
        }
    }

    /// Lives on to this picture without those on the way, if it is ahead.
    fn jump(&mut self, number: u64) {
        let Some(last) = self.instants.back().filter(|last| last.number + KEPT as u64 <= number) else {
            return self.reach(number);
        };
        let mut life = last.life.clone();
        life.pose_at(MediaTime(number * VIDEO_FRAME_TICKS), Attention::Idle, Mouth::REST);
        self.instants.clear();
        self.instants.push_back(Instant { number, life, picture: None });
    }

    /// The instant of this number, or the oldest one that is kept.
    fn at(&self, number: u64) -> Option<&Instant> {
        self.instants.iter().find(|instant| instant.number >= number).or(self.instants.back())
    }
}

impl Seat {
    /// The pose of the picture that the call saw last.
    pub(super) fn pose(&self) -> Pose {
        self.rest.room().at(self.number).map(Instant::pose).unwrap_or_default()
    }

    /// The life that led there, as of a call in which it is `t` now.
    pub(super) fn branch(&self, t: MediaTime, seed: u64) -> Life {
        self.rest.room().at(self.number).map_or_else(|| Life::new(seed), |instant| instant.life.branch(t, seed))
    }

    /// What was seen last, for a seat that takes pictures.
    pub(super) fn seen(&self) -> Option<Rgba> {
        self.rest.room().studio.as_ref().map(|studio| studio.seen().clone())
    }

    pub(super) fn rest(&self) -> &Arc<Rest> {
        &self.rest
    }

    /// Goes on by a picture without taking it.
    pub(super) fn pass(&mut self) {
        self.number += 1;
        let mut room = self.rest.room();
        room.reach(self.number);
        if room.instants.front().is_some_and(|oldest| oldest.number > self.number) {
            self.number = room.newest();
        }
    }

    /// The next picture. The first one is a key frame.
    pub(super) fn take(&mut self) -> Result<Taken, VideoError> {
        let Self { rest, number, taken } = self;
        let mut guard = rest.room();
        let room = &mut *guard;
        let entering = !*taken;
        let made = room.instants.iter().filter(|instant| instant.number > *number).find_map(|instant| {
            let drawn = instant.picture.as_ref()?;
            (!entering || drawn.encoded.key_frame).then_some((instant.number, drawn))
        });
        if let Some((at, drawn)) = made {
            if !drawn.encoded.key_frame && drawn.after != *number {
                return Ok(Taken::Lost);
            }
            let picture = drawn.encoded.clone();
            (room.taken, *number, *taken) = (room.taken + usize::from(entering), at, true);
            return Ok(Taken::Picture(picture));
        }
        if !entering && room.encoded != *number {
            return Ok(Taken::Lost);
        }
        // What was encoded before can not be added to in its past.
        let next = (*number + 1).max(room.encoded + 1);
        if entering && room.taken > 0 && next < room.key_frame + KEY_GAP {
            room.reach(next);
            *number = next;
            return Ok(Taken::Wait);
        }
        room.reach(next);
        let studio = match &mut room.studio {
            Some(studio) => studio,
            none => none.insert(rest.studio()?),
        };
        let Some(instant) = room.instants.iter_mut().find(|instant| instant.number >= next) else {
            return Ok(Taken::Lost);
        };
        if room.taken == 0 {
            studio.settle(&instant.pose());
        }
        let Some(encoded) = studio.picture(&instant.pose(), entering)? else { return Ok(Taken::Wait) };
        instant.picture = Some(Drawn { encoded: encoded.clone(), after: room.encoded });
        let at = instant.number;
        room.encoded = at;
        if encoded.key_frame {
            room.key_frame = at;
        }
        (room.taken, *number, *taken) = (room.taken + usize::from(entering), at, true);
        Ok(Taken::Picture(encoded))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut room = self.rest.room();
        room.seats -= 1;
        if self.taken {
            room.taken -= 1;
            if room.taken == 0 {
                room.studio = None;
                for instant in &mut room.instants {
                    instant.picture = None;
                }
            }
        }
    }
}
