//! Jobs that wait for a slot: bounded, refusing when full, first come first served, but answers before what is only
//! to be read ahead. A client that has left makes room at once, not only when its turn comes. Stopping it wakes the
//! inference thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::job::Job;

/// Jobs of one kind that may wait: so many answers, and so many prompts to read ahead.
pub const CAPACITY: usize = 16;

/// Between the routes (which push) and the inference thread (which takes).
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<Job>,
    ahead: VecDeque<Job>,
    stopped: bool,
}

impl State {
    fn next(&mut self) -> Option<Job> {
        self.answers.pop_front().or_else(|| self.ahead.pop_front())
    }
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
        let lane = if job.is_read_ahead() { &mut state.ahead } else { &mut state.answers };
        if lane.len() == CAPACITY {
            lane.retain(|job| !job.events.is_closed());
        }
        if lane.len() == CAPACITY {
            return Err(Refused::Full);
        }
        lane.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for the next job of any kind; `None` once stopped.
    pub fn wait(&self) -> Option<Job> {
        let idle = |state: &mut State| state.answers.is_empty() && state.ahead.is_empty() && !state.stopped;
        let mut state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        if state.stopped { None } else { state.next() }
    }

    /// The next answer to make, if one waits.
    pub fn take_answer(&self) -> Option<Job> {
        self.lock().answers.pop_front()
    }

    /// The next job of any kind, if one waits.
    pub fn take(&self) -> Option<Job> {
        self.lock().next()
    }

    /// Jobs that wait, of any kind.
    pub fn len(&self) -> usize {
        let state = self.lock();
        state.answers.len() + state.ahead.len()
    }

    /// Whether an answer waits to be made.
    pub fn has_answer(&self) -> bool {
        !self.lock().answers.is_empty()
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
    use crate::job::{Event, Form, Prompt, Sampling, Task};

    fn job(task: Task) -> (Job, mpsc::Receiver<Event>) {
        let (events, client) = mpsc::channel(1);
        (Job { prompt: Prompt::default(), task, events }, client)
    }

    fn answer() -> (Job, mpsc::Receiver<Event>) {
        job(Task::Answer { sampling: Sampling::GREEDY, max_tokens: None, stops: Vec::new(), form: Form::Text })
    }

    #[test]
    fn a_full_queue_refuses_until_a_client_leaves() {
        let queue = Queue::default();
        let mut clients = Vec::new();
        for _ in 0..CAPACITY {
            let (job, client) = answer();
            assert_eq!(queue.push(job), Ok(()));
            clients.push(client);
        }
        let (late, _client) = answer();
        assert_eq!((queue.push(late), queue.len()), (Err(Refused::Full), CAPACITY));
        clients.pop();
        let (later, _client) = answer();
        assert_eq!(queue.push(later), Ok(()));
    }

    #[test]
    fn an_answer_goes_before_what_is_read_ahead_and_is_not_refused_for_it() {
        let queue = Queue::default();
        let ahead: Vec<_> = (0..CAPACITY).map(|_| job(Task::ReadAhead)).collect();
        let _clients: Vec<_> = ahead.into_iter().map(|(job, client)| (queue.push(job), client)).collect();
        let (late, _client) = job(Task::ReadAhead);
        assert_eq!(queue.push(late), Err(Refused::Full));
        assert!(!queue.has_answer() && queue.take_answer().is_none());
        let (asked, _client) = answer();
        assert_eq!(queue.push(asked), Ok(()));
        assert!(queue.has_answer());
        assert_eq!(queue.wait().map(|job| job.is_read_ahead()), Some(false));
        assert_eq!(queue.take().map(|job| job.is_read_ahead()), Some(true));
    }

    #[test]
    fn a_stopped_queue_gives_and_takes_nothing() {
        let queue = Queue::default();
        queue.stop();
        assert_eq!(queue.push(answer().0), Err(Refused::Stopped));
        assert!(queue.wait().is_none());
    }
}
