//! Times between arrivals: how evenly packets and pictures come in. Milliseconds of the call.

#[derive(Default)]
pub(super) struct Gaps {
    first: Option<f64>,
    last: Option<f64>,
    gaps: Vec<f64>,
}

impl Gaps {
    pub(super) fn push(&mut self, now_ms: f64) {
        if let Some(last) = self.last {
            self.gaps.push(now_ms - last);
        }
        self.first.get_or_insert(now_ms);
        self.last = Some(now_ms);
    }

    pub(super) fn span_ms(&self) -> f64 {
        self.last.zip(self.first).map_or(0.0, |(last, first)| last - first)
    }

    pub(super) fn all_ms(&self) -> Vec<f64> {
        self.gaps.clone()
    }

    /// Nearest rank; 0 without any gap.
    pub(super) fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.gaps.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        sorted.get(rank).copied().unwrap_or_default()
    }
}
