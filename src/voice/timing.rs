//! From the symbols given to a Piper voice and their lengths to the phonemes that a mouth can follow, and to the
//! places of words.
//!
//! Piper spells phonemes by single characters: stress, length marks, diacritics, both halves of affricates and
//! diphthongs are symbols of their own, each with a length. Here they become one phoneme each. Pure.

use std::ops::Range;
use std::sync::Arc;

use crate::media::TimedPhoneme;

/// A gap between words shorter than this (in seconds) is spoken through: the mouth does not close.
const SHORTEST_PAUSE: f64 = 0.12;

/// One symbol given to the voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    pub symbol: char,
    /// The word of the clause that it is part of; marks and spaces are part of none.
    pub word: Option<usize>,
}

/// A symbol and its length in samples, the padding after it included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedSymbol {
    pub symbol: Symbol,
    pub samples: f64,
}

/// What a symbol is to the mouth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of the sound after it.
    Stress,
    /// Changes the sound before it.
    Modifier,
    /// A word's end, punctuation, the sentence's own begin and end.
    Gap,
    Sound,
}

/// Moves all that is said `samples` towards the beginning: the first symbols, which are silence, get shorter, the last
/// one longer. For networks whose sound comes before their lengths tell.
pub fn earlier(symbols: &mut [TimedSymbol], samples: f64) {
    let mut left = samples.max(0.0);
    for symbol in symbols.iter_mut() {
        let cut = symbol.samples.clamp(0.0, left);
        symbol.samples -= cut;
        left -= cut;
    }
    if let Some(last) = symbols.last_mut() {
        last.samples += samples.max(0.0) - left;
    }
}

/// The phonemes of `symbols` in samples from the first one, pauses as the empty string.
pub fn phonemes(symbols: &[TimedSymbol], sample_rate: u32) -> Vec<TimedPhoneme> {
    let mut units: Vec<Unit> = Vec::new();
    let mut at = 0.0;
    // Length of stress marks, which belongs to the phoneme after them.
    let mut lead = 0.0;
    let mut stressed = false;
    let mut word_begins = true;
    for &TimedSymbol { symbol: Symbol { symbol, .. }, samples } in symbols {
        let start = at;
        at += samples;
        match kind(symbol) {
            Kind::Stress => {
                stressed = true;
                lead += samples;
            }
            Kind::Modifier => match units.last_mut() {
                Some(last) if !last.ipa.is_empty() => {
                    last.ipa.push(symbol);
                    last.end = at;
                }
                _ => lead += samples,
            },
            Kind::Gap if symbol == ' ' && samples < SHORTEST_PAUSE * f64::from(sample_rate) && !units.is_empty() => {
                word_begins = true;
                if let Some(last) = units.last_mut() {
                    last.end = at;
                }
            }
            Kind::Gap => {
                word_begins = true;
                match units.last_mut() {
                    Some(last) if last.ipa.is_empty() => last.end = at,
                    _ => units.push(Unit { ipa: String::new(), start: start - lead, end: at, stressed: false }),
                }
                lead = 0.0;
            }
            Kind::Sound => {
                match units.last_mut() {
                    Some(last) if !word_begins && !stressed && joins(&last.ipa, symbol) => {
                        last.ipa.push(symbol);
                        last.end = at;
                    }
                    _ => {
                        units.push(Unit { ipa: symbol.to_string(), start: start - lead, end: at, stressed });
                    }
                }
                stressed = false;
                lead = 0.0;
                word_begins = false;
            }
        }
    }
    units.into_iter().map(Unit::timed).filter(|phoneme| phoneme.end > phoneme.start).collect()
}

/// Each word of `symbols` from the start of its first sound to the end of its last, in samples from the first symbol.
pub fn words(symbols: &[TimedSymbol]) -> Vec<(usize, Range<u64>)> {
    let mut words: Vec<(usize, Range<u64>)> = Vec::new();
    let mut at = 0.0_f64;
    for &TimedSymbol { symbol: Symbol { word, .. }, samples } in symbols {
        let start = at.round() as u64;
        at += samples;
        let end = at.round() as u64;
        match (word, words.last_mut()) {
            (Some(word), Some((last, span))) if *last == word => span.end = end,
            (Some(word), _) => words.push((word, start..end)),
            (None, _) => {}
        }
    }
    words
}

/// Lengths that sum to `samples`, for a voice that does not tell its own: by kind of symbol.
pub fn spread(symbols: &[Symbol], samples: usize) -> Vec<TimedSymbol> {
    let weight = |symbol: char| match kind(symbol) {
        Kind::Stress => 0.0,
        Kind::Modifier => 0.6,
        Kind::Gap if symbol == ' ' => 0.15,
        Kind::Gap => 1.2,
        Kind::Sound if is_vowel(symbol) => 1.2,
        Kind::Sound if "pbtdkɡɾʔ".contains(symbol) => 0.7,
        Kind::Sound => 0.9,
    };
    let total: f64 = symbols.iter().map(|symbol| weight(symbol.symbol)).sum::<f64>().max(1e-9);
    let timed = |&symbol: &Symbol| TimedSymbol { symbol, samples: weight(symbol.symbol) / total * samples as f64 };
    symbols.iter().map(timed).collect()
}

/// Whether `symbol` is an IPA vowel.
pub fn is_vowel(symbol: char) -> bool {
    "aeiouyæøœɐɑɒɔəɚɛɜɪɨɯɵɶʉʊʌʏᵻ".contains(symbol)
}

struct Unit {
    ipa: String,
    start: f64,
    end: f64,
    stressed: bool,
}

