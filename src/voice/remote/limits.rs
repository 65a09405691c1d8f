//! How long a voice elsewhere is waited for, and how often it is asked again.

use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::RemoteProblem;
use crate::clock;

/// No wait before another try is longer than this: somebody listens, and another voice may be at hand.
const LONGEST_WAIT_MILLIS: u64 = 2_000;
/// Doublings of the wait that are told apart.
const MOST_DOUBLINGS: u32 = 8;

/// Limits of one clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteLimits {
    /// From the request to its first sound.
    pub first_byte_timeout_millis: u64,
    /// Between two pieces of sound.
    pub stall_timeout_millis: u64,
    /// The whole clause, other tries included.
    pub total_timeout_millis: u64,
    /// Further tries after an error that may pass (no connection, status 429 or 5xx, no sound), before the first part.
    pub retries: u32,
    /// Wait before the first of them; doubled for each that follows. What the server asks for goes before.
    pub retry_wait_millis: u64,
}

impl Default for RemoteLimits {
    fn default() -> Self {
        Self {
            first_byte_timeout_millis: 6_000,
            stall_timeout_millis: 4_000,
            total_timeout_millis: 60_000,
            retries: 1,
            retry_wait_millis: 200,
        }
    }
}

impl RemoteLimits {
    /// `section`: where they stand in the configuration.
    pub fn validate(&self, section: &str) -> Result<(), String> {
        let times = [self.first_byte_timeout_millis, self.stall_timeout_millis, self.total_timeout_millis];
        if times.iter().any(|millis| !(1..=600_000).contains(millis)) {
            return Err(format!("the timeouts of {section} must be 1 to 600000 milliseconds"));
        }
        if self.retries > 10 || self.retry_wait_millis > LONGEST_WAIT_MILLIS {
            return Err(format!("{section}: retries must be at most 10, retry_wait_millis {LONGEST_WAIT_MILLIS}"));
        }
        Ok(())
    }
}

/// The time that is left for a clause.
pub(super) struct Watch<'a> {
    limits: &'a RemoteLimits,
    started: Instant,
    asked: Instant,
    /// Tries after the first.
    tries: u32,
    sounds: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn start(limits: &'a RemoteLimits) -> Self {
        let now = Instant::from_std(clock::now());
        Self { limits, started: now, asked: now, tries: 0, sounds: false }
    }

    /// The first sound of a request is there.
    pub(super) fn sounds(&mut self) {
        self.sounds = true;
    }

    /// A further request of the same clause, whose first sound is waited for anew.
    pub(super) fn ask(&mut self) {
        self.asked = Instant::from_std(clock::now());
        self.sounds = false;
    }

    /// Waits for the next thing that the server does, as long as is allowed.
    pub(super) async fn wait<T>(&self, next: impl Future<Output = T>) -> Result<T, RemoteProblem> {
        let RemoteLimits { first_byte_timeout_millis, stall_timeout_millis, total_timeout_millis, .. } = *self.limits;
        let end = self.started + Duration::from_millis(total_timeout_millis);
        let (limit, problem) = match self.sounds {
            true => {
                let millis = stall_timeout_millis;
                (Instant::from_std(clock::now()) + Duration::from_millis(millis), RemoteProblem::Stalled { millis })
            }
            false => {
                let millis = first_byte_timeout_millis;
                (self.asked + Duration::from_millis(millis), RemoteProblem::Late { millis })
            }
        };
        let ends = end < limit;
        timeout_at(limit.min(end), next).await.map_err(|_| match ends {
            true => RemoteProblem::TookTooLong { millis: total_timeout_millis },
            false => problem,
        })
    }

    /// Returns when the request may be made again; the problem itself if it may not.
    pub(super) async fn again(&mut self, problem: RemoteProblem) -> Result<(), RemoteProblem> {
        let doubled = self.limits.retry_wait_millis << self.tries.min(MOST_DOUBLINGS);
        let wait = match problem {
            RemoteProblem::Refused { again_millis: Some(millis), .. } => millis,
            _ => doubled.min(LONGEST_WAIT_MILLIS),
        };
        let at = Instant::from_std(clock::now()) + Duration::from_millis(wait.min(LONGEST_WAIT_MILLIS));
        let in_time = at < self.started + Duration::from_millis(self.limits.total_timeout_millis);
        if !problem.may_pass() || self.tries >= self.limits.retries || wait > LONGEST_WAIT_MILLIS || !in_time {
            return Err(problem);
        }
        tracing::debug!(%problem, wait_millis = wait, "a remote voice is asked again");
        tokio::time::sleep_until(at).await;
        self.tries += 1;
        self.ask();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    fn limits() -> RemoteLimits {
        RemoteLimits {
            first_byte_timeout_millis: 3,
            stall_timeout_millis: 2,
            total_timeout_millis: 500,
            retries: 1,
            retry_wait_millis: 0,
        }
    }

    #[tokio::test]
    async fn what_never_comes_is_named_by_what_was_waited_for() {
        let mut limits = limits();
        let mut watch = Watch::start(&limits);
        assert_eq!(watch.wait(pending::<()>()).await, Err(RemoteProblem::Late { millis: 3 }));
        watch.sounds();
        assert_eq!(watch.wait(pending::<()>()).await, Err(RemoteProblem::Stalled { millis: 2 }));
        limits.total_timeout_millis = 1;
        let watch = Watch::start(&limits);
        assert_eq!(watch.wait(pending::<()>()).await, Err(RemoteProblem::TookTooLong { millis: 1 }));
    }

    #[tokio::test]
    async fn another_try_is_given_as_often_as_is_set_and_never_for_what_does_not_pass() {
        let limits = limits();
        let mut watch = Watch::start(&limits);
        let cut_off = RemoteProblem::CutOff { reason: String::new() };
        assert_eq!(watch.again(cut_off.clone()).await, Err(cut_off));
        let busy = RemoteProblem::Refused { status: 429, reason: String::new(), again_millis: Some(3_600_000) };
        assert_eq!(watch.again(busy.clone()).await, Err(busy), "an hour is not waited");
        assert_eq!(watch.again(RemoteProblem::NoSound).await, Ok(()));
        assert_eq!(watch.again(RemoteProblem::NoSound).await, Err(RemoteProblem::NoSound));
    }

    #[test]
    fn impossible_limits_are_refused_by_name() {
        let wrong = RemoteLimits { stall_timeout_millis: 0, ..RemoteLimits::default() };
        assert!(wrong.validate("tts.edge.limits").is_err_and(|reason| reason.contains("tts.edge.limits")));
        assert_eq!(RemoteLimits::default().validate(""), Ok(()));
    }
}
