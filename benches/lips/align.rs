//! Finds what a voice said in the sound that was received: each instant of the voice's own rendition has its instant
//! there.
//!
//! A voice says a text a little otherwise each time, so a fixed delay would not do: the two are laid over each other by
//! dynamic time warping (Sakoe and Chiba, 1978) of their spectra, in steps of 5 ms.

use super::spectrum::{HOP, Spectrum};

/// Cost, in dB a band, of a step in which only one of the two goes on: time is bent only where it pays.
const BEND: f64 = 0.6;
/// A step that lies over more steps of the other (50 ms) is a silence that lasts longer there; what ends in it ends at
/// its beginning, what begins in it begins at its end.
const LONG: usize = 10;

/// Where each step of one sound is in another.
#[derive(Clone, Debug)]
pub struct Alignment {
    /// For each step of the first, the step of the second: for what ends there, and for what begins there.
    ends: Vec<f64>,
    begins: Vec<f64>,
    /// Mean difference along the way, in dB a band.
    pub distance: f64,
}

impl Alignment {
    /// Lays `from` over `to`. `None` if one of them is empty.
    pub fn new(from: &Spectrum, to: &Spectrum) -> Option<Self> {
        let (rows, columns) = (from.len(), to.len());
        if rows == 0 || columns == 0 {
            return None;
        }
        let distance = |row: usize, column: usize| {
            let pairs = from.bands[row].iter().zip(&to.bands[column]);
            pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / from.bands[row].len() as f64
        };
        let mut moves = vec![0_u8; rows * columns];
        let mut last: Vec<f64> = vec![f64::INFINITY; columns];
        for row in 0..rows {
            let mut next = vec![f64::INFINITY; columns];
            for column in 0..columns {
                let here = distance(row, column);
                if row == 0 && column == 0 {
                    next[0] = here;
                    continue;
                }
                let before =
                    |costs: &[f64], back: usize| column.checked_sub(back).map_or(f64::INFINITY, |at| costs[at]);
                // Both go on, only the first, only the second.
                let ways = [before(&last, 1) + here, before(&last, 0) + here + BEND, before(&next, 1) + here + BEND];
                let best = (0..3).min_by(|&a, &b| ways[a].total_cmp(&ways[b])).unwrap_or(0);
                next[column] = ways[best];
                moves[row * columns + column] = best as u8;
            }
            last = next;
        }
        // Back from the end.
        let (mut row, mut column) = (rows - 1, columns - 1);
        let mut spans = vec![(usize::MAX, 0_usize); rows];
        let (mut total, mut steps) = (0.0, 0);
        loop {
            spans[row] = (spans[row].0.min(column), spans[row].1.max(column));
            total += distance(row, column);
            steps += 1;
            if row == 0 && column == 0 {
                break;
            }
            match moves[row * columns + column] {
                0 => (row, column) = (row - 1, column - 1),
                1 => row -= 1,
                _ => column -= 1,
            }
        }
        let middle = |&(first, last): &(usize, usize)| (first + last) as f64 / 2.0;
        let place =
            |span: &(usize, usize), edge: usize| if span.1 - span.0 > LONG { edge as f64 } else { middle(span) };
        Some(Self {
            ends: spans.iter().map(|span| place(span, span.0)).collect(),
            begins: spans.iter().map(|span| place(span, span.1)).collect(),
            distance: total / f64::from(steps),
        })
    }

    /// Where what begins at a sample of the first begins in the second.
    pub fn begin(&self, sample: f64) -> f64 {
        between(&self.begins, sample)
    }

    /// Where what ends at a sample of the first ends in the second.
    pub fn end(&self, sample: f64) -> f64 {
        between(&self.ends, sample)
    }
}

fn between(steps: &[f64], sample: f64) -> f64 {
    let step = sample / HOP as f64;
    let last = steps.len() - 1;
    let low = (step.floor().max(0.0) as usize).min(last);
    let high = (low + 1).min(last);
    let part = (step - low as f64).clamp(0.0, 1.0);
    // Over a leap there is nothing in between.
    let part = if steps[high] - steps[low] > LONG as f64 { part.round() } else { part };
    (steps[low] + (steps[high] - steps[low]) * part) * HOP as f64
}

#[cfg(test)]
mod tests {
    use visavis::media::MEDIA_HZ;

    use super::*;

    /// Tones of 100 ms and of a pitch of their own each, the `slow`th one three times as long.
    fn tones(slow: usize, before: usize) -> Vec<i16> {
        let mut pcm = vec![0_i16; before];
        for tone in 0..12 {
            let length = MEDIA_HZ as usize / 10 * if tone == slow { 3 } else { 1 };
            let hertz = 200.0 + 317.0 * ((tone * 5) % 12) as f64;
            pcm.extend(
                (0..length)
                    .map(|n| ((n as f64 / f64::from(MEDIA_HZ) * hertz * std::f64::consts::TAU).sin() * 9000.0) as i16),
            );
        }
        pcm.resize(pcm.len() + 4800, 0);
        pcm
    }

    #[test]
    fn what_is_said_slower_and_later_is_found() {
        let (first, second) = (Spectrum::of(&tones(99, 2400)), Spectrum::of(&tones(4, 9600)));
        let found = Alignment::new(&first, &second).unwrap();
        let step = f64::from(MEDIA_HZ) / 10.0;
        for tone in 0..12 {
            let (was, is) =
                (2400.0 + step * f64::from(tone), 9600.0 + step * f64::from(tone + if tone > 4 { 2 } else { 0 }));
            let off = (found.begin(was) - is).abs() / 48.0;
            assert!(off <= 8.0, "tone {tone} begins {off:.1} ms off");
        }
        assert!(Alignment::new(&first, &Spectrum::default()).is_none());
    }

    #[test]
    fn a_silence_that_lasts_longer_prolongs_nothing_else() {
        let with_silence = |millis: usize| {
            let (first, second) = (tones(99, 2400), tones(99, 0));
            [first, vec![0; MEDIA_HZ as usize * millis / 1000], second].concat()
        };
        let found = Alignment::new(&Spectrum::of(&with_silence(100)), &Spectrum::of(&with_silence(3_000))).unwrap();
        // Where the last tone before it ends, and the first one after it begins.
        let end = tones(99, 2400).len() as f64 - 4800.0;
        assert!((found.end(end) - end).abs() / 48.0 <= 12.0, "{}", found.end(end) - end);
        let (begins, there) = (end + 4800.0 + 4800.0, end + 4800.0 + 144_000.0);
        assert!((found.begin(begins) - there).abs() / 48.0 <= 12.0, "{}", found.begin(begins) - there);
    }
}
