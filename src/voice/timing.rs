//! From the symbols given to a Piper voice and their lengths to the phonemes that a mouth can follow.
//!
//! Piper spells phonemes by single characters: stress, length marks, diacritics, both halves of affricates and
//! diphthongs are symbols of their own, each with a length. Here they become one phoneme each. Pure.

use std::sync::Arc;

use crate::media::TimedPhoneme;

/// A gap between words shorter than this (in seconds) is spoken through: the mouth does not close.
const SHORTEST_PAUSE: f64 = 0.12;

/// One symbol of a sentence and its length in samples, the padding after it included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Symbol {
    pub symbol: char,
    pub samples: f64,
}

/// The phonemes of `symbols` in samples from the first one, pauses as the empty string.
pub fn phonemes(symbols: &[Symbol], sample_rate: u32) -> Vec<TimedPhoneme> {
    let mut units: Vec<Unit> = Vec::new();
    let mut at = 0.0;
    // Length of stress marks, which belongs to the phoneme after them.
    let mut lead = 0.0;
    let mut stressed = false;
    let mut word_begins = true;
    for &Symbol { symbol, samples } in symbols {
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

/// Lengths that sum to `samples`, for a voice that does not tell its own: by kind of symbol.
pub fn spread(symbols: &[char], samples: usize) -> Vec<Symbol> {
    let weight = |symbol: char| match kind(symbol) {
        Kind::Stress => 0.0,
        Kind::Modifier => 0.6,
        Kind::Gap if symbol == ' ' => 0.15,
        Kind::Gap => 1.2,
        Kind::Sound if "aeiouyæøœɐɑɒɔəɚɛɜɪɨɯɵɶʉʊʌʏᵻ".contains(symbol) => 1.2,
        Kind::Sound if "pbtdkɡɾʔ".contains(symbol) => 0.7,
        Kind::Sound => 0.9,
    };
    let total: f64 = symbols.iter().map(|&symbol| weight(symbol)).sum::<f64>().max(1e-9);
    symbols.iter().map(|&symbol| Symbol { symbol, samples: weight(symbol) / total * samples as f64 }).collect()
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

enum Kind {
    Stress,
    /// Changes the sound before it.
    Modifier,
    /// A word's end, punctuation, the sentence's own begin and end.
    Gap,
    Sound,
}

fn kind(symbol: char) -> Kind {
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

    fn timed(text: &str) -> Vec<(String, u64, u64, bool)> {
        let symbols: Vec<Symbol> = text.chars().map(|symbol| Symbol { symbol, samples: 100.0 }).collect();
        phonemes(&symbols, 1000).into_iter().map(|p| (p.ipa.to_string(), p.start, p.end, p.stressed)).collect()
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
        let symbols: Vec<Symbol> =
            "t ʃ".chars().map(|symbol| Symbol { symbol, samples: if symbol == ' ' { 10.0 } else { 100.0 } }).collect();
        let ipa: Vec<_> = phonemes(&symbols, 1000).into_iter().map(|p| (p.ipa.to_string(), p.end)).collect();
        // The short gap is spoken through, by the sound before it.
        assert_eq!(ipa, [("t".to_owned(), 110), ("ʃ".to_owned(), 210)]);
    }

    #[test]
    fn phonemes_follow_one_another_without_gap_or_overlap() {
        let text = "^həlˈoʊ, ðˈɛɹ! hˈaʊ ɑːɹ juː?$";
        let all = timed(text);
        assert!(all.windows(2).all(|pair| pair[0].2 == pair[1].1), "{all:?}");
        assert_eq!(
            (all.first().map(|p| p.1), all.last().map(|p| p.2)),
            (Some(0), Some(100 * text.chars().count() as u64))
        );
    }

    #[test]
    fn a_voice_without_lengths_still_fills_its_sound() {
        let symbols = spread(&"^ˈaɪ ɡˈoʊ.$".chars().collect::<Vec<_>>(), 20_000);
        assert!((symbols.iter().map(|s| s.samples).sum::<f64>() - 20_000.0).abs() < 1e-6);
        assert_eq!(phonemes(&symbols, 22_050).last().map(|p| p.end), Some(20_000));
    }
}
