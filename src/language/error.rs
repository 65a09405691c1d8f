//! What can go wrong with a language model, whose fault it is, and what to do about it.

use std::time::Duration;

/// See the module's text. `url` is shown without keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LanguageError {
    #[error("{0}")]
    Settings(String),
    #[error("the local language model is not running yet: {reason}")]
    LocalDown { reason: String },
    #[error("the language model at {url} cannot be reached ({reason}): check that it runs, and its base_url")]
    Unreachable { url: String, reason: String },
    #[error("the language model at {url} refused with status {status} ({reason}): {}", advice(*.status))]
    Refused {
        url: String,
        status: u16,
        reason: String,
        /// When to ask again, if it says so.
        again: Option<Duration>,
        /// The account has used up what it may.
        spent: bool,
    },
    #[error(
        "the language model at {url} gave no word within {millis} ms: raise first_token_timeout_millis or use a faster model"
    )]
    FirstToken { url: String, millis: u64 },
    #[error("the answer took longer than {millis} ms and was ended: raise total_timeout_millis or lower max_tokens")]
    Total { millis: u64 },
    #[error("the answer of the language model at {url} ended before it was complete ({reason})")]
    CutOff { url: String, reason: String },
    #[error("the language model at {url} sent what is not understood ({reason}): check base_url and model")]
    Rubbish { url: String, reason: String },
    #[error("the language model at {url} gave an empty answer ({reason}): ask in another way, or use another model")]
    Empty { url: String, reason: String },
    #[error("the language model called the tool \"{tool}\" with arguments that cannot be used ({reason}){}", if_cut(*.cut))]
    Arguments {
        tool: String,
        reason: String,
        /// The answer had used up its tokens.
        cut: bool,
    },
}

impl LanguageError {
    /// Whether the same request may well succeed in a moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::LocalDown { .. } => true,
            Self::Refused { status, spent, .. } => (*status == 429 && !spent) || *status >= 500,
            _ => false,
        }
    }

    /// When the server wants to be asked again.
    pub(super) fn again(&self) -> Option<Duration> {
        if let Self::Refused { again, .. } = self { *again } else { None }
    }

    /// Whether it speaks against the server, rather than against this one request or the model's words.
    pub(super) fn blames_server(&self) -> bool {
        match self {
            Self::Settings(_) | Self::Empty { .. } | Self::Arguments { .. } => false,
            Self::Refused { status, .. } => ![400, 413, 422].contains(status),
            _ => true,
        }
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => "give the base_url that it points to",
        400 | 413 | 422 => "check model, context and extra_body",
        401..=403 => "check the key and what it may be used for",
        404 => "check base_url and model",
        408 | 429 => "it is asked too much, or the account has used up what it may",
        500.. => "it is broken or overloaded; try later",
        _ => "check the settings of this endpoint",
    }
}

fn if_cut(cut: bool) -> &'static str {
    if cut { ": the answer was longer than max_tokens, raise it" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_asked_again_and_only_servers_are_blamed() {
        let refused = |status, spent| LanguageError::Refused {
            url: String::new(),
            status,
            reason: String::new(),
            again: None,
            spent,
        };
        assert!([429, 500, 503].iter().all(|&status| refused(status, false).may_pass()));
        assert!([301, 400, 401, 404].iter().all(|&status| !refused(status, false).may_pass()));
        assert!(!refused(429, true).may_pass());
        assert!([401, 404, 429, 500].iter().all(|&status| refused(status, false).blames_server()));
        assert!([400, 413, 422].iter().all(|&status| !refused(status, false).blames_server()));
    }
}
