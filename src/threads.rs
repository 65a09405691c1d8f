//! Named operating-system threads with a priority: media goes before inference.
//!
//! Linux schedules each thread by its own nice value, and a thread hands its value to the threads that it
//! starts, so a model library's workers inherit it. Raising a priority needs a privilege that a server often
//! lacks, therefore media stays at 0 and model threads step back.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Which work goes first when the cores are all busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Frames that are due: never waits for a model.
    Media,
    /// Inference: takes what is left.
    Model,
}

/// nice(2) value of [`Priority::Model`]: one step of nice is a factor of about 1.25 in CPU share.
pub const MODEL_NICE: i32 = 10;

/// Starts a thread that is joined by whoever keeps the handle. `name` is cut at 15 bytes by Linux.
pub fn spawn<T: Send + 'static>(
    name: impl Into<String>,
    priority: Priority,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    #[expect(clippy::disallowed_methods, reason = "the one place that starts threads")]
    Builder::new().name(name.into()).spawn(move || {
        apply(priority);
        work()
    })
}

/// Cores that nobody computes on at this moment, this thread's own not counted; 0 where that cannot be known.
///
/// Whoever starts several threads that wait for each other by spinning wants one idle core for each: on a busy one
/// they are many times slower than a single thread.
pub fn idle_cores() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    cores.saturating_sub(running(&load).unwrap_or(cores))
}

/// Threads that compute or wait for a core, of all processes: proc(5), fourth field of /proc/loadavg, "2/1040".
fn running(load: &str) -> Option<usize> {
    load.split_whitespace().nth(3)?.split_once('/')?.0.parse().ok()
}

/// Sets the calling thread's nice value; failing to do so costs smoothness, not correctness.
fn apply(priority: Priority) {
    let nice = match priority {
        Priority::Media => return,
        Priority::Model => MODEL_NICE,
    };
    // SAFETY: setpriority touches no memory; `who` 0 is the calling thread on Linux.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
    if result != 0 {
        tracing::debug!(error = %io::Error::last_os_error(), "thread priority unchanged");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_threads_are_read_and_no_core_is_promised_where_they_are_not() {
        assert_eq!(running("8.17 7.21 4.90 7/102 28065\n"), Some(7));
        assert_eq!(running(""), None);
        assert_eq!(running("0.1 0.1 0.1 many 5"), None);
        assert!(idle_cores() < std::thread::available_parallelism().map_or(1, usize::from));
    }
}
