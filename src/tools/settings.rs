//! `[tools]` of the configuration: which tools of the server the language model may call, and how much they may take.
//!
//! Checked here: what can be known without the environment and without reading a schema; the rest is checked when the
//! toolbox is opened.

use std::collections::{BTreeMap, HashSet};

use reqwest::Url;
use reqwest::header::HeaderName;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

/// Longest name that models accept.
pub(super) const MAX_NAME: usize = 64;
/// Longest name of an MCP server, which may become a part of the names of its tools.
const MAX_SERVER_NAME: usize = 32;
/// Longest description, in bytes: every prompt carries all of them.
pub(super) const MAX_DESCRIPTION: usize = 1024;
/// Longest that a tool may be waited for: nobody stays on a silent call for longer.
const MAX_TIMEOUT_MILLIS: u64 = 600_000;
const MAX_CALLS: usize = 256;
const RESULT_BYTES: std::ops::RangeInclusive<usize> = 256..=1_000_000;
/// Most tools that are shown to a model, as OpenAI has it, and so the most webhooks.
pub(super) const MAX_TOOLS: usize = 128;
const MAX_SERVERS: usize = 32;
/// Headers that the protocol sets by itself, so nobody else may.
const RESERVED: [&str; 5] = ["host", "content-length", "mcp-session-id", "mcp-protocol-version", "last-event-id"];

/// `[tools]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolSettings {
    /// Calls of tools at a time, of all conversations; a further one fails at once.
    pub max_calls: usize,
    /// Longest result in bytes; what is longer is cut, and the model is told so.
    pub max_result_bytes: usize,
    /// Tools that are an HTTP request each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhook: Vec<WebhookSettings>,
    /// Servers of the Model Context Protocol, with tools of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mcp: Vec<McpSettings>,
}

/// `[[tools.webhook]]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// As the model sees it: `[a-zA-Z0-9_-]{1,64}`.
    pub name: String,
    /// Tells the model what the tool does and when to use it.
    pub description: String,
    /// `http` or `https`, of any address: the operator's own machines too.
    pub url: String,
    pub method: Method,
    /// JSON schema of the arguments, an object: a table, or a string of JSON.
    #[serde(deserialize_with = "table_or_json")]
    pub parameters: Value,
    /// Sent with each request; `env:NAME` as the last word of a value stands for an environment variable's value.
    pub headers: BTreeMap<String, String>,
    /// From the request to the last byte of the answer.
    pub timeout_millis: u64,
    /// Environment variable with the key that requests are signed with; empty: they are not signed.
    pub secret_env: String,
}

/// How a webhook gets its arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// As a JSON body.
    #[default]
    Post,
    /// As the query of the URL.
    Get,
}

/// `[[tools.mcp]]`: either `command` or `url`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct McpSettings {
    /// For logs, and before the names of its tools where two would be the same.
    pub name: String,
    /// Program that speaks the protocol over its input and output.
    pub command: String,
    pub args: Vec<String>,
    /// Environment variables of the program, beside those that every program needs; values as of `headers`.
    pub env: BTreeMap<String, String>,
    /// Address of a server that speaks it over streamable HTTP.
    pub url: String,
    /// As of a webhook.
    pub headers: BTreeMap<String, String>,
    /// From the call of a tool to its result.
    pub timeout_millis: u64,
    /// Tools that the model may use; empty: all.
    pub allow: Vec<String>,
}

impl Default for ToolSettings {
    fn default() -> Self {
        Self { max_calls: 8, max_result_bytes: 8192, webhook: Vec::new(), mcp: Vec::new() }
    }
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            url: String::new(),
            method: Method::Post,
            parameters: json!({"type": "object", "properties": {}}),
            headers: BTreeMap::new(),
            timeout_millis: 10_000,
            secret_env: String::new(),
        }
    }
}

impl Default for McpSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            command: String::new(),
            args: Vec::new(),
            env: BTreeMap::new(),
            url: String::new(),
            headers: BTreeMap::new(),
            timeout_millis: 30_000,
            allow: Vec::new(),
        }
    }
}

fn table_or_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => serde_json::from_str(&text)
            .map_err(|error| D::Error::custom(format!("parameters is a string, but not of JSON: {error}"))),
        table => Ok(table),
    }
}

/// Whether models accept it as a tool's name.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_name_byte)
}

pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

