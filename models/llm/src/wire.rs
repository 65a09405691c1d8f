//! The JSON of OpenAI's chat completions: what is read from a request (unknown fields are ignored), what values are
//! allowed, and what is answered. Source: the Chat Completions part of OpenAI's API reference.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::job::{self, Sampling, Task};
use crate::model::{Message, USER};

/// As in OpenAI's reference.
const MOST_STOPS: usize = 4;
/// Small models ramble at OpenAI's default of 1.
const DEFAULT_TEMPERATURE: f32 = 0.7;
const DEFAULT_TOP_P: f32 = 0.95;
const DEFAULT_TOP_K: u32 = 40;

/// Body of `POST /v1/chat/completions`.
#[derive(Debug, Deserialize)]
pub struct ChatRequest {
    messages: Vec<RequestMessage>,
    #[serde(default)]
    pub stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    /// Not OpenAI's, but known to most local servers; 0 is no limit.
    top_k: Option<u32>,
    /// Not OpenAI's either: go on until `max_tokens`.
    ignore_eos: Option<bool>,
    /// Nor this: generate nothing, but process what a prompt that goes on from these messages will begin with. The
    /// last message may be the user's, unfinished.
    #[serde(default)]
    read_ahead: Option<bool>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    stop: Option<Stop>,
    seed: Option<i64>,
    presence_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    n: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct RequestMessage {
    role: Role,
    content: Option<Content>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
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
#[serde(untagged, expecting = "`stop` must be a string or an array of strings")]
enum Stop {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

impl ChatRequest {
    /// The conversation; at least one message.
    pub fn messages(&self) -> Result<Vec<Message>, ApiError> {
        if self.messages.is_empty() {
            return Err(ApiError::bad_value("messages", "`messages` is empty; send at least one message"));
        }
        self.messages.iter().map(RequestMessage::to_message).collect()
    }

    /// Whether these messages are only to be read ahead.
    pub fn is_read_ahead(&self) -> bool {
        self.read_ahead.unwrap_or(false)
    }

    /// What is wanted, all values checked. `seed` is taken if the request brings none.
    pub fn task(&self, seed: u32) -> Result<Task, ApiError> {
        let (sampling, max_tokens, stops) = (self.sampling(seed)?, self.max_tokens()?, self.stops()?);
        Ok(if self.is_read_ahead() { Task::ReadAhead } else { Task::Answer { sampling, max_tokens, stops } })
    }

    /// How tokens are chosen.
    fn sampling(&self, seed: u32) -> Result<Sampling, ApiError> {
        if self.n.is_some_and(|n| n != 1) {
            return Err(ApiError::bad_value("n", "`n` must be 1: this server gives one answer"));
        }
        Ok(Sampling {
            temperature: within("temperature", self.temperature, 0.0, 2.0, DEFAULT_TEMPERATURE)?,
            top_p: within("top_p", self.top_p, 0.0, 1.0, DEFAULT_TOP_P)?,
            top_k: self.top_k.unwrap_or(DEFAULT_TOP_K),
            frequency_penalty: within("frequency_penalty", self.frequency_penalty, -2.0, 2.0, 0.0)?,
            presence_penalty: within("presence_penalty", self.presence_penalty, -2.0, 2.0, 0.0)?,
            // Any 64 bits are a seed; llama.cpp takes the lower 32.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a seed is only bits")]
            seed: self.seed.map_or(seed, |seed| seed as u32),
            ignore_eos: self.ignore_eos.unwrap_or(false),
        })
    }

    /// Most tokens of the answer.
    fn max_tokens(&self) -> Result<Option<usize>, ApiError> {
        match self.max_completion_tokens.or(self.max_tokens) {
            Some(0) => Err(ApiError::bad_value("max_tokens", "`max_tokens` must be at least 1")),
            other => Ok(other),
        }
    }

    /// Texts that end the answer.
    fn stops(&self) -> Result<Vec<String>, ApiError> {
        let stops = match &self.stop {
            None => Vec::new(),
            Some(Stop::One(stop)) => vec![stop.clone()],
            Some(Stop::Many(stops)) => stops.clone(),
        };
        if stops.len() > MOST_STOPS {
            return Err(ApiError::bad_value("stop", format!("`stop` may hold at most {MOST_STOPS} strings")));
        }
        Ok(stops)
    }

    /// Whether a stream ends with a chunk that counts the tokens.
    pub fn stream_usage(&self) -> bool {
        self.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or(false)
    }
}

impl RequestMessage {
    fn to_message(&self) -> Result<Message, ApiError> {
        let role = match self.role {
            Role::System | Role::Developer => "system",
            Role::User => USER,
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        let content = match &self.content {
            None => String::new(),
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => parts.iter().map(Part::text).collect::<Result<_, _>>()?,
        };
        Ok(Message { role, content })
    }
}

impl Part {
    fn text(&self) -> Result<&str, ApiError> {
        match (self.kind.as_str(), &self.text) {
            ("text", Some(text)) => Ok(text),
            ("text", None) => Err(ApiError::bad_value("messages", "a content part of type `text` needs `text`")),
            (kind, _) => {
                let message = format!("content part of type `{kind}`: this model reads only `text`");
                Err(ApiError::bad_value("messages", message))
            }
        }
    }
}

fn within(param: &'static str, value: Option<f32>, least: f32, most: f32, default: f32) -> Result<f32, ApiError> {
    match value {
        None => Ok(default),
        Some(value) if (least..=most).contains(&value) => Ok(value),
        Some(value) => {
            Err(ApiError::bad_value(param, format!("`{param}` is {value}; it must be between {least} and {most}")))
        }
    }
}

/// What all answers to one request have in common.
#[derive(Debug, Clone)]
pub struct Head {
    /// `chatcmpl-` and 16 hexadecimal digits.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    pub model: String,
}

/// A whole answer.
#[derive(Debug, Serialize)]
pub struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: Usage,
}

#[derive(Debug, Serialize)]
struct Choice<'a> {
    index: u32,
    message: AnswerMessage<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Debug, Serialize)]
struct AnswerMessage<'a> {
    role: &'static str,
    content: &'a str,
    refusal: Option<()>,
}

