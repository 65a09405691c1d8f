//! The making, playing and cutting of answers.
//!
//! PURE part of the [`Dialogue`]. An answer may be drafted in a pause, before it is known that the person has
//! finished; nobody hears or reads of a draft, and it becomes the answer, or is dropped without a trace.

use super::history::{Item, Message, Place, Role};
use super::io::{Ending, Event, Outcome, Output, ResponseRequest, Usage};
use super::reply::{Making, Reply};
use super::tools::Calling;
use super::words::{Wording, has_words, wording};
use super::{Dialogue, LONGEST_ITEM, Matter, Medium, phrases};
use crate::media::{Clause, TimedWord, TurnId};

const WRITTEN: Making = Making::Written(Ending::Completed);

impl Dialogue {
    /// Starts what has become due: called after every input.
    pub(super) fn start_answers(&mut self) {
        let free = self.hearing.is_none() && self.untranscribed.is_empty();
        if self.answer_due && free {
            if let Some(draft) = self.draft() {
                self.answer_due = false;
                self.adopt(draft);
            } else if self.making().is_none() {
                self.answer_due = false;
                self.start_reply(ResponseRequest::default(), None);
            }
        }
        if let Some(said) = self.may_draft() {
            self.start_reply(ResponseRequest::default(), Some(&said));
        }
        if self.untranscribed.is_empty() {
            self.generate(None);
        }
    }

    /// What the person has said, if an answer to it may be drafted now.
    fn may_draft(&self) -> Option<String> {
        let hearing = self.hearing.as_ref().filter(|hearing| hearing.pause.is_some() && !hearing.over_answer)?;
        if !self.settings.answers_speech || !self.untranscribed.is_empty() || self.making().is_some() {
            return None;
        }
        let said = hearing.text()?.ok()?.text;
        (has_words(&said) && wording(&said) != Wording::Open).then_some(said)
    }

    fn generate(&mut self, unsaid: Option<&str>) {
        let Some(reply) = self.replies.iter_mut().find(|reply| reply.making == Making::Waiting) else { return };
        reply.making = Making::Generating;
        if let Some(said) = reply.said.take() {
            let turn = reply.turn;
            self.token(turn, &said);
            return self.generation_done(turn, Usage::default());
        }
        let instructions = reply.instructions.take().unwrap_or_else(|| self.settings.instructions.clone());
        let prompt = match reply.input.take() {
            Some(input) => std::iter::once(Message::new(Role::System, instructions)).chain(input).collect(),
            None => self.history.prompt(&instructions, unsaid),
        };
        reply.prompt.clone_from(&prompt);
        self.outputs.push_back(Output::Generate { turn: reply.turn, prompt, may_call: true });
    }

    /// Begins an answer; a draft if `unsaid` is what it answers and is in no history yet.
    pub(super) fn start_reply(&mut self, request: ResponseRequest, unsaid: Option<&str>) {
        self.last_turn = TurnId(self.last_turn.0 + 1);
        let turn = self.last_turn;
        let text_only = request.text_only.unwrap_or(self.settings.text_only);
        let mut reply = Reply::new(turn, self.new_item_id(), None, text_only);
        reply.instructions = request.instructions;
        reply.input = request.input;
        reply.said = request.said;
        reply.out_of_band = request.out_of_band;
        reply.draft = true;
        self.replies.push(reply);
        match unsaid {
            Some(_) => self.generate(unsaid),
            None => self.adopt(turn),
        }
    }

    /// A draft becomes the answer.
    fn adopt(&mut self, turn: TurnId) {
        let previous = self.history.last().cloned();
        let Some(reply) = self.reply(turn) else { return };
        reply.draft = false;
        reply.previous.clone_from(&previous);
        let untold = std::mem::take(&mut reply.untold);
        let text_only = reply.text_only;
        let item = Item {
            id: reply.item.clone(),
            role: Role::Assistant,
            medium: if text_only { Medium::Text } else { Medium::Audio },
            matter: Matter::Words,
            text: None,
            complete: false,
            in_context: true,
        };
        if !reply.out_of_band {
            // Placed at the end, which always exists.
            let _ = self.history.insert(item.clone(), Place::End);
        }
        self.emit(Event::ReplyStarted { turn, item, previous, text_only });
        for event in untold {
            self.emit(event);
        }
        self.outputs.push_back(Output::Play { turn });
        self.call_tools(turn);
        self.finish_if_voiced(turn);
    }

