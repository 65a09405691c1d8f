//! A call of one tool over the connection that listed it.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, ErrorCode};
use rmcp::service::{Peer, RoleClient, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::content;
use crate::tools::secrets::Secrets;
use crate::tools::{ToolError, text};

/// What the HTTP transport fails with.
pub type HttpError = StreamableHttpError<reqwest::Error>;

/// What all tools of one connection have in common.
pub struct Connection {
    pub server: String,
    pub place: String,
    pub peer: Peer<RoleClient>,
    pub limit: Duration,
    pub max_result_bytes: usize,
    pub secrets: Secrets,
    /// Asks for the list of tools anew, which also shows whether the server still answers.
    pub look: Arc<Notify>,
}

pub struct Route {
    pub connection: Arc<Connection>,
    /// As the server calls it.
    pub name: String,
}

impl Route {
    /// `tool` is the name that the model knows. Dropping the future tells the server that the result is not wanted any
    /// more: `call_tool` of the crate does so.
    pub async fn call(&self, tool: &str, arguments: Map<String, Value>) -> Result<String, ToolError> {
        let Connection { peer, limit, max_result_bytes, secrets, look, .. } = &*self.connection;
        let tool = tool.to_owned();
        let request = CallToolRequestParams::new(self.name.clone()).with_arguments(arguments);
        match timeout(*limit, peer.call_tool(request)).await {
            Ok(Ok(result)) => {
                let said = secrets.hide(&content::text(&result));
                if result.is_error == Some(true) {
                    return Err(ToolError::Failed { tool, said: text::beginning(&said) });
                }
                Ok(text::result(&said, *max_result_bytes, false))
            }
            Ok(Err(error)) => Err(self.failed(tool, error)),
            Err(_) => {
                look.notify_one();
                Err(ToolError::Timeout { tool, millis: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) })
            }
        }
    }

    fn failed(&self, tool: String, error: ServiceError) -> ToolError {
        let Connection { server, place, secrets, look, .. } = &*self.connection;
        let server = server.clone();
        match error {
            ServiceError::McpError(data) => {
                let said = text::beginning(&secrets.hide(&data.message));
                match data.code {
                    ErrorCode::INVALID_PARAMS => ToolError::Arguments { tool, reason: said },
                    _ => ToolError::Failed { tool, said },
                }
            }
            ServiceError::TransportClosed | ServiceError::Cancelled { .. } => {
                look.notify_one();
                ToolError::Lost { tool, server, reason: text::causes(&error) }
            }
            ServiceError::TransportSend(error) => {
                look.notify_one();
                let reason = secrets.hide(&text::causes(error.error.as_ref()));
                match error.error.downcast_ref() {
                    Some(HttpError::Client(cause)) if !cause.is_connect() && !cause.is_status() => {
                        ToolError::Lost { tool, server, reason }
                    }
                    Some(
                        HttpError::ResponseBodyTooLarge { .. }
                        | HttpError::UnexpectedContentType(_)
                        | HttpError::UnexpectedServerResponse(_)
                        | HttpError::Deserialize(_),
                    ) => ToolError::Protocol { tool, server, reason },
                    _ => ToolError::Unreachable { tool, place: place.clone(), reason },
                }
            }
            ServiceError::UnexpectedResponse => {
                let reason = "it answered with no result of a tool (or asks for more input, which is not given here)";
                ToolError::Protocol { tool, server, reason: reason.into() }
            }
            other => ToolError::Protocol { tool, server, reason: secrets.hide(&text::causes(&other)) },
        }
    }
}
