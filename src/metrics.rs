//! All metric names, labels and buckets, in one place; served as Prometheus text.

use std::fmt::Display;

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use signaling::News;

use crate::news::Newsroom;
use crate::tools::{CallReport, ToolObserver};

/// Buckets for what a frame may cost, in seconds.
const FRAME_BUCKETS: &[f64] = &[0.000_5, 0.001, 0.002, 0.003, 0.004, 0.006, 0.01, 0.02, 0.04];
/// Buckets for what a person waits for, in seconds.
const WAIT_BUCKETS: &[f64] = &[0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0];

pub struct Metrics {
    registry: Registry,
    /// Hears of errors, and of whatever else others post.
    pub news: Newsroom,
    pub calls_active: IntGauge,
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
    /// By `queue`: what a full queue refused or dropped.
    pub dropped: IntCounterVec,
    pub transcribe_seconds: Histogram,
    pub hearing_failovers: IntCounter,
    pub voice_seconds: Histogram,
    pub voice_first_seconds: Histogram,
    pub voice_failovers: IntCounter,
    pub first_token_seconds: Histogram,
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
        let registry = Registry::new();
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            let metric =
                Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())).expect("valid metric");
            registry.register(Box::new(metric.clone())).expect("unique metric");
            metric
        };
        let counter = |name: &str, help: &str| {
            let metric = IntCounter::new(name, help).expect("valid metric");
            registry.register(Box::new(metric.clone())).expect("unique metric");
            metric
        };
        let counters = |name: &str, help: &str, label: &str| {
            let metric = IntCounterVec::new(Opts::new(name, help), &[label]).expect("valid metric");
            registry.register(Box::new(metric.clone())).expect("unique metric");
            metric
        };
        let gauges = |name: &str, help: &str, label: &str| {
            let metric = IntGaugeVec::new(Opts::new(name, help), &[label]).expect("valid metric");
            registry.register(Box::new(metric.clone())).expect("unique metric");
            metric
        };
        let gauge = |name: &str, help: &str| {
            let metric = IntGauge::new(name, help).expect("valid metric");
            registry.register(Box::new(metric.clone())).expect("unique metric");
            metric
        };
        let step_seconds = HistogramVec::new(
            HistogramOpts::new("visavis_answer_step_seconds", "End of speech, or request, to each step of the answer")
                .buckets(WAIT_BUCKETS.to_vec()),
            &["question", "step"],
        )
        .expect("valid metric");
        registry.register(Box::new(step_seconds.clone())).expect("unique metric");
        let build = IntGaugeVec::new(Opts::new("visavis_build_info", "Version of this server"), &["version"])
            .expect("valid metric");
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(build)).expect("unique metric");
        Self {
            calls_active: gauge("visavis_calls_active", "Calls that are up now"),
            calls_ended: counters("visavis_calls_ended_total", "Calls that ended, by reason", "reason"),
            calls_refused: counters("visavis_calls_refused_total", "Calls that were not taken, by reason", "reason"),
            draw_seconds: histogram(
                "visavis_frame_draw_seconds",
                "Time to pose, draw and convert one picture",
                FRAME_BUCKETS,
            ),
            encode_seconds: histogram(
                "visavis_frame_encode_seconds",
                "Time to encode one picture as H.264",
                FRAME_BUCKETS,
            ),
            encoders: gauge(
                "visavis_video_encoders",
                "Streams that are drawn and encoded now; calls at rest share one for each face",
            ),
            wav2lip_frames: counters(
                "visavis_wav2lip_frames_total",
                "Pictures of faces that follow the sound by Wav2Lip, by how their mouth was made",
                "mouth",
            ),
            late_beats: counter("visavis_media_late_beats_total", "Media beats that began more than 20 ms late"),
            media_resets: counter("visavis_media_resets_total", "Times a media thread gave up lost time"),
            errors: counters("visavis_errors_total", "Errors that were handled, by kind", "kind"),
            dropped: counters("visavis_dropped_total", "What full queues refused or dropped, by queue", "queue"),
            transcribe_seconds: histogram(
                "visavis_transcribe_seconds",
                "Time to transcribe one utterance",
                WAIT_BUCKETS,
            ),
            hearing_failovers: counter(
                "visavis_hearing_failovers_total",
                "Times a recogniser elsewhere failed and this machine stepped in",
            ),
            voice_seconds: histogram("visavis_voice_seconds", "Time to make one clause's sound", WAIT_BUCKETS),
            voice_first_seconds: histogram(
                "visavis_voice_first_seconds",
                "Time to make the first part of one clause's sound",
                WAIT_BUCKETS,
            ),
            voice_failovers: counter(
                "visavis_voice_failovers_total",
                "Times a voice failed at a clause and the next one stepped in",
            ),
            first_token_seconds: histogram(
                "visavis_first_token_seconds",
                "Prompt sent to first token of the model",
                WAIT_BUCKETS,
            ),
            step_seconds,
            silent_seconds: histogram(
                "visavis_barge_in_silent_seconds",
                "First voiced sample in to last packet of the answer out",
                WAIT_BUCKETS,
            ),
            barge_ins: counters("visavis_barge_ins_total", "Voice over answers, by what came of it", "outcome"),
            judge_seconds: histogram(
                "visavis_judge_seconds",
                "Time to judge whether a thought is complete",
                WAIT_BUCKETS,
            ),
            answers: counters("visavis_answers_total", "Answers, by how they ended", "ending"),
            local_model_restarts: counter(
                "visavis_local_model_restarts_total",
                "Times the local language model had to be started again",
            ),
            knowledge_seconds: histogram(
                "visavis_knowledge_seconds",
                "Time to find what is known of a question",
                FRAME_BUCKETS,
            ),
            summaries: counter("visavis_summaries_total", "Conversations of which the oldest was summarised"),
            tool_seconds: histogram("visavis_tool_seconds", "Time that a tool of the server took", WAIT_BUCKETS),
            tool_calls: counters("visavis_tool_calls_total", "Calls of the server's tools", "outcome"),
            tool_servers: gauges("visavis_tool_servers", "Tools of each MCP server that is connected", "server"),
            language_failures: counters(
                "visavis_language_failures_total",
                "Answers that a language model failed at",
                "endpoint",
            ),
            language_retries: counters(
                "visavis_language_retries_total",
                "Times a language model was asked again",
                "endpoint",
            ),
            language_failovers: counters(
                "visavis_language_failovers_total",
                "Times a language model stepped in for one that failed",
                "endpoint",
            ),
            language_pauses: counters(
                "visavis_language_pauses_total",
                "Times a language model failed in a row and was left alone for a while",
                "endpoint",
            ),
            registry,
            news: Newsroom::default(),
        }
    }

    /// Counts and logs an error that was handled where it happened.
    pub fn error(&self, kind: &str, error: &dyn Display) {
        self.errors.with_label_values(&[kind]).inc();
        tracing::warn!(kind, %error, "handled error");
        self.news.post(|| News::Error { kind: kind.to_owned(), message: error.to_string() });
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
impl ToolObserver for Metrics {
    fn called(&self, report: &CallReport<'_>) {
        self.tool_seconds.observe(report.elapsed.as_secs_f64());
        self.tool_calls.with_label_values(&[report.outcome]).inc();
    }

    fn server(&self, server: &str, tools: Option<usize>) {
        self.tool_servers.with_label_values(&[server]).set(tools.map_or(0, |tools| tools as i64));
    }
}
