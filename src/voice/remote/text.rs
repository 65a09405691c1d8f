//! A clause's text as it is sent away: clean, and in pieces that a server takes.
//!
//! Numbers, dates and the like stay as they are: the server reads them. PURE.

/// Whether there is anything to say in `text`: punctuation and emoji alone are not asked for.
pub fn is_sayable(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// `c`, or a space where XML 1.0 (section 2.2) or a terminal has no use for it.
pub fn cleaned(c: char) -> char {
    let unwanted = c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
    if unwanted { ' ' } else { c }
}

/// `text` in pieces of at most `most` by the sum of what `size` says of their characters; cut at a space where there
/// is one, and never within a character. Pieces with nothing to say are left out.
pub fn pieces(text: &str, most: usize, size: impl Fn(char) -> usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut space, mut length) = (0, None, 0);
    for (at, c) in text.char_indices() {
        length += size(c);
        if length > most && at > start {
            let cut = space.take().unwrap_or(at);
            pieces.push(&text[start..cut]);
            start = cut;
            length = text[start..at].chars().map(&size).sum::<usize>() + size(c);
        }
        if c.is_whitespace() {
            space = Some(at + c.len_utf8());
        }
    }
    pieces.push(&text[start..]);
    pieces.retain(|piece| is_sayable(piece));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_whole_and_short_enough() {
        assert_eq!(pieces("one two three", 8, char::len_utf8), ["one two ", "three"]);
        assert_eq!(pieces("短い文字列", 7, char::len_utf8), ["短い", "文字", "列"]);
        assert_eq!(pieces("a🎉🎉🎉b", 5, char::len_utf8), ["a🎉", "🎉b"], "one of emoji alone is left out");
    }

    #[test]
    fn nothing_is_lost_but_what_cannot_be_said() {
        let word = "x".repeat(2_000);
        let text = format!("{word} — 世界 {word}\n🎉 end");
        for most in [1, 3, 17, 500, 4096] {
            let joined = pieces(&text, most, char::len_utf8).concat();
            let said = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            assert_eq!(said(&joined), said(&text), "{most}");
        }
        assert!(pieces("…!?", 10, char::len_utf8).is_empty() && pieces("", 10, char::len_utf8).is_empty());
    }

    #[test]
    fn control_characters_become_spaces() {
        let text: String = "a\u{0}b\u{b}c\u{1b}d\u{85}e\u{ffff}f\tg".chars().map(cleaned).collect();
        assert_eq!(text, "a b c d e f g");
    }
}
