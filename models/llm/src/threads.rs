//! Named threads, the priority of inference, and how its threads wait for each other. This server shares its machine
//! with a media server whose frames are due every 20 ms, so whatever computes tokens steps back.

use std::env;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::thread::{Builder, JoinHandle};

/// How often a thread looks whether the others have come, before it sleeps; some tens of microseconds. On two cores,
/// Qwen2.5-Coder 0.5B with two threads, tokens a second while the cores are idle, and while one of them is taken: 34 and
/// 49 at 0 (OpenMP's passive policy), 57 and 41 at 200, 74 and 30 at 700, 70 and 9 at 5000, 73 and 0.4 as OpenMP is.
const SPINS: &str = "700";
/// Variables that say how OpenMP's threads wait (GNU libgomp).
const SPIN_COUNT: &str = "GOMP_SPINCOUNT";
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";

/// nice(2) value of inference: one step of nice is a factor of about 1.25 in CPU share.
const INFERENCE_NICE: i32 = 10;

/// Makes the threads of llama.cpp wait by a short spin, then asleep, unless the environment says how. OpenMP reads that
/// before `main`, so this program puts itself in its own place: same process, same files, same arguments.
pub fn spin_briefly() -> io::Result<()> {
    if env::var_os(SPIN_COUNT).is_some() || env::var_os(WAIT_POLICY).is_some() {
        return Ok(());
    }
    let mut arguments = env::args_os();
    let mut program = Command::new(env::current_exe()?);
    if let Some(name) = arguments.next() {
        program.arg0(name);
    }
    Err(program.args(arguments).env(SPIN_COUNT, SPINS).exec())
}

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
