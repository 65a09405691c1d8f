//! Jobs that wait for a slot: bounded, refusing when full, first come first served. A client that has left makes
//! room at once, not only when its turn comes. Stopping it wakes the inference thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::job::Job;

/// Jobs that may wait.
pub const CAPACITY: usize = 16;

/// Between the routes (which push) and the inference thread (which takes).
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    stopped: bool,
}

/// Why a job was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("all slots are busy and {CAPACITY} requests wait already; try again in a second")]
    Full,
    #[error("inference has stopped; try again when the server is back")]
    Stopped,
}

impl Queue {
    /// Adds a job; never waits for room.
    pub fn push(&self, job: Job) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.stopped {
            return Err(Refused::Stopped);
        }
        if state.jobs.len() == CAPACITY {
            state.jobs.retain(|job| !job.events.is_closed());
        }
        if state.jobs.len() == CAPACITY {
            return Err(Refused::Full);
        }
        state.jobs.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for the next job; `None` once stopped.
    pub fn wait(&self) -> Option<Job> {
        let idle = |state: &mut State| state.jobs.is_empty() && !state.stopped;
        let mut state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        if state.stopped { None } else { state.jobs.pop_front() }
    }

    /// The next job, if one waits.
    pub fn take(&self) -> Option<Job> {
        self.lock().jobs.pop_front()
    }

    /// Refuses further jobs and wakes whoever waits. What is in the queue stays there.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    /// Whether [`Self::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::job::{Event, Sampling};

    fn job() -> (Job, mpsc::Receiver<Event>) {
        let (events, client) = mpsc::channel(1);
        (Job { prompt: Vec::new(), sampling: Sampling::GREEDY, max_tokens: None, stops: Vec::new(), events }, client)
    }

    #[test]
    fn a_full_queue_refuses_until_a_client_leaves() {
        let queue = Queue::default();
        let mut clients = Vec::new();
        for _ in 0..CAPACITY {
            let (job, client) = job();
            assert_eq!(queue.push(job), Ok(()));
            clients.push(client);
        }
        let (late, _client) = job();
        assert_eq!(queue.push(late), Err(Refused::Full));
        clients.pop();
        let (later, _client) = job();
        assert_eq!(queue.push(later), Ok(()));
    }

    #[test]
    fn a_stopped_queue_gives_and_takes_nothing() {
        let queue = Queue::default();
        queue.stop();
        assert_eq!(queue.push(job().0), Err(Refused::Stopped));
        assert!(queue.wait().is_none());
    }
}
