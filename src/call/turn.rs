//! One question and its answers, as the events of the protocol tell it: what was understood and said, when each step
//! came, and whether all of it is over. Pure: times are milliseconds since the call began.

use serde::Serialize;
use serde_json::Value;

/// When the steps of a turn came, in milliseconds after the last voiced sample (or the typed text) was sent. A step
/// that came before, such as the transcript of an earlier sentence of the same recording, counts as not yet come.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TurnReport {
    /// The file or the text.
    pub said: String,
    /// When the last voiced sample left, since the call began.
    pub voice_ended_ms: Option<f64>,
    pub speech_stopped_after_ms: Option<f64>,
    pub transcribed_after_ms: Option<f64>,
    pub response_after_ms: Option<f64>,
    pub first_text_after_ms: Option<f64>,
    pub first_sound_after_ms: Option<f64>,
    pub played_out_after_ms: Option<f64>,
    /// What the server understood, sentence by sentence.
    pub transcripts: Vec<String>,
    /// What it answered, one for each response.
    pub answers: Vec<String>,
    /// `status` of each response that ended.
    pub statuses: Vec<String>,
    /// Responses whose sound was cut off by speech.
    pub interrupted: u32,
    pub timed_out: bool,
}

#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) report: TurnReport,
    /// The user is being heard.
    user_speaking: bool,
    /// Something was said that has no response yet.
    answer_owed: bool,
    /// A response is being made or played.
    answering: bool,
    /// Responses that were made and played to their end, or cut off.
    finished: u32,
    answer: String,
}

impl Turn {
    pub(super) fn new(said: String) -> Self {
        Self { report: TurnReport { said, ..Default::default() }, ..Default::default() }
    }

    /// The last voiced sample, or the typed text, has left. The clock of the steps starts here.
    pub(super) fn voice_ended(&mut self, now_ms: f64) {
        let report = &mut self.report;
        report.voice_ended_ms = Some(now_ms);
        for step in [
            &mut report.speech_stopped_after_ms,
            &mut report.transcribed_after_ms,
            &mut report.response_after_ms,
            &mut report.first_text_after_ms,
            &mut report.first_sound_after_ms,
            &mut report.played_out_after_ms,
        ] {
            *step = None;
        }
    }

    pub(super) fn audible(&mut self, now_ms: f64) {
        // Sound of an earlier answer is not the one that is waited for.
        if self.report.response_after_ms.is_some() {
            set(&mut self.report.first_sound_after_ms, self.report.voice_ended_ms, now_ms);
        }
    }

    pub(super) fn handle(&mut self, now_ms: f64, event: &Value) {
        let ended = self.report.voice_ended_ms;
        let text = |key: &str| event[key].as_str().unwrap_or_default();
        match text("type") {
            "input_audio_buffer.speech_started" => self.user_speaking = true,
            "input_audio_buffer.speech_stopped" => {
                self.user_speaking = false;
                set(&mut self.report.speech_stopped_after_ms, ended, now_ms);
            }
            "input_audio_buffer.committed" => self.answer_owed = true,
            "conversation.item.input_audio_transcription.completed" => {
                set(&mut self.report.transcribed_after_ms, ended, now_ms);
                let transcript = text("transcript").trim().to_owned();
                // Nothing understood: nothing to answer.
                self.answer_owed &= !transcript.is_empty() || self.answering;
                self.report.transcripts.push(transcript);
            }
            "response.created" => {
                self.answer_owed = false;
                self.answering = true;
                self.answer.clear();
                set(&mut self.report.response_after_ms, ended, now_ms);
            }
            "response.output_audio_transcript.delta" | "response.output_text.delta" => {
                set(&mut self.report.first_text_after_ms, ended, now_ms);
                self.answer.push_str(text("delta"));
            }
            "response.done" => {
                let status = event["response"]["status"].as_str().unwrap_or_default().to_owned();
                self.report.answers.push(std::mem::take(&mut self.answer));
                // Nothing was said aloud, so no end of playing will come.
                let silent = status != "completed" && self.report.first_sound_after_ms.is_none();
                self.report.statuses.push(status);
                if silent {
                    self.finish();
                }
            }
            "output_audio_buffer.stopped" => {
                set(&mut self.report.played_out_after_ms, ended, now_ms);
                self.finish();
            }
            "output_audio_buffer.cleared" => {
                self.report.interrupted += 1;
                self.finish();
            }
            _ => {}
        }
    }

    fn finish(&mut self) {
        if self.answering {
            self.answering = false;
            self.finished += 1;
        }
    }

    /// Everything said was answered and played.
    pub(super) fn is_over(&self) -> bool {
        self.report.voice_ended_ms.is_some()
            && self.finished > 0
            && !self.answering
            && !self.answer_owed
            && !self.user_speaking
    }
}

/// The first time counts, and only after the voice has ended.
fn set(step: &mut Option<f64>, voice_ended_ms: Option<f64>, now_ms: f64) {
    if let (None, Some(ended)) = (&step, voice_ended_ms) {
        *step = Some(now_ms - ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str) -> Value {
        json!({ "type": kind })
    }

    #[test]
    fn a_spoken_turn_is_timed_from_the_end_of_the_voice_and_over_when_played_out() {
        let mut turn = Turn::new("question.wav".into());
        turn.handle(100.0, &event("input_audio_buffer.speech_started"));
        turn.voice_ended(1_000.0);
        turn.handle(1_500.0, &event("input_audio_buffer.speech_stopped"));
        turn.handle(1_500.0, &event("input_audio_buffer.committed"));
        turn.handle(
            1_700.0,
            &json!({"type": "conversation.item.input_audio_transcription.completed", "transcript": " Hello. "}),
        );
        turn.audible(1_710.0);
        turn.handle(1_720.0, &event("response.created"));
        turn.handle(1_900.0, &json!({"type": "response.output_audio_transcript.delta", "delta": "Hi"}));
        turn.audible(2_200.0);
        turn.audible(2_220.0);
        turn.handle(2_300.0, &json!({"type": "response.done", "response": {"status": "completed"}}));
        assert!(!turn.is_over());
        turn.handle(3_000.0, &event("output_audio_buffer.stopped"));
        assert!(turn.is_over());
        let report = turn.report;
        assert_eq!(report.transcribed_after_ms, Some(700.0));
        assert_eq!(report.first_sound_after_ms, Some(1_200.0));
        assert_eq!((report.transcripts, report.answers), (vec!["Hello.".to_owned()], vec!["Hi".to_owned()]));
    }

    #[test]
    fn a_recording_with_pauses_is_over_after_its_last_answer() {
        let mut turn = Turn::new("long.wav".into());
        turn.handle(0.0, &event("response.created"));
        turn.handle(0.0, &event("output_audio_buffer.cleared"));
        turn.handle(0.0, &event("input_audio_buffer.speech_started"));
        turn.voice_ended(1_000.0);
        assert!(!turn.is_over());
        turn.handle(1_500.0, &event("input_audio_buffer.speech_stopped"));
        turn.handle(1_500.0, &event("input_audio_buffer.committed"));
        assert!(!turn.is_over());
        turn.handle(1_600.0, &event("response.created"));
        turn.handle(2_600.0, &event("output_audio_buffer.stopped"));
        assert!(turn.is_over());
        assert_eq!(turn.report.interrupted, 1);
    }
}
