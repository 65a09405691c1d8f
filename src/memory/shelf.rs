//! The store as calls use it: what is deleted while a call keeps it is not written again by that call.
//!
//! A page ends its call and deletes the conversation at once, while the last words or their summary are still on their
//! way. Holds for the calls of this server; one of another server that shares the store is not known here.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};

use tokio::sync::Mutex;

use super::{Conversation, ConversationId, Item, Store, StoreError, Summary};

/// Held while the conversation is written; true once it was deleted.
type Deleted = Mutex<bool>;

pub struct Shelf {
    store: Arc<dyn Store>,
    /// Conversations of calls.
    open: std::sync::Mutex<HashMap<ConversationId, Weak<Deleted>>>,
}

/// A conversation that a call keeps.
#[derive(Clone)]
pub struct Kept {
    id: ConversationId,
    store: Arc<dyn Store>,
    deleted: Arc<Deleted>,
}

impl Shelf {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, open: std::sync::Mutex::default() }
    }

    /// For a call that keeps this conversation, alone or beside others.
    pub fn take(&self, id: ConversationId) -> Kept {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, deleted| deleted.strong_count() > 0);
        let before = open.get(&id).and_then(Weak::upgrade);
        let deleted = before.unwrap_or_default();
        open.insert(id.clone(), Arc::downgrade(&deleted));
        Kept { id, store: self.store.clone(), deleted }
    }

    /// For good; see [`Store::delete`].
    pub async fn delete(&self, id: &ConversationId) -> Result<bool, StoreError> {
        let deleted = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        let Some(deleted) = deleted.and_then(|deleted| deleted.upgrade()) else { return self.store.delete(id).await };
        let mut deleted = deleted.lock().await;
        *deleted = true;
        self.store.delete(id).await
    }

    /// See [`Store::expire`].
    pub async fn expire(&self, now: u64) -> Result<usize, StoreError> {
        self.store.expire(now).await
    }
}

impl Kept {
    /// What was said before; empty if nothing is known of it.
    pub async fn load(&self, now: u64) -> Result<Conversation, StoreError> {
        Ok(self.store.load(&self.id, now).await?.unwrap_or_default())
    }

    /// See [`Store::save`]; nothing is written once it was deleted.
    pub async fn save(&self, items: Vec<Item>, summary: Option<Summary>, now: u64) -> Result<(), StoreError> {
        let deleted = self.deleted.lock().await;
        if *deleted { Ok(()) } else { self.store.save(&self.id, items, summary, now).await.map(drop) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemorySettings, Role, VolatileStore, valid_id};
    use super::*;

    fn words(text: &str) -> Vec<Item> {
        vec![Item { role: Role::User, text: text.into(), at: 1, cut: false }]
    }

    #[tokio::test]
    async fn what_was_deleted_is_not_written_again_by_the_calls_that_kept_it() {
        let shelf = Shelf::new(Arc::new(VolatileStore::new(MemorySettings::default().limits(), 8)));
        let id = valid_id("visitor-1", true).unwrap();
        let (one, other) = (shelf.take(id.clone()), shelf.take(id.clone()));
        one.save(words("a"), None, 1).await.unwrap();
        assert_eq!(other.load(1).await.unwrap().items.len(), 1);
        assert!(shelf.delete(&id).await.unwrap());
        one.save(words("b"), None, 2).await.unwrap();
        other.save(words("c"), None, 2).await.unwrap();
        assert_eq!(other.load(2).await.unwrap().items.len(), 0);

        let next = shelf.take(id.clone());
        next.save(words("d"), None, 3).await.unwrap();
        one.save(words("e"), None, 3).await.unwrap();
        assert_eq!(next.load(3).await.unwrap().items.len(), 1, "it may begin anew");
        drop(next);
        assert!(shelf.delete(&id).await.unwrap(), "without any call");
    }
}
