//! Dialogue: who has the floor, what is answered, what is cut, and what the conversation holds.
//!
//! PURE core: no clock, socket, channel or async. `handle` takes facts and requests, `poll` gives orders
//! and events, in order. The session task carries the orders out and brings back what came of them; the
//! turn id on everything lets what is late be ignored.

pub mod clauses;
mod hearing;
pub mod history;
mod io;
mod phrases;
mod reply;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

pub use history::{Item, ItemId, Medium, Message, Place, Role};
pub use io::{ClientEventId, Ending, Event, Heard, Input, NewItem, Output, Request, ResponseRequest, Usage};

use crate::media::{Clause, TurnId, UtteranceId};
use hearing::Hearing;
use history::History;
use reply::{Making, Reply};

/// Longest text of one item, in bytes of UTF-8: with JSON around it, it fits a data channel message.
pub const LONGEST_ITEM: usize = 32_000;

/// What may change while a call goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The system prompt.
    pub instructions: String,
    /// Primary language tag (`en`, `zh`) of what the avatar says of its own accord.
    pub language: String,
    /// A spoken turn is answered without being asked to (false: manual turn taking).
    pub answers_speech: bool,
    /// Speech stops the answer that is playing.
    pub interruptible: bool,
    /// Answers are written only.
    pub text_only: bool,
}

pub struct Dialogue {
    settings: Settings,
    history: History,
    /// Answers that are not over, oldest first: at most one in the making, others still playing.
    replies: Vec<Reply>,
    /// The person is speaking.
    hearing: Option<Hearing>,
    /// Spoken turns that are over and have no text yet.
    untranscribed: Vec<Hearing>,
    /// A spoken turn waits for its answer.
    answer_due: bool,
    next_item: u64,
    last_turn: TurnId,
    outputs: VecDeque<Output>,
}

