//! A running server for a test: its own port and settings, ended with the test.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use visavis::models::Store;

pub struct Server {
    pub url: String,
    /// What the server printed for its admin.
    pub monitor: Option<String>,
    child: Child,
    folder: TempDir,
}

/// `visavis serve` with these settings on a free port.
pub fn command(config: &str, folder: &TempDir) -> Command {
    command_at("127.0.0.1:0", config, folder)
}

pub fn command_at(listen: &str, config: &str, folder: &TempDir) -> Command {
    let file = folder.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_visavis"));
    command.args(["serve", "--listen", listen, "--config"]).arg(file);
    command.env("RUST_LOG", "visavis=info,warn").env("XDG_DATA_HOME", folder.path()).stdout(Stdio::piped());
    command
}

impl Server {
    /// Starts a server and waits until it listens, with all engines loaded.
    pub fn start(config: &str) -> Self {
        Self::start_with(config, |_| {})
    }

    /// The same with a changed command.
    pub fn start_with(config: &str, change: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(config, &folder);
        command.env_remove("VISAVIS_ADMIN_KEY");
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let mut monitor = None;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url = lines.find_map(|line| {
            monitor = line.strip_prefix("monitor: ").map(str::to_owned).or(monitor.take());
            line.strip_prefix("visavis is listening on ").map(str::to_owned)
        });
        Self { url: url.expect("the server did not start: see its log above"), monitor, child, folder }
    }

    /// The file with its settings.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub async fn status(&self) -> Value {
        let text = reqwest::get(format!("{}/api/status", self.url)).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub async fn metrics(&self) -> String {
        reqwest::get(format!("{}/metrics", self.url)).await.unwrap().text().await.unwrap()
    }

    /// Asks the server to end and waits for it.
    pub fn terminate(&mut self) -> ExitStatus {
        // SAFETY: a signal to a child that has not been waited for.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGTERM) };
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server says on its error output when it refuses to start, and how it ends.
pub fn refusal(mut command: Command) -> (ExitStatus, String) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut words = String::new();
    let stderr: Option<ChildStderr> = child.stderr.take();
    stderr.unwrap().read_to_string(&mut words).unwrap();
    (child.wait().unwrap(), words)
}

/// A recording or weight of the store.
pub fn weight(name: &str) -> PathBuf {
    Store::open(None).unwrap().path(name).unwrap_or_else(|error| panic!("{error}"))
}

/// Word error rate (Levenshtein over words, case and punctuation apart).
pub fn word_error_rate(expected: &str, heard: &str) -> f64 {
    let words = |text: &str| -> Vec<String> {
        let kept = text.to_lowercase().replace(|c: char| !c.is_alphanumeric() && c != '\'', " ");
        kept.split_whitespace().map(str::to_owned).collect()
    };
    let (expected, heard) = (words(expected), words(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in expected.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, other) in heard.iter().enumerate() {
            let change = diagonal + usize::from(word != other);
            let best = change.min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[heard.len()] as f64 / expected.len().max(1) as f64
}

#[test]
fn word_errors_are_counted_as_edits() {
    assert_eq!(word_error_rate("Ever tried. Ever failed.", "ever tried, ever failed"), 0.0);
    assert_eq!(word_error_rate("a b c d", "a x c d"), 0.25);
    assert_eq!(word_error_rate("a b c d", "a c d e"), 0.5);
    assert_eq!(word_error_rate("a b", ""), 1.0);
}
