//! What can be wrong with a voice elsewhere, and what to do about it. Whose problem it is stands in
//! [`VoiceError::Remote`](crate::voice::VoiceError).

/// See the module's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteProblem {
    #[error("it cannot be reached ({reason}): check the network and `base_url`")]
    Unreachable { reason: String },
    #[error("it refused with status {status} ({reason}): {}", advice(*.status))]
    Refused {
        status: u16,
        reason: String,
        /// When to ask again, if it says so.
        again_millis: Option<u64>,
    },
    #[error("it does not know the voice or model ({reason}): choose another `voice` or `model`")]
    UnknownVoice { reason: String },
    #[error("its key is missing: set the environment variable {variable}, or `api_key_env = \"\"` if it needs none")]
    KeyMissing { variable: String },
    #[error("{0} cannot be used as its key: a key has only printable ASCII characters")]
    KeyUnusable(String),
    #[error("its settings cannot be used: {reason}")]
    Settings { reason: String },
    #[error("its certificate cannot be checked ({reason}): install the system's certificates (ca-certificates)")]
    Certificates { reason: String },
    #[error("it gave no sound within {millis} ms: raise `first_byte_timeout_millis`, or use a server that is nearer")]
    Late { millis: u64 },
    #[error("it fell silent for {millis} ms in mid-clause: raise `stall_timeout_millis`, or use another server")]
    Stalled { millis: u64 },
    #[error("the clause took longer than {millis} ms and was ended: raise `total_timeout_millis`")]
    TookTooLong { millis: u64 },
    #[error("it broke off before the clause was whole ({reason}): the server or something on the way ended it")]
    CutOff { reason: String },
    #[error("it sent what is not understood ({reason}): check `base_url` and the sound format")]
    Rubbish { reason: String },
    #[error("it gave no sound at all: check that the voice speaks the language of the text")]
    NoSound,
    #[error("it made more than {seconds} s of sound of one clause, which is not speech: use another server")]
    TooMuch { seconds: u64 },
}

impl RemoteProblem {
    /// Whether the same request may well succeed in a moment. Silence instead of sound counts: Microsoft's service
    /// gives it now and then, to texts that it says the next time.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NoSound => true,
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
        300..=399 => "give the `base_url` that it points to",
        500.. => "it is broken or overloaded; try later",
        _ => "check the settings of the voice",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_worth_another_try() {
        let refused = |status| RemoteProblem::Refused { status, reason: String::new(), again_millis: None };
        assert!([429, 500, 503].map(refused).iter().all(RemoteProblem::may_pass));
        assert!(![301, 400, 401, 403, 404].map(refused).iter().any(RemoteProblem::may_pass));
        assert!(!RemoteProblem::Late { millis: 1 }.may_pass());
        assert!(RemoteProblem::Unreachable { reason: String::new() }.may_pass());
    }

    #[test]
    fn each_says_what_to_do() {
        assert!(RemoteProblem::KeyMissing { variable: "KEY_X".into() }.to_string().contains("KEY_X"));
        let refused = RemoteProblem::Refused { status: 401, reason: "bad key".into(), again_millis: None };
        assert_eq!(
            refused.to_string(),
            "it refused with status 401 (bad key): check the key and what it may be used for"
        );
    }
}
