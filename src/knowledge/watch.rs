//! The thread that looks at the folder every few seconds and takes in what changed.
//!
//! It looks instead of being told: the kernel's notices (inotify) do not come from network shares and from most folders
//! that are mounted into a container, and to look at a thousand files takes milliseconds.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::KnowledgeError;
use super::index::Index;
use super::library::Library;
use crate::threads::{Priority, spawn};

/// From one look to the next.
pub const INTERVAL: Duration = Duration::from_secs(3);

/// Ends the thread when it is dropped.
pub struct Watch {
    /// Nothing is ever sent; that it closes ends the thread.
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Gives each new index to `take`.
    pub fn start(
        mut library: Library,
        interval: Duration,
        mut take: impl FnMut(Index, &Library) + Send + 'static,
    ) -> Result<Self, KnowledgeError> {
        let (stop, stopped) = sync_channel::<()>(0);
        let thread = spawn("knowledge", Priority::Model, move || {
            let mut failing = false;
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                match look(&mut library) {
                    Ok(None) => failing = false,
                    Ok(Some(index)) => {
                        failing = false;
                        take(index, &library);
                    }
                    // Told once: a share that is away for an hour fails at every look. What was known stays known.
                    Err(error) if !failing => {
                        failing = true;
                        tracing::error!("the knowledge stays as it was: {error}");
                    }
                    Err(_) => {}
                }
            }
        });
        Ok(Self { stop: Some(stop), thread: Some(thread.map_err(KnowledgeError::Thread)?) })
    }
}

fn look(library: &mut Library) -> Result<Option<Index>, KnowledgeError> {
    Ok(if library.refresh()? { Some(library.index()?) } else { None })
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
