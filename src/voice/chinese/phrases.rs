//! Readings of Chinese words: phrases first, the longest at each place, then single characters. Pure.
//!
//! `phrases.txt` (from pypinyin, MIT) holds the phrases in which a character is not read as it is alone, `neutral.txt`
//! words whose last syllable loses its tone; what a character is alone comes from the crate `pinyin`.

use std::collections::{HashMap, HashSet};

use pinyin::ToPinyin;

use super::syllable::Syllable;

/// Characters of the longest phrase that is looked for.
const LONGEST: usize = 12;

/// How a character is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// None for what is no Chinese character.
    pub syllable: Option<Syllable>,
    /// The phrase that it stands in has decided.
    pub of_phrase: bool,
}

/// See the module's text.
#[derive(Debug)]
pub struct Phrases {
    /// What is read otherwise in each phrase: places in it, from zero, and readings.
    phrases: HashMap<&'static str, Vec<(usize, Syllable)>>,
    /// Words that end without a tone.
    neutral: HashSet<&'static str>,
}

impl Phrases {
    pub fn load() -> Self {
        let mut phrases: HashMap<&'static str, Vec<(usize, Syllable)>> = HashMap::new();
        for line in lines(include_str!("phrases.txt")) {
            let Some((head, list)) = line.split_once(": ") else { continue };
            let changed = head.split_once(' ').map(|(written, pinyin)| (written, Syllable::parse(pinyin)));
            for entry in list.split(' ') {
                let phrase = entry.trim_end_matches(|c: char| c.is_ascii_digit());
                let places = &entry[phrase.len()..];
                let readings = phrases.entry(phrase).or_default();
                let Some((written, syllable)) = changed else { continue };
                let found = phrase.chars().enumerate().filter(|(_, c)| written.starts_with(*c));
                let meant =
                    |at: usize| places.is_empty() || places.bytes().any(|place| usize::from(place - b'0') == at);
                readings.extend(found.filter(|(at, _)| meant(*at)).map(|(at, _)| (at, syllable)));
            }
        }
        let neutral = lines(include_str!("neutral.txt")).flat_map(|line| line.split(' ')).collect();
        Self { phrases, neutral }
    }

    /// A reading for each character of `word`.
    pub fn read(&self, word: &str) -> Vec<Reading> {
        let mut read: Vec<Reading> = Vec::with_capacity(word.len() / 3);
        let mut rest = word;
        while let Some(c) = rest.chars().next() {
            let Some((phrase, readings)) = self.longest(rest) else {
                read.push(Reading { syllable: alone(c), of_phrase: false });
                rest = &rest[c.len_utf8()..];
                continue;
            };
            let first = read.len();
            read.extend(phrase.chars().map(|c| Reading { syllable: alone(c), of_phrase: true }));
            for &(at, syllable) in readings {
                read[first + at].syllable = Some(syllable);
            }
            rest = &rest[phrase.len()..];
        }
        if let Some(last) = self.toneless(word).and_then(|at| read.get_mut(at)) {
            last.syllable = last.syllable.map(|syllable| syllable.with_tone(5));
        }
        read
    }

    /// The place in `word` of the syllable that loses its tone: it ends in such a word, perhaps with 们 after it.
    fn toneless(&self, word: &str) -> Option<usize> {
        let word = word.strip_suffix('们').unwrap_or(word);
        let places = word.char_indices().map(|(at, _)| at).rev().skip(1).take(2);
        let found = places.into_iter().any(|at| self.neutral.contains(&word[at..]));
        found.then(|| word.chars().count() - 1)
    }

    /// The longest phrase at the beginning of `text`.
    fn longest<'a>(&self, text: &'a str) -> Option<(&'a str, &[(usize, Syllable)])> {
        let ends: Vec<usize> = text.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST).skip(1).collect();
        ends.into_iter().rev().find_map(|end| {
            let phrase = &text[..end];
            self.phrases.get(phrase).map(|readings| (phrase, readings.as_slice()))
        })
    }
}

/// The reading of a character by itself.
fn alone(c: char) -> Option<Syllable> {
    c.to_pinyin().map(|pinyin| Syllable::parse(pinyin.with_tone_num_end()))
}

fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(phrases: &Phrases, word: &str) -> String {
        let written = |s: Option<Syllable>| s.map_or("?".to_owned(), |s| format!("{}{}", s.letters, s.tone));
        phrases.read(word).into_iter().map(|reading| written(reading.syllable)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn phrases_decide_about_characters_with_several_readings() {
        let phrases = Phrases::load();
        for (word, expected) in [
            ("银行", "yin2 hang2"),
            ("行走", "xing2 zou3"),
            ("音乐", "yin1 yue4"),
            ("快乐", "kuai4 le4"),
            ("长大", "zhang3 da4"),
            ("重新", "chong2 xin1"),
            ("嚷嚷", "rang1 rang5"),
            ("朋友", "peng2 you5"),
            ("小朋友们", "xiao3 peng2 you5 men5"),
            ("东西方", "dong1 xi1 fang1"),
            ("头发", "tou2 fa5"),
            ("绿", "lü4"),
            ("銀河", "yin2 he2"),
            ("a好", "? hao3"),
        ] {
            assert_eq!(read(&phrases, word), expected, "{word}");
        }
    }

    #[test]
    fn every_phrase_is_within_reach_and_has_only_syllables_of_mandarin() {
        let phrases = Phrases::load();
        assert!(phrases.phrases.len() > 9_000, "{}", phrases.phrases.len());
        for (phrase, readings) in &phrases.phrases {
            let length = phrase.chars().count();
            assert!((1..=LONGEST).contains(&length), "{phrase}");
            for &(at, syllable) in readings {
                assert!(at < length && super::super::alphabet::symbols(syllable).count() > 0, "{phrase} {syllable:?}");
            }
        }
    }
}
