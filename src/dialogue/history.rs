//! The conversation's items in order: what each side said, and how much of it was heard.
//!
//! PURE. The dialogue writes it, the language model's prompt is built from it, and clients read single
//! items of it. An answer that was cut short is kept as far as it was played.

use std::collections::HashMap;
use std::fmt;

/// Name of an item on the wire; ours are `item_N`, a client may choose its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemId(pub String);

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who an item is from, in the roles of chat models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
    /// What a tool gave.
    Tool,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// How an item came to be, which decides the form of its content on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Audio,
    Text,
}

/// What the model asks of a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// JSON, as the model wrote it.
    pub arguments: String,
}

/// What an item is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Matter {
    #[default]
    Words,
    /// The item has no text.
    Call(ToolCall),
    /// The item's text is what the tool gave.
    Result { call_id: String },
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub id: ItemId,
    pub role: Role,
    pub medium: Medium,
    pub matter: Matter,
    /// `None` until speech has been transcribed.
    pub text: Option<String>,
    /// False while an answer is still being made, and for good when it was cut short.
    pub complete: bool,
    /// False for what the model must not see again, such as an apology for its own failure.
    pub in_context: bool,
}

/// One message of the prompt for a chat model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    pub content: String,
    /// Of an assistant; the results follow, in this order.
    pub calls: Vec<ToolCall>,
    /// Of a tool: what it answers.
    pub call_id: Option<String>,
}

impl Message {
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), calls: Vec::new(), call_id: None }
    }

    /// The messages of an exchange with tools: the assistant's calls after what it said, and the results.
    pub fn exchange(said: &str, answered: Vec<(ToolCall, String)>) -> impl Iterator<Item = Self> {
        let (calls, results): (Vec<_>, Vec<_>) = answered
            .into_iter()
            .map(|(call, output)| {
                let result = Self { call_id: Some(call.id.clone()), ..Self::new(Role::Tool, output) };
                (call, result)
            })
            .unzip();
        std::iter::once(Self { calls, ..Self::new(Role::Assistant, said.trim()) }).chain(results)
    }
}

/// Where a new item goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    End,
    Front,
    After(ItemId),
}

/// Items that a turn and the turn after it add.
const ROOM: usize = 4;

/// All items of a call, oldest first. The oldest half goes when `limit` is reached, so that the prompt's
/// start, which a model server keeps processed, changes seldom.
#[derive(Debug)]
pub struct History {
    items: Vec<Item>,
    limit: usize,
}

impl History {
    /// `limit`: most items that are kept, at least 2.
    pub fn new(limit: usize) -> Self {
        Self { items: Vec::new(), limit: limit.max(2) }
    }

    pub fn get(&self, id: &ItemId) -> Option<&Item> {
        self.items.iter().find(|item| item.id == *id)
    }

    pub fn get_mut(&mut self, id: &ItemId) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.id == *id)
    }

    pub fn last(&self) -> Option<&ItemId> {
        self.items.last().map(|item| &item.id)
    }

    /// Inserts an item and returns the id of its predecessor; `Err` gives the unknown id of an `After`.
    pub fn insert(&mut self, item: Item, place: Place) -> Result<Option<ItemId>, ItemId> {
        let index = match place {
            Place::End => self.items.len(),
            Place::Front => 0,
            Place::After(id) => match self.items.iter().position(|item| item.id == id) {
                Some(index) => index + 1,
                None => return Err(id),
            },
        };
        let previous = index.checked_sub(1).map(|i| self.items[i].id.clone());
        self.items.insert(index, item);
        self.forget_above(self.limit);
        Ok(previous)
    }

    /// Forgets the oldest half now if it would have to be forgotten within the next few items, which are then not
    /// held up by it. True if it did.
    pub fn make_room(&mut self) -> bool {
        self.forget_above(self.limit.saturating_sub(ROOM))
    }

    fn forget_above(&mut self, limit: usize) -> bool {
        let over = self.items.len() > limit.max(1);
        if over {
            self.items.drain(..self.items.len() - self.limit / 2);
        }
        over
    }

    /// Forgets everything up to this item.
    pub fn forget(&mut self, last: &ItemId) {
        if let Some(index) = self.items.iter().position(|item| item.id == *last) {
            self.items.drain(..=index);
        }
    }

    pub fn remove(&mut self, id: &ItemId) -> bool {
        let before = self.items.len();
        self.items.retain(|item| item.id != *id);
        self.items.len() < before
    }

    /// The prompt: instructions, then everything that was said and heard. Two messages of one role in a
    /// row are joined, since chat templates expect the roles to alternate. The results of calls follow them at once,
    /// whenever they came; a call without one is left out, since no server takes it.
    ///
    /// `unsaid`: what the person says at this moment, which is no item yet.
    pub fn prompt(&self, instructions: &str, unsaid: Option<&str>) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::new();
        if !instructions.is_empty() {
            messages.push(Message::new(Role::System, instructions));
        }
        let results = self.results();
        let mut answered: Vec<(ToolCall, String)> = Vec::new();
        for item in self.items.iter().filter(|item| item.in_context) {
            match &item.matter {
                Matter::Result { .. } => {}
                Matter::Call(call) => {
                    answered.extend(results.get(call.id.as_str()).map(|output| (call.clone(), (*output).to_owned())));
                }
                Matter::Words => {
                    tell_results(&mut messages, &mut answered);
                    say(&mut messages, item.role, item.text.as_deref().unwrap_or_default());
                }
            }
        }
        tell_results(&mut messages, &mut answered);
        say(&mut messages, Role::User, unsaid.unwrap_or_default());
        messages
    }

    /// What tools gave, by the call's id.
    fn results(&self) -> HashMap<&str, &str> {
        let results = self.items.iter().filter(|item| item.in_context).filter_map(|item| match &item.matter {
            Matter::Result { call_id } => Some((call_id.as_str(), item.text.as_deref()?)),
            _ => None,
        });
        results.collect()
    }

    pub fn has_words_of(&self, role: Role) -> bool {
        self.items.iter().any(|item| item.role == role)
    }

    /// There is a call of this id.
    pub fn has_call(&self, id: &str) -> bool {
        self.items.iter().any(|item| matches!(&item.matter, Matter::Call(call) if call.id == id))
    }
}

