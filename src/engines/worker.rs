//! A model on a thread of its own: jobs go in through a bounded queue and are done one after the other.
//!
//! The model is loaded on that thread, so the workers that its library starts inherit the low priority.
//! A job that panics is dropped alone; its owner sees that through its reply's end.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::threads::{Priority, spawn};

/// The queue is full: the machine cannot keep up.
#[derive(Debug, thiserror::Error)]
#[error("the {name} engine is busy with {capacity} requests already: try again in a moment, or allow fewer calls")]
pub struct Overloaded {
    name: &'static str,
    capacity: usize,
}

pub struct Worker<Job> {
    name: &'static str,
    capacity: usize,
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl<Job: Send + 'static> Worker<Job> {
    /// Starts the thread, which loads its engine and then does jobs. The receiver tells how loading went.
    pub fn start<E, L>(
        name: &'static str,
        capacity: usize,
        load: impl FnOnce() -> Result<E, L> + Send + 'static,
        mut work: impl FnMut(&mut E, Job) + Send + 'static,
    ) -> io::Result<(Self, oneshot::Receiver<Result<(), L>>)>
    where
        L: Send + 'static,
    {
        let (queue, jobs): (_, Receiver<Job>) = sync_channel(capacity);
        let (loaded, waiter) = oneshot::channel();
        let thread = spawn(name, Priority::Model, move || {
            let mut engine = match load() {
                Ok(engine) => engine,
                Err(error) => {
                    let _ = loaded.send(Err(error));
                    return;
                }
            };
            let _ = loaded.send(Ok(()));
            for job in jobs {
                if catch_unwind(AssertUnwindSafe(|| work(&mut engine, job))).is_err() {
                    tracing::error!(engine = name, "a job panicked and was dropped");
                }
            }
        })?;
        Ok((Self { name, capacity, queue: Some(queue), thread: Some(thread) }, waiter))
    }

    /// Never waits.
    pub fn submit(&self, job: Job) -> Result<(), Overloaded> {
        let sent = self.queue.as_ref().is_some_and(|queue| queue.try_send(job).is_ok());
        if sent { Ok(()) } else { Err(Overloaded { name: self.name, capacity: self.capacity }) }
    }
}

impl<Job> Drop for Worker<Job> {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
