//! The one file that reads the clock. Everything that decides takes the time as an argument.
#![expect(clippy::disallowed_methods, reason = "this is the file that reads the clock")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Monotonic time.
pub fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970-01-01 UTC; 0 on a machine whose clock stands before that.
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
