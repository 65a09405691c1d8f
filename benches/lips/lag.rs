//! How far the times that a voice tells lie from its sound: the shift at which vowels are where it is loud, stops and
//! pauses where it is not, and hisses where it hisses. Without this a voice that is wrong about itself would be its own
//! witness.

use super::line::Line;
use super::spectrum::HOP;
use visavis::media::MEDIA_HZ;

const STOPS: &str = "ptkbdɡg";
const HISSES: &str = "szʃʂɕ";
const SONORANTS: &str = "mnlŋ";
const VOWELS: &str = "aɑɔoɛeæʌɐəiuɪʊ";
/// Steps of 5 ms in which the shift is looked for, both ways.
const REACH: i64 = 24;

/// Seconds from a phoneme's time to its sound, over all lines; below zero, the sound comes first.
pub fn lag(lines: &[&Line]) -> f64 {
    let mut fits = vec![0.0; (2 * REACH + 1) as usize];
    for line in lines {
        let steps = line.spectrum.len();
        let (mut wanted, mut hissing) = (vec![0.0; steps], vec![0.0; steps]);
        for phoneme in &line.phonemes {
            let first = phoneme.ipa.chars().next();
            let is = |set: &str| first.is_some_and(|first| set.contains(first));
            let (loud, hiss) = match () {
                () if is(VOWELS) => (1.0, -1.0),
                () if first.is_none() || is(STOPS) => (-1.0, 0.0),
                () if is(HISSES) => (0.0, 1.0),
                () if is(SONORANTS) => (0.0, -1.0),
                () => (0.0, 0.0),
            };
            let step = |sample: u64| (sample as usize).div_ceil(HOP).min(steps);
            for at in step(phoneme.start)..step(phoneme.end) {
                (wanted[at], hissing[at]) = (loud, hiss);
            }
        }
        let sounding = step_of(line.sounding.start)..step_of(line.sounding.end).min(steps);
        let centred = |levels: &[f64]| {
            let heard = &levels[sounding.clone()];
            let mean = heard.iter().sum::<f64>() / heard.len().max(1) as f64;
            heard.iter().map(|level| level - mean).collect::<Vec<_>>()
        };
        let (voice, hiss) = (centred(&line.spectrum.voice), centred(&line.spectrum.hiss));
        for (fit, shift) in fits.iter_mut().zip(-REACH..=REACH) {
            for (n, (voice, hiss)) in voice.iter().zip(&hiss).enumerate() {
                let at = (n + sounding.start) as i64 - shift;
                if let Some(at) = usize::try_from(at).ok().filter(|at| *at < steps) {
                    *fit += wanted[at] * voice + hissing[at] * hiss;
                }
            }
        }
    }
    let step = HOP as f64 / f64::from(MEDIA_HZ);
    (peak(&fits) - REACH as f64) * step
}

fn step_of(seconds: f64) -> usize {
    (seconds * f64::from(MEDIA_HZ) / HOP as f64) as usize
}

/// Where the highest of evenly spaced values lies, between them by the parabola through the three at the top.
pub fn peak(values: &[f64]) -> f64 {
    let Some(best) = (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])) else { return f64::NAN };
    if best == 0 || best + 1 == values.len() {
        return best as f64;
    }
    let (left, top, right) = (values[best - 1], values[best], values[best + 1]);
    let bend = left - 2.0 * top + right;
    best as f64 + if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::line::known;
    use super::*;

    #[test]
    fn a_voice_that_is_wrong_about_itself_is_found_out() {
        for wrong in [-0.058, 0.0, 0.021] {
            let found = lag(&[&known::line(wrong, 0.0)]);
            assert!((found - wrong).abs() < 0.004, "{wrong} s: {found} s");
        }
    }

    #[test]
    fn a_peak_lies_between_values() {
        let parabola: Vec<f64> = (0..9).map(|n| -(f64::from(n) - 4.3).powi(2)).collect();
        assert!((peak(&parabola) - 4.3).abs() < 1e-9);
        assert_eq!(peak(&[3.0, 2.0]), 0.0);
        assert!(peak(&[]).is_nan());
    }
}
