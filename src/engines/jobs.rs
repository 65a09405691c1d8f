//! The model threads that calls share, and the jobs they take: utterances to text, pauses to a verdict, clauses to sound.
//!
//! A job carries the way back to its call. It is never waited for: a call that is gone or has moved on finds
//! its job skipped, and a job that is lost is answered with an error, so nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::clock;
use crate::hearing::{AsrError, AsrRequest, EndOfTurn, Recognizer, Transcript, Utterance};
use crate::media::{Clause, Speech, TurnId, UtteranceId};
use crate::metrics::Metrics;
use crate::voice::{Voice, VoiceStyle};

/// Utterances of all calls that wait for the recogniser.
pub const UTTERANCES: usize = 16;
/// Pauses of all calls that wait to be judged.
pub const PAUSES: usize = 16;
/// Clauses of all calls that wait for the voice.
pub const CLAUSES: usize = 32;
/// Most parts in which a clause's sound comes; what is left then comes in the last one.
pub const PARTS: usize = 8;

pub struct TranscribeJob {
    pub utterance: Utterance,
    pub language: Option<String>,
    /// Somebody waits for the text.
    pub awaited: bool,
    pub cancelled: Arc<AtomicBool>,
    pub reply: Reply<(UtteranceId, Result<Transcript, String>)>,
}

pub struct JudgeJob {
    pub utterance: Utterance,
    pub reply: Reply<(UtteranceId, Option<f32>)>,
}

pub struct SpeakJob {
    pub clause: Clause,
    pub style: VoiceStyle,
    /// Answers up to this turn are not wanted any more.
    pub unwanted: Arc<AtomicU64>,
    pub reply: Reply<Spoken>,
}

/// What becomes of a clause.
pub struct Spoken {
    pub turn: TurnId,
    pub clause: u32,
    pub progress: Speaking,
}

pub enum Speaking {
    /// A part of its sound; more may follow.
    Part(Speech),
    /// That was all of it.
    Done,
    Failed(String),
}

/// The way back of one job. Dropped unused, it sends what it was made with.
pub struct Reply<T> {
    sender: mpsc::Sender<T>,
    lost: Option<T>,
}

impl<T> Reply<T> {
    /// `lost` is told if the job never ends.
    pub fn new(sender: mpsc::Sender<T>, lost: T) -> Self {
        Self { sender, lost: Some(lost) }
    }

    pub fn send(mut self, value: T) {
        self.lost = Some(value);
    }

    /// Sends something before the job's end. The way back has room for it, or its owner is gone.
    fn tell(&self, value: T) {
        let _ = self.sender.try_send(value);
    }

    /// The job is not wanted any more: nothing is sent.
    pub fn forget(mut self) {
        self.lost = None;
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(value) = self.lost.take() {
            // The session bounds its jobs below the channel's capacity, so this finds room unless it is gone.
            let _ = self.sender.try_send(value);
        }
    }
}

pub fn transcribe(recognizer: &mut dyn Recognizer, job: TranscribeJob, metrics: &Metrics) {
    if job.cancelled.load(Ordering::Relaxed) {
        return job.reply.forget();
    }
    let start = clock::now();
    let request = AsrRequest {
        pcm: &job.utterance.pcm,
        language: job.language.as_deref(),
        prompt: None,
        awaited: job.awaited,
        cancelled: &job.cancelled,
    };
    let result = recognizer.transcribe(&request);
    metrics.transcribe_seconds.observe((clock::now() - start).as_secs_f64());
    let id = job.utterance.id;
    match result {
        Err(AsrError::Cancelled) => job.reply.forget(),
        Ok(transcript) => job.reply.send((id, Ok(transcript))),
        Err(error) => {
            metrics.error("transcription", &error);
            job.reply.send((id, Err(error.to_string())));
        }
    }
}

pub fn judge(model: &mut EndOfTurn, job: JudgeJob, metrics: &Metrics) {
    let start = clock::now();
    let complete = model.probability(&job.utterance.pcm);
    metrics.judge_seconds.observe((clock::now() - start).as_secs_f64());
    let complete = complete.inspect_err(|error| metrics.error("end_of_turn", error)).ok();
    job.reply.send((job.utterance.id, complete));
}

pub fn speak(voice: &mut dyn Voice, job: SpeakJob, metrics: &Metrics) {
    if job.clause.turn.0 <= job.unwanted.load(Ordering::Acquire) {
        // Its reply tells the session that the voice has room again.
        return;
    }
    let start = clock::now();
    let (turn, clause) = (job.clause.turn, job.clause.index);
    let (mut parts, mut rest) = (0, None::<Speech>);
    let result = voice.speak(&job.clause, &job.style, &mut |part| {
        if parts == 0 {
            metrics.voice_first_seconds.observe((clock::now() - start).as_secs_f64());
        }
        parts += 1;
        if parts < PARTS {
            job.reply.tell(Spoken { turn, clause, progress: Speaking::Part(part) });
        } else if let Some(rest) = &mut rest {
            rest.extend(part);
        } else {
            rest = Some(part);
        }
        turn.0 > job.unwanted.load(Ordering::Acquire)
    });
    metrics.voice_seconds.observe((clock::now() - start).as_secs_f64());
    if let Some(rest) = rest {
        job.reply.tell(Spoken { turn, clause, progress: Speaking::Part(rest) });
    }
    let progress = match result {
        Ok(()) => Speaking::Done,
        Err(error) => {
            metrics.error("voice", &error);
            Speaking::Failed(error.to_string())
        }
    };
    job.reply.send(Spoken { turn, clause, progress });
}
