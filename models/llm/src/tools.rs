//! Tools: what a request offers the model, how a call of one is written, and the grammars that keep a call to what was
//! offered. How calls are found in an answer is `calls`'.
//!
//! A call is written as Qwen's and Hermes' models do, and their templates ask for: `<tool_call>`, a JSON object with
//! `name` and `arguments`, `</tool_call>`. Models whose template knows no such tools are told about them in the system
//! message.

use llama_cpp_2::sampling::LlamaSampler;

use crate::grammar::{Grammar, field, literal};
use crate::json::{Json, quoted};
use crate::model::{Message, Model, SYSTEM};
use crate::schema::{self, SchemaError, Unknown};

/// What a call begins and ends with.
pub const OPEN: &str = "<tool_call>";
pub const CLOSE: &str = "</tool_call>";

/// Something that the model may ask for.
#[derive(Debug, Clone)]
pub struct Tool {
    pub name: String,
    /// Schema of the arguments.
    pub parameters: Json,
    /// The schema is to be followed to the letter, or the request refused.
    pub strict: bool,
    /// As the request has it, for the template.
    pub json: Json,
}

/// Whether a tool is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Auto,
    Required,
    Named(String),
}

/// The tools of a request. `tool_choice` "none" is no tools.
#[derive(Debug, Clone)]
pub struct Tools {
    /// At least one.
    pub tools: Vec<Tool>,
    pub choice: Choice,
    /// An answer may hold several calls.
    pub parallel: bool,
}

/// What keeps the calls of an answer to the tools.
#[derive(Debug)]
pub struct CallRules {
    /// For what follows [`OPEN`], up to and with [`CLOSE`].
    pub call: LlamaSampler,
    /// For a call without marks.
    pub bare: LlamaSampler,
    /// For the whole answer, where it has to be a call.
    pub whole: Option<LlamaSampler>,
    /// Names of the tools.
    pub names: Vec<String>,
    /// The answer ends with its first call.
    pub once: bool,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// Between the marks, of which the first has come.
    Begun,
    Both,
    None,
}

/// Why there are no such rules.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error("the parameters of the tool \"{name}\" cannot be followed to the letter, as `strict` wants: {source}")]
    Schema { name: String, source: SchemaError },
    #[error("llama.cpp does not take the grammar of these tools; simplify their parameters")]
    Grammar,
}

impl Tools {
    /// The rules for this model. Whatever a schema says that is not known is passed over, unless it is to be followed
    /// to the letter.
    pub fn rules(&self, model: &Model) -> Result<CallRules, ToolError> {
        let offered: Vec<&Tool> = match &self.choice {
            Choice::Named(name) => self.tools.iter().filter(|tool| tool.name == *name).collect(),
            Choice::Auto | Choice::Required => self.tools.iter().collect(),
        };
        let is_strict = offered.iter().any(|tool| tool.strict);
        let sampler = |marks: Marks| {
            let by_schema = sampler(&text(&offered, true, marks)?, model);
            match by_schema {
                Err(ToolError::Grammar) if !is_strict => sampler(&text(&offered, false, marks)?, model),
                other => other,
            }
        };
        let is_called = self.choice != Choice::Auto;
        let whole = is_called.then(|| sampler(Marks::Both)).transpose()?;
        let (call, bare) = (sampler(Marks::Begun)?, sampler(Marks::None)?);
        let names = self.tools.iter().map(|tool| tool.name.clone()).collect();
        Ok(CallRules { call, bare, whole, names, once: is_called || !self.parallel })
    }

    /// The tools as the template shows them.
    pub fn shown(&self) -> Vec<Json> {
        self.tools.iter().map(|tool| tool.json.clone()).collect()
    }
}

fn sampler(grammar: &str, model: &Model) -> Result<LlamaSampler, ToolError> {
    LlamaSampler::grammar(&model.llama, grammar, "root").map_err(|_| ToolError::Grammar)
}

/// For the first token of an answer that must not be a call: no mark and no object, with which models that were told of
/// tools are quick. Space may not hide one.
pub fn no_call(model: &Model) -> Result<LlamaSampler, ToolError> {
    sampler("root ::= [^{<`\\x00-\\x20] [^\\x00]*", model)
}

/// The grammar of one call.
fn text(tools: &[&Tool], by_schema: bool, marks: Marks) -> Result<String, ToolError> {
    let mut grammar = Grammar::default();
    let mut calls = Vec::with_capacity(tools.len());
    for tool in tools {
        let refused = |source| ToolError::Schema { name: tool.name.clone(), source };
        let unknown = if tool.strict { Unknown::Refused } else { Unknown::PassedOver };
        let arguments = match schema::write(&tool.parameters, unknown, &mut grammar) {
            _ if !by_schema => "object".to_owned(),
            Ok(rule) => rule,
            Err(error) if tool.strict => return Err(refused(error)),
            Err(_) => "object".to_owned(),
        };
        let (name, value) = (field("name"), literal(&quoted(&tool.name)));
        calls.push(format!("\"{{\" {name} {value} \",\" sp {} {arguments} \"}}\"", field("arguments")));
    }
    let calls = calls.join(" | ");
    let begun = format!("[\\n]? ( {calls} ) [\\n]? {}", literal(CLOSE));
    Ok(grammar.finish(&match marks {
        Marks::Begun => begun,
        Marks::Both => format!("{} {begun}", literal(OPEN)),
        Marks::None => calls,
    }))
}

