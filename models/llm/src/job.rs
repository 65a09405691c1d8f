//! The nouns between the routes and the engine: what is asked, and what comes back. No HTTP, no llama.cpp calls.

use std::ops::Range;

use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use tokio::sync::mpsc;

use crate::tools::CallRules;

/// One request.
#[derive(Debug)]
pub struct Job {
    pub prompt: Prompt,
    pub task: Task,
    /// Where the answer goes. When its receiver is dropped the job is abandoned.
    pub events: mpsc::Sender<Event>,
}

/// A conversation as tokens.
#[derive(Debug, Clone, Default)]
pub struct Prompt {
    /// Never empty, and shorter than the context.
    pub tokens: Vec<LlamaToken>,
    /// Where among them the text of the last message lies. A further prompt of the same conversation shares what
    /// stands before it, even if that message turns out to be another, and all of it if the message stays.
    pub last_text: Range<usize>,
}

/// What is wanted of a prompt.
#[derive(Debug)]
pub enum Task {
    /// Only to process it, for a prompt that goes on from it and will come soon. Gives way to any answer.
    ReadAhead,
    Answer {
        sampling: Sampling,
        /// Most tokens to generate; `None` is as many as the context holds.
        max_tokens: Option<usize>,
        /// Texts that end the answer and are not part of it.
        stops: Vec<String>,
        form: Form,
    },
}

/// What an answer may be.
#[derive(Debug)]
pub enum Form {
    Text,
    /// Text whose first token this grammar allows.
    Words(LlamaSampler),
    /// What this grammar allows.
    Grammar(LlamaSampler),
    /// Text and calls of tools.
    Calls(CallRules),
}

impl Job {
    pub fn is_read_ahead(&self) -> bool {
        matches!(self.task, Task::ReadAhead)
    }
}

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// 0 takes the likeliest token; OpenAI's range is 0 to 2.
    pub temperature: f32,
    /// Only the likeliest tokens whose probabilities add up to this, above 0 to 1.
    pub top_p: f32,
    /// Only this many of the likeliest tokens; 0 is no limit.
    pub top_k: u32,
    /// Taken off a token's logit for each time that it was said, -2 to 2.
    pub frequency_penalty: f32,
    /// Taken off a token's logit once it was said, -2 to 2.
    pub presence_penalty: f32,
    pub seed: u32,
    /// Never choose a token that ends the answer: for measuring, and for tests that need a long one.
    pub ignore_eos: bool,
}

impl Sampling {
    /// Always the likeliest token.
    pub const GREEDY: Self = Self {
        temperature: 0.0,
        top_p: 1.0,
        top_k: 0,
        frequency_penalty: 0.0,
        presence_penalty: 0.0,
        seed: 0,
        ignore_eos: false,
    };
}

/// What the engine says about one job, in order: texts and calls, then one of the others.
#[derive(Debug)]
pub enum Event {
    /// The next piece of the answer, never empty, always whole characters.
    Text(String),
    /// A tool is to be run: its name and the JSON text of its arguments.
    Call {
        name: String,
        arguments: String,
    },
    Finished(Finished),
    Failed(Failure),
}

/// The end of an answer that went well.
#[derive(Debug, Clone, Copy)]
pub struct Finished {
    pub reason: FinishReason,
    pub usage: Usage,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model said that it is done, or a stop text came; a prompt was read ahead to its end.
    Stop,
    /// As before, and a tool was called.
    Calls,
    /// `max_tokens` or the context was used up; reading ahead gave way to an answer.
    Length,
}

/// Tokens of one answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub prompt: usize,
    /// Of `prompt`, those that were kept from before.
    pub cached: usize,
    pub completion: usize,
}

/// Why an answer could not be made or was cut off.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    #[error("the server is shutting down; send the request again when it is back")]
    ShuttingDown,
    #[error("other answers hold all of the context's memory; try again, or start the server with a larger --context")]
    NoMemory,
    #[error("llama.cpp could not process the prompt ({0}); try again, and restart the server if it stays")]
    Decode(String),
    #[error("the model has no token for what the answer's form asks for; change the schema, or use another model")]
    Grammar,
}
