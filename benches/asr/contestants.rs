//! Who recognises: the library's own recogniser, and faster-whisper as a process that is asked file by file.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::json;
use visavis::clock;
use visavis::hearing::{AsrRequest, Hints, Languages, Recognizer, WhisperModel, WhisperRecognizer, WhisperSettings};
use visavis::models::Store;

use crate::Clip;

const WEIGHTS: &str = "whisper-tiny-en";

#[derive(Deserialize)]
pub struct Recognised {
    pub text: String,
    pub seconds: f64,
}

pub enum Contestant {
    Ours { name: String, recognizer: Box<WhisperRecognizer> },
    FasterWhisper { process: Arc<Mutex<FasterWhisper>>, beam: usize, threads: usize },
}

/// Both, with one thread and two.
pub fn all(target: &Path) -> anyhow::Result<Vec<Contestant>> {
    let weights = Store::open(None)?.path(WEIGHTS)?;
    let process = Arc::new(Mutex::new(FasterWhisper::start(&target.join("faster-whisper"))?));
    let mut all = Vec::new();
    for threads in [1, 2] {
        let mut recognizer = WhisperModel::load(&weights, WhisperSettings { threads })?.recognizer()?;
        recognizer.warm_up()?;
        let name = format!("ours ({}), {}", recognizer.name(), count(threads));
        all.push(Contestant::Ours { name, recognizer: Box::new(recognizer) });
        for beam in [1, 5] {
            all.push(Contestant::FasterWhisper { process: process.clone(), beam, threads });
        }
    }
    Ok(all)
}

fn count(threads: usize) -> String {
    if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") }
}

impl Contestant {
    pub fn name(&self) -> String {
        match self {
            Self::Ours { name, .. } => name.clone(),
            Self::FasterWhisper { process, beam, threads } => {
                let process = process.lock().unwrap_or_else(PoisonError::into_inner);
                format!("{} int8, beam_size {beam}, {}", process.name, count(*threads))
            }
        }
    }

    pub fn recognise(&mut self, clip: &Clip) -> anyhow::Result<Recognised> {
        match self {
            Self::Ours { recognizer, .. } => {
                let begun = clock::now();
                let request = AsrRequest {
                    pcm: &clip.pcm,
                    languages: &Languages::only("en")?,
                    hints: &Hints::default(),
                    awaited: true,
                    cancelled: &AtomicBool::new(false),
                };
                let text = recognizer.transcribe(&request)?.text;
                Ok(Recognised { text, seconds: begun.elapsed().as_secs_f64() })
            }
            Self::FasterWhisper { process, beam, threads } => {
                let order = json!({ "wav": clip.path, "beam": beam, "threads": threads });
                process.lock().unwrap_or_else(PoisonError::into_inner).ask(&order.to_string())
            }
        }
    }
}

/// `benches/asr/run_faster_whisper.py`, which sets itself up when it is first run.
pub struct FasterWhisper {
    name: String,
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl FasterWhisper {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Ready {
            name: String,
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/asr/run_faster_whisper.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("python3, with its module venv, runs faster-whisper: install it")?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else { bail!("no pipes") };
        let mut process = Self { name: String::new(), child, orders, answers: BufReader::new(answers) };
        process.name = serde_json::from_str::<Ready>(&process.line()?)?.name;
        Ok(process)
    }

    fn ask(&mut self, order: &str) -> anyhow::Result<Recognised> {
        writeln!(self.orders, "{order}")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("run_faster_whisper.py ended: see its words above");
        }
        Ok(line)
    }
}

impl Drop for FasterWhisper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
