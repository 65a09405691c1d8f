//! The tables of the file, their versions, and whether a file is ours at all.
//!
//! SQLite's `user_version` counts the steps that a file has taken; a new step is added at the end of [`STEPS`] and none
//! is ever changed.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::super::StoreError;

/// "visv": SQLite's `application_id`, which marks a file as ours.
const APPLICATION: i64 = 0x7669_7376;

pub const STEPS: &[&str] = &["
    CREATE TABLE conversations (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        created INTEGER NOT NULL,
        touched INTEGER NOT NULL,
        next INTEGER NOT NULL,
        summary TEXT,
        upto INTEGER
    ) STRICT;
    CREATE INDEX conversations_touched ON conversations (touched);
    CREATE TABLE items (
        conversation INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        role TEXT NOT NULL,
        text TEXT NOT NULL,
        at INTEGER NOT NULL,
        cut INTEGER NOT NULL,
        PRIMARY KEY (conversation, number)
    ) STRICT, WITHOUT ROWID;
"];

/// How long to wait for another process that has the file locked.
const BUSY: Duration = Duration::from_secs(5);

/// Sets the connection up and brings an older file to the newest schema; leaves any file alone that is not ours.
pub fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let named = |error| damage(error, path);
    connection.busy_timeout(BUSY)?;
    let version = pragma(connection, "user_version").map_err(named)?;
    let application = pragma(connection, "application_id").map_err(named)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(named)?;
    let is_new = version == 0 && application == 0 && tables == 0;
    if !is_new && application != APPLICATION {
        return Err(StoreError::Foreign { path: path.to_owned() });
    }
    let known = STEPS.len() as i64;
    if version > known {
        return Err(StoreError::Newer { path: path.to_owned(), found: version, known });
    }
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(named)?;
    if found != "ok" {
        return Err(StoreError::Damaged { path: path.to_owned(), reason: found });
    }
    // What is deleted is overwritten, not only forgotten.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;",
        )
        .map_err(named)?;
    upgrade(connection).map_err(named)
}

fn upgrade(connection: &mut Connection) -> rusqlite::Result<()> {
    // Locked before the version is read: two servers may start at once.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = usize::try_from(pragma(&transaction, "user_version")?).unwrap_or(0);
    for step in STEPS.iter().skip(version) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", STEPS.len() as i64)?;
    transaction.commit()
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// An error that says that the file is no good becomes one that says what to do about it.
fn damage(error: rusqlite::Error, path: &Path) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            StoreError::Damaged { path: path.to_owned(), reason: error.to_string() }
        }
        _ => StoreError::Sqlite(error),
    }
}
