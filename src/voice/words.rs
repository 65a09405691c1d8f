//! The words of a clause as they stand in the transcript, and their places in its sound.
//!
//! A word is what lies between two spaces, with the marks at it; in Chinese and Japanese, which write no spaces,
//! it is one character with the marks at it. How a word comes to be spoken is known elsewhere. Pure.

use std::ops::Range;

use crate::media::TimedWord;

/// Bytes of each word of `text`: in order, without overlap, all but the spaces.
pub fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<Open> = None;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            found.extend(open.take().map(|word| word.start..at));
            continue;
        }
        let word = open.get_or_insert(Open { start: at, letter: None, opening: None });
        if c.is_alphanumeric() {
            // An opening bracket belongs to what it opens.
            let start = word.opening.unwrap_or(at);
            if word.letter.is_some_and(|last| is_cjk(c) || is_cjk(last)) {
                found.push(word.start..start);
                word.start = start;
            }
            word.letter = Some(c);
        }
        word.opening = is_opening(c).then(|| word.opening.unwrap_or(at));
    }
    found.extend(open.map(|word| word.start..text.len()));
    found
}

/// Each of the words of [`ranges`] in ticks of the clause's sound; one that makes no sound (`None`) gets an empty
/// span at the end of the word before it.
pub fn timed(ranges: Vec<Range<usize>>, spans: &[Option<Range<u64>>]) -> Vec<TimedWord> {
    let mut at = 0;
    let spans = spans.iter().cloned().chain(std::iter::repeat(None));
    ranges
        .into_iter()
        .zip(spans)
        .map(|(text, span)| {
            let span = span.unwrap_or(at..at);
            let start = span.start.max(at);
            at = span.end.max(start);
            TimedWord { text, start, end: at }
        })
        .collect()
}

/// The word that holds byte `at`; for a space, the one after it.
pub fn index_at(ranges: &[Range<usize>], at: usize) -> usize {
    ranges.partition_point(|word| word.end <= at)
}

/// A word whose end is not yet found.
struct Open {
    start: usize,
    /// Its last letter or digit so far.
    letter: Option<char>,
    /// Where the opening marks at its end begin.
    opening: Option<usize>,
}

fn is_opening(c: char) -> bool {
    "([{<“‘«¿¡（［｛「『《〈【〔〖".contains(c)
}

/// Han, kana and what is written among them.
pub fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        ranges(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn words_keep_the_marks_at_them() {
        assert_eq!(
            words("  \"Well,\" he said — it's (really) $29.99! 🎉\n"),
            ["\"Well,\"", "he", "said", "—", "it's", "(really)", "$29.99!", "🎉"]
        );
        assert!(words(" \n\t ").is_empty());
    }

    #[test]
    fn every_chinese_character_is_a_word_with_its_marks() {
        assert_eq!(words("你好，「世界」。"), ["你", "好，", "「世", "界」。"]);
        assert_eq!(
            words("我用GPU（显卡）跑3个 test模型"),
            ["我", "用", "GPU", "（显", "卡）", "跑", "3", "个", "test", "模", "型"]
        );
        assert_eq!(words("カタカナ、です"), ["カ", "タ", "カ", "ナ、", "で", "す"]);
    }

    #[test]
    fn all_but_the_spaces_belongs_to_a_word() {
        for text in
            ["「」（你）", "a\u{a0}b", "…你…好…", "🎉你🎉", "안녕하세요 세계", "（（x", "é\u{301}e 3\u{fe0f}\u{20e3}"]
        {
            let ranges = ranges(text);
            assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start), "{text:?} {ranges:?}");
            let covered: String = ranges.iter().map(|range| &text[range.clone()]).collect();
            assert_eq!(covered, text.split_whitespace().collect::<String>());
        }
    }

    #[test]
    fn a_word_without_sound_stands_empty_after_the_word_before_it() {
        let words = timed(ranges("- a 🎉 b"), &[None, Some(10..20), None, Some(25..40)]);
        let times: Vec<_> = words.into_iter().map(|word| (word.start, word.end)).collect();
        assert_eq!(times, [(0, 0), (10, 20), (20, 20), (25, 40)]);
    }
}
