//! Plausible phonemes of a written word, for a mouth that has nothing better: which sounds open it and which close it.
//!
//! Latin script by its letters (vowels as in most of Europe, the commonest English pairs, silent e), everything else by
//! one consonant and one vowel a character, which differ from character to character. This is no pronunciation. PURE.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::voice::timing::is_vowel;

/// One sound of a word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sound {
    /// As [`TimedPhoneme::ipa`](crate::media::TimedPhoneme) has it.
    pub ipa: &'static str,
    /// How long it is beside the others.
    pub weight: f32,
    pub stressed: bool,
}

/// Letters that are one sound together, longest first; those at the beginning of the rest of a word are taken.
const GROUPS: &[(&str, &[&str])] = &[
    ("tion", &["ʃ", "ə", "n"]),
    ("igh", &["aɪ"]),
    ("sch", &["ʃ"]),
    ("tch", &["tʃ"]),
    ("sh", &["ʃ"]),
    ("ch", &["tʃ"]),
    ("th", &["θ"]),
    ("ph", &["f"]),
    ("gh", &[]),
    ("ck", &["k"]),
    ("ng", &["ŋ"]),
    ("wh", &["w"]),
    ("qu", &["k", "w"]),
    ("ee", &["iː"]),
    ("ea", &["iː"]),
    ("ie", &["iː"]),
    ("oo", &["uː"]),
    ("ou", &["aʊ"]),
    ("ow", &["oʊ"]),
    ("oa", &["oʊ"]),
    ("oi", &["ɔɪ"]),
    ("oy", &["ɔɪ"]),
    ("ai", &["eɪ"]),
    ("ay", &["eɪ"]),
    ("ei", &["aɪ"]),
    ("au", &["ɔː"]),
    ("aw", &["ɔː"]),
    ("er", &["ɚ"]),
    ("ir", &["ɚ"]),
    ("ur", &["ɚ"]),
];

/// The sounds of one word, marks left out; none of a word without letters and digits.
pub fn sounds(word: &str) -> Vec<Sound> {
    let letters: String = word.nfd().filter(|&c| !is_combining_mark(c)).flat_map(char::to_lowercase).collect();
    let mut found = Vec::new();
    let mut latin = String::new();
    for c in letters.chars() {
        if let Some(plain) = plain(c) {
            latin.push_str(plain);
            continue;
        }
        if c.is_ascii_alphabetic() {
            latin.push(c);
            continue;
        }
        spell(&std::mem::take(&mut latin), &mut found);
        if c.is_ascii_digit() {
            found.extend(digit(c).iter().copied());
        } else if c.is_alphanumeric() {
            found.extend(other(c));
        }
    }
    spell(&latin, &mut found);
    let vowels = found.iter().filter(|ipa| is_open(ipa)).count();
    let mut first = vowels > 1 || found.len() > 3;
    let sounds = found.into_iter().map(|ipa| {
        let open = is_open(ipa);
        let stressed = open && std::mem::take(&mut first);
        let weight = if open { 1.2 } else { 0.8 };
        Sound { ipa, weight, stressed }
    });
    sounds.collect()
}

/// Latin letters that are no letter with a mark.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ı' => "i",
        'þ' => "th",
        _ => return None,
    })
}

fn is_open(ipa: &str) -> bool {
    ipa.chars().next().is_some_and(is_vowel)
}

