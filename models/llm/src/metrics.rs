//! All metric names, labels and buckets, in one place; served as Prometheus text under `/metrics`.

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
    core::Collector,
};

/// Seconds that somebody waits for a first word.
const WAIT_BUCKETS: &[f64] = &[0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0];
const SPEED_BUCKETS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 120.0, 200.0];

pub struct Metrics {
    registry: Registry,
    /// By `end`: stop, length, tool_calls, failed, abandoned.
    pub answers: IntCounterVec,
    /// Prompts read ahead, by `end`.
    pub read_ahead: IntCounterVec,
    /// By `code`: requests that were not taken.
    pub refused: IntCounterVec,
    pub prompt_tokens: IntCounter,
    /// Of the prompt's, those that were kept from before.
    pub cached_tokens: IntCounter,
    pub completion_tokens: IntCounter,
    pub tool_calls: IntCounter,
    /// By `prompt` (new, kept): from its slot to the first token.
    pub first_token_seconds: HistogramVec,
    pub tokens_per_second: Histogram,
    pub queue_depth: IntGauge,
    pub slots: IntGauge,
    pub slots_busy: IntGauge,
}

impl Metrics {
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            answers: counters("visavis_llm_answers_total", "Answers, by how they ended", "end"),
            read_ahead: counters("visavis_llm_read_ahead_total", "Prompts read ahead, by how that ended", "end"),
            refused: counters("visavis_llm_refused_total", "Requests that were not taken, by reason", "code"),
            prompt_tokens: counter("visavis_llm_prompt_tokens_total", "Tokens of prompts that were answered"),
            cached_tokens: counter("visavis_llm_cached_tokens_total", "Of these, those that were kept from before"),
            completion_tokens: counter("visavis_llm_completion_tokens_total", "Tokens of answers"),
            tool_calls: counter("visavis_llm_tool_calls_total", "Tool calls in answers"),
            first_token_seconds: HistogramVec::new(
                HistogramOpts::new("visavis_llm_first_token_seconds", "From a slot for the prompt to the first token")
                    .buckets(WAIT_BUCKETS.to_vec()),
                &["prompt"],
            )
            .expect("valid metric"),
            tokens_per_second: Histogram::with_opts(
                HistogramOpts::new("visavis_llm_tokens_per_second", "Speed of an answer after its first token")
                    .buckets(SPEED_BUCKETS.to_vec()),
            )
            .expect("valid metric"),
            queue_depth: gauge("visavis_llm_queue_depth", "Requests that wait for a slot"),
            slots: gauge("visavis_llm_slots", "Answers that can be made at the same time"),
            slots_busy: gauge("visavis_llm_slots_busy", "Slots in use"),
            registry,
        };
        let collectors: [Box<dyn Collector>; 12] = [
            Box::new(metrics.answers.clone()),
            Box::new(metrics.read_ahead.clone()),
            Box::new(metrics.refused.clone()),
            Box::new(metrics.prompt_tokens.clone()),
            Box::new(metrics.cached_tokens.clone()),
            Box::new(metrics.completion_tokens.clone()),
            Box::new(metrics.tool_calls.clone()),
            Box::new(metrics.first_token_seconds.clone()),
            Box::new(metrics.tokens_per_second.clone()),
            Box::new(metrics.queue_depth.clone()),
            Box::new(metrics.slots.clone()),
            Box::new(metrics.slots_busy.clone()),
        ];
        for collector in collectors {
            metrics.registry.register(collector).expect("unique metric");
        }
        metrics
    }

    /// Prometheus text format.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        match TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            Ok(()) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) => format!("# metrics cannot be written: {error}\n"),
        }
    }
}

fn counter(name: &str, help: &str) -> IntCounter {
    IntCounter::new(name, help).expect("valid metric")
}

fn counters(name: &str, help: &str, label: &str) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), &[label]).expect("valid metric")
}

fn gauge(name: &str, help: &str) -> IntGauge {
    IntGauge::new(name, help).expect("valid metric")
}
