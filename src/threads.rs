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
