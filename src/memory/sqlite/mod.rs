//! Conversations in a file of SQLite, which is built in: the default.
//!
//! The database lives on a thread of its own, since it waits for the disk; requests go to it through a bounded queue and
//! are refused when that is full. The file is readable by its owner alone. A file that cannot be read is never touched:
//! it may be somebody else's, or may be saved.

mod schema;

#[cfg(test)]
pub use schema::STEPS;

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use crossbeam_channel::{Sender, TrySendError, bounded};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use tokio::sync::oneshot;

use super::conversation::{self, Conversation, Item, Limits, Role, Summary};
use super::{ConversationId, MOST_LISTED, Store, StoreError, valid_id};
use crate::metrics::Queues;
use crate::threads::{Priority, spawn};

/// Requests that wait for the disk; further ones are refused.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

pub struct SqliteStore {
    limits: Limits,
    jobs: Option<Arc<Sender<Job>>>,
    queues: Arc<Queues>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// Makes the file and its folder if they are not there. Reads all of it once to see whether it is whole.
    pub fn open(path: &Path, limits: Limits, queues: &Arc<Queues>) -> Result<Self, StoreError> {
        let failed = |source| StoreError::File { path: path.to_owned(), source };
        make_private(path).map_err(failed)?;
        let mut connection = Connection::open(path)?;
        schema::prepare(&mut connection, path)?;
        let (jobs, waiting) = bounded::<Job>(QUEUE);
        let thread = spawn("memory", Priority::Model, move || {
            for job in waiting {
                if catch_unwind(AssertUnwindSafe(|| job(&mut connection))).is_err() {
                    tracing::error!("a request to the database of conversations panicked and was dropped");
                }
            }
        })
        .map_err(failed)?;
        let jobs = Arc::new(jobs);
        queues.watch_thread("memory", &jobs);
        Ok(Self { limits, jobs: Some(jobs), queues: queues.clone(), thread: Some(thread) })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let _ = answer.send(work(connection));
        });
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => {}
            Some(Err(TrySendError::Full(_))) => {
                self.queues.dropped("memory");
                return Err(StoreError::Busy(QUEUE));
            }
            Some(Err(TrySendError::Disconnected(_))) | None => return Err(StoreError::Ended),
        }
        Ok(answered.await.map_err(|_| StoreError::Ended)??)
    }
}

impl Drop for SqliteStore {
    /// What is in the queue is still written.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn save(
        &self,
        id: &ConversationId,
        items: Vec<Item>,
        summary: Option<Summary>,
        now: u64,
    ) -> Result<u64, StoreError> {
        let (id, limits) = (id.clone(), self.limits);
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            let next = save(&transaction, &id, &items, summary.as_ref(), limits, now)?;
            transaction.commit()?;
            Ok(next)
        })
        .await
    }

    async fn load(&self, id: &ConversationId, now: u64) -> Result<Option<Conversation>, StoreError> {
        let (id, oldest) = (id.clone(), self.limits.oldest(now));
        self.run(move |connection| load(&connection.transaction()?, &id, oldest)).await
    }

    async fn delete(&self, id: &ConversationId) -> Result<bool, StoreError> {
        let id = id.clone();
        self.run(move |connection| {
            let deleted = connection.execute("DELETE FROM conversations WHERE id = ?1", [id.as_str()])?;
            empty_log(connection)?;
            Ok(deleted > 0)
        })
        .await
    }

    async fn older_than(&self, before: u64) -> Result<Vec<ConversationId>, StoreError> {
        self.run(move |connection| {
            let query = "SELECT id FROM conversations WHERE touched < ?1 ORDER BY touched, id LIMIT ?2";
            let mut query = connection.prepare_cached(query)?;
            let ids = query.query_map(params![signed(before), MOST_LISTED as i64], |row| row.get::<_, String>(0))?;
            let ids = ids.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(ids.iter().filter_map(|id| valid_id(id, true).ok()).collect())
        })
        .await
    }

    async fn expire(&self, now: u64) -> Result<usize, StoreError> {
        let oldest = self.limits.oldest(now);
        self.run(move |connection| {
            let deleted = connection.execute("DELETE FROM conversations WHERE touched < ?1", [signed(oldest)])?;
            if deleted > 0 {
                empty_log(connection)?;
            }
            Ok(deleted)
        })
        .await
    }
}

