//! What comes into a call: the client's events, what was heard, thought and voiced, and how far playout is.
//!
//! Each becomes an input of the dialogue; nothing is decided here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use signaling::events::{CLIENT_EVENT_LIMIT, ClientEvent, ErrorBody, SessionPatch, parse_client_event};

use super::ledger::Step;
use super::requests;
use super::settings::{check_conversation, check_face, check_voice, no_such_face};
use super::task::{Session, Unplayed};
use super::wiring::Thought;
use crate::avatars::{AvatarError, Look};
use crate::clock;
use crate::dialogue::{Heard as HeardText, Input, Message, Request, ResponseRequest, Role};
use crate::engines::ears::{EarEvent, millis_of};
use crate::engines::jobs::{Speaking, Spoken};
use crate::hearing::{Heard, Transcript, Utterance};
use crate::media::{TurnId, UtteranceId};
use crate::memory::Summary;
use crate::peer::PeerEvent;
use crate::playout::Rest;

/// Without a packet for this long, what is not sent counts as silence.
const STARVED: Duration = Duration::from_secs(1);

impl Session {
    pub(super) fn peer_event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Connected => self.start_media(),
            PeerEvent::ChannelOpen => {
                let greeting = self.codec.greet();
                self.texts.push_back(greeting);
                let past = std::mem::take(&mut self.past);
                let goes_on = !past.is_empty() || self.keeper.notes.is_some();
                for request in past {
                    self.input(Input::Client { request, event_id: None });
                }
                if goes_on {
                    self.dialogue.read_anew();
                } else {
                    self.greet();
                }
            }
            PeerEvent::Text(text) => self.client_event(&text),
            PeerEvent::Audio { sequence, timestamp, payload } => {
                self.packet_at = Some(clock::now());
                self.ear.packet(sequence, timestamp, payload);
            }
            PeerEvent::KeyFrameWanted => self.handle.force_key_frame(),
            PeerEvent::Closed { .. } => {}
        }
    }

    /// When speech that is being heard counts as ended because its packets stay away.
    pub(super) fn starved(&self) -> Option<Instant> {
        self.packet_at.filter(|_| self.dialogue.is_hearing()).map(|at| at + STARVED)
    }

    pub(super) fn listen_to_silence(&mut self, starved: Option<Instant>, now: Instant) {
        if starved.is_some_and(|starved| now >= starved) && self.starved() == starved {
            self.packet_at = Some(now);
            self.ear.silence();
        }
    }

    pub(super) fn start_media(&mut self) {
        // Before anybody asks, so that the first answer is as fast as later ones.
        let content = self.dialogue.settings().instructions.clone();
        self.read_ahead(vec![Message::new(Role::System, content)]);
        if let Some(stage) = self.stage.take()
            && !self.engines.media.add(Box::new(stage))
        {
            // The stage is dropped, which the loop sees as a fault.
            self.engines.metrics.error("media_pool_full", &"too many calls start at once");
        }
    }

    /// Says what the face says first.
    fn greet(&mut self) {
        let Some(said) = self.settings.greeting.clone() else { return };
        self.ledger.asked(self.now());
        let request = Request::CreateResponse(ResponseRequest { said: Some(said), ..ResponseRequest::default() });
        self.input(Input::Client { request, event_id: None });
    }

    /// Says another greeting if nobody has heard or said anything yet.
    fn greet_anew(&mut self) {
        let goes_on = self.keeper.notes.is_some();
        if self.progress.turn == TurnId(0) && !self.dialogue.has_heard() && !goes_on {
            self.input(Input::Client { request: Request::ClearOutput, event_id: None });
            self.greet();
        }
    }

    pub(super) fn client_event(&mut self, text: &str) {
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
                        if matches!(request, Request::CreateResponse(_)) {
                            self.ledger.asked(self.now());
                        }
                        self.input(Input::Client { request, event_id });
                    }
                }
            }
        }
    }

    pub(super) fn update(&mut self, patch: &SessionPatch, event_id: Option<String>) {
        let mut changed = self.codec.session.clone();
        let applied = changed.apply(patch).and_then(|()| check_voice(&self.engines.voices, &changed));
        let applied = applied.and_then(|()| check_face(&self.engines.avatars, &changed));
        let applied = applied.and_then(|()| check_conversation(&self.codec.session, &changed));
        let applied = applied.and_then(|()| self.settings.updated(&changed));
        match applied {
            Err(error) => self.tell(error.for_event(event_id).into()),
            Ok(settings) => {
                self.codec.session = changed;
                settings.prepare(&self.engines);
                if settings.languages != self.settings.languages {
                    self.languages = settings.languages.clone();
                }
                self.hints = Arc::new(settings.hints.clone());
                self.ear.detect(settings.detection);
                if settings.look != self.settings.look {
                    self.load_face(settings.look.clone());
                }
                let greets_anew = settings.greeting != self.settings.greeting;
                self.settings = settings;
                self.apply_settings();
                let updated = self.codec.session_updated();
                self.texts.push_back(updated);
                if greets_anew {
                    self.greet_anew();
                }
            }
        }
    }

    /// Reads another face, which is shown when it is there.
    fn load_face(&mut self, look: Look) {
        let (avatars, faces) = (self.engines.avatars.clone(), self.senders.faces.clone());
        self.thinking.spawn(async move {
            let wanted = look.clone();
            let loaded = tokio::task::spawn_blocking(move || avatars.rest(&wanted)).await;
            // Nobody waits for it if the call is over, or if loading panicked.
            if let Ok(loaded) = loaded {
                let _ = faces.send((look, loaded)).await;
            }
        });
    }

    /// A face was loaded; of several that were asked for, the last one is shown.
    pub(super) fn face_loaded(&mut self, look: &Look, loaded: Result<Arc<Rest>, AvatarError>) {
        match loaded {
            Ok(rest) if *look == self.settings.look => self.handle.show(rest),
            Ok(_) => {}
            Err(error) => self.tell(no_such_face(&error).for_event(None).into()),
        }
    }

    /// Tells the dialogue, with the notes of what was said before.
    pub(super) fn apply_settings(&mut self) {
        let mut settings = self.settings.dialogue.clone();
        if let Some(notes) = &self.keeper.notes {
            settings.instructions = format!("{}\n\n{notes}", settings.instructions).trim_start().to_owned();
        }
        self.dialogue.set_settings(settings);
    }

    pub(super) fn summarised(&mut self, summary: Summary) {
        let language = self.language().to_owned();
        let covered = self.keeper.summarised(summary, &language);
        self.apply_settings();
        if let Some(last) = covered {
            self.dialogue.forget(&last);
        }
    }

    pub(super) fn ear_event(&mut self, event: EarEvent) {
        // A cut must hold what was heard up to now.
        self.follow_playout();
        let (heard, position) = match event {
            EarEvent::Failed(message) => return self.error("hearing_failed", message),
            EarEvent::Committed(utterance) => return self.committed(utterance),
            EarEvent::Heard { heard, position } => (heard, position),
        };
        let call_time = self.now();
        // When the sample at this position came in.
        let time = |at: u64| call_time.saturating_sub(Duration::from_millis(millis_of(position.saturating_sub(at))));
        let input = match heard {
            Heard::Suspected { at } => Input::VoiceSuspected { at: time(at) },
            Heard::Faded => Input::VoiceFaded,
            Heard::Started { at, audio_start } => {
                self.languages.dropped();
                Input::SpeechStarted { at: time(at), at_millis: millis_of(audio_start) }
            }
            Heard::Paused { at, utterance } => {
                self.pause = Some((utterance.id, utterance.end));
                Input::SpeechPaused { at: time(at), at_millis: millis_of(at), utterance: self.keep(utterance) }
            }
            Heard::Resumed { .. } => Input::SpeechResumed,
            Heard::Piece { utterance } => Input::SpeechPiece { utterance: self.keep(utterance) },
            Heard::Grew { utterance } => Input::SpeechGrew { utterance: self.keep(utterance) },
        };
        self.input(input);
    }

    /// Gives the dialogue an input at the call's time.
    pub(super) fn input(&mut self, input: Input) {
        let now = self.now();
        self.dialogue.handle(now, input);
    }

    /// Lets what has become due happen.
    pub(super) fn tick(&mut self) {
        let now = self.now();
        if self.dialogue.deadline().is_some_and(|due| due <= now) {
            self.dialogue.handle(now, Input::Tick);
        }
    }

    /// Time since the call began.
    pub(super) fn now(&self) -> Duration {
        clock::now() - self.started
    }

    /// Primary tag of the language that the call is in.
    pub(super) fn language(&self) -> &str {
        match self.languages.single() {
            Some(_) => &self.settings.dialogue.language,
            None => self.languages.assumed().code(),
        }
    }

    /// Something is ready for the stage that may be heard.
    pub(super) fn has_playable(&self) -> bool {
        self.unplayed.front().is_some_and(|next| next.turn() <= self.playable)
    }

    pub(super) fn keep(&mut self, utterance: Utterance) -> UtteranceId {
        let id = utterance.id;
        self.utterances.push(utterance);
        id
    }

    pub(super) fn committed(&mut self, utterance: Option<Utterance>) {
        let Some(event_id) = self.commit.take() else { return };
        let Some(utterance) = utterance else {
            let message = "Nothing was heard since the last commit: there is no turn to end.";
            let error = ErrorBody::invalid("input_audio_buffer_commit_empty", message);
            return self.tell(error.for_event(event_id).into());
        };
        let utterance = self.keep(utterance);
        self.input(Input::InputCommitted { utterance });
    }

    pub(super) fn transcribed(&mut self, utterance: UtteranceId, result: Result<Transcript, String>) {
        self.transcribing.remove(&utterance);
        self.utterances.retain(|kept| kept.id.0 != utterance.0);
        self.ledger.text(self.now());
        if let Ok(Transcript { text, language, seconds }) = &result
            && !text.is_empty()
        {
            let before = self.language().to_owned();
            self.languages.spoken(language, *seconds, true);
            self.spoken.clone_from(language);
            if self.language() != before {
                self.engines.voices.prepare(&self.settings.voices, self.language());
            }
        }
        let result =
            result.map(|transcript| HeardText { text: transcript.text, seconds: f64::from(transcript.seconds) });
        self.input(Input::Transcribed { utterance, result });
    }

    pub(super) fn judged(&mut self, utterance: UtteranceId, complete: Option<f32>) {
        tracing::debug!(utterance = utterance.0, complete, "pause judged");
        self.input(Input::Judged { utterance, complete });
    }

    pub(super) fn thought(&mut self, turn: TurnId, thought: Thought) {
        let input = match thought {
            Thought::Text(text) => {
                self.ledger.step(turn, Step::Token, self.now());
                Input::Token { turn, text }
            }
            Thought::Called(call) => {
                let own = self.is_own(turn, &call.name);
                Input::ToolCalled { turn, call, own }
            }
            Thought::Answered { call_id, output } => Input::ToolAnswered { turn, call_id, output },
            Thought::Done(usage) => {
                if let Some(wait) = self.ledger.first_token(turn) {
                    self.engines.metrics.first_token_seconds.observe(wait.as_secs_f64());
                }
                Input::GenerationDone { turn, usage }
            }
            Thought::Failed(message) => {
                self.engines.metrics.error("language_model", &message);
                Input::GenerationFailed { turn, message }
            }
        };
        self.input(input);
    }

    /// Voices work side by side; their sound is taken clause by clause.
    pub(super) fn spoken(&mut self, spoken: Spoken) {
        for Spoken { turn, clause, progress } in self.voicing.take(spoken) {
            if !self.dialogue.is_making(turn) {
                continue;
            }
            let input = match progress {
                Speaking::Part(speech) => {
                    self.ledger.step(turn, Step::Sound, self.now());
                    let ticks = speech.pcm.len() as u64;
                    let words = speech.words.clone();
                    if ticks > 0 {
                        self.unplayed.push_back(Unplayed::Speech(speech));
                    }
                    Input::Voiced { turn, clause, ticks, words }
                }
                Speaking::Done => Input::VoiceDone { turn, clause },
                Speaking::Failed(message) => Input::VoiceFailed { turn, clause, message },
            };
            self.input(input);
        }
    }

    /// Tells the dialogue what went out since it was last told.
    pub(super) fn follow_playout(&mut self) {
        let seen = *self.handle.progress.borrow_and_update();
        let last = std::mem::replace(&mut self.progress, seen);
        if seen == last {
            return;
        }
        let turn = seen.turn;
        if turn != last.turn {
            if last.turn != TurnId(0) && !last.ended {
                self.input(Input::PlayoutEnded { turn: last.turn });
            }
            self.input(Input::PlayoutStarted { turn });
        }
        for (step, moment) in [(Step::Packet, seen.moments.first_sound), (Step::Mouth, seen.moments.first_movement)] {
            if let Some(moment) = moment {
                self.ledger.step(turn, step, moment.saturating_duration_since(self.started));
            }
        }
        self.tell_latency(turn, false);
        self.input(Input::Played { turn, ticks: seen.played });
        if seen.ended {
            self.input(Input::PlayoutEnded { turn });
        }
    }
}
