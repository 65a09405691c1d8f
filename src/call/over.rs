//! What is spoken over an answer (words, a cough, an "mhm") and what becomes of that answer, by the samples that went
//! out and came in. Pure: times are milliseconds since the call began. A sample is sent when its packet is.

use serde::Serialize;

use super::sound::Audible;

#[derive(Clone, Debug, Default, Serialize)]
pub struct OverReport {
    /// The file.
    pub said: String,
    /// From its first to its last voiced sample.
    pub lasted_ms: Option<f64>,
    /// From its first voiced sample sent to the last audible sample received of the answer that it was spoken over.
    pub last_sound_after_ms: Option<f64>,
    /// From its last voiced sample sent to the next audible one received of that answer, if it went on.
    pub resumed_after_ms: Option<f64>,
    pub outcome: OverOutcome,
}

/// What became of the answer that was spoken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OverOutcome {
    /// It was neither played out nor cut when the turn was over.
    #[default]
    Open,
    /// It was played to its end.
    Played,
    /// The server cut it.
    Cut,
}

#[derive(Debug, Default)]
pub(super) struct Over {
    pub(super) report: OverReport,
    /// The answer's response.
    response: String,
    began_ms: Option<f64>,
    pub(super) ended_ms: Option<f64>,
    /// Another answer has begun: what is heard from now on is that one.
    superseded: bool,
}

impl Over {
    pub(super) fn new(said: String, response: String) -> Self {
        Self { report: OverReport { said, ..Default::default() }, response, ..Default::default() }
    }

    pub(super) fn voice_began(&mut self, now_ms: f64) {
        self.began_ms.get_or_insert(now_ms);
    }

    pub(super) fn voice_ended(&mut self, now_ms: f64) {
        self.ended_ms.get_or_insert(now_ms);
        self.report.lasted_ms = self.began_ms.zip(self.ended_ms).map(|(began, ended)| ended - began);
    }

    pub(super) fn heard(&mut self, heard: Audible) {
        if self.superseded {
            return;
        }
        if let Some(began) = self.began_ms
            && heard.last_ms > began
        {
            self.report.last_sound_after_ms = Some(heard.last_ms - began);
        }
        if let Some(ended) = self.ended_ms
            && heard.last_ms > ended
        {
            self.report.resumed_after_ms.get_or_insert((heard.first_ms - ended).max(0.0));
        }
    }

    pub(super) fn answer_ended(&mut self, response: &str, outcome: OverOutcome) {
        if response == self.response && self.report.outcome == OverOutcome::Open {
            self.report.outcome = outcome;
        }
    }

    pub(super) fn another_answer(&mut self) {
        self.superseded = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(first_ms: f64, last_ms: f64) -> Audible {
        Audible { first_ms, last_ms }
    }

    fn spoken_over(began: f64, ended: f64) -> Over {
        let mut over = Over::new("over.wav".into(), "resp_1".into());
        over.heard(heard(began - 20.0, began - 1.0));
        over.voice_began(began);
        over.voice_ended(ended);
        over
    }

    #[test]
    fn an_answer_that_is_cut_ends_with_its_own_last_sound() {
        let mut over = spoken_over(1_000.0, 1_800.0);
        over.heard(heard(1_090.0, 1_110.0));
        over.answer_ended("resp_1", OverOutcome::Cut);
        over.heard(heard(1_110.0, 1_122.5));
        over.another_answer();
        over.heard(heard(2_400.0, 2_420.0));
        let report = over.report;
        assert_eq!((report.last_sound_after_ms, report.resumed_after_ms), (Some(122.5), None));
        assert_eq!((report.lasted_ms, report.outcome), (Some(800.0), OverOutcome::Cut));
    }

    #[test]
    fn an_answer_that_goes_on_is_heard_again_some_time_after_the_noise() {
        let mut over = spoken_over(1_000.0, 1_200.0);
        over.heard(heard(1_080.0, 1_100.0));
        over.heard(heard(1_507.5, 1_520.0));
        over.heard(heard(1_520.0, 1_540.0));
        // The end of another answer is not this one's.
        over.answer_ended("resp_0", OverOutcome::Cut);
        over.answer_ended("resp_1", OverOutcome::Played);
        let report = over.report;
        assert_eq!((report.resumed_after_ms, report.outcome), (Some(307.5), OverOutcome::Played));
    }

    #[test]
    fn an_answer_that_was_never_disturbed_goes_on_at_once() {
        let mut over = spoken_over(1_000.0, 1_200.0);
        over.heard(heard(1_190.0, 1_210.0));
        assert_eq!(over.report.resumed_after_ms, Some(0.0));
    }
}
