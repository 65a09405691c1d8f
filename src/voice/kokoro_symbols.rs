//! Kokoro's alphabet: its tokens, how IPA is spelt with them, and which sounds they stand for. Pure.
//!
//! The network was trained on the alphabet of hexgrad/misaki (Apache-2.0), in which diphthongs and affricates are one
//! letter each: `A` is the vowel of "day". Numbers: `vocab` in the model's config.json.

use super::timing::{Symbol, TimedSymbol};

/// Stands at both ends of a sentence.
pub const PAD: char = '$';

const TOKENS: &[(char, i64)] = &[
    (PAD, 0),
    (';', 1),
    (':', 2),
    (',', 3),
    ('.', 4),
    ('!', 5),
    ('?', 6),
    ('—', 9),
    ('…', 10),
    (' ', 16),
    ('\u{303}', 17),
    ('ʣ', 18),
    ('ʥ', 19),
    ('ʦ', 20),
    ('ʨ', 21),
    ('ᵝ', 22),
    ('ꭧ', 23),
    ('A', 24),
    ('I', 25),
    ('O', 31),
    ('Q', 33),
    ('S', 35),
    ('T', 36),
    ('W', 39),
    ('Y', 41),
    ('ᵊ', 42),
    ('a', 43),
    ('b', 44),
    ('c', 45),
    ('d', 46),
    ('e', 47),
    ('f', 48),
    ('h', 50),
    ('i', 51),
    ('j', 52),
    ('k', 53),
    ('l', 54),
    ('m', 55),
    ('n', 56),
    ('o', 57),
    ('p', 58),
    ('q', 59),
    ('r', 60),
    ('s', 61),
    ('t', 62),
    ('u', 63),
    ('v', 64),
    ('w', 65),
    ('x', 66),
    ('y', 67),
    ('z', 68),
    ('ɑ', 69),
    ('ɐ', 70),
    ('ɒ', 71),
    ('æ', 72),
    ('β', 75),
    ('ɔ', 76),
    ('ɕ', 77),
    ('ç', 78),
    ('ɖ', 80),
    ('ð', 81),
    ('ʤ', 82),
    ('ə', 83),
    ('ɚ', 85),
    ('ɛ', 86),
    ('ɜ', 87),
    ('ɟ', 90),
    ('ɡ', 92),
    ('ɥ', 99),
    ('ɨ', 101),
    ('ɪ', 102),
    ('ʝ', 103),
    ('ɯ', 110),
    ('ɰ', 111),
    ('ŋ', 112),
    ('ɳ', 113),
    ('ɲ', 114),
    ('ɴ', 115),
    ('ø', 116),
    ('ɸ', 118),
    ('θ', 119),
    ('œ', 120),
    ('ɹ', 123),
    ('ɾ', 125),
    ('ɻ', 126),
    ('ʁ', 128),
    ('ɽ', 129),
    ('ʂ', 130),
    ('ʃ', 131),
    ('ʈ', 132),
    ('ʧ', 133),
    ('ʊ', 135),
    ('ʋ', 136),
    ('ʌ', 138),
    ('ɣ', 139),
    ('ɤ', 140),
    ('χ', 142),
    ('ʎ', 143),
    ('ʒ', 147),
    ('ʔ', 148),
    ('ˈ', 156),
    ('ˌ', 157),
    ('ː', 158),
    ('ʰ', 162),
    ('ʲ', 164),
    ('↓', 169),
    ('→', 171),
    ('↗', 172),
    ('↘', 173),
    ('ᵻ', 177),
];

