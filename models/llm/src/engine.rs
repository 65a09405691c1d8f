//! The routes' end of the computing: starts the inference thread (`worker`), hands it jobs over a bounded queue that
//! refuses when it is full, and stops it. It computes nothing itself and knows nothing of HTTP or JSON.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use llama_cpp_2::LlamaContextLoadError;
use tokio::sync::oneshot;

use crate::job::Job;
use crate::metrics::Metrics;
use crate::model::Model;
use crate::queue::{Queue, Refused};
use crate::threads;
use crate::worker::Worker;

/// Sizes that the engine is started with.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Threads of a step that processes a single token. One is nearly as fast as two, because reading the weights
    /// takes the time, and leaves a core to others.
    pub threads: u16,
    /// Threads of a step that processes several tokens. Two are nearly twice as fast while each has a core to itself.
    /// Where one has to share, the others wait for it, soon asleep (`threads::spin_briefly`), and little is lost.
    pub threads_batch: u16,
    /// Tokens in memory, over all slots.
    pub context: u32,
    pub slots: u8,
}

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot start the inference thread: {0}; free some memory or raise the limit on threads")]
    Thread(#[from] io::Error),
    #[error("llama.cpp cannot make a context of {context} tokens ({source}); try a smaller --context")]
    Context { context: u32, source: LlamaContextLoadError },
    #[error("the first answer, made to warm up, failed: {0}")]
    WarmUp(String),
}

/// The routes' end of the engine.
#[derive(Clone)]
pub struct Engine {
    queue: Arc<Queue>,
    pub metrics: Arc<Metrics>,
    /// Most tokens of a prompt and its answer together.
    pub context: usize,
}

/// The inference thread.
pub struct Inference {
    thread: JoinHandle<()>,
    /// Ends with an error when the thread ends, asked to or not.
    pub ended: oneshot::Receiver<Infallible>,
}

impl Engine {
    /// Starts the thread and returns when it has made a first answer: weights read, memory touched.
    pub fn start(model: Arc<Model>, options: Options) -> Result<(Self, Inference), StartError> {
        let queue = Arc::new(Queue::default());
        let metrics = Arc::new(Metrics::new());
        metrics.slots.set(options.slots.into());
        let (jobs, counted) = (Arc::clone(&queue), Arc::clone(&metrics));
        let (ready, started) = mpsc::sync_channel(1);
        let (end, ended) = oneshot::channel();
        let thread = threads::spawn("inference", move || {
            let _end = end;
            threads::lower_priority();
            let worker =
                Worker::new(&model, options, &counted).and_then(|mut worker| worker.warm_up().map(|()| worker));
            match worker {
                Ok(worker) => {
                    if ready.send(Ok(worker.context_tokens())).is_ok() {
                        worker.run(&jobs);
                    }
                }
                // Nobody waits for the reason if the starting thread is gone.
                Err(error) => drop(ready.send(Err(error))),
            }
        })?;
        match started.recv() {
            Ok(Ok(context)) => Ok((Self { queue, metrics, context }, Inference { thread, ended })),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StartError::WarmUp("the inference thread ended".to_owned())),
        }
    }

    /// Queues a job; never waits.
    pub fn submit(&self, job: Job) -> Result<(), Refused> {
        self.queue.push(job)
    }

    /// The metrics of this moment, as Prometheus text.
    pub fn metrics_text(&self) -> String {
        self.metrics.queue_depth.set(i64::try_from(self.queue.len()).unwrap_or(i64::MAX));
        self.metrics.text()
    }

    /// Ends the thread after the step that it is in; answers that are not finished fail.
    pub fn stop(&self) {
        self.queue.stop();
    }
}

impl Inference {
    /// Waits for the thread's end. False if it ended by a panic.
    pub fn join(self) -> bool {
        self.thread.join().is_ok()
    }
}
