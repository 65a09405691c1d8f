//! The recognisers: one elsewhere, if one is configured, and those of this machine, one for each weight.
//!
//! What somebody waits for goes elsewhere first; what is only recognised in passing stays here, where it costs nothing.
//! When the one elsewhere fails, this machine hears the same sound, and no word is lost; one that fails again and again
//! is left alone for a while ([`Breaker`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::EngineError;
use super::jobs::{self, TranscribeJob};
use super::listeners::Recognise;
use super::worker::{LoadError, Overloaded, Worker};
use crate::breaker::Breaker;
use crate::clock;
use crate::config::AsrSettings;
use crate::hearing::remote::{OpenAiRecognizer, RemoteRecognizer, RemoteRequest};
use crate::hearing::{AsrError, Languages, WhisperSettings};
use crate::metrics::Metrics;
use crate::models::Store;

/// Threads of Whisper that are worth their cores.
const MOST_THREADS: usize = 2;

/// See the module's text.
pub struct Recognizers {
    local: Arc<Local>,
    remote: Option<Arc<Remote>>,
    runtime: Handle,
    metrics: Arc<Metrics>,
}

struct Local {
    settings: AsrSettings,
    workers: HashMap<String, Worker<TranscribeJob>>,
}

struct Remote {
    recognizer: Box<dyn RemoteRecognizer>,
    breaker: Mutex<Breaker>,
}

impl Recognizers {
    /// The one elsewhere will be asked on this task's runtime. Loads nothing yet.
    pub(super) fn start(
        asr: &AsrSettings,
        store: &Store,
        keep: Option<Duration>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, EngineError> {
        let default = asr.weight(asr.speaks_english_alone());
        // Its absence is told now, that of the others when they are asked for.
        store.path(default)?;
        let threads = match asr.threads {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS)),
            threads => threads,
        };
        let mut workers = HashMap::new();
        for weight in [asr.weight(true), asr.weight(false)] {
            let recognise = Recognise {
                store: store.clone(),
                weight: weight.to_owned(),
                settings: WhisperSettings { threads },
                metrics: metrics.clone(),
            };
            let keep = keep.filter(|_| weight != default);
            let worker = Worker::start("hearing", jobs::UTTERANCES, keep, &metrics.queues, recognise)?;
            workers.insert(weight.to_owned(), worker);
        }
        let remote = match &asr.remote {
            Some(settings) => {
                let recognizer = Box::new(OpenAiRecognizer::new(settings.clone())?);
                Some(Arc::new(Remote { recognizer, breaker: Mutex::default() }))
            }
            None => None,
        };
        let local = Arc::new(Local { settings: asr.clone(), workers });
        Ok(Self { local, remote, runtime: Handle::current(), metrics: metrics.clone() })
    }

    /// Loads what a call will need, so that nobody waits for it then.
    pub fn prepare(&self, languages: &Languages) {
        if let Some(worker) = self.local.worker(languages.is_english_alone()) {
            drop(worker.load());
        }
    }

    /// Loads the one for the configured language.
    pub(super) fn load(&self) -> oneshot::Receiver<Result<(), LoadError>> {
        match self.local.worker(self.local.settings.speaks_english_alone()) {
            Some(worker) => worker.load(),
            None => oneshot::channel().1,
        }
    }

    /// Lets the utterance be recognised; the text comes by the job's reply.
    pub fn submit(&self, job: TranscribeJob) -> Result<(), Overloaded> {
        let asked = self.remote.as_ref().filter(|remote| job.awaited && remote.is_to_hear(&job.languages));
        match asked {
            Some(remote) => {
                drop(self.runtime.spawn(hear(remote.clone(), self.local.clone(), job, self.metrics.clone())));
                Ok(())
            }
            None => self.local.submit(job),
        }
    }
}

impl Local {
    fn worker(&self, english_alone: bool) -> Option<&Worker<TranscribeJob>> {
        self.workers.get(self.settings.weight(english_alone))
    }

    fn submit(&self, job: TranscribeJob) -> Result<(), Overloaded> {
        match self.worker(job.languages.is_english_alone()) {
            Some(worker) => worker.submit(job),
            // Its reply says that it is lost.
            None => Ok(()),
        }
    }
}

impl Remote {
    fn is_to_hear(&self, languages: &Languages) -> bool {
        self.breaker().allows(clock::now()) && self.recognizer.hears(languages)
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &AsrError, metrics: &Metrics) {
        metrics.error("transcription_elsewhere", error);
        if let Some(pause) = self.breaker().failed(clock::now()) {
            let (recognizer, seconds) = (self.recognizer.name(), pause.as_secs());
            tracing::warn!(recognizer, seconds, "failed again and again: left alone for a while");
        }
    }
}

/// Asks elsewhere, and here if that fails.
async fn hear(remote: Arc<Remote>, local: Arc<Local>, job: TranscribeJob, metrics: Arc<Metrics>) {
    let begun = clock::now();
    let request = RemoteRequest { pcm: &job.utterance.pcm, languages: &job.languages, hints: &job.hints };
    // What comes before the whole text is not better than what this machine heard in passing.
    let mut partly = |_: &str| {};
    let result = tokio::select! {
        biased;
        () = job.unwanted.told() => return job.reply.forget(),
        result = remote.recognizer.transcribe(&request, &mut partly) => result,
    };
    match result {
        Ok(transcript) => {
            remote.breaker().succeeded();
            metrics.transcribe_seconds.observe((clock::now() - begun).as_secs_f64());
            job.reply.send((job.utterance.id, Ok(transcript)));
        }
        Err(error) => {
            remote.failed(&error, &metrics);
            metrics.hearing_failovers.inc();
            if let Err(overloaded) = local.submit(job) {
                metrics.error("recogniser_overloaded", &overloaded);
            }
        }
    }
}
