//! An answer that is being streamed: from the server's chunks to pieces, within the limits of time.
//!
//! Ends after the last piece or the first error. Knows one server; which one is asked, and what happens when it fails,
//! is `endpoint`'s and `client`'s.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_openai::error::OpenAIError;
use futures::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::calls::{Calls, Unusable};
use super::chat::Piece;
use super::endpoint::Endpoint;
use super::error::LanguageError;
use super::transport::told;
use super::wire::{Choice, Chunk};
use crate::dialogue::Usage;

/// How a server says that the answer is as long as it may be.
const LENGTH: &str = "length";

pub type Chunks = Pin<Box<dyn Stream<Item = Result<Chunk, OpenAIError>> + Send>>;

/// See the module's text. Dropping it closes the connection.
pub struct Answer {
    chunks: Chunks,
    endpoint: Arc<Endpoint>,
    /// As it is told.
    url: String,
    start: Instant,
    /// Text, or the beginning of a call, has come.
    spoken: bool,
    /// Why the server ended the answer, so that it is whole.
    finished: Option<String>,
    calls: Calls,
    usage: Option<Usage>,
    /// Made, but not given out yet.
    ready: VecDeque<Result<Piece, LanguageError>>,
    /// No chunk is read any more.
    over: bool,
    /// Something was given out.
    given: bool,
    /// It ended with an error.
    failed: bool,
}

impl Answer {
    /// `start`: when it was asked for.
    pub fn new(chunks: Chunks, endpoint: Arc<Endpoint>, url: String, start: Instant) -> Self {
        Self {
            chunks,
            endpoint,
            url,
            start,
            spoken: false,
            finished: None,
            calls: Calls::default(),
            usage: None,
            ready: VecDeque::new(),
            over: false,
            given: false,
            failed: false,
        }
    }

    /// Why the server ended the answer, as far as it said.
    pub fn ending(&self) -> &str {
        self.finished.as_deref().unwrap_or("no reason given")
    }

    /// The address, as it is told.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The next piece.
    pub async fn next(&mut self) -> Option<Result<Piece, LanguageError>> {
        while self.ready.is_empty() && !self.over {
            let chunk = timeout_at(self.limit(), self.chunks.next()).await;
            if let Err(error) = self.take(chunk) {
                self.ready.push_back(Err(error));
                self.over = true;
            }
        }
        if self.failed {
            return None;
        }
        let piece = self.ready.pop_front()?;
        match &piece {
            Ok(_) => self.given = true,
            Err(error) => {
                self.failed = true;
                // Before the first piece whoever asked counts it.
                if self.given {
                    self.endpoint.failed(error);
                }
            }
        }
        Some(piece)
    }

    fn limit(&self) -> Instant {
        let (first, total) = self.endpoint.limits_millis();
        self.start + Duration::from_millis(if self.spoken { total } else { first.min(total) })
    }

    fn take<E>(&mut self, chunk: Result<Option<Result<Chunk, OpenAIError>>, E>) -> Result<(), LanguageError> {
        let chunk = match chunk {
            Ok(Some(Ok(chunk))) => chunk,
            Ok(Some(Err(error))) => return Err(self.endpoint.told(&self.url, error)),
            Ok(None) => return self.end(),
            Err(_) => {
                let (first, total) = self.endpoint.limits_millis();
                return Err(match self.spoken {
                    true => LanguageError::Total { millis: total },
                    false => LanguageError::FirstToken { url: self.url.clone(), millis: first.min(total) },
                });
            }
        };
        if let Some(error) = chunk.error {
            let reason = error.get("message").unwrap_or(&error);
            return Err(self.cut_off(reason.as_str().map_or_else(|| told(&reason.to_string()), told)));
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(usage.into());
        }
        chunk.choices.into_iter().next().map_or(Ok(()), |choice| self.take_choice(choice))
    }

    fn take_choice(&mut self, choice: Choice) -> Result<(), LanguageError> {
        let text = choice.delta.content.into_iter().chain(choice.delta.refusal);
        for text in text.filter(|text| !text.is_empty()) {
            self.spoken = true;
            self.ready.push_back(Ok(Piece::Text(text)));
        }
        for delta in choice.delta.tool_calls.into_iter().flatten() {
            self.spoken = true;
            if !self.calls.push(delta) {
                return Err(LanguageError::Rubbish { url: self.url.clone(), reason: "it calls too many tools".into() });
            }
        }
        if choice.finish_reason.is_some() {
            self.finished = choice.finish_reason;
        }
        Ok(())
    }

    /// The server sends nothing further.
    fn end(&mut self) -> Result<(), LanguageError> {
        self.over = true;
        let Some(finished) = &self.finished else {
            return Err(self.cut_off("the connection was closed".to_owned()));
        };
        let cut = finished == LENGTH;
        for call in std::mem::take(&mut self.calls).finish(new_id) {
            self.ready.push_back(match call {
                Ok(call) => Ok(Piece::Call(call)),
                Err(Unusable { tool, reason }) => Err(LanguageError::Arguments { tool, reason, cut }),
            });
        }
        self.ready.extend(self.usage.take().map(|usage| Ok(Piece::Usage(usage))));
        Ok(())
    }

    fn cut_off(&self, reason: String) -> LanguageError {
        LanguageError::CutOff { url: self.url.clone(), reason }
    }
}

impl Drop for Answer {
    /// Also where nobody wanted the rest.
    fn drop(&mut self) {
        if self.spoken && self.given && !self.failed {
            self.endpoint.succeeded();
        }
    }
}

fn new_id() -> String {
    format!("call_{:016x}", rand::random::<u64>())
}
