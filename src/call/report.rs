//! The outcome of a call, for people (a table) and for programs (JSON).

use std::fmt;

use ::signaling::events::{BargeInOutcome, Latency, ServerEvent};
use serde::Serialize;
use serde_json::Value;

use super::over::{OverOutcome, OverReport};
use super::pictures::VideoReport;
use super::sound::AudioReport;
use super::turn::TurnReport;

/// All times are milliseconds; without "after" in the name they count from the moment the offer was posted.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CallReport {
    pub url: String,
    pub call_id: String,
    pub answered_ms: f64,
    pub connected_ms: Option<f64>,
    pub session_created_ms: Option<f64>,
    pub first_picture_ms: Option<f64>,
    pub ended_ms: f64,
    pub turns: Vec<TurnReport>,
    /// The server's own account of its answers (`visavis.latency`) and of speech over them (`visavis.barge_in`).
    pub latencies: Vec<Latency>,
    pub barge_ins: Vec<BargeIn>,
    pub video: VideoReport,
    pub audio: AudioReport,
    pub events: usize,
    /// Messages of `error` events.
    pub errors: Vec<String>,
    /// The server ended the call before we did.
    pub ended_by_server: Option<String>,
}

/// As the event says it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BargeIn {
    pub response_id: String,
    pub silent_ms: u64,
    pub lips_ms: Option<u64>,
    pub decided_ms: u64,
    pub outcome: BargeInOutcome,
}

impl CallReport {
    /// Keeps the server's account of an answer or of speech over it.
    pub(super) fn ledger(&mut self, event: &Value) {
        match serde_json::from_value(event.clone()) {
            Ok(ServerEvent::Latency(latency)) => self.latencies.push(latency),
            Ok(ServerEvent::BargeIn { response_id, silent_ms, lips_ms, decided_ms, outcome }) => {
                self.barge_ins.push(BargeIn { response_id, silent_ms, lips_ms, decided_ms, outcome });
            }
            _ => self.errors.push(format!("an event that cannot be read: {event}")),
        }
    }

    /// Every turn was answered and heard.
    pub fn is_complete(&self) -> bool {
        self.turns.iter().all(|turn| !turn.timed_out) && self.ended_by_server.is_none()
    }
}

fn millis(time: Option<f64>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{time:.0} ms"))
}

struct SpokenOver<'a>(&'a OverReport);

impl fmt::Display for SpokenOver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = self.0;
        writeln!(f, "  spoken over it: {}", over.said)?;
        let (name, time) = match over.outcome {
            OverOutcome::Cut => ("it was cut, its last sound after", over.last_sound_after_ms),
            OverOutcome::Played | OverOutcome::Open => ("it went on, heard again after", over.resumed_after_ms),
        };
        writeln!(f, "  {name:<32} {:>12}", millis(time))
    }
}

impl fmt::Display for CallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "{name:<34} {value:>12}");
        row("answer to the offer", millis(Some(self.answered_ms)))?;
        row("connected", millis(self.connected_ms))?;
        row("session.created", millis(self.session_created_ms))?;
        row("first picture", millis(self.first_picture_ms))?;
        for turn in &self.turns {
            writeln!(f, "\n{}{}", turn.said, if turn.timed_out { "  (no answer in time)" } else { "" })?;
            writeln!(f, "  heard:  {}", turn.transcripts.join(" | "))?;
            writeln!(f, "  answer: {}", turn.answers.join(" | "))?;
            let mut row = |name: &str, value: String| writeln!(f, "  {name:<32} {value:>12}");
            row("end of speech seen", millis(turn.speech_stopped_after_ms))?;
            row("transcribed", millis(turn.transcribed_after_ms))?;
            row("response.created", millis(turn.response_after_ms))?;
            row("first text of the answer", millis(turn.first_text_after_ms))?;
            row("first sound of the answer", millis(turn.first_sound_after_ms))?;
            row("played out", millis(turn.played_out_after_ms))?;
            if turn.created_early > 0 {
                row("answers before the end of speech", turn.created_early.to_string())?;
            }
            if turn.interrupted > 0 {
                row("answers cut off by the server", turn.interrupted.to_string())?;
            }
            if let Some(over) = &turn.over {
                write!(f, "{}", SpokenOver(over))?;
            }
        }
        let (video, audio) = (&self.video, &self.audio);
        writeln!(
            f,
            "\nvideo: {} pictures ({} key), {:.2} fps, gap p50 {:.0} p95 {:.0} max {:.0} ms, {:.0} kbit/s, {} packets lost",
            video.pictures,
            video.key_frames,
            video.fps,
            video.gap_p50_ms,
            video.gap_p95_ms,
            video.gap_max_ms,
            video.kilobits_per_second,
            video.lost_packets
        )?;
        writeln!(
            f,
            "audio: {:.1} s, {} packets, {} lost, {} gaps in RTP time (longest {:.0} ms), arrival gap p95 {:.0} max {:.0} ms",
            audio.seconds,
            audio.packets,
            audio.lost,
            audio.gaps,
            audio.longest_gap_ms,
            audio.arrival_gap_p95_ms,
            audio.arrival_gap_max_ms
        )?;
        for error in &self.errors {
            writeln!(f, "error event: {error}")?;
        }
        match &self.ended_by_server {
            Some(reason) => writeln!(f, "the server ended the call: {reason}"),
            None => Ok(()),
        }
    }
}
