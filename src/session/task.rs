//! One call: the loop that turns the world into inputs of the dialogue and carries out what it orders.
//!
//! Holds no policy: who speaks and what is cut is the dialogue's, what is due is the timeline's. It never
//! waits for a queue; what finds no room is kept here in order, or told as an error.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use signaling::events::{EndReason, ServerEvent};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::codec::Codec;
use super::keeping::{Begun, Keeper};
use super::ledger::Ledger;
use super::limits::{Due, LimitSettings, Limits};
use super::settings::CallSettings;
use super::view::View;
use super::voicing::Voicing;
use super::wiring::{Receivers, Senders};
use crate::clock;
use crate::dialogue::{Dialogue, ItemId, Request};
use crate::engines::Engines;
use crate::engines::ears::Ear;
use crate::engines::jobs::Unwanted;
use crate::hearing::{Hints, Languages, Utterance};
use crate::language::LanguageModel;
use crate::media::{Clause, Speech, TurnId, UtteranceId};
use crate::peer::{CloseReason, Peer, PeerEvent};
use crate::playout::{Progress, Stage, StageHandle};

/// Why a call ended, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    HungUp,
    ByRemote,
    ConnectionLost,
    NeverConnected,
    Limit(EndReason),
    Fault,
}

impl Ended {
    /// The name under which it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::HungUp => "hung_up",
            Self::ByRemote => "by_remote",
            Self::ConnectionLost => "connection_lost",
            Self::NeverConnected => "never_connected",
            Self::Limit(EndReason::IdleTimeout) => "idle_timeout",
            Self::Limit(EndReason::MaxDuration) => "max_duration",
            Self::Limit(EndReason::Shutdown) => "shutdown",
            Self::Fault => "fault",
        }
    }
}

/// What a session is made from; everything in it ends with it.
pub struct Parts {
    pub peer: Peer,
    pub stage: Stage,
    pub handle: StageHandle,
    pub ear: Ear,
    pub senders: Senders,
    pub receivers: Receivers,
    pub codec: Codec,
    pub view: Arc<View>,
    pub settings: CallSettings,
    pub limits: LimitSettings,
    pub engines: Arc<Engines>,
    pub model: LanguageModel,
    /// What was said before.
    pub begun: Begun,
    /// Cancelled to hang up.
    pub stop: CancellationToken,
    /// The server itself is going down.
    pub shutdown: CancellationToken,
}

/// A running call.
pub(super) struct Session {
    pub(super) stage: Option<Stage>,
    pub(super) handle: StageHandle,
    /// Answers up to this one are not to be voiced any more.
    pub(super) unwanted: watch::Sender<TurnId>,
    pub(super) ear: Ear,
    pub(super) senders: Senders,
    pub(super) codec: Codec,
    pub(super) settings: CallSettings,
    pub(super) engines: Arc<Engines>,
    pub(super) model: LanguageModel,
    pub(super) view: Arc<View>,
    pub(super) dialogue: Dialogue,
    pub(super) ledger: Ledger,
    /// Texts for the client, in order.
    pub(super) texts: VecDeque<String>,
    /// Sound of what was just heard, until the dialogue said what to do with it.
    pub(super) utterances: Vec<Utterance>,
    /// The last pause, and where its utterance ends in the incoming sound.
    pub(super) pause: Option<(UtteranceId, u64)>,
    /// What was spoken so far, and what may be said next.
    pub(super) languages: Languages,
    pub(super) hints: Arc<Hints>,
    /// Language of the last words.
    pub(super) spoken: String,
    pub(super) transcribing: HashMap<UtteranceId, Arc<Unwanted>>,
    pub(super) thinking: JoinSet<()>,
    /// The model at work, and the server's tools.
    pub(super) thoughts: HashMap<TurnId, Vec<AbortHandle>>,
    /// The model reads ahead.
    pub(super) reading: Option<AbortHandle>,
    /// Clauses that the voice has no room for yet, and those that it has.
    pub(super) unspoken: VecDeque<Clause>,
    pub(super) voicing: Voicing,
    /// Sound and ends of answers that may not be heard yet, or that the stage has no room for.
    pub(super) unplayed: VecDeque<Unplayed>,
    /// The newest answer that may be heard.
    pub(super) playable: TurnId,
    pub(super) progress: Progress,
    pub(super) keeper: Keeper,
    /// Answers that are not over.
    pub(super) answers: Vec<(TurnId, ItemId)>,
    /// What was said in calls before, until the client can be told.
    pub(super) past: Vec<Request>,
    pub(super) started: Instant,
    /// Id of the client's event that asked for a commit.
    pub(super) commit: Option<Option<String>>,
    /// The client said something that counts as activity.
    pub(super) active: bool,
    /// When the last packet of the microphone came.
    pub(super) packet_at: Option<Instant>,
}

