//! The one file that reads the clock. Times serve log lines and the `created` field only: no decision of this
//! server depends on them, so nothing else takes time as an argument.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Monotonic time, for durations in the log.
pub fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    Instant::now()
}

/// Wall-clock seconds since 1970, as OpenAI's `created` wants them; 0 on a machine whose clock stands before 1970.
pub fn unix_seconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
