//! Chinese text to the characters that the Kokoro voice was trained on.
//!
//! The way of a stretch of Chinese: words ([`segment`]), the readings of their characters ([`phrases`], and [`context`]
//! where no phrase decides), changes of tone ([`tones`]), the voice's alphabet ([`alphabet`]). Numbers and signs are
//! words already ([`super::normalize`]); what is in another script is left to the caller. Pure.

mod alphabet;
mod context;
mod phrases;
mod segment;
mod syllable;
#[cfg(test)]
mod tests;
mod tones;

use std::ops::Range;

use jieba_rs::Jieba;

use self::phrases::Phrases;
use self::syllable::Syllable;
use self::tones::Spoken;
use super::timing::Symbol;
use super::traced::Traced;
use super::words;

/// A stretch of a part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Chinese as the voice's characters. A space stands between its words and belongs to none of the transcript's, and
    /// none stands at its ends.
    Chinese(Vec<Symbol>),
    /// Bytes of the part in another script, without spaces at the ends, with something to say.
    Other(Range<usize>),
}

/// Reads Chinese. The dictionaries in it take a fraction of a second to load; it can be shared between threads.
#[derive(Debug)]
pub struct Chinese {
    jieba: Jieba,
    phrases: Phrases,
}

impl Chinese {
    pub fn load() -> Self {
        Self { jieba: Jieba::new(), phrases: Phrases::load() }
    }

    /// The pieces of `part`, a part of a sentence of a clause whose words lie at `ranges`, in order. Between them the
    /// voice wants a space.
    pub fn pieces(&self, part: &Traced, ranges: &[Range<usize>]) -> Vec<Piece> {
        let text = part.as_str();
        let mut pieces = Vec::new();
        // Stretches of Chinese that are one piece: only spaces and marks lie between them.
        let mut chinese: Vec<Vec<(usize, char)>> = Vec::new();
        let mut done = 0;
        while done < text.len() {
            let start = done + text[done..].find(is_han).unwrap_or(text.len() - done);
            let between = &text[done..start];
            if between.chars().any(char::is_alphanumeric) {
                pieces.extend(self.chinese(&std::mem::take(&mut chinese), part, ranges));
                let first = start - between.trim_start().len();
                pieces.push(Piece::Other(first..first + between.trim().len()));
            }
            let end = start + text[start..].find(|c| !is_han(c)).unwrap_or(text.len() - start);
            let characters = text[start..end].char_indices().map(|(at, c)| (start + at, c));
            match chinese.last_mut() {
                Some(last) if between.trim().is_empty() => last.extend(characters),
                _ => chinese.push(characters.collect()),
            }
            done = end;
        }
        pieces.extend(self.chinese(&chinese, part, ranges));
        pieces
    }

    fn chinese(&self, stretches: &[Vec<(usize, char)>], part: &Traced, ranges: &[Range<usize>]) -> Option<Piece> {
        let mut symbols: Vec<Symbol> = Vec::new();
        for stretch in stretches {
            let mut last = None;
            for (&(byte, _), spoken) in stretch.iter().zip(self.read(stretch.iter().map(|(_, c)| *c).collect())) {
                let Some(syllable) = spoken.syllable else { continue };
                if last != Some(spoken.word) && !symbols.is_empty() {
                    symbols.push(Symbol { symbol: ' ', word: None });
                }
                last = Some(spoken.word);
                let word = Some(words::index_at(ranges, part.from(byte)));
                symbols.extend(alphabet::symbols(syllable).map(|symbol| Symbol { symbol, word }));
            }
        }
        (!symbols.is_empty()).then_some(Piece::Chinese(symbols))
    }

    /// The readings of `text`, Chinese characters alone, as pinyin, for the tests.
    #[cfg(test)]
    pub fn pinyin(&self, text: &str) -> String {
        let written = |spoken: Spoken| spoken.syllable.map_or("?".to_owned(), |s| format!("{}{}", s.letters, s.tone));
        self.read(text.to_owned()).into_iter().map(written).collect::<Vec<_>>().join(" ")
    }

    /// The readings of `text`, which is Chinese characters alone, one for each.
    fn read(&self, text: String) -> Vec<Spoken> {
        let words = segment::words(&self.jieba, &text);
        let mut read = Vec::new();
        for (index, word) in words.iter().enumerate() {
            let readings = self.phrases.read(word.text);
            for (at, (written, reading)) in word.text.chars().zip(readings).enumerate() {
                let ruled = if reading.of_phrase { None } else { context::reading(&words, index, at, written) };
                let syllable = ruled.map(Syllable::parse).or(reading.syllable);
                read.push(Spoken { written, syllable, word: index });
            }
        }
        tones::change(&mut read);
        read
    }
}

/// Chinese characters; kana are left out, which only Japanese is written with.
fn is_han(c: char) -> bool {
    words::is_cjk(c) && !matches!(c, '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}')
}
