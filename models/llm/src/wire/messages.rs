//! The messages of a request: OpenAI's forms of them, checked, made into the conversation that a prompt is of.

use std::collections::HashSet;

use serde::Deserialize;

use crate::error::ApiError;
use crate::json::Json;
use crate::model::{Message, PastCall, SYSTEM, USER};

#[derive(Debug, Deserialize)]
pub struct RequestMessage {
    role: Role,
    content: Option<Content>,
    tool_calls: Option<Vec<RequestCall>>,
    tool_call_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`content` must be a string or an array of {\"type\": \"text\", \"text\": ...}")]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RequestCall {
    id: String,
    function: RequestFunction,
}

#[derive(Debug, Deserialize)]
struct RequestFunction {
    name: String,
    arguments: String,
}

/// The conversation; at least one message.
pub fn conversation(messages: &[RequestMessage]) -> Result<Vec<Message>, ApiError> {
    if messages.is_empty() {
        return Err(bad("`messages` is empty; send at least one message".to_owned()));
    }
    let mut called = HashSet::new();
    messages.iter().enumerate().map(|(index, message)| message.checked(index, &mut called)).collect()
}

fn bad(message: String) -> ApiError {
    ApiError::bad_value("messages", message)
}

impl RequestMessage {
    /// `called`: the ids of all calls before this message.
    fn checked<'a>(&'a self, index: usize, called: &mut HashSet<&'a str>) -> Result<Message, ApiError> {
        let role = match self.role {
            Role::System | Role::Developer => SYSTEM,
            Role::User => USER,
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        let calls = self.tool_calls.as_deref().unwrap_or_default();
        if self.role != Role::Assistant && !calls.is_empty() {
            return Err(bad(format!("message {index} has `tool_calls`, which only an assistant's may have")));
        }
        let content = match &self.content {
            None if calls.is_empty() => return Err(bad(format!("message {index} has no `content`"))),
            None => String::new(),
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts.iter().map(Part::text).collect::<Result<_, _>>()?,
        };
        called.extend(calls.iter().map(|call| call.id.as_str()));
        let answers_call = match (&self.tool_call_id, self.role) {
            (Some(id), Role::Tool) if called.contains(id.as_str()) => Some(id.clone()),
            (Some(id), Role::Tool) => {
                return Err(bad(format!(
                    "message {index} has the `tool_call_id` \"{id}\", but no message before it has that call"
                )));
            }
            (None, Role::Tool) => return Err(bad(format!("message {index} is a tool's and needs a `tool_call_id`"))),
            _ => None,
        };
        Ok(Message { role, content, calls: calls.iter().map(RequestCall::past).collect(), answers_call })
    }
}

impl RequestCall {
    fn past(&self) -> PastCall {
        let RequestFunction { name, arguments } = &self.function;
        let arguments = serde_json::from_str(arguments).ok().filter(|json: &Json| json.as_object().is_some());
        let arguments = arguments.unwrap_or_else(|| Json::String(self.function.arguments.clone()));
        PastCall { id: self.id.clone(), name: name.clone(), arguments }
    }
}

impl Part {
    fn text(&self) -> Result<&str, ApiError> {
        match (self.kind.as_str(), &self.text) {
            ("text", Some(text)) => Ok(text),
            ("text", None) => Err(bad("a content part of type `text` needs `text`".to_owned())),
            (kind, _) => Err(bad(format!("content part of type `{kind}`: this model reads only `text`"))),
        }
    }
}
