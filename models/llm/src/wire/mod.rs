//! The JSON of OpenAI's chat completions: what is read from a request (unknown fields are ignored), what values are
//! allowed, and what is answered. Source: the Chat Completions part of OpenAI's API reference.

mod answer;
mod form;
mod messages;

use serde::Deserialize;

pub use answer::{Head, ToolCall};

use crate::error::ApiError;
use crate::job::Sampling;
use crate::json::Json;
use crate::model::Message;
use crate::tools::Tools;
use form::{RequestChoice, ResponseFormat};
use messages::RequestMessage;

/// As in OpenAI's reference.
const MOST_STOPS: usize = 4;
/// Text is held back for as long as it may be the beginning of one.
const LONGEST_STOP: usize = 1000;
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
    logprobs: Option<bool>,
    response_format: Option<ResponseFormat>,
    tools: Option<Vec<Json>>,
    tool_choice: Option<RequestChoice>,
    parallel_tool_calls: Option<bool>,
    /// What tools were called before there were tools.
    functions: Option<Json>,
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

/// What a request asks of an answer.
#[derive(Debug)]
pub struct Wanted {
    pub sampling: Sampling,
    /// Most tokens to generate; `None` is as many as the context holds.
    pub max_tokens: Option<usize>,
    /// Texts that end the answer and are not part of it.
    pub stops: Vec<String>,
    /// What all of the answer must follow.
    pub grammar: Option<String>,
    /// Never together with a grammar.
    pub tools: Option<Tools>,
    /// There are tools, but they must not be called.
    pub words_only: bool,
}

impl ChatRequest {
    /// The conversation; at least one message.
    pub fn messages(&self) -> Result<Vec<Message>, ApiError> {
        messages::conversation(&self.messages)
    }

    /// Whether these messages are only to be read ahead.
    pub fn is_read_ahead(&self) -> bool {
        self.read_ahead.unwrap_or(false)
    }

    /// What is wanted, all values checked. `seed` is taken if the request brings none.
    pub fn wanted(&self, seed: u32) -> Result<Wanted, ApiError> {
        if self.functions.is_some() {
            return Err(ApiError::bad_value("functions", "`functions` is not known any more: use `tools`"));
        }
        let grammar = self.response_format.as_ref().map_or(Ok(None), ResponseFormat::grammar)?;
        let words_only = form::is_words_only(self.tools.as_deref(), self.tool_choice.as_ref());
        let tools = form::tools(self.tools.as_deref(), self.tool_choice.as_ref(), self.parallel_tool_calls)?;
        if grammar.is_some() && tools.is_some() {
            let message =
                "`response_format` and `tools` cannot be had together: send `tool_choice` \"none\", or no format";
            return Err(ApiError::bad_value("response_format", message));
        }
        let (sampling, max_tokens, stops) = (self.sampling(seed)?, self.max_tokens()?, self.stops()?);
        Ok(Wanted { sampling, max_tokens, stops, grammar, tools, words_only })
    }

    /// How tokens are chosen.
    fn sampling(&self, seed: u32) -> Result<Sampling, ApiError> {
        if self.n.is_some_and(|n| n != 1) {
            return Err(ApiError::bad_value("n", "`n` must be 1: this server gives one answer"));
        }
        if self.logprobs == Some(true) {
            return Err(ApiError::bad_value("logprobs", "`logprobs` are not known to this server"));
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
        if stops.len() > MOST_STOPS || stops.iter().any(|stop| stop.len() > LONGEST_STOP) {
            let message = format!("`stop` may hold at most {MOST_STOPS} strings of at most {LONGEST_STOP} bytes");
            return Err(ApiError::bad_value("stop", message));
        }
        Ok(stops)
    }

    /// Whether a stream ends with a chunk that counts the tokens.
    pub fn stream_usage(&self) -> bool {
        self.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or(false)
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
