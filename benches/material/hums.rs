//! Signs of listening with the mouth closed, "mhm" and "mm", which voices made from text cannot say: a hum of the vocal
//! folds through the nose. Harmonics of a gliding pitch, strong below the nasal murmur's 280 Hz (Fant, Acoustic Theory
//! of Speech Production, 1960), weak at its upper formants; between the two hums of "mhm", a breath.

use std::f64::consts::TAU;

use visavis::media::MEDIA_HZ;

use super::random::Random;

const RATE: f64 = MEDIA_HZ as f64;
/// Pitches of men and women.
const PITCH_HZ: std::ops::Range<f64> = 95.0..200.0;
const HIGHEST_HZ: f64 = 4_000.0;

/// The n-th "mhm" or "mm", by turns, with its name.
pub fn hum(nth: usize) -> (String, Vec<i16>) {
    let kind = if nth.is_multiple_of(2) { "mhm" } else { "mm" };
    let name = format!("{kind} {nth}");
    let mut random = Random::new(&name);
    let pitch = random.within(PITCH_HZ);
    let mut folds = Folds { phase: 0.0, pitch };
    let sound = match kind {
        "mhm" => {
            let mut sound = folds.hum(random.within(0.14..0.2), 1.0..0.92, 0.8);
            sound.extend(breath(&mut random));
            sound.extend(folds.hum(random.within(0.22..0.32), 1.1..1.25, 1.0));
            sound
        }
        _ => folds.hum(random.within(0.28..0.4), 1.1..0.85, 1.0),
    };
    let peak = sound.iter().fold(f64::MIN_POSITIVE, |peak, one| one.abs().max(peak));
    (name, sound.iter().map(|one| (one / peak * 16_000.0) as i16).collect())
}

struct Folds {
    phase: f64,
    pitch: f64,
}

impl Folds {
    /// `glide`: from and to which multiple of the pitch.
    fn hum(&mut self, seconds: f64, glide: std::ops::Range<f64>, strength: f64) -> Vec<f64> {
        let count = (seconds * RATE) as usize;
        let sample = |n: usize| {
            let t = n as f64 / count as f64;
            let hz = self.pitch * (glide.start + (glide.end - glide.start) * t);
            self.phase = (self.phase + hz / RATE).fract();
            let harmonics = (1..).map(f64::from).take_while(|k| k * hz < HIGHEST_HZ);
            let voice: f64 = harmonics.map(|k| nose(k * hz) * (TAU * self.phase * k).sin()).sum();
            let seconds = n as f64 / RATE;
            let left = (count - n) as f64 / RATE;
            strength * voice * (seconds / 0.04).min(left / 0.08).min(1.0)
        };
        (0..count).map(sample).collect()
    }
}

/// How the nose passes a frequency.
fn nose(hz: f64) -> f64 {
    let formant = |at: f64, width: f64| 1.0 / (1.0 + ((hz - at) / width).powi(2));
    1.0 / (1.0 + (hz / 280.0).powi(2)) + 0.03 * formant(1_000.0, 150.0) + 0.015 * formant(2_200.0, 200.0)
}

fn breath(random: &mut Random) -> Vec<f64> {
    let count = (random.within(0.05..0.08) * RATE) as usize;
    let mut sample =
        |n: usize| 0.04 * random.within(-1.0..1.0) * (std::f64::consts::PI * n as f64 / count as f64).sin();
    (0..count).map(&mut sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loudness(pcm: &[i16]) -> Vec<f64> {
        let rms = |window: &[i16]| {
            (window.iter().map(|&one| f64::from(one).powi(2)).sum::<f64>() / window.len() as f64).sqrt()
        };
        pcm.chunks(960).map(rms).collect()
    }

    #[test]
    fn mhm_is_two_hums_and_mm_is_one() {
        for nth in 0..6 {
            let (name, pcm) = hum(nth);
            assert_eq!((name.as_str(), &pcm), (hum(nth).0.as_str(), &hum(nth).1));
            let loud: Vec<bool> = loudness(&pcm).iter().map(|&rms| rms > 1_500.0).collect();
            let hums = loud.windows(2).filter(|pair| !pair[0] && pair[1]).count() + usize::from(loud[0]);
            assert_eq!(hums, if name.starts_with("mhm") { 2 } else { 1 }, "{name}");
        }
    }

    #[test]
    fn a_hum_is_periodic_at_its_pitch_and_dark() {
        let mut folds = Folds { phase: 0.0, pitch: 120.0 };
        let sound = folds.hum(0.5, 1.0..1.0, 1.0);
        let (period, middle) = (400, &sound[9_600..14_400]);
        let change: f64 = (0..middle.len() - period).map(|n| (middle[n] - middle[n + period]).abs()).sum();
        let size: f64 = middle.iter().map(|one| one.abs()).sum();
        assert!(change < 0.02 * size, "{change} of {size}");
        assert!(nose(120.0) > 5.0 * nose(1_000.0) && nose(1_000.0) > 2.0 * nose(1_600.0));
    }
}
