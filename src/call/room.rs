//! The room around the caller's microphone: its faint noise, and what the loudspeaker plays, somewhat later and
//! fainter, as it is for people without a headset. Samples in, samples out; nothing here knows the time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::media::{AUDIO_FRAME, MEDIA_HZ};

/// Beyond its delay the loudspeaker is at most this far ahead (a burst of late packets); older sound is dropped.
const SLACK: usize = 10 * AUDIO_FRAME;
/// Where the noise begins; the same in every call, so that a call can be repeated.
const SEED: u32 = 0x5eed;

/// How the loudspeaker is heard by the microphone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EchoPath {
    /// Of the sound as it was received: -20 is a loud laptop, 0 as loud as received.
    pub gain_db: f64,
    /// From the arrival of a packet to its sound at the microphone.
    pub delay: Duration,
}

/// Silent unless told otherwise.
#[derive(Default)]
pub(super) struct Room {
    /// Largest sample of the noise.
    noise: f64,
    random: u32,
    echo: Option<Echo>,
}

struct Echo {
    gain: f64,
    delay: usize,
    /// Not yet at the microphone; at most the delay and [`SLACK`].
    waiting: VecDeque<i16>,
}

impl Room {
    /// `noise_db` is the noise's RMS against full scale.
    pub(super) fn new(noise_db: Option<f64>, echo: Option<EchoPath>) -> Self {
        // RMS of evenly spread samples is their largest by the root of three.
        let noise = noise_db.map_or(0.0, |db| amplitude(db) * 32_768.0 * 3f64.sqrt());
        let echo = echo.map(|path| {
            let delay = (path.delay.as_secs_f64() * f64::from(MEDIA_HZ)) as usize;
            Echo { gain: amplitude(path.gain_db), delay, waiting: VecDeque::new() }
        });
        Self { noise, random: SEED, echo }
    }

    /// What the loudspeaker gets.
    pub(super) fn play(&mut self, pcm: &[i16]) {
        let Some(echo) = &mut self.echo else { return };
        if echo.waiting.is_empty() {
            echo.waiting.resize(echo.delay, 0);
        }
        echo.waiting.extend(pcm);
        let surplus = echo.waiting.len().saturating_sub(echo.delay + SLACK);
        echo.waiting.drain(..surplus);
    }

    /// Adds the next moments of the room to a frame.
    pub(super) fn mix(&mut self, frame: &mut [i16]) {
        for sample in frame {
            let echoed = self.echo.as_mut().and_then(|echo| Some(f64::from(echo.waiting.pop_front()?) * echo.gain));
            let sum = f64::from(*sample) + echoed.unwrap_or_default() + self.hiss();
            // The cast saturates, as a microphone does.
            *sample = sum.round() as i16;
        }
    }

    fn hiss(&mut self) -> f64 {
        if self.noise == 0.0 {
            return 0.0;
        }
        // Numerical Recipes' generator; its upper bits are good enough for noise.
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(self.random) / f64::from(u32::MAX) * 2.0 - 1.0) * self.noise
    }
}

fn amplitude(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use super::super::microphone::rms;
    use super::*;

    fn echo(gain_db: f64, millis: u64) -> Room {
        Room::new(None, Some(EchoPath { gain_db, delay: Duration::from_millis(millis) }))
    }

    #[test]
    fn a_room_is_silent_unless_told_otherwise() {
        let mut frame = [1_234; AUDIO_FRAME];
        Room::default().mix(&mut frame);
        assert_eq!(frame, [1_234; AUDIO_FRAME]);
    }

    #[test]
    fn noise_has_its_level_and_is_the_same_every_time() {
        let hiss = || {
            let mut pcm = vec![0; 48_000];
            Room::new(Some(-65.0), None).mix(&mut pcm);
            pcm
        };
        let db = 20.0 * (rms(&hiss()) / 32_768.0).log10();
        assert!((db + 65.0).abs() < 0.3, "{db} dB");
        assert_eq!(hiss(), hiss());
    }

    #[test]
    fn the_loudspeaker_is_heard_fainter_and_later() {
        let mut room = echo(-20.0, 50);
        let mut heard = Vec::new();
        for n in 0..10 {
            room.play(&[if n < 2 { 10_000 } else { 0 }; AUDIO_FRAME]);
            let mut frame = [0; AUDIO_FRAME];
            room.mix(&mut frame);
            heard.extend(frame);
        }
        let expected: Vec<i16> =
            (0..heard.len()).map(|n| if (2_400..2_400 + 2 * AUDIO_FRAME).contains(&n) { 1_000 } else { 0 }).collect();
        assert_eq!(heard, expected);
    }

    #[test]
    fn a_voice_and_an_echo_add_up_and_never_wrap() {
        let mut room = echo(0.0, 0);
        room.play(&[30_000; 4]);
        let mut frame = [1_000, 30_000, -30_000, 0, 77];
        room.mix(&mut frame);
        assert_eq!(frame, [31_000, 32_767, 0, 30_000, 77]);
    }

    #[test]
    fn a_burst_of_packets_does_not_pile_up() {
        let mut room = echo(0.0, 100);
        for _ in 0..1_000 {
            room.play(&[1; AUDIO_FRAME]);
        }
        assert_eq!(room.echo.map(|echo| echo.waiting.len()), Some(4_800 + SLACK));
    }
}
