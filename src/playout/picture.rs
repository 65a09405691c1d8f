//! What a call sees: pictures of its own while its face attends to somebody, the shared [`Rest`] of the face else.
//!
//! Both ways over are without a jump. Away from the rest, the call's own life goes on from the pose that was seen last.
//! Back to it, its pose is led into that of the rest within [`APPROACH`] pictures, and then the stream is entered at its
//! next key frame.

use std::sync::Arc;

use super::rest::{Rest, Seat, Taken};
use super::studio::Studio;
use crate::face::{Life, Lips, Mouth};
use crate::media::{Attention, MediaTime, Speech};
use crate::video::{EncodedPicture, VideoError};

/// Pictures after which a face that attends to nothing goes to its rest, and those in which it goes (0.6 s each).
const CALM: u16 = 15;
const APPROACH: u16 = 15;

/// What draws and encodes the picture of one call.
pub struct Picture {
    lips: Lips,
    seed: u64,
    /// Media time of the last picture.
    last: MediaTime,
    state: State,
}

enum State {
    Resting(Seat),
    Own(Box<Own>),
}

struct Own {
    studio: Studio,
    life: Life,
    rest: Arc<Rest>,
    /// Pictures since something was attended to.
    calm: u16,
    /// Where the way to the rest leads, and how far along it the pose is, up to [`APPROACH`].
    seat: Option<Seat>,
    way: u16,
}

impl Picture {
    /// `seed` makes what this call's face decides its own.
    pub fn new(rest: &Arc<Rest>, seed: u64) -> Result<Self, VideoError> {
        let seat = rest.sit(0);
        let own = Own::new(&seat, seat.branch(MediaTime::ZERO, seed))?;
        Ok(Self { lips: Lips::new(), seed, last: MediaTime::ZERO, state: State::Own(Box::new(own)) })
    }

    /// Shows another face from the next picture on, faded over from the one that is seen.
    pub(super) fn show(&mut self, rest: &Arc<Rest>) -> Result<(), VideoError> {
        let seat = rest.sit(0);
        let (life, seen) = match &self.state {
            State::Resting(old) => (old.branch(self.last, self.seed), old.seen()),
            State::Own(own) => (own.life.clone(), Some(own.studio.seen().clone())),
        };
        let mut own = Own::new(&seat, life)?;
        if let Some(seen) = seen {
            own.studio.fade_from(seen);
        }
        self.state = State::Own(Box::new(own));
        Ok(())
    }

    /// The rest of a clause, from its sample `from` on, is heard at `at`.
    pub(super) fn say_from(&mut self, from: usize, at: MediaTime, speech: &Speech) -> Result<(), VideoError> {
        self.lips.say_from(from, at, speech);
        let own = self.own()?;
        own.studio.hear(at, speech.pcm.get(from..).unwrap_or_default());
        Ok(())
    }

    /// Nothing that was laid is heard from `at` on.
    pub(super) fn cut(&mut self, at: MediaTime) {
        self.lips.cut(at);
        if let State::Own(own) = &mut self.state {
            own.studio.hear(at, &[]);
        }
    }

    /// Leaves the rest for pictures of its own, if it is there.
    fn own(&mut self) -> Result<&mut Own, VideoError> {
        if let State::Resting(seat) = &self.state {
            let own = Own::new(seat, seat.branch(self.last, self.seed))?;
            self.state = State::Own(Box::new(own));
        }
        match &mut self.state {
            State::Own(own) => Ok(own),
            State::Resting(_) => unreachable!("it was left"),
        }
    }

    /// The picture of an instant, and the mouth in it. With `key_frame` it is one.
    pub fn next(
        &mut self,
        at: MediaTime,
        attention: Attention,
        key_frame: bool,
    ) -> Result<Option<(EncodedPicture, Mouth)>, VideoError> {
        let mouth = self.lips.mouth_at(at);
        let calm = attention == Attention::Idle && mouth.is_at_rest();
        if let State::Resting(seat) = &mut self.state
            && calm
            && !key_frame
            && let Taken::Picture(picture) = seat.take()?
        {
            self.last = at;
            return Ok(Some((picture, Mouth::REST)));
        }
        let own = self.own()?;
        own.approach(calm);
        if own.way == APPROACH
            && !key_frame
            && let Some(seat) = &mut own.seat
        {
            match seat.take()? {
                Taken::Picture(picture) => {
                    if let Some(seat) = own.seat.take() {
                        self.state = State::Resting(seat);
                    }
                    self.last = at;
                    return Ok(Some((picture, Mouth::REST)));
                }
                Taken::Wait => {}
                Taken::Lost => (own.seat, own.way) = (None, 0),
            }
        }
        let encoded = own.picture(at, attention, mouth, key_frame)?;
        self.last = at;
        Ok(encoded.map(|encoded| (encoded, mouth)))
    }

    /// True while the pictures are those of the shared rest.
    #[cfg(test)]
    fn is_resting(&self) -> bool {
        matches!(self.state, State::Resting(_))
    }
}

impl Own {
    fn new(seat: &Seat, life: Life) -> Result<Self, VideoError> {
        let rest = Arc::clone(seat.rest());
        let mut studio = rest.studio()?;
        studio.settle(&life.pose(Mouth::REST));
        Ok(Self { studio, life, rest, calm: 0, seat: None, way: 0 })
    }

    /// A picture further to the rest, or away from it.
    fn approach(&mut self, calm: bool) {
        self.calm = if calm { self.calm.saturating_add(1) } else { 0 };
        if self.calm > CALM {
            let arrived = self.way == APPROACH;
            let seat = self.seat.get_or_insert_with(|| self.rest.sit(self.life.frame()));
            // One who has arrived goes on by asking for pictures.
            if !arrived {
                self.way += 1;
                seat.pass();
            }
        } else if let Some(seat) = &mut self.seat {
            seat.pass();
            self.way = self.way.saturating_sub(2);
            if self.way == 0 {
                self.seat = None;
            }
        }
    }

    fn picture(
        &mut self,
        at: MediaTime,
        attention: Attention,
        mouth: Mouth,
        key_frame: bool,
    ) -> Result<Option<EncodedPicture>, VideoError> {
        let mut pose = self.life.pose_at(at, attention, mouth);
        if let Some(seat) = &self.seat {
            let x = f32::from(self.way) / f32::from(APPROACH);
            pose = pose.towards(&seat.pose(), x * x * (3.0 - 2.0 * x));
            pose.mouth = mouth;
        }
        self.studio.picture(&pose, key_frame)
    }
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
