//! What can be wrong with a recogniser elsewhere, and what to do about it. Whose problem it is stands in
//! [`AsrError::Remote`](crate::hearing::AsrError).

/// See the module's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HearingProblem {
    #[error("it cannot be reached ({reason}): check the network and `base_url`")]
    Unreachable { reason: String },
    #[error("it refused with status {status} ({reason}): {}", advice(*.status))]
    Refused {
        status: u16,
        reason: String,
        /// When to ask again, if it says so.
        again_millis: Option<u64>,
    },
    #[error("it does not know the model ({reason}): choose another `model`")]
    UnknownModel { reason: String },
    #[error("it does not take the sound as it is sent ({reason}): set `sound = \"wav\"`")]
    UnknownSound { reason: String },
    #[error("its key is missing: set the environment variable {variable}, or `api_key_env = \"\"` if it needs none")]
    KeyMissing { variable: String },
    #[error("{0} cannot be used as a header: it may have printable ASCII characters only")]
    HeaderUnusable(String),
    #[error("its settings cannot be used: {reason}")]
    Settings { reason: String },
    #[error("its certificate cannot be checked ({reason}): install the system's certificates (ca-certificates)")]
    Certificates { reason: String },
    #[error("it gave no answer within {millis} ms: raise `first_byte_timeout_millis`, or use a server that is nearer")]
    Late { millis: u64 },
    #[error("it fell silent for {millis} ms in mid-answer: raise `stall_timeout_millis`, or use another server")]
    Stalled { millis: u64 },
    #[error("the utterance took longer than {millis} ms and was ended: raise `total_timeout_millis`")]
    TookTooLong { millis: u64 },
    #[error("it broke off before the answer was whole ({reason}): the server or something on the way ended it")]
    CutOff { reason: String },
    #[error("it sent what is not understood ({reason}): check `base_url` and `response_format`")]
    Rubbish { reason: String },
    #[error("the sound is {seconds} s long, and at most {most} s are sent: cut it")]
    TooLong { seconds: u64, most: u64 },
    #[error("the sound cannot be packed ({reason}): set `sound = \"wav\"`")]
    Packing { reason: String },
}

impl HearingProblem {
    /// Whether the same request may well succeed in a moment. It has no effect but its answer, so what was cut off may
    /// be asked again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::CutOff { .. } => true,
            Self::Refused { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    pub(super) fn rubbish(reason: impl Into<String>) -> Self {
        Self::Rubbish { reason: reason.into() }
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        401..=403 => "check the key and what it may be used for",
        404 => "check `base_url` and `model`",
        408 | 429 => "it is asked too much, or the account has used up what it may",
        413 => "it takes less sound at a time; set `sound = \"ogg\"`",
        300..=399 => "give the `base_url` that it points to",
        500.. => "it is broken or overloaded; try later",
        _ => "check the settings of the recogniser",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_worth_another_try() {
        let refused = |status| HearingProblem::Refused { status, reason: String::new(), again_millis: None };
        assert!([429, 500, 503, 599].map(refused).iter().all(HearingProblem::may_pass));
        assert!(![301, 400, 401, 404, 413].map(refused).iter().any(HearingProblem::may_pass));
        assert!(HearingProblem::CutOff { reason: String::new() }.may_pass());
        assert!(!HearingProblem::Late { millis: 1 }.may_pass(), "who waited that long waits no more");
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        for (status, advice) in [(401, "key"), (404, "`model`"), (413, "ogg"), (307, "points to"), (503, "later")] {
            let refused = HearingProblem::Refused { status, reason: "because".into(), again_millis: None }.to_string();
            assert!(refused.contains(advice) && refused.contains("because"), "{refused}");
        }
    }
}
