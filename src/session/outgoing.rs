//! What goes out of a call: the dialogue's orders to the engines and the stage, and its events to the client.
//!
//! What finds no room in a queue is kept in order or told as an error; nothing here waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use signaling::events::{BargeInOutcome, ErrorBody, Latency, ServerEvent};
use signaling::{CallState, News};

use super::keeping;
use super::ledger::{self, Step};
use super::settings::CallSettings;
use super::task::{Ended, Session, Unplayed};
use super::wiring::{SOUNDS, TRANSCRIPTS, Thought, UNPLAYED};
use crate::clock;
use crate::dialogue::{self, Ending, Event, Input, Outcome, Output};
use crate::engines::jobs::{JudgeJob, Reply, SpeakJob, Speaking, Spoken, TranscribeJob, Unwanted};
use crate::hearing::hints::Source;
use crate::language::{Piece, Question};
use crate::media::{Attention, Clause, TurnId, UtteranceId};
use crate::peer::{Peer, PeerError};

impl Session {
    /// Carries out all orders and gives the queues what they have room for.
    pub(super) fn settle(&mut self) {
        while let Some(output) = self.dialogue.poll() {
            self.carry_out(output);
        }
        while self.voicing.len() < SOUNDS
            && self.unplayed.len() < UNPLAYED
            && let Some(clause) = self.unspoken.pop_front()
        {
            self.voice(clause);
            while let Some(output) = self.dialogue.poll() {
                self.carry_out(output);
            }
        }
        while self.has_playable()
            && let Some(next) = self.unplayed.pop_front()
        {
            let refused = match next {
                Unplayed::Speech(speech) => self.handle.speak(speech).err().map(Unplayed::Speech),
                Unplayed::Finish(turn) => (!self.handle.finish(turn)).then_some(Unplayed::Finish(turn)),
            };
            if let Some(refused) = refused {
                self.unplayed.push_front(refused);
                break;
            }
        }
        // An answer is over when nothing of it will be heard any more.
        let dialogue = &self.dialogue;
        for (_, item) in self.answers.extract_if(.., |(turn, _)| !dialogue.is_making(*turn)) {
            if let Some(item) = dialogue.item(&item) {
                self.keeper.said(item);
            }
        }
        self.keeper.save();
        // Jobs hold the sound that they need.
        self.utterances.clear();
        self.view.follow(self.state());
        let (avatar, voice) = (&self.settings.look.name, self.codec.session.audio.output.voice.name());
        self.view.show(avatar, voice, self.language());
        self.handle.attend(match () {
            () if self.dialogue.is_hearing() => Attention::Listening,
            () if self.dialogue.is_answering() => Attention::Thinking,
            () => Attention::Idle,
        });
    }

