//! The engines that all calls share: loaded once, each on its thread, reached through bounded queues.

pub mod ears;
pub mod jobs;
pub mod worker;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::config::Config;
use crate::face::Character;
use crate::hearing::{AsrError, EndOfTurn, Recognizer, SileroModel, WhisperModel, WhisperSettings};
use crate::language::{LanguageModel, LocalServer, LocalServerGuard, Provider};
use crate::metrics::Metrics;
use crate::models::{ModelError, Store};
use crate::onnx::{OnnxError, Runtime};
use crate::playout::MediaPool;
use crate::voice::{PiperVoice, Voice, VoiceError};
use ears::Ears;
use jobs::{JudgeJob, SpeakJob, TranscribeJob};
use worker::Worker;

/// Threads of Whisper that are worth their cores.
const MOST_ASR_THREADS: usize = 2;

/// Why the server cannot start. Each says which file or setting and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    #[error("the recogniser cannot be loaded: {0}")]
    Asr(#[from] AsrError),
    #[error("the voice cannot be loaded: {0}")]
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
    pub recognizer: Worker<TranscribeJob>,
    pub judge: Worker<JudgeJob>,
    pub voice: Worker<SpeakJob>,
    pub language: LanguageModel,
    pub media: MediaPool,
    pub face: Character,
    pub metrics: Arc<Metrics>,
}

type Loaded<E> = oneshot::Receiver<Result<(), E>>;

impl Engines {
    /// Loads and warms every model; the guard ends the local language model.
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
        let (recognizer, heard) = start_recognizer(config, store, &metrics)?;
        let (judge, judged) = start_judge(store, &runtime, &metrics)?;
        let (voice, spoke) = start_voice(config, store, &runtime, &metrics)?;
        let ears = Ears::start(SileroModel::load(&runtime, &store.path("silero-vad")?)?, metrics.clone())?;
        let media = MediaPool::start(config.server.media_threads, &metrics)?;
        let face = Character::named(&config.avatar.name).unwrap_or_default();
        heard.await.map_err(|_| EngineError::Lost("hearing"))??;
        judged.await.map_err(|_| EngineError::Lost("end of turn"))??;
        spoke.await.map_err(|_| EngineError::Lost("voice"))??;
        if let Some(local) = &local {
            local.wait_ready().await.map_err(EngineError::Local)?;
        }
        let language = LanguageModel::new(config.llm.clone(), local);
        Ok((Self { ears, recognizer, judge, voice, language, media, face, metrics }, guard))
    }
}

fn start_recognizer(
    config: &Config,
    store: &Store,
    metrics: &Arc<Metrics>,
) -> Result<(Worker<TranscribeJob>, Loaded<AsrError>), EngineError> {
    let weights = store.path(config.asr.weight())?;
    let threads = match config.asr.threads {
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_ASR_THREADS)),
        threads => threads,
    };
    let settings = WhisperSettings { threads };
    let metrics = metrics.clone();
    let load = move || -> Result<Box<dyn Recognizer>, AsrError> {
        let mut recognizer = WhisperModel::load(&weights, settings)?.recognizer()?;
        recognizer.warm_up()?;
        Ok(Box::new(recognizer))
    };
    Ok(Worker::start("hearing", jobs::UTTERANCES, load, move |engine, job| {
        jobs::transcribe(engine.as_mut(), job, &metrics)
    })?)
}

fn start_judge(
    store: &Store,
    runtime: &Runtime,
    metrics: &Arc<Metrics>,
) -> Result<(Worker<JudgeJob>, Loaded<OnnxError>), EngineError> {
    let weights = store.path("smart-turn")?;
    let (runtime, metrics) = (runtime.clone(), metrics.clone());
    let load = move || {
        let mut model = EndOfTurn::load(&runtime, &weights, 1)?;
        model.warm_up()?;
        Ok(model)
    };
    Ok(Worker::start("end-of-turn", jobs::PAUSES, load, move |model, job| jobs::judge(model, job, &metrics))?)
}

fn start_voice(
    config: &Config,
    store: &Store,
    runtime: &Runtime,
    metrics: &Arc<Metrics>,
) -> Result<(Worker<SpeakJob>, Loaded<VoiceError>), EngineError> {
    let files = store.files(&config.tts.voice)?;
    let find =
        |suffix: &str| files.iter().find(|file| file.to_string_lossy().ends_with(suffix)).cloned().unwrap_or_default();
    let (weights, description) = (find(".onnx"), find(".json"));
    let (runtime, metrics, threads) = (runtime.clone(), metrics.clone(), config.tts.threads);
    let load = move || -> Result<Box<dyn Voice>, VoiceError> {
        let mut voice = PiperVoice::load(&runtime, &weights, &description, threads)?;
        voice.warm_up()?;
        Ok(Box::new(voice))
    };
    Ok(Worker::start("voice", jobs::CLAUSES, load, move |engine, job| jobs::speak(engine.as_mut(), job, &metrics))?)
}

/// `visavis-llm` beside our own executable, else on the PATH.
fn local_program() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.join("visavis-llm")))
        .filter(|path| path.exists());
    beside.unwrap_or_else(|| PathBuf::from("visavis-llm"))
}
