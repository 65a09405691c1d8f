//! Named threads, and the priority of inference. This server shares its machine with a media server whose frames
//! are due every 20 ms, so whatever computes tokens steps back.

use std::io;
use std::thread::{Builder, JoinHandle};

/// nice(2) value of inference: one step of nice is a factor of about 1.25 in CPU share.
const INFERENCE_NICE: i32 = 10;

/// Starts a named thread (Linux cuts the name at 15 bytes).
pub fn spawn<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    #[expect(clippy::disallowed_methods, reason = "the one place that starts threads")]
    Builder::new().name(name.to_owned()).spawn(work)
}

/// Lowers the calling thread's priority. Linux hands a thread's nice value to the threads that it starts, so the
/// workers of llama.cpp inherit it. Failing to do so costs smoothness elsewhere, not correctness.
pub fn lower_priority() {
    // SAFETY: setpriority touches no memory; `who` 0 is the calling thread on Linux.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, INFERENCE_NICE) };
    if result != 0 {
        tracing::debug!(error = %io::Error::last_os_error(), "thread priority unchanged");
    }
}
