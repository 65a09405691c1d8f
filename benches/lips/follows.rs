//! Does the mouth open as the sound is loud and the vowel is open? Correlations over the pictures in which it speaks.

use visavis::face::{Viseme, viseme_of};
use visavis::media::{MEDIA_HZ, TimedPhoneme};

use super::closures::LEAD;
use super::line::Line;
use super::spectrum::HOP;

/// Steps of the spectrum over which loudness is taken, either side (together 45 ms, about a picture).
const LOUDNESS_STEPS: usize = 4;
/// The jaw is slower than phonemes change: openness is blurred with a Gaussian of this many seconds (sigma).
const BLUR: f64 = 0.040;
/// Quieter than this below the loudest of the line is silence.
const RANGE_DB: f64 = 40.0;

/// One picture, or one vowel.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Pixels.
    pub opening: f64,
    /// dB below the loudest of its line.
    pub loudness: f64,
    /// [`openness`] of what is said, blurred.
    pub openness: f64,
    /// It is a vowel.
    pub vowel: bool,
}

/// How open a mouth is for a close vowel, against 1 for an open one; for consonants but p, b and m, which shut it, too.
const CLOSE: f64 = 0.25;

/// How open a mouth is for a vowel: the rows of the IPA's chart (2020), evenly spaced from [`CLOSE`] to 1.
pub fn openness(vowel: char) -> Option<f64> {
    let rows = ["iyɨʉɯuᵻɿʅ", "ɪʏʊ", "eøɘɵɤo", "əɚ", "ɛœɜɞʌɔɝ", "æɐ", "aɶɑɒä"];
    let row = rows.iter().position(|row| row.contains(vowel))?;
    Some(CLOSE + (1.0 - CLOSE) * row as f64 / (rows.len() - 1) as f64)
}

/// The vowels of a phoneme in their order.
fn vowels(phoneme: &TimedPhoneme) -> Vec<f64> {
    phoneme.ipa.chars().filter_map(openness).collect()
}

/// Pictures in which something is said, each beside the sound that it is meant for; `lag` as elsewhere.
pub fn pictures(line: &Line, lag: f64) -> Vec<Point> {
    let said = said(line, lag);
    let loudness = loudness(line);
    let points = line.frames.iter().filter_map(|frame| {
        let step = step(frame.seconds + LEAD)?;
        let said = said.get(step).filter(|said| said.spoken)?;
        let loudness = *loudness.get(step)?;
        Some(Point { opening: frame.opening, loudness, openness: said.openness, vowel: said.vowel })
    });
    points.collect()
}

/// Vowels of at least 40 ms: the widest opening in each, its mean loudness, its openness.
pub fn each_vowel(line: &Line, lag: f64) -> Vec<Point> {
    let loudness = loudness(line);
    let mut points = Vec::new();
    for (phoneme, start, end) in line.phones(lag) {
        let openings = vowels(phoneme);
        let (Some(height), true) = (openings.iter().copied().reduce(f64::max), end - start >= 0.040) else { continue };
        let (from, to) = (start - LEAD, end - LEAD);
        let within = line.frames.iter().filter(|frame| (from..=to).contains(&frame.seconds));
        let Some(opening) = within.map(|frame| frame.opening).reduce(f64::max) else { continue };
        let (Some(first), Some(last)) = (step(start), step(end)) else { continue };
        let heard = &loudness[first.min(loudness.len())..last.min(loudness.len())];
        if !heard.is_empty() {
            let loudness = heard.iter().sum::<f64>() / heard.len() as f64;
            points.push(Point { opening, loudness, openness: height, vowel: true });
        }
    }
    points
}

fn step(seconds: f64) -> Option<usize> {
    let step = seconds * f64::from(MEDIA_HZ) / HOP as f64;
    (step >= 0.0).then(|| step.round() as usize)
}

/// Level of each step against the loudest, in dB.
fn loudness(line: &Line) -> Vec<f64> {
    let levels = &line.spectrum.loudness;
    let mean = |at: usize| {
        let around = &levels[at.saturating_sub(LOUDNESS_STEPS)..(at + LOUDNESS_STEPS + 1).min(levels.len())];
        let power = around.iter().map(|level| 10_f64.powf(level / 10.0)).sum::<f64>() / around.len() as f64;
        10.0 * power.log10()
    };
    let smooth: Vec<f64> = (0..levels.len()).map(mean).collect();
    let loudest = smooth.iter().copied().fold(f64::MIN, f64::max);
    smooth.into_iter().map(|level| (level - loudest).max(-RANGE_DB)).collect()
}

