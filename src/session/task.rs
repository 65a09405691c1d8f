//! One call: the loop that turns the world into inputs of the dialogue and carries out what it orders.
//!
//! Holds no policy: who speaks and what is cut is the dialogue's, what is due is the timeline's. It never
//! waits for a queue; what finds no room is kept here in order, or told as an error.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use futures::StreamExt;
use signaling::events::{CLIENT_EVENT_LIMIT, ClientEvent, EndReason, ErrorBody, ServerEvent, parse_client_event};
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::codec::Codec;
use super::ledger::Ledger;
use super::limits::{Due, LimitSettings, Limits};
use super::requests;
use super::settings::CallSettings;
use super::wiring::{Receivers, SOUNDS, Senders, TRANSCRIPTS, Thought};
use crate::clock;
use crate::dialogue::{self, Dialogue, Event, Heard as HeardText, Input, Output};
use crate::engines::Engines;
use crate::engines::ears::{Ear, EarEvent, millis_of};
use crate::engines::jobs::{Reply, SpeakJob, Spoken, TranscribeJob};
use crate::hearing::{Heard, Transcript, Utterance};
use crate::language::Piece;
use crate::media::{Attention, Clause, Speech, TurnId, UtteranceId};
use crate::peer::{CloseReason, Peer, PeerError, PeerEvent};
use crate::playout::{Progress, Stage, StageHandle};

/// Utterances whose sound is kept for the recogniser or for a commit by hand.
const KEPT_UTTERANCES: usize = 8;

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
    pub settings: CallSettings,
    pub limits: LimitSettings,
    pub engines: Arc<Engines>,
    /// Cancelled to hang up.
    pub stop: CancellationToken,
    /// The server itself is going down.
    pub shutdown: CancellationToken,
}

struct Session {
    stage: Option<Stage>,
    handle: StageHandle,
    silenced: Arc<AtomicU64>,
    ear: Ear,
    senders: Senders,
    codec: Codec,
    settings: CallSettings,
    engines: Arc<Engines>,
    dialogue: Dialogue,
    ledger: Ledger,
    /// Texts for the client, in order.
    texts: VecDeque<String>,
    utterances: VecDeque<Utterance>,
    transcribing: HashMap<UtteranceId, Arc<AtomicBool>>,
    thinking: JoinSet<()>,
    thoughts: HashMap<TurnId, AbortHandle>,
    /// Clauses that the voice has no room for yet, and how many it has.
    unspoken: VecDeque<Clause>,
    speaking: usize,
    /// Sound and ends of answers that the stage has no room for yet.
    unplayed: VecDeque<Unplayed>,
    progress: Progress,
    /// Id of the client's event that asked for a commit.
    commit: Option<Option<String>>,
    /// The client said something that counts as activity.
    active: bool,
}

enum Unplayed {
    Speech(Speech),
    Finish(TurnId),
}

