//! What is kept of a conversation: so that it can go on when the visitor comes back, and so that a long one fits into
//! the prompt.
//!
//! A [`Store`] keeps conversations under ids that the host page gives ([`valid_id`]); there is one in memory, one in
//! SQLite and one in Redis, chosen by `[memory]`. [`summary`] decides when the oldest of it is to be summarised and with
//! which prompt. Neither asks a model, and neither knows calls.

mod conversation;
mod error;
mod id;
mod redis;
mod settings;
mod shelf;
mod sqlite;
mod summary;
#[cfg(test)]
mod tests;
pub mod tokens;
mod volatile;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::metrics::Queues;

pub use self::redis::RedisStore;
pub use conversation::{Conversation, Item, Limits, Role, Summary};
pub use error::StoreError;
pub use id::{ConversationId, IdError, valid_id};
pub use settings::{Keep, MemorySettings};
pub use shelf::{Kept, Shelf};
pub use sqlite::SqliteStore;
pub use summary::{Resumed, Summarise, plan, resume};
pub use volatile::VolatileStore;

/// Most ids that [`Store::older_than`] gives at once.
pub const MOST_LISTED: usize = 10_000;

/// Keeps conversations. `now` is in Unix seconds. One that is older than the age limit is as good as deleted, whether or
/// not [`Store::expire`] has been there.
#[async_trait]
pub trait Store: Send + Sync {
    /// Adds what was said since the last time, and the summary if there is a new one. The oldest items go when there is
    /// too much; the summary stays. Gives the number of the next item.
    async fn save(
        &self,
        id: &ConversationId,
        items: Vec<Item>,
        summary: Option<Summary>,
        now: u64,
    ) -> Result<u64, StoreError>;

    /// `None`: there is no such conversation.
    async fn load(&self, id: &ConversationId, now: u64) -> Result<Option<Conversation>, StoreError>;

    /// For good. `false`: there was none.
    async fn delete(&self, id: &ConversationId) -> Result<bool, StoreError>;

    /// Conversations last touched before `before`, the oldest first, at most [`MOST_LISTED`].
    async fn older_than(&self, before: u64) -> Result<Vec<ConversationId>, StoreError>;

    /// Deletes what is over the age limit and says how many those were. To be called at the start and every hour or so.
    async fn expire(&self, now: u64) -> Result<usize, StoreError>;
}

/// The store that the settings ask for; `None` if nothing is to be kept. Fails if it cannot be used.
pub async fn open(settings: &MemorySettings, queues: &Arc<Queues>) -> Result<Option<Arc<dyn Store>>, StoreError> {
    let limits = settings.limits();
    Ok(match settings.store {
        Keep::Nothing => None,
        Keep::Memory => Some(Arc::new(VolatileStore::new(limits, settings.max_conversations))),
        Keep::Sqlite => Some(Arc::new(SqliteStore::open(&file(settings)?, limits, queues)?)),
        Keep::Redis => {
            let variable = &settings.redis_url_env;
            let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
            let url = url.ok_or_else(|| StoreError::NoRedis { variable: variable.clone() })?;
            Some(Arc::new(RedisStore::open(&url, &settings.redis_prefix, limits).await?))
        }
    })
}

fn file(settings: &MemorySettings) -> Result<PathBuf, StoreError> {
    if !settings.file.as_os_str().is_empty() {
        return Ok(settings.file.clone());
    }
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share")));
    Ok(data.ok_or(StoreError::NoPlace)?.join("visavis/conversations.db"))
}