impl Dialogue {
    /// `history_limit`: most items that are remembered.
    pub fn new(settings: Settings, history_limit: usize) -> Self {
        Self {
            settings,
            history: History::new(history_limit),
            replies: Vec::new(),
            hearing: None,
            untranscribed: Vec::new(),
            answer_due: false,
            next_item: 0,
            last_turn: TurnId(0),
            outputs: VecDeque::new(),
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Applies to everything that is decided from now on.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Nothing is heard, made or played.
    pub fn is_idle(&self) -> bool {
        self.hearing.is_none() && self.untranscribed.is_empty() && self.replies.is_empty()
    }

    pub fn is_hearing(&self) -> bool {
        self.hearing.is_some()
    }

    pub fn is_answering(&self) -> bool {
        !self.replies.is_empty() || !self.untranscribed.is_empty()
    }

    /// The next order or event, until there is none.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn handle(&mut self, input: Input) {
        match input {
            Input::SpeechStarted { at_millis } => self.speech_started(at_millis),
            Input::SpeechPaused { utterance } => self.heard_part(utterance, true),
            Input::SpeechPiece { utterance } => self.heard_part(utterance, false),
            Input::SpeechResumed => self.speech_resumed(),
            Input::SpeechStopped { at_millis, utterance } => self.speech_stopped(at_millis, utterance),
            Input::InputCommitted { utterance } => self.input_committed(utterance),
            Input::Transcribed { utterance, result } => self.transcribed(utterance, &result),
            Input::Token { turn, text } => self.token(turn, &text),
            Input::GenerationDone { turn, usage } => self.generation_done(turn, usage),
            Input::GenerationFailed { turn, message } => self.generation_failed(turn, message),
            Input::Voiced { turn, clause, ticks } => self.voiced(turn, clause, ticks),
            Input::VoiceFailed { turn, clause, message } => self.voice_failed(turn, clause, message),
            Input::PlayoutStarted { turn } => self.playout_started(turn),
            Input::Played { turn, ticks } => {
                if let Some(reply) = self.reply(turn) {
                    reply.played = ticks;
                }
            }
            Input::PlayoutEnded { turn } => self.playout_ended(turn),
            Input::Client { request, event_id } => self.request(request, event_id),
        }
        self.settle();
    }

    // What is heard.

    fn speech_started(&mut self, at_millis: u64) {
        if self.settings.interruptible {
            self.stop_answers(Ending::Interrupted);
        }
        let item = self.new_item_id();
        self.emit(Event::SpeechStarted { item: item.clone(), at_millis });
        self.hearing = Some(Hearing::new(item));
    }

    fn heard_part(&mut self, utterance: UtteranceId, provisional: bool) {
        if self.hearing.as_mut().is_some_and(|hearing| hearing.add(utterance, provisional)) {
            self.outputs.push_back(Output::Transcribe { utterance });
        }
    }

    fn speech_resumed(&mut self) {
        let dropped = self.hearing.as_mut().map(Hearing::resume).unwrap_or_default();
        self.outputs.extend(dropped.into_iter().map(|utterance| Output::StopTranscribing { utterance }));
    }

    fn speech_stopped(&mut self, at_millis: u64, utterance: UtteranceId) {
        self.heard_part(utterance, false);
        let Some(hearing) = self.hearing.take() else { return };
        self.emit(Event::SpeechStopped { item: hearing.item.clone(), at_millis });
        self.commit(hearing);
    }

    /// Manual turn taking: the client said that the turn is over.
    fn input_committed(&mut self, utterance: UtteranceId) {
        let mut hearing = Hearing::new(self.new_item_id());
        hearing.add(utterance, false);
        self.outputs.push_back(Output::Transcribe { utterance });
        self.commit(hearing);
    }

    fn commit(&mut self, hearing: Hearing) {
        let id = hearing.item.clone();
        self.emit(Event::InputCommitted { item: id.clone(), previous: self.history.last().cloned() });
        let item = Item { id, role: Role::User, medium: Medium::Audio, text: None, complete: true, in_context: true };
        self.insert(item, Place::End, None);
        self.untranscribed.push(hearing);
        self.finish_transcripts();
    }

    fn transcribed(&mut self, utterance: UtteranceId, result: &Result<Heard, String>) {
        let turns = self.hearing.iter_mut().chain(&mut self.untranscribed);
        for hearing in turns {
            if hearing.transcribed(utterance, result) {
                break;
            }
        }
        self.finish_transcripts();
    }

    /// Spoken turns that are over and have all their text become it, in order.
    fn finish_transcripts(&mut self) {
        while let Some(result) = self.untranscribed.first().and_then(Hearing::text) {
            let item = self.untranscribed.remove(0).item;
            match result {
                Ok(heard) => {
                    if let Some(kept) = self.history.get_mut(&item) {
                        kept.text = Some(heard.text.clone());
                    }
                    self.answer_due |= !heard.text.is_empty() && self.settings.answers_speech;
                    self.emit(Event::Transcribed { item, heard });
                }
                Err(message) => self.emit(Event::TranscriptionFailed { item, message }),
            }
        }
    }

    // What is answered.

    /// Starts what has become due: called after every input.
    fn settle(&mut self) {
        if self.answer_due && self.hearing.is_none() && self.untranscribed.is_empty() && self.making().is_none() {
            self.answer_due = false;
            self.start_reply(ResponseRequest::default());
        }
        if !self.untranscribed.is_empty() {
            return;
        }
        let Some(index) = self.replies.iter().position(|reply| reply.making == Making::Waiting) else { return };
        let reply = &mut self.replies[index];
        reply.making = Making::Generating;
        let instructions = reply.instructions.take().unwrap_or_else(|| self.settings.instructions.clone());
        let prompt = match reply.input.take() {
            Some(input) => {
                std::iter::once(Message { role: Role::System, content: instructions }).chain(input).collect()
            }
            None => self.history.prompt(&instructions),
        };
        self.outputs.push_back(Output::Generate { turn: reply.turn, prompt });
    }

    fn start_reply(&mut self, request: ResponseRequest) {
        self.last_turn = TurnId(self.last_turn.0 + 1);
        let turn = self.last_turn;
        let text_only = request.text_only.unwrap_or(self.settings.text_only);
        let medium = if text_only { Medium::Text } else { Medium::Audio };
        let id = self.new_item_id();
        let previous = self.history.last().cloned();
        let item =
            Item { id: id.clone(), role: Role::Assistant, medium, text: None, complete: false, in_context: true };
        if !request.out_of_band {
            // Placed at the end, which always exists.
            let _ = self.history.insert(item.clone(), Place::End);
        }
        let mut reply = Reply::new(turn, id, previous.clone(), text_only);
        reply.instructions = request.instructions;
        reply.input = request.input;
        self.replies.push(reply);
        self.emit(Event::ReplyStarted { turn, item, previous, text_only });
    }

    fn token(&mut self, turn: TurnId, text: &str) {
        let Some(reply) = self.reply(turn).filter(|reply| reply.making == Making::Generating) else { return };
        let clauses = reply.write(text);
        let (item, text_only) = (reply.item.clone(), reply.text_only);
        self.emit(Event::ReplyText { turn, item, delta: text.to_owned(), text_only });
        self.speak(turn, clauses);
    }

    fn generation_done(&mut self, turn: TurnId, usage: Usage) {
        let Some(reply) = self.reply(turn).filter(|reply| reply.making == Making::Generating) else { return };
        reply.usage = usage;
        reply.making = Making::Written(Ending::Completed);
        let last = reply.finish_text();
        self.speak(turn, last);
        self.finish_if_voiced(turn);
    }

    /// The model failed: the person is told in words, so that silence never means a fault.
    fn generation_failed(&mut self, turn: TurnId, message: String) {
        let language = self.settings.language.clone();
        let Some(reply) = self.reply(turn).filter(|reply| reply.making == Making::Generating) else { return };
        let began = !reply.text.is_empty();
        let mut clauses: Vec<_> = reply.finish_text().into_iter().collect();
        let apology = phrases::apology(&language, began);
        let delta = if began { format!(" {apology}") } else { apology.to_owned() };
        clauses.extend(reply.write(&delta));
        clauses.extend(reply.finish_text());
        reply.making = Making::Written(Ending::Failed { message: message.clone() });
        let (item, text_only) = (reply.item.clone(), reply.text_only);
        self.emit(Event::Error { code: "language_model_failed", message, event_id: None });
        self.emit(Event::ReplyText { turn, item: item.clone(), delta, text_only });
        if let Some(item) = self.history.get_mut(&item) {
            item.in_context = began;
        }
        self.speak(turn, clauses);
        self.finish_if_voiced(turn);
    }

    fn speak(&mut self, turn: TurnId, clauses: impl IntoIterator<Item = (u32, String)>) {
        for (index, text) in clauses {
            self.outputs.push_back(Output::Speak(Clause { turn, index, text }));
        }
    }

    fn voiced(&mut self, turn: TurnId, clause: u32, ticks: u64) {
        if let Some(reply) = self.reply(turn) {
            reply.voiced(clause, ticks);
            self.finish_if_voiced(turn);
        }
    }

    fn voice_failed(&mut self, turn: TurnId, clause: u32, message: String) {
        let Some(reply) = self.reply(turn) else { return };
        reply.voiced(clause, 0);
        if !std::mem::replace(&mut reply.voice_failed, true) {
            self.emit(Event::Error { code: "voice_failed", message, event_id: None });
        }
        self.finish_if_voiced(turn);
    }

    /// Tells that an answer is made, once its text is complete and all of it has become sound.
    fn finish_if_voiced(&mut self, turn: TurnId) {
        let Some(reply) = self.reply(turn) else { return };
        let Making::Written(ending) = &reply.making else { return };
        if !reply.all_voiced() {
            return;
        }
        let ending = ending.clone();
        reply.making = Making::Done;
        let silent = !reply.has_sound();
        self.outputs.push_back(Output::FinishSpeech { turn });
        self.end_reply(turn, ending, None);
        if silent {
            self.replies.retain(|reply| reply.turn != turn);
        }
    }

    /// Writes what an answer came to into the history and tells the client. `heard` replaces its text.
    fn end_reply(&mut self, turn: TurnId, ending: Ending, heard: Option<String>) {
        let Some(reply) = self.replies.iter().find(|reply| reply.turn == turn) else { return };
        let text = heard.unwrap_or_else(|| reply.text.clone());
        let complete = !matches!(ending, Ending::Interrupted | Ending::Cancelled);
        let item = match self.history.get_mut(&reply.item) {
            Some(item) => {
                item.text = Some(text);
                item.complete = complete;
                item.clone()
            }
            // Out of band, or deleted by the client.
            None => Item {
                id: reply.item.clone(),
                role: Role::Assistant,
                medium: if reply.text_only { Medium::Text } else { Medium::Audio },
                text: Some(text),
                complete,
                in_context: false,
            },
        };
        let (previous, usage, text_only) = (reply.previous.clone(), reply.usage, reply.text_only);
        self.emit(Event::ReplyDone { turn, item, previous, ending, usage, text_only });
    }

    // What is played and what is cut.

    fn playout_started(&mut self, turn: TurnId) {
        if let Some(reply) = self.reply(turn) {
            reply.playing = true;
            self.emit(Event::PlayoutStarted { turn });
        }
    }

    fn playout_ended(&mut self, turn: TurnId) {
        let Some(index) = self.replies.iter().position(|r| r.turn == turn && r.making == Making::Done) else { return };
        self.replies.remove(index);
        self.emit(Event::PlayoutStopped { turn });
    }

    /// Cuts every answer: sound stops, the history keeps what was heard.
    fn stop_answers(&mut self, ending: Ending) {
        self.answer_due = false;
        if self.replies.is_empty() {
            return;
        }
        self.outputs.push_back(Output::Silence { up_to: self.last_turn });
        for turn in self.replies.iter().map(|reply| reply.turn).collect::<Vec<_>>() {
            self.stop_answer(turn, ending.clone());
        }
        self.replies.clear();
    }

    fn stop_answer(&mut self, turn: TurnId, ending: Ending) {
        let Some(reply) = self.replies.iter().find(|reply| reply.turn == turn) else { return };
        let (item, playing, making) = (reply.item.clone(), reply.playing, reply.making.clone());
        let heard = if reply.text_only { reply.text.clone() } else { reply.heard() };
        let millis = reply.played_millis();
        if making == Making::Generating {
            self.outputs.push_back(Output::StopGenerating { turn });
        }
        if let Some(kept) = self.history.get_mut(&item) {
            kept.text = Some(heard.clone());
            kept.complete = false;
        }
        if playing {
            self.emit(Event::PlayoutCleared { turn });
            self.emit(Event::Truncated { item, audio_end_millis: millis });
        }
        if making != Making::Done {
            self.end_reply(turn, ending, Some(heard));
        }
    }

    // What the client asks for.

    fn request(&mut self, request: Request, event_id: ClientEventId) {
        match request {
            Request::CreateItem { item, place } => self.create_item(item, place, event_id),
            Request::RetrieveItem { item } => match self.history.get(&item).cloned() {
                Some(item) => self.emit(Event::ItemRetrieved { item }),
                None => self.unknown_item(&item, event_id),
            },
            Request::DeleteItem { item } => {
                if self.history.remove(&item) {
                    self.emit(Event::ItemDeleted { item });
                } else {
                    self.unknown_item(&item, event_id);
                }
            }
            Request::TruncateItem { item, audio_end_millis } => self.truncate(item, audio_end_millis, event_id),
            Request::CreateResponse(request) => {
                if self.making().is_some() {
                    let message =
                        "An answer is being made already: wait for response.done, or send response.cancel first.";
                    self.error("conversation_already_has_active_response", message.to_owned(), event_id);
                } else {
                    self.answer_due = false;
                    self.start_reply(request);
                }
            }
            Request::CancelResponse { response } => match self.making() {
                Some(turn) if response.is_none_or(|wanted| wanted == turn) => self.stop_answers(Ending::Cancelled),
                _ => {
                    let message = "No answer is being made: there is nothing to cancel.".to_owned();
                    self.error("response_cancel_not_active", message, event_id);
                }
            },
            Request::ClearOutput => self.stop_answers(Ending::Cancelled),
            Request::CommitInput => self.outputs.push_back(Output::CommitInput { event_id }),
            Request::ClearInput => {
                let dropped = self.hearing.take().map(|hearing| hearing.untranscribed()).unwrap_or_default();
                self.outputs.extend(dropped.into_iter().map(|utterance| Output::StopTranscribing { utterance }));
                self.outputs.push_back(Output::DiscardInput);
                self.emit(Event::InputCleared);
            }
        }
    }

    fn create_item(&mut self, new: NewItem, place: Place, event_id: ClientEventId) {
        if new.text.len() > LONGEST_ITEM {
            let message = format!("The item's text is longer than {LONGEST_ITEM} bytes: shorten or split it.");
            return self.error("string_above_max_length", message, event_id);
        }
        let id = match new.id {
            Some(id) if self.history.get(&id).is_some() => {
                let message =
                    format!("An item with the id \"{id}\" exists already: leave the id out or choose another.");
                return self.error("item_already_exists", message, event_id);
            }
            Some(id) => id,
            None => self.new_item_id(),
        };
        let item =
            Item { id, role: new.role, medium: Medium::Text, text: Some(new.text), complete: true, in_context: true };
        self.insert(item, place, event_id);
    }

    fn truncate(&mut self, item: ItemId, audio_end_millis: u64, event_id: ClientEventId) {
        match self.replies.iter_mut().find(|reply| reply.item == item && reply.playing) {
            Some(reply) => {
                let end = crate::media::MediaTime::from_millis(audio_end_millis).0;
                reply.played = reply.played.min(end);
                self.stop_answers(Ending::Cancelled);
            }
            None => {
                let message = format!("The item \"{item}\" is not being played: there is nothing to cut.");
                self.error("item_not_playing", message, event_id);
            }
        }
    }

    // Small helpers.

    fn insert(&mut self, item: Item, place: Place, event_id: ClientEventId) {
        match self.history.insert(item.clone(), place) {
            Ok(previous) => {
                self.emit(Event::ItemAdded { item: item.clone(), previous: previous.clone() });
                self.emit(Event::ItemDone { item, previous });
            }
            Err(unknown) => self.unknown_item(&unknown, event_id),
        }
    }

    fn unknown_item(&mut self, id: &ItemId, event_id: ClientEventId) {
        self.error("item_not_found", format!("There is no item with the id \"{id}\" in this conversation."), event_id);
    }

    fn error(&mut self, code: &'static str, message: String, event_id: ClientEventId) {
        self.emit(Event::Error { code, message, event_id });
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Emit(event));
    }

    fn reply(&mut self, turn: TurnId) -> Option<&mut Reply> {
        self.replies.iter_mut().find(|reply| reply.turn == turn)
    }

    /// The answer that is being made, if any.
    fn making(&self) -> Option<TurnId> {
        self.replies.iter().find(|reply| reply.making != Making::Done).map(|reply| reply.turn)
    }

    fn new_item_id(&mut self) -> ItemId {
        self.next_item += 1;
        ItemId(format!("item_{}", self.next_item))
    }
}