/// Sounds of lower-case Latin letters.
fn spell(word: &str, found: &mut Vec<&'static str>) {
    let mut rest = word;
    let mut last = None;
    while let Some(letter) = rest.chars().next() {
        let is_first = rest.len() == word.len();
        if let Some((group, sounds)) = GROUPS.iter().find(|(group, _)| rest.starts_with(group)) {
            found.extend(sounds.iter());
            last = group.chars().last();
            rest = &rest[group.len()..];
            continue;
        }
        rest = &rest[1..];
        let is_last = rest.is_empty();
        let silent = last == Some(letter) || letter == 'e' && is_last && word.len() > 3;
        last = Some(letter);
        if silent {
            continue;
        }
        let ipa = match letter {
            'a' => "æ",
            'e' => "ɛ",
            'i' => "ɪ",
            'o' => "ɔ",
            'u' => "ʌ",
            'y' if is_first => "j",
            'y' => "i",
            'b' => "b",
            'c' | 'k' | 'q' => "k",
            'd' => "d",
            'f' => "f",
            'g' => "ɡ",
            'h' => "h",
            'j' => "dʒ",
            'l' => "l",
            'm' => "m",
            'n' => "n",
            'p' => "p",
            'r' => "ɹ",
            's' | 'x' => "s",
            't' => "t",
            'v' => "v",
            'w' => "w",
            _ => "z",
        };
        found.push(ipa);
    }
}

/// As English says it.
fn digit(digit: char) -> &'static [&'static str] {
    match digit {
        '0' => &["z", "ɪ", "ɹ", "oʊ"],
        '1' => &["w", "ʌ", "n"],
        '2' => &["t", "uː"],
        '3' => &["θ", "ɹ", "iː"],
        '4' => &["f", "ɔː"],
        '5' => &["f", "aɪ", "v"],
        '6' => &["s", "ɪ", "k", "s"],
        '7' => &["s", "ɛ", "v", "ə", "n"],
        '8' => &["eɪ", "t"],
        _ => &["n", "aɪ", "n"],
    }
}

/// A character of another script: a consonant and a vowel, chosen by where it stands in its script.
fn other(c: char) -> [&'static str; 2] {
    const CONSONANTS: [&str; 7] = ["ʂ", "t", "m", "ɕ", "k", "l", "f"];
    const VOWELS: [&str; 5] = ["a", "i", "ə", "u", "ɛ"];
    let index = c as usize;
    [CONSONANTS[index % CONSONANTS.len()], VOWELS[index % VOWELS.len()]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::{Viseme, viseme_of};

    fn ipa(word: &str) -> String {
        sounds(word).iter().map(|sound| sound.ipa).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn latin_words_are_spelled_by_their_letters() {
        assert_eq!(ipa("Hello,"), "h ɛ l ɔ");
        assert_eq!(ipa("\"things\""), "θ ɪ ŋ s");
        assert_eq!(ipa("moon"), "m uː n");
        assert_eq!(ipa("name"), "n æ m");
        assert_eq!(ipa("Größe"), "ɡ ɹ ɔ s");
        assert_eq!(ipa("x2"), "s t uː");
    }

    #[test]
    fn a_character_of_another_script_is_a_consonant_and_a_vowel() {
        for (word, count) in [("你", 2), ("好，", 2), ("Привет", 12), ("한국", 4), ("です", 4)] {
            let sounds = sounds(word);
            assert!(sounds.len() >= count, "{word}: {sounds:?}");
            assert!(sounds.chunks(2).all(|pair| !is_open(pair[0].ipa) && is_open(pair[1].ipa)), "{word}: {sounds:?}");
        }
    }

    #[test]
    fn a_long_word_has_one_stress_and_marks_have_no_sound() {
        assert_eq!(sounds("banana").iter().filter(|sound| sound.stressed).count(), 1);
        assert_eq!(sounds("the").iter().filter(|sound| sound.stressed).count(), 0);
        assert!(sounds("—").is_empty() && sounds("🎉").is_empty() && sounds("").is_empty());
    }

    #[test]
    fn every_sound_moves_the_mouth() {
        let text = "the quick brown fox jumps over a lazy dog 0123456789 tion igh sch tch 你好世界かなЯ";
        for sound in text.split(' ').flat_map(sounds) {
            assert_ne!(viseme_of(sound.ipa), Viseme::Sil, "{sound:?}");
        }
    }
}
