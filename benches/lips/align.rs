//! Finds what a voice said in the sound that was received: each instant of the voice's own rendition has its instant
//! there.
//!
//! A voice says a text a little otherwise each time, so a fixed delay would not do: the two are laid over each other by
//! dynamic time warping (Sakoe and Chiba, 1978) of their spectra, in steps of 5 ms.

use super::spectrum::{HOP, Spectrum};

/// Cost, in dB a band, of a step in which only one of the two goes on: time is bent only where it pays.
const BEND: f64 = 0.6;

/// Where each step of one sound is in another.
#[derive(Clone, Debug)]
pub struct Alignment {
    /// For each step of the first, the step of the second.
    at: Vec<f64>,
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
        let (mut sums, mut counts) = (vec![0.0; rows], vec![0_usize; rows]);
        let (mut total, mut steps) = (0.0, 0);
        loop {
            sums[row] += column as f64;
            counts[row] += 1;
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
        let at = sums.iter().zip(&counts).map(|(sum, &count)| sum / count as f64).collect();
        Some(Self { at, distance: total / f64::from(steps) })
    }

    /// Where a sample of the first is in the second.
    pub fn sample(&self, sample: f64) -> f64 {
        let step = sample / HOP as f64;
        let last = self.at.len() - 1;
        let low = (step.floor().max(0.0) as usize).min(last);
        let high = (low + 1).min(last);
        let part = (step - low as f64).clamp(0.0, 1.0);
        (self.at[low] + (self.at[high] - self.at[low]) * part) * HOP as f64
    }
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
            let off = (found.sample(was) - is).abs() / 48.0;
            assert!(off <= 8.0, "tone {tone} begins {off:.1} ms off");
        }
        assert!(Alignment::new(&first, &Spectrum::default()).is_none());
    }
}
