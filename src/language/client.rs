//! Streams an answer from any OpenAI-compatible chat server.
//!
//! Stands between the dialogue's prompt and its tokens. Dropping the stream closes the connection, which
//! ends the generation. Own request and reply types, because servers differ in what they leave out.

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::{LanguageSettings, LocalServer, Provider};
use crate::clock;
use crate::dialogue::{Message, Usage};

/// A piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Text(String),
    /// Last, if the server counts.
    Usage(Usage),
}

#[derive(Debug, thiserror::Error)]
pub enum LanguageError {
    #[error("the language model at {url} cannot be reached or broke off: {source}")]
    Server { url: String, source: Box<OpenAIError> },
    #[error(
        "the language model at {url} gave no word within {millis} ms: raise llm.first_token_timeout_millis or use a faster model"
    )]
    FirstToken { url: String, millis: u64 },
    #[error(
        "the answer took longer than {millis} ms and was ended: raise llm.total_timeout_millis or lower llm.max_tokens"
    )]
    Total { millis: u64 },
    #[error("the answer of the language model at {url} ended before it was complete")]
    CutOff { url: String },
    #[error("the local language model is not running yet: {reason}")]
    LocalDown { reason: String },
}

#[derive(Serialize)]
struct ChatRequest {
    model: String,
    messages: Vec<ChatMessage>,
    temperature: f32,
    max_tokens: u32,
    stream: bool,
    stream_options: StreamOptions,
    /// Known only to `visavis-llm`: nothing is generated, only processed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    read_ahead: bool,
}

#[derive(Serialize)]
struct ChatMessage {
    role: &'static str,
    content: String,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<ChunkUsage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
struct ChunkUsage {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Deserialize)]
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

/// The configured model. Cheap to clone; connections are pooled.
#[derive(Clone)]
pub struct LanguageModel {
    settings: LanguageSettings,
    api_key: String,
    local: Option<LocalServer>,
    http: reqwest::Client,
}

impl LanguageModel {
    /// `local` is the server to ask with [`Provider::Local`].
    pub fn new(settings: LanguageSettings, local: Option<LocalServer>) -> Self {
        let key = std::env::var(&settings.api_key_env).unwrap_or_default();
        let api_key = if settings.provider == Provider::OpenAi { key } else { String::new() };
        Self { settings, api_key, local, http: reqwest::Client::new() }
    }

    pub fn settings(&self) -> &LanguageSettings {
        &self.settings
    }

    fn base_url(&self) -> Result<String, LanguageError> {
        match (&self.settings.provider, &self.local) {
            (Provider::Local, Some(local)) => local.base_url().map_err(|reason| LanguageError::LocalDown { reason }),
            _ => Ok(self.settings.base_url.clone()),
        }
    }

    /// Whether an answer could be asked for now; the reason if not.
    pub fn ready(&self) -> Result<(), String> {
        self.base_url().map(drop).map_err(|error| error.to_string())
    }

    /// Asks for an answer. The stream ends after the last piece or the first error.
    pub fn answer(
        &self,
        prompt: Vec<Message>,
        max_tokens: Option<u32>,
    ) -> impl Stream<Item = Result<Piece, LanguageError>> + Send + use<> {
        self.ask(prompt, max_tokens, false)
    }

    /// Lets the local server, which keeps processed prompts, process what is known of the next one, so that the answer
    /// to it begins sooner. The last message may be the person's, unfinished: of what was read, all counts that the
    /// next prompt begins with too. Answers go first, whoever asks for them. Dropping this ends it, as is due when
    /// more is known: of two for one conversation the later takes up what the earlier has read.
    pub async fn read_ahead(&self, prompt: Vec<Message>) {
        if self.settings.provider != Provider::Local {
            return;
        }
        let mut answer = Box::pin(self.ask(prompt, None, true));
        while let Some(piece) = answer.next().await {
            if let Err(error) = piece {
                return tracing::debug!(%error, "the prompt was not read ahead");
            }
        }
    }

