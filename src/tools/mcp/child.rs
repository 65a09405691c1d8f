//! An MCP server that is a program of this machine: started with its own environment, listened to, ended.
//!
//! It gets the variables that programs need to run and those that are declared for it, not ours, which hold keys of
//! other services. It runs in a process group of its own at the priority of models, so that what it starts itself
//! (`npx`, `uvx`) steps back and ends with it. Its input closes when we die, which by the protocol ends it.

use std::collections::BTreeMap;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::threads::MODEL_NICE;
use crate::tools::ToolError;
use crate::tools::secrets::{Environment, Secrets};
use crate::tools::settings::McpSettings;
use crate::tools::text;

/// What every program is given of our environment.
const INHERITED: [&str; 10] = ["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER"];
/// A server ends itself within this time when its input is closed, or it is asked to.
const EXIT_LIMIT: Duration = Duration::from_secs(2);
/// Within this time after being asked to, or it is killed.
const TERMINATE_LIMIT: Duration = Duration::from_secs(1);
/// What it said last is waited for that long after it has ended: a process that it left behind may hold the pipe.
const LAST_WORDS_LIMIT: Duration = Duration::from_millis(200);
/// Longest line of its log, in bytes; the rest is another line.
const MAX_LINE: usize = 1000;
/// So much of what it said last is kept for the reason of its end, in bytes.
const LAST_WORDS: usize = 300;

/// What to start, and how.
pub struct Program {
    command: String,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Program {
    pub fn new(settings: &McpSettings, secrets: &mut Secrets, environment: Environment<'_>) -> Result<Self, ToolError> {
        let owner = format!("the MCP server {}", settings.name);
        let mut variables = BTreeMap::new();
        for name in INHERITED {
            if let Some(value) = environment(name) {
                variables.insert(name.to_owned(), value);
            }
        }
        for (name, value) in &settings.env {
            variables.insert(name.clone(), secrets.resolve(&owner, value, environment)?);
        }
        Ok(Self { command: settings.command.clone(), arguments: settings.args.clone(), environment: variables })
    }

    pub fn spawn(&self, server: &str) -> io::Result<(Child, ChildStdout, ChildStdin)> {
        let mut child = Command::new(&self.command)
            .args(&self.arguments)
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pipes = (child.stdout.take(), child.stdin.take(), child.stderr.take());
        let group = child.id().and_then(|id| libc::pid_t::try_from(id).ok());
        let mut child = Child { child, group, log: None };
        let (Some(output), Some(input), Some(stderr)) = pipes else {
            return Err(io::Error::other("it has no pipes"));
        };
        child.log = Some(Log { stderr, server: server.to_owned(), line: Vec::new(), last: String::new() });
        child.step_back();
        Ok((child, output, input))
    }
}

/// A running server; killed with all that it started when dropped.
pub struct Child {
    child: tokio::process::Child,
    /// Of its process group, which has its own id.
    group: Option<libc::pid_t>,
    log: Option<Log>,
}

impl Child {
    /// Waits until it has ended, and says how. To be polled all the time: it reads what the server logs.
    pub async fn ended(&mut self) -> String {
        let status = match &mut self.log {
            Some(log) => tokio::select! {
                status = self.child.wait() => status,
                () = log.read() => self.child.wait().await,
            },
            None => self.child.wait().await,
        };
        let said = match &mut self.log {
            Some(log) => {
                let _ = timeout(LAST_WORDS_LIMIT, log.read()).await;
                log.last_words()
            }
            None => "",
        };
        let how = status.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string());
        match said.trim() {
            "" => format!("it ended ({how})"),
            said => format!("it ended ({how}), having said: {}", text::beginning(said)),
        }
    }

    /// Its input is closed already, which asks it to end.
    pub async fn stop(mut self) {
        for (limit, signal) in [(EXIT_LIMIT, libc::SIGTERM), (TERMINATE_LIMIT, libc::SIGKILL)] {
            if timeout(limit, self.ended()).await.is_ok() {
                return;
            }
            self.signal(signal);
        }
        let _ = self.child.wait().await;
    }

    fn signal(&self, signal: libc::c_int) {
        if let Some(group) = self.group {
            // SAFETY: kill touches no memory. The group is ours: its leader is our child, which is not reaped yet or
            // was a moment ago.
            unsafe { libc::kill(-group, signal) };
        }
    }

    fn step_back(&self) {
        let Some(group) = self.group.and_then(|group| libc::id_t::try_from(group).ok()) else {
            return;
        };
        // SAFETY: setpriority touches no memory.
        let result = unsafe { libc::setpriority(libc::PRIO_PGRP, group, MODEL_NICE) };
        if result != 0 {
            tracing::debug!(error = %io::Error::last_os_error(), "priority of an MCP server unchanged");
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal(libc::SIGKILL);
    }
}

/// What it writes to its standard error.
struct Log {
    stderr: ChildStderr,
    server: String,
    /// Of an unfinished line.
    line: Vec<u8>,
    /// The end of all of it.
    last: String,
}

impl Log {
    /// Reads to the end. May be dropped and called again.
    async fn read(&mut self) {
        let mut buffer = [0; 1024];
        loop {
            match self.stderr.read(&mut buffer).await {
                Ok(0) | Err(_) => return self.end_line(),
                Ok(read) => self.take(&buffer[..read]),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' || self.line.len() >= MAX_LINE {
                self.end_line();
            }
            if *byte != b'\n' {
                self.line.push(*byte);
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&self.line).trim().to_owned();
        self.line.clear();
        if line.is_empty() {
            return;
        }
        tracing::debug!(server = self.server, line, "log of an MCP server");
        self.last.push_str(&line);
        self.last.push('\n');
        let surplus = self.last.len().saturating_sub(LAST_WORDS);
        self.last.drain(..self.last.ceil_char_boundary(surplus));
    }

    fn last_words(&self) -> &str {
        &self.last
    }
}
