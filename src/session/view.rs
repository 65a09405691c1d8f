//! A call as it is seen from outside: what it is doing, who is seen and heard, how much went well.
//!
//! The session writes, anybody reads; neither waits for the other, and nothing is made for a reader who does not come.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use signaling::{Call, CallOrigin, CallState, News};

use crate::clock;
use crate::metrics::Metrics;
use crate::peer::Meter;

/// In the order of their numbers.
const STATES: [CallState; 5] =
    [CallState::Connecting, CallState::Listening, CallState::Hearing, CallState::Thinking, CallState::Speaking];

pub struct View {
    pub id: String,
    origin: CallOrigin,
    /// Seconds since 1970.
    started_at: u64,
    pub started: Instant,
    state: AtomicU8,
    pub answers: AtomicU64,
    pub interruptions: AtomicU64,
    pub errors: AtomicU64,
    persona: Mutex<Persona>,
    meter: Meter,
    metrics: Arc<Metrics>,
}

/// Who is seen, who is heard, in which language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Persona {
    pub avatar: String,
    pub voice: String,
    pub language: String,
}

impl View {
    pub fn new(id: &str, origin: CallOrigin, persona: Persona, meter: Meter, metrics: Arc<Metrics>) -> Self {
        Self {
            id: id.to_owned(),
            origin,
            started_at: clock::unix_seconds(),
            started: clock::now(),
            state: AtomicU8::default(),
            answers: AtomicU64::default(),
            interruptions: AtomicU64::default(),
            errors: AtomicU64::default(),
            persona: Mutex::new(persona),
            meter,
            metrics,
        }
    }

    /// The call does this now.
    pub fn follow(&self, state: CallState) {
        let number = STATES.iter().position(|one| *one == state).unwrap_or_default() as u8;
        if self.state.swap(number, Ordering::Relaxed) != number {
            self.metrics.news.post(|| News::CallChanged { id: self.id.clone(), state });
        }
    }

    /// Is seen and heard like this now.
    pub fn show(&self, avatar: &str, voice: &str, language: &str) {
        let mut persona = self.persona.lock().unwrap_or_else(PoisonError::into_inner);
        let Persona { avatar: seen, voice: heard, language: spoken } = &mut *persona;
        for (shown, now) in [(seen, avatar), (heard, voice), (spoken, language)] {
            if shown != now {
                now.clone_into(shown);
            }
        }
    }

    pub fn seconds(&self) -> u64 {
        (clock::now() - self.started).as_secs()
    }

    pub fn call(&self) -> Call {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Persona { avatar, voice, language } = self.persona.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let quality = self.meter.read();
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        Call {
            id: self.id.clone(),
            state: STATES[usize::from(self.state.load(Ordering::Relaxed))],
            started_at: self.started_at,
            seconds: self.seconds(),
            remote: self.origin.remote.map(|remote| remote.to_string()),
            origin: self.origin.origin.clone(),
            user_agent: self.origin.user_agent.clone(),
            avatar,
            voice,
            language,
            answers: count(&self.answers),
            interruptions: count(&self.interruptions),
            errors: count(&self.errors),
            round_trip_ms: quality.round_trip.map(millis),
            loss: quality.loss.map(f64::from),
            jitter_ms: quality.jitter.map(millis),
            frames_per_second: quality.frames_per_second.map(f64::from),
            late_frames: quality.late_frames,
        }
    }
}
