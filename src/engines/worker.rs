//! A model on a thread of its own: jobs go in through a bounded queue and are done one after the other.
//!
//! The model is loaded on that thread, when it is first needed, so the workers that its library starts inherit the low
//! priority; when it was not needed for long it is given up. A job that panics is dropped alone; its owner sees that
//! through its reply's end.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use tokio::sync::oneshot;

use crate::clock;
use crate::metrics::Queues;
use crate::threads::{Priority, spawn};

/// The queue is full: the machine cannot keep up.
#[derive(Debug, thiserror::Error)]
#[error("the {name} engine is busy with {capacity} requests already: try again in a moment, or allow fewer calls")]
pub struct Overloaded {
    name: &'static str,
    capacity: usize,
}

/// Why a model cannot be loaded, in the words of its engine.
pub type LoadError = Box<dyn std::error::Error + Send + Sync>;

/// What a worker does with its model.
pub trait Work: Send + 'static {
    type Engine;
    type Job: Send + 'static;

    /// Loads and warms the model.
    fn load(&mut self) -> Result<Self::Engine, LoadError>;

    fn work(&mut self, engine: &mut Self::Engine, job: Self::Job);

    /// The model could not be loaded.
    fn refuse(&mut self, job: Self::Job, reason: String);
}

enum Order<Job> {
    /// Load the model, if it is not there, and say how that went.
    Load(oneshot::Sender<Result<(), LoadError>>),
    Do(Job),
}

pub struct Worker<Job> {
    name: &'static str,
    capacity: usize,
    queue: Option<Arc<Sender<Order<Job>>>>,
    queues: Arc<Queues>,
    thread: Option<JoinHandle<()>>,
}

impl<Job: Send + 'static> Worker<Job> {
    /// Starts the thread. `keep`: how long a model that is not used stays loaded; `None`: for ever.
    /// Its queue is watched under its name.
    pub fn start<W: Work<Job = Job>>(
        name: &'static str,
        capacity: usize,
        keep: Option<Duration>,
        queues: &Arc<Queues>,
        work: W,
    ) -> io::Result<Self> {
        let (queue, orders) = bounded(capacity);
        let (queue, queues) = (Arc::new(queue), queues.clone());
        queues.watch_thread(name, &queue);
        let thread = spawn(name, Priority::Model, move || run(name, &orders, keep, work))?;
        Ok(Self { name, capacity, queue: Some(queue), queues, thread: Some(thread) })
    }

    /// Loads the model now. The receiver tells how that went; it fails if the thread is gone or its queue full.
    pub fn load(&self) -> oneshot::Receiver<Result<(), LoadError>> {
        let (loaded, waiter) = oneshot::channel();
        if let Some(queue) = &self.queue {
            let _ = queue.try_send(Order::Load(loaded));
        }
        waiter
    }

    /// Never waits.
    pub fn submit(&self, job: Job) -> Result<(), Overloaded> {
        let sent = self.queue.as_ref().is_some_and(|queue| queue.try_send(Order::Do(job)).is_ok());
        if !sent {
            self.queues.dropped(self.name);
            return Err(Overloaded { name: self.name, capacity: self.capacity });
        }
        Ok(())
    }
}

