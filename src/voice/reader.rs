//! Reads sentences to a voice: from text to the symbols that networks were trained on, each with the word it is of.
//!
//! espeak-ng reads (a process for each of its voices, started when first needed); [`Owners`] finds whose each of its
//! sounds is. To a network that was taught pinyin, [`Chinese`] reads Chinese characters, and espeak-ng what stands among
//! them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::VoiceError;
use super::chinese::{Chinese, Piece};
use super::network::Tongue;
use super::owners::{Owners, units};
use super::phonemes::Phonemizer;
use super::sentences::Sentence;
use super::timing::Symbol;
use super::traced::Traced;

/// Its dictionaries, for all voices.
static CHINESE: LazyLock<Chinese> = LazyLock::new(Chinese::load);
/// Of what stands among Chinese characters.
const AMONG_CHINESE: &str = "en-US";

/// Spells IPA of a language in the alphabet of a network.
pub type Spelling<'a> = &'a dyn Fn(Vec<Symbol>, &str) -> Vec<Symbol>;

/// See the module's text.
#[derive(Debug, Default)]
pub struct Reader {
    /// By espeak-ng's names for its voices.
    espeak: HashMap<String, Espeak>,
}

const SPACE: Symbol = Symbol { symbol: ' ', word: None };

#[derive(Debug)]
struct Espeak {
    phonemizer: Phonemizer,
    owners: Owners,
}

impl Reader {
    /// Starts what this tongue needs and learns what its first clause would else have to ask for.
    pub fn warm_up(&mut self, tongue: Tongue<'_>) -> Result<(), VoiceError> {
        if tongue.pinyin {
            LazyLock::force(&CHINESE);
        }
        let Espeak { phonemizer, owners } = self.espeak(tongue)?;
        owners.warm_up(tongue.espeak, &mut |text| phonemizer.phonemes(text))
    }

    /// The symbols of a sentence, as `spelt`, and punctuation. The words of the clause lie at `ranges`.
    pub fn symbols(
        &mut self,
        tongue: Tongue<'_>,
        sentence: &Sentence,
        ranges: &[Range<usize>],
        spelt: Spelling<'_>,
    ) -> Result<Vec<Symbol>, VoiceError> {
        let mut symbols = Vec::new();
        for part in &sentence.parts {
            let spoken = match tongue.pinyin {
                true => self.mixed(tongue, &part.text, ranges, spelt)?,
                false => spelt(self.espeak(tongue)?.symbols(&part.text, ranges)?, tongue.language),
            };
            if spoken.is_empty() {
                continue;
            }
            if !symbols.is_empty() {
                symbols.push(SPACE);
            }
            symbols.extend(spoken);
            symbols.extend(part.punctuation.map(|symbol| Symbol { symbol, word: None }));
        }
        Ok(symbols)
    }

    /// Chinese, and what stands among it.
    fn mixed(
        &mut self,
        tongue: Tongue<'_>,
        text: &Traced,
        ranges: &[Range<usize>],
        spelt: Spelling<'_>,
    ) -> Result<Vec<Symbol>, VoiceError> {
        let mut symbols = Vec::new();
        for piece in CHINESE.pieces(text, ranges) {
            let spoken = match piece {
                Piece::Chinese(symbols) => spelt(symbols, tongue.language),
                Piece::Other(bytes) => {
                    let mut other = Traced::default();
                    other.copy(text, bytes);
                    spelt(self.espeak(tongue)?.symbols(&other, ranges)?, AMONG_CHINESE)
                }
            };
            if !symbols.is_empty() && !spoken.is_empty() {
                symbols.push(SPACE);
            }
            symbols.extend(spoken);
        }
        Ok(symbols)
    }

    fn espeak(&mut self, tongue: Tongue<'_>) -> Result<&mut Espeak, VoiceError> {
        if !self.espeak.contains_key(tongue.espeak) {
            let espeak = Espeak { phonemizer: Phonemizer::start(tongue.espeak)?, owners: Owners::default() };
            self.espeak.insert(tongue.espeak.to_owned(), espeak);
        }
        // It is there now.
        self.espeak.get_mut(tongue.espeak).ok_or(VoiceError::EspeakMissing)
    }
}

impl Espeak {
    fn symbols(&mut self, text: &Traced, ranges: &[Range<usize>]) -> Result<Vec<Symbol>, VoiceError> {
        let Self { phonemizer, owners } = self;
        let ipa = phonemizer.phonemes(text.as_str())?;
        if ipa.is_empty() {
            return Ok(Vec::new());
        }
        owners.symbols(&ipa, &units(text, ranges), &mut |text| phonemizer.phonemes(text))
    }
}