/// The text of a call, as a model would have written it.
fn written(name: &str, arguments: &Json) -> String {
    let call = Json::object([("name", Json::String(name.to_owned())), ("arguments", arguments.clone())]);
    format!("{OPEN}\n{}\n{CLOSE}", call.spaced())
}

/// The same conversation for a template that knows no tools: they are told in the system message, calls are what the
/// assistant said, and results are what the user says.
pub fn in_words(messages: &[Message], tools: &[Json]) -> Vec<Message> {
    let mut told: Vec<Message> = messages
        .iter()
        .map(|message| match &message.answers_call {
            Some(_) => {
                Message::new(crate::model::USER, format!("<tool_response>\n{}\n</tool_response>", message.content))
            }
            None => {
                let calls = message.calls.iter().map(|call| written(&call.name, &call.arguments));
                let said = (!message.content.is_empty()).then(|| message.content.clone());
                Message::new(message.role, said.into_iter().chain(calls).collect::<Vec<_>>().join("\n"))
            }
        })
        .collect();
    if tools.is_empty() {
        return told;
    }
    let list: Vec<_> = tools.iter().map(Json::spaced).collect();
    let example = "{\"name\": \"NAME\", \"arguments\": {...}}";
    let manual = format!(
        "These tools are at your service, one JSON description a line:\n{}\nWhen one of them helps, call it by \
         writing nothing but this, filled in:\n{OPEN}\n{example}\n{CLOSE}\nIts result then comes in <tool_response>.",
        list.join("\n")
    );
    match told.first_mut().filter(|first| first.role == SYSTEM) {
        Some(system) => system.content = format!("{}\n\n{manual}", system.content),
        None => told.insert(0, Message::new(SYSTEM, manual)),
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PastCall;

    fn tool(name: &str, parameters: &str, strict: bool) -> Tool {
        let json = Json::object([("type", Json::String("function".to_owned()))]);
        Tool { name: name.to_owned(), parameters: serde_json::from_str(parameters).expect("JSON"), strict, json }
    }

    #[test]
    fn a_call_names_one_of_the_tools_and_has_its_arguments() {
        let city = tool("weather", r#"{"type": "object", "properties": {"city": {"type": "string"}}}"#, false);
        let none = tool("time", r#"{"type": "object", "properties": {}}"#, false);
        let grammar = text(&[&city, &none], true, Marks::Both).expect("a grammar");
        assert!(
            grammar.starts_with(r#"root ::= "<tool_call>" [\n]? ( "{" "\"name\":" sp "\"weather\"" "," sp"#),
            "{grammar}"
        );
        assert!(
            grammar.contains(r#""\"city\":" sp string"#)
                && grammar.contains(r#""\"time\"" "," sp "\"arguments\":" sp object"#)
        );
    }

    #[test]
    fn only_a_strict_tool_is_refused_for_its_schema() {
        let odd = r#"{"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}}"#;
        assert!(text(&[&tool("a", odd, false)], true, Marks::None).is_ok());
        let error = text(&[&tool("a", odd, true)], true, Marks::Begun).expect_err("strict").to_string();
        assert!(error.contains("\"a\"") && error.contains("`pattern`"), "{error}");
    }

    #[test]
    fn a_template_without_tools_is_told_in_words() {
        let arguments = serde_json::from_str(r#"{"city": "Rome"}"#).expect("JSON");
        let call = PastCall { id: "c".to_owned(), name: "weather".to_owned(), arguments };
        let messages = [
            Message::new("system", "Be brief."),
            Message { calls: vec![call], ..Message::new("assistant", "Let me see.") },
            Message { answers_call: Some("c".to_owned()), ..Message::new("tool", "dry") },
        ];
        let told = in_words(&messages, &[Json::object([("name", Json::Null)])]);
        assert!(told[0].content.starts_with("Be brief.\n\n") && told[0].content.contains("{\"name\": null}"));
        let called =
            "Let me see.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}\n</tool_call>";
        assert_eq!(told[1].content, called);
        assert_eq!((told[2].role, told[2].content.as_str()), ("user", "<tool_response>\ndry\n</tool_response>"));
        assert_eq!(in_words(&messages[..1], &[])[0].content, "Be brief.");
    }
}
