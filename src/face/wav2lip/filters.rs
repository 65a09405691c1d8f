//! Mel filters over a range of frequencies, as `librosa.filters.mel` makes them by default: triangles on Slaney's
//! scale, each of unit area.

/// One triangle: the FFT bin it begins at and its weights.
#[derive(Clone, Debug)]
pub struct Filter {
    pub from: usize,
    pub weights: Vec<f32>,
}

/// Below 1 kHz the scale is linear, above it is logarithmic: 27 steps for a factor of 6.4.
const HZ_A_MEL: f64 = 200.0 / 3.0;
const LINEAR_TO_HZ: f64 = 1000.0;
const LINEAR_TO_MEL: f64 = LINEAR_TO_HZ / HZ_A_MEL;

fn mel(hz: f64) -> f64 {
    if hz < LINEAR_TO_HZ { hz / HZ_A_MEL } else { LINEAR_TO_MEL + (hz / LINEAR_TO_HZ).ln() / step() }
}

fn hz(mel: f64) -> f64 {
    if mel < LINEAR_TO_MEL { mel * HZ_A_MEL } else { LINEAR_TO_HZ * ((mel - LINEAR_TO_MEL) * step()).exp() }
}

fn step() -> f64 {
    6.4f64.ln() / 27.0
}

/// `count` filters from `low_hz` to `high_hz` for an FFT of `n_fft` samples.
pub fn filters(sample_hz: f64, n_fft: usize, count: usize, low_hz: f64, high_hz: f64) -> Vec<Filter> {
    let (low, high) = (mel(low_hz), mel(high_hz));
    let edge = |n: usize| hz(low + (high - low) * n as f64 / (count + 1) as f64);
    (0..count)
        .map(|n| {
            let (left, centre, right) = (edge(n), edge(n + 1), edge(n + 2));
            let area = 2.0 / (right - left);
            let weight = |bin: usize| {
                let at = sample_hz * bin as f64 / n_fft as f64;
                // librosa rounds to single precision before and after it scales.
                let height = ((at - left) / (centre - left)).min((right - at) / (right - centre)).max(0.0) as f32;
                (f64::from(height) * area) as f32
            };
            let weights: Vec<f32> = (0..=n_fft / 2).map(weight).collect();
            let from = weights.iter().position(|w| *w > 0.0).unwrap_or(0);
            let to = weights.iter().rposition(|w| *w > 0.0).map_or(from, |last| last + 1);
            Filter { from, weights: weights[from..to].to_vec() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_goes_both_ways() {
        for value in [55.0, 440.0, 1000.0, 7600.0] {
            assert!((hz(mel(value)) - value).abs() < 1e-9, "{value} Hz");
        }
    }

    #[test]
    fn a_filter_is_a_triangle_within_its_range() {
        let filters = filters(16_000.0, 800, 80, 55.0, 7600.0);
        for (n, filter) in filters.iter().enumerate() {
            assert!(filter.from > 2 && filter.from + filter.weights.len() <= 381, "filter {n} leaves 55 to 7600 Hz");
            let top = filter.weights.iter().copied().fold(0.0, f32::max);
            let rises = filter.weights.iter().take_while(|w| **w < top).count();
            assert!(filter.weights[..rises].is_sorted() && filter.weights[rises..].is_sorted_by(|a, b| a >= b));
        }
    }
}
