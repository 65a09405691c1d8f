//! Where an MCP server is, and how to be connected with it: a child process, or streamable HTTP.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use rmcp::RoleClient;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use tokio::process::{ChildStdin, ChildStdout};

use super::child::{Child, Program};
use crate::tools::ToolError;
use crate::tools::secrets::{Environment, Secrets, place};
use crate::tools::settings::McpSettings;

/// Longest message that is taken from a server, in bytes. A longer one is dropped, and a call that waits for it ends at
/// its time limit.
const MAX_MESSAGE: usize = 4 << 20;
/// Longest error page that is read, in bytes.
const MAX_ERROR: usize = 4096;
/// Longest wait before a broken stream of notifications is opened again.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

pub struct Link {
    kind: Kind,
    /// For messages.
    pub place: String,
    pub secrets: Secrets,
}

enum Kind {
    Program(Program),
    Remote { config: Box<StreamableHttpClientTransportConfig>, http: Client },
}

/// A fresh connection, before the first message.
pub enum Opened {
    Program(Box<Child>, AsyncRwTransport<RoleClient, ChildStdout, ChildStdin>),
    Remote(StreamableHttpClientTransport<Client>),
}

impl Link {
    /// `settings` were validated. `http` follows no redirects.
    pub fn new(
        settings: &McpSettings,
        http: &Client,
        max_calls: usize,
        environment: Environment<'_>,
    ) -> Result<Self, ToolError> {
        let owner = format!("the MCP server {}", settings.name);
        let mut secrets = Secrets::default();
        if settings.url.is_empty() {
            let program = Program::new(settings, &mut secrets, environment)?;
            return Ok(Self { kind: Kind::Program(program), place: settings.command.clone(), secrets });
        }
        let url = Url::parse(&settings.url)
            .map_err(|error| ToolError::Setting { reason: format!("{owner}: its url is none ({error})") })?;
        secrets.keep_url(&url);
        let headers = secrets.headers(&owner, &settings.headers, environment)?;
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name?, value))).collect();
        let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
            .custom_headers(headers)
            // And one to list the tools anew.
            .max_concurrent_requests(max_calls + 1)
            .max_sse_event_size(MAX_MESSAGE)
            .max_json_response_size(MAX_MESSAGE)
            .max_error_response_size(MAX_ERROR);
        let mut retry = ExponentialBackoff::default();
        retry.max_delay = Some(LONGEST_RETRY);
        config.retry_config = Arc::new(retry);
        let kind = Kind::Remote { config: Box::new(config), http: http.clone() };
        Ok(Self { kind, place: place(&url), secrets })
    }

    pub fn open(&self, server: &str) -> Result<Opened, String> {
        match &self.kind {
            Kind::Program(program) => {
                let (child, output, input) = program
                    .spawn(server)
                    .map_err(|error| format!("{} cannot be started ({error}): is it installed?", self.place))?;
                let transport = AsyncRwTransport::new_client(output, input).with_max_line_length(MAX_MESSAGE);
                Ok(Opened::Program(Box::new(child), transport))
            }
            Kind::Remote { config, http } => {
                Ok(Opened::Remote(StreamableHttpClientTransport::with_client(http.clone(), (**config).clone())))
            }
        }
    }
}
