//! One answer in the making, or a prompt that is only read ahead: which tokens are to be processed next, and what
//! becomes of a token that was chosen (text, a stop, the end). It owns no memory of the model and makes no call that
//! computes; the engine does.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::LlamaVocab;
use tokio::sync::mpsc;

use crate::calls::{CallText, Part};
use crate::chooser::{self, Chooser};
use crate::clock;
use crate::job::{Event, Failure, FinishReason, Finished, Form, Job, Task, Usage};
use crate::metrics::Metrics;
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
    chooser: Option<Chooser>,
    /// Its grammar is for the first token alone.
    first_only: bool,
    decoder: Utf8Decoder,
    calls: Option<Calls>,
    stop: StopText,
    max_tokens: usize,
    usage: Usage,
    events: mpsc::Sender<Event>,
    began: Instant,
    first_token: Option<Instant>,
    /// `None` if nobody is to hear of it.
    metrics: Option<Arc<Metrics>>,
}

/// The calls of an answer that may hold some.
struct Calls {
    text: CallText,
    /// What keeps a call between marks, and one without, to the tools; `None` if something keeps the whole answer.
    grammars: Option<[LlamaSampler; 2]>,
    /// Tokens of what may be a call without marks.
    bare: Vec<LlamaToken>,
    once: bool,
    /// Calls that were told.
    made: usize,
}

impl Answer {
    /// `kept` tokens of the prompt lie in memory already. `context` is the most tokens that prompt and answer may
    /// have together.
    pub fn new(job: Job, kept: usize, context: usize, model: &Model, metrics: Option<Arc<Metrics>>) -> Self {
        let prompt = job.prompt;
        let room = context.saturating_sub(prompt.tokens.len()).max(1);
        let mut first_only = false;
        let (chooser, max_tokens, stops, calls) = match job.task {
            Task::ReadAhead => (None, None, Vec::new(), None),
            Task::Answer { sampling, max_tokens, stops, form } => {
                let (grammar, calls) = match form {
                    Form::Text => (None, None),
                    Form::Words(grammar) => {
                        first_only = true;
                        (Some(grammar), None)
                    }
                    Form::Grammar(grammar) => (Some(grammar), None),
                    Form::Calls(rules) => {
                        let grammars = rules.whole.is_none().then_some([rules.call, rules.bare]);
                        let text = CallText::new(rules.names);
                        let calls = Calls { text, grammars, bare: Vec::new(), once: rules.once, made: 0 };
                        (rules.whole, Some(calls))
                    }
                };
                (Some(Chooser::new(sampling::chain(sampling, model), grammar)), max_tokens, stops, calls)
            }
        };
        Self {
            usage: Usage { prompt: prompt.tokens.len(), cached: kept, completion: 0 },
            tokens: prompt.tokens,
            processed: kept,
            last_text: prompt.last_text,
            chooser,
            first_only,
            decoder: Utf8Decoder::default(),
            calls,
            stop: StopText::new(stops),
            max_tokens: max_tokens.map_or(room, |most| most.min(room)),
            events: job.events,
            began: clock::now(),
            first_token: None,
            metrics,
        }
    }

    /// Nobody waits for this answer any more.
    pub fn is_abandoned(&self) -> bool {
        self.events.is_closed()
    }

