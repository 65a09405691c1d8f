//! The engines that all calls share: loaded once, each on its thread, reached through bounded queues.

pub mod ears;
pub mod jobs;
mod listeners;
mod recognizers;
pub mod speakers;
pub mod voices;
pub mod whole;
pub mod worker;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::avatars::{AvatarError, Avatars, Look};
use crate::config::Config;
use crate::hearing::{AsrError, Languages, SileroModel};
use crate::knowledge::{Knowledge, KnowledgeError};
use crate::language::{LanguageError, LanguageModel, LocalServer, LocalServerGuard};
use crate::memory::{self, Shelf, StoreError};
use crate::metrics::Metrics;
use crate::models::{ModelError, Store};
use crate::onnx::{OnnxError, Runtime};
use crate::playout::MediaPool;
use crate::tools::{ToolError, Toolbox};
use crate::voice::VoiceError;
use ears::Ears;
use jobs::JudgeJob;
use listeners::Judge;
pub use recognizers::Recognizers;
use voices::Voices;
use worker::{LoadError, Worker};

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
    #[error(transparent)]
    Hearing(#[from] AsrError),
    #[error(transparent)]
    Tools(#[from] ToolError),
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    #[error("avatar.name: {0}")]
    Avatar(#[from] AvatarError),
    #[error("conversations cannot be kept: {0}; `memory.store = \"nothing\"` does without")]
    Memory(#[from] StoreError),
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the {0} engine's thread ended while it was loading")]
    Lost(&'static str),
    #[error("the local language model cannot be started: {0}")]
    Local(String),
    #[error(transparent)]
    Language(#[from] LanguageError),
}

pub struct Engines {
    pub ears: Ears,
    pub recognizers: Recognizers,
    pub judge: Worker<JudgeJob>,
    pub voices: Arc<Voices>,
    language: RwLock<LanguageModel>,
    /// The server's own.
    pub tools: Toolbox,
    /// What the persona knows, if it has a folder.
    pub knowledge: Option<Knowledge>,
    /// Keeps conversations, if any are to be kept.
    pub memory: Option<Arc<Shelf>>,
    pub media: MediaPool,
    /// Who can be seen.
    pub avatars: Arc<Avatars>,
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
        let (local, guard) = match config.llm.local_model() {
            Some(model) => {
                let weights = store.path(&model)?;
                let (local, guard) = LocalServer::start(local_program(), weights, &model, &config.llm, metrics.clone());
                (Some(local), Some(guard))
            }
            None => (None, None),
        };
        let runtime = Runtime::load(&store.path("onnxruntime")?)?;
        let keep = config.models.keep();
        let recognizers = Recognizers::start(&config.asr, store, keep, &metrics)?;
        let judge = Judge { weights: store.path("smart-turn")?, runtime: runtime.clone(), metrics: metrics.clone() };
        let judge = Worker::start("end-of-turn", jobs::PAUSES, None, &metrics.queues, judge)?;
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
        let avatars = Arc::new(Avatars::new(
            config.avatar.folder(store.folder()),
            config.video.encoder(config.avatar.mark),
            config.avatar.wav2lip.clone(),
            runtime.clone(),
            metrics.clone(),
        ));
        let (seen, look) = (avatars.clone(), Look::of(&config.avatar.name));
        let seen = tokio::task::spawn_blocking(move || seen.rest(&look));
        for (engine, loaded) in loading {
            let loaded = loaded.await.map_err(|_| EngineError::Lost(engine))?;
            loaded.map_err(|source| EngineError::Load { engine, source })?;
        }
        seen.await.map_err(|_| EngineError::Lost("face"))??;
        if let Some(local) = &local {
            local.wait_ready().await.map_err(EngineError::Local)?;
        }
        let language = RwLock::new(LanguageModel::new(config.llm.clone(), local, metrics.clone())?);
        let tools = Toolbox::observed(&config.tools, metrics.clone()).await?;
        let settings = config.knowledge.clone();
        let knowledge = tokio::task::spawn_blocking(move || Knowledge::open(&settings)).await;
        let knowledge = knowledge.map_err(|_| EngineError::Lost("knowledge"))??;
        let memory = memory::open(&config.memory, &metrics.queues).await?.map(|store| Arc::new(Shelf::new(store)));
        let voices = Arc::new(voices);
        let engines =
            Self { ears, recognizers, judge, voices, language, tools, knowledge, memory, media, avatars, metrics };
        Ok((engines, guard))
    }
}

impl Engines {
    /// The one that new calls ask; a call keeps the one that it began with.
    pub fn language(&self) -> LanguageModel {
        self.language.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_language(&self, model: LanguageModel) {
        *self.language.write().unwrap_or_else(PoisonError::into_inner) = model;
    }

    /// Loads what a call will need, if it is not there. `heard`: what people may speak; `spoken`: the language of answers.
    pub fn prepare(&self, heard: &Languages, voices: &[Arc<str>], spoken: &str) {
        self.recognizers.prepare(heard);
        self.voices.prepare(voices, spoken);
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