impl Unit {
    fn timed(self) -> TimedPhoneme {
        let (start, end) = (self.start.round() as u64, self.end.round() as u64);
        TimedPhoneme { ipa: Arc::from(self.ipa), start, end, stressed: self.stressed }
    }
}

/// What `symbol` is to the mouth.
pub fn kind(symbol: char) -> Kind {
    match symbol {
        'ˈ' | 'ˌ' => Kind::Stress,
        'ː' | 'ˑ' | '˞' | 'ʰ' | 'ʲ' | 'ˤ' | 'ʷ' | '\u{300}'..='\u{36f}' => Kind::Modifier,
        c if c.is_alphabetic() => Kind::Sound,
        _ => Kind::Gap,
    }
}

/// Whether `next` makes an affricate or a diphthong of `last`.
fn joins(last: &str, next: char) -> bool {
    match next {
        'ʃ' => last == "t",
        'ʒ' => last == "d",
        'ɪ' => matches!(last, "a" | "e" | "ɔ"),
        'ʊ' => matches!(last, "a" | "o" | "ə"),
        'ə' => matches!(last, "ɪ" | "ʊ" | "e"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Symbols of one word each run of letters.
    fn symbols(text: &str) -> Vec<Symbol> {
        let mut words = 0;
        let symbols = text.chars().map(|symbol| {
            words += usize::from(symbol == ' ');
            Symbol { symbol, word: (kind(symbol) != Kind::Gap).then_some(words) }
        });
        symbols.collect()
    }

    /// Symbols of 100 samples each, spaces of 10.
    fn even(text: &str) -> Vec<TimedSymbol> {
        let samples = |symbol: Symbol| if symbol.symbol == ' ' { 10.0 } else { 100.0 };
        symbols(text).into_iter().map(|symbol| TimedSymbol { symbol, samples: samples(symbol) }).collect()
    }

    fn timed(text: &str) -> Vec<(String, u64, u64, bool)> {
        let phonemes = phonemes(&even(text), 1000);
        phonemes.into_iter().map(|p| (p.ipa.to_string(), p.start, p.end, p.stressed)).collect()
    }

    #[test]
    fn marks_and_halves_become_whole_phonemes() {
        let expected = [
            ("", 0, 100, false),
            ("tʃ", 100, 300, false),
            ("uː", 300, 600, true),
            ("z", 600, 700, false),
            ("aɪ", 700, 900, false),
            ("", 900, 1100, false),
        ];
        let expected: Vec<_> =
            expected.map(|(ipa, start, end, stressed)| (ipa.to_owned(), start, end, stressed)).into();
        assert_eq!(timed("^tʃˈuːzaɪ.$"), expected);
    }

    #[test]
    fn halves_in_two_words_stay_apart() {
        let ipa: Vec<_> = timed("t ʃ").into_iter().map(|(ipa, _, end, _)| (ipa, end)).collect();
        // The short gap is spoken through, by the sound before it.
        assert_eq!(ipa, [("t".to_owned(), 110), ("ʃ".to_owned(), 210)]);
    }

    #[test]
    fn a_word_lasts_from_its_first_sound_to_its_last_and_a_gap_belongs_to_none() {
        assert_eq!(words(&even("^ðˈuː kˈæt, ɪz.$")), [(0, 100..500), (1, 510..910), (2, 1020..1220)]);
        // A word that is said in several keeps what lies between them.
        let mut number = even("^twˈɛnti nˈaɪn.$");
        for symbol in &mut number {
            symbol.symbol.word = symbol.symbol.word.and(Some(7));
        }
        assert_eq!(words(&number), [(7, 100..1310)]);
        assert!(words(&even("^,.$")).is_empty());
    }

    #[test]
    fn what_is_moved_earlier_keeps_its_length_and_takes_its_words_along() {
        let told = even("^ðˈuː kˈæt.$");
        let mut moved = told.clone();
        earlier(&mut moved, 60.0);
        let starts = |symbols: &[TimedSymbol]| phonemes(symbols, 1000).into_iter().map(|p| p.start).collect::<Vec<_>>();
        let shifted: Vec<u64> = starts(&told).iter().map(|start| start.saturating_sub(60)).collect();
        assert_eq!(starts(&moved), shifted);
        assert_eq!(words(&moved), [(0, 40..440), (1, 450..850)]);
        let length = |symbols: &[TimedSymbol]| symbols.iter().map(|symbol| symbol.samples).sum::<f64>();
        assert_eq!(length(&moved), length(&told));
        // More than the silence there is, more than all, and none.
        earlier(&mut moved, 100.0);
        assert_eq!((words(&moved), length(&moved)), (vec![(0, 0..340), (1, 350..750)], length(&told)));
        earlier(&mut moved, 1e9);
        assert_eq!(length(&moved), length(&told));
        earlier(&mut [], 10.0);
    }

    #[test]
    fn phonemes_follow_one_another_without_gap_or_overlap() {
        let text = "^həlˈoʊ, ðˈɛɹ! hˈaʊ ɑːɹ juː?$";
        let all = timed(text);
        assert!(all.windows(2).all(|pair| pair[0].2 == pair[1].1), "{all:?}");
        let length: f64 = even(text).iter().map(|symbol| symbol.samples).sum();
        assert_eq!((all.first().map(|p| p.1), all.last().map(|p| p.2)), (Some(0), Some(length as u64)));
    }

    #[test]
    fn a_voice_without_lengths_still_fills_its_sound() {
        let symbols = spread(&symbols("^ˈaɪ ɡˈoʊ.$"), 20_000);
        assert!((symbols.iter().map(|s| s.samples).sum::<f64>() - 20_000.0).abs() < 1e-6);
        assert_eq!(phonemes(&symbols, 22_050).last().map(|p| p.end), Some(20_000));
    }
}
