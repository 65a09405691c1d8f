//! What goes out of a call: the dialogue's orders to the engines and the stage, and its events to the client.
//!
//! What finds no room in a queue is kept in order or told as an error; nothing here waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use signaling::events::{ErrorBody, ServerEvent};

use super::task::{Ended, Session, Unplayed};
use super::wiring::{SOUNDS, TRANSCRIPTS, Thought};
use crate::clock;
use crate::dialogue::{self, Event, Input, Output};
use crate::engines::jobs::{Reply, SpeakJob, Spoken, TranscribeJob};
use crate::language::Piece;
use crate::media::{Attention, Clause, TurnId, UtteranceId};
use crate::peer::{Peer, PeerError};

impl Session {
    /// Carries out all orders and gives the queues what they have room for.
    pub(super) fn settle(&mut self) {
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
        // Jobs hold the sound that they need.
        self.utterances.clear();
        self.handle.attend(match () {
            () if self.dialogue.is_hearing() => Attention::Listening,
            () if self.dialogue.is_answering() => Attention::Thinking,
            () => Attention::Idle,
        });
    }

    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Transcribe { utterance } => self.transcribe(utterance),
            Output::StopTranscribing { utterance } => {
                if let Some(cancelled) = self.transcribing.remove(&utterance) {
                    cancelled.store(true, Ordering::Relaxed);
                }
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
            Output::DiscardInput => self.ear.clear(),
            Output::Emit(event) => self.emit(event),
        }
    }

    pub(super) fn transcribe(&mut self, id: UtteranceId) {
        let Some(utterance) = self.utterances.iter().find(|kept| kept.id == id).cloned() else {
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

    pub(super) fn think(&mut self, turn: TurnId, prompt: Vec<dialogue::Message>) {
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

    /// Lets the model read the instructions before anybody asks, so that the first answer is as fast as later ones.
    pub(super) fn read_ahead(&mut self) {
        let content = self.settings.dialogue.instructions.clone();
        let prompt = vec![dialogue::Message { role: dialogue::Role::System, content }];
        let language = self.engines.language.clone();
        self.thinking.spawn(async move { language.read_ahead(prompt).await });
    }

    pub(super) fn voice(&mut self, clause: Clause) {
        let (turn, index) = (clause.turn, clause.index);
        let lost = Spoken { turn, clause: index, result: Err("the voice failed at this clause".to_owned()) };
        let reply = Reply::new(self.senders.sounds.clone(), lost);
        let job = SpeakJob { clause, style: self.settings.style, silenced: self.silenced.clone(), reply };
        self.speaking += 1;
        if let Err(error) = self.engines.voice.submit(job) {
            self.engines.metrics.error("voice_overloaded", &error);
        }
    }

    pub(super) fn emit(&mut self, event: Event) {
        super::report(&event, &self.engines.metrics);
        let texts = self.codec.encode(event);
        self.texts.extend(texts);
    }

    pub(super) fn error(&mut self, code: &'static str, message: String) {
        self.tell(ErrorBody::server(code, message).for_event(None).into());
    }

    pub(super) fn tell(&mut self, event: ServerEvent) {
        let text = self.codec.write(event);
        self.texts.push_back(text);
    }

    /// Sends what is to be told; a client that does not read its events for so long is gone.
    pub(super) fn send_texts(&mut self, peer: &Peer) -> Option<Ended> {
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
