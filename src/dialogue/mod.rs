//! Dialogue: who has the floor, what is answered, what is cut, and what the conversation holds.
//!
//! PURE core: no clock, socket, channel or async; the time is an argument. `handle` takes facts and requests,
//! `poll` gives orders and events, in order, and `deadline` says when to come back if nothing happens. The session
//! task carries the orders out and brings back what came of them; the turn id on everything lets what is late be
//! ignored. [`floor`] is about the person's side, [`answers`] and [`tools`] about ours, [`requests`] about the client's wishes.

mod answers;
pub mod clauses;
mod floor;
mod hearing;
pub mod history;
mod io;
mod phrases;
mod reply;
mod requests;
#[cfg(test)]
mod tests;
mod tools;
mod words;

use std::collections::VecDeque;
use std::time::Duration;

pub use history::{Item, ItemId, Matter, Medium, Message, Place, Role, ToolCall};
pub use io::{ClientEventId, Ending, Event, Heard, Input, NewItem, Outcome, Output, Request, ResponseRequest, Usage};

use crate::media::TurnId;
use floor::Held;
use hearing::{Hearing, Thought};
use history::History;
use reply::{Making, Reply};
use words::{Asking, Wording, asking, wording};

/// Longest text of one item, in bytes of UTF-8: with JSON around it, it fits a data channel message.
pub const LONGEST_ITEM: usize = 32_000;

/// What may change while a call goes on.
#[derive(Clone, Debug, PartialEq)]
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
    pub turn_end: TurnEnd,
}

/// How the end of a spoken turn is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TurnEnd {
    /// By this much silence.
    Silence { millis: u32 },
    /// By silence whose length depends on whether what was said is a complete thought.
    Thought(Patience),
}

/// Silence after which a turn is over, by how probable it is that the thought is complete.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// From this probability on it is complete.
    pub complete: f32,
    pub complete_millis: u32,
    /// The same for a statement, after which people go on more often than after a question or an order.
    pub statement_millis: u32,
    /// From this probability on it may be; so it may if nobody can say.
    pub unsure: f32,
    pub unsure_millis: u32,
    /// Less probable than that, or worded as few things end: "from", "is".
    pub incomplete_millis: u32,
    /// The words themselves are left open, whatever the melody says: "I would like to".
    pub open_millis: u32,
}

/// A question that ends with a word that more may follow is complete from this probability on.
const SURE: f32 = 0.8;

impl Patience {
    /// Silence after `text` that ends a turn.
    fn millis(&self, thought: Thought, text: &str) -> u32 {
        let (wording, asking) = (wording(text), asking(text));
        match (wording, thought) {
            (Wording::Open, _) => self.open_millis,
            (Wording::Doubtful, _) => self.incomplete_millis,
            (_, Thought::Unjudged) => self.unsure_millis,
            (Wording::Stranded, Thought::Judged(p)) if p < SURE => self.incomplete_millis,
            (_, Thought::Judged(p)) if p >= self.complete => match asking {
                Asking::No => self.statement_millis.max(self.complete_millis),
                Asking::Clearly | Asking::Briefly => self.complete_millis,
            },
            // A melody that does not fall is no sign where the words are a question.
            (_, Thought::Judged(p)) if p >= self.unsure || asking == Asking::Clearly => self.unsure_millis,
            _ => self.incomplete_millis,
        }
    }
}

pub struct Dialogue {
    settings: Settings,
    history: History,
    /// Time of the input that is being handled, since the call began.
    now: Duration,
    /// Answers that are not over, oldest first: at most one in the making, others still playing.
    replies: Vec<Reply>,
    /// Answers are held because somebody speaks.
    held: Option<Held>,
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
            now: Duration::ZERO,
            replies: Vec::new(),
            held: None,
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

    /// The person has spoken or typed.
    pub fn has_heard(&self) -> bool {
        self.hearing.is_some() || !self.untranscribed.is_empty() || self.history.has_words_of(Role::User)
    }

    pub fn is_hearing(&self) -> bool {
        self.hearing.is_some()
    }

    pub fn is_answering(&self) -> bool {
        !self.replies.is_empty() || !self.untranscribed.is_empty()
    }

    /// This answer is not over, and was neither cut nor dropped.
    pub fn is_making(&self, turn: TurnId) -> bool {
        self.replies.iter().any(|reply| reply.turn == turn)
    }

    /// `None`: there is none of this id, or it was forgotten.
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        self.history.get(id)
    }

    /// Forgets everything up to this item, of which the instructions tell now.
    pub fn forget(&mut self, last: &ItemId) {
        self.history.forget(last);
        if self.is_idle() {
            self.read_anew();
        }
    }

    /// The beginning of prompts has changed: the model may read it while it has time.
    pub fn read_anew(&mut self) {
        let prompt = self.history.prompt(&self.settings.instructions, None);
        self.outputs.push_back(Output::ReadAhead { prompt });
    }

    /// The next order or event, until there is none.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Tick`] is due, if nothing else happens before.
    pub fn deadline(&self) -> Option<Duration> {
        self.turn_ends_at().into_iter().chain(self.hold_ends_at()).min()
    }

    /// `now`: time since the call began; it never goes back.
    pub fn handle(&mut self, now: Duration, input: Input) {
        self.now = self.now.max(now);
        match input {
            Input::VoiceSuspected { at } => self.voice_suspected(at),
            Input::VoiceFaded => self.voice_faded(),
            Input::SpeechStarted { at, at_millis } => self.speech_started(at, at_millis),
            Input::SpeechPaused { at, at_millis, utterance } => self.speech_paused(at, at_millis, utterance),
            Input::SpeechPiece { utterance } => self.heard_part(utterance, false),
            Input::SpeechResumed => self.speech_resumed(),
            Input::SpeechGrew { utterance } => self.speech_grew(utterance),
            Input::Judged { utterance, complete } => self.judged(utterance, complete),
            Input::InputCommitted { utterance } => self.input_committed(utterance),
            Input::Transcribed { utterance, result } => self.transcribed(utterance, &result),
            Input::Token { turn, text } => self.token(turn, &text),
            Input::ToolCalled { turn, call, own } => self.tool_called(turn, call, own),
            Input::ToolAnswered { turn, call_id, output } => self.tool_answered(turn, &call_id, output),
            Input::GenerationDone { turn, usage } => self.generation_done(turn, usage),
            Input::GenerationFailed { turn, message } => self.generation_failed(turn, message),
            Input::Voiced { turn, clause, ticks, words } => self.voiced(turn, clause, ticks, words),
            Input::VoiceDone { turn, clause } => self.voice_done(turn, clause),
            Input::VoiceFailed { turn, clause, message } => self.voice_failed(turn, clause, message),
            Input::PlayoutStarted { turn } => self.playout_started(turn),
            Input::Played { turn, ticks } => self.played(turn, ticks),
            Input::PlayoutEnded { turn } => self.playout_ended(turn),
            Input::Client { request, event_id } => self.request(request, event_id),
            Input::Tick => {}
        }
        self.end_turn();
        self.end_hold();
        self.start_answers();
    }

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