fn save(
    transaction: &Transaction<'_>,
    id: &ConversationId,
    items: &[Item],
    summary: Option<&Summary>,
    limits: Limits,
    now: u64,
) -> rusqlite::Result<u64> {
    transaction
        .prepare_cached("DELETE FROM conversations WHERE id = ?1 AND touched < ?2")?
        .execute(params![id.as_str(), signed(limits.oldest(now))])?;
    let (key, mut next): (i64, i64) = transaction
        .prepare_cached(
            "INSERT INTO conversations (id, created, touched, next) VALUES (?1, ?2, ?2, 0)
             ON CONFLICT (id) DO UPDATE SET touched = max(touched, excluded.touched) RETURNING key, next",
        )?
        .query_row(params![id.as_str(), signed(now)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for item in items {
        transaction
            .prepare_cached(
                "INSERT INTO items (conversation, number, role, text, at, cut) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                key,
                next,
                item.role.name(),
                conversation::bounded(&item.text),
                signed(item.at),
                item.cut
            ])?;
        next += 1;
    }
    transaction.prepare_cached("UPDATE conversations SET next = ?2 WHERE key = ?1")?.execute(params![key, next])?;
    if let Some(summary) = summary {
        transaction
            .prepare_cached("UPDATE conversations SET summary = ?2, upto = ?3 WHERE key = ?1")?
            .execute(params![key, conversation::bounded(&summary.text), signed(summary.upto)])?;
    }
    let mut lengths =
        transaction.prepare_cached("SELECT octet_length(text) FROM items WHERE conversation = ?1 ORDER BY number")?;
    let lengths = lengths.query_map([key], |row| row.get::<_, i64>(0).map(unsigned))?;
    let lengths = lengths.map(|length| length.map(|length| length as usize)).collect::<rusqlite::Result<Vec<_>>>()?;
    let kept = lengths.len() - limits.surplus(&lengths);
    transaction
        .prepare_cached("DELETE FROM items WHERE conversation = ?1 AND number < ?2")?
        .execute(params![key, next - kept as i64])?;
    Ok(unsigned(next))
}

fn load(transaction: &Transaction<'_>, id: &ConversationId, oldest: u64) -> rusqlite::Result<Option<Conversation>> {
    let found = transaction
        .prepare_cached(
            "SELECT key, created, touched, next, summary, upto FROM conversations WHERE id = ?1 AND touched >= ?2",
        )?
        .query_row(params![id.as_str(), signed(oldest)], |row| {
            let text: Option<String> = row.get(4)?;
            let upto: Option<i64> = row.get(5)?;
            let summary = text.zip(upto).map(|(text, upto)| Summary { text, upto: unsigned(upto) });
            let (created, touched) = (unsigned(row.get(1)?), unsigned(row.get(2)?));
            let conversation = Conversation { created, touched, summary, ..Conversation::default() };
            Ok((row.get::<_, i64>(0)?, unsigned(row.get(3)?), conversation))
        })
        .optional()?;
    let Some((key, next, mut conversation)) = found else { return Ok(None) };
    let mut items =
        transaction.prepare_cached("SELECT role, text, at, cut FROM items WHERE conversation = ?1 ORDER BY number")?;
    let items = items.query_map([key], |row| {
        let role = row.get_ref(0)?.as_str()?;
        let role = Role::from_name(role).ok_or(rusqlite::types::FromSqlError::InvalidType)?;
        Ok(Item { role, text: row.get(1)?, at: unsigned(row.get(2)?), cut: row.get(3)? })
    })?;
    conversation.items = items.collect::<rusqlite::Result<_>>()?;
    conversation.first = next.saturating_sub(conversation.items.len() as u64);
    Ok(Some(conversation))
}

/// Writes the log into the file and empties it, so that nothing of what was deleted stays in it.
fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// SQLite knows signed numbers only.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The file exists then and only its owner may read it; SQLite gives its log the same rights.
fn make_private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}
