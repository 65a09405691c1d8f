//! Finds what must be spelled out, and in which language: that of the letters around it. Pure.
//!
//! An [`Expression`] is what [`super::chinese`] and [`super::english`] make of a number and the signs at it.

use super::chinese::units;
use crate::voice::traced::Traced;
use crate::voice::words::is_cjk;

/// What is said for a stretch of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// The byte after the stretch.
    pub end: usize,
    /// What is said, and the byte where it is written; in order.
    pub said: Vec<(usize, String)>,
}

/// How far letters are looked for, in characters on each side.
const FAR: usize = 40;

/// Which languages the text around is spelled out in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Languages {
    pub chinese: bool,
    pub english: bool,
    /// What a text without letters is.
    pub usual: Language,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Chinese,
    /// Any other that is written in letters.
    Other,
}

/// `text` with all expressions spelled out. `chinese` and `english` are asked at each place where one may begin, with the
/// text and the place.
pub fn spelled(
    text: &Traced,
    languages: Languages,
    chinese: impl Fn(&str, usize) -> Option<Expression>,
    english: impl Fn(&str, usize) -> Option<Expression>,
) -> Traced {
    let mut out = Traced::default();
    let mut done = 0;
    let written = text.as_str();
    let mut chars = written.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        // Within a word or a number nothing begins.
        let inside = c.is_ascii_alphanumeric() && written[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        if inside || !begins(c) {
            out.copy(text, at..at + c.len_utf8());
            continue;
        }
        let found = match language(written, at, languages.usual) {
            Language::Chinese if languages.chinese => chinese(written, at),
            Language::Other if languages.english => english(written, at),
            _ => None,
        };
        done = done.max(at);
        match found.filter(|found| found.end > at) {
            Some(found) => {
                for (from, said) in &found.said {
                    out.say(said, text.from(*from));
                }
                done = found.end;
                while chars.next_if(|(next, _)| *next < done).is_some() {}
            }
            None => out.copy(text, at..at + c.len_utf8()),
        }
    }
    out
}

/// Whether an expression may begin with `c`.
fn begins(c: char) -> bool {
    c.is_ascii_digit()
        || (!c.is_alphanumeric() && !c.is_whitespace() && !",.!?;:，。！？；：、".contains(c))
        || c.is_ascii_uppercase()
}

/// The language of the letters nearest to what begins at `at`; of Chinese and another as near, Chinese.
pub fn language(text: &str, at: usize, usual: Language) -> Language {
    let after = &text[after_own(text, at)..];
    let nearest = |chars: &mut dyn Iterator<Item = char>| {
        let found = chars.take(FAR).enumerate().find(|(_, c)| c.is_alphabetic());
        found.map(|(far, c)| (far, if is_cjk(c) { Language::Chinese } else { Language::Other }))
    };
    let before = nearest(&mut text[..at].chars().rev());
    let after = nearest(&mut after.chars());
    match (before, after) {
        (Some((near, one)), Some((far, other))) if one != other => match near.cmp(&far) {
            std::cmp::Ordering::Less => one,
            std::cmp::Ordering::Greater => other,
            std::cmp::Ordering::Equal => Language::Chinese,
        },
        (Some((_, one)), _) | (None, Some((_, one))) => one,
        (None, None) => usual,
    }
}

/// Where the number at `at` ends, with the letters at it: a unit perhaps, which tells nothing about the language.
fn after_own(text: &str, at: usize) -> usize {
    let text = &text[..text.floor_char_boundary(at + FAR)];
    let run =
        |from: usize, own: &dyn Fn(char) -> bool| text[from..].find(|c| !own(c)).map_or(text.len(), |end| from + end);
    // The letter of a train.
    let lettered = text[at..].starts_with(|c: char| c.is_ascii_uppercase())
        && text[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    let number = run(at + usize::from(lettered), &|c| c.is_ascii_digit() || ",.:-/".contains(c));
    let spaced = number + usize::from(text[number..].starts_with(' '));
    let unit = run(spaced, &|c| c.is_ascii_alphabetic() || c == '.');
    let short = number > at && (1..=4).contains(&(unit - spaced));
    let next = text[unit..].trim_start().chars().next();
    // A word of its own may be one, if it stands alone or before Chinese.
    let is_unit =
        spaced == number || next.is_some_and(is_cjk) || (next.is_none() && units::unit(&text[spaced..]).is_some());
    if short && is_unit { unit } else { number }
}
