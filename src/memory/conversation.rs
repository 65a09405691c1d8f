//! A conversation as it is kept: what was said, the summary of what is no longer in the prompt, and the limits.
//!
//! PURE. Items are numbered from the conversation's very first one, so a summary can say how far it reaches even after
//! the oldest items are gone. Seconds are those of Unix.

use serde::{Deserialize, Serialize};

/// Who said it. The names are what stands in the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::System, Self::User, Self::Assistant].into_iter().find(|role| role.name() == name)
    }
}

/// One thing that was said, as it was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub role: Role,
    pub text: String,
    /// When, in Unix seconds.
    pub at: u64,
    /// The answer was cut short; the text is what was heard of it.
    #[serde(default)]
    pub cut: bool,
}

/// What a model wrote of the items before number `upto`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub text: String,
    pub upto: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Number of `items[0]`: so many older ones are gone.
    pub first: u64,
    pub items: Vec<Item>,
    pub summary: Option<Summary>,
    /// Of the first item and of the last change, in Unix seconds.
    pub created: u64,
    pub touched: u64,
}

impl Conversation {
    /// Number that the next item gets.
    pub fn next(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// The items that the summary does not cover.
    pub fn rest(&self) -> &[Item] {
        let upto = self.summary.as_ref().map_or(0, |summary| summary.upto);
        let covered = upto.saturating_sub(self.first).min(self.items.len() as u64);
        &self.items[covered as usize..]
    }
}

/// How much of one conversation is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub items: usize,
    /// Of the items' texts together.
    pub bytes: usize,
    /// A conversation that nobody touched for so many seconds is gone; 0: never.
    pub age_seconds: u64,
}

/// Longest text of one item and of a summary; the rest is cut off.
pub const LONGEST_TEXT: usize = 16 << 10;

impl Limits {
    /// How many of the oldest items go, given the lengths of all in bytes. The last one stays.
    pub fn surplus(&self, lengths: &[usize]) -> usize {
        let mut items = lengths.len();
        let mut bytes: usize = lengths.iter().sum();
        let mut gone = 0;
        while items > 1 && (items > self.items || bytes > self.bytes) {
            bytes -= lengths[gone];
            items -= 1;
            gone += 1;
        }
        gone
    }

    /// Conversations last touched before this are gone.
    pub fn oldest(&self, now: u64) -> u64 {
        match self.age_seconds {
            0 => 0,
            age => now.saturating_sub(age),
        }
    }
}

/// `text` without what is over [`LONGEST_TEXT`].
pub fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_TEXT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_until_both_limits_are_kept() {
        let limits = Limits { items: 3, bytes: 100, age_seconds: 0 };
        assert_eq!(limits.surplus(&[]), 0);
        assert_eq!(limits.surplus(&[10, 10, 10]), 0);
        assert_eq!(limits.surplus(&[10, 10, 10, 10]), 1);
        assert_eq!(limits.surplus(&[90, 10, 1]), 1);
        assert_eq!(limits.surplus(&[1, 500]), 1);
        assert_eq!(limits.surplus(&[500]), 0);
    }

    #[test]
    fn the_rest_begins_where_the_summary_ends() {
        let item = |text: &str| Item { role: Role::User, text: text.into(), at: 0, cut: false };
        let mut conversation =
            Conversation { first: 10, items: vec![item("10"), item("11"), item("12")], ..Default::default() };
        assert_eq!(conversation.rest().len(), 3);
        for (upto, rest) in [(5, 3), (10, 3), (11, 2), (13, 0), (99, 0)] {
            conversation.summary = Some(Summary { text: String::new(), upto });
            assert_eq!(conversation.rest().len(), rest, "{upto}");
        }
    }

    #[test]
    fn age_is_counted_from_the_last_touch() {
        let limits = Limits { items: 1, bytes: 1, age_seconds: 100 };
        assert_eq!(limits.oldest(1000), 900);
        assert_eq!(limits.oldest(50), 0);
        assert_eq!(Limits { age_seconds: 0, ..limits }.oldest(1000), 0);
    }
}
