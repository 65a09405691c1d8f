//! How long a call may last and how long it may be idle, and when to warn of either.
//!
//! PURE: time is an argument. A warning comes before every end that can be foreseen.

use std::time::{Duration, Instant};

use signaling::events::EndReason;

/// Settings of one call's limits; a zero duration means no limit.
#[derive(Clone, Copy, Debug)]
pub struct LimitSettings {
    pub idle: Duration,
    pub longest: Duration,
    /// How long before the end the client is warned.
    pub warning: Duration,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Warn { reason: EndReason, remaining: Duration },
    End { reason: EndReason },
}

#[derive(Debug)]
pub struct Limits {
    settings: LimitSettings,
    started: Instant,
    active: Instant,
    warned: Option<EndReason>,
}

impl Limits {
    pub fn new(settings: LimitSettings, now: Instant) -> Self {
        Self { settings, started: now, active: now, warned: None }
    }

    /// Somebody spoke, typed or was answered.
    pub fn touch(&mut self, now: Instant) {
        self.active = now;
        if self.warned == Some(EndReason::IdleTimeout) {
            self.warned = None;
        }
    }

    /// The limit that is reached first.
    fn end(&self) -> Option<(Instant, EndReason)> {
        let limit = |from: Instant, length: Duration, reason| (!length.is_zero()).then(|| (from + length, reason));
        let idle = limit(self.active, self.settings.idle, EndReason::IdleTimeout);
        let longest = limit(self.started, self.settings.longest, EndReason::MaxDuration);
        idle.into_iter().chain(longest).min_by_key(|(at, _)| *at)
    }

    /// When to look again.
    pub fn deadline(&self) -> Option<Instant> {
        let (end, reason) = self.end()?;
        let warning = end.checked_sub(self.settings.warning).unwrap_or(self.started).max(self.started);
        Some(if self.warned == Some(reason) { end } else { warning })
    }

    pub fn check(&mut self, now: Instant) -> Option<Due> {
        let (end, reason) = self.end()?;
        if now >= end {
            return Some(Due::End { reason });
        }
        if self.warned != Some(reason) && now + self.settings.warning >= end {
            self.warned = Some(reason);
            return Some(Due::Warn { reason, remaining: end - now });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> (Limits, Instant) {
        let now = crate::clock::now();
        let settings = LimitSettings { idle: 60 * SECOND, longest: 100 * SECOND, warning: 10 * SECOND };
        (Limits::new(settings, now), now)
    }

    #[test]
    fn idleness_is_warned_of_and_then_ends_the_call() {
        let (mut limits, start) = limits();
        assert_eq!(limits.deadline(), Some(start + 50 * SECOND));
        assert_eq!(limits.check(start + 49 * SECOND), None);
        let warning = Due::Warn { reason: EndReason::IdleTimeout, remaining: 10 * SECOND };
        assert_eq!(limits.check(start + 50 * SECOND), Some(warning));
        assert_eq!(limits.check(start + 51 * SECOND), None, "warned once");
        assert_eq!(limits.deadline(), Some(start + 60 * SECOND));
        assert_eq!(limits.check(start + 60 * SECOND), Some(Due::End { reason: EndReason::IdleTimeout }));
    }

    #[test]
    fn activity_takes_the_warning_back_but_not_the_longest_duration() {
        let (mut limits, start) = limits();
        limits.check(start + 50 * SECOND);
        limits.touch(start + 55 * SECOND);
        assert_eq!(limits.check(start + 60 * SECOND), None);
        assert_eq!(limits.deadline(), Some(start + 90 * SECOND));
        limits.touch(start + 95 * SECOND);
        assert_eq!(limits.check(start + 100 * SECOND), Some(Due::End { reason: EndReason::MaxDuration }));
    }

    #[test]
    fn zero_means_no_limit() {
        let now = crate::clock::now();
        let none = LimitSettings { idle: Duration::ZERO, longest: Duration::ZERO, warning: SECOND };
        assert_eq!(Limits::new(none, now).deadline(), None);
    }
}
