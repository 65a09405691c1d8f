//! When each step of an answer happened, from the person's last sound to the first movement of the mouth.
//!
//! PURE: times are arguments, since the call began. The session notes each step where it passes; once the mouth has
//! moved (or the answer is over) the entry is complete and becomes an event, a log line and the histograms.

use std::collections::VecDeque;
use std::time::Duration;

use signaling::events::Latency;

use crate::media::TurnId;
use crate::metrics::Metrics;

/// Answers that are remembered; a draft that was dropped leaves an entry behind.
const ENTRIES: usize = 8;

/// What an answer is the answer to.
#[derive(Clone, Copy, Debug, Default)]
struct Question {
    spoken: bool,
    /// The last voiced sample came in, or the request for an answer.
    end: Duration,
    committed: Option<Duration>,
    transcribed: Option<Duration>,
}

/// The steps of an answer's making, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Asked,
    Token,
    Clause,
    Sound,
    Packet,
    Mouth,
}

const STEPS: usize = 6;

#[derive(Clone, Copy, Debug)]
struct Entry {
    turn: TurnId,
    question: Option<Question>,
    steps: [Option<Duration>; STEPS],
    told: bool,
}

#[derive(Debug, Default)]
pub struct Ledger {
    /// The text of what was said last came then.
    text: Duration,
    question: Question,
    entries: VecDeque<Entry>,
}

impl Ledger {
    /// A typed question asks for its answer.
    pub fn asked(&mut self, now: Duration) {
        self.question = Question { spoken: false, end: now, committed: None, transcribed: None };
    }

    /// Text of speech has come, of which it is not yet known whether it is final.
    pub fn text(&mut self, now: Duration) {
        self.text = now;
    }

    /// A spoken turn is over; its last voice came in at `end`.
    pub fn committed(&mut self, end: Duration, now: Duration) {
        self.question = Question { spoken: true, end, committed: Some(now), transcribed: None };
    }

    /// The turn's text is final.
    pub fn transcribed(&mut self) {
        self.question.transcribed = Some(self.text);
    }

    /// This is the answer to what was said or asked last.
    pub fn answered(&mut self, turn: TurnId) {
        let question = self.question;
        self.entry(turn).question = Some(question);
    }

    /// Notes a step; only its first time counts.
    pub fn step(&mut self, turn: TurnId, step: Step, now: Duration) {
        self.entry(turn).steps[step as usize].get_or_insert(now);
    }

    fn entry(&mut self, turn: TurnId) -> &mut Entry {
        let index = match self.entries.iter().position(|entry| entry.turn == turn) {
            Some(index) => index,
            None => {
                if self.entries.len() == ENTRIES {
                    self.entries.pop_front();
                }
                self.entries.push_back(Entry { turn, question: None, steps: [None; STEPS], told: false });
                self.entries.len() - 1
            }
        };
        &mut self.entries[index]
    }

    /// The entry of an answer, once: when its mouth has moved, or as far as it came if it is `over`.
    pub fn close(&mut self, turn: TurnId, over: bool) -> Option<Latency> {
        let entry = self.entries.iter_mut().find(|entry| entry.turn == turn && !entry.told)?;
        let question = entry.question?;
        if !over && entry.steps[Step::Mouth as usize].is_none() {
            return None;
        }
        entry.told = true;
        let after = |time: Option<Duration>| time.map(|time| millis(time) - millis(question.end));
        let step = |step: Step| after(entry.steps[step as usize]);
        Some(Latency {
            response_id: String::new(),
            spoken: question.spoken,
            committed_ms: after(question.committed),
            transcribed_ms: after(question.transcribed),
            first_token_ms: step(Step::Token),
            first_clause_ms: step(Step::Clause),
            first_sound_ms: step(Step::Sound),
            first_packet_ms: step(Step::Packet),
            first_mouth_ms: step(Step::Mouth),
        })
    }

    /// From the prompt to the first token.
    pub fn first_token(&self, turn: TurnId) -> Option<Duration> {
        let entry = self.entries.iter().find(|entry| entry.turn == turn)?;
        entry.steps[Step::Token as usize]?.checked_sub(entry.steps[Step::Asked as usize]?)
    }
}

/// Counts and logs an entry.
pub fn observe(latency: &Latency, metrics: &Metrics) {
    let steps = [
        ("committed", latency.committed_ms),
        ("transcribed", latency.transcribed_ms),
        ("first_token", latency.first_token_ms),
        ("first_clause", latency.first_clause_ms),
        ("first_sound", latency.first_sound_ms),
        ("first_packet", latency.first_packet_ms),
        ("first_mouth", latency.first_mouth_ms),
    ];
    let question = if latency.spoken { "spoken" } else { "typed" };
    for (step, millis) in steps {
        if let Some(millis) = millis {
            metrics.step_seconds.with_label_values(&[question, step]).observe(millis.max(0) as f64 / 1000.0);
        }
    }
    tracing::info!(
        question,
        committed_ms = latency.committed_ms,
        transcribed_ms = latency.transcribed_ms,
        first_token_ms = latency.first_token_ms,
        first_clause_ms = latency.first_clause_ms,
        first_sound_ms = latency.first_sound_ms,
        first_packet_ms = latency.first_packet_ms,
        first_mouth_ms = latency.first_mouth_ms,
        "answer began to sound"
    );
}

fn millis(time: Duration) -> i64 {
    time.as_millis() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_spoken_answer_is_told_once_from_the_last_voice_to_the_mouth() {
        let mut ledger = Ledger::default();
        let turn = TurnId(3);
        ledger.text(at(1150));
        // Drafted before the turn was over.
        ledger.step(turn, Step::Asked, at(1160));
        ledger.step(turn, Step::Token, at(1210));
        ledger.committed(at(1000), at(1200));
        ledger.transcribed();
        ledger.answered(turn);
        ledger.step(turn, Step::Packet, at(1500));
        ledger.step(turn, Step::Packet, at(1600));
        assert_eq!(ledger.close(turn, false), None);
        ledger.step(turn, Step::Mouth, at(1540));
        let told = ledger.close(turn, false).unwrap();
        assert_eq!((told.committed_ms, told.transcribed_ms), (Some(200), Some(150)));
        assert_eq!((told.first_token_ms, told.first_packet_ms, told.first_mouth_ms), (Some(210), Some(500), Some(540)));
        assert_eq!(told.first_sound_ms, None);
        assert_eq!(ledger.close(turn, true), None);
        assert_eq!(ledger.first_token(turn), Some(at(50)));
    }

    #[test]
    fn drafts_that_were_dropped_are_forgotten() {
        let mut ledger = Ledger::default();
        for turn in 0..100 {
            ledger.step(TurnId(turn), Step::Asked, at(turn));
        }
        assert_eq!(ledger.entries.len(), ENTRIES);
        assert_eq!(ledger.close(TurnId(99), true), None, "nobody asked for it");
    }
}