    fn state(&self) -> CallState {
        let progress = &self.progress;
        let sounds = self.dialogue.is_making(progress.turn) && !progress.ended && !progress.held;
        match () {
            // Media has not started.
            () if self.stage.is_some() => CallState::Connecting,
            () if self.dialogue.is_hearing() => CallState::Hearing,
            () if sounds => CallState::Speaking,
            () if self.dialogue.is_answering() => CallState::Thinking,
            () => CallState::Listening,
        }
    }

    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::Transcribe { utterance, awaited } => self.transcribe(utterance, awaited),
            Output::StopTranscribing { utterance } => {
                if let Some(unwanted) = self.transcribing.remove(&utterance) {
                    unwanted.tell();
                }
            }
            Output::Judge { utterance } => self.judge(utterance),
            Output::TakeInput { utterance } => {
                if let Some((_, end)) = self.pause.filter(|(pause, _)| *pause == utterance) {
                    self.ear.take(end);
                }
            }
            Output::ReadAhead { prompt } => self.read_ahead(prompt),
            Output::Generate { turn, prompt, may_call } => self.think(turn, prompt, may_call),
            Output::CallTool { turn, call } => self.call_tool(turn, call),
            Output::StopGenerating { turn } => {
                for thought in self.thoughts.remove(&turn).into_iter().flatten() {
                    thought.abort();
                }
            }
            Output::Speak(clause) => {
                self.ledger.step(clause.turn, Step::Clause, self.now());
                self.unspoken.push_back(clause);
            }
            Output::Play { turn } => self.playable = self.playable.max(turn),
            Output::Discard { turn } => {
                self.thoughts.remove(&turn);
                self.forgo(turn);
                self.unspoken.retain(|clause| clause.turn != turn);
                self.unplayed.retain(|next| next.turn() != turn);
            }
            Output::Hold => self.handle.hold(true),
            Output::Release => self.handle.hold(false),
            Output::FinishSpeech { turn } => {
                self.thoughts.remove(&turn);
                self.unplayed.push_back(Unplayed::Finish(turn));
            }
            Output::Silence { up_to } => {
                self.forgo(up_to);
                self.handle.silence(up_to);
                self.unspoken.retain(|clause| clause.turn > up_to);
                self.unplayed.retain(|next| matches!(next, Unplayed::Finish(_)) || next.turn() > up_to);
            }
            Output::CommitInput { event_id } => {
                self.commit = Some(event_id);
                self.ear.commit();
            }
            Output::DiscardInput => self.ear.clear(),
            Output::Emit(event) => self.emit(event),
        }
    }

    /// Answers up to this one are not to be voiced any more.
    fn forgo(&self, turn: TurnId) {
        self.unwanted.send_if_modified(|unwanted| turn > std::mem::replace(unwanted, turn.max(*unwanted)));
    }

    pub(super) fn transcribe(&mut self, id: UtteranceId, awaited: bool) {
        let Some(utterance) = self.utterances.iter().find(|kept| kept.id == id).cloned() else {
            let result = Err("the sound of this utterance is not kept any more".to_owned());
            return self.input(Input::Transcribed { utterance: id, result });
        };
        let unwanted = Arc::<Unwanted>::default();
        let lost = (id, Err("the recogniser failed at this utterance".to_owned()));
        let job = TranscribeJob {
            utterance,
            languages: self.languages.clone(),
            hints: self.hints.clone(),
            awaited,
            unwanted: unwanted.clone(),
            reply: Reply::new(self.senders.transcripts.clone(), lost),
        };
        if self.transcribing.len() < TRANSCRIPTS {
            self.transcribing.insert(id, unwanted);
            // A refused job answers with an error through its reply.
            if let Err(error) = self.engines.recognizers.submit(job) {
                self.engines.metrics.error("recogniser_overloaded", &error);
            }
        }
    }

    pub(super) fn judge(&mut self, id: UtteranceId) {
        let Some(utterance) = self.utterances.iter().find(|kept| kept.id == id).cloned() else { return };
        let job = JudgeJob { utterance, reply: Reply::new(self.senders.verdicts.clone(), (id, None)) };
        if let Err(error) = self.engines.judge.submit(job) {
            self.engines.metrics.error("end_of_turn_overloaded", &error);
        }
    }

    pub(super) fn think(&mut self, turn: TurnId, prompt: Vec<dialogue::Message>, may_call: bool) {
        self.ledger.step(turn, Step::Asked, self.now());
        if let Some(reading) = self.reading.take() {
            reading.abort();
        }
        let question = self.question(Some(turn), prompt, may_call);
        let question = Question { max_tokens: self.codec.max_tokens(turn), ..question };
        let mut answer = Box::pin(self.model.answer(question));
        let (thoughts, metrics) = (self.senders.thoughts.clone(), self.engines.metrics.clone());
        let asked = clock::now();
        let task = async move {
            let mut usage = dialogue::Usage::default();
            while let Some(piece) = answer.next().await {
                let thought = match piece {
                    Ok(Piece::Text(text)) => Thought::Text(text),
                    Ok(Piece::Call(call)) => Thought::Called(call),
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
            metrics.answer_seconds.observe((clock::now() - asked).as_secs_f64());
            let _ = thoughts.send((turn, Thought::Done(usage))).await;
        };
        let handle = self.thinking.spawn(task);
        self.thoughts.entry(turn).or_default().push(handle);
    }

    /// Lets the model read what the next prompt begins with; what it read before is part of that.
    pub(super) fn read_ahead(&mut self, prompt: Vec<dialogue::Message>) {
        let (language, question) = (self.model.clone(), self.question(None, prompt, true));
        let reading = self.thinking.spawn(async move { language.read_ahead(question).await });
        if let Some(before) = self.reading.replace(reading) {
            before.abort();
        }
    }

    pub(super) fn voice(&mut self, clause: Clause) {
        let (turn, index) = (clause.turn, clause.index);
        let failed = Speaking::Failed("the voice failed at this clause".to_owned());
        let lost = Spoken { turn, clause: index, progress: failed };
        let reply = Reply::new(self.senders.sounds.clone(), lost);
        let CallSettings { style, voices, .. } = &self.settings;
        let said = (clause, style.clone(), self.language().to_owned());
        let by = (voices.clone(), self.engines.voices.clone());
        self.voicing.asked(turn, index);
        if let Err(error) = self.engines.voices.speak(SpeakJob::new(said, by, self.unwanted.subscribe(), reply)) {
            self.engines.metrics.error("voice_overloaded", &error);
        }
    }

    pub(super) fn emit(&mut self, event: Event) {
        super::report(&event, &self.engines.metrics);
        self.remember(&event);
        match &event {
            Event::ReplyDone { .. } => drop(self.view.answers.fetch_add(1, Ordering::Relaxed)),
            Event::Error { .. } => drop(self.view.errors.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
        let closes = match &event {
            Event::InputCommitted { at: Some(end), .. } => {
                self.ledger.committed(*end, self.now());
                None
            }
            Event::Transcribed { heard, .. } => {
                self.ledger.transcribed();
                self.languages.spoken(&self.spoken, heard.seconds as f32, false);
                None
            }
            Event::ReplyStarted { turn, .. } => {
                self.ledger.answered(*turn);
                None
            }
            Event::ReplyDone { item, text_only: false, .. } => {
                // People speak of what they were told.
                let text = item.text.as_deref().unwrap_or_default();
                Arc::make_mut(&mut self.hints).mentioned(Source::Answer, text);
                None
            }
            Event::PlayoutStopped { turn }
            | Event::PlayoutCleared { turn }
            | Event::ReplyDone { turn, text_only: true, .. } => Some(*turn),
            Event::BargeIn { turn, since, outcome } => return self.tell_barge_in(*turn, *since, *outcome),
            _ => None,
        };
        if let Some(turn) = closes {
            self.tell_latency(turn, true);
        }
        let texts = self.codec.encode(event);
        self.texts.extend(texts);
    }

    /// Lets the conversation be kept.
    fn remember(&mut self, event: &Event) {
        match event {
            Event::ItemDone { item, .. } if keeping::is_over_at_once(item) => self.keeper.said(item),
            Event::Transcribed { item, .. } => {
                if let Some(item) = self.dialogue.item(item) {
                    self.keeper.said(item);
                }
            }
            Event::ReplyStarted { turn, item, .. } => self.answers.push((*turn, item.id.clone())),
            // It is played for a while now.
            Event::ReplyDone { ending: Ending::Completed, text_only: false, .. } => self.keeper.rest(self.language()),
            _ => {}
        }
    }

    /// Tells how long an answer took, once that is known (or it is `over`).
    pub(super) fn tell_latency(&mut self, turn: TurnId, over: bool) {
        if let Some(latency) = self.ledger.close(turn, over) {
            ledger::observe(&latency, &self.engines.metrics);
            let response_id = self.codec.response_id(turn);
            let latency = Latency { response_id, ..latency };
            self.engines.metrics.news.post(|| News::Answer { id: self.view.id.clone(), latency: latency.clone() });
            self.tell(ServerEvent::Latency(latency));
        }
    }

    fn tell_barge_in(&mut self, turn: TurnId, since: Duration, outcome: Outcome) {
        let began = self.started + since;
        let moments = self.handle.progress.borrow().moments;
        // If nothing sounded since, it was silent already.
        let silent = moments.last_sound.map_or(Duration::ZERO, |last| last.saturating_duration_since(began));
        let lips =
            moments.last_sound.zip(moments.lips_at_rest).map(|(last, rest)| rest.saturating_duration_since(last));
        let (name, outcome) = match outcome {
            Outcome::Ended => ("ended", BargeInOutcome::Ended),
            Outcome::Resumed => ("resumed", BargeInOutcome::Resumed),
        };
        self.engines.metrics.silent_seconds.observe(silent.as_secs_f64());
        self.engines.metrics.barge_ins.with_label_values(&[name]).inc();
        if outcome == BargeInOutcome::Ended {
            self.view.interruptions.fetch_add(1, Ordering::Relaxed);
        }
        let silent_ms = silent.as_millis() as u64;
        self.engines.metrics.news.post(|| News::BargeIn { id: self.view.id.clone(), outcome, silent_ms });
        self.tell(ServerEvent::BargeIn {
            response_id: self.codec.response_id(turn),
            silent_ms,
            lips_ms: lips.map(|lips| lips.as_millis() as u64),
            decided_ms: self.now().saturating_sub(since).as_millis() as u64,
            outcome,
        });
    }

    pub(super) fn error(&mut self, code: &'static str, message: String) {
        self.tell(ErrorBody::server(code, message).for_event(None).into());
    }

    pub(super) fn tell(&mut self, event: ServerEvent) {
        if matches!(event, ServerEvent::Error { .. }) {
            self.view.errors.fetch_add(1, Ordering::Relaxed);
        }
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
