//! Who makes sound and text: the library's own voices, our language model's server, and Python packages in a process of
//! theirs that are asked one thing after the other.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use visavis::clock;
use visavis::dialogue::clauses::ClauseSplitter;
use visavis::media::{Clause, MEDIA_HZ, TurnId};
use visavis::models::Store;
use visavis::onnx::Runtime;
use visavis::voice::{Kokoro, PhoneticVoice, Piper, Voice, VoiceStyle};

const THREADS: [usize; 2] = [1, 2];
/// Longest answer.
const TOKENS: u32 = 48;
const SPEAKER: &str = "af_heart";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Piper,
    Kokoro,
    Llm,
}

impl Engine {
    pub const ALL: [Self; 3] = [Self::Piper, Self::Kokoro, Self::Llm];

    fn key(self) -> &'static str {
        match self {
            Self::Piper => "piper",
            Self::Kokoro => "kokoro",
            Self::Llm => "llm",
        }
    }
}

/// Seconds to the first sound or token and to the last, and seconds of sound or the number of tokens.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Made {
    pub first: f64,
    pub all: f64,
    pub made: f64,
}

pub enum Contestant {
    Voice { threads: usize, voice: Box<dyn Voice>, style: VoiceStyle },
    Server { threads: usize, server: LlmServer },
    Package { engine: Engine, threads: usize, process: Arc<Mutex<Yardsticks>>, files: Vec<PathBuf> },
}

impl Contestant {
    /// All that make the same of the same weights.
    pub fn all(engine: Engine, target: &Path) -> anyhow::Result<Vec<Self>> {
        let store = Store::open(None)?;
        let files = match engine {
            Engine::Piper => store.files("piper-joe")?,
            Engine::Kokoro => {
                let voices = store.path("kokoro-voices")?;
                let voice = voices.parent().context("the folder of the voices")?.join(format!("{SPEAKER}.bin"));
                vec![store.path("kokoro")?, voice]
            }
            Engine::Llm => vec![store.path("qwen-0.5b")?],
        };
        let process = Arc::new(Mutex::new(Yardsticks::start(&target.join("yardsticks"))?));
        let mut all = Vec::new();
        for threads in THREADS {
            all.push(Self::ours(engine, threads, &store, &files)?);
            all.push(Self::Package { engine, threads, process: process.clone(), files: files.clone() });
        }
        Ok(all)
    }

    fn ours(engine: Engine, threads: usize, store: &Store, files: &[PathBuf]) -> anyhow::Result<Self> {
        let style = VoiceStyle { speaker: SPEAKER.into(), ..VoiceStyle::default() };
        let runtime = || -> anyhow::Result<Runtime> { Ok(Runtime::load(&store.path("onnxruntime")?)?) };
        let voice: Box<dyn Voice> = match engine {
            Engine::Llm => return Ok(Self::Server { threads, server: LlmServer::start(&files[0], threads)? }),
            Engine::Piper => {
                let mut voice = PhoneticVoice::new(Piper::load(&runtime()?, &files[0], &files[1], threads)?);
                voice.warm_up(&style)?;
                Box::new(voice)
            }
            Engine::Kokoro => {
                let folder = files[1].parent().context("the folder of the voices")?;
                let mut voice = PhoneticVoice::new(Kokoro::load(&runtime()?, &files[0], folder, threads)?);
                voice.warm_up(&style)?;
                Box::new(voice)
            }
        };
        Ok(Self::Voice { threads, voice, style })
    }

    pub fn name(&self) -> String {
        let (name, threads) = match self {
            Self::Voice { threads, .. } | Self::Server { threads, .. } => ("ours".to_owned(), threads),
            Self::Package { engine, threads, process, .. } => {
                let process = process.lock().unwrap_or_else(PoisonError::into_inner);
                (process.names[engine.key()].as_str().unwrap_or("?").to_owned(), threads)
            }
        };
        format!("{name}, {threads} thread{}", if *threads == 1 { "" } else { "s" })
    }

    pub fn make(&mut self, text: &str) -> anyhow::Result<Made> {
        match self {
            Self::Voice { voice, style, .. } => speak(voice.as_mut(), style, text),
            Self::Server { server, .. } => server.answer(text),
            Self::Package { engine, threads, process, files } => {
                let order = json!({
                    "engine": engine.key(), "threads": threads, "files": files, "text": text, "tokens": TOKENS
                });
                process.lock().unwrap_or_else(PoisonError::into_inner).ask(&order.to_string())
            }
        }
    }
}

