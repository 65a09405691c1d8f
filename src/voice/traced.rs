//! Text on its way to being spoken that remembers, for each of its bytes, where in the transcript it comes from.
//!
//! [`super::normalize`] and [`super::sentences`] change text only through it. Pure.

use std::ops::Range;

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traced {
    text: String,
    /// Byte of the transcript for each byte of `text`; never falls.
    from: Vec<usize>,
}

impl Traced {
    /// The transcript itself.
    pub fn whole(text: &str) -> Self {
        Self { text: text.to_owned(), from: (0..text.len()).collect() }
    }

    /// `text`, which is said for what stands in the transcript at `from`.
    pub fn said(text: &str, from: usize) -> Self {
        Self { text: text.to_owned(), from: vec![from; text.len()] }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Adds what stands in `other` at `range`.
    pub fn copy(&mut self, other: &Self, range: Range<usize>) {
        self.text.push_str(&other.text[range.clone()]);
        self.from.extend_from_slice(&other.from[range]);
    }

    pub fn extend(&mut self, other: &Self) {
        self.copy(other, 0..other.text.len());
    }

    /// Adds `text`, which is said for what stands in the transcript at `from`.
    pub fn say(&mut self, text: &str, from: usize) {
        self.text.push_str(text);
        self.from.resize(self.text.len(), from);
    }

    /// What stands at `range`.
    pub fn part(&self, range: Range<usize>) -> Self {
        let mut part = Self::default();
        part.copy(self, range);
        part
    }

    /// Without spaces at both ends.
    pub fn trimmed(&self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        self.part(start..start + self.text.trim().len())
    }

    /// With `new` wherever `old` stands.
    pub fn replaced(&self, old: &str, new: &str) -> Self {
        let mut out = Self::default();
        let mut done = 0;
        for (at, _) in self.text.match_indices(old) {
            out.copy(self, done..at);
            out.say(new, self.from[at]);
            done = at + old.len();
        }
        out.copy(self, done..self.text.len());
        out
    }

    /// Each word between spaces changed by `change`, with single spaces between them; words that become empty go.
    pub fn each_word(&self, change: impl Fn(Self) -> Self) -> Self {
        let mut out = Self::default();
        for word in self.text.split_whitespace() {
            // `word` is a slice of `self.text`.
            let start = word.as_ptr() as usize - self.text.as_ptr() as usize;
            let word = change(self.part(start..start + word.len()));
            if let Some(&from) = word.from.first() {
                if !out.text.is_empty() {
                    out.say(" ", from);
                }
                out.extend(&word);
            }
        }
        out
    }

    /// Byte of the transcript that stands for byte `at`; for the end, the byte after the last one.
    pub fn from(&self, at: usize) -> usize {
        self.from.get(at).copied().unwrap_or_else(|| self.from.last().map_or(0, |last| last + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_points_to_what_was_written() {
        let written = Traced::whole("no & 5°C");
        let said = written.replaced("&", "and").replaced("°C", " degrees");
        assert_eq!(said.as_str(), "no and 5 degrees");
        let from: Vec<usize> = said.as_str().char_indices().map(|(at, _)| said.from(at)).collect();
        assert_eq!(from, [0, 1, 2, 3, 3, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6]);
    }

    #[test]
    fn words_are_changed_one_by_one_and_empty_ones_go() {
        let text = Traced::whole("  a\tbc   d ");
        let out = text.each_word(|word| if word.as_str() == "bc" { Traced::default() } else { word });
        assert_eq!((out.as_str(), out.from(0), out.from(2)), ("a d", 2, 9));
        assert_eq!(text.trimmed().as_str(), "a\tbc   d");
        assert_eq!(text.trimmed().from(0), 2);
    }
}
