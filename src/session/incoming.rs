//! What comes into a call: the client's events, what was heard, thought and voiced, and how far playout is.
//!
//! Each becomes an input of the dialogue; nothing is decided here.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use signaling::events::{CLIENT_EVENT_LIMIT, ClientEvent, ErrorBody, SessionPatch, parse_client_event};

use super::requests;
use super::task::{Session, Unplayed};
use super::wiring::Thought;
use crate::clock;
use crate::dialogue::{Heard as HeardText, Input};
use crate::engines::ears::{EarEvent, millis_of};
use crate::engines::jobs::Spoken;
use crate::hearing::{Heard, Transcript, Utterance};
use crate::media::{TurnId, UtteranceId};
use crate::peer::PeerEvent;

/// Without a packet for this long, what is not sent counts as silence.
const STARVED: Duration = Duration::from_secs(1);

impl Session {
    pub(super) fn peer_event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Connected => self.start_media(),
            PeerEvent::ChannelOpen => {
                let greeting = self.codec.greet();
                self.texts.push_back(greeting);
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
        self.read_ahead();
        if let Some(stage) = self.stage.take()
            && !self.engines.media.add(Box::new(stage))
        {
            // The stage is dropped, which the loop sees as a fault.
            self.engines.metrics.error("media_pool_full", &"too many calls start at once");
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
                        self.dialogue.handle(Input::Client { request, event_id });
                    }
                }
            }
        }
    }

    pub(super) fn update(&mut self, patch: &SessionPatch, event_id: Option<String>) {
        let mut changed = self.codec.session.clone();
        let applied = changed.apply(patch).and_then(|()| self.settings.updated(&changed));
        match applied {
            Err(error) => self.tell(error.for_event(event_id).into()),
            Ok(settings) => {
                self.codec.session = changed;
                self.ear.detect(settings.detection);
                self.dialogue.set_settings(settings.dialogue.clone());
                self.settings = settings;
                let updated = self.codec.session_updated();
                self.texts.push_back(updated);
            }
        }
    }

    pub(super) fn ear_event(&mut self, event: EarEvent, now: Instant) {
        // A cut must hold what was heard up to now.
        self.follow_playout(now);
        let input = match event {
            EarEvent::Failed(message) => return self.error("hearing_failed", message),
            EarEvent::Committed(utterance) => return self.committed(utterance),
            EarEvent::Heard(Heard::Started { audio_start, .. }) => {
                Input::SpeechStarted { at_millis: millis_of(audio_start) }
            }
            EarEvent::Heard(Heard::Paused { utterance, .. }) => Input::SpeechPaused { utterance: self.keep(utterance) },
            EarEvent::Heard(Heard::Resumed { .. }) => Input::SpeechResumed,
            EarEvent::Heard(Heard::Piece { utterance }) => Input::SpeechPiece { utterance: self.keep(utterance) },
            EarEvent::Heard(Heard::Stopped { at, utterance }) => {
                self.ledger.speech_ended(now, self.settings.detection.settings.stop_millis);
                Input::SpeechStopped { at_millis: millis_of(at), utterance: self.keep(utterance) }
            }
        };
        self.dialogue.handle(input);
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
        self.dialogue.handle(Input::InputCommitted { utterance });
    }

    pub(super) fn transcribed(&mut self, utterance: UtteranceId, result: Result<Transcript, String>) {
        self.transcribing.remove(&utterance);
        self.utterances.retain(|kept| kept.id.0 != utterance.0);
        let result =
            result.map(|transcript| HeardText { text: transcript.text, seconds: f64::from(transcript.seconds) });
        self.dialogue.handle(Input::Transcribed { utterance, result });
    }

    pub(super) fn thought(&mut self, turn: TurnId, thought: Thought) {
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

    pub(super) fn spoken(&mut self, spoken: Spoken) {
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
    pub(super) fn follow_playout(&mut self, now: Instant) {
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
}
