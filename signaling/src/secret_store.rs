//! Client secrets (`ek_...`): short-lived tokens for browsers, each with the session that its maker chose.
//!
//! They live in memory, in a bounded number of bounded size, and are dropped when they expire. A restart
//! forgets them, which costs a browser one more request to its own backend.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::events::SessionPatch;
use crate::ids;

/// Most bytes of all stored sessions together.
const SESSION_BYTES: usize = 8 * 1024 * 1024;

#[derive(Clone, Debug)]
struct Secret {
    /// Seconds since 1970.
    expires_at: u64,
    session: SessionPatch,
    session_bytes: usize,
}

#[derive(Debug)]
pub(crate) struct SecretStore {
    capacity: usize,
    secrets: Mutex<HashMap<String, Secret>>,
}

/// The store is full until `retry_after_seconds` have passed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StoreFull {
    pub(crate) retry_after_seconds: u64,
}

impl SecretStore {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, secrets: Mutex::new(HashMap::new()) }
    }

    /// Makes a secret that lives until `expires_at`; both times are seconds since 1970.
    pub(crate) fn issue(&self, session: SessionPatch, expires_at: u64, now: u64) -> Result<String, StoreFull> {
        let session_bytes = serde_json::to_string(&session).map_or(0, |json| json.len());
        let mut secrets = self.live(now);
        let stored_bytes: usize = secrets.values().map(|secret| secret.session_bytes).sum();
        if secrets.len() >= self.capacity || stored_bytes + session_bytes > SESSION_BYTES {
            let next = secrets.values().map(|secret| secret.expires_at).min().unwrap_or(now);
            return Err(StoreFull { retry_after_seconds: next.saturating_sub(now).max(1) });
        }
        let value = ids::client_secret();
        secrets.insert(value.clone(), Secret { expires_at, session, session_bytes });
        Ok(value)
    }

    /// The session that goes with a living secret; `None` for one that is unknown or expired.
    pub(crate) fn session_of(&self, value: &str, now: u64) -> Option<SessionPatch> {
        self.live(now).get(value).map(|secret| secret.session.clone())
    }

    /// The secrets without those that have expired.
    fn live(&self, now: u64) -> MutexGuard<'_, HashMap<String, Secret>> {
        // The map is whole even if a thread died while it held the lock.
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.retain(|_, secret| secret.expires_at > now);
        secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_lives_until_it_expires_and_not_a_second_longer() {
        let store = SecretStore::new(2);
        let value = store.issue(SessionPatch::default(), 110, 100).unwrap();
        assert!(value.starts_with("ek_"));
        assert!(store.session_of(&value, 109).is_some());
        assert!(store.session_of(&value, 110).is_none());
    }

    #[test]
    fn a_full_store_says_when_there_is_room_again() {
        let store = SecretStore::new(2);
        store.issue(SessionPatch::default(), 130, 100).unwrap();
        store.issue(SessionPatch::default(), 110, 100).unwrap();
        assert_eq!(store.issue(SessionPatch::default(), 200, 103), Err(StoreFull { retry_after_seconds: 7 }));
        assert!(store.issue(SessionPatch::default(), 200, 110).is_ok(), "expired secrets make room");
    }

    #[test]
    fn stored_sessions_have_a_bound_of_their_own() {
        let store = SecretStore::new(usize::MAX);
        let large = SessionPatch::from_value(serde_json::json!({"instructions": "x".repeat(1024 * 1024)})).unwrap();
        let stored = (0..20).filter(|_| store.issue(large.clone(), 200, 100).is_ok()).count();
        assert_eq!(stored, 7);
    }
}
