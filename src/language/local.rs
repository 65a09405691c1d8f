//! Starts `visavis-llm` as a child process, watches it, and starts it again when it dies.
//!
//! The model lives in a process of its own, so its crash harms no call and there is one way to speak to any
//! language model. The child says its address on its first line and ends itself when we are gone.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::LanguageSettings;
use crate::metrics::Metrics;

/// What the child prints before its address.
const READY: &str = "visavis-llm listening on ";
/// What the child logs, unless RUST_LOG says otherwise: llama.cpp warns of every unusual weight.
const LOG_FILTER: &str = "warn,llama-cpp-2=error";
/// Loading and warming a model may take this long.
const START_LIMIT: Duration = Duration::from_secs(120);
/// Wait before the next start after a failure; doubled up to the longest.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(15);

type State = Result<String, String>;

/// Handle to the watched process. Clones share it.
#[derive(Clone)]
pub struct LocalServer {
    state: watch::Receiver<State>,
}

/// Ends the process when dropped or stopped.
pub struct LocalServerGuard {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl LocalServer {
    /// Starts the watcher; the model loads meanwhile (see [`LocalServer::wait_ready`]). `model` is its name in requests.
    pub fn start(
        program: PathBuf,
        weights: PathBuf,
        model: &str,
        settings: &LanguageSettings,
        metrics: Arc<Metrics>,
    ) -> (Self, LocalServerGuard) {
        let (sender, state) = watch::channel(Err("it is being started".to_owned()));
        let stop = CancellationToken::new();
        let mut arguments: Vec<String> =
            ["--listen", "127.0.0.1:0", "--exit-with-parent", "--model"].map(str::to_owned).into();
        arguments.push(weights.to_string_lossy().into_owned());
        arguments.extend([
            "--context".to_owned(),
            settings.context_tokens.to_string(),
            "--alias".to_owned(),
            model.to_owned(),
            "--slots".to_owned(),
            settings.slots.to_string(),
        ]);
        if settings.threads > 0 {
            arguments.extend(["--threads".to_owned(), settings.threads.to_string()]);
        }
        let watcher = watch_over(program, arguments, sender, stop.clone(), metrics);
        #[expect(clippy::disallowed_methods, reason = "joined by the guard")]
        let task = tokio::spawn(watcher);
        (Self { state }, LocalServerGuard { stop, task: Some(task) })
    }

    /// The URL before `/chat/completions`, or why there is none now.
    pub fn base_url(&self) -> Result<String, String> {
        self.state.borrow().clone()
    }

    /// Waits until the model is loaded and warm; the reason if its first start fails.
    pub async fn wait_ready(&self) -> Result<(), String> {
        let mut state = self.state.clone();
        // The initial "is being started" does not count as a change.
        if state.borrow().is_ok() {
            return Ok(());
        }
        state.changed().await.map_err(|_| "it was stopped".to_owned())?;
        state.borrow().clone().map(drop)
    }
}

impl LocalServerGuard {
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for LocalServerGuard {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn watch_over(
    program: PathBuf,
    arguments: Vec<String>,
    state: watch::Sender<State>,
    stop: CancellationToken,
    metrics: Arc<Metrics>,
) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        match launch(&program, &arguments, &stop).await {
            Ok((mut child, input, url)) => {
                tracing::info!(%url, "local language model is up");
                backoff = FIRST_BACKOFF;
                let _ = state.send_replace(Ok(url));
                tokio::select! {
                    ended = child.wait() => {
                        let reason = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                        metrics.error("local_model_died", &reason);
                        let _ = state.send_replace(Err(format!("it ended ({reason}) and is being started again")));
                    }
                    () = stop.cancelled() => return end(child, input).await,
                }
            }
            Err(_) if stop.is_cancelled() => return,
            Err(reason) => {
                metrics.error("local_model_start", &reason);
                let _ = state.send_replace(Err(reason));
            }
        }
        metrics.local_model_restarts.inc();
        tokio::select! {
            () = tokio::time::sleep(backoff) => {}
            () = stop.cancelled() => return,
        }
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

/// Starts the process and waits for the line with its address.
async fn launch(
    program: &Path,
    arguments: &[String],
    stop: &CancellationToken,
) -> Result<(Child, ChildStdin, String), String> {
    let mut child = Command::new(program)
        .args(arguments)
        .env("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_else(|_| LOG_FILTER.into()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{} cannot be started ({error}): run \"make build\"", program.display()))?;
    // Its input is held apart: waiting for a child closes what it still owns, which would end this one.
    let (Some(stdout), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
        return Err("its input and output cannot be opened".into());
    };
    let mut lines = BufReader::new(stdout).lines();
    let address = async {
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(url) = line.strip_prefix(READY) {
                return Some(url.trim().to_owned());
            }
        }
        None
    };
    tokio::select! {
        address = tokio::time::timeout(START_LIMIT, address) => match address {
            Ok(Some(url)) => Ok((child, input, format!("{url}/v1"))),
            Ok(None) => {
                let status = child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(format!("{} ended before it was ready ({status}); its log lines say why", program.display()))
            }
            Err(_) => Err(format!("{} was not ready within {} s", program.display(), START_LIMIT.as_secs())),
        },
        () = stop.cancelled() => Err("it was stopped".into()),
    }
}

/// Closing its input asks the child to end; it is killed if it does not.
async fn end(mut child: Child, input: ChildStdin) {
    drop(input);
    if tokio::time::timeout(Duration::from_secs(3), child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}
