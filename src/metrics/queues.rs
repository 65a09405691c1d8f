//! Every bounded queue of the server, looked at only when the metrics are asked for.
//!
//! A queue is watched without being kept open, and is forgotten once it is gone. Queues of one name, such as those that
//! each call has, are one line: what waits in them and what they may hold is summed, and the fullest one is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec};
use tokio::sync::mpsc;

use super::families::Families;

/// The queues there are: from whom to whom stands in `session/wiring.rs`.
pub const QUEUES: &[&str] = &[
    "arrivals",
    "audio_out",
    "clauses",
    "ear_events",
    "ears",
    "end-of-turn",
    "faces",
    "hearing",
    "keeping",
    "memory",
    "peer_events",
    "pictures_out",
    "sounds",
    "texts",
    "thoughts",
    "tracks",
    "transcripts",
    "verdicts",
    "voice",
];
/// Those that drop or refuse when they are full; the others press back, or cannot be full.
pub const DROPPING: &[&str] = &[
    "arrivals",
    "audio_out",
    "ear_events",
    "ears",
    "end-of-turn",
    "hearing",
    "memory",
    "peer_events",
    "pictures_out",
    "texts",
    "tracks",
    "voice",
];

/// How full a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub waiting: usize,
    pub capacity: usize,
}

type Look = Box<dyn Fn() -> Option<Level> + Send + Sync>;

/// See the module's text.
pub struct Queues {
    watched: Mutex<Vec<(&'static str, Look)>>,
    depth: IntGaugeVec,
    capacity: IntGaugeVec,
    fullest: GaugeVec,
    dropped: IntCounterVec,
}

impl Queues {
    pub(super) fn new(make: &mut Families) -> Self {
        Self {
            watched: Mutex::default(),
            depth: make.gauges("visavis_queue_depth", "What waits in the queues of a name", &["queue"]),
            capacity: make.gauges("visavis_queue_capacity", "What the queues of a name may hold", &["queue"]),
            fullest: make.measures("visavis_queue_fullest_ratio", "Fullest queue of a name, 1: full", &["queue"]),
            dropped: make.counters_of(
                "visavis_dropped_total",
                "What full queues refused or dropped, by queue",
                "queue",
                DROPPING,
            ),
        }
    }

    /// Watches a queue of this name until there is nothing to see.
    pub fn watch(&self, name: &'static str, look: impl Fn() -> Option<Level> + Send + Sync + 'static) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|(_, look)| look().is_some());
        watched.push((name, Box::new(look)));
    }

    pub fn watch_channel<T: Send + 'static>(&self, name: &'static str, sender: mpsc::WeakSender<T>) {
        self.watch(name, move || {
            let sender = sender.upgrade()?;
            Some(Level { waiting: sender.max_capacity() - sender.capacity(), capacity: sender.max_capacity() })
        });
    }

    /// A thread's queue; it is bounded.
    pub fn watch_thread<T: Send + 'static>(&self, name: &'static str, sender: &Arc<crossbeam_channel::Sender<T>>) {
        let sender = Arc::downgrade(sender);
        self.watch(name, move || {
            let sender = sender.upgrade()?;
            Some(Level { waiting: sender.len(), capacity: sender.capacity()? })
        });
    }

    /// Counts something that found no room.
    pub fn dropped(&self, name: &str) {
        self.dropped_many(name, 1);
    }

    pub(super) fn dropped_many(&self, name: &str, count: u64) {
        self.dropped.with_label_values(&[name]).inc_by(count);
    }

    pub(super) fn sample(&self) {
        let mut levels: BTreeMap<&str, (Level, f64)> = QUEUES.iter().map(|name| (*name, EMPTY)).collect();
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).retain(|(name, look)| {
            let Some(Level { waiting, capacity }) = look() else { return false };
            let (sum, fullest) = levels.entry(*name).or_insert(EMPTY);
            sum.waiting += waiting;
            sum.capacity += capacity;
            *fullest = fullest.max(waiting as f64 / capacity.max(1) as f64);
            true
        });
        for (name, (Level { waiting, capacity }, fullest)) in levels {
            self.depth.with_label_values(&[name]).set(waiting as i64);
            self.capacity.with_label_values(&[name]).set(capacity as i64);
            self.fullest.with_label_values(&[name]).set(fullest);
        }
    }
}

const EMPTY: (Level, f64) = (Level { waiting: 0, capacity: 0 }, 0.0);

#[cfg(test)]
mod tests {
    use super::*;

    fn level(queues: &Queues, name: &str) -> (i64, i64, f64) {
        queues.sample();
        let gauge = |of: &IntGaugeVec| of.with_label_values(&[name]).get();
        (gauge(&queues.depth), gauge(&queues.capacity), queues.fullest.with_label_values(&[name]).get())
    }

    #[test]
    fn queues_of_one_name_are_summed_and_gone_ones_forgotten() {
        let queues = Queues::new(&mut Families::default());
        assert_eq!(level(&queues, "texts"), (0, 0, 0.0));
        let (first, mut first_end) = mpsc::channel(4);
        let (second, _second_end) = mpsc::channel(8);
        queues.watch_channel("texts", first.downgrade());
        queues.watch_channel("texts", second.downgrade());
        for sender in [&first, &first, &first, &second] {
            sender.try_send(()).unwrap();
        }
        assert_eq!(level(&queues, "texts"), (4, 12, 0.75));
        first_end.try_recv().unwrap();
        assert_eq!(level(&queues, "texts"), (3, 12, 0.5));
        drop(first);
        assert_eq!(level(&queues, "texts"), (1, 8, 0.125));
        assert!(first_end.try_recv().is_ok() && first_end.try_recv().is_ok());
        assert_eq!(first_end.try_recv(), Err(mpsc::error::TryRecvError::Disconnected), "watching keeps nothing open");
    }

    #[test]
    fn a_threads_queue_is_seen_and_ends_with_its_owner() {
        let queues = Queues::new(&mut Families::default());
        let (sender, receiver) = crossbeam_channel::bounded(2);
        let sender = Arc::new(sender);
        queues.watch_thread("ears", &sender);
        sender.send(1).unwrap();
        assert_eq!(level(&queues, "ears"), (1, 2, 0.5));
        drop(sender);
        assert_eq!(receiver.iter().count(), 1, "the thread's loop ends");
        assert_eq!(level(&queues, "ears"), (0, 0, 0.0));
    }

    #[test]
    fn what_is_gone_is_forgotten_also_if_nobody_asks() {
        let queues = Queues::new(&mut Families::default());
        for _ in 0..100 {
            let (sender, _end) = mpsc::channel::<()>(1);
            queues.watch_channel("texts", sender.downgrade());
        }
        assert_eq!(queues.watched.lock().unwrap().len(), 1);
    }
}