/// As an answer is spoken: clause by clause, the first one in parts as small as they come.
fn speak(voice: &mut dyn Voice, style: &VoiceStyle, text: &str) -> anyhow::Result<Made> {
    let mut splitter = ClauseSplitter::default();
    let mut clauses = splitter.push(text);
    clauses.extend(splitter.finish());
    let begun = clock::now();
    let (mut first, mut ticks) = (None, 0);
    for (index, text) in (0..).zip(clauses) {
        voice.speak(&Clause { turn: TurnId(1), index, text }, style, &mut |part| {
            if !part.pcm.is_empty() {
                first.get_or_insert_with(|| begun.elapsed().as_secs_f64());
            }
            ticks += part.pcm.len();
            true
        })?;
    }
    let all = begun.elapsed().as_secs_f64();
    Ok(Made { first: first.context("no sound")?, all, made: ticks as f64 / f64::from(MEDIA_HZ) })
}

/// `visavis-llm`, which lies beside the benchmark's own build.
pub struct LlmServer {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    url: String,
    child: Child,
}

impl LlmServer {
    fn start(weights: &Path, threads: usize) -> anyhow::Result<Self> {
        let program = Path::new(env!("CARGO_BIN_EXE_visavis")).with_file_name("visavis-llm");
        let mut command = Command::new(program);
        command.arg("--model").arg(weights).args(["--listen", "127.0.0.1:0", "--slots", "1", "--context", "2048"]);
        command.args(["--threads", &threads.to_string(), "--threads-batch", &threads.to_string()]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.spawn().context("visavis-llm is not built: cargo build --release --workspace --bins")?;
        let mut lines = BufReader::new(child.stdout.take().context("no pipe")?).lines();
        let address = lines.find_map(|line| Some(line.ok()?.split_once("http://")?.1.trim().to_owned()));
        let url = format!(
            "http://{}/v1/chat/completions",
            address.context("visavis-llm did not start")?.trim_end_matches('/')
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, http: reqwest::Client::new(), url, child })
    }

    fn answer(&mut self, text: &str) -> anyhow::Result<Made> {
        let messages = json!([{"role": "user", "content": text}]);
        let body =
            json!({"model": "bench", "messages": messages, "max_tokens": TOKENS, "temperature": 0, "stream": true});
        self.runtime.block_on(async {
            let begun = clock::now();
            let response = self.http.post(&self.url).json(&body).send().await?.error_for_status()?;
            let (mut first, mut tokens, mut rest) = (None, 0u32, String::new());
            let mut stream = response.bytes_stream();
            while let Some(bytes) = stream.next().await {
                rest.push_str(std::str::from_utf8(&bytes?)?);
                while let Some((line, later)) = rest.split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())) {
                    rest = later;
                    let Some(chunk) = line.strip_prefix("data: ").filter(|data| *data != "[DONE]") else { continue };
                    let chunk: Value = serde_json::from_str(chunk)?;
                    if chunk["choices"][0]["delta"]["content"].as_str().is_some_and(|text| !text.is_empty()) {
                        first.get_or_insert_with(|| begun.elapsed().as_secs_f64());
                        tokens += 1;
                    }
                }
            }
            let all = begun.elapsed().as_secs_f64();
            Ok(Made { first: first.context("no token")?, all, made: f64::from(tokens) })
        })
    }
}

impl Drop for LlmServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `benches/engines/run_yardsticks.py`, which sets itself up when it is first run.
pub struct Yardsticks {
    names: Value,
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Yardsticks {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/engines/run_yardsticks.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("python3, with its module venv, runs the yardsticks: install it")?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else { bail!("no pipes") };
        let mut process = Self { names: Value::Null, child, orders, answers: BufReader::new(answers) };
        let ready: Value = serde_json::from_str(&process.line()?)?;
        process.names = ready["names"].clone();
        Ok(process)
    }

    fn ask(&mut self, order: &str) -> anyhow::Result<Made> {
        writeln!(self.orders, "{order}")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("run_yardsticks.py ended: see its words above");
        }
        Ok(line)
    }
}

impl Drop for Yardsticks {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
