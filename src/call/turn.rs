//! One question and its answers, as the events of the protocol tell it: what was understood and said, when each step
//! came, and whether all of it is over. Pure: times are milliseconds since the call began.

use serde::Serialize;
use serde_json::Value;

use super::over::{Over, OverOutcome, OverReport};
use super::sound::Audible;

/// An answer that was not heard for this long has paused or ended.
const SOUNDING_MS: f64 = 60.0;
/// Sound may overtake the event that announces its answer, by no more than this.
const AHEAD_MS: f64 = 100.0;

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
    /// Answers that began (`response.created`) before the last voiced sample had left.
    pub created_early: u32,
    /// One of them was heard by then.
    pub heard_early: bool,
    /// What the server understood, sentence by sentence.
    pub transcripts: Vec<String>,
    /// What it answered, one for each response.
    pub answers: Vec<String>,
    /// `status` of each response that ended.
    pub statuses: Vec<String>,
    /// Responses whose sound the server cut off.
    pub interrupted: u32,
    /// What was spoken over the answer, if the answer sounded long enough.
    pub over: Option<OverReport>,
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
    /// The last response.
    response: String,
    /// It is being made.
    making: bool,
    /// When its sound was heard first, and last.
    sound: Option<Audible>,
    /// What was heard before this turn had any response.
    unclaimed: Option<Audible>,
    over: Option<Over>,
    /// We cleared the answer ourselves.
    enough: bool,
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

    /// A voiced sample of a recording leaves: of what is spoken over the answer, if that has begun.
    pub(super) fn recording_began(&mut self, now_ms: f64) {
        if let Some(over) = &mut self.over {
            over.voice_began(now_ms);
        }
    }

    /// As [`Turn::recording_began`], for its last voiced sample.
    pub(super) fn recording_ended(&mut self, now_ms: f64) {
        match &mut self.over {
            Some(over) => over.voice_ended(now_ms),
            None => self.voice_ended(now_ms),
        }
    }

    /// Something is spoken over the answer from now on.
    pub(super) fn speak_over(&mut self, said: String) {
        self.over = Some(Over::new(said, self.response.clone()));
    }

    pub(super) fn heard(&mut self, heard: Audible) {
        if let Some(over) = &mut self.over {
            over.heard(heard);
        }
        if self.response.is_empty() {
            // Of an earlier answer, or of one whose event is still on its way.
            let run = self.unclaimed.filter(|run| heard.first_ms - run.last_ms < SOUNDING_MS);
            self.unclaimed = Some(Audible { first_ms: run.map_or(heard.first_ms, |run| run.first_ms), ..heard });
            return;
        }
        self.report.heard_early |= self.report.voice_ended_ms.is_none();
        let first_ms = self.sound.map_or(heard.first_ms, |sound| sound.first_ms);
        self.sound = Some(Audible { first_ms, last_ms: heard.last_ms });
        if self.report.response_after_ms.is_some() {
            set(&mut self.report.first_sound_after_ms, self.report.voice_ended_ms, heard.first_ms);
        }
    }

    /// For how long the answer has sounded, if it does so now.
    pub(super) fn sounding_ms(&self, now_ms: f64) -> Option<f64> {
        let sound = self.sound.filter(|sound| self.answering && now_ms - sound.last_ms < SOUNDING_MS)?;
        Some(now_ms - sound.first_ms)
    }

    /// From when on it is counted how much of the answer is enough: the end of what was spoken over it, else its
    /// first sound.
    pub(super) fn enough_from_ms(&self) -> Option<f64> {
        match &self.over {
            Some(over) => over.ended_ms,
            None => self.sound.map(|sound| sound.first_ms),
        }
    }

    /// We clear the answer; true if it is still being made.
    pub(super) fn enough(&mut self) -> bool {
        self.enough = true;
        self.making
    }

    pub(super) fn into_report(self) -> TurnReport {
        TurnReport { over: self.over.map(|over| over.report), ..self.report }
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
                self.making = true;
                self.answer.clear();
                self.response = event["response"]["id"].as_str().unwrap_or("unnamed").to_owned();
                self.sound = None;
                self.report.created_early += u32::from(ended.is_none());
                set(&mut self.report.response_after_ms, ended, now_ms);
                if let Some(ahead) = self.unclaimed.take().filter(|run| now_ms - run.first_ms < AHEAD_MS) {
                    self.heard(ahead);
                }
                if let Some(over) = &mut self.over {
                    over.another_answer();
                }
            }
            "response.output_audio_transcript.delta" | "response.output_text.delta" => {
                set(&mut self.report.first_text_after_ms, ended, now_ms);
                self.answer.push_str(text("delta"));
            }
            "response.done" => {
                let status = event["response"]["status"].as_str().unwrap_or_default().to_owned();
                self.making = false;
                self.report.answers.push(std::mem::take(&mut self.answer));
                if status == "cancelled" {
                    self.answer_ended(event["response"]["id"].as_str(), OverOutcome::Cut);
                }
                // Nothing was said aloud, so no end of playing will come.
                let silent = status != "completed" && self.report.first_sound_after_ms.is_none();
                self.report.statuses.push(status);
                if silent {
                    self.finish();
                }
            }
            "output_audio_buffer.stopped" => {
                set(&mut self.report.played_out_after_ms, ended, now_ms);
                self.answer_ended(event["response_id"].as_str(), OverOutcome::Played);
                self.finish();
            }
            "output_audio_buffer.cleared" => {
                self.report.interrupted += u32::from(!self.enough);
                self.answer_ended(event["response_id"].as_str(), OverOutcome::Cut);
                self.finish();
            }
            _ => {}
        }
    }

    fn answer_ended(&mut self, response: Option<&str>, outcome: OverOutcome) {
        // What we cleared ourselves says nothing about the server.
        if let (false, Some(over), Some(response)) = (self.enough, &mut self.over, response) {
            over.answer_ended(response, outcome);
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
        json!({ "type": kind, "response_id": "resp_1" })
    }

    fn created(id: &str) -> Value {
        json!({ "type": "response.created", "response": { "id": id } })
    }

    fn heard(first_ms: f64) -> Audible {
        Audible { first_ms, last_ms: first_ms + 15.0 }
    }

    #[test]
    fn a_spoken_turn_is_timed_from_the_end_of_the_voice_and_over_when_played_out() {
        let mut turn = Turn::new("question.wav".into());
        turn.handle(100.0, &event("input_audio_buffer.speech_started"));
        turn.recording_ended(1_000.0);
        turn.handle(1_500.0, &event("input_audio_buffer.speech_stopped"));
        turn.handle(1_500.0, &event("input_audio_buffer.committed"));
        turn.handle(
            1_700.0,
            &json!({"type": "conversation.item.input_audio_transcription.completed", "transcript": " Hello. "}),
        );
        turn.heard(heard(1_210.0));
        turn.handle(1_720.0, &created("resp_1"));
        assert_eq!(turn.report.first_sound_after_ms, None, "that was an earlier answer's");
        turn.handle(1_900.0, &json!({"type": "response.output_audio_transcript.delta", "delta": "Hi"}));
        turn.heard(heard(2_205.0));
        turn.heard(heard(2_220.0));
        turn.handle(2_300.0, &json!({"type": "response.done", "response": {"status": "completed"}}));
        assert!(!turn.is_over());
        turn.handle(3_000.0, &event("output_audio_buffer.stopped"));
        assert!(turn.is_over());
        let report = turn.into_report();
        assert_eq!(report.transcribed_after_ms, Some(700.0));
        assert_eq!(report.first_sound_after_ms, Some(1_205.0));
        assert_eq!((report.created_early, report.heard_early, report.interrupted), (0, false, 0));
        assert_eq!((report.transcripts, report.answers), (vec!["Hello.".to_owned()], vec!["Hi".to_owned()]));
    }

    #[test]
    fn sound_that_overtakes_its_announcement_counts() {
        let mut turn = Turn::new("question.wav".into());
        turn.recording_ended(1_000.0);
        turn.heard(heard(1_400.0));
        turn.heard(heard(1_420.0));
        turn.handle(1_430.0, &created("resp_1"));
        turn.heard(heard(1_440.0));
        assert_eq!(turn.report.first_sound_after_ms, Some(400.0));
        assert_eq!(turn.sounding_ms(1_450.0), Some(50.0));
    }

    #[test]
    fn a_recording_with_pauses_is_over_after_its_last_answer() {
        let mut turn = Turn::new("long.wav".into());
        turn.handle(0.0, &created("resp_0"));
        turn.heard(heard(10.0));
        turn.handle(50.0, &event("output_audio_buffer.cleared"));
        turn.handle(50.0, &event("input_audio_buffer.speech_started"));
        turn.recording_ended(1_000.0);
        assert!(!turn.is_over());
        turn.handle(1_500.0, &event("input_audio_buffer.speech_stopped"));
        turn.handle(1_500.0, &event("input_audio_buffer.committed"));
        assert!(!turn.is_over());
        turn.handle(1_600.0, &created("resp_1"));
        turn.handle(2_600.0, &event("output_audio_buffer.stopped"));
        assert!(turn.is_over());
        let report = turn.into_report();
        assert_eq!((report.interrupted, report.created_early, report.heard_early), (1, 1, true));
    }

    #[test]
    fn an_answer_sounds_while_it_is_heard_and_its_own_first_sound_counts() {
        let mut turn = Turn::new("typed".into());
        turn.voice_ended(0.0);
        turn.handle(10.0, &created("resp_1"));
        assert_eq!(turn.sounding_ms(20.0), None);
        turn.heard(heard(300.0));
        turn.heard(heard(1_000.0));
        assert_eq!((turn.sounding_ms(1_020.0), turn.enough_from_ms()), (Some(720.0), Some(300.0)));
        assert_eq!(turn.sounding_ms(1_100.0), None, "in a pause");
        turn.speak_over("cough.wav".into());
        turn.recording_began(1_120.0);
        assert_eq!(turn.enough_from_ms(), None);
        turn.recording_ended(1_300.0);
        assert_eq!(turn.enough_from_ms(), Some(1_300.0));
        assert_eq!(turn.report.voice_ended_ms, Some(0.0), "the question's time stays");
        turn.handle(1_400.0, &event("output_audio_buffer.cleared"));
        assert_eq!(turn.into_report().over.map(|over| over.outcome), Some(OverOutcome::Cut));
    }

    #[test]
    fn an_answer_that_we_end_ourselves_was_not_cut_by_the_server() {
        let mut turn = Turn::new("typed".into());
        turn.voice_ended(0.0);
        turn.handle(10.0, &created("resp_1"));
        turn.speak_over("cough.wav".into());
        assert!(turn.enough(), "it is still being made");
        turn.handle(400.0, &event("output_audio_buffer.cleared"));
        turn.handle(400.0, &json!({"type": "response.done", "response": {"id": "resp_1", "status": "cancelled"}}));
        assert!(turn.is_over());
        let report = turn.into_report();
        assert_eq!((report.interrupted, report.over.map(|over| over.outcome)), (0, Some(OverOutcome::Open)));
    }
}
