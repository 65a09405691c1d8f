//! Sound and picture on one clock, as a browser brings them there: by the sender reports of their tracks (RFC 3550
//! section 6.4.1), never by the arrival of packets. Pure.

use visavis::media::MEDIA_HZ;
use visavis::peer::SenderTime;

/// Ticks a second of the pictures' RTP time.
pub const PICTURE_HZ: u32 = 90_000;

/// What the two tracks' last reports say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clocks {
    pub sound: SenderTime,
    pub picture: SenderTime,
}

impl Clocks {
    /// `None` before both tracks were reported.
    pub fn of(times: &[SenderTime]) -> Option<Self> {
        let of = |clock_rate: u32| times.iter().find(|time| time.clock_rate == clock_rate).copied();
        Some(Self { sound: of(MEDIA_HZ)?, picture: of(PICTURE_HZ)? })
    }

    /// The sound's RTP time at which a picture is seen, in ticks after `origin` (negative: before it).
    pub fn sound_ticks(&self, picture: u32, origin: u32) -> f64 {
        let seconds = |ticks: u32, rate: u32| f64::from(ticks as i32) / f64::from(rate);
        // Both wrap: what is near is meant.
        let apart = self.picture.ntp.wrapping_sub(self.sound.ntp) as i64;
        let after = seconds(picture.wrapping_sub(self.picture.rtp), PICTURE_HZ) + apart as f64 / 2_f64.powi(32);
        f64::from(self.sound.rtp.wrapping_sub(origin) as i32) + after * f64::from(MEDIA_HZ)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_seen_at_the_sounds_time_that_the_reports_name() {
        let sound = SenderTime { clock_rate: MEDIA_HZ, ntp: 100 << 32, rtp: u32::MAX - 47_999 };
        // Reported half a second later.
        let picture = SenderTime { clock_rate: PICTURE_HZ, ntp: (100 << 32) + (1 << 31), rtp: 7 };
        let clocks = Clocks::of(&[picture, sound]).unwrap();
        // A second after its report, 1.5 s after that of the sound, whose time wraps.
        assert!((clocks.sound_ticks(90_007, sound.rtp) - 72_000.0).abs() < 0.01);
        assert!((clocks.sound_ticks(90_007, 0) - 24_000.0).abs() < 0.01);
        assert_eq!(Clocks::of(&[sound]), None);
    }
}
