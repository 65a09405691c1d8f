//! The nouns of a chat with a language model: what is asked, with which tools, and the pieces that come back.
//!
//! They are nobody's wire format (that is `wire`'s) and hold no conversation (that is the dialogue's).

use std::sync::Arc;

use crate::dialogue::{Message, Role, ToolCall, Usage};

/// One message of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatMessage {
    System(String),
    User(String),
    /// What the model said, and the tools that it called with it.
    Assistant {
        text: String,
        calls: Vec<ToolCall>,
    },
    /// What came of a call. Follows the message that holds the call.
    Tool {
        call_id: String,
        content: String,
    },
}

impl From<Message> for ChatMessage {
    fn from(message: Message) -> Self {
        match message.role {
            Role::System => Self::System(message.content),
            Role::User => Self::User(message.content),
            Role::Assistant => Self::Assistant { text: message.content, calls: message.calls },
            Role::Tool => Self::Tool { call_id: message.call_id.unwrap_or_default(), content: message.content },
        }
    }
}

/// Something that the model may ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// 1 to 64 of `a-zA-Z0-9_-`, as OpenAI has it.
    pub name: String,
    /// For the model: what it does and when to call it.
    pub description: String,
    /// JSON schema of the arguments, an object's.
    pub parameters: serde_json::Value,
}

/// Whether a tool is to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// As the model sees fit.
    #[default]
    Auto,
    None,
    /// Some tool.
    Required,
    /// This one.
    Named(String),
}

/// What a model is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// Which of the configured models is asked first; any other name changes nothing.
    pub model: Option<String>,
    pub messages: Vec<ChatMessage>,
    /// The same for many questions, so that the server keeps what it has processed of them.
    pub tools: Arc<[Tool]>,
    pub choice: ToolChoice,
    /// Longest answer in tokens, if less than the endpoint's.
    pub max_tokens: Option<u32>,
    /// 0 to 2, in place of the endpoint's.
    pub temperature: Option<f32>,
}

impl From<Vec<Message>> for Question {
    fn from(prompt: Vec<Message>) -> Self {
        Self { messages: prompt.into_iter().map(ChatMessage::from).collect(), ..Self::default() }
    }
}

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Text(String),
    /// A tool is to be run. Comes whole, after all text.
    Call(ToolCall),
    /// Last, if the server counts.
    Usage(Usage),
}
