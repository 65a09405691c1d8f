//! What a request says about the form of its answer: `response_format`, `tools`, `tool_choice`.

use serde::Deserialize;

use crate::error::ApiError;
use crate::grammar::Grammar;
use crate::json::Json;
use crate::schema::{self, SchemaError, Unknown};
use crate::tools::{Choice, Tool, Tools};

/// As in OpenAI's reference.
const MOST_TOOLS: usize = 128;
const LONGEST_NAME: usize = 64;

#[derive(Debug, Deserialize)]
pub struct ResponseFormat {
    #[serde(rename = "type")]
    kind: String,
    json_schema: Option<NamedSchema>,
}

#[derive(Debug, Deserialize)]
struct NamedSchema {
    schema: Option<Json>,
}

#[derive(Debug, Deserialize)]
struct RequestTool {
    #[serde(rename = "type")]
    kind: String,
    function: Option<RequestFunction>,
}

#[derive(Debug, Deserialize)]
struct RequestFunction {
    name: String,
    parameters: Option<Json>,
    strict: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "`tool_choice` must be a string or {\"type\": \"function\", \"function\": {\"name\": ...}}"
)]
pub enum RequestChoice {
    Word(String),
    Named { function: NamedFunction },
}

#[derive(Debug, Deserialize)]
pub struct NamedFunction {
    name: String,
}

impl ResponseFormat {
    /// The text of the grammar that all of the answer must follow; `None`: it is free.
    pub fn grammar(&self) -> Result<Option<String>, ApiError> {
        let bad = |message: String| Err(ApiError::bad_value("response_format", message));
        let any_object = Json::object([("type", Json::String("object".to_owned()))]);
        let schema = match (self.kind.as_str(), &self.json_schema) {
            ("text", _) => return Ok(None),
            ("json_object", _) => &any_object,
            ("json_schema", Some(NamedSchema { schema: Some(schema) })) => schema,
            ("json_schema", _) => return bad("`json_schema` needs {\"name\": ..., \"schema\": ...}".to_owned()),
            (kind, _) => {
                return bad(format!("there is no format `{kind}`: use `text`, `json_object` or `json_schema`"));
            }
        };
        let mut grammar = Grammar::default();
        match schema::write(schema, Unknown::Refused, &mut grammar) {
            Ok(root) => Ok(Some(grammar.finish(&root))),
            Err(error @ SchemaError::TooLarge) => bad(error.to_string()),
            Err(error) => bad(format!("this server cannot hold an answer to this schema, {error}")),
        }
    }
}

/// Whether tools are shown and none may be called: `tool_choice` "none".
pub fn is_words_only(tools: Option<&[Json]>, choice: Option<&RequestChoice>) -> bool {
    let is_none = matches!(choice, Some(RequestChoice::Word(word)) if word == "none");
    is_none && tools.is_some_and(|tools| !tools.is_empty())
}

/// What may be called; `None`: nothing.
pub fn tools(
    tools: Option<&[Json]>,
    choice: Option<&RequestChoice>,
    parallel: Option<bool>,
) -> Result<Option<Tools>, ApiError> {
    let tools = tools.unwrap_or_default();
    if tools.len() > MOST_TOOLS {
        return Err(ApiError::bad_value("tools", format!("`tools` may hold at most {MOST_TOOLS}")));
    }
    let tools = tools.iter().enumerate().map(|(index, tool)| checked(index, tool)).collect::<Result<Vec<_>, _>>()?;
    let choice = match choice {
        None => Choice::Auto,
        Some(RequestChoice::Word(word)) => match word.as_str() {
            "none" => return Ok(None),
            "auto" => Choice::Auto,
            "required" => Choice::Required,
            other => {
                let message = format!("`tool_choice` \"{other}\": use \"none\", \"auto\", \"required\" or a function");
                return Err(ApiError::bad_value("tool_choice", message));
            }
        },
        Some(RequestChoice::Named { function }) => Choice::Named(function.name.clone()),
    };
    let is_there = match &choice {
        Choice::Auto => true,
        Choice::Required => !tools.is_empty(),
        Choice::Named(name) => tools.iter().any(|tool| tool.name == *name),
    };
    if !is_there {
        return Err(ApiError::bad_value("tool_choice", "`tool_choice` wants a tool that `tools` does not have"));
    }
    Ok((!tools.is_empty()).then_some(Tools { tools, choice, parallel: parallel.unwrap_or(true) }))
}

fn checked(index: usize, json: &Json) -> Result<Tool, ApiError> {
    let bad = |message: String| Err(ApiError::bad_value("tools", format!("tool {index}: {message}")));
    // Back to text, because the order of its fields is only kept in our own kind of JSON.
    let tool = match serde_json::from_str::<RequestTool>(&json.spaced()) {
        Ok(tool) => tool,
        Err(error) => return bad(error.to_string()),
    };
    let Some(function) = tool.function.filter(|_| tool.kind == "function") else {
        return bad("only {\"type\": \"function\", \"function\": {\"name\": ...}} is known".to_owned());
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if function.name.is_empty() || function.name.len() > LONGEST_NAME || !function.name.chars().all(is_name) {
        return bad(format!("its name must be 1 to {LONGEST_NAME} letters, digits, `_` or `-`"));
    }
    let parameters = match function.parameters {
        None | Some(Json::Null) => Json::object([("type", Json::String("object".to_owned()))]),
        Some(schema @ Json::Object(_)) if schema.get("type").is_none_or(|kind| kind.as_str() == Some("object")) => {
            schema
        }
        Some(_) => return bad("its `parameters` must be the schema of an object".to_owned()),
    };
    Ok(Tool { name: function.name, parameters, strict: function.strict.unwrap_or(false), json: json.clone() })
}
