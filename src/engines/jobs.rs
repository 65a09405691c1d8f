//! The jobs that the model threads of all calls take: utterances to text, pauses to a verdict, clauses to sound.
//!
//! A job carries the way back to its call. It is never waited for: a call that is gone or has moved on finds
//! its job skipped, and a job that is lost is answered with an error, so nobody waits for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, mpsc, watch};

use super::voices::{Choice, Pressing, Voices};
use crate::hearing::{Hints, Languages, Transcript, Utterance};
use crate::media::{Clause, Speech, TurnId, UtteranceId};
use crate::voice::VoiceStyle;

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
    pub languages: Languages,
    pub hints: Arc<Hints>,
    /// Somebody waits for the text.
    pub awaited: bool,
    pub unwanted: Arc<Unwanted>,
    pub reply: Reply<(UtteranceId, Result<Transcript, String>)>,
}

/// That the result of a job is not wanted any more: for threads that look now and then, and for tasks that wait.
#[derive(Debug, Default)]
pub struct Unwanted {
    pub flag: AtomicBool,
    notify: Notify,
}

impl Unwanted {
    pub fn tell(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.notify.notify_one();
    }

    /// Waits until it is so. One at a time may wait.
    pub(super) async fn told(&self) {
        self.notify.notified().await;
    }
}

pub struct JudgeJob {
    pub utterance: Utterance,
    pub reply: Reply<(UtteranceId, Option<f32>)>,
}

pub struct SpeakJob {
    pub clause: Clause,
    pub style: VoiceStyle,
    /// Language tag of what its script leaves open.
    pub language: String,
    /// The call's voices, in order.
    pub voices: Choice,
    /// All voices, for when one has to step in.
    pub all: Arc<Voices>,
    /// Answers up to this turn are not wanted any more; none is once its sender is gone.
    pub unwanted: watch::Receiver<TurnId>,
    pub reply: Reply<Spoken>,
    pub(super) told: Told,
    /// Somebody in a call waits for it.
    _pressing: Option<Pressing>,
}

/// How far a clause has come.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// So many of the voices were asked, or passed over.
    pub(super) tried: usize,
    /// Parts that were given away.
    pub(super) parts: usize,
    /// Bytes of the clause's text that were said.
    pub(super) bytes: usize,
    /// Why the first voice that failed did.
    pub(super) failure: Option<String>,
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
    pub(super) fn tell(&self, value: T) {
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

/// That somebody waits for an answer.
pub(super) struct Wanted {
    turn: TurnId,
    unwanted: watch::Receiver<TurnId>,
}

impl Wanted {
    /// Waits until nobody does any more.
    pub(super) async fn lost(&mut self) {
        let turn = self.turn;
        // The session's end is one too.
        let _ = self.unwanted.wait_for(|unwanted| turn <= *unwanted).await;
    }
}

impl SpeakJob {
    pub fn new(
        (clause, style, language): (Clause, VoiceStyle, String),
        (voices, all): (Choice, Arc<Voices>),
        unwanted: watch::Receiver<TurnId>,
        reply: Reply<Spoken>,
    ) -> Self {
        let _pressing = Some(all.press());
        Self { clause, style, language, voices, all, unwanted, reply, told: Told::default(), _pressing }
    }

    /// The same for somebody who lets calls go first.
    pub(super) fn patient(self) -> Self {
        Self { _pressing: None, ..self }
    }

    /// What is left to say.
    pub(super) fn rest(&self) -> &str {
        self.clause.text.get(self.told.bytes..).unwrap_or_default()
    }

    /// The voice that was asked last.
    pub(super) fn asked(&self) -> Option<&Arc<str>> {
        self.voices.get(self.told.tried.checked_sub(1)?)
    }

    pub(super) fn is_unwanted(&self) -> bool {
        self.clause.turn <= *self.unwanted.borrow() || self.unwanted.has_changed().is_err()
    }

    pub(super) fn wanted(&self) -> Wanted {
        Wanted { turn: self.clause.turn, unwanted: self.unwanted.clone() }
    }

    pub(super) fn tell(&self, part: Speech) {
        self.reply.tell(self.spoken(Speaking::Part(part)));
    }

    pub(super) fn done(self) {
        let done = self.spoken(Speaking::Done);
        self.reply.send(done);
    }

    pub(super) fn fail(self, reason: String) {
        let failed = self.spoken(Speaking::Failed(reason));
        self.reply.send(failed);
    }

    fn spoken(&self, progress: Speaking) -> Spoken {
        Spoken { turn: self.clause.turn, clause: self.clause.index, progress }
    }
}
