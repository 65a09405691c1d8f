//! One answer in the making, or a prompt that is only read ahead: which tokens are to be processed next, and what
//! becomes of a token that was chosen (text, a stop, the end). It owns no memory of the model and makes no call that
//! computes; the engine does.

use std::ops::Range;
use std::time::Instant;

use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::LlamaVocab;
use tokio::sync::mpsc;

use crate::clock;
use crate::job::{Event, Failure, FinishReason, Finished, Job, Task, Usage};
use crate::model::Model;
use crate::sampling;
use crate::stop::{Passed, StopText};
use crate::utf8::Utf8Decoder;

/// Lives from the choice of a slot to the end of the answer.
pub struct Answer {
    /// The prompt; afterwards the one token that was chosen last.
    tokens: Vec<LlamaToken>,
    /// How many of `tokens` are processed.
    processed: usize,
    /// As in the job's prompt.
    last_text: Range<usize>,
    /// `None` if the prompt is only read ahead.
    sampler: Option<LlamaSampler>,
    decoder: Utf8Decoder,
    stop: StopText,
    max_tokens: usize,
    usage: Usage,
    events: mpsc::Sender<Event>,
    began: Instant,
    first_token: Option<Instant>,
}

impl Answer {
    /// `kept` tokens of the prompt lie in memory already. `context` is the most tokens that prompt and answer may
    /// have together.
    pub fn new(job: Job, kept: usize, context: usize, model: &Model) -> Self {
        let prompt = job.prompt;
        let room = context.saturating_sub(prompt.tokens.len()).max(1);
        let (sampler, max_tokens, stops) = match job.task {
            Task::ReadAhead => (None, None, Vec::new()),
            Task::Answer { sampling, max_tokens, stops } => (Some(sampling::chain(sampling, model)), max_tokens, stops),
        };
        Self {
            usage: Usage { prompt: prompt.tokens.len(), cached: kept, completion: 0 },
            tokens: prompt.tokens,
            processed: kept,
            last_text: prompt.last_text,
            sampler,
            decoder: Utf8Decoder::default(),
            stop: StopText::new(stops),
            max_tokens: max_tokens.map_or(room, |most| most.min(room)),
            events: job.events,
            began: clock::now(),
            first_token: None,
        }
    }

    /// Nobody waits for this answer any more.
    pub fn is_abandoned(&self) -> bool {
        self.events.is_closed()
    }

    /// Whether nobody waits for a token of it.
    pub fn is_read_ahead(&self) -> bool {
        self.sampler.is_none()
    }

    /// Where the text of the prompt's last message lies among its tokens.
    pub fn last_text(&self) -> Range<usize> {
        self.last_text.clone()
    }

    /// Whether the next token to process was chosen by the model, so that the client waits for it with each step.
    pub fn is_speaking(&self) -> bool {
        self.first_token.is_some()
    }

    /// The next tokens to process, at most `most` of them, never empty for `most` above 0.
    pub fn next(&self, most: usize) -> &[LlamaToken] {
        let end = self.tokens.len().min(self.processed.saturating_add(most));
        &self.tokens[self.processed..end]
    }

    /// `count` more tokens are processed. True if these were all: then a token is to be chosen, if there is a sampler.
    pub fn advance(&mut self, count: usize) -> bool {
        self.processed += count;
        self.processed == self.tokens.len()
    }

    /// The chain that chooses the next token. Choosing also tells it what was chosen.
    pub fn sampler(&mut self) -> Option<&mut LlamaSampler> {
        self.sampler.as_mut()
    }

    /// Takes the token that was chosen. `Some` if the answer ends with it.
    pub fn accept(&mut self, token: LlamaToken, vocab: &LlamaVocab<'_>) -> Option<FinishReason> {
        self.first_token.get_or_insert_with(clock::now);
        self.usage.completion += 1;
        if vocab.is_eog(token) {
            return Some(FinishReason::Stop);
        }
        let text = self.decoder.push(&vocab.token_to_piece(token, false, None));
        match self.stop.push(&text) {
            Passed::Text(text) => self.send_text(text),
            Passed::Last(text) => {
                self.send_text(text);
                return Some(FinishReason::Stop);
            }
        }
        self.tokens.clear();
        self.tokens.push(token);
        self.processed = 0;
        (self.usage.completion >= self.max_tokens).then_some(FinishReason::Length)
    }

    /// Tells the client that the answer has ended.
    pub fn finish(mut self, reason: FinishReason) {
        let held = self.stop.finish();
        self.send_text(held);
        self.log(match reason {
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
        });
        self.send(Event::Finished(Finished { reason, usage: self.usage }));
    }

    /// Memory ran out: what was said stands, as if the context were full; without a word it is a failure.
    pub fn starve(self) {
        if self.is_speaking() { self.finish(FinishReason::Length) } else { self.fail(Failure::NoMemory) }
    }

    /// Tells the client that there is no (more) answer, and why.
    pub fn fail(self, failure: Failure) {
        self.log("failed");
        self.send(Event::Failed(failure));
    }

    /// Ends the answer of a client that has gone.
    pub fn abandon(self) {
        self.log("abandoned");
    }

    fn send_text(&self, text: String) {
        if !text.is_empty() {
            self.send(Event::Text(text));
        }
    }

    /// Never waits: the channel has room for a whole context of tokens, so only a gone client makes this fail, and
    /// that is noticed before the next step.
    fn send(&self, event: Event) {
        drop(self.events.try_send(event));
    }

    fn log(&self, end: &str) {
        let Usage { prompt, cached, completion } = self.usage;
        if self.is_read_ahead() {
            let (processed, millis) = (self.processed, clock::now().duration_since(self.began).as_millis());
            return tracing::debug!(end, prompt, cached, processed, millis, "prompt read ahead");
        }
        let until_first = self.first_token.unwrap_or_else(clock::now).duration_since(self.began);
        let speaking = self.first_token.map_or(0.0, |first| clock::now().duration_since(first).as_secs_f64());
        let later_tokens = self.usage.completion.saturating_sub(1);
        let tokens_per_second = if speaking > 0.0 { later_tokens as f64 / speaking } else { 0.0 };
        tracing::info!(
            end,
            prompt,
            cached,
            completion,
            first_token_millis = until_first.as_millis(),
            tokens_per_second = format_args!("{tokens_per_second:.1}"),
            "answer"
        );
    }
}