fn say(messages: &mut Vec<Message>, role: Role, text: &str) {
    let text = text.trim();
    match messages.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.role == role && last.calls.is_empty() => {
            last.content.push('\n');
            last.content.push_str(text);
        }
        _ => messages.push(Message::new(role, text)),
    }
}

/// Calls join what the assistant said right before them.
fn tell_results(messages: &mut Vec<Message>, answered: &mut Vec<(ToolCall, String)>) {
    if answered.is_empty() {
        return;
    }
    let joins = messages.last().is_some_and(|last| last.role == Role::Assistant && last.calls.is_empty());
    let said = messages.pop_if(|_| joins).map(|last| last.content).unwrap_or_default();
    messages.extend(Message::exchange(&said, std::mem::take(answered)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, role: Role, text: &str) -> Item {
        Item {
            id: ItemId(id.into()),
            role,
            medium: Medium::Text,
            matter: Matter::Words,
            text: Some(text.into()),
            complete: true,
            in_context: true,
        }
    }

    #[test]
    fn the_prompt_joins_what_one_side_said_twice() {
        let mut history = History::new(8);
        history.insert(item("a", Role::User, "Hello."), Place::End).unwrap();
        history.insert(item("b", Role::User, "Are you there?"), Place::End).unwrap();
        let prompt = history.prompt("Be kind.", None);
        assert_eq!(prompt.len(), 2);
        assert_eq!(prompt[1].content, "Hello.\nAre you there?");
    }

    fn call(id: &str) -> Item {
        let call = ToolCall { id: id.into(), name: "time".into(), arguments: "{}".into() };
        Item { matter: Matter::Call(call), text: None, ..item(id, Role::Assistant, "") }
    }

    fn result(call_id: &str, output: &str) -> Item {
        let matter = Matter::Result { call_id: call_id.into() };
        Item { matter, ..item(&format!("{call_id}_result"), Role::Tool, output) }
    }

    #[test]
    fn results_follow_their_calls_and_calls_without_one_are_left_out() {
        let mut history = History::new(16);
        for item in [
            item("a", Role::User, "What time is it?"),
            item("b", Role::Assistant, "One moment."),
            call("one"),
            call("lost"),
            call("two"),
            item("c", Role::User, "And where?"),
            result("two", "Here."),
            result("one", "Noon."),
            result("nobody's", "?"),
            item("d", Role::Assistant, "Noon."),
        ] {
            history.insert(item, Place::End).unwrap();
        }
        let prompt = history.prompt("", None);
        let told: Vec<_> = prompt.iter().map(|m| (m.role.name(), m.content.as_str(), m.calls.len())).collect();
        assert_eq!(
            told,
            [
                ("user", "What time is it?", 0),
                ("assistant", "One moment.", 2),
                ("tool", "Noon.", 0),
                ("tool", "Here.", 0),
                ("user", "And where?", 0),
                ("assistant", "Noon.", 0)
            ]
        );
        assert_eq!(prompt[2].call_id.as_deref(), Some("one"));
    }

    #[test]
    fn items_go_where_the_client_says() {
        let mut history = History::new(8);
        assert_eq!(history.insert(item("a", Role::User, "1"), Place::End), Ok(None));
        assert_eq!(history.insert(item("c", Role::User, "3"), Place::End), Ok(Some(ItemId("a".into()))));
        assert_eq!(
            history.insert(item("b", Role::User, "2"), Place::After(ItemId("a".into()))),
            Ok(Some(ItemId("a".into())))
        );
        assert_eq!(history.insert(item("z", Role::User, "0"), Place::Front), Ok(None));
        assert!(history.insert(item("x", Role::User, "9"), Place::After(ItemId("nobody".into()))).is_err());
        assert_eq!(history.prompt("", None)[0].content, "0\n1\n2\n3");
    }

    #[test]
    fn room_is_made_before_it_is_needed() {
        let mut history = History::new(10);
        for n in 0..6 {
            history.insert(item(&n.to_string(), Role::User, &n.to_string()), Place::End).unwrap();
        }
        assert!(!history.make_room());
        history.insert(item("6", Role::User, "6"), Place::End).unwrap();
        assert!(history.make_room());
        assert_eq!(history.prompt("", None)[0].content, "2\n3\n4\n5\n6");
    }

    #[test]
    fn history_is_bounded_and_forgets_the_oldest_half() {
        let mut history = History::new(4);
        for n in 0..5 {
            history.insert(item(&n.to_string(), Role::User, &n.to_string()), Place::End).unwrap();
        }
        assert_eq!(history.prompt("", None)[0].content, "3\n4");
    }
}