    /// The person goes on: what was begun in the pause is dropped, as if it had never been.
    pub(super) fn drop_draft(&mut self) {
        let Some(turn) = self.draft() else { return };
        if let Some(reply) = self.reply(turn)
            && reply.making == Making::Generating
        {
            self.outputs.push_back(Output::StopGenerating { turn });
        }
        self.outputs.push_back(Output::Discard { turn });
        self.replies.retain(|reply| reply.turn != turn);
    }

    fn draft(&self) -> Option<TurnId> {
        self.replies.iter().find(|reply| reply.draft).map(|reply| reply.turn)
    }

    /// Tells what an answer does, or keeps it until the draft is an answer.
    fn tell(&mut self, turn: TurnId, event: Event) {
        match self.reply(turn) {
            Some(reply) if reply.draft => reply.untold.push(event),
            _ => self.emit(event),
        }
    }

    pub(super) fn token(&mut self, turn: TurnId, text: &str) {
        let Some(reply) = self.reply(turn).filter(|reply| reply.making == Making::Generating) else { return };
        // What the model says after it heard from a tool does not know what stands before it.
        let goes_on = reply.prompted > 0 && reply.prompted == reply.text.len();
        let mut delta = if goes_on && wants_space(&reply.text, text) { format!(" {text}") } else { text.to_owned() };
        let room = LONGEST_ITEM.saturating_sub(reply.text.len());
        let too_long = delta.len() > room;
        delta.truncate(delta.floor_char_boundary(room));
        let clauses = reply.write(&delta);
        let (item, text_only) = (reply.item.clone(), reply.text_only);
        self.tell(turn, Event::ReplyText { turn, item, delta, text_only });
        self.speak(turn, clauses);
        if too_long {
            let message = format!("The answer is longer than {LONGEST_ITEM} bytes: it ends there.");
            self.error("answer_too_long", message, None);
            self.outputs.push_back(Output::StopGenerating { turn });
            self.generation_done(turn, Usage::default());
        }
    }

    pub(super) fn generation_done(&mut self, turn: TurnId, usage: Usage) {
        let Some(reply) = self.reply(turn).filter(|reply| reply.making == Making::Generating) else { return };
        reply.usage += usage;
        let calls = !reply.calls.is_empty();
        if calls && reply.text.trim().is_empty() {
            self.bridge(turn);
        }
        let Some(reply) = self.reply(turn) else { return };
        reply.making = if reply.calls.iter().any(Calling::is_open) { Making::Calling } else { WRITTEN };
        let last = reply.finish_text();
        self.speak(turn, last);
        self.call_tools(turn);
        self.finish_if_voiced(turn);
    }

