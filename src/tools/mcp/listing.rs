//! What a server offers, as far as it is allowed, fits and is not too much.

use std::collections::HashSet;
use std::sync::Arc;

use rmcp::model::{ErrorCode, PaginatedRequestParams, Tool};
use rmcp::service::ServiceError;
use serde_json::Value;

use super::route::{Connection, Route};
use crate::tools::schema::{self, Schema};
use crate::tools::settings::{MAX_DESCRIPTION, MAX_TOOLS};
use crate::tools::shelf::{self, Offer};
use crate::tools::text;

/// Pages of a list that are read; a server may have no end of them.
const MAX_PAGES: usize = 32;

/// Asks for all tools. A server without tools offers none.
pub async fn list(connection: &Arc<Connection>, allow: &[String]) -> Result<Vec<Offer>, ServiceError> {
    let server = &connection.server;
    let mut seen = HashSet::new();
    let mut offers = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let request = PaginatedRequestParams::default().with_cursor(cursor);
        let page = match connection.peer.list_tools(Some(request)).await {
            Ok(page) => page,
            Err(ServiceError::McpError(error)) if error.code == ErrorCode::METHOD_NOT_FOUND => return Ok(offers),
            Err(error) => return Err(error),
        };
        for tool in page.tools {
            if !(allow.is_empty() || allow.iter().any(|name| *name == *tool.name)) || !seen.insert(tool.name.clone()) {
                continue;
            }
            if offers.len() == MAX_TOOLS {
                tracing::warn!(
                    server,
                    most = MAX_TOOLS,
                    "the MCP server has too many tools: name those to use in allow"
                );
                return Ok(offers);
            }
            match offer(&tool, connection) {
                Ok(offer) => offers.push(offer),
                Err(reason) => {
                    let name = text::beginning(&tool.name);
                    tracing::warn!(server, name, reason, "a tool of the MCP server cannot be used and is left out");
                }
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            let missing = allow.iter().filter(|name| !seen.contains(name.as_str()));
            missing.for_each(|name| tracing::warn!(server, name, "the MCP server has no such tool as allow names"));
            return Ok(offers);
        }
    }
    tracing::warn!(server, pages = MAX_PAGES, "the MCP server's list of tools has no end: the rest is left out");
    Ok(offers)
}

fn offer(tool: &Tool, connection: &Arc<Connection>) -> Result<Offer, String> {
    let declared = Value::Object((*tool.input_schema).clone());
    // The server holds the arguments against its schema itself; a `format` that it does not mind is none to us.
    let schema = Schema::new(&declared, false)?;
    let parameters = schema::for_model(&declared)?;
    let annotated = tool.annotations.as_ref().and_then(|annotations| annotations.title.as_deref());
    let description = tool.description.as_deref().or(tool.title.as_deref()).or(annotated).unwrap_or_default();
    let name = tool.name.to_string();
    let route = Route { connection: Arc::clone(connection), name: name.clone() };
    Ok(Offer {
        name,
        description: text::clip(description, MAX_DESCRIPTION).to_owned(),
        parameters,
        schema: Arc::new(schema),
        route: shelf::Route::Mcp(Arc::new(route)),
    })
}
