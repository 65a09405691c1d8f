//! A circuit breaker: what failed several times in a row is left alone for a while.
//!
//! PURE; the time is an argument. After [`FAILURES`] failures in a row it opens; when its time is over one try is
//! allowed, which closes it or opens it for twice as long. Source: M. Nygard, Release It!, 2007.

use std::time::{Duration, Instant};

const FAILURES: u32 = 2;
const FIRST_PAUSE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// See the module's text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// False while it is to be left alone.
    pub fn allows(&self, now: Instant) -> bool {
        self.open_until.is_none_or(|until| now >= until)
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// How long it is to be left alone now, if that begins with this failure.
    pub fn failed(&mut self, now: Instant) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        if self.failures < FAILURES || !self.allows(now) {
            return None;
        }
        let doublings = (self.failures - FAILURES).min(16);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        self.open_until = Some(now + pause);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn it_opens_after_failures_in_a_row_and_ever_longer() {
        let (start, mut breaker) = (clock::now(), Breaker::default());
        assert_eq!(breaker.failed(start), None);
        breaker.succeeded();
        assert_eq!(breaker.failed(start), None, "a success between them");
        assert_eq!(breaker.failed(start), Some(FIRST_PAUSE));
        assert!(!breaker.allows(start) && !breaker.allows(start + FIRST_PAUSE / 2));
        assert_eq!(breaker.failed(start), None, "what was under way already");
        let (mut now, mut pause) = (start, FIRST_PAUSE);
        for _ in 0..40 {
            now += pause;
            assert!(breaker.allows(now));
            let Some(next) = breaker.failed(now) else { panic!("the one try failed") };
            assert!(next >= pause && next <= LONGEST_PAUSE);
            pause = next;
        }
        assert_eq!(pause, LONGEST_PAUSE);
        breaker.succeeded();
        assert!(breaker.allows(now));
    }
}
