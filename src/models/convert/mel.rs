//! The mel filter bank that Whisper was trained with: Slaney's scale and area normalisation, as librosa has it.
//!
//! The scale is linear below 1 kHz (200/3 Hz a mel) and logarithmic above (27 mels for a factor of 6.4).
//! Numbers are rounded to f32 where librosa rounds, so the result is the same to the bit.

const LINEAR_HZ: f64 = 200.0 / 3.0;
const BREAK_HZ: f64 = 1000.0;
const BREAK_MEL: f64 = BREAK_HZ / LINEAR_HZ;

fn log_step() -> f64 {
    6.4_f64.ln() / 27.0
}

fn mel(hz: f64) -> f64 {
    if hz < BREAK_HZ { hz / LINEAR_HZ } else { BREAK_MEL + (hz / BREAK_HZ).ln() / log_step() }
}

fn hz(mel: f64) -> f64 {
    if mel < BREAK_MEL { mel * LINEAR_HZ } else { BREAK_HZ * (log_step() * (mel - BREAK_MEL)).exp() }
}

/// Triangular filters `[mels, n_fft / 2 + 1]`, row-major, from 0 Hz to half of `sample_hz`.
pub fn slaney_filters(sample_hz: f64, n_fft: usize, mels: usize) -> Vec<f32> {
    let bins = n_fft / 2 + 1;
    let top = mel(sample_hz / 2.0);
    let edge = |n: usize| hz(top * n as f64 / (mels + 1) as f64);
    let mut filters = Vec::with_capacity(mels * bins);
    for n in 0..mels {
        let (left, centre, right) = (edge(n), edge(n + 1), edge(n + 2));
        let area = 2.0 / (right - left);
        for bin in 0..bins {
            let at = sample_hz * bin as f64 / n_fft as f64;
            let height = ((at - left) / (centre - left)).min((right - at) / (right - centre)).max(0.0) as f32;
            filters.push((f64::from(height) * area) as f32);
        }
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_those_of_librosa() {
        // librosa.filters.mel(sr=16000, n_fft=400, n_mels=80)
        let filters = slaney_filters(16_000.0, 400, 80);
        assert_eq!(filters.len(), 80 * 201);
        for (mel, bin, expected) in [(0, 1, 0.024_862_595), (1, 1, 0.001_990_822), (79, 196, 0.001_795_036)] {
            let value = filters[mel * 201 + bin];
            assert!((value - expected).abs() < 1e-8, "mel {mel}, bin {bin}: {value}, expected {expected}");
        }
        assert_eq!(filters[0], 0.0);
    }

    #[test]
    fn the_scale_goes_both_ways() {
        for value in [0.0, 440.0, 1000.0, 7999.0] {
            assert!((hz(mel(value)) - value).abs() < 1e-9);
        }
    }
}
