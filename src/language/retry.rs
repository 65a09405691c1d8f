//! How long to wait before a server that refused is asked again.
//!
//! PURE: the dice are an argument. What the server asks for goes before; otherwise the wait doubles with each try, and
//! is spread so that those who were refused together do not come back together. Whether there is time for it is for
//! the caller to see. Source: M. Brooker, Exponential Backoff And Jitter, 2015 ("equal jitter").

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(3);

/// Wait after the `tries`th failure (from 1). `dice`: 0 to 1.
pub fn pause(tries: u32, again: Option<Duration>, dice: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST);
    let spread = doubled.mul_f64(0.5 + 0.5 * dice.clamp(0.0, 1.0));
    again.map_or(spread, |again| again.max(spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_within_bounds_and_spreads_by_half() {
        assert_eq!((pause(1, None, 0.0), pause(1, None, 1.0)), (FIRST / 2, FIRST));
        assert_eq!(pause(3, None, 1.0), FIRST * 4);
        assert_eq!((pause(40, None, 1.0), pause(u32::MAX, None, 0.0)), (LONGEST, LONGEST / 2));
    }

    #[test]
    fn what_the_server_asks_for_goes_before() {
        let (minute, none) = (Duration::from_secs(60), Duration::ZERO);
        assert_eq!(pause(1, Some(minute), 0.0), minute);
        assert_eq!(pause(1, Some(none), 1.0), FIRST, "at once is no back-off");
    }
}