impl ToolSettings {
    pub fn validate(&self) -> Result<(), String> {
        if !(1..=MAX_CALLS).contains(&self.max_calls) {
            return Err(format!("tools.max_calls is {}: use 1 to {MAX_CALLS}", self.max_calls));
        }
        if !RESULT_BYTES.contains(&self.max_result_bytes) {
            let (least, most) = (RESULT_BYTES.start(), RESULT_BYTES.end());
            return Err(format!("tools.max_result_bytes is {}: use {least} to {most}", self.max_result_bytes));
        }
        if self.webhook.len() > MAX_TOOLS || self.mcp.len() > MAX_SERVERS {
            return Err(format!("tools: at most {MAX_TOOLS} webhooks and {MAX_SERVERS} MCP servers can be declared"));
        }
        let mut names = HashSet::new();
        for webhook in &self.webhook {
            webhook.validate()?;
            if !names.insert(&webhook.name) {
                return Err(format!("two of [[tools.webhook]] are named \"{}\": rename one", webhook.name));
            }
        }
        let mut servers = HashSet::new();
        for server in &self.mcp {
            server.validate()?;
            if !servers.insert(&server.name) {
                return Err(format!("two of [[tools.mcp]] are named \"{}\": rename one", server.name));
            }
        }
        Ok(())
    }
}

impl WebhookSettings {
    fn validate(&self) -> Result<(), String> {
        let name = &self.name;
        if !is_name(name) {
            return Err(format!(
                "[[tools.webhook]] has the name \"{name}\": use 1 to {MAX_NAME} letters of a-z, A-Z, 0-9, _ and -"
            ));
        }
        let at = format!("the webhook {name}");
        if self.description.trim().is_empty() || self.description.len() > MAX_DESCRIPTION {
            return Err(format!(
                "{at} needs a description of 1 to {MAX_DESCRIPTION} bytes, by which the model finds it"
            ));
        }
        url(&at, &self.url)?;
        headers(&at, &self.headers)?;
        timeout(&at, self.timeout_millis)
    }
}

impl McpSettings {
    fn validate(&self) -> Result<(), String> {
        let name = &self.name;
        if !is_name(name) || name.len() > MAX_SERVER_NAME {
            return Err(format!(
                "[[tools.mcp]] has the name \"{name}\": use 1 to {MAX_SERVER_NAME} letters of a-z, A-Z, 0-9, _ and -"
            ));
        }
        let at = format!("the MCP server {name}");
        match (self.command.is_empty(), self.url.is_empty()) {
            (false, true) if !self.headers.is_empty() => {
                return Err(format!("{at} is a command, which takes no headers: use env"));
            }
            (false, true) => {}
            (true, false) if !self.args.is_empty() || !self.env.is_empty() => {
                return Err(format!("{at} has a url, which takes no args and no env: use headers"));
            }
            (true, false) => url(&at, &self.url)?,
            _ => return Err(format!("{at} needs either a command or a url")),
        }
        if let Some(odd) = self.env.keys().find(|key| key.is_empty() || key.contains(['=', '\0'])) {
            return Err(format!("{at}: {odd:?} cannot be the name of an environment variable"));
        }
        headers(&at, &self.headers)?;
        if let Some(accept) = self.headers.keys().find(|name| name.eq_ignore_ascii_case("accept")) {
            return Err(format!("{at}: the header {accept} is set by the protocol: leave it out"));
        }
        timeout(&at, self.timeout_millis)
    }
}

fn url(at: &str, url: &str) -> Result<(), String> {
    // The URL itself is not said: it may hold a password.
    let parsed = Url::parse(url).map_err(|error| format!("{at} has a url that is none ({error})"))?;
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return Err(format!("{at} has a url that is neither http:// nor https://"));
    }
    Ok(())
}

fn headers(at: &str, headers: &BTreeMap<String, String>) -> Result<(), String> {
    for name in headers.keys() {
        let parsed = HeaderName::try_from(name).map_err(|_| format!("{at}: {name:?} is no name of a header"))?;
        if RESERVED.contains(&parsed.as_str()) {
            return Err(format!("{at}: the header {name} is set by the protocol: leave it out"));
        }
    }
    Ok(())
}

fn timeout(at: &str, millis: u64) -> Result<(), String> {
    match millis {
        1..=MAX_TIMEOUT_MILLIS => Ok(()),
        _ => Err(format!("{at}: timeout_millis is {millis}: use 1 to {MAX_TIMEOUT_MILLIS}")),
    }
}
