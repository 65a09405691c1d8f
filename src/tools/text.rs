//! What a tool said, made fit for a model: text without control characters, of bounded length.

/// Longest beginning of an error's body that is passed on, in bytes.
pub(super) const BEGINNING: usize = 300;

/// The longest part from the start that is at most `bytes` long and ends between characters.
pub(super) fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// A result for the model: at most `limit` bytes of it, then a note if there was more. `more` says that the rest was
/// not even read.
pub(super) fn result(text: &str, limit: usize, more: bool) -> String {
    let clean = without_controls(text.trim());
    if clean.is_empty() && !more {
        return "(The tool did its work and answered without text.)".into();
    }
    let kept = clip(&clean, limit);
    if kept.len() == clean.len() && !more {
        return clean;
    }
    format!("{kept}\n[Cut off here: the tool's answer is longer than {limit} bytes.]")
}

/// The start of something long, on one line.
pub(super) fn beginning(text: &str) -> String {
    let start = without_controls(clip(text, BEGINNING * 2));
    let line = start.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept = clip(&line, BEGINNING);
    if kept.len() < line.len() || text.len() > BEGINNING * 2 { format!("{kept}...") } else { line }
}

/// A chain of errors as one line.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        // Many errors say their cause themselves.
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        next = cause.source();
    }
    beginning(&said)
}

/// Line breaks and tabs stay. Escape sequences, NUL and their like mean nothing to a model.
fn without_controls(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_result_is_cut_between_characters_and_says_so() {
        assert_eq!(result("明天有雨", 7, false), "明天\n[Cut off here: the tool's answer is longer than 7 bytes.]");
        assert_eq!(result("明天有雨", 12, false), "明天有雨");
        assert_eq!(result("明天", 12, true), "明天\n[Cut off here: the tool's answer is longer than 12 bytes.]");
    }

    #[test]
    fn control_characters_are_dropped_and_silence_is_named() {
        assert_eq!(result("\u{1b}[31mred\u{0}\r\nblue\t.", 100, false), "[31mred\nblue\t.");
        assert!(result(" \r\n\u{0}", 100, false).starts_with("(The tool"));
    }

    #[test]
    fn the_beginning_of_a_page_is_one_short_line() {
        assert_eq!(beginning("<h1>\n  502  </h1>"), "<h1> 502 </h1>");
        let long = beginning(&"é".repeat(9000));
        assert!(long.ends_with("...") && long.len() <= BEGINNING + 3, "{}", long.len());
    }
}
