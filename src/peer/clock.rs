//! One clock for both tracks: media time to RTP timestamps, and the anchor that ties media time to wall time in
//! sender reports. Pure.
//!
//! Reports that each extrapolate from their own track's last packet would carry that track's encoding and queueing
//! delay into lip sync. Here both tracks are reported from one anchor, so they agree exactly.

use std::time::{Duration, Instant};

use crate::media::MediaTime;

/// Media time to RTP timestamps (RFC 3550 section 5.1: the start is random).
#[derive(Clone, Copy, Debug)]
pub(super) struct RtpClock {
    /// Media ticks added before conversion, the same for both tracks. A multiple of 8, so that video is exact.
    base: u64,
}

impl RtpClock {
    pub(super) fn new(random: u32) -> Self {
        Self { base: u64::from(random & !7) }
    }

    /// 48 kHz.
    pub(super) fn audio(self, at: MediaTime) -> u32 {
        (self.base + at.0) as u32
    }

    /// 90 kHz: 15 ticks for 8 of the media clock.
    pub(super) fn video(self, at: MediaTime) -> u32 {
        ((self.base + at.0) * 15 / 8) as u32
    }
}

/// When media time zero was, judged by the packets that left earliest for their media time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MediaAnchor {
    /// Wall instant of media time zero, and when that was last looked at.
    zero: Option<(Instant, Instant)>,
}

/// How fast a late judgement may push the anchor back: a hundredth, so that a stall is followed within seconds
/// and the jitter of single packets is not followed at all.
const FORGET_DIVISOR: u32 = 100;

impl MediaAnchor {
    /// A packet of media time `at` leaves at `now`.
    pub(super) fn observe(&mut self, now: Instant, at: MediaTime) {
        let Some(candidate) = now.checked_sub(Duration::from_nanos(at.0 * 1_000_000 / 48)) else { return };
        let zero = match self.zero {
            Some((zero, seen)) => candidate.min(zero + now.saturating_duration_since(seen) / FORGET_DIVISOR),
            None => candidate,
        };
        self.zero = Some((zero, now));
    }

    /// The media time that belongs to `now`; none before the first packet.
    pub(super) fn media_time(&self, now: Instant) -> Option<MediaTime> {
        let (zero, _) = self.zero?;
        Some(MediaTime((now.saturating_duration_since(zero).as_nanos() * 48 / 1_000_000) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tracks_show_the_same_instant_over_the_wrap_of_32_bits() {
        let clock = RtpClock::new(0xffff_0000);
        for frame in 0..200_000u64 {
            let at = MediaTime(frame * 960);
            let audio = clock.audio(at).wrapping_sub(clock.audio(MediaTime::ZERO));
            let video = clock.video(at).wrapping_sub(clock.video(MediaTime::ZERO));
            assert_eq!(u64::from(audio), (frame * 960) & 0xffff_ffff);
            assert_eq!(u64::from(video), (frame * 1800) & 0xffff_ffff);
        }
    }

    #[test]
    fn jitter_does_not_move_the_anchor() {
        let start = tokio::time::Instant::now().into_std();
        let mut anchor = MediaAnchor::default();
        for frame in 0..500u64 {
            let late = Duration::from_millis([0, 7, 25, 3][frame as usize % 4]);
            anchor.observe(start + Duration::from_millis(frame * 20) + late, MediaTime(frame * 960));
        }
        let read = anchor.media_time(start + Duration::from_secs(10)).unwrap();
        assert!(read.0.abs_diff(480_000) <= 48, "{read:?}");
    }

    #[test]
    fn a_stall_is_followed() {
        let start = tokio::time::Instant::now().into_std();
        let mut anchor = MediaAnchor::default();
        anchor.observe(start, MediaTime::ZERO);
        for frame in 1..1500u64 {
            anchor.observe(start + Duration::from_millis(frame * 20 + 200), MediaTime(frame * 960));
        }
        let read = anchor.media_time(start + Duration::from_millis(30_200)).unwrap();
        assert!(read.0.abs_diff(30_000 * 48) <= 480, "{read:?}");
    }
}