    fn ask(
        &self,
        prompt: Vec<Message>,
        max_tokens: Option<u32>,
        read_ahead: bool,
    ) -> impl Stream<Item = Result<Piece, LanguageError>> + Send + use<> {
        let model = self.clone();
        stream::once(async move { model.open(prompt, max_tokens, read_ahead).await }).flat_map(|opened| match opened {
            Ok(answer) => answer.left_stream(),
            Err(error) => stream::once(async move { Err(error) }).right_stream(),
        })
    }

    async fn open(
        self,
        prompt: Vec<Message>,
        max_tokens: Option<u32>,
        read_ahead: bool,
    ) -> Result<impl Stream<Item = Result<Piece, LanguageError>> + Send, LanguageError> {
        let url = self.base_url()?;
        let config = OpenAIConfig::new().with_api_base(&url).with_api_key(&self.api_key);
        let client = Client::build(self.http.clone(), config);
        let request = ChatRequest {
            model: self.settings.model.clone(),
            messages: prompt.into_iter().map(|m| ChatMessage { role: m.role.name(), content: m.content }).collect(),
            temperature: self.settings.temperature,
            max_tokens: max_tokens.unwrap_or(self.settings.max_tokens).min(self.settings.max_tokens),
            stream: true,
            stream_options: StreamOptions { include_usage: true },
            read_ahead,
        };
        let start = Instant::from_std(clock::now());
        let first = Duration::from_millis(self.settings.first_token_timeout_millis);
        let total = Duration::from_millis(self.settings.total_timeout_millis);
        let slow = LanguageError::FirstToken { url: url.clone(), millis: self.settings.first_token_timeout_millis };
        let asked = timeout_at(start + first.min(total), client.chat().create_stream_byot::<_, Chunk>(request)).await;
        let chunks = match asked {
            Ok(Ok(chunks)) => chunks,
            Ok(Err(source)) => return Err(LanguageError::Server { url, source: Box::new(source) }),
            Err(_) => return Err(slow),
        };
        Ok(pieces(chunks, url, start, self.settings.first_token_timeout_millis, self.settings.total_timeout_millis))
    }
}

type Chunks = std::pin::Pin<Box<dyn Stream<Item = Result<Chunk, OpenAIError>> + Send>>;

/// State of a running answer.
struct Answer {
    chunks: Chunks,
    url: String,
    start: Instant,
    first_millis: u64,
    total_millis: u64,
    /// A word has come.
    spoken: bool,
    /// The server said why it stopped, so the answer is whole.
    finished: bool,
    /// Nothing further is given out.
    over: bool,
}

fn pieces(
    chunks: Chunks,
    url: String,
    start: Instant,
    first_millis: u64,
    total_millis: u64,
) -> impl Stream<Item = Result<Piece, LanguageError>> + Send {
    let answer = Answer { chunks, url, start, first_millis, total_millis, spoken: false, finished: false, over: false };
    stream::unfold(answer, |mut answer| async move {
        let piece = answer.next().await?;
        answer.over |= piece.is_err();
        Some((piece, answer))
    })
}

impl Answer {
    async fn next(&mut self) -> Option<Result<Piece, LanguageError>> {
        while !self.over {
            let limit = if self.spoken { self.total_millis } else { self.first_millis.min(self.total_millis) };
            let Ok(chunk) = timeout_at(self.start + Duration::from_millis(limit), self.chunks.next()).await else {
                return Some(Err(match self.spoken {
                    true => LanguageError::Total { millis: limit },
                    false => LanguageError::FirstToken { url: self.url.clone(), millis: limit },
                }));
            };
            let chunk = match chunk {
                Some(Ok(chunk)) => chunk,
                Some(Err(source)) => {
                    return Some(Err(LanguageError::Server { url: self.url.clone(), source: Box::new(source) }));
                }
                None if self.finished => return None,
                None => return Some(Err(LanguageError::CutOff { url: self.url.clone() })),
            };
            let choice = chunk.choices.into_iter().next();
            self.finished |= choice.as_ref().is_some_and(|choice| choice.finish_reason.is_some());
            if let Some(usage) = chunk.usage {
                return Some(Ok(Piece::Usage(usage.into())));
            }
            if let Some(text) = choice.and_then(|choice| choice.delta.content).filter(|text| !text.is_empty()) {
                self.spoken = true;
                return Some(Ok(Piece::Text(text)));
            }
        }
        None
    }
}