/// What espeak-ng writes, and what Kokoro was taught, in every language that espeak-ng reads to it.
const SPELLINGS: &[(&str, &str)] = &[
    ("aɪ", "I"),
    ("aʊ", "W"),
    ("eɪ", "A"),
    ("ɔɪ", "Y"),
    ("dʒ", "ʤ"),
    ("tʃ", "ʧ"),
    ("ts", "ʦ"),
    ("dz", "ʣ"),
    ("c\u{327}", "ç"),
];
/// The same in English only, after those; an earlier one goes first.
const ENGLISH: &[(&str, &str)] =
    &[("l\u{329}", "ᵊl"), ("n\u{329}", "ᵊn"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ɐ", "ə"), ("ʔ", "t")];
const AMERICAN: &[(&str, &str)] =
    &[("oʊ", "O"), ("ɜː", "ɜɹ"), ("ɚ", "əɹ"), ("ɪə", "iə"), ("ɾ", "T"), ("o", "ɔ"), ("ː", "")];
const BRITISH: &[(&str, &str)] = &[("əʊ", "Q"), ("eə", "ɛː"), ("iə", "ɪə"), ("ɚ", "ə")];

/// The sounds of what is no IPA, for the mouth.
const SOUNDS: &[(char, &str)] = &[
    ('A', "eɪ"),
    ('I', "aɪ"),
    ('O', "oʊ"),
    ('Q', "əʊ"),
    ('W', "aʊ"),
    ('Y', "ɔɪ"),
    ('S', "s"),
    ('T', "ɾ"),
    ('ʤ', "dʒ"),
    ('ʧ', "tʃ"),
    ('ʦ', "ts"),
    ('ʣ', "dz"),
    ('ʨ', "tɕ"),
    ('ʥ', "dʑ"),
    ('ꭧ', "tʂ"),
    ('ᵊ', "ə"),
    ('ᵻ', "ɪ"),
    // Tones belong to the vowel before them.
    ('→', "ː"),
    ('↗', "ː"),
    ('↓', "ː"),
    ('↘', "ː"),
];

/// The number of a symbol, if the network knows it.
pub fn token(symbol: char) -> Option<i64> {
    TOKENS.iter().find(|(known, _)| *known == symbol).map(|(_, token)| *token)
}

/// IPA as Kokoro spells it, without what it does not know. What was of a word stays of it.
pub fn spelt(symbols: Vec<Symbol>, language: &str) -> Vec<Symbol> {
    let lists: &[&[(&str, &str)]] = match language {
        "en-US" => &[SPELLINGS, ENGLISH, AMERICAN],
        "en-GB" => &[SPELLINGS, ENGLISH, BRITISH],
        _ => &[SPELLINGS],
    };
    let mut symbols = symbols;
    for (from, to) in lists.concat() {
        symbols = replaced(symbols, from, to);
    }
    if language.starts_with("en") {
        reduce(&mut symbols);
    }
    symbols.retain(|symbol| symbol.symbol != PAD && token(symbol.symbol).is_some());
    symbols
}

/// The l of "little" is a syllable of its own; espeak-ng writes it as that of "hello".
fn reduce(symbols: &mut [Symbol]) {
    for at in 1..symbols.len() {
        let ends_word = symbols.get(at + 1).is_none_or(|next| next.word != symbols[at].word);
        if ends_word && symbols[at].symbol == 'l' && symbols[at - 1].symbol == 'ə' {
            symbols[at - 1].symbol = 'ᵊ';
        }
    }
}

fn replaced(symbols: Vec<Symbol>, from: &str, to: &str) -> Vec<Symbol> {
    let pattern: Vec<char> = from.chars().collect();
    let mut out = Vec::with_capacity(symbols.len());
    let mut rest = symbols.as_slice();
    while let Some((&first, after)) = rest.split_first() {
        // A sound that two words share is none.
        let found = rest.get(..pattern.len()).is_some_and(|found| {
            found.iter().zip(&pattern).all(|(symbol, c)| symbol.symbol == *c && symbol.word == first.word)
        });
        if found {
            out.extend(to.chars().map(|symbol| Symbol { symbol, word: first.word }));
            rest = &rest[pattern.len()..];
        } else {
            out.push(first);
            rest = after;
        }
    }
    out
}

/// A token as the IPA that it stands for, its time shared out.
pub fn sounds(timed: TimedSymbol) -> impl Iterator<Item = TimedSymbol> {
    let TimedSymbol { symbol: Symbol { symbol, word }, samples } = timed;
    let own = SOUNDS.iter().find(|(letter, _)| *letter == symbol).map(|(_, ipa)| *ipa);
    let ipa: Vec<char> = own.map_or_else(|| vec![symbol], |ipa| ipa.chars().collect());
    let share = samples / ipa.len() as f64;
    ipa.into_iter().map(move |symbol| TimedSymbol { symbol: Symbol { symbol, word }, samples: share })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(ipa: &str, language: &str) -> String {
        let mut word = 0;
        let symbols = ipa.chars().map(|symbol| {
            word += usize::from(symbol == ' ');
            Symbol { symbol, word: (symbol != ' ').then_some(word) }
        });
        spelt(symbols.collect(), language).into_iter().map(|symbol| symbol.symbol).collect()
    }

    /// By misaki 0.9 for the same words.
    #[test]
    fn english_is_spelt_as_the_network_was_taught() {
        for (ipa, american) in [
            ("həlˈoʊ wˈɜːld", "həlˈO wˈɜɹld"),
            ("ðə dˈeɪ aɪ fˈaʊnd ɐ bˈɔɪ", "ðə dˈA I fˈWnd ə bˈY"),
            ("tʃˈeɪndʒ", "ʧˈAnʤ"),
            ("wˈɔːɾɚ", "wˈɔTəɹ"),
            ("lˈɪɾəl", "lˈɪTᵊl"),
            ("θɹˈiː", "θɹˈi"),
        ] {
            assert_eq!(spell(ipa, "en-US"), american, "{ipa}");
        }
        assert_eq!(spell("ɡˈəʊ", "en-GB"), "ɡˈQ");
        assert_eq!(spell("ðˈeə", "en-GB"), "ðˈɛː");
        // Of two words nothing is joined.
        assert_eq!(spell("ɡˈɛt ʃˈɔɹt", "en-US"), "ɡˈɛt ʃˈɔɹt");
        assert_eq!(spell("nˈo\u{303}", "fr"), "nˈo\u{303}");
        assert_eq!(spell("$\u{1f600}a", "fr"), "a");
    }

    #[test]
    fn every_letter_of_its_own_has_sounds_and_a_number() {
        for (letter, ipa) in SOUNDS {
            assert!(token(*letter).is_some(), "{letter}");
            assert!(ipa.chars().all(|c| super::super::timing::kind(c) != super::super::timing::Kind::Gap), "{ipa}");
        }
        let timed = TimedSymbol { symbol: Symbol { symbol: 'A', word: Some(3) }, samples: 100.0 };
        let sounds: Vec<_> = sounds(timed).map(|s| (s.symbol.symbol, s.symbol.word, s.samples)).collect();
        assert_eq!(sounds, [('e', Some(3), 50.0), ('ɪ', Some(3), 50.0)]);
        let mut numbers: Vec<i64> = TOKENS.iter().map(|(_, number)| *number).collect();
        numbers.dedup();
        assert!(numbers.is_sorted() && numbers.len() == TOKENS.len());
    }
}