    /// The model failed: the person is told in words, so that silence never means a fault.
    pub(super) fn generation_failed(&mut self, turn: TurnId, message: String) {
        let language = self.settings.language.clone();
        let Some(reply) = self.reply(turn).filter(|reply| reply.making == Making::Generating) else { return };
        if reply.draft {
            // Nobody waits for it yet; if the person has finished, the model is asked again.
            reply.making = Making::Done;
            return self.drop_draft();
        }
        let began = !reply.text.is_empty();
        let mut clauses: Vec<_> = reply.finish_text().into_iter().collect();
        let apology = phrases::apology(&language, began);
        let apart = began && !reply.text.ends_with(char::is_whitespace);
        let delta = if apart { format!(" {apology}") } else { apology.to_owned() };
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

    pub(super) fn voiced(&mut self, turn: TurnId, clause: u32, ticks: u64, words: Vec<TimedWord>) {
        if let Some(reply) = self.reply(turn) {
            reply.voiced(clause, ticks, words);
        }
    }

    pub(super) fn voice_done(&mut self, turn: TurnId, clause: u32) {
        if let Some(reply) = self.reply(turn) {
            reply.voice_done(clause);
            self.finish_if_voiced(turn);
        }
    }

    pub(super) fn voice_failed(&mut self, turn: TurnId, clause: u32, message: String) {
        let Some(reply) = self.reply(turn) else { return };
        reply.voice_done(clause);
        if !std::mem::replace(&mut reply.voice_failed, true) {
            self.tell(turn, Event::Error { code: "voice_failed", message, event_id: None });
        }
        self.finish_if_voiced(turn);
    }

    /// Tells that an answer is made, once its text is complete and all of it has become sound.
    pub(super) fn finish_if_voiced(&mut self, turn: TurnId) {
        let Some(reply) = self.reply(turn).filter(|reply| !reply.draft) else { return };
        let Making::Written(ending) = &reply.making else { return };
        if !reply.all_voiced() {
            return;
        }
        let ending = ending.clone();
        reply.making = Making::Done;
        let silent = !reply.has_sound();
        let unexplained = silent && !reply.text_only && !reply.voice_failed && reply.calls.is_empty();
        if unexplained && ending == Ending::Completed {
            let message = "The answer has no words that can be spoken.".to_owned();
            self.error("nothing_to_say", message, None);
        }
        self.outputs.push_back(Output::FinishSpeech { turn });
        self.end_reply(turn, ending, None);
        if silent {
            self.replies.retain(|reply| reply.turn != turn);
            self.let_go();
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
                matter: Matter::Words,
                text: Some(text),
                complete,
                in_context: false,
            },
        };
        let (previous, usage, text_only) = (reply.previous.clone(), reply.usage, reply.text_only);
        let calls = if ending == Ending::Completed { self.clients_calls(turn) } else { Vec::new() };
        self.emit(Event::ReplyDone { turn, item, previous, calls, ending, usage, text_only });
    }

    pub(super) fn playout_started(&mut self, turn: TurnId) {
        if let Some(reply) = self.reply(turn) {
            reply.playing = true;
            self.emit(Event::PlayoutStarted { turn });
        }
    }

    pub(super) fn played(&mut self, turn: TurnId, ticks: u64) {
        let Some(reply) = self.reply(turn) else { return };
        reply.played = ticks;
        let item = reply.item.clone();
        for word in reply.words_begun() {
            self.emit(Event::Word {
                turn,
                item: item.clone(),
                word: word.word,
                start: word.start,
                end: word.end,
                audio_start_millis: word.audio_start_millis,
                audio_end_millis: word.audio_end_millis,
            });
        }
    }

    pub(super) fn playout_ended(&mut self, turn: TurnId) {
        let Some(index) = self.replies.iter().position(|r| r.turn == turn && r.making == Making::Done) else { return };
        self.emit(Event::PlayoutStopped { turn });
        self.replies.remove(index);
        self.let_go();
        if self.is_idle() && self.history.make_room() {
            // The model has time for it now, and none when it is asked.
            self.read_anew();
        }
    }

    /// Without an answer there is nothing to hold.
    fn let_go(&mut self) {
        if !self.has_answers() {
            self.release();
        }
    }

    /// There is an answer that somebody knows of.
    pub(super) fn has_answers(&self) -> bool {
        self.replies.iter().any(|reply| !reply.draft)
    }

    /// Cuts every answer: sound stops, the history keeps what was heard.
    pub(super) fn stop_answers(&mut self, ending: &Ending) {
        self.answer_due = false;
        let held = self.held.take();
        if !self.replies.is_empty() {
            self.outputs.push_back(Output::Silence { up_to: self.last_turn });
        }
        if let Some(held) = held {
            // After the silence, so that nothing of what is cut comes through.
            self.outputs.push_back(Output::Release);
            if *ending == Ending::Interrupted {
                self.tell_barge_in(held, Outcome::Ended);
            }
        }
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
        if matches!(making, Making::Generating | Making::Calling) {
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
}

/// Between two texts of a script that has spaces.
fn wants_space(before: &str, after: &str) -> bool {
    let (last, first) = (before.chars().next_back(), after.chars().next());
    last.is_some_and(|c| c.is_ascii_graphic()) && first.is_some_and(|c| c.is_ascii_graphic() || c.is_alphabetic())
}
