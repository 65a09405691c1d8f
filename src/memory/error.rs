//! What can go wrong with the stores.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no place for conversations: set memory.file, or HOME")]
    NoPlace,
    #[error("the file of conversations {} cannot be used: {source}", .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(
        "the file of conversations {} is damaged or no database ({reason}); it was left as it is: move it away or bring \
         back a copy, or set memory.file to another",
        .path.display()
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("the file {} is a database of another program: set memory.file to another", .path.display())]
    Foreign { path: PathBuf },
    #[error(
        "the file of conversations {} was written by a newer visavis (schema {found}, this one knows {known}): use that \
         one, or set memory.file to another",
        .path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("the database of conversations failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the store of conversations has {0} requests waiting already: try again in a moment")]
    Busy(usize),
    #[error("the thread of the database of conversations has ended: restart the server")]
    Ended,
    #[error("the environment variable {variable} holds no address of a Redis server, such as redis://127.0.0.1:6379/0")]
    NoRedis { variable: String },
    #[error("Redis failed: {0}")]
    Redis(#[from] redis::RedisError),
    #[error("what Redis holds of a conversation cannot be read: {0}")]
    Unreadable(String),
}
