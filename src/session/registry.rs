//! All calls of this server: their number is limited, each can be ended, and none outlives the server.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::task::{Ended, Parts, run};
use crate::metrics::{Connection, Metrics};

/// Ids of ended calls that are remembered.
const PAST: usize = 256;

pub struct Registry {
    calls: Mutex<HashMap<String, Entry>>,
    /// The last calls that ended: a page closes its connection and hangs up at once, and whichever is seen first, the
    /// other is no fault.
    past: Mutex<VecDeque<String>>,
    slots: Arc<Semaphore>,
    limit: usize,
    total: AtomicU64,
    tasks: Mutex<JoinSet<()>>,
    metrics: Arc<Metrics>,
    /// Cancelled when the server goes down.
    pub shutdown: CancellationToken,
}

struct Entry {
    stop: CancellationToken,
    /// Cancelled once the call has freed everything.
    ended: CancellationToken,
}

/// A place for one call; given back when dropped.
pub struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Registry {
    pub fn new(limit: usize, metrics: Arc<Metrics>) -> Self {
        metrics.calls_limit.set(limit as i64);
        Self {
            calls: Mutex::default(),
            past: Mutex::default(),
            slots: Arc::new(Semaphore::new(limit)),
            limit,
            total: AtomicU64::new(0),
            tasks: Mutex::default(),
            metrics,
            shutdown: CancellationToken::new(),
        }
    }

    /// `None` when the server is full.
    pub fn slot(&self) -> Option<Slot> {
        self.slots.clone().try_acquire_owned().ok().map(|permit| Slot { _permit: permit })
    }

    pub fn limit(&self) -> usize {
        self.limit
    }

    pub fn active(&self) -> usize {
        self.calls().len()
    }

    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Starts the call's task. `parts.stop` ends it.
    pub fn start(self: &Arc<Self>, id: &str, slot: Slot, parts: Parts) {
        let ended = CancellationToken::new();
        self.calls().insert(id.to_owned(), Entry { stop: parts.stop.clone(), ended: ended.clone() });
        self.total.fetch_add(1, Ordering::Relaxed);
        self.metrics.calls_active.inc();
        let counters = parts.peer.counting();
        let watched = self.metrics.call(id, move || Connection { counters: counters(), ..Connection::default() });
        // Lives in the future, so that a call that panics is taken off the list too.
        let listed = Listed { registry: self.clone(), id: id.to_owned(), ended, reason: Ended::Fault, _slot: slot };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let mut listed = listed;
            let watched = watched;
            let (ended, mut keeping) = run(parts).await;
            listed.reason = ended;
            drop(watched);
            drop(listed);
            // Holds nobody up but the end of the server.
            while keeping.join_next().await.is_some() {}
        });
    }

    /// Ends a call and waits until it has freed everything; false if there is and lately was none of this name.
    pub async fn hang_up(&self, id: &str) -> bool {
        let Some((stop, ended)) = self.calls().get(id).map(|entry| (entry.stop.clone(), entry.ended.clone())) else {
            return self.past().iter().any(|past| past == id);
        };
        stop.cancel();
        ended.cancelled().await;
        true
    }

    /// Tells all calls that the server goes down and waits for their end.
    pub async fn end_all(&self) {
        self.shutdown.cancel();
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }

    fn past(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Listed {
    registry: Arc<Registry>,
    id: String,
    ended: CancellationToken,
    reason: Ended,
    _slot: Slot,
}

impl Drop for Listed {
    fn drop(&mut self) {
        {
            // Remembered before it is forgotten: at no time is it unknown.
            let mut past = self.registry.past();
            if past.len() == PAST {
                past.pop_front();
            }
            past.push_back(self.id.clone());
        }
        self.registry.calls().remove(&self.id);
        self.registry.metrics.calls_active.dec();
        self.registry.metrics.calls_ended.with_label_values(&[self.reason.name()]).inc();
        tracing::info!(call = %self.id, reason = self.reason.name(), "call ended");
        self.ended.cancel();
    }
}