/// One step of the sound.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    spoken: bool,
    vowel: bool,
    openness: f64,
}

/// What is said in each step, the openness blurred.
fn said(line: &Line, lag: f64) -> Vec<Said> {
    let steps = line.spectrum.len();
    let mut said = vec![Said::default(); steps];
    for (phoneme, start, end) in line.phones(lag) {
        let (Some(first), Some(last)) = (step(start), step(end)) else { continue };
        let vowels = vowels(phoneme);
        let shut = phoneme.ipa.is_empty() || viseme_of(&phoneme.ipa) == Viseme::PP;
        let within = said.iter_mut().take(last).skip(first);
        for (at, said) in within.enumerate() {
            // A diphthong's parts share its time.
            let part = at * vowels.len() / (last - first).max(1);
            *said = Said {
                spoken: !phoneme.ipa.is_empty(),
                vowel: !vowels.is_empty(),
                openness: vowels.get(part).copied().unwrap_or(if shut { 0.0 } else { CLOSE }),
            };
        }
    }
    let sigma = BLUR * f64::from(MEDIA_HZ) / HOP as f64;
    let reach = (3.0 * sigma) as usize;
    let blurred = |at: usize| {
        let around = at.saturating_sub(reach)..(at + reach + 1).min(steps);
        let weighted = around.map(|near| {
            let weight = (-0.5 * ((near as f64 - at as f64) / sigma).powi(2)).exp();
            (weight, weight * said[near].openness)
        });
        let (weights, sum) = weighted.fold((0.0, 0.0), |(w, s), (weight, value)| (w + weight, s + value));
        sum / weights
    };
    (0..steps).map(|at| Said { openness: blurred(at), ..said[at] }).collect()
}

/// Of two rows of numbers (Pearson); NaN where there is nothing to tell.
pub fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (of_a, of_b) = (mean(a), mean(b));
    let sums = a.iter().zip(b).fold((0.0, 0.0, 0.0), |(ab, aa, bb), (a, b)| {
        let (a, b) = (a - of_a, b - of_b);
        (ab + a * b, aa + a * a, bb + b * b)
    });
    sums.0 / (sums.1 * sums.2).sqrt()
}

/// How the opening goes with loudness, with openness, and with the best mixture of the two (multiple correlation).
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    pub loudness: f64,
    pub openness: f64,
    pub both: f64,
    pub points: usize,
}

pub fn fit(points: &[Point]) -> Fit {
    let row = |of: fn(&Point) -> f64| points.iter().map(of).collect::<Vec<f64>>();
    let (opening, loud, open) = (row(|p| p.opening), row(|p| p.loudness), row(|p| p.openness));
    let (with_loud, with_open) = (correlation(&opening, &loud), correlation(&opening, &open));
    let between = correlation(&loud, &open);
    // Multiple correlation of two predictors.
    let square =
        (with_loud.powi(2) + with_open.powi(2) - 2.0 * with_loud * with_open * between) / (1.0 - between.powi(2));
    Fit { loudness: with_loud, openness: with_open, both: square.sqrt(), points: points.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vowels_are_as_open_as_the_chart_has_them() {
        assert_eq!((openness('i'), openness('a'), openness('t')), (Some(CLOSE), Some(1.0), None));
        assert!(openness('ɛ') > openness('e') && openness('ə') > openness('ʊ'));
    }

    #[test]
    fn a_mixture_of_two_is_found_and_noise_is_not() {
        // Two rows that have nothing to do with each other.
        let points = |opening: fn(f64, f64, f64) -> f64| {
            let numbers =
                (0..400).map(|n| (f64::from(n) * 0.7).sin()).zip((0..400).map(|n| (f64::from(n) * 1.9).cos()));
            let all = numbers.enumerate().map(|(n, (loudness, openness))| {
                let noise = (n as f64 * 5.3).sin();
                Point { opening: opening(loudness, openness, noise), loudness, openness, vowel: false }
            });
            all.collect::<Vec<Point>>()
        };
        let mixed = fit(&points(|loudness, openness, _| 3.0 * loudness + 4.0 * openness));
        assert!((mixed.both - 1.0).abs() < 1e-6 && (mixed.loudness - 0.6).abs() < 0.05, "{mixed:?}");
        assert!(fit(&points(|_, _, noise| noise)).both < 0.15);
    }
}
