//! All calls of this server: their number is limited, each can be ended, and none outlives the server.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signaling::News;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::task::{Ended, Parts, run};
use super::view::View;
use crate::metrics::{Connection, Metrics};

/// Ids of ended calls that are remembered.
const PAST: usize = 256;

pub struct Registry {
    calls: Mutex<HashMap<String, Entry>>,
    /// The last calls that ended: a page closes its connection and hangs up at once, and whichever is seen first, the
    /// other is no fault.
    past: Mutex<VecDeque<String>>,
    slots: Arc<Mutex<Slots>>,
    total: AtomicU64,
    tasks: Mutex<JoinSet<()>>,
    metrics: Arc<Metrics>,
    /// Cancelled when the server goes down.
    pub shutdown: CancellationToken,
}

/// Places for calls. The limit may sink below what is taken: then nobody comes until enough went.
struct Slots {
    limit: usize,
    taken: usize,
}

struct Entry {
    view: Arc<View>,
    stop: CancellationToken,
    /// Cancelled once the call has freed everything.
    ended: CancellationToken,
}

/// A place for one call; given back when dropped.
pub struct Slot(Arc<Mutex<Slots>>);

impl Drop for Slot {
    fn drop(&mut self) {
        locked(&self.0).taken -= 1;
    }
}

impl Registry {
    pub fn new(limit: usize, metrics: Arc<Metrics>) -> Self {
        metrics.calls_limit.set(limit as i64);
        Self {
            calls: Mutex::default(),
            past: Mutex::default(),
            slots: Arc::new(Mutex::new(Slots { limit, taken: 0 })),
            total: AtomicU64::new(0),
            tasks: Mutex::default(),
            metrics,
            shutdown: CancellationToken::new(),
        }
    }

    /// `None` when the server is full.
    pub fn slot(&self) -> Option<Slot> {
        let mut slots = locked(&self.slots);
        if slots.taken >= slots.limit {
            return None;
        }
        slots.taken += 1;
        Some(Slot(self.slots.clone()))
    }

    pub fn limit(&self) -> usize {
        locked(&self.slots).limit
    }

    /// From the next call on; those that are up stay.
    pub fn set_limit(&self, limit: usize) {
        locked(&self.slots).limit = limit;
        self.metrics.calls_limit.set(limit as i64);
    }

    pub fn active(&self) -> usize {
        self.calls().len()
    }

    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Starts the call's task. `parts.stop` ends it.
    pub fn start(self: &Arc<Self>, slot: Slot, parts: Parts) {
        let (ended, view) = (CancellationToken::new(), parts.view.clone());
        let entry = Entry { view: view.clone(), stop: parts.stop.clone(), ended: ended.clone() };
        self.calls().insert(view.id.clone(), entry);
        self.metrics.news.post(|| News::CallStarted { call: view.call() });
        self.total.fetch_add(1, Ordering::Relaxed);
        self.metrics.calls_active.inc();
        let counters = parts.peer.counting();
        let meter = parts.peer.meter();
        let watched = self.metrics.call(&view.id, move || Connection { counters: counters(), quality: meter.read() });
        // Lives in the future, so that a call that panics is taken off the list too.
        let listed = Listed { registry: self.clone(), view, ended, reason: Ended::Fault, _slot: slot };
        let mut tasks = locked(&self.tasks);
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

    /// The calls that are up, the oldest first.
    pub fn views(&self) -> Vec<Arc<View>> {
        let mut views: Vec<Arc<View>> = self.calls().values().map(|entry| entry.view.clone()).collect();
        views.sort_by_key(|view| view.started);
        views
    }

    /// Ends a call and waits until it has freed everything; false if there is and lately was none of this name.
    pub async fn hang_up(&self, id: &str) -> bool {
        self.end(id).await || self.past().iter().any(|past| past == id)
    }

    /// The same; false if there is none of this name.
    pub async fn end(&self, id: &str) -> bool {
        let Some((stop, ended)) = self.calls().get(id).map(|entry| (entry.stop.clone(), entry.ended.clone())) else {
            return false;
        };
        stop.cancel();
        ended.cancelled().await;
        true
    }

    /// Tells all calls that the server goes down and waits for their end.
    pub async fn end_all(&self) {
        self.shutdown.cancel();
        let mut tasks = std::mem::take(&mut *locked(&self.tasks));
        while tasks.join_next().await.is_some() {}
    }

    fn past(&self) -> MutexGuard<'_, VecDeque<String>> {
        locked(&self.past)
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        locked(&self.calls)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Listed {
    registry: Arc<Registry>,
    view: Arc<View>,
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
            past.push_back(self.view.id.clone());
        }
        self.registry.calls().remove(&self.view.id);
        let (view, reason, metrics) = (&self.view, self.reason.name(), &self.registry.metrics);
        metrics.calls_active.dec();
        metrics.calls_ended.with_label_values(&[reason]).inc();
        metrics.news.post(|| News::CallEnded { id: view.id.clone(), reason, seconds: view.seconds() });
        tracing::info!(call = view.id, reason, "call ended");
        self.ended.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_grows_and_shrinks_around_the_calls_that_are_up() {
        let registry = Registry::new(1, Arc::new(Metrics::new()));
        let first = registry.slot();
        assert!(first.is_some() && registry.slot().is_none());
        registry.set_limit(3);
        let more = (registry.slot(), registry.slot());
        assert!(more.0.is_some() && more.1.is_some() && registry.slot().is_none());
        registry.set_limit(1);
        drop(more.0);
        assert!(registry.slot().is_none(), "two are up");
        drop((first, more.1));
        assert_eq!(registry.limit(), 1);
        let last = registry.slot();
        assert!(last.is_some() && registry.slot().is_none());
    }
}
