//! What is told about tools as it happens, for whoever counts it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock;

/// How a call of a tool ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallReport<'a> {
    /// As the model named it; `""` if there is no such tool.
    pub tool: &'a str,
    /// `ok`, `dropped` (nobody waits for it any more), or the [`kind`](super::ToolError::kind) of the error.
    pub outcome: &'static str,
    pub elapsed: Duration,
}

/// Called on the runtime: it must not block.
pub trait ToolObserver: Send + Sync {
    fn called(&self, _report: &CallReport<'_>) {}

    /// An MCP server is connected with so many tools, or, with `None`, is not.
    fn server(&self, _server: &str, _tools: Option<usize>) {}
}

/// Nobody counts.
impl ToolObserver for () {}

/// A running call; tells its end even if its future is dropped.
pub(super) struct Running<'a> {
    observer: &'a Arc<dyn ToolObserver>,
    tool: &'a str,
    start: Instant,
    outcome: &'static str,
}

impl<'a> Running<'a> {
    pub fn new(observer: &'a Arc<dyn ToolObserver>, tool: &'a str) -> Self {
        Self { observer, tool, start: clock::now(), outcome: "dropped" }
    }

    pub fn end(mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let elapsed = clock::now().saturating_duration_since(self.start);
        tracing::debug!(tool = self.tool, outcome = self.outcome, ?elapsed, "a tool was called");
        // The name of a tool that does not exist is the model's invention, and there is no end to those.
        let tool = if self.outcome == "unknown" { "" } else { self.tool };
        self.observer.called(&CallReport { tool, outcome: self.outcome, elapsed });
    }
}
