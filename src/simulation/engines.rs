//! The engines of the simulation: each does what it is asked after a scripted time, in the order of those times.
//!
//! A recogniser and a voice do one thing after the other, as their threads do; models answer side by side. What is
//! stopped may still say something late, as real ones do.

use std::collections::BTreeMap;

use crate::dialogue::Input;

/// What will happen, by time and then by order.
#[derive(Debug, Default)]
pub struct Engines {
    due: BTreeMap<(u64, u64), Input>,
    next: u64,
    recogniser_free: u64,
    voice_free: u64,
}

impl Engines {
    pub fn at(&mut self, time: u64, input: Input) {
        self.next += 1;
        self.due.insert((time, self.next), input);
    }

    /// The recogniser does this after what it does already.
    pub fn recognise(&mut self, now: u64, takes: u64, input: Input) {
        self.recogniser_free = self.recogniser_free.max(now) + takes;
        self.at(self.recogniser_free, input);
    }

    /// So does the voice.
    pub fn voice(&mut self, now: u64, takes: u64, input: Input) {
        self.voice_free = self.voice_free.max(now) + takes;
        self.at(self.voice_free, input);
    }

    /// Drops what has not happened and is of no more use.
    pub fn drop_where(&mut self, unwanted: impl Fn(&Input) -> bool) {
        self.due.retain(|_, input| !unwanted(input));
    }

    /// The next that is due by `now`.
    pub fn pop(&mut self, now: u64) -> Option<Input> {
        let first = self.due.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    pub fn is_idle(&self) -> bool {
        self.due.is_empty()
    }
}
