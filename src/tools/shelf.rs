//! All tools that there are at the moment, of all sources, by the names that the model sees.
//!
//! MCP servers come, go and change what they offer; whoever lists or calls tools reads one whole catalogue, never half
//! of an old and half of a new one. A server that is away keeps its names, so a call can say what is wrong.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use tokio::sync::watch;

use super::mcp;
use super::names::{self, Source};
use super::schema::Schema;
use super::settings::MAX_TOOLS;
use super::webhook::Webhook;

/// A tool as the language model is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// `[a-zA-Z0-9_-]{1,64}`, different from all others.
    pub name: String,
    pub description: String,
    /// JSON schema of an object.
    pub parameters: Value,
}

/// How an MCP server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStatus {
    pub name: String,
    /// Tools that it offers now; why there are none if it is away.
    pub tools: Result<usize, String>,
}

/// What a source offers under its own name for it.
#[derive(Clone)]
pub(super) struct Offer {
    pub name: String,
    pub description: String,
    pub parameters: Value,
    pub schema: Arc<Schema>,
    pub route: Route,
}

/// Where a call goes.
#[derive(Clone)]
pub(super) enum Route {
    Webhook(Arc<Webhook>),
    Mcp(Arc<mcp::Route>),
}

/// An offer under the name that the model knows.
pub(super) struct Entry {
    pub tool: Tool,
    pub schema: Arc<Schema>,
    pub route: Route,
    /// Why it cannot be called now: its server and what is wrong with it.
    pub away: Option<(String, String)>,
}

#[derive(Default)]
pub(super) struct Catalogue {
    pub entries: Vec<Arc<Entry>>,
    by_name: HashMap<String, usize>,
}

impl Catalogue {
    pub fn find(&self, name: &str) -> Option<Arc<Entry>> {
        self.by_name.get(name).map(|index| Arc::clone(&self.entries[*index]))
    }

    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.entries.iter().filter(|entry| entry.away.is_none()).map(|entry| &entry.tool)
    }
}

/// One source of tools, in the order of the configuration; the webhooks are the first.
struct Slot {
    server: Option<String>,
    offers: Vec<Offer>,
    away: Option<String>,
}

struct State {
    slots: Vec<Slot>,
    catalogue: Arc<Catalogue>,
}

pub(super) struct Shelf {
    state: RwLock<State>,
    /// Counts the catalogues.
    version: watch::Sender<u64>,
}

impl Shelf {
    /// Servers are told from each other by their place in `servers`.
    pub fn new(webhooks: Vec<Offer>, servers: &[String]) -> Self {
        let away = Some("it is being connected for the first time".to_owned());
        let mut slots = vec![Slot { server: None, offers: webhooks, away: None }];
        slots.extend(servers.iter().map(|name| Slot {
            server: Some(name.clone()),
            offers: Vec::new(),
            away: away.clone(),
        }));
        let catalogue = Arc::new(arrange(&slots));
        Self { state: RwLock::new(State { slots, catalogue }), version: watch::Sender::new(0) }
    }

    pub fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner).catalogue)
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// A server offers this now, and nothing else.
    pub fn put(&self, server: usize, offers: Vec<Offer>) {
        self.change(server, |slot| {
            slot.offers = offers;
            slot.away = None;
        });
    }

    /// A server is away. What it offered is remembered.
    pub fn away(&self, server: usize, reason: &str) {
        self.change(server, |slot| slot.away = Some(reason.to_owned()));
    }

    pub fn servers(&self) -> Vec<ServerStatus> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let status = |slot: &Slot| {
            let tools = slot.away.clone().map_or(Ok(slot.offers.len()), Err);
            Some(ServerStatus { name: slot.server.clone()?, tools })
        };
        state.slots.iter().filter_map(status).collect()
    }

    fn change(&self, server: usize, change: impl FnOnce(&mut Slot)) {
        {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            // The first slot is the webhooks'.
            if let Some(slot) = state.slots.get_mut(server + 1) {
                change(slot);
            }
            state.catalogue = Arc::new(arrange(&state.slots));
        }
        self.version.send_modify(|version| *version += 1);
    }
}

fn arrange(slots: &[Slot]) -> Catalogue {
    let sources: Vec<Source<'_>> = slots
        .iter()
        .map(|slot| Source {
            server: slot.server.as_deref(),
            names: slot.offers.iter().map(|offer| offer.name.as_str()).collect(),
        })
        .collect();
    let mut catalogue = Catalogue::default();
    let offers = slots.iter().flat_map(|slot| slot.offers.iter().map(move |offer| (slot, offer)));
    for ((slot, offer), name) in offers.zip(names::assign(&sources).into_iter().flatten()) {
        if catalogue.entries.len() == MAX_TOOLS {
            tracing::warn!(
                tool = name,
                most = MAX_TOOLS,
                "too many tools: this and later ones are left out; use allow"
            );
            break;
        }
        let tool =
            Tool { name: name.clone(), description: offer.description.clone(), parameters: offer.parameters.clone() };
        let away = slot.server.clone().zip(slot.away.clone());
        let entry = Entry { tool, schema: Arc::clone(&offer.schema), route: offer.route.clone(), away };
        catalogue.by_name.insert(name, catalogue.entries.len());
        catalogue.entries.push(Arc::new(entry));
    }
    catalogue
}
