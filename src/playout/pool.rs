//! The media threads: each beats every 20 ms and moves the stages of its calls on by one frame.
//!
//! Many calls share a thread. A thread without calls sleeps until it gets one; a stage that panics is
//! dropped alone, and its call sees its progress channel close.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use crate::clock;
use crate::metrics::Metrics;
use crate::threads::{Priority, spawn};

/// Time of one audio frame.
const BEAT: Duration = Duration::from_millis(20);
/// A thread that is later than this gives the lost time up instead of sending a burst.
const LATEST: Duration = Duration::from_millis(200);
/// New calls that wait for a media thread; more are refused.
const ARRIVALS: usize = 16;

/// What a media thread moves on. One for each call.
pub trait Beat: Send {
    /// One step of 20 ms; false when the call is over.
    fn beat(&mut self) -> bool;
}

pub struct MediaPool {
    arrivals: Vec<Arc<Sender<Box<dyn Beat>>>>,
    next: AtomicUsize,
    threads: Vec<JoinHandle<()>>,
    metrics: Arc<Metrics>,
}

impl MediaPool {
    pub fn start(threads: usize, metrics: &Arc<Metrics>) -> io::Result<Self> {
        let next = AtomicUsize::new(0);
        let mut pool = Self { arrivals: Vec::new(), next, threads: Vec::new(), metrics: metrics.clone() };
        for n in 0..threads.max(1) {
            let (sender, receiver) = bounded(ARRIVALS);
            let sender = Arc::new(sender);
            metrics.queues.watch_thread("arrivals", &sender);
            let metrics = metrics.clone();
            pool.threads.push(spawn(format!("media-{n}"), Priority::Media, move || run(&receiver, &metrics))?);
            pool.arrivals.push(sender);
        }
        Ok(pool)
    }

    /// Gives a call's stage to the thread whose turn it is; false if that thread has too many arrivals waiting.
    pub fn add(&self, stage: Box<dyn Beat>) -> bool {
        let n = self.next.fetch_add(1, Ordering::Relaxed) % self.arrivals.len();
        let taken = self.arrivals[n].try_send(stage).is_ok();
        if !taken {
            self.metrics.queues.dropped("arrivals");
        }
        taken
    }
}

impl Drop for MediaPool {
    fn drop(&mut self) {
        self.arrivals.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn run(arrivals: &Receiver<Box<dyn Beat>>, metrics: &Metrics) {
    let mut stages: Vec<Box<dyn Beat>> = Vec::new();
    let mut due = clock::now();
    loop {
        if stages.is_empty() {
            let Ok(stage) = arrivals.recv() else { return };
            stages.push(stage);
            due = clock::now();
        }
        loop {
            match arrivals.try_recv() {
                Ok(stage) => stages.push(stage),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        stages.retain_mut(|stage| {
            catch_unwind(AssertUnwindSafe(|| stage.beat())).unwrap_or_else(|_| {
                metrics.errors.with_label_values(&["media_stage_panicked"]).inc();
                tracing::error!("a call's media stage panicked and was dropped");
                false
            })
        });
        due += BEAT;
        let now = clock::now();
        if let Some(wait) = due.checked_duration_since(now) {
            // An arrival ends the wait early, but not the beat: the other calls are not due yet.
            let mut left = wait;
            loop {
                match arrivals.recv_timeout(left) {
                    Ok(stage) => stages.push(stage),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                left = due.saturating_duration_since(clock::now());
            }
        } else if now - due > LATEST {
            metrics.media_resets.inc();
            due = now;
        } else if now - due > BEAT {
            metrics.late_beats.inc();
        }
    }
}
