//! Somebody who listens to what is played and knows every sample: which words were heard in whole, in which order.
//!
//! Each word of the simulated voice sounds at a level of its own, so that frames tell which word they hold.

use crate::media::{AUDIO_FRAME, Speech, TimedWord, TurnId};

/// Length of one letter's sound, in ticks.
const LETTER: usize = 1500;
const GAP: usize = 400;
/// Samples that fade in after a release, at most.
const FADE_IN: usize = 240;
/// Word n of all words that are ever voiced sounds at this level and n times [`STEP`].
const BASE: i16 = 100;
const STEP: i16 = 1;

/// A word that was made into sound.
#[derive(Debug)]
struct Word {
    turn: TurnId,
    text: String,
    length: usize,
    heard: usize,
    wholly: usize,
}

#[derive(Debug, Default)]
pub struct Listener {
    words: Vec<Word>,
    /// The word of the last sample.
    now: Option<usize>,
    /// Words that were heard in whole, in order.
    heard: Vec<usize>,
    /// What was held goes on; so many samples of its fade-in were heard.
    faded: Option<usize>,
}

impl Listener {
    /// The sound of a clause: each word a level of its own, a gap after it.
    pub fn voice(&mut self, turn: TurnId, clause: u32, text: &str) -> Speech {
        let mut speech =
            Speech { turn, clause, text: text.to_owned(), pcm: Vec::new(), phonemes: Vec::new(), words: Vec::new() };
        let mut at = 0;
        for word in text.split(' ') {
            let start = speech.pcm.len();
            let level = BASE + STEP * (self.words.len() % 30_000) as i16;
            let length = word.chars().count() * LETTER;
            speech.pcm.extend(std::iter::repeat_n(level, length));
            speech.words.push(TimedWord {
                text: at..at + word.len(),
                start: start as u64,
                end: (start + length) as u64,
            });
            speech.pcm.extend(std::iter::repeat_n(0, GAP));
            at += word.len() + 1;
            self.words.push(Word { turn, text: word.to_owned(), length, heard: 0, wholly: 0 });
        }
        speech
    }

    /// Hears a frame. Samples that fade are of no word's level, or count for a word that is not heard in whole.
    pub fn hear(&mut self, frame: &[i16; AUDIO_FRAME]) {
        for &sample in frame {
            let word = usize::try_from(sample - BASE).ok().filter(|word| sample >= BASE && *word < self.words.len());
            if word != self.now {
                self.close();
                self.now = word;
            }
            match word {
                Some(word) => self.words[word].heard += 1,
                None if sample != 0 => self.faded = self.faded.map(|faded| faded + 1),
                None => {}
            }
        }
    }

    /// The stretch of one word is over: whole or cut.
    fn close(&mut self) {
        let Some(index) = self.now.take() else { return };
        let word = &mut self.words[index];
        // A cut of less than 20 ms takes nothing from a word, nor does the fade-in after a release.
        let heard = std::mem::take(&mut word.heard);
        if heard + self.faded.unwrap_or_default() + AUDIO_FRAME > word.length {
            word.wholly += 1;
            self.heard.push(index);
        }
        // Fading samples look like a little of some other word.
        self.faded = self.faded.filter(|_| heard <= FADE_IN).map(|faded| faded + heard);
    }

    pub fn released(&mut self) {
        self.close();
        self.faded = Some(0);
    }

    /// The words of an answer that were heard in whole.
    pub fn heard(&mut self, turn: TurnId) -> String {
        self.close();
        let words = self.heard.iter().map(|index| &self.words[*index]).filter(|word| word.turn == turn);
        words.map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// No word was heard twice in whole, and none before one that was voiced earlier.
    pub fn check_order(&mut self) {
        self.close();
        assert!(self.heard.is_sorted(), "words in another order than they were voiced: {:?}", self.heard);
        for word in &self.words {
            assert!(word.wholly <= 1, "{:?} of {:?} was heard {} times", word.text, word.turn, word.wholly);
        }
    }
}
