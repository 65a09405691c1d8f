//! Percentiles as the tables print them.

/// Nearest rank; NaN of nothing.
pub fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_that_so_many_do_not_exceed() {
        let values: Vec<f64> = (1..=40).rev().map(f64::from).collect();
        assert_eq!([50, 95, 100].map(|percent| percentile(values.clone(), percent)), [20.0, 38.0, 40.0]);
        assert_eq!(percentile(vec![7.0], 50), 7.0);
        assert!(percentile(vec![], 50).is_nan());
    }
}
