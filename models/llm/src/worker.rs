//! The thread that computes. It takes jobs from the queue into slots and advances all answers together, one step
//! after the other: a step processes one token of each answer that speaks, and a bounded piece of the prompts that
//! wait. Between steps it looks whether anybody still listens. A prompt is read ahead only while there is no answer
//! to make, and given up as soon as there is one: what was processed stays in its slot, where the answer to the same
//! conversation finds it. Which slot a prompt gets is `slots`' choice.

use std::iter;
use std::num::NonZeroU32;
use std::sync::Arc;

use llama_cpp_2::DecodeError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use tokio::sync::mpsc;

use crate::answer::Answer;
use crate::engine::{Options, StartError};
use crate::job::{Event, Failure, FinishReason, Finished, Form, Job, Sampling, Task, Usage};
use crate::metrics::Metrics;
use crate::model::{Message, Model, USER};
use crate::queue::Queue;
use crate::slots::{Choice, Slots};

/// Prompt tokens processed in one step: more is hardly faster, and a client that left is noticed only after it.
const PROMPT_PIECE: usize = 32;
/// The same for a prompt that is read ahead: an answer may have to wait for one such step.
const AHEAD_PIECE: usize = 8;
/// Two tokens use both shapes of batch: a prompt, and one token after it.
const WARM_UP_TOKENS: usize = 2;
/// Room for the texts of the warm-up and its end.
const WARM_UP_EVENTS: usize = 8;

/// What lives on the inference thread.
pub struct Worker<'model> {
    model: &'model Model,
    context: LlamaContext<'model>,
    context_tokens: usize,
    /// Whether the first tokens of a sequence can be taken over into another one.
    can_copy: bool,
    batch: LlamaBatch<'static>,
    slots: Slots<LlamaToken>,
    /// The answer that is made in each slot.
    answers: Vec<Option<Answer>>,
    metrics: &'model Arc<Metrics>,
    /// The warm-up is nobody's answer.
    is_warm: bool,
}

