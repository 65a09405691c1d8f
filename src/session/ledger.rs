//! When what happened in the answer that is under way, for the log and the histograms.
//!
//! PURE: times are arguments. From the end of the person's speech, by the audio, to the answer's first sound.

use std::time::{Duration, Instant};

use crate::media::TurnId;
use crate::metrics::Metrics;

#[derive(Debug, Default)]
pub struct Ledger {
    speech_ended: Option<Instant>,
    turn: TurnId,
    asked: Option<Instant>,
    first_token: Option<Instant>,
}

impl Ledger {
    /// The end of speech was noticed `silence_millis` after it.
    pub fn speech_ended(&mut self, noticed: Instant, silence_millis: u32) {
        self.speech_ended = noticed.checked_sub(Duration::from_millis(silence_millis.into()));
    }

    pub fn asked(&mut self, turn: TurnId, now: Instant) {
        self.turn = turn;
        self.asked = Some(now);
        self.first_token = None;
    }

    pub fn token(&mut self, turn: TurnId, now: Instant, metrics: &Metrics) {
        if let (true, None, Some(asked)) = (turn == self.turn, self.first_token, self.asked) {
            self.first_token = Some(now);
            metrics.first_token_seconds.observe((now - asked).as_secs_f64());
        }
    }

    /// The answer's first sound went out.
    pub fn sound(&mut self, turn: TurnId, now: Instant, metrics: &Metrics) {
        let Some(asked) = self.asked.filter(|_| turn == self.turn) else { return };
        let millis = |from: Instant, to: Instant| to.saturating_duration_since(from).as_millis() as u64;
        let ended = self.speech_ended.take();
        if let Some(ended) = ended {
            metrics.answer_seconds.observe(now.saturating_duration_since(ended).as_secs_f64());
        }
        tracing::info!(
            turn = turn.0,
            speech_to_prompt_ms = ended.map(|ended| millis(ended, asked)),
            prompt_to_token_ms = self.first_token.map(|token| millis(asked, token)),
            token_to_sound_ms = self.first_token.map(|token| millis(token, now)),
            speech_to_sound_ms = ended.map(|ended| millis(ended, now)),
            "answer began to sound"
        );
    }
}