/// What the stage has no room for yet.
pub(super) enum Unplayed {
    Speech(Speech),
    Finish(TurnId),
}

impl Unplayed {
    pub(super) fn turn(&self) -> TurnId {
        match self {
            Self::Speech(speech) => speech.turn,
            Self::Finish(turn) => *turn,
        }
    }
}

/// Runs a call to its end and frees all that it held, but for the tasks that keep what was said, which it gives.
pub async fn run(parts: Parts) -> (Ended, JoinSet<()>) {
    let Parts {
        mut peer,
        stage,
        handle,
        ear,
        senders,
        mut receivers,
        codec,
        view,
        settings,
        limits,
        engines,
        model,
        begun,
        stop,
        shutdown,
    } = parts;
    let mut limits = Limits::new(limits, clock::now());
    let mut progress = handle.progress.clone();
    let mut keeping = JoinSet::new();
    let (keeper, past) = Keeper::start(begun, engines.clone(), &settings.dialogue.language, &mut keeping);
    let mut session = Session {
        stage: Some(stage),
        unwanted: watch::Sender::new(TurnId(0)),
        handle,
        ear,
        senders,
        dialogue: Dialogue::new(settings.dialogue.clone(), settings.history_items),
        codec,
        engines,
        model,
        view,
        ledger: Ledger::default(),
        texts: VecDeque::new(),
        utterances: Vec::new(),
        pause: None,
        languages: settings.languages.clone(),
        hints: Arc::new(settings.hints.clone()),
        spoken: String::new(),
        transcribing: HashMap::new(),
        thinking: JoinSet::new(),
        thoughts: HashMap::new(),
        reading: None,
        unspoken: VecDeque::new(),
        voicing: Voicing::default(),
        unplayed: VecDeque::new(),
        playable: TurnId(0),
        progress: Progress::default(),
        keeper,
        answers: Vec::new(),
        past,
        started: clock::now(),
        commit: None,
        active: false,
        packet_at: None,
        settings,
    };
    session.apply_settings();
    let ended = loop {
        let starved = session.starved();
        let due = session.dialogue.deadline().map(|due| session.started + due);
        let deadline = limits.deadline().into_iter().chain(starved).chain(due).min();
        let may_think = session.unspoken.is_empty() && !session.has_playable();
        tokio::select! {
            biased;
            () = stop.cancelled() => break Ended::HungUp,
            () = shutdown.cancelled() => break Ended::Limit(EndReason::Shutdown),
            event = peer.events.recv() => match event {
                Some(PeerEvent::Closed { reason }) => break closed(reason),
                None => break Ended::ConnectionLost,
                Some(event) => session.peer_event(event),
            },
            Some(event) = receivers.ears.recv() => session.ear_event(event),
            changed = progress.changed() => match changed {
                Ok(()) => {}
                Err(_) => break Ended::Fault,
            },
            Some((utterance, result)) = receivers.transcripts.recv() => session.transcribed(utterance, result),
            Some((utterance, complete)) = receivers.verdicts.recv() => session.judged(utterance, complete),
            Some((look, loaded)) = receivers.faces.recv() => session.face_loaded(&look, loaded),
            Some(spoken) = receivers.sounds.recv() => session.spoken(spoken),
            Some((turn, thought)) = receivers.thoughts.recv(), if may_think => session.thought(turn, thought),
            Some(summary) = session.keeper.summaries.recv() => session.summarised(summary),
            Some(_) = session.thinking.join_next() => {}
            () = sleep_until(deadline) => {}
        }
        session.listen_to_silence(starved, clock::now());
        session.follow_playout();
        session.tick();
        session.settle();
        let now = clock::now();
        if std::mem::take(&mut session.active) || !session.dialogue.is_idle() {
            limits.touch(now);
        }
        let due = limits.check(now);
        if let Some(Due::Warn { reason, remaining }) = due {
            session.tell(ServerEvent::SessionEnding { reason, remaining_ms: remaining.as_millis() as u64 });
        }
        if let Some(ended) = session.send_texts(&peer) {
            break ended;
        }
        if let Some(Due::End { reason }) = due {
            break Ended::Limit(reason);
        }
    };
    if let Ended::Limit(reason) = ended {
        session.tell(ServerEvent::SessionEnding { reason, remaining_ms: 0 });
        let _ = session.send_texts(&peer);
    }
    session.thinking.shutdown().await;
    // The stage goes first, so that nothing is drawn for a peer that is gone.
    drop(session);
    peer.close().await;
    (ended, keeping)
}

fn closed(reason: CloseReason) -> Ended {
    match reason {
        CloseReason::ByRemote => Ended::ByRemote,
        CloseReason::Failed => Ended::ConnectionLost,
        CloseReason::Timeout => Ended::NeverConnected,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
