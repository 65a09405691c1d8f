//! What a call's conversation becomes: kept under the id that the host page gave, and summarised when it grows long.
//!
//! The session tells what was said, each item once it is over; a task of the call's own saves it and asks the model for
//! notes while an answer is being played, or after the call. The session goes on with the notes in place of what they
//! cover. Who gives no id is summarised all the same, and forgotten when the call ends.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock;
use crate::dialogue::{self, ItemId, Matter, Medium, Message, NewItem, Place, Request};
use crate::engines::Engines;
use crate::language::{Piece, Question};
use crate::memory::{Conversation, Item, Kept, Role, Summarise, Summary, plan, resume};

/// What waits for the task; more is kept back in the session.
const TOLD: usize = 16;

/// What a call begins with.
pub struct Begun {
    pub kept: Option<Kept>,
    pub conversation: Conversation,
    /// Tokens of what was said that stand in a prompt.
    pub budget: usize,
}

enum Told {
    /// These are over.
    Said(Vec<Item>),
    /// The model has time.
    Rest { language: String },
}

/// The session's side.
pub(super) struct Keeper {
    task: mpsc::Sender<Told>,
    pub(super) summaries: mpsc::Receiver<Summary>,
    unsaved: Vec<Item>,
    /// Number in the conversation of the first of `items`, and the items of this call from there on.
    first: u64,
    items: VecDeque<ItemId>,
    /// For the system message.
    pub(super) notes: Option<String>,
}

impl Keeper {
    /// Gives also what was said last, for the dialogue to begin with. The task goes into `tasks` and ends by itself once
    /// the keeper is gone and all is saved.
    pub(super) fn start(
        begun: Begun,
        engines: Arc<Engines>,
        language: &str,
        tasks: &mut JoinSet<()>,
    ) -> (Self, Vec<Request>) {
        let Begun { kept, conversation, budget } = begun;
        let away = match conversation.touched {
            0 => 0,
            touched => clock::unix_seconds().saturating_sub(touched),
        };
        let resumed = resume(&conversation, budget, away, language);
        let notes = resumed.system;
        let first = conversation.next() - resumed.items.len() as u64;
        let id = |number: u64| ItemId(format!("past_{number}"));
        let item = |(number, item): (u64, &Item)| {
            let role = match item.role {
                Role::System => dialogue::Role::System,
                Role::User => dialogue::Role::User,
                Role::Assistant => dialogue::Role::Assistant,
            };
            let item = NewItem { id: Some(id(number)), role, matter: Matter::Words, text: item.text.clone() };
            Request::CreateItem { item, place: Place::End }
        };
        let past: Vec<Request> = (first..).zip(resumed.items).map(item).collect();
        let items = (first..conversation.next()).map(id).collect();
        let (task, told) = mpsc::channel(TOLD);
        engines.metrics.queues.watch_channel("keeping", task.downgrade());
        let (summaries_out, summaries) = mpsc::channel(1);
        tasks.spawn(keep(kept, conversation, budget, engines, told, summaries_out));
        (Self { task, summaries, unsaved: Vec::new(), first, items, notes }, past)
    }

    /// An item is over.
    pub(super) fn said(&mut self, item: &dialogue::Item) {
        let role = match (&item.matter, item.role) {
            (Matter::Words, dialogue::Role::User) => Role::User,
            (Matter::Words, dialogue::Role::Assistant) => Role::Assistant,
            (Matter::Words, dialogue::Role::System) => Role::System,
            _ => return,
        };
        let text = item.text.as_deref().unwrap_or_default().trim();
        if text.is_empty() || !item.in_context || item.id.0.starts_with("past_") {
            return;
        }
        let cut = !item.complete && item.role == dialogue::Role::Assistant;
        self.unsaved.push(Item { role, text: text.to_owned(), at: clock::unix_seconds(), cut });
        self.items.push_back(item.id.clone());
    }

