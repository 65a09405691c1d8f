//! Text becomes the terms by which it is found. Pages and questions go through the same function.
//!
//! Width, case and accents are levelled, English words are reduced to their stem, words that say nothing are left out.
//! Chinese has no spaces, so there a term is a pair of neighbouring characters: no dictionary to load, and no word that
//! it lacks. (On the questions of the tests pairs found one page more than jieba's words and kept small talk further
//! away; jieba's dictionary takes a quarter of a second to load.) Compound words ("wi-fi", "v2.1") are terms as a whole and in their parts.

use frostem::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::passages::is_ideograph;
use super::stop_words::{is_stop_character, is_stop_word};

/// Longest term in characters.
const LONGEST: usize = 40;

/// In order of the text, repeated as there.
pub fn terms(text: &str) -> Vec<String> {
    let mut reader = Reader { stemmer: Stemmer::new(Algorithm::English), terms: Vec::new() };
    // NFKD: full-width letters become ordinary ones, accents become marks of their own.
    let mut chars = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).peekable();
    while let Some(c) = chars.next() {
        let mut run = String::from(c);
        if is_ideograph(c) {
            while let Some(c) = chars.next_if(|c| is_ideograph(*c)) {
                run.push(c);
            }
            reader.ideographs(&run);
        } else if c.is_alphanumeric() {
            while let Some(c) = chars.next_if(|c| is_inside_word(*c)) {
                run.push(c);
            }
            reader.compound(&run);
        }
    }
    reader.terms
}

fn is_inside_word(c: char) -> bool {
    (c.is_alphanumeric() && !is_ideograph(c)) || matches!(c, '-' | '.' | '_' | '\'' | '’')
}

struct Reader {
    stemmer: Stemmer,
    terms: Vec<String>,
}

impl Reader {
    fn compound(&mut self, run: &str) {
        let run = run.trim_end_matches(|c: char| !c.is_alphanumeric());
        let parts: Vec<&str> = run.split(['-', '.', '_']).filter(|part| !part.is_empty()).collect();
        for part in &parts {
            self.word(part);
        }
        if parts.len() > 1 {
            self.word(&parts.concat());
        }
    }

    fn word(&mut self, word: &str) {
        // "what's" is "what"; "don't" is one word.
        let word = word.replace('’', "'");
        let word = match word.split_once('\'') {
            Some((word, "s" | "re" | "ll" | "ve" | "d" | "m")) => word.to_owned(),
            _ => word.replace('\'', ""),
        };
        if word.is_empty() || is_stop_word(&word) {
            return;
        }
        let stem = match word.is_ascii() && word.len() > 2 {
            true => self.stemmer.stem(&word).into_owned(),
            false => word,
        };
        self.terms.push(stem.chars().take(LONGEST).collect());
    }

    fn ideographs(&mut self, run: &str) {
        let chars: Vec<char> = run.chars().collect();
        if let [only] = chars[..]
            && !is_stop_character(only)
        {
            self.terms.push(only.to_string());
        }
        for pair in chars.windows(2) {
            let word = String::from_iter(pair);
            if !pair.iter().any(|c| is_stop_character(*c)) && !is_stop_word(&word) {
                self.terms.push(word);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_is_levelled_and_stemmed() {
        assert_eq!(terms("Printers print PRINTED prints"), ["printer", "print", "print", "print"]);
        assert_eq!(terms("ＶＰＮ café naïve"), ["vpn", "cafe", "naiv"]);
        assert!(terms("What's that? I don't know, it isn't it.").is_empty());
    }

    #[test]
    fn compounds_are_found_whole_and_in_parts() {
        assert_eq!(terms("Wi-Fi."), ["wi", "fi", "wifi"]);
        assert_eq!(terms("the WiFi"), ["wifi"]);
        assert_eq!(terms("v2.1 -- x"), ["v2", "1", "v21", "x"]);
    }

    #[test]
    fn chinese_is_read_in_pairs_and_mixed_text_is_divided_at_the_script() {
        assert_eq!(terms("重置密码"), ["重置", "置密", "密码"]);
        assert_eq!(terms("用VPN连接"), ["用", "vpn", "连接"]);
        assert!(terms("请问你是谁？").is_empty());
    }

    #[test]
    fn rubbish_makes_no_endless_terms() {
        assert!(terms(" \u{0}\u{301}…!?-._'").is_empty());
        assert_eq!(terms(&"x".repeat(9_000))[0].len(), LONGEST);
        assert_eq!(terms("-x-'-.y'"), ["x", "y", "xy"]);
    }
}