impl<'model> Worker<'model> {
    /// Makes the context.
    pub fn new(model: &'model Model, options: Options, metrics: &'model Arc<Metrics>) -> Result<Self, StartError> {
        let Options { threads, threads_batch, slots, .. } = options;
        let trained = model.llama.n_ctx_train();
        if options.context > trained {
            tracing::warn!(asked = options.context, trained, "context cut to what the model was trained with");
        }
        let context_tokens = options.context.min(trained);
        let batch = PROMPT_PIECE + usize::from(slots);
        let batch_tokens = u32::try_from(batch).unwrap_or(u32::MAX);
        // One memory for all sequences, so that a long conversation may use what the others leave free, and a
        // prefix that two conversations share is held once.
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new(context_tokens))
            .with_n_seq_max(slots.into())
            .with_kv_unified(true)
            .with_n_batch(batch_tokens)
            .with_n_ubatch(batch_tokens)
            .with_n_threads(threads.into())
            .with_n_threads_batch(threads_batch.into());
        let context = model
            .llama
            .new_context(&model.backend, params)
            .map_err(|source| StartError::Context { context: context_tokens, source })?;
        Ok(Self {
            context_tokens: usize::try_from(context_tokens).unwrap_or(usize::MAX),
            can_copy: !model.llama.is_recurrent() && !model.llama.is_hybrid(),
            batch: LlamaBatch::new(batch, 1),
            slots: Slots::new(slots.into()),
            answers: iter::repeat_with(|| None).take(slots.into()).collect(),
            metrics,
            is_warm: false,
            model,
            context,
        })
    }

    /// Most tokens of a prompt and its answer together.
    pub fn context_tokens(&self) -> usize {
        self.context_tokens
    }

    /// Makes a short answer for nobody, then forgets it.
    pub fn warm_up(&mut self) -> Result<(), StartError> {
        let prompt = self
            .model
            .prompt(&[Message::new(USER, "Hello")], &[])
            .map_err(|error| StartError::WarmUp(error.to_string()))?;
        let (events, mut answer) = mpsc::channel(WARM_UP_EVENTS);
        let (max_tokens, stops) = (Some(WARM_UP_TOKENS), Vec::new());
        let task = Task::Answer { sampling: Sampling::GREEDY, max_tokens, stops, form: Form::Text };
        self.admit(Job { prompt, task, events });
        while self.is_busy() {
            self.step();
        }
        self.forget_all();
        self.is_warm = true;
        loop {
            match answer.try_recv() {
                Ok(Event::Text(_) | Event::Call { .. }) => {}
                Ok(Event::Finished(_)) => return Ok(()),
                Ok(Event::Failed(failure)) => return Err(StartError::WarmUp(failure.to_string())),
                Err(error) => return Err(StartError::WarmUp(error.to_string())),
            }
        }
    }

    /// Works until the queue is stopped; then fails what is not finished.
    pub fn run(mut self, queue: &Queue) {
        while !queue.is_stopped() {
            if !self.is_busy() {
                match queue.wait() {
                    Some(job) => self.admit(job),
                    None => break,
                }
            }
            self.drop_abandoned();
            // Also where what is read ahead has the only slot.
            if queue.has_answer() {
                self.give_way();
            }
            while self.slots.any_idle() {
                let job = if self.is_busy() { queue.take_answer() } else { queue.take() };
                match job {
                    Some(job) => self.admit(job),
                    None => break,
                }
            }
            self.step();
        }
        for job in iter::from_fn(|| queue.take()) {
            drop(job.events.try_send(Event::Failed(Failure::ShuttingDown)));
        }
        for answer in self.answers.iter_mut().filter_map(Option::take) {
            answer.fail(Failure::ShuttingDown);
        }
    }

    fn is_busy(&self) -> bool {
        self.answers.iter().any(Option::is_some)
    }

    /// Gives a job its slot. To be called only when one is idle.
    fn admit(&mut self, job: Job) {
        if job.events.is_closed() {
            return;
        }
        if !job.is_read_ahead() {
            self.give_way();
        }
        let tokens = &job.prompt.tokens;
        if job.is_read_ahead() && self.slots.hold(tokens) {
            let usage = Usage { prompt: tokens.len(), cached: tokens.len(), completion: 0 };
            drop(job.events.try_send(Event::Finished(Finished { reason: FinishReason::Stop, usage })));
            return;
        }
        let Some(choice) = self.slots.take(tokens, job.prompt.last_text.start + 1) else {
            drop(job.events.try_send(Event::Failed(Failure::NoMemory)));
            return;
        };
        let kept = self.keep(choice);
        let metrics = self.is_warm.then(|| Arc::clone(self.metrics));
        self.answers[choice.slot] = Some(Answer::new(job, kept, self.context_tokens, self.model, metrics));
        self.count_slots();
    }

    /// Brings the slot's memory to what was chosen; returns how many tokens it holds then.
    fn keep(&mut self, choice: Choice) -> usize {
        let Choice { slot, copy_from, keep } = choice;
        let (sequence, end) = (sequence(slot), u32::try_from(keep).ok());
        let kept = match copy_from {
            None => self.context.clear_kv_cache_seq(Some(sequence), end, None) == Ok(true),
            Some(from) => {
                self.clear(slot);
                self.can_copy
                    && self.context.copy_kv_cache_seq(sequence_id(from), sequence_id(slot), Some(0), end).is_ok()
            }
        };
        if kept {
            return keep;
        }
        // Some kinds of model remember a sequence only as a whole.
        self.clear(slot);
        self.slots.forget(slot);
        0
    }

    /// One step of all answers.
    fn step(&mut self) {
        let planned = self.plan();
        if planned.is_empty() {
            return;
        }
        match self.decode() {
            Ok(()) => self.take_results(&planned),
            Err(Failure::NoMemory) => self.starve_one(),
            Err(failure) => {
                tracing::error!(error = %failure, "all answers are given up");
                for slot in 0..self.answers.len() {
                    self.end(slot, |answer| answer.fail(failure.clone()));
                }
                self.forget_all();
            }
        }
    }

    fn drop_abandoned(&mut self) {
        for slot in 0..self.answers.len() {
            if self.answers[slot].as_ref().is_some_and(Answer::is_abandoned) {
                self.end(slot, Answer::abandon);
            }
        }
    }

    /// Ends what is read ahead.
    fn give_way(&mut self) {
        for slot in 0..self.answers.len() {
            if self.answers[slot].as_ref().is_some_and(Answer::is_read_ahead) {
                self.end(slot, |answer| answer.finish(FinishReason::Length));
            }
        }
    }

    /// Fills the batch: one token of each answer that speaks, and as much of the prompts as a step may hold.
    fn plan(&mut self) -> Vec<Piece> {
        self.batch.clear();
        let mut room = PROMPT_PIECE;
        let mut planned = Vec::with_capacity(self.answers.len());
        let mut index = 0;
        for (slot, answer) in self.answers.iter().enumerate() {
            let Some(answer) = answer else { continue };
            let tokens = answer.next(match () {
                () if answer.is_speaking() => 1,
                () if answer.is_read_ahead() => AHEAD_PIECE.min(room),
                () => room,
            });
            if tokens.is_empty() {
                continue;
            }
            if !answer.is_speaking() {
                room -= tokens.len();
            }
            let start = self.slots.len(slot);
            let whole = answer.next(usize::MAX).len() == tokens.len();
            for (offset, &token) in tokens.iter().enumerate() {
                let wanted = whole && offset + 1 == tokens.len() && !answer.is_read_ahead();
                let position = i32::try_from(start + offset).unwrap_or(i32::MAX);
                // The batch has room for a whole prompt piece and one token of each slot, so this cannot fail.
                drop(self.batch.add(token, position, &[sequence_id(slot)], wanted));
            }
            index += tokens.len();
            planned.push(Piece { slot, tokens: tokens.to_vec(), last_index: index.saturating_sub(1) });
        }
        planned
    }

    /// Processes the batch, giving up what idle slots keep if memory is short.
    fn decode(&mut self) -> Result<(), Failure> {
        loop {
            match self.context.decode(&mut self.batch) {
                Ok(()) => return Ok(()),
                Err(DecodeError::NoKvCacheSlot) => {
                    let oldest = self.slots.oldest_kept().ok_or(Failure::NoMemory)?;
                    tracing::debug!(slot = oldest, "kept prompt given up for memory");
                    self.clear(oldest);
                    self.slots.forget(oldest);
                }
                Err(error) => return Err(Failure::Decode(error.to_string())),
            }
        }
    }

    fn take_results(&mut self, planned: &[Piece]) {
        let vocab = self.model.llama.vocab();
        for piece in planned {
            self.slots.append(piece.slot, &piece.tokens);
            let Some(answer) = &mut self.answers[piece.slot] else { continue };
            if !answer.advance(piece.tokens.len()) {
                continue;
            }
            let index = i32::try_from(piece.last_index).unwrap_or(i32::MAX);
            let Some(chooser) = answer.chooser() else {
                self.end(piece.slot, |answer| answer.finish(FinishReason::Stop));
                continue;
            };
            let token = match chooser.choose(&self.context, index) {
                Ok(token) => token,
                Err(failure) => {
                    self.end(piece.slot, |answer| answer.fail(failure));
                    continue;
                }
            };
            if let Some(reason) = answer.accept(token, &vocab) {
                self.slots.settle(piece.slot, answer.last_text().end);
                self.end(piece.slot, |answer| answer.finish(reason));
            }
        }
    }

    /// Memory is full with answers alone: the one that has the least in it makes room for the others.
    fn starve_one(&mut self) {
        let busy = (0..self.answers.len()).filter(|&slot| self.answers[slot].is_some());
        if let Some(slot) = busy.min_by_key(|&slot| self.slots.len(slot)) {
            self.end(slot, Answer::starve);
        }
    }

    /// Takes the answer out of its slot, which stays filled with what was processed.
    fn end(&mut self, slot: usize, how: impl FnOnce(Answer)) {
        self.slots.release(slot);
        if let Some(answer) = self.answers[slot].take() {
            // Whoever reads the answer's end finds its slot free.
            self.count_slots();
            how(answer);
        }
    }

    fn count_slots(&self) {
        let busy = self.answers.iter().flatten().count();
        self.metrics.slots_busy.set(i64::try_from(busy).unwrap_or(i64::MAX));
    }

    /// Frees the memory of a slot.
    fn clear(&mut self, slot: usize) {
        // Taking away a whole sequence always succeeds.
        drop(self.context.clear_kv_cache_seq(Some(sequence(slot)), None, None));
    }

    fn forget_all(&mut self) {
        self.context.clear_kv_cache();
        for slot in 0..self.answers.len() {
            self.slots.forget(slot);
        }
    }
}

/// What one answer has in the batch.
struct Piece {
    slot: usize,
    tokens: Vec<LlamaToken>,
    /// Where the last of `tokens` lies in the batch.
    last_index: usize,
}

/// llama.cpp's number of a slot's sequence. Slots are counted by a byte, so both forms always fit.
fn sequence(slot: usize) -> u32 {
    u32::try_from(slot).unwrap_or(u32::MAX)
}

fn sequence_id(slot: usize) -> i32 {
    i32::try_from(slot).unwrap_or(i32::MAX)
}
