//! The JSON of OpenAI's chat completions, as far as a client needs it: the body of a request, and the chunks of an
//! answer. Own types, because servers differ in what they leave out.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::chat::{ChatMessage, Question, Tool, ToolChoice};
use crate::dialogue::Usage;

/// What a request is made for.
pub struct Request<'a> {
    pub model: &'a str,
    /// The name of the limit of tokens.
    pub max_tokens_field: &'a str,
    pub max_tokens: u32,
    pub temperature: f32,
    pub question: &'a Question,
    /// Known only to `visavis-llm`: nothing is generated, only processed.
    pub read_ahead: bool,
    /// Names that no other field here has.
    pub extra: &'a Map<String, Value>,
}

impl Request<'_> {
    pub fn body(&self) -> Map<String, Value> {
        let question = self.question;
        let mut body = self.extra.clone();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("model", self.model.into());
        set("messages", question.messages.iter().map(message).collect());
        // As it is written in the settings: 0.3, not 0.30000001192092896.
        set("temperature", serde_json::from_str(&self.temperature.to_string()).unwrap_or_default());
        set(self.max_tokens_field, self.max_tokens.into());
        set("stream", true.into());
        set("stream_options", json!({ "include_usage": true }));
        if !question.tools.is_empty() {
            set("tools", question.tools.iter().map(tool).collect());
            set("tool_choice", choice(&question.choice));
        }
        if self.read_ahead {
            set("read_ahead", true.into());
        }
        body
    }
}

fn message(message: &ChatMessage) -> Value {
    match message {
        ChatMessage::System(text) => json!({ "role": "system", "content": text }),
        ChatMessage::User(text) => json!({ "role": "user", "content": text }),
        ChatMessage::Assistant { text, calls } if calls.is_empty() => json!({ "role": "assistant", "content": text }),
        ChatMessage::Assistant { text, calls } => {
            let content = if text.is_empty() { Value::Null } else { text.as_str().into() };
            let calls: Vec<_> = calls
                .iter()
                .map(|call| {
                    let function = json!({ "name": call.name, "arguments": call.arguments });
                    json!({ "id": call.id, "type": "function", "function": function })
                })
                .collect();
            json!({ "role": "assistant", "content": content, "tool_calls": calls })
        }
        ChatMessage::Tool { call_id, content } => {
            json!({ "role": "tool", "tool_call_id": call_id, "content": content })
        }
    }
}

fn tool(tool: &Tool) -> Value {
    let function = json!({ "name": tool.name, "description": tool.description, "parameters": tool.parameters });
    json!({ "type": "function", "function": function })
}

fn choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Named(name) => json!({ "type": "function", "function": { "name": name } }),
    }
}

/// One event of an answer.
#[derive(Debug, Deserialize)]
pub struct Chunk {
    #[serde(default)]
    pub choices: Vec<Choice>,
    pub usage: Option<ChunkUsage>,
    /// In place of all else, when the server fails in mid-answer.
    pub error: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub struct Choice {
    #[serde(default)]
    pub delta: Delta,
    pub finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Delta {
    pub content: Option<String>,
    /// OpenAI's own word for "I will not".
    pub refusal: Option<String>,
    pub tool_calls: Option<Vec<CallDelta>>,
}

/// A part of a tool call, or all of it.
#[derive(Debug, Default, Deserialize)]
pub struct CallDelta {
    /// Which of the answer's calls; some servers, which send each whole, leave it out.
    pub index: Option<u64>,
    pub id: Option<String>,
    #[serde(default)]
    pub function: FunctionDelta,
}

#[derive(Debug, Default, Deserialize)]
pub struct FunctionDelta {
    pub name: Option<String>,
    /// A piece of text; from some servers the object itself.
    pub arguments: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub struct ChunkUsage {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u32>,
}

impl From<ChunkUsage> for Usage {
    fn from(usage: ChunkUsage) -> Self {
        Self {
            input_tokens: usage.prompt_tokens,
            cached_tokens: usage.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0),
            output_tokens: usage.completion_tokens,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::ToolCall;

    #[test]
    fn a_question_with_tools_is_written_as_openai_has_it() {
        let tool =
            Tool { name: "weather".into(), description: "Tells it.".into(), parameters: json!({"type": "object"}) };
        let call = ToolCall { id: "call_1".into(), name: "weather".into(), arguments: "{}".into() };
        let question = Question {
            messages: vec![
                ChatMessage::User("Rain?".into()),
                ChatMessage::Assistant { text: String::new(), calls: vec![call] },
                ChatMessage::Tool { call_id: "call_1".into(), content: "dry".into() },
            ],
            tools: [tool].into(),
            choice: ToolChoice::Named("weather".into()),
            ..Question::default()
        };
        let extra = Map::from_iter([("top_p".to_owned(), json!(0.5))]);
        let request = Request {
            model: "m",
            max_tokens_field: "max_completion_tokens",
            max_tokens: 7,
            temperature: 0.3,
            question: &question,
            read_ahead: false,
            extra: &extra,
        };
        let function = json!({ "name": "weather", "description": "Tells it.", "parameters": { "type": "object" } });
        let called = json!({ "name": "weather", "arguments": "{}" });
        let expected = json!({
            "model": "m",
            "messages": [
                { "role": "user", "content": "Rain?" },
                { "role": "assistant", "content": null,
                  "tool_calls": [{ "id": "call_1", "type": "function", "function": called }] },
                { "role": "tool", "tool_call_id": "call_1", "content": "dry" },
            ],
            "temperature": 0.3,
            "max_completion_tokens": 7,
            "stream": true,
            "stream_options": { "include_usage": true },
            "tools": [{ "type": "function", "function": function }],
            "tool_choice": { "type": "function", "function": { "name": "weather" } },
            "top_p": 0.5,
        });
        assert_eq!(Value::Object(request.body()), expected);
    }

    #[test]
    fn chunks_of_all_kinds_of_servers_are_read() {
        for text in [
            r#"{"choices":[]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null,"logprobs":null}],"usage":null}"#,
            r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#,
            r#"{"error":{"message":"overloaded"}}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"x","arguments":{"a":1}}}]}}]}"#,
        ] {
            serde_json::from_str::<Chunk>(text).unwrap();
        }
    }
}
