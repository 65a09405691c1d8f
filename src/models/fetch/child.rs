//! Runs a package manager quietly, shows how its files grow, and takes it along if this process dies.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::models::progress::Progress;
use crate::threads::{self, Priority};

/// How often a growing file is looked at.
const REFRESH: Duration = Duration::from_millis(100);
/// What a tool says beyond this is dropped.
const MAX_SAID: u64 = 64 * 1024;

pub enum Failure {
    NotRun(io::Error),
    /// It ended with an error, having said this on stderr.
    Failed {
        said: String,
    },
}

/// Runs `command` to its end; `progress` moves on by the size of the files under `folder`, `bytes` at most.
pub fn run(mut command: Command, folder: &Path, bytes: u64, progress: &Progress) -> Result<(), Failure> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    die_with_parent(&mut command);
    let mut child = Reaped(command.spawn().map_err(Failure::NotRun)?);
    let Some(stderr) = child.0.stderr.take() else {
        return Err(Failure::NotRun(io::Error::other("no pipe")));
    };

    // One message: stderr has ended, so the child has, or is about to.
    let (ended, end) = mpsc::sync_channel(1);
    let reader = threads::spawn("pull-stderr", Priority::Media, move || {
        let said = read_start(stderr);
        let _ = ended.send(said);
    })
    .map_err(Failure::NotRun)?;

    let start = progress.position();
    let said = loop {
        match end.recv_timeout(REFRESH) {
            Ok(said) => break said,
            Err(RecvTimeoutError::Timeout) => progress.set_position(start + size_of(folder).min(bytes)),
            Err(RecvTimeoutError::Disconnected) => break String::new(),
        }
    };
    let _ = reader.join();
    let status = child.0.wait().map_err(Failure::NotRun)?;
    if !status.success() {
        return Err(Failure::Failed { said });
    }
    progress.set_position(start + bytes);
    Ok(())
}

/// The lines that matter of what a tool said, each starting a new line: its errors, else its last words.
pub fn tail(said: &str) -> String {
    const LINES: usize = 3;
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let is_error = |line: &&str| line.starts_with("ERROR") || line.contains("npm error") || line.contains("npm ERR!");
    let errors: Vec<&str> = lines.iter().copied().filter(is_error).collect();
    let shown = if errors.is_empty() { lines } else { errors };
    shown[shown.len().saturating_sub(LINES)..].iter().map(|line| format!("\n    {line}")).collect()
}

/// A child that does not outlive its owner.
struct Reaped(Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads all, keeps the start.
fn read_start(mut from: impl Read) -> String {
    let mut kept = Vec::new();
    let _ = from.by_ref().take(MAX_SAID).read_to_end(&mut kept);
    let _ = io::copy(&mut from, &mut io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}

/// Bytes of all files below `folder`; what vanishes meanwhile counts as nothing.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: prctl is async-signal-safe and touches only the new process.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut Command) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_is_told_in_its_own_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo working; echo 'ERROR: no such package' >&2; echo hint >&2; exit 3"]);
        let folder = tempfile::tempdir().unwrap();
        let Err(Failure::Failed { said }) = run(command, folder.path(), 10, &Progress::new("x", 10)) else {
            panic!("not a failure");
        };
        assert_eq!(tail(&said), "\n    ERROR: no such package");
    }

    #[test]
    fn growing_files_move_the_progress_but_never_past_the_expected_size() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "head -c 5000 /dev/zero > a"]).current_dir(folder.path());
        let progress = Progress::new("x", 4000);
        assert!(run(command, folder.path(), 4000, &progress).is_ok());
        assert_eq!(progress.position(), 4000);
    }
}
