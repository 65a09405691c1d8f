//! What the model asks of tools in mid-answer.
//!
//! PURE part of the [`Dialogue`]. The server's own tools are run at once, and the model goes on with what they gave; not
//! for a draft, which may never be heard. The client's tools are its own business: the answer ends with the calls, and
//! the client asks for the next one when it has results. A short phrase bridges the wait.

use super::history::{Item, ItemId, Matter, Message, Place, Role, ToolCall};
use super::io::{Ending, Output};
use super::reply::Making;
use super::{Dialogue, Medium, phrases};
use crate::media::TurnId;

/// How often the model may go on with what tools gave in one answer; then it has to speak.
const MOST_ROUNDS: u32 = 4;
/// Calls of one answer; what the model asks beyond that is left out.
const MOST_CALLS: usize = 16;

/// A call of a tool in an answer.
#[derive(Debug)]
pub struct Calling {
    call: ToolCall,
    /// A tool of the server.
    own: bool,
    asked: bool,
    output: Option<String>,
    /// It is in the prompt, and in the history.
    told: bool,
}

impl Calling {
    /// The server's tool has not answered yet, or the model does not know what it gave.
    pub fn is_open(&self) -> bool {
        self.own && !self.told
    }
}

impl Dialogue {
    pub(super) fn tool_called(&mut self, turn: TurnId, call: ToolCall, own: bool) {
        if let Some(reply) = self.reply(turn).filter(|reply| reply.making == Making::Generating)
            && reply.calls.len() < MOST_CALLS
        {
            reply.calls.push(Calling { call, own, asked: false, output: None, told: false });
        }
    }

    /// Says something while nothing can be answered yet.
    pub(super) fn bridge(&mut self, turn: TurnId) {
        let phrase = phrases::moment(&self.settings.language, turn.0);
        self.token(turn, phrase);
    }

    /// Runs the server's tools that the answer waits for.
    pub(super) fn call_tools(&mut self, turn: TurnId) {
        let Some(reply) = self.reply(turn).filter(|reply| !reply.draft && reply.making == Making::Calling) else {
            return;
        };
        let due: Vec<ToolCall> = reply
            .calls
            .iter_mut()
            .filter(|calling| calling.own && !calling.asked)
            .map(|calling| {
                calling.asked = true;
                calling.call.clone()
            })
            .collect();
        self.outputs.extend(due.into_iter().map(|call| Output::CallTool { turn, call }));
    }

    pub(super) fn tool_answered(&mut self, turn: TurnId, call_id: &str, output: String) {
        let Some(reply) = self.reply(turn).filter(|reply| reply.making == Making::Calling) else { return };
        let waits = |calling: &&mut Calling| calling.asked && calling.output.is_none() && calling.call.id == call_id;
        if let Some(calling) = reply.calls.iter_mut().find(waits) {
            calling.output = Some(output);
        }
        if reply.calls.iter().all(|calling| !calling.own || calling.output.is_some()) {
            self.go_on(turn);
        }
    }

    /// All tools of the server have answered.
    fn go_on(&mut self, turn: TurnId) {
        let Some(reply) = self.reply(turn) else { return };
        let mut answered = Vec::new();
        for calling in reply.calls.iter_mut().filter(|calling| calling.is_open()) {
            calling.told = true;
            answered.push((calling.call.clone(), calling.output.clone().unwrap_or_default()));
        }
        let (previous, out_of_band) = (reply.previous.clone(), reply.out_of_band);
        let clients = reply.calls.iter().any(|calling| !calling.own);
        if clients {
            reply.making = Making::Written(Ending::Completed);
        } else {
            reply.making = Making::Generating;
            reply.rounds += 1;
            let said = reply.text.get(reply.prompted..).unwrap_or_default();
            reply.prompt.extend(Message::exchange(said, answered.clone()));
            reply.prompted = reply.text.len();
            let (prompt, may_call) = (reply.prompt.clone(), reply.rounds < MOST_ROUNDS);
            self.outputs.push_back(Output::Generate { turn, prompt, may_call });
        }
        if !out_of_band {
            self.remember(previous, answered);
        }
        self.finish_if_voiced(turn);
    }

    /// Puts an exchange with tools into the history, behind `previous`, which the answer follows.
    fn remember(&mut self, previous: Option<ItemId>, answered: Vec<(ToolCall, String)>) {
        let (calls, results): (Vec<_>, Vec<_>) = answered
            .into_iter()
            .map(|(call, output)| {
                let result = Matter::Result { call_id: call.id.clone() };
                ((Role::Assistant, Matter::Call(call), None), (Role::Tool, result, Some(output)))
            })
            .unzip();
        let mut place = previous.map_or(Place::Front, Place::After);
        for (role, matter, text) in calls.into_iter().chain(results) {
            let id = self.new_item_id();
            let item =
                Item { id: id.clone(), role, medium: Medium::Text, matter, text, complete: true, in_context: true };
            // Forgotten meanwhile: then so is what came of it.
            if self.history.insert(item, place).is_err() {
                return;
            }
            place = Place::After(id);
        }
    }

    /// The items of what the client is asked for; they follow the answer's own.
    pub(super) fn clients_calls(&mut self, turn: TurnId) -> Vec<Item> {
        let Some(reply) = self.reply(turn) else { return Vec::new() };
        let (out_of_band, mut last) = (reply.out_of_band, reply.item.clone());
        let calls: Vec<ToolCall> =
            reply.calls.iter().filter(|calling| !calling.own).map(|calling| calling.call.clone()).collect();
        let mut items = Vec::new();
        for call in calls {
            let id = self.new_item_id();
            let item = Item {
                id: id.clone(),
                role: Role::Assistant,
                medium: Medium::Text,
                matter: Matter::Call(call),
                text: None,
                complete: true,
                in_context: true,
            };
            if !out_of_band {
                let _ = self.history.insert(item.clone(), Place::After(last));
            }
            last = id;
            items.push(item);
        }
        items
    }
}
