//! All metric names, labels and buckets, in one place; served as Prometheus text and listed in docs/metrics.md.
//!
//! What happens is counted where it happens. What only is (queues, connections of calls, processes) is looked at when
//! somebody asks. No label has more values than the code and the settings name, but for the calls that are up.

mod calls;
mod families;
pub mod http;
mod processes;
mod queues;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::sync::Arc;

use prometheus::{
    Encoder, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
};

use calls::Calls;
pub use calls::{Connection, WatchedCall};
use families::Families;
pub use families::Family;
use processes::Processes;
pub use queues::{Level, Queues};

use signaling::News;

use crate::news::Newsroom;
use crate::tools::{CallReport, ToolObserver};

/// Buckets for what a frame may cost, in seconds.
const FRAME_BUCKETS: &[f64] = &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.004, 0.006, 0.01, 0.02, 0.04, 0.1];
/// Buckets for what a person waits for, in seconds.
const WAIT_BUCKETS: &[f64] = &[0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0];

/// Buckets for HTTP requests, in seconds.
const REQUEST_BUCKETS: &[f64] = &[0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The kinds of errors that are handled and counted.
const ERRORS: &[&str] = &[
    "admin_key",
    "conversation_not_found_again",
    "conversation_not_kept",
    "conversation_not_summarised",
    "ear_panicked",
    "end_of_turn",
    "end_of_turn_overloaded",
    "event_not_sent",
    "face_not_shown",
    "language_model",
    "local_model_died",
    "local_model_start",
    "media_pool_full",
    "media_stage_panicked",
    "opus_encoder",
    "recogniser_overloaded",
    "tool",
    "transcription",
    "transcription_elsewhere",
    "video_encoder",
    "voice",
    "voice_detection",
    "voice_overloaded",
];
const TOOL_OUTCOMES: &[&str] = &[
    "ok",
    "dropped",
    "unknown",
    "arguments",
    "busy",
    "timeout",
    "unreachable",
    "cut_off",
    "status",
    "unreadable",
    "failed",
    "down",
    "lost",
    "protocol",
];
const ENDINGS: &[&str] = &["completed", "interrupted", "cancelled", "failed"];
const REFUSALS: &[&str] =
    &["full", "shutting_down", "invalid_sdp", "no_audio", "no_opus", "no_h264", "transport_failed"];
const CALL_ENDS: &[&str] = &[
    "hung_up",
    "by_remote",
    "connection_lost",
    "never_connected",
    "idle_timeout",
    "max_duration",
    "shutdown",
    "fault",
];

pub struct Metrics {
    registry: Registry,
    families: Vec<Family>,
    /// Hears of errors, and of whatever else others post.
    pub news: Newsroom,
    /// Every bounded queue.
    pub queues: Arc<Queues>,
    calls: Arc<Calls>,
    processes: Processes,
    pub http_requests: IntCounterVec,
    pub http_seconds: HistogramVec,
    pub calls_active: IntGauge,
    pub calls_limit: IntGauge,
    pub calls_ended: IntCounterVec,
    pub calls_refused: IntCounterVec,
    pub draw_seconds: Histogram,
    pub encode_seconds: Histogram,
    pub encoders: IntGauge,
    /// By `mouth`: pictures of faces that follow the sound by Wav2Lip.
    pub wav2lip_frames: IntCounterVec,
    pub late_beats: IntCounter,
    pub media_resets: IntCounter,
    /// By `kind`: everything that went wrong and was handled.
    pub errors: IntCounterVec,
    pub ears_seconds: Histogram,
    pub opus_seconds: Histogram,
    pub transcribe_seconds: Histogram,
    pub hearing_failovers: IntCounter,
    pub voice_seconds: Histogram,
    pub voice_first_seconds: Histogram,
    pub voice_failovers: IntCounter,
    pub first_token_seconds: Histogram,
    pub answer_seconds: Histogram,
    /// By `kind`.
    pub tokens: IntCounterVec,
    /// By `question` (spoken, typed) and `step`: end of speech (by the audio) or request to each step of the answer.
    pub step_seconds: HistogramVec,
    /// First voiced sample in to last packet of the answer out.
    pub silent_seconds: Histogram,
    /// By `outcome`: voice over answers.
    pub barge_ins: IntCounterVec,
    pub judge_seconds: Histogram,
    pub answers: IntCounterVec,
    pub local_model_restarts: IntCounter,
    pub knowledge_seconds: Histogram,
    pub summaries: IntCounter,
    pub tool_seconds: Histogram,
    /// By `outcome`.
    pub tool_calls: IntCounterVec,
    /// By `server`: tools of MCP servers that are connected.
    pub tool_servers: IntGaugeVec,
    /// These by `endpoint`: answers that a language model failed at, tries after a failure, times it stepped in for
    /// another, and times it was left alone for a while.
    pub language_failures: IntCounterVec,
    pub language_retries: IntCounterVec,
    pub language_failovers: IntCounterVec,
    pub language_pauses: IntCounterVec,
}

impl Metrics {
    #[expect(clippy::new_without_default, reason = "one registry for each server, made on purpose")]
    pub fn new() -> Self {
        let mut make = Families::default();
        let build = make.gauges(
            "visavis_build_info",
            "Version of this server, and how it was built",
            &["version", "architecture", "profile"],
        );
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, profile]).set(1);
        let queues = Arc::new(Queues::new(&mut make));
        let calls = Arc::new(Calls::new(&mut make, queues.clone()));
        let processes = Processes::new(&mut make);
        let metrics = Self {
            news: Newsroom::default(),
            queues,
            calls,
            processes,
            registry: make.registry.clone(),
            families: Vec::new(),
            http_requests: make.counters(
                "visavis_http_requests_total",
                "HTTP requests that were answered, by route, method and status",
                &["route", "method", "status"],
            ),
            http_seconds: make.histograms(
                "visavis_http_request_duration_seconds",
                "Time to the head of an HTTP answer",
                &["route"],
                REQUEST_BUCKETS,
            ),
            calls_limit: make.gauge("visavis_calls_limit", "Calls that are taken at a time"),
            calls_active: make.gauge("visavis_calls_active", "Calls that are up now"),
            calls_ended: make.counters_of(
                "visavis_calls_ended_total",
                "Calls that ended, by reason",
                "reason",
                CALL_ENDS,
            ),
            calls_refused: make.counters_of(
                "visavis_calls_refused_total",
                "Calls that were not taken, by reason",
                "reason",
                REFUSALS,
            ),
            draw_seconds: make.histogram(
                "visavis_frame_draw_seconds",
                "Time to pose, draw and convert one picture",
                FRAME_BUCKETS,
            ),
            encode_seconds: make.histogram(
                "visavis_frame_encode_seconds",
                "Time to encode one picture as H.264",
                FRAME_BUCKETS,
            ),
            encoders: make.gauge(
                "visavis_video_encoders",
                "Streams that are drawn and encoded now; calls at rest share one for each face",
            ),
            wav2lip_frames: make.counters_of(
                "visavis_wav2lip_frames_total",
                "Pictures of faces that follow the sound by Wav2Lip, by how their mouth was made",
                "mouth",
                &["inferred", "interpolated", "late", "resting"],
            ),
            late_beats: make.counter("visavis_media_late_beats_total", "Media beats that began more than 20 ms late"),
            media_resets: make.counter("visavis_media_resets_total", "Times a media thread gave up lost time"),
            errors: make.counters_of("visavis_errors_total", "Errors that were handled, by kind", "kind", ERRORS),
            ears_seconds: make.histogram(
                "visavis_ears_packet_seconds",
                "Time to decode one packet of sound and look for a voice in it",
                FRAME_BUCKETS,
            ),
            opus_seconds: make.histogram(
                "visavis_audio_encode_seconds",
                "Time to encode 20 ms of sound as Opus",
                FRAME_BUCKETS,
            ),
            transcribe_seconds: make.histogram(
                "visavis_transcribe_seconds",
                "Time to transcribe one utterance",
                WAIT_BUCKETS,
            ),
            hearing_failovers: make.counter(
                "visavis_hearing_failovers_total",
                "Times a recogniser elsewhere failed and this machine stepped in",
            ),
            voice_seconds: make.histogram("visavis_voice_seconds", "Time to make one clause's sound", WAIT_BUCKETS),
            voice_first_seconds: make.histogram(
                "visavis_voice_first_seconds",
                "Time to make the first part of one clause's sound",
                WAIT_BUCKETS,
            ),
            voice_failovers: make.counter(
                "visavis_voice_failovers_total",
                "Times a voice failed at a clause and the next one stepped in",
            ),
            first_token_seconds: make.histogram(
                "visavis_first_token_seconds",
                "Prompt sent to first token of the model",
                WAIT_BUCKETS,
            ),
            answer_seconds: make.histogram(
                "visavis_language_answer_seconds",
                "Prompt sent to the end of the model's answer",
                WAIT_BUCKETS,
            ),
            tokens: make.counters_of(
                "visavis_language_tokens_total",
                "Tokens of prompts, those known already among them, and of answers, as models count them",
                "kind",
                &["input", "cached", "output"],
            ),
            step_seconds: make.histograms(
                "visavis_answer_step_seconds",
                "End of speech, or request, to each step of the answer",
                &["question", "step"],
                WAIT_BUCKETS,
            ),
            silent_seconds: make.histogram(
                "visavis_barge_in_silent_seconds",
                "First voiced sample in to last packet of the answer out",
                WAIT_BUCKETS,
            ),
            barge_ins: make.counters_of(
                "visavis_barge_ins_total",
                "Voice over answers, by what came of it",
                "outcome",
                &["ended", "resumed"],
            ),
            judge_seconds: make.histogram(
                "visavis_judge_seconds",
                "Time to judge whether a thought is complete",
                WAIT_BUCKETS,
            ),
            answers: make.counters_of("visavis_answers_total", "Answers, by how they ended", "ending", ENDINGS),
            local_model_restarts: make.counter(
                "visavis_local_model_restarts_total",
                "Times the local language model had to be started again",
            ),
            knowledge_seconds: make.histogram(
                "visavis_knowledge_seconds",
                "Time to find what is known of a question",
                FRAME_BUCKETS,
            ),
            summaries: make.counter("visavis_summaries_total", "Conversations of which the oldest was summarised"),
            tool_seconds: make.histogram("visavis_tool_seconds", "Time that a tool of the server took", WAIT_BUCKETS),
            tool_calls: make.counters_of(
                "visavis_tool_calls_total",
                "Calls of the server's tools",
                "outcome",
                TOOL_OUTCOMES,
            ),
            tool_servers: make.gauges(
                "visavis_tool_servers",
                "Tools of each MCP server that is connected",
                &["server"],
            ),
            language_failures: make.counters(
                "visavis_language_failures_total",
                "Answers that a language model failed at",
                &["endpoint"],
            ),
            language_retries: make.counters(
                "visavis_language_retries_total",
                "Times a language model was asked again",
                &["endpoint"],
            ),
            language_failovers: make.counters(
                "visavis_language_failovers_total",
                "Times a language model stepped in for one that failed",
                &["endpoint"],
            ),
            language_pauses: make.counters(
                "visavis_language_pauses_total",
                "Times a language model failed in a row and was left alone for a while",
                &["endpoint"],
            ),
        };
        let mut families = make.made;
        families.sort_by(|a, b| a.name.cmp(&b.name));
        Self { families, ..metrics }
    }

    /// Counts and logs an error that was handled where it happened.
    pub fn error(&self, kind: &str, error: &dyn Display) {
        self.errors.with_label_values(&[kind]).inc();
        tracing::warn!(kind, %error, "handled error");
        self.news.post(|| News::Error { kind: kind.to_owned(), message: error.to_string() });
    }

    /// A language model that may be asked, so that its first failure is seen as an increase.
    pub fn endpoint(&self, name: &str) {
        let counters =
            [&self.language_failures, &self.language_retries, &self.language_failovers, &self.language_pauses];
        for counter in counters {
            counter.with_label_values(&[name]);
        }
    }

    /// Watches a call's connection until what this gives is dropped. `look` is asked at any time.
    pub fn call(&self, id: &str, look: impl Fn() -> Connection + Send + Sync + 'static) -> WatchedCall {
        self.calls.watch(id, Box::new(look))
    }

    /// All metrics, by name.
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// Prometheus text format.
    pub fn text(&self) -> String {
        self.queues.sample();
        self.calls.sample();
        self.processes.sample();
        let mut text = Vec::new();
        match TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            Ok(()) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) => format!("# metrics cannot be written: {error}\n"),
        }
    }
}

impl ToolObserver for Metrics {
    fn called(&self, report: &CallReport<'_>) {
        self.tool_seconds.observe(report.elapsed.as_secs_f64());
        self.tool_calls.with_label_values(&[report.outcome]).inc();
    }

    fn server(&self, server: &str, tools: Option<usize>) {
        self.tool_servers.with_label_values(&[server]).set(tools.map_or(0, |tools| tools as i64));
    }
}
