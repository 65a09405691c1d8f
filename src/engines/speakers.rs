//! Which voices there are: those of the store, Piper voices that the user dropped in, and remote ones that the settings
//! name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Handle;

use super::EngineError;
use super::jobs::CLAUSES;
use super::voices::{Listed, Load, Remote, Speak, Voices};
use super::worker::Worker;
use crate::config::{Config, TtsSettings};
use crate::metrics::Metrics;
use crate::models::Store;
use crate::onnx::Runtime;
use crate::voice::remote::{EdgeVoice, OpenAiVoice, RemoteVoice};
use crate::voice::{Kokoro, PhoneticVoice, Piper, PiperConfig, VoiceStyle, kokoro, language_tag, primary_language};

/// Weights of the store that are Piper voices begin with this.
const PIPER: &str = "piper-";
const KOKORO: &str = "kokoro";
const KOKORO_VOICES: &str = "kokoro-voices";
/// Threads that are worth their cores: the parts of a sentence that Piper makes are short.
const PIPER_THREADS: usize = 1;
const KOKORO_THREADS: usize = 2;
const EDGE: &str = "edge";
const OPENAI: &str = "openai";

/// Starts a thread for each engine; none is loaded.
pub fn start(config: &Config, store: &Store, runtime: &Runtime, metrics: &Arc<Metrics>) -> Result<Voices, EngineError> {
    let tts = &config.tts;
    // What calls in the server's own language need stays.
    let keep = |voices: &[Listed]| {
        let stays = |voice: &Listed| {
            *voice.name == tts.voice
                || (primary_language(&voice.language) == config.language
                    && tts.others.contains(&voice.name.to_string()))
        };
        config.models.keep().filter(|_| !voices.iter().any(stays))
    };
    let voices = Voices::new(remote(tts), Handle::current(), metrics.clone());
    for (name, model, config) in pipers(tts, store) {
        let language = match PiperConfig::read(&config) {
            Ok(config) => language_tag(config.language()),
            Err(error) => {
                tracing::warn!(voice = name, %error, "left out");
                continue;
            }
        };
        let (runtime, threads) = (runtime.clone(), tts.threads(PIPER_THREADS));
        let voice = [Listed { name: name.into(), language, speaker: "".into() }];
        let load: Load = Box::new(move || {
            let mut voice = PhoneticVoice::new(Piper::load(&runtime, &model, &config, threads)?);
            voice.warm_up(&VoiceStyle::default())?;
            Ok(Box::new(voice))
        });
        let speak = Speak { load, metrics: metrics.clone() };
        let engine = Worker::start("voice", CLAUSES, keep(&voice), &metrics.queues, speak)?;
        voices.add(&Arc::new(engine), voice);
    }
    if let (Ok(model), Ok(voice)) = (store.path(KOKORO), store.path(KOKORO_VOICES))
        && let Some(folder) = voice.parent().map(Path::to_owned)
    {
        let speakers = kokoro_speakers(&folder);
        let of = |name: &str| name.strip_prefix("kokoro/").map(str::to_owned);
        let preferred = std::iter::once(&tts.voice).chain(&tts.others).find_map(|name| of(name));
        let style =
            VoiceStyle { speaker: preferred.unwrap_or_else(|| "af_heart".into()).into(), ..VoiceStyle::default() };
        let (runtime, threads) = (runtime.clone(), tts.threads(KOKORO_THREADS));
        let load: Load = Box::new(move || {
            let mut voice = PhoneticVoice::new(Kokoro::load(&runtime, &model, &folder, threads)?);
            voice.warm_up(&style)?;
            Ok(Box::new(voice))
        });
        let speak = Speak { load, metrics: metrics.clone() };
        let engine = Worker::start("voice", CLAUSES, keep(&speakers), &metrics.queues, speak)?;
        voices.add(&Arc::new(engine), speakers);
    }
    Ok(voices)
}

/// The voices in Kokoro's folder whose language can be read to it.
fn kokoro_speakers(folder: &Path) -> Vec<Listed> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let speakers = entries.flatten().filter_map(|entry| {
        let speaker = entry.file_name().to_str()?.strip_suffix(".bin")?.to_owned();
        let language = kokoro::tongue(&speaker)?.language.to_owned();
        Some(Listed { name: format!("kokoro/{speaker}").into(), language, speaker: speaker.into() })
    });
    speakers.collect()
}

/// Makes remote voices: `edge`, `openai`, and `edge/NAME` or `openai/NAME` for another voice of the same service. One that
/// the settings do not name is not there, so that no text leaves this machine unasked.
fn remote(tts: &TtsSettings) -> Remote {
    let tts = tts.clone();
    Box::new(move |name| {
        let (service, voice) = name.split_once('/').map_or((name, None), |(service, voice)| (service, Some(voice)));
        let is_service = |name: &String| name.split('/').next() == Some(service);
        if !std::iter::once(&tts.voice).chain(&tts.others).any(is_service) {
            return None;
        }
        match service {
            EDGE => {
                let mut settings = tts.edge.clone();
                settings.voice = voice.map_or(settings.voice, str::to_owned);
                Some(EdgeVoice::new(settings).map(|voice| Arc::new(voice) as Arc<dyn RemoteVoice>))
            }
            OPENAI => {
                let mut settings = tts.openai.clone();
                settings.voice = voice.map_or(settings.voice, str::to_owned);
                Some(OpenAiVoice::new(settings).map(|voice| Arc::new(voice) as Arc<dyn RemoteVoice>))
            }
            _ => None,
        }
    })
}

/// Name, model and settings file of each Piper voice that is there.
fn pipers(tts: &TtsSettings, store: &Store) -> Vec<(String, PathBuf, PathBuf)> {
    let mut found = Vec::new();
    for listed in store.list().unwrap_or_default() {
        let Some(files) = listed.name.starts_with(PIPER).then(|| store.files(&listed.name).ok()).flatten() else {
            continue;
        };
        let with = |suffix: &str| files.iter().find(|file| file.to_string_lossy().ends_with(suffix)).cloned();
        if let (Some(model), Some(config)) = (with(".onnx"), with(".onnx.json")) {
            found.push((listed.name, model, config));
        }
    }
    found.extend(dropped_in(&tts.folder(store.folder())));
    found
}

/// `NAME.onnx` beside `NAME.onnx.json`.
fn dropped_in(folder: &Path) -> Vec<(String, PathBuf, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| {
            let model = entry.path();
            let name = model.file_name()?.to_str()?.strip_suffix(".onnx")?.to_owned();
            let config = folder.join(format!("{name}.onnx.json"));
            config.is_file().then_some((name, model, config))
        })
        .collect();
    found.sort();
    found
}
