//! What can go wrong with a tool, in words for whoever runs the server, and in words for the model.
//!
//! The model is told what it can do something about. Addresses, and what only the operator can mend, stay out of it.

/// At most so many names are offered to a model that asked for a tool that does not exist.
const NAMES: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    #[error("the tools of the configuration cannot be used: {reason}")]
    Setting { reason: String },
    #[error("{owner} needs the environment variable {variable}: set it (as UTF-8 text) before the start")]
    Environment { owner: String, variable: String },
    #[error("the HTTP client for tools cannot be set up ({reason}): check the certificates of the system")]
    Client { reason: String },
    #[error("there is no tool {name:?}: the model made it up, or its server has given it up")]
    Unknown { name: String, known: Vec<String> },
    #[error("the arguments for {tool} do not fit its parameters: {reason}")]
    Arguments { tool: String, reason: String },
    #[error("{limit} tools are being called already: raise tools.max_calls, or make them answer faster")]
    Busy { limit: usize },
    #[error("{tool} did not answer within {millis} ms: raise its timeout_millis, or see why it is slow")]
    Timeout { tool: String, millis: u64 },
    #[error("{tool} at {place} cannot be reached ({reason}): see that it runs there")]
    Unreachable { tool: String, place: String, reason: String },
    #[error("the answer of {tool} broke off ({reason}): its own log should say why")]
    CutOff { tool: String, reason: String },
    #[error("{tool} answered with the status {status}, where 2xx was due: {beginning:?}; its own log should say why")]
    Status { tool: String, status: u16, beginning: String },
    #[error("{tool} answered with what is no text ({reason}): make it answer UTF-8 text or JSON")]
    Unreadable { tool: String, reason: String },
    #[error("{tool} says that it failed: {said:?}")]
    Failed { tool: String, said: String },
    #[error("{tool} cannot be called: the MCP server {server} is not connected ({reason}), and is being tried again")]
    Down { tool: String, server: String, reason: String },
    #[error("the MCP server {server} went away while it carried out {tool} ({reason}): it is being connected again")]
    Lost { tool: String, server: String, reason: String },
    #[error("the MCP server {server} broke the protocol in a call of {tool}: {reason}")]
    Protocol { tool: String, server: String, reason: String },
}

impl ToolError {
    /// For metrics: few, and always the same.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "setting",
            Self::Environment { .. } => "environment",
            Self::Client { .. } => "client",
            Self::Unknown { .. } => "unknown",
            Self::Arguments { .. } => "arguments",
            Self::Busy { .. } => "busy",
            Self::Timeout { .. } => "timeout",
            Self::Unreachable { .. } => "unreachable",
            Self::CutOff { .. } => "cut_off",
            Self::Status { .. } => "status",
            Self::Unreadable { .. } => "unreadable",
            Self::Failed { .. } => "failed",
            Self::Down { .. } => "down",
            Self::Lost { .. } => "lost",
            Self::Protocol { .. } => "protocol",
        }
    }

    /// What the model gets in place of a result.
    pub fn for_model(&self) -> String {
        match self {
            Self::Setting { .. } | Self::Environment { .. } | Self::Client { .. } => {
                "Error: the tools are not set up on this server. Do without them.".into()
            }
            Self::Unknown { name, known } if known.is_empty() => {
                format!("Error: there is no tool named {name:?}, and no other at the moment. Do without tools.")
            }
            Self::Unknown { name, known } => {
                let more = if known.len() > NAMES { ", ..." } else { "" };
                let known = known.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
                format!("Error: there is no tool named {name:?}. The tools are: {known}{more}.")
            }
            Self::Arguments { reason, .. } => {
                format!(
                    "Error: the arguments do not fit the tool's parameters: {reason}. Correct them and call it again."
                )
            }
            Self::Busy { .. } => "Error: too many tools are in use at the moment. Try again a little later.".into(),
            Self::Timeout { millis, .. } => format!(
                "Error: the tool did not answer within {} seconds. It may still be at work; do not repeat what must not \
                 happen twice.",
                millis.div_ceil(1000)
            ),
            Self::Unreachable { .. } | Self::Down { .. } => {
                "Error: the tool cannot be reached at the moment. Say so, or do without it.".into()
            }
            Self::CutOff { .. } | Self::Lost { .. } => {
                "Error: the tool broke off. Nobody knows whether it did its work; \
                                                        do not repeat what must not happen twice."
                    .into()
            }
            Self::Status { status, beginning, .. } if beginning.is_empty() => {
                format!("Error: the tool answered with the HTTP status {status}, which means that it failed.")
            }
            Self::Status { status, beginning, .. } => {
                format!(
                    "Error: the tool answered with the HTTP status {status}, which means that it failed: {beginning}"
                )
            }
            Self::Unreadable { .. } => "Error: the tool's answer cannot be read. Say so, or do without it.".into(),
            Self::Failed { said, .. } => format!("Error: the tool says that it failed: {said}"),
            Self::Protocol { .. } => "Error: the tool's answer made no sense. Say so, or do without it.".into(),
        }
    }
}