impl<Job> Drop for Worker<Job> {
    fn drop(&mut self) {
        self.queue = None;
        // A job may be the last to know of its own worker; that ends when its queue is empty.
        if let Some(thread) = self.thread.take().filter(|own| own.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

fn run<W: Work>(name: &str, orders: &Receiver<Order<W::Job>>, keep: Option<Duration>, mut work: W) {
    let mut engine = None;
    loop {
        let order = match keep.filter(|_| engine.is_some()) {
            Some(keep) => orders.recv_timeout(keep),
            None => orders.recv().map_err(RecvTimeoutError::from),
        };
        let order = match order {
            Ok(order) => order,
            Err(RecvTimeoutError::Timeout) => {
                tracing::info!(engine = name, "given up: it was not used for long");
                engine = None;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let loaded = match engine.is_some() {
            true => Ok(()),
            false => load(name, &mut work).map(|loaded| engine = Some(loaded)),
        };
        match (order, loaded, &mut engine) {
            (Order::Load(waiter), loaded, _) => drop(waiter.send(loaded)),
            (Order::Do(job), Ok(()), Some(engine)) => {
                if catch_unwind(AssertUnwindSafe(|| work.work(engine, job))).is_err() {
                    tracing::error!(engine = name, "a job panicked and was dropped");
                }
            }
            (Order::Do(job), loaded, _) => {
                let reason = loaded.map_or_else(|error| error.to_string(), |()| "it is not loaded".to_owned());
                work.refuse(job, reason);
            }
        }
    }
}

fn load<W: Work>(name: &str, work: &mut W) -> Result<W::Engine, LoadError> {
    let start = clock::now();
    let loaded = catch_unwind(AssertUnwindSafe(|| work.load()))
        .unwrap_or_else(|_| Err(format!("the {name} engine panicked while it was loading").into()));
    match &loaded {
        Ok(_) => {
            let millis = (clock::now() - start).as_millis() as u64;
            tracing::info!(engine = name, millis, "loaded and warm");
        }
        Err(error) => tracing::error!(engine = name, %error, "cannot be loaded"),
    }
    loaded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    /// Tells what it does.
    struct Counting {
        told: Sender<String>,
        loads: usize,
        /// Loads that fail, counted from the first.
        failing: usize,
    }

    impl Work for Counting {
        type Engine = usize;
        type Job = u32;

        fn load(&mut self) -> Result<usize, LoadError> {
            self.loads += 1;
            if self.loads <= self.failing { Err("no such file".into()) } else { Ok(self.loads) }
        }

        fn work(&mut self, engine: &mut usize, job: u32) {
            assert!(job < 100, "a job that panics");
            let _ = self.told.send(format!("{job} by {engine}"));
        }

        fn refuse(&mut self, job: u32, reason: String) {
            let _ = self.told.send(format!("{job} refused: {reason}"));
        }
    }

    type Started = (Worker<u32>, Receiver<String>);

    fn worker(keep: Option<Duration>, failing: usize) -> io::Result<Started> {
        let (told, heard) = bounded(64);
        let work = Counting { told, loads: 0, failing };
        Ok((Worker::start("counting", 4, keep, &Metrics::new().queues, work)?, heard))
    }

    #[test]
    fn a_model_is_loaded_when_it_is_first_needed_and_again_after_it_was_given_up() -> io::Result<()> {
        let (worker, heard) = worker(Some(Duration::ZERO), 0)?;
        let mut engines = Vec::new();
        while engines.last().is_none_or(|engine| *engine == "1") {
            worker.submit(7).map_err(io::Error::other)?;
            let told = heard.recv().map_err(io::Error::other)?;
            engines.extend(told.strip_prefix("7 by ").map(str::to_owned));
        }
        // Whenever the worker came to wait with nothing to do, the model went.
        assert_eq!(engines.last().map(String::as_str), Some("2"), "{engines:?}");
        Ok(())
    }

    #[test]
    fn a_job_that_panics_is_dropped_alone_and_what_cannot_be_loaded_says_why() -> io::Result<()> {
        let (worker, heard) = worker(None, 1)?;
        for job in [1, 2, 100, 3] {
            worker.submit(job).map_err(io::Error::other)?;
        }
        let told: Vec<_> = (0..3).map(|_| heard.recv().unwrap_or_default()).collect();
        assert_eq!(told, ["1 refused: no such file", "2 by 2", "3 by 2"]);
        Ok(())
    }

    #[test]
    fn loading_ahead_tells_how_it_went() -> io::Result<()> {
        let (worker, _heard) = worker(None, 1)?;
        let failed = worker.load().blocking_recv();
        assert!(matches!(failed, Ok(Err(error)) if error.to_string() == "no such file"));
        assert!(matches!(worker.load().blocking_recv(), Ok(Ok(()))));
        Ok(())
    }
}
