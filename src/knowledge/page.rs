//! The bytes of a file become the text of a page: encoding, length, front matter.
//!
//! What stands in the front matter is no part of any passage, but its title and keywords help to find the page; a
//! keyword in another language makes a page be found by questions in that language.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Longest page; of a longer one the beginning is taken.
pub const LONGEST_BYTES: usize = 1 << 20;
/// Longest title and longest list of keywords in characters.
const LONGEST_HINT: usize = 500;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Without front matter.
    pub text: String,
    /// Title and keywords of the front matter.
    pub hints: String,
    /// It was longer than [`LONGEST_BYTES`].
    pub cut: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("it is a binary file")]
    Binary,
    #[error("it is not in UTF-8: save it in that encoding")]
    NotUtf8,
}

pub fn read(path: &Path) -> Result<Page, PageError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    parse(bytes)
}

pub fn parse(mut bytes: Vec<u8>) -> Result<Page, PageError> {
    let cut = bytes.len() > LONGEST_BYTES;
    bytes.truncate(LONGEST_BYTES);
    if bytes.contains(&0) {
        return Err(PageError::Binary);
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        // The cut may have gone through a character.
        Err(error) if cut && error.utf8_error().error_len().is_none() => {
            let whole = error.utf8_error().valid_up_to();
            let mut bytes = error.into_bytes();
            bytes.truncate(whole);
            String::from_utf8(bytes).map_err(|_| PageError::NotUtf8)?
        }
        Err(_) => return Err(PageError::NotUtf8),
    };
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let (hints, body) = split_front_matter(&text);
    let text = body.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    Ok(Page { text, hints, cut })
}

/// Title with keywords, and the text after the front matter: YAML between `---`, TOML between `+++`.
fn split_front_matter(text: &str) -> (String, &str) {
    let fence =
        ["---", "+++"].into_iter().find(|fence| text.lines().next().is_some_and(|line| line.trim_end() == *fence));
    let Some(fence) = fence else { return (String::new(), text) };
    let mut end = None;
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        at += line.len();
        let line = line.trim_end();
        if number > 0 && (line == fence || (fence == "---" && line == "...")) {
            end = Some(at);
            break;
        }
    }
    match end {
        Some(end) => (hints(text[..end].trim_end().trim_matches(['-', '+', '.'])), &text[end..]),
        // A rule at the top of a page that has no front matter.
        None => (String::new(), text),
    }
}

/// The values of `title`, `keywords`, `tags` and `aliases`, on one line or as a list of lines.
fn hints(front: &str) -> String {
    let mut hints = String::new();
    let mut wanted = false;
    for line in front.lines() {
        let item = line.trim_start().strip_prefix("- ");
        let value = match (item, line.split_once([':', '='])) {
            (Some(item), _) => item,
            (None, Some((key, value))) if !line.starts_with([' ', '\t']) => {
                let key = key.trim().to_ascii_lowercase();
                wanted = matches!(key.as_str(), "title" | "keywords" | "tags" | "aliases");
                value
            }
            _ => line,
        };
        if wanted {
            let value = value.trim().trim_matches(['[', ']', '"', '\'']);
            hints.extend(
                value.chars().filter(|c| !c.is_control()).map(|c| if matches!(c, '"' | '\'') { ' ' } else { c }),
            );
            hints.push(' ');
        }
    }
    hints.trim().chars().take(LONGEST_HINT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Page {
        parse(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn front_matter_is_left_out_and_its_title_and_keywords_are_kept() {
        let yaml = page("---\ntitle: \"The lift\"\ndate: 2026-01-02\nkeywords:\n  - elevator\n  - 电梯\n---\n# Lift\n");
        assert_eq!(yaml.text, "# Lift\n");
        assert_eq!(yaml.hints.split_whitespace().collect::<Vec<_>>(), ["The", "lift", "elevator", "电梯"]);
        let toml = page("+++\ntitle = 'Lift'\ntags = ['a', 'b']\n+++\nText");
        assert_eq!((toml.text.as_str(), toml.hints.contains("Lift")), ("Text", true));
    }

    #[test]
    fn a_rule_at_the_top_is_no_front_matter() {
        assert_eq!(page("---\nOnly a rule above.\n").text, "---\nOnly a rule above.\n");
    }

    #[test]
    fn other_encodings_and_binaries_are_refused() {
        assert!(matches!(parse(vec![0xd6, 0xd0, 0xce, 0xc4]), Err(PageError::NotUtf8)));
        assert!(matches!(parse(b"PK\x03\x04\x00\x00".to_vec()), Err(PageError::Binary)));
        assert_eq!(page("\u{feff}a\r\nb\u{7}").text, "a\nb");
    }

    #[test]
    fn a_huge_page_is_cut_between_characters() {
        // 3 bytes each: the limit goes through the last one.
        let cut = page(&"汉".repeat(LONGEST_BYTES / 3 + 10));
        assert!(cut.cut);
        assert_eq!(cut.text.len(), LONGEST_BYTES / 3 * 3);
    }
}
