//! Conversations in memory, gone with the process. When there are too many, the one least lately touched goes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::conversation::{Conversation, Item, Limits, Summary, bounded};
use super::{ConversationId, MOST_LISTED, Store, StoreError};

pub struct VolatileStore {
    limits: Limits,
    most: usize,
    kept: Mutex<HashMap<ConversationId, Conversation>>,
}

impl VolatileStore {
    /// `most`: conversations, at least one.
    pub fn new(limits: Limits, most: usize) -> Self {
        Self { limits, most: most.max(1), kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<ConversationId, Conversation>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for VolatileStore {
    async fn save(
        &self,
        id: &ConversationId,
        items: Vec<Item>,
        summary: Option<Summary>,
        now: u64,
    ) -> Result<u64, StoreError> {
        let mut kept = self.kept();
        if kept.get(id).is_some_and(|old| old.touched < self.limits.oldest(now)) {
            kept.remove(id);
        }
        if !kept.contains_key(id) && kept.len() >= self.most {
            let oldest = kept.iter().min_by_key(|(_, conversation)| conversation.touched).map(|(id, _)| id.clone());
            oldest.and_then(|oldest| kept.remove(&oldest));
        }
        let new = || Conversation { created: now, ..Conversation::default() };
        let conversation = kept.entry(id.clone()).or_insert_with(new);
        let items = items.into_iter().map(|item| Item { text: bounded(&item.text).to_owned(), ..item });
        conversation.items.extend(items);
        if let Some(summary) = summary {
            conversation.summary = Some(Summary { text: bounded(&summary.text).to_owned(), ..summary });
        }
        let lengths: Vec<usize> = conversation.items.iter().map(|item| item.text.len()).collect();
        let gone = self.limits.surplus(&lengths);
        conversation.items.drain(..gone);
        conversation.first += gone as u64;
        conversation.touched = conversation.touched.max(now);
        Ok(conversation.next())
    }

    async fn load(&self, id: &ConversationId, now: u64) -> Result<Option<Conversation>, StoreError> {
        Ok(self.kept().get(id).filter(|conversation| conversation.touched >= self.limits.oldest(now)).cloned())
    }

    async fn delete(&self, id: &ConversationId) -> Result<bool, StoreError> {
        Ok(self.kept().remove(id).is_some())
    }

    async fn older_than(&self, before: u64) -> Result<Vec<ConversationId>, StoreError> {
        let kept = self.kept();
        let mut old: Vec<_> = kept.iter().filter(|(_, conversation)| conversation.touched < before).collect();
        old.sort_by_key(|(id, conversation)| (conversation.touched, *id));
        Ok(old.into_iter().take(MOST_LISTED).map(|(id, _)| id.clone()).collect())
    }

    async fn expire(&self, now: u64) -> Result<usize, StoreError> {
        let oldest = self.limits.oldest(now);
        let mut kept = self.kept();
        let before = kept.len();
        kept.retain(|_, conversation| conversation.touched >= oldest);
        Ok(before - kept.len())
    }
}
