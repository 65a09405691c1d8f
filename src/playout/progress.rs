//! How far playout has come and when it passed what a latency is counted from: one small value that the session reads.
//!
//! PURE. The timeline keeps count of the sound; the stage adds the instants at which packets and pictures were handed
//! to the peer, as it alone reads the clock. Only the latest value is kept for a reader, so nothing here is an event.

use std::time::Instant;

use super::timeline::Due;
use crate::face::Mouth;
use crate::media::TurnId;

/// The newest answer that sounded, and how much of it was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Zero before the first answer.
    pub turn: TurnId,
    /// Ticks of the answer's sound that were heard in whole, pauses for missing sound not counted. It stands at the
    /// place of the cut while the answer is held, and goes back to the beginning of the word that was cut at release.
    pub played: u64,
    /// All of it went out; no more follows.
    pub ended: bool,
    /// Nothing is heard until the release.
    pub held: bool,
    /// Left empty by the timeline, which knows no clock.
    pub moments: Moments,
}

/// When playout did what somebody waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    /// The first packet of the newest answer's sound was handed over.
    pub first_sound: Option<Instant>,
    /// The first picture that shows the mouth move for that answer was handed over.
    pub first_movement: Option<Instant>,
    /// The last packet with answer sound before the last hold or silence was handed over; the frame that fades out is
    /// such a packet. A hold or silence between which and the one before nothing sounded changes nothing.
    pub last_sound: Option<Instant>,
    /// The first picture after that packet with the lips at rest was handed over.
    pub lips_at_rest: Option<Instant>,
    /// Which answer the first two are of.
    turn: TurnId,
    /// The last packet with sound since the last stop.
    sounded: Option<Instant>,
}

impl Moments {
    /// A packet was handed over.
    pub fn packet(&mut self, due: &Due, now: Instant) {
        if let Some(turn) = due.speaking {
            self.sounded = Some(now);
            if turn != self.turn {
                *self = Self { turn, first_sound: Some(now), first_movement: None, ..*self };
            }
        }
        if due.fading {
            *self = Self { last_sound: Some(now), lips_at_rest: None, ..*self };
        }
    }

    /// A hold or silence is carried out before the next packet.
    pub fn stop(&mut self) {
        if let Some(sounded) = self.sounded.take() {
            *self = Self { last_sound: Some(sounded), lips_at_rest: None, ..*self };
        }
    }

    /// A picture was handed over.
    pub fn picture(&mut self, mouth: &Mouth, now: Instant) {
        let seen = if mouth.is_at_rest() {
            self.last_sound.and(Some(&mut self.lips_at_rest))
        } else {
            self.first_sound.and(Some(&mut self.first_movement))
        };
        if let Some(seen) = seen {
            seen.get_or_insert(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock;
    use crate::media::MediaTime;

    fn due(speaking: Option<u64>, fading: bool) -> Due {
        Due { at: MediaTime::ZERO, speaking: speaking.map(TurnId), fading, picture: false }
    }

    #[test]
    fn the_first_sound_and_movement_are_those_of_the_newest_answer() {
        let (start, mut moments) = (clock::now(), Moments::default());
        let at = |millis| start + Duration::from_millis(millis);
        let open = Mouth { open: 0.5, ..Mouth::REST };
        moments.packet(&due(None, false), at(0));
        moments.picture(&open, at(10));
        assert_eq!(moments, Moments::default());
        moments.packet(&due(Some(1), false), at(20));
        moments.picture(&Mouth { open: 0.02, stress: 1.0, tongue: 1.0, ..Mouth::REST }, at(21));
        moments.packet(&due(Some(1), false), at(40));
        moments.picture(&open, at(60));
        moments.picture(&open, at(100));
        assert_eq!((moments.first_sound, moments.first_movement), (Some(at(20)), Some(at(60))));
        moments.packet(&due(Some(2), false), at(200));
        assert_eq!((moments.first_sound, moments.first_movement), (Some(at(200)), None));
    }

    #[test]
    fn the_last_sound_of_a_stop_is_the_fade_and_stays_until_the_next_stop() {
        let (start, mut moments) = (clock::now(), Moments::default());
        let at = |millis| start + Duration::from_millis(millis);
        moments.packet(&due(Some(1), false), at(0));
        moments.stop();
        moments.packet(&due(None, true), at(20));
        moments.picture(&Mouth { jaw: 0.4, ..Mouth::REST }, at(20));
        moments.packet(&due(None, false), at(40));
        moments.picture(&Mouth::REST, at(60));
        // The answer that was held is dropped for good: what was heard last does not change.
        moments.stop();
        moments.picture(&Mouth::REST, at(100));
        assert_eq!((moments.last_sound, moments.lips_at_rest), (Some(at(20)), Some(at(60))));
        moments.packet(&due(Some(2), false), at(200));
        assert_eq!((moments.last_sound, moments.lips_at_rest), (Some(at(20)), Some(at(60))));
        // Stopped in a pause, where nothing fades.
        moments.packet(&due(None, false), at(220));
        moments.stop();
        moments.packet(&due(None, false), at(240));
        assert_eq!((moments.last_sound, moments.lips_at_rest), (Some(at(200)), None));
    }
}