    /// Whether nobody waits for a token of it.
    pub fn is_read_ahead(&self) -> bool {
        self.chooser.is_none()
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

    /// What chooses the next token, unless the prompt is only read ahead.
    pub fn chooser(&mut self) -> Option<&mut Chooser> {
        self.chooser.as_mut()
    }

    /// Takes the token that was chosen. `Some` if the answer ends with it.
    pub fn accept(&mut self, token: LlamaToken, vocab: &LlamaVocab<'_>) -> Option<FinishReason> {
        self.first_token.get_or_insert_with(clock::now);
        self.usage.completion += 1;
        if vocab.is_eog(token) {
            return Some(FinishReason::Stop);
        }
        let text = self.decoder.push(&vocab.token_to_piece(token, false, None));
        if std::mem::take(&mut self.first_only)
            && let Some(chooser) = &mut self.chooser
        {
            chooser.set_grammar(None);
        }
        if self.say(&text, token) {
            return Some(FinishReason::Stop);
        }
        self.tokens.clear();
        self.tokens.push(token);
        self.processed = 0;
        (self.usage.completion >= self.max_tokens).then_some(FinishReason::Length)
    }

    /// Tells the client what the model said. True if the answer ends with it.
    fn say(&mut self, text: &str, token: LlamaToken) -> bool {
        let Some(calls) = &mut self.calls else { return self.say_text(text) };
        let (begun, could_be_bare) = (calls.text.begun(), calls.text.is_bare());
        let parts = calls.text.push(text);
        if let (Some(chooser), Some([marked, bare])) = (&mut self.chooser, &calls.grammars) {
            if could_be_bare && calls.text.is_bare() {
                calls.bare.push(token);
                if calls.text.names_tool() && !chooser.has_grammar() {
                    chooser.set_grammar(chooser::after(bare, &calls.bare));
                }
            } else if calls.text.begun() > begun {
                // Of a call that began within a token the grammar could not know how much has been said.
                chooser.set_grammar(calls.text.is_at_start().then(|| marked.clone()));
            } else if !calls.text.is_inside() {
                chooser.set_grammar(None);
            }
        }
        parts.into_iter().any(|part| self.say_part(part))
    }

    fn say_part(&mut self, part: Part) -> bool {
        match part {
            Part::Text(text) => self.say_text(&text),
            Part::Call { name, arguments } => {
                self.send(Event::Call { name, arguments });
                self.calls.as_mut().is_some_and(|calls| {
                    calls.made += 1;
                    // What follows one without marks is seldom another call, and often the same again.
                    calls.once || calls.text.begun() == 0
                })
            }
        }
    }

    fn say_text(&mut self, text: &str) -> bool {
        match self.stop.push(text) {
            Passed::Text(text) => {
                self.send_text(text);
                false
            }
            Passed::Last(text) => {
                self.send_text(text);
                true
            }
        }
    }

    /// Tells the client that the answer has ended.
    pub fn finish(mut self, reason: FinishReason) {
        let held = self.calls.as_mut().and_then(|calls| calls.text.finish());
        if !held.is_some_and(|part| self.say_part(part)) {
            let held = self.stop.finish();
            self.send_text(held);
        }
        let is_called = self.calls.as_ref().is_some_and(|calls| calls.made > 0);
        let reason = if is_called && reason == FinishReason::Stop { FinishReason::Calls } else { reason };
        self.log(match reason {
            FinishReason::Stop => "stop",
            FinishReason::Calls => "tool_calls",
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
            if let Some(metrics) = &self.metrics {
                metrics.read_ahead.with_label_values(&[end]).inc();
            }
            let (processed, millis) = (self.processed, clock::now().duration_since(self.began).as_millis());
            return tracing::debug!(end, prompt, cached, processed, millis, "prompt read ahead");
        }
        let until_first = self.first_token.unwrap_or_else(clock::now).duration_since(self.began);
        let speaking = self.first_token.map_or(0.0, |first| clock::now().duration_since(first).as_secs_f64());
        let later_tokens = self.usage.completion.saturating_sub(1);
        let tokens_per_second = if speaking > 0.0 { later_tokens as f64 / speaking } else { 0.0 };
        if let Some(metrics) = &self.metrics {
            let count = |tokens: usize| u64::try_from(tokens).unwrap_or(u64::MAX);
            metrics.answers.with_label_values(&[end]).inc();
            metrics.prompt_tokens.inc_by(count(prompt));
            metrics.cached_tokens.inc_by(count(cached));
            metrics.completion_tokens.inc_by(count(completion));
            metrics.tool_calls.inc_by(count(self.calls.as_ref().map_or(0, |calls| calls.made)));
            if self.first_token.is_some() {
                let kind = if cached > 0 { "kept" } else { "new" };
                metrics.first_token_seconds.with_label_values(&[kind]).observe(until_first.as_secs_f64());
            }
            if tokens_per_second > 0.0 {
                metrics.tokens_per_second.observe(tokens_per_second);
            }
        }
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
