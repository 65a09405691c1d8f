//! The engines that all calls share: loaded once, each on its thread, reached through bounded queues.

mod breaker;
pub mod ears;
pub mod jobs;
mod listeners;
pub mod speakers;
pub mod voices;
pub mod worker;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{AsrSettings, Config};
use crate::face::Character;
use crate::hearing::{SileroModel, WhisperSettings};
use crate::language::{LanguageModel, LocalServer, LocalServerGuard, Provider};
use crate::metrics::Metrics;
use crate::models::{ModelError, Store};
use crate::onnx::{OnnxError, Runtime};
use crate::playout::MediaPool;
use crate::voice::VoiceError;
use ears::Ears;
use jobs::{JudgeJob, TranscribeJob};
use listeners::{Judge, Recognise};
use voices::Voices;
use worker::{LoadError, Overloaded, Worker};

/// Threads of Whisper that are worth their cores.
const MOST_ASR_THREADS: usize = 2;

/// Why the server cannot start. Each says which file or setting and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error("the {engine} engine cannot be loaded: {source}")]
    Load { engine: &'static str, source: LoadError },
    #[error("tts.voice is \"{voice}\", which is not here; there are {known}; `visavis models pull` fetches more")]
    UnknownVoice { voice: String, known: String },
    #[error(transparent)]
    Voice(#[from] VoiceError),
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the {0} engine's thread ended while it was loading")]
    Lost(&'static str),
    #[error("the local language model cannot be started: {0}")]
    Local(String),
}

pub struct Engines {
    pub ears: Ears,
    pub recognizers: Recognizers,
    pub judge: Worker<JudgeJob>,
    pub voices: Arc<Voices>,
    pub language: LanguageModel,
    pub media: MediaPool,
    pub face: Character,
    pub metrics: Arc<Metrics>,
}

impl Engines {
    /// Loads and warms every model that a call with the default settings needs, and knows of the others; the guard
    /// ends the local language model.
    pub async fn load(
        config: &Config,
        store: &Store,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, Option<LocalServerGuard>), EngineError> {
        // The language model takes longest and is a process of its own: first.
        let (local, guard) = match config.llm.provider {
            Provider::Local => {
                let weights = store.path(&config.llm.model)?;
                let (local, guard) = LocalServer::start(local_program(), weights, &config.llm, metrics.clone());
                (Some(local), Some(guard))
            }
            Provider::OpenAi => (None, None),
        };
        let runtime = Runtime::load(&store.path("onnxruntime")?)?;
        let keep = config.models.keep();
        let recognizers = Recognizers::start(&config.asr, store, keep, &metrics)?;
        let judge = Judge { weights: store.path("smart-turn")?, runtime: runtime.clone(), metrics: metrics.clone() };
        let judge = Worker::start("end-of-turn", jobs::PAUSES, None, judge)?;
        let voices = speakers::start(config, store, &runtime, &metrics)?;
        if !voices.knows(&config.tts.voice) {
            let known = voices.list().iter().map(|listed| &*listed.name).collect::<Vec<_>>().join(", ");
            return Err(EngineError::UnknownVoice { voice: config.tts.voice.clone(), known });
        }
        let chosen = config.tts.choice();
        let voice = voices.first(&chosen, &config.language).and_then(|name| voices.load(name));
        let voice = voice.ok_or(EngineError::Lost("voice"))??;
        let loading = [("hearing", recognizers.load()), ("end of turn", judge.load()), ("voice", voice)];
        let ears = Ears::start(SileroModel::load(&runtime, &store.path("silero-vad")?)?, metrics.clone())?;
        let media = MediaPool::start(config.server.media_threads, &metrics)?;
        let face = Character::named(&config.avatar.name).unwrap_or_default();
        for (engine, loaded) in loading {
            let loaded = loaded.await.map_err(|_| EngineError::Lost(engine))?;
            loaded.map_err(|source| EngineError::Load { engine, source })?;
        }
        if let Some(local) = &local {
            local.wait_ready().await.map_err(EngineError::Local)?;
        }
        let language = LanguageModel::new(config.llm.clone(), local);
        Ok((Self { ears, recognizers, judge, voices: Arc::new(voices), language, media, face, metrics }, guard))
    }
}

impl Engines {
    /// Loads what a call will need, if it is not there. `heard`: the language of the recogniser; `spoken`: of answers.
    pub fn prepare(&self, heard: Option<&str>, voices: &[Arc<str>], spoken: &str) {
        self.recognizers.prepare(heard);
        self.voices.prepare(voices, spoken);
    }
}

/// The recognisers, one for each weight; a call's language chooses.
pub struct Recognizers {
    settings: AsrSettings,
    workers: HashMap<String, Worker<TranscribeJob>>,
}

impl Recognizers {
    fn start(
        asr: &AsrSettings,
        store: &Store,
        keep: Option<Duration>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, EngineError> {
        let default = asr.weight(asr.fixed_language().as_deref());
        // Its absence is told now, that of the others when they are asked for.
        store.path(default)?;
        let threads = match asr.threads {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_ASR_THREADS)),
            threads => threads,
        };
        let mut workers = HashMap::new();
        for weight in [asr.weight(Some("en")), asr.weight(None)] {
            let recognise = Recognise {
                store: store.clone(),
                weight: weight.to_owned(),
                settings: WhisperSettings { threads },
                metrics: metrics.clone(),
            };
            let keep = keep.filter(|_| weight != default);
            workers.insert(weight.to_owned(), Worker::start("hearing", jobs::UTTERANCES, keep, recognise)?);
        }
        Ok(Self { settings: asr.clone(), workers })
    }

    /// Loads what a call in this language will need, so that nobody waits for it then.
    pub fn prepare(&self, language: Option<&str>) {
        if let Some(worker) = self.workers.get(self.settings.weight(language)) {
            drop(worker.load());
        }
    }

    /// Loads the one for the configured language.
    fn load(&self) -> tokio::sync::oneshot::Receiver<Result<(), LoadError>> {
        let weight = self.settings.weight(self.settings.fixed_language().as_deref());
        match self.workers.get(weight) {
            Some(worker) => worker.load(),
            None => tokio::sync::oneshot::channel().1,
        }
    }

    pub fn submit(&self, job: TranscribeJob) -> Result<(), Overloaded> {
        match self.workers.get(self.settings.weight(job.language.as_deref())) {
            Some(worker) => worker.submit(job),
            // Its reply says that it is lost.
            None => Ok(()),
        }
    }
}

/// `visavis-llm` beside our own executable, else on the PATH.
fn local_program() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.join("visavis-llm")))
        .filter(|path| path.exists());
    beside.unwrap_or_else(|| PathBuf::from("visavis-llm"))
}
