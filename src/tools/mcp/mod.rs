//! MCP servers: one task for each keeps it connected, and its tools on the shelf.
//!
//! A server that is down, dies, stalls or breaks the protocol is connected again, after a wait that doubles. Its tools
//! are listed when it is connected, when it says that they changed, and when a call to it failed in a way that leaves
//! it doubtful whether it still answers; if it does not list them in time, the connection is given up.

mod child;
mod content;
mod conversation;
mod link;
mod listing;
mod route;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::observer::ToolObserver;
use super::settings::McpSettings;
use super::shelf::Shelf;
use conversation::{Beginning, Ended};
use link::Opened;

pub(super) use link::Link;
pub(super) use route::Route;

/// After a connection has lasted that long, the next wait is the first again.
const STEADY: Duration = Duration::from_secs(60);
/// A program that has closed its output, or ended, is given that long to do the other too.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// How long things are waited for.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// Wait before the second try; doubled with each further one, up to the longest.
    pub first: Duration,
    pub longest: Duration,
    /// From one list of tools to the next: a server may say all the time that it changed.
    pub relist: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(60), relist: Duration::from_secs(1) }
    }
}

/// What the task of one server needs.
pub(super) struct Server {
    /// Its place on the shelf.
    pub index: usize,
    /// Validated.
    pub settings: McpSettings,
    pub max_result_bytes: usize,
    pub link: Link,
    pub pace: Pace,
    pub shelf: Arc<Shelf>,
    pub observer: Arc<dyn ToolObserver>,
    pub stop: CancellationToken,
}

impl Server {
    /// Runs until it is stopped.
    pub async fn run(self) {
        let mut wait = self.pace.first;
        let mut proven = None;
        let mut told = String::new();
        while !self.stop.is_cancelled() {
            let mut beginning = proven.unwrap_or(Beginning::Initialize);
            let mut ended = self.connect(beginning).await;
            if ended.refused && proven.is_none() {
                let second = self.connect(Beginning::Discover).await;
                if second.lasted.is_some() {
                    (beginning, ended) = (Beginning::Discover, second);
                }
            }
            if self.stop.is_cancelled() {
                return;
            }
            if ended.lasted.is_some() {
                proven = Some(beginning);
            }
            let reason = self.link.secrets.hide(&ended.reason);
            self.shelf.away(self.index, &reason);
            self.observer.server(&self.settings.name, None);
            if ended.lasted.is_some_and(|lasted| lasted >= STEADY) {
                wait = self.pace.first;
            }
            let (server, place) = (&self.settings.name, &self.link.place);
            // Once is enough for a server that stays down.
            if told == reason {
                tracing::debug!(server, place, reason, ?wait, "the MCP server is still not connected");
            } else {
                tracing::warn!(server, place, reason, ?wait, "the MCP server is not connected: it is tried again");
                told = reason;
            }
            tokio::select! {
                () = sleep(wait) => {}
                () = self.stop.cancelled() => return,
            }
            wait = (wait * 2).min(self.pace.longest);
        }
    }

    /// Connects, and stays so as long as it lasts.
    async fn connect(&self, beginning: Beginning) -> Ended {
        match self.link.open(&self.settings.name) {
            Err(reason) => Ended::early(reason, false),
            Ok(Opened::Remote(transport)) => self.converse(transport, beginning).await,
            Ok(Opened::Program(mut child, transport)) => {
                let conversation = self.converse(transport, beginning);
                tokio::pin!(conversation);
                let ended = tokio::select! {
                    ended = &mut conversation => {
                        // Its output has ended: how did the program?
                        match timeout(LAST_MOMENT, child.ended()).await {
                            Ok(how) if ended.closed => Ended { reason: how, ..ended },
                            _ => ended,
                        }
                    }
                    how = child.ended() => {
                        // What it answered before may still be in the pipe.
                        match timeout(LAST_MOMENT, &mut conversation).await {
                            Ok(ended) => Ended { reason: how, ..ended },
                            Err(_) => Ended::early(how, false),
                        }
                    }
                };
                child.stop().await;
                ended
            }
        }
    }
}
