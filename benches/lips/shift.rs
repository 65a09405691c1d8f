//! How far sound and picture are apart: the shift at which the openings that were received fit best to the mouth that
//! belongs to the received sound.

use visavis::face::Lips;
use visavis::media::{MEDIA_HZ, MediaTime, TimedPhoneme};

use super::follows::correlation;
use super::lag::peak;
use super::line::Line;

/// Milliseconds in which the shift is looked for, both ways.
const REACH: i64 = 250;
/// Seconds before the first and after the last sound in which the mouth moves.
const AROUND: f64 = 0.2;
/// A worse fit than this is none: the mouth did something else.
const LEAST_FIT: f64 = 0.5;

/// Of one line.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    /// Milliseconds by which pictures are later than they are meant to be; below zero, earlier. The lead that is meant
    /// is within what is meant.
    pub late_ms: f64,
    /// Correlation there.
    pub fit: f64,
}

/// `lag`: from the voice's times to its sound, in seconds. `None` where nothing fits.
pub fn shift(line: &Line, lag: f64) -> Option<Shift> {
    let track = track(line, lag);
    let span = line.sounding.start - AROUND..line.sounding.end + AROUND;
    let frames: Vec<_> = line.frames.iter().filter(|frame| span.contains(&frame.seconds)).collect();
    let seen: Vec<f64> = frames.iter().map(|frame| frame.opening).collect();
    let fits = (-REACH..=REACH).map(|shift| {
        let meant = frames.iter().map(|frame| at(&track, frame.seconds * 1000.0 - shift as f64));
        correlation(&seen, &meant.collect::<Vec<_>>())
    });
    let fits: Vec<f64> = fits.collect();
    let best = peak(&fits);
    let fit = *fits.get(best.round() as usize)?;
    (fit > LEAST_FIT).then_some(Shift { late_ms: best - REACH as f64, fit })
}

/// The gap between the lips that is meant for each millisecond of the received sound.
fn track(line: &Line, lag: f64) -> Vec<f64> {
    let by = (lag * f64::from(MEDIA_HZ)) as i64;
    let moved = |samples: u64| samples.saturating_add_signed(by);
    let phonemes: Vec<TimedPhoneme> = line
        .phonemes
        .iter()
        .map(|phoneme| TimedPhoneme { start: moved(phoneme.start), end: moved(phoneme.end), ..phoneme.clone() })
        .collect();
    let mut lips = Lips::new();
    lips.say(MediaTime::ZERO, &phonemes, &line.pcm);
    let millis = line.pcm.len() as u64 * 1000 / u64::from(MEDIA_HZ);
    let gap = |millis: u64| f64::from(lips.mouth_at(MediaTime::from_millis(millis)).open);
    (0..millis).map(gap).collect()
}

fn at(track: &[f64], millis: f64) -> f64 {
    let low = millis.floor();
    let value = |at: f64| if at < 0.0 { 0.0 } else { track.get(at as usize).copied().unwrap_or(0.0) };
    value(low) + (value(low + 1.0) - value(low)) * (millis - low)
}

#[cfg(test)]
mod tests {
    use super::super::line::known;
    use super::*;

    #[test]
    fn pictures_that_are_late_or_early_are_found_out() {
        for late in [-0.040, -0.007, 0.0, 0.013, 0.100] {
            let found = shift(&known::line(0.0, late), 0.0).unwrap();
            assert!((found.late_ms - late * 1000.0).abs() < 2.0 && found.fit > 0.98, "{late} s: {found:?}");
        }
        // Times of the voice that are off by 20 ms make pictures early by as much, until they are set right.
        let line = known::line(0.020, 0.0);
        assert!((shift(&line, 0.0).unwrap().late_ms - 20.0).abs() < 2.0);
        assert!(shift(&line, 0.020).unwrap().late_ms.abs() < 2.0);
    }

    #[test]
    fn a_mouth_that_does_something_else_fits_nowhere() {
        let mut line = known::line(0.0, 0.0);
        for (n, frame) in line.frames.iter_mut().enumerate() {
            frame.opening = 5.0 + 5.0 * (n as f64 * 1.3).sin();
        }
        assert!(shift(&line, 0.0).is_none());
    }
}
