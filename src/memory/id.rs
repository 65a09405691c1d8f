//! The name under which a conversation is kept: given by the host page, checked here.
//!
//! **An id is a secret.** Whoever knows it gets what was said, so it must be one that nobody can guess: 128 random bits,
//! made once for each visitor and kept by the page (`crypto.randomUUID()`), or the name of a signed-in user with a
//! signature that the page's own server made. A bare user name or number is neither and is refused as far as it can be
//! told; `memory.guessable_ids` allows it, for hosts that check who may use which id before a call reaches this server.

use std::fmt;

/// 22 characters of 62 are 130 bits.
const SHORTEST: usize = 22;
const LONGEST: usize = 128;
/// So few happen less than once in 10^7 random ids, even if they are hexadecimal numbers of 32 digits.
const FEWEST_DIFFERENT: usize = 8;

/// A checked id. Its text is not shown in logs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConversationId(String);

impl ConversationId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell two apart in a log.
        write!(f, "ConversationId({}…)", self.0.chars().take(4).collect::<String>())
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("the conversation's id has {0} characters: use 1 to {LONGEST}")]
    Length(usize),
    #[error("the conversation's id may hold only letters and digits of ASCII and - _ . : @ ~")]
    Characters,
    #[error(
        "the conversation's id can be guessed: use at least {SHORTEST} random characters, such as a random UUID, or set \
         memory.guessable_ids if the host page's server decides who may use which"
    )]
    Guessable,
}

/// Checks an id that came from outside. `guessable`: ids of any length are allowed.
pub fn valid_id(id: &str, guessable: bool) -> Result<ConversationId, IdError> {
    // Characters of ASCII are bytes.
    if id.is_empty() || id.len() > LONGEST {
        return Err(IdError::Length(id.chars().count()));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@~".contains(&byte);
    if !id.bytes().all(allowed) {
        return Err(IdError::Characters);
    }
    let different = (0..=u8::MAX).filter(|byte| id.as_bytes().contains(byte)).count();
    if !guessable && (id.len() < SHORTEST || different < FEWEST_DIFFERENT) {
        return Err(IdError::Guessable);
    }
    Ok(ConversationId(id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ids_are_valid() {
        for id in ["9b2d6f1e-4c1a-4f0e-8d5b-6a7c8e9f0a1b", "conv_4fJq8Xk2LmN7pRtV0wYzAb", "alice:3f9a1c77e04b8d2265aa"]
        {
            assert_eq!(valid_id(id, false).unwrap().as_str(), id);
        }
    }

    #[test]
    fn ids_that_can_be_guessed_need_leave() {
        for id in ["42", "alice", "user-0000000000000000000001", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(valid_id(id, false), Err(IdError::Guessable), "{id}");
            assert!(valid_id(id, true).is_ok());
        }
    }

    #[test]
    fn other_characters_and_lengths_are_refused_in_any_case() {
        for id in ["a b", "a/../b", "a\nb", "a\0", "a'b", "名", "a*"] {
            assert_eq!(valid_id(id, true), Err(IdError::Characters), "{id:?}");
        }
        assert_eq!(valid_id("", true), Err(IdError::Length(0)));
        assert_eq!(valid_id(&"x".repeat(129), true), Err(IdError::Length(129)));
    }

    #[test]
    fn a_log_does_not_show_the_secret() {
        let id = valid_id("9b2d6f1e-4c1a-4f0e-8d5b-6a7c8e9f0a1b", false).unwrap();
        assert_eq!(format!("{id:?}"), "ConversationId(9b2d…)");
    }
}
