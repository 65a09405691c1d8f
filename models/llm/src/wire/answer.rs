//! The JSON of answers: whole, and in the chunks of a stream.

use serde::Serialize;

use crate::job;

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
    /// `None` of an answer that is calls and nothing else.
    content: Option<&'a str>,
    refusal: Option<()>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tool_calls: &'a [ToolCall],
}

/// A tool is to be run.
#[derive(Debug, Serialize)]
pub struct ToolCall {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function,
}

#[derive(Debug, Serialize)]
struct Function {
    name: String,
    arguments: String,
}

impl ToolCall {
    /// `id` is known by nobody else.
    pub fn new(id: String, name: String, arguments: String) -> Self {
        Self { id, kind: "function", function: Function { name, arguments } }
    }
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
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallDelta<'a>; 1]>,
}

/// A whole call, the n-th of its answer.
#[derive(Debug, Serialize)]
struct CallDelta<'a> {
    index: usize,
    #[serde(flatten)]
    call: &'a ToolCall,
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
    pub fn completion<'a>(
        &'a self,
        content: &'a str,
        calls: &'a [ToolCall],
        finished: job::Finished,
    ) -> Completion<'a> {
        let content = (calls.is_empty() || !content.is_empty()).then_some(content);
        let message = AnswerMessage { role: "assistant", content, refusal: None, tool_calls: calls };
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
        self.chunk(Delta { role: Some("assistant"), content: Some(""), tool_calls: None }, None)
    }

    /// The next text.
    pub fn text<'a>(&'a self, text: &'a str) -> Chunk<'a> {
        self.chunk(Delta { content: Some(text), ..Delta::default() }, None)
    }

    /// The answer's `index`th call.
    pub fn call<'a>(&'a self, index: usize, call: &'a ToolCall) -> Chunk<'a> {
        self.chunk(Delta { tool_calls: Some([CallDelta { index, call }]), ..Delta::default() }, None)
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
        job::FinishReason::Calls => "tool_calls",
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