    /// Lets it be saved.
    pub(super) fn save(&mut self) {
        if !self.unsaved.is_empty()
            && let Ok(place) = self.task.try_reserve()
        {
            place.send(Told::Said(std::mem::take(&mut self.unsaved)));
        }
    }

    /// The model has time now.
    pub(super) fn rest(&self, language: &str) {
        // If there is no room, another time will come.
        let _ = self.task.try_send(Told::Rest { language: language.to_owned() });
    }

    /// Takes the notes in; gives the last item that they cover.
    pub(super) fn summarised(&mut self, summary: Summary, language: &str) -> Option<ItemId> {
        let covered = summary.upto.saturating_sub(self.first).min(self.items.len() as u64);
        self.first += covered;
        let last = self.items.drain(..covered as usize).next_back();
        let summarised = Conversation { summary: Some(summary), ..Conversation::default() };
        self.notes = resume(&summarised, usize::MAX, 0, language).system;
        last
    }
}

/// The task's life: saves what it is told, and summarises when the model has time.
async fn keep(
    kept: Option<Kept>,
    mut conversation: Conversation,
    budget: usize,
    engines: Arc<Engines>,
    mut told: mpsc::Receiver<Told>,
    summaries: mpsc::Sender<Summary>,
) {
    let mut spoken = String::new();
    while let Some(told) = told.recv().await {
        match told {
            Told::Said(items) => {
                conversation.items.extend(items.iter().cloned());
                save(kept.as_ref(), items, None, &engines).await;
            }
            Told::Rest { language } => {
                if let Some(order) = plan(&conversation, budget, &language)
                    && let Some(summary) = summarise(&order, &engines).await
                {
                    conversation.summary = Some(summary.clone());
                    forget(&mut conversation);
                    save(kept.as_ref(), Vec::new(), Some(summary.clone()), &engines).await;
                    let _ = summaries.send(summary).await;
                }
                spoken = language;
            }
        }
    }
    // The call is over. What is kept is made ready for the next one.
    if kept.is_some()
        && let Some(order) = plan(&conversation, budget, &spoken)
        && let Some(summary) = summarise(&order, &engines).await
    {
        save(kept.as_ref(), Vec::new(), Some(summary), &engines).await;
    }
}

/// What the notes cover need not stay here.
fn forget(conversation: &mut Conversation) {
    let rest = conversation.rest().len();
    let covered = conversation.items.len() - rest;
    conversation.items.drain(..covered);
    conversation.first += covered as u64;
}

async fn save(kept: Option<&Kept>, items: Vec<Item>, summary: Option<Summary>, engines: &Engines) {
    let Some(kept) = kept else { return };
    if let Err(error) = kept.save(items, summary, clock::unix_seconds()).await {
        engines.metrics.error("conversation_not_kept", &error);
    }
}

async fn summarise(order: &Summarise, engines: &Engines) -> Option<Summary> {
    let prompt = vec![
        Message::new(dialogue::Role::System, order.system.clone()),
        Message::new(dialogue::Role::User, order.user.clone()),
    ];
    let max_tokens = u32::try_from(order.max_tokens).ok();
    let question = Question { max_tokens, temperature: Some(0.0), ..Question::from(prompt) };
    let mut answer = Box::pin(engines.language().answer(question));
    let mut text = String::new();
    while let Some(piece) = answer.next().await {
        match piece {
            Ok(Piece::Text(more)) => text.push_str(&more),
            Ok(_) => {}
            Err(error) => {
                engines.metrics.error("conversation_not_summarised", &error);
                return None;
            }
        }
    }
    engines.metrics.summaries.inc();
    order.accept(&text)
}

/// Typed by the client, or told to the model: over as soon as it is there. What is spoken is over once it has its text.
pub(super) fn is_over_at_once(item: &dialogue::Item) -> bool {
    item.medium == Medium::Text && item.role != dialogue::Role::Assistant
}
