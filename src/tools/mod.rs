//! The tools of the server: what the language model may call by itself, HTTP webhooks and tools of MCP servers.
//!
//! Stands beside the mind: a session lists the tools for a prompt and carries out a call that the model asks for. Tools
//! that a client declares for its own session are not here; nor is what is said while a tool works. What is called,
//! and with which address, the operator declares: the model chooses among it and fills in arguments, which are held
//! against a schema before anything is sent.

mod error;
mod mcp;
mod names;
mod observer;
mod schema;
mod secrets;
mod settings;
mod shelf;
#[cfg(test)]
mod tests;
mod text;
mod webhook;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use error::ToolError;
pub use observer::{CallReport, ToolObserver};
pub use settings::{McpSettings, Method, ToolSettings, WebhookSettings};
pub use shelf::{ServerStatus, Tool};

use mcp::{Pace, Server};
use observer::Running;
use schema::Schema;
use secrets::Environment;
use shelf::{Offer, Route, Shelf};
use webhook::Webhook;

/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long MCP servers get to end when we do.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// What servers are told of us.
const USER_AGENT: &str = concat!("visavis/", env!("CARGO_PKG_VERSION"));

/// On whose behalf a tool is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallContext {
    /// The model's id of this call.
    pub call_id: String,
    /// The conversation, or the session if it has no other id.
    pub conversation: String,
    /// What the person speaks, such as `en` or `zh-CN`.
    pub language: Option<String>,
}

/// All tools of the server. Clones share it; the last one that is dropped ends it.
#[derive(Clone)]
pub struct Toolbox(Arc<Inner>);

struct Inner {
    shelf: Arc<Shelf>,
    /// One for each call at a time; a call that gets none fails at once, since a person is waiting.
    places: Semaphore,
    max_calls: usize,
    observer: Arc<dyn ToolObserver>,
    stop: CancellationToken,
    /// One for each MCP server.
    tasks: Mutex<JoinSet<()>>,
}

impl Toolbox {
    /// Checks what is declared, and begins to connect the MCP servers. A server that is down is no error: its tools
    /// are missing until it is up.
    pub async fn start(settings: &ToolSettings) -> Result<Self, ToolError> {
        Self::observed(settings, Arc::new(())).await
    }

    /// The same, with somebody who is told how calls end.
    pub async fn observed(settings: &ToolSettings, observer: Arc<dyn ToolObserver>) -> Result<Self, ToolError> {
        Self::open(settings, observer, &|name| std::env::var(name).ok(), Pace::default())
    }

    /// Must be called on a runtime.
    fn open(
        settings: &ToolSettings,
        observer: Arc<dyn ToolObserver>,
        environment: Environment<'_>,
        pace: Pace,
    ) -> Result<Self, ToolError> {
        settings.validate().map_err(|reason| ToolError::Setting { reason })?;
        let http = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .user_agent(USER_AGENT)
            .build()
            .map_err(|error| ToolError::Client { reason: text::causes(&error) })?;

        let mut webhooks = Vec::with_capacity(settings.webhook.len());
        for declared in &settings.webhook {
            let invalid = |reason| ToolError::Setting { reason: format!("the webhook {}: {reason}", declared.name) };
            let parameters = schema::for_model(&declared.parameters).map_err(invalid)?;
            let schema = Schema::new(&declared.parameters, true).map_err(invalid)?;
            let webhook = Webhook::new(declared, settings.max_result_bytes, http.clone(), environment)?;
            webhooks.push(Offer {
                name: declared.name.clone(),
                description: declared.description.clone(),
                parameters,
                schema: Arc::new(schema),
                route: Route::Webhook(Arc::new(webhook)),
            });
        }

        let names: Vec<String> = settings.mcp.iter().map(|server| server.name.clone()).collect();
        let shelf = Arc::new(Shelf::new(webhooks, &names));
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for (index, declared) in settings.mcp.iter().enumerate() {
            let link = mcp::Link::new(declared, &http, settings.max_calls, environment)?;
            let server = Server {
                index,
                settings: declared.clone(),
                max_result_bytes: settings.max_result_bytes,
                link,
                pace,
                shelf: Arc::clone(&shelf),
                observer: Arc::clone(&observer),
                stop: stop.clone(),
            };
            tasks.spawn(server.run());
        }
        Ok(Self(Arc::new(Inner {
            shelf,
            places: Semaphore::new(settings.max_calls),
            max_calls: settings.max_calls,
            observer,
            stop,
            tasks: Mutex::new(tasks),
        })))
    }

    /// The tools that can be called now.
    pub fn list(&self) -> Vec<Tool> {
        self.0.shelf.catalogue().tools().cloned().collect()
    }

    /// Changes whenever [`Toolbox::list`] may have.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.shelf.changes()
    }

    /// How the MCP servers are.
    pub fn servers(&self) -> Vec<ServerStatus> {
        self.0.shelf.servers()
    }

    /// Carries out a call that the model asked for; the text is for the model, as is [`ToolError::for_model`].
    ///
    /// `arguments` are JSON as the model wrote it. Dropping the future gives the call up: a webhook's connection is
    /// closed, an MCP server is told by `notifications/cancelled`.
    pub async fn call(&self, name: &str, arguments: &str, context: CallContext) -> Result<String, ToolError> {
        let running = Running::new(&self.0.observer, name);
        let result = self.carry_out(name, arguments, &context).await;
        running.end(result.as_ref().map_or_else(ToolError::kind, |_| "ok"));
        result
    }

    async fn carry_out(&self, name: &str, arguments: &str, context: &CallContext) -> Result<String, ToolError> {
        let catalogue = self.0.shelf.catalogue();
        let Some(entry) = catalogue.find(name) else {
            let known = catalogue.tools().map(|tool| tool.name.clone()).collect();
            return Err(ToolError::Unknown { name: text::beginning(name), known });
        };
        if let Some((server, reason)) = entry.away.clone() {
            return Err(ToolError::Down { tool: name.to_owned(), server, reason });
        }
        let arguments =
            entry.schema.read(arguments).map_err(|reason| ToolError::Arguments { tool: name.to_owned(), reason })?;
        let Ok(_place) = self.0.places.try_acquire() else {
            return Err(ToolError::Busy { limit: self.0.max_calls });
        };
        match &entry.route {
            Route::Webhook(webhook) => webhook.call(arguments, context).await,
            Route::Mcp(route) => route.call(name, arguments).await,
        }
    }

    /// Ends the MCP servers, and waits for it a little. Without it they are ended, but not waited for, when the toolbox
    /// is dropped.
    pub async fn close(&self) {
        self.0.stop.cancel();
        let mut tasks = std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        if tokio::time::timeout(CLOSE_LIMIT, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!("some MCP servers did not end in time and are killed");
        }
    }
}