/// Runs a call to its end and frees all that it held.
pub async fn run(parts: Parts) -> Ended {
    let Parts {
        mut peer,
        stage,
        handle,
        ear,
        senders,
        mut receivers,
        codec,
        settings,
        limits,
        engines,
        stop,
        shutdown,
    } = parts;
    let mut limits = Limits::new(limits, clock::now());
    let mut progress = handle.progress.clone();
    let mut session = Session {
        stage: Some(stage),
        silenced: handle.silenced(),
        handle,
        ear,
        senders,
        dialogue: Dialogue::new(settings.dialogue.clone(), settings.history_items),
        codec,
        settings,
        engines,
        ledger: Ledger::default(),
        texts: VecDeque::new(),
        utterances: VecDeque::new(),
        transcribing: HashMap::new(),
        thinking: JoinSet::new(),
        thoughts: HashMap::new(),
        unspoken: VecDeque::new(),
        speaking: 0,
        unplayed: VecDeque::new(),
        progress: Progress::default(),
        commit: None,
        active: false,
    };
    let ended = loop {
        let deadline = limits.deadline();
        let may_think = session.unspoken.is_empty() && session.unplayed.is_empty();
        tokio::select! {
            biased;
            () = stop.cancelled() => break Ended::HungUp,
            () = shutdown.cancelled() => break Ended::Limit(EndReason::Shutdown),
            event = peer.events.recv() => match event {
                Some(PeerEvent::Closed { reason }) => break closed(reason),
                None => break Ended::ConnectionLost,
                Some(event) => session.peer_event(event),
            },
            Some(event) = receivers.ears.recv() => session.ear_event(event, clock::now()),
            changed = progress.changed() => match changed {
                Ok(()) => {}
                Err(_) => break Ended::Fault,
            },
            Some((utterance, result)) = receivers.transcripts.recv() => session.transcribed(utterance, result),
            Some(spoken) = receivers.sounds.recv() => session.spoken(spoken),
            Some((turn, thought)) = receivers.thoughts.recv(), if may_think => session.thought(turn, thought),
            Some(_) = session.thinking.join_next() => {}
            () = sleep_until(deadline) => {}
        }
        session.follow_playout(clock::now());
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
    ended
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

impl Session {
    // What comes in.

    fn peer_event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Connected => self.start_media(),
            PeerEvent::ChannelOpen => {
                let greeting = self.codec.greet();
                self.texts.push_back(greeting);
            }
            PeerEvent::Text(text) => self.client_event(&text),
            PeerEvent::Audio { sequence, timestamp, payload } => self.ear.packet(sequence, timestamp, payload),
            PeerEvent::KeyFrameWanted => self.handle.force_key_frame(),
            PeerEvent::Closed { .. } => {}
        }
    }

    fn start_media(&mut self) {
        if let Some(stage) = self.stage.take()
            && !self.engines.media.add(Box::new(stage))
        {
            // The stage is dropped, which the loop sees as a fault.
            self.engines.metrics.error("media_pool_full", &"too many calls start at once");
        }
    }

    fn client_event(&mut self, text: &str) {
        match parse_client_event(text, CLIENT_EVENT_LIMIT) {
            Err(error) => self.tell(error.into()),
            Ok((ClientEvent::SessionUpdate { session }, event_id)) => self.update(&session, event_id),
            Ok((event, event_id)) => {
                let params = if let ClientEvent::ResponseCreate { response } = &event {
                    Some((**response).clone())
                } else {
                    None
                };
                match requests::request(event, |id| self.codec.turn_of(id)) {
                    Err(error) => self.tell(error.for_event(event_id).into()),
                    Ok(request) => {
                        self.active = true;
                        if let Some(params) = params {
                            self.codec.asked_for(params);
                        }
                        self.dialogue.handle(Input::Client { request, event_id });
                    }
                }
            }
        }
    }

    fn update(&mut self, patch: &signaling::events::SessionPatch, event_id: Option<String>) {
        let mut changed = self.codec.session.clone();
        let applied = changed.apply(patch).and_then(|()| self.settings.updated(&changed));
        match applied {
            Err(error) => self.tell(error.for_event(event_id).into()),
            Ok(settings) => {
                self.codec.session = changed;
                self.ear.set_settings(settings.vad);
                self.dialogue.set_settings(settings.dialogue.clone());
                self.settings = settings;
                let updated = self.codec.session_updated();
                self.texts.push_back(updated);
            }
        }
    }

    fn ear_event(&mut self, event: EarEvent, now: Instant) {
        // A cut must hold what was heard up to now.
        self.follow_playout(now);
        let input = match event {
            EarEvent::Failed(message) => return self.error("hearing_failed", message),
            EarEvent::Committed(utterance) => return self.committed(utterance),
            EarEvent::Heard(heard) if self.settings.manual => return self.keep_for_commit(heard),
            EarEvent::Heard(Heard::Started { audio_start, .. }) => {
                Input::SpeechStarted { at_millis: millis_of(audio_start) }
            }
            EarEvent::Heard(Heard::Paused { utterance, .. }) => Input::SpeechPaused { utterance: self.keep(utterance) },
            EarEvent::Heard(Heard::Resumed { .. }) => Input::SpeechResumed,
            EarEvent::Heard(Heard::Piece { utterance }) => Input::SpeechPiece { utterance: self.keep(utterance) },
            EarEvent::Heard(Heard::Stopped { at, utterance }) => {
                self.ledger.speech_ended(now, self.settings.vad.stop_millis);
                Input::SpeechStopped { at_millis: millis_of(at), utterance: self.keep(utterance) }
            }
        };
        self.dialogue.handle(input);
    }

    fn keep(&mut self, utterance: Utterance) -> UtteranceId {
        let id = UtteranceId(utterance.id.0);
        self.utterances.push_back(utterance);
        if self.utterances.len() > KEPT_UTTERANCES {
            self.utterances.pop_front();
        }
        id
    }

    /// Without turn detection, what was heard waits for the client's commit.
    fn keep_for_commit(&mut self, heard: Heard) {
        if let Heard::Stopped { utterance, .. } | Heard::Piece { utterance } = heard {
            self.keep(utterance);
        }
    }

    fn committed(&mut self, utterance: Option<Utterance>) {
        let Some(event_id) = self.commit.take() else { return };
        if let Some(utterance) = utterance {
            self.keep(utterance);
        }
        let utterances: Vec<UtteranceId> = self
            .utterances
            .iter()
            .map(|u| UtteranceId(u.id.0))
            .filter(|id| !self.transcribing.contains_key(id))
            .collect();
        if utterances.is_empty() {
            let message = "Nothing was heard since the last commit: there is no turn to end.";
            let error = ErrorBody::invalid("input_audio_buffer_commit_empty", message);
            return self.tell(error.for_event(event_id).into());
        }
        self.dialogue.handle(Input::InputCommitted { utterances });
    }

    fn transcribed(&mut self, utterance: UtteranceId, result: Result<Transcript, String>) {
        self.transcribing.remove(&utterance);
        self.utterances.retain(|kept| kept.id.0 != utterance.0);
        let result =
            result.map(|transcript| HeardText { text: transcript.text, seconds: f64::from(transcript.seconds) });
        self.dialogue.handle(Input::Transcribed { utterance, result });
    }

    fn thought(&mut self, turn: TurnId, thought: Thought) {
        let input = match thought {
            Thought::Text(text) => {
                self.ledger.token(turn, clock::now(), &self.engines.metrics);
                Input::Token { turn, text }
            }
            Thought::Done(usage) => Input::GenerationDone { turn, usage },
            Thought::Failed(message) => {
                self.engines.metrics.error("language_model", &message);
                Input::GenerationFailed { turn, message }
            }
        };
        self.dialogue.handle(input);
    }

    fn spoken(&mut self, spoken: Spoken) {
        self.speaking = self.speaking.saturating_sub(1);
        let Spoken { turn, clause, result } = spoken;
        if turn.0 <= self.silenced.load(Ordering::Acquire) {
            return;
        }
        let input = match result {
            Ok(speech) => {
                let ticks = speech.pcm.len() as u64;
                if ticks > 0 {
                    self.unplayed.push_back(Unplayed::Speech(speech));
                }
                Input::Voiced { turn, clause, ticks }
            }
            Err(message) => Input::VoiceFailed { turn, clause, message },
        };
        self.dialogue.handle(input);
    }

    /// Tells the dialogue what went out since it was last told.
    fn follow_playout(&mut self, now: Instant) {
        let seen = *self.handle.progress.borrow_and_update();
        let last = std::mem::replace(&mut self.progress, seen);
        if seen == last {
            return;
        }
        if seen.turn != last.turn {
            if last.turn != TurnId(0) && !last.ended {
                self.dialogue.handle(Input::PlayoutEnded { turn: last.turn });
            }
            self.ledger.sound(seen.turn, now, &self.engines.metrics);
            self.dialogue.handle(Input::PlayoutStarted { turn: seen.turn });
        }
        self.dialogue.handle(Input::Played { turn: seen.turn, ticks: seen.played });
        if seen.ended {
            self.dialogue.handle(Input::PlayoutEnded { turn: seen.turn });
        }
    }

    // What goes out.

    /// Carries out all orders and gives the queues what they have room for.
    fn settle(&mut self) {
        while let Some(output) = self.dialogue.poll() {
            self.carry_out(output);
        }
        while self.speaking < SOUNDS
            && let Some(clause) = self.unspoken.pop_front()
        {
            self.voice(clause);
            while let Some(output) = self.dialogue.poll() {
                self.carry_out(output);
            }
        }
        while let Some(next) = self.unplayed.pop_front() {
            let refused = match next {
                Unplayed::Speech(speech) => self.handle.speak(speech).err().map(Unplayed::Speech),
                Unplayed::Finish(turn) => (!self.handle.finish(turn)).then_some(Unplayed::Finish(turn)),
            };
            if let Some(refused) = refused {
                self.unplayed.push_front(refused);
                break;
            }
        }
        if !self.settings.manual {
            // Jobs hold the sound that they need.
            self.utterances.clear();
        }
        self.handle.attend(match () {
            () if self.dialogue.is_hearing() => Attention::Listening,
            () if self.dialogue.is_answering() => Attention::Thinking,
            () => Attention::Idle,
        });
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Transcribe { utterance } => self.transcribe(utterance),
            Output::StopTranscribing { utterance } => {
                if let Some(cancelled) = self.transcribing.remove(&utterance) {
                    cancelled.store(true, Ordering::Relaxed);
                }
                self.utterances.retain(|kept| kept.id.0 != utterance.0);
            }
            Output::Generate { turn, prompt } => self.think(turn, prompt),
            Output::StopGenerating { turn } => {
                if let Some(thought) = self.thoughts.remove(&turn) {
                    thought.abort();
                }
            }
            Output::Speak(clause) => self.unspoken.push_back(clause),
            Output::FinishSpeech { turn } => {
                self.thoughts.remove(&turn);
                self.unplayed.push_back(Unplayed::Finish(turn));
            }
            Output::Silence { up_to } => {
                self.handle.silence(up_to);
                self.unspoken.retain(|clause| clause.turn > up_to);
                self.unplayed.retain(|next| match next {
                    Unplayed::Speech(speech) => speech.turn > up_to,
                    Unplayed::Finish(_) => true,
                });
            }
            Output::CommitInput { event_id } => {
                self.commit = Some(event_id);
                self.ear.commit();
            }
            Output::DiscardInput => {
                self.utterances.clear();
                self.ear.clear();
            }
            Output::Emit(event) => self.emit(event),
        }
    }

    fn transcribe(&mut self, id: UtteranceId) {
        let Some(utterance) = self.utterances.iter().find(|kept| kept.id.0 == id.0).cloned() else {
            let result = Err("the sound of this utterance is not kept any more".to_owned());
            return self.dialogue.handle(Input::Transcribed { utterance: id, result });
        };
        let cancelled = Arc::new(AtomicBool::new(false));
        let lost = (id, Err("the recogniser failed at this utterance".to_owned()));
        let job = TranscribeJob {
            utterance,
            language: self.settings.asr_language.clone(),
            cancelled: cancelled.clone(),
            reply: Reply::new(self.senders.transcripts.clone(), lost),
        };
        if self.transcribing.len() < TRANSCRIPTS {
            self.transcribing.insert(id, cancelled);
            // A refused job answers with an error through its reply.
            if let Err(error) = self.engines.recognizer.submit(job) {
                self.engines.metrics.error("recogniser_overloaded", &error);
            }
        }
    }

    fn think(&mut self, turn: TurnId, prompt: Vec<dialogue::Message>) {
        self.ledger.asked(turn, clock::now());
        let mut answer = Box::pin(self.engines.language.answer(prompt, self.codec.max_tokens(turn)));
        let thoughts = self.senders.thoughts.clone();
        let task = async move {
            let mut usage = dialogue::Usage::default();
            while let Some(piece) = answer.next().await {
                let thought = match piece {
                    Ok(Piece::Text(text)) => Thought::Text(text),
                    Ok(Piece::Usage(counted)) => {
                        usage = counted;
                        continue;
                    }
                    Err(error) => {
                        let _ = thoughts.send((turn, Thought::Failed(error.to_string()))).await;
                        return;
                    }
                };
                if thoughts.send((turn, thought)).await.is_err() {
                    return;
                }
            }
            let _ = thoughts.send((turn, Thought::Done(usage))).await;
        };
        let handle = self.thinking.spawn(task);
        self.thoughts.insert(turn, handle);
    }

    fn voice(&mut self, clause: Clause) {
        let (turn, index) = (clause.turn, clause.index);
        let lost = Spoken { turn, clause: index, result: Err("the voice failed at this clause".to_owned()) };
        let reply = Reply::new(self.senders.sounds.clone(), lost);
        let job = SpeakJob { clause, style: self.settings.style, silenced: self.silenced.clone(), reply };
        self.speaking += 1;
        if let Err(error) = self.engines.voice.submit(job) {
            self.engines.metrics.error("voice_overloaded", &error);
        }
    }

    fn emit(&mut self, event: Event) {
        super::report(&event, &self.engines.metrics);
        let texts = self.codec.encode(event);
        self.texts.extend(texts);
    }

    fn error(&mut self, code: &'static str, message: String) {
        self.tell(ErrorBody::server(code, message).for_event(None).into());
    }

    fn tell(&mut self, event: ServerEvent) {
        let text = self.codec.write(event);
        self.texts.push_back(text);
    }

    /// Sends what is to be told; a client that does not read its events for so long is gone.
    fn send_texts(&mut self, peer: &Peer) -> Option<Ended> {
        while let Some(text) = self.texts.pop_front() {
            match peer.send_text(text) {
                Ok(()) => {}
                Err(error @ PeerError::TextTooLong { .. }) => self.error("event_too_long", error.to_string()),
                Err(error) => {
                    self.engines.metrics.error("event_not_sent", &error);
                    return Some(Ended::ConnectionLost);
                }
            }
        }
        None
    }
}