/// One event of a streamed answer.
#[derive(Debug, Serialize)]
pub struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<ChunkChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Debug, Serialize)]
struct ChunkChoice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Debug, Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Usage {
    prompt_tokens: usize,
    completion_tokens: usize,
    total_tokens: usize,
    prompt_tokens_details: PromptTokens,
}

#[derive(Debug, Serialize)]
struct PromptTokens {
    cached_tokens: usize,
}

impl Head {
    /// The answer of a request that is not streamed.
    pub fn completion<'a>(&'a self, content: &'a str, finished: job::Finished) -> Completion<'a> {
        let message = AnswerMessage { role: "assistant", content, refusal: None };
        Completion {
            id: &self.id,
            object: "chat.completion",
            created: self.created,
            model: &self.model,
            choices: [Choice { index: 0, message, logprobs: None, finish_reason: reason(finished.reason) }],
            usage: usage(finished.usage),
        }
    }

    /// The first chunk: who speaks.
    pub fn opening(&self) -> Chunk<'_> {
        self.chunk(Delta { role: Some("assistant"), content: Some("") }, None)
    }

    /// The next text.
    pub fn text<'a>(&'a self, text: &'a str) -> Chunk<'a> {
        self.chunk(Delta { role: None, content: Some(text) }, None)
    }

    /// The last chunk of the answer itself: why it ended.
    pub fn ending(&self, finished: job::Finished) -> Chunk<'_> {
        self.chunk(Delta::default(), Some(reason(finished.reason)))
    }

    /// The chunk after the last, if the request asks for it: no choice, only the count of tokens.
    pub fn usage(&self, finished: job::Finished) -> Chunk<'_> {
        let mut chunk = self.chunk(Delta::default(), None);
        chunk.choices.clear();
        chunk.usage = Some(usage(finished.usage));
        chunk
    }

    fn chunk<'a>(&'a self, delta: Delta<'a>, finish_reason: Option<&'static str>) -> Chunk<'a> {
        Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            choices: vec![ChunkChoice { index: 0, delta, logprobs: None, finish_reason }],
            usage: None,
        }
    }
}

fn reason(reason: job::FinishReason) -> &'static str {
    match reason {
        job::FinishReason::Stop => "stop",
        job::FinishReason::Length => "length",
    }
}

fn usage(usage: job::Usage) -> Usage {
    Usage {
        prompt_tokens: usage.prompt,
        completion_tokens: usage.completion,
        total_tokens: usage.prompt + usage.completion,
        prompt_tokens_details: PromptTokens { cached_tokens: usage.cached },
    }
}
