//! How long a recogniser elsewhere is waited for, and how often it is asked again.

use std::future::Future;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::HearingProblem;
use crate::clock;

/// No wait before another try is longer: somebody waits for an answer, and the local recogniser is at hand.
const LONGEST_WAIT_MILLIS: u64 = 2_000;
/// Doublings of the wait that are told apart.
const MOST_DOUBLINGS: u32 = 8;

/// Limits of one utterance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HearingLimits {
    /// From the request, the upload included, to the beginning of its answer.
    pub first_byte_timeout_millis: u64,
    /// Between two pieces of the answer.
    pub stall_timeout_millis: u64,
    /// The whole utterance, other tries included.
    pub total_timeout_millis: u64,
    /// Further tries after an error that may pass (no connection, a broken one, status 429 or 5xx).
    pub retries: u32,
    /// Wait before the first of them; doubled for each that follows. What the server asks for goes before.
    pub retry_wait_millis: u64,
}

impl Default for HearingLimits {
    fn default() -> Self {
        Self {
            first_byte_timeout_millis: 6_000,
            stall_timeout_millis: 3_000,
            total_timeout_millis: 15_000,
            retries: 1,
            retry_wait_millis: 200,
        }
    }
}

impl HearingLimits {
    /// `section`: where they stand in the configuration.
    pub fn validate(&self, section: &str) -> Result<(), String> {
        let times = [self.first_byte_timeout_millis, self.stall_timeout_millis, self.total_timeout_millis];
        if times.iter().any(|millis| !(1..=600_000).contains(millis)) {
            return Err(format!("the timeouts of {section} must be 1 to 600000 milliseconds"));
        }
        if self.retries > 10 || self.retry_wait_millis > LONGEST_WAIT_MILLIS {
            return Err(format!(
                "{section}: retries must be at most 10, and retry_wait_millis at most {LONGEST_WAIT_MILLIS}"
            ));
        }
        Ok(())
    }
}

/// The time that is left for an utterance.
pub struct Watch<'a> {
    limits: &'a HearingLimits,
    end: Instant,
    /// Until when the answer must begin; `None` once it has.
    begin: Option<Instant>,
    /// Tries after the first.
    tries: u32,
}

impl<'a> Watch<'a> {
    pub fn start(limits: &'a HearingLimits) -> Self {
        let end = now() + Duration::from_millis(limits.total_timeout_millis);
        let mut watch = Self { limits, end, begin: None, tries: 0 };
        watch.ask();
        watch
    }

    /// A request goes out.
    pub fn ask(&mut self) {
        self.begin = Some(now() + Duration::from_millis(self.limits.first_byte_timeout_millis));
    }

    /// Its answer begins.
    pub fn answers(&mut self) {
        self.begin = None;
    }

    /// Waits for the next thing that the server does, as long as is allowed.
    pub async fn wait<T>(&self, next: impl Future<Output = T>) -> Result<T, HearingProblem> {
        let HearingLimits { first_byte_timeout_millis, stall_timeout_millis, total_timeout_millis, .. } = *self.limits;
        let (limit, problem) = match self.begin {
            Some(begin) => (begin, HearingProblem::Late { millis: first_byte_timeout_millis }),
            None => {
                let limit = now() + Duration::from_millis(stall_timeout_millis);
                (limit, HearingProblem::Stalled { millis: stall_timeout_millis })
            }
        };
        let waited = timeout_at(limit.min(self.end), next).await;
        waited.map_err(|_| match self.end < limit {
            true => HearingProblem::TookTooLong { millis: total_timeout_millis },
            false => problem,
        })
    }

    /// Returns when the request may be made again; the problem itself if it may not.
    pub async fn again(&mut self, problem: HearingProblem) -> Result<(), HearingProblem> {
        let wait_millis = match problem {
            HearingProblem::Refused { again_millis: Some(millis), .. } => millis,
            _ => (self.limits.retry_wait_millis << self.tries.min(MOST_DOUBLINGS)).min(LONGEST_WAIT_MILLIS),
        };
        let at = now() + Duration::from_millis(wait_millis.min(LONGEST_WAIT_MILLIS));
        let is_soon = wait_millis <= LONGEST_WAIT_MILLIS && at < self.end;
        if !problem.may_pass() || self.tries >= self.limits.retries || !is_soon {
            return Err(problem);
        }
        tracing::debug!(%problem, wait_millis, "a remote recogniser is asked again");
        sleep_until(at).await;
        self.tries += 1;
        self.ask();
        Ok(())
    }
}

fn now() -> Instant {
    Instant::from_std(clock::now())
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn limits() -> HearingLimits {
        HearingLimits {
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
        assert_eq!(watch.wait(pending::<()>()).await, Err(HearingProblem::Late { millis: 3 }));
        watch.answers();
        assert_eq!(watch.wait(pending::<()>()).await, Err(HearingProblem::Stalled { millis: 2 }));
        limits.total_timeout_millis = 1;
        let watch = Watch::start(&limits);
        assert_eq!(watch.wait(pending::<()>()).await, Err(HearingProblem::TookTooLong { millis: 1 }));
    }

    #[tokio::test]
    async fn another_try_is_given_as_often_as_is_set_and_never_for_what_does_not_pass() {
        let limits = limits();
        let mut watch = Watch::start(&limits);
        let rubbish = HearingProblem::rubbish("");
        assert_eq!(watch.again(rubbish.clone()).await, Err(rubbish));
        let busy = HearingProblem::Refused { status: 429, reason: String::new(), again_millis: Some(3_600_000) };
        assert_eq!(watch.again(busy.clone()).await, Err(busy), "an hour is not waited");
        let cut_off = HearingProblem::CutOff { reason: String::new() };
        assert_eq!(watch.again(cut_off.clone()).await, Ok(()));
        assert_eq!(watch.again(cut_off.clone()).await, Err(cut_off));
    }

    #[test]
    fn impossible_limits_are_refused_by_name() {
        let wrong = [
            HearingLimits { stall_timeout_millis: 0, ..HearingLimits::default() },
            HearingLimits { retries: 11, ..HearingLimits::default() },
            HearingLimits { retry_wait_millis: 60_000, ..HearingLimits::default() },
        ];
        for limits in wrong {
            assert!(limits.validate("asr.remote.limits").is_err_and(|reason| reason.contains("asr.remote.limits")));
        }
        assert_eq!(HearingLimits::default().validate(""), Ok(()));
    }
}
