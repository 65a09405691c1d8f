//! What the threads of the recogniser and of the end-of-turn model do with their jobs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::jobs::{JudgeJob, TranscribeJob};
use super::worker::{LoadError, Work};
use crate::clock;
use crate::hearing::{AsrError, AsrRequest, EndOfTurn, Recognizer, WhisperModel, WhisperSettings};
use crate::metrics::Metrics;
use crate::models::Store;
use crate::onnx::Runtime;

/// Utterances to text.
pub struct Recognise {
    pub store: Store,
    /// Its name there.
    pub weight: String,
    pub settings: WhisperSettings,
    pub metrics: Arc<Metrics>,
}

impl Work for Recognise {
    type Engine = Box<dyn Recognizer>;
    type Job = TranscribeJob;

    fn load(&mut self) -> Result<Self::Engine, LoadError> {
        let mut recognizer =
            WhisperModel::load(&self.store.path(&self.weight)?, self.settings.clone())?.recognizer()?;
        recognizer.warm_up()?;
        Ok(Box::new(recognizer))
    }

    fn work(&mut self, recognizer: &mut Self::Engine, job: TranscribeJob) {
        if job.unwanted.flag.load(Ordering::Relaxed) {
            return job.reply.forget();
        }
        let start = clock::now();
        let request = AsrRequest {
            pcm: &job.utterance.pcm,
            languages: &job.languages,
            hints: &job.hints,
            awaited: job.awaited,
            cancelled: &job.unwanted.flag,
        };
        let result = recognizer.transcribe(&request);
        self.metrics.transcribe_seconds.observe((clock::now() - start).as_secs_f64());
        let id = job.utterance.id;
        match result {
            Err(AsrError::Cancelled) => job.reply.forget(),
            Ok(transcript) => job.reply.send((id, Ok(transcript))),
            Err(error) => {
                self.metrics.error("transcription", &error);
                job.reply.send((id, Err(error.to_string())));
            }
        }
    }

    fn refuse(&mut self, job: TranscribeJob, reason: String) {
        let id = job.utterance.id;
        job.reply.send((id, Err(format!("the recogniser cannot be loaded: {reason}"))));
    }
}

/// Pauses to the probability that the thought is complete.
pub struct Judge {
    pub weights: PathBuf,
    pub runtime: Runtime,
    pub metrics: Arc<Metrics>,
}

impl Work for Judge {
    type Engine = EndOfTurn;
    type Job = JudgeJob;

    fn load(&mut self) -> Result<Self::Engine, LoadError> {
        let mut model = EndOfTurn::load(&self.runtime, &self.weights, 1)?;
        model.warm_up()?;
        Ok(model)
    }

    fn work(&mut self, model: &mut Self::Engine, job: JudgeJob) {
        let start = clock::now();
        let complete = model.probability(&job.utterance.pcm);
        self.metrics.judge_seconds.observe((clock::now() - start).as_secs_f64());
        let complete = complete.inspect_err(|error| self.metrics.error("end_of_turn", error)).ok();
        job.reply.send((job.utterance.id, complete));
    }

    fn refuse(&mut self, job: JudgeJob, _reason: String) {
        job.reply.send((job.utterance.id, None));
    }
}
