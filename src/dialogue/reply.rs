//! One answer on its way from prompt to ear: text as it comes, clauses as they are voiced, words as they are heard.
//!
//! PURE. The dialogue owns one for each answer that is not over and decides; this file only keeps count.

use super::clauses::ClauseSplitter;
use super::history::{ItemId, Message};
use super::io::{Ending, Event, Usage};
use super::tools::Calling;
use crate::media::{MediaTime, TimedWord, TurnId, WORD_TAIL};

/// How far the making of an answer has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Making {
    /// Transcripts that belong into the prompt are still under way.
    Waiting,
    Generating,
    /// Tools of the server work; the model goes on with what they give.
    Calling,
    /// All text is there; the ending holds once every clause has been voiced.
    Written(Ending),
    /// All sound is there too; the client knows.
    Done,
}

#[derive(Debug)]
struct Spoken {
    text: String,
    /// Where it begins in the answer's text, in bytes.
    offset: usize,
    /// Length of its sound so far.
    ticks: u64,
    /// No more sound of it follows.
    done: bool,
    /// Those that are voiced, by the clause's own time.
    words: Vec<TimedWord>,
}

/// A word that has begun to be heard.
#[derive(Debug, PartialEq, Eq)]
pub struct HeardWord {
    pub word: String,
    /// UTF-16 code units of the answer's text.
    pub start: usize,
    pub end: usize,
    pub audio_start_millis: u64,
    pub audio_end_millis: u64,
}

#[derive(Debug)]
pub struct Reply {
    pub turn: TurnId,
    pub item: ItemId,
    pub previous: Option<ItemId>,
    pub making: Making,
    pub usage: Usage,
    pub text_only: bool,
    pub out_of_band: bool,
    /// Begun before it is known that the person has finished; nobody knows of it yet.
    pub draft: bool,
    /// What will be told once it is no draft any more.
    pub untold: Vec<Event>,
    /// A prompt of its own in place of the conversation's.
    pub input: Option<Vec<Message>>,
    pub instructions: Option<String>,
    /// Its whole text, if no model is to be asked.
    pub said: Option<String>,
    /// What the model was asked last.
    pub prompt: Vec<Message>,
    /// What it asked of tools, and how often it was asked anew with what they gave.
    pub calls: Vec<Calling>,
    pub rounds: u32,
    /// Bytes of its text that the model was told it has said.
    pub prompted: usize,
    /// All text, as the model wrote it.
    pub text: String,
    pub playing: bool,
    /// Ticks of its sound that went out.
    pub played: u64,
    /// An error of the voice was reported already.
    pub voice_failed: bool,
    splitter: ClauseSplitter,
    clauses: Vec<Spoken>,
    /// Words that were told as heard.
    told_words: usize,
}

impl Reply {
    pub fn new(turn: TurnId, item: ItemId, previous: Option<ItemId>, text_only: bool) -> Self {
        Self {
            turn,
            item,
            previous,
            making: Making::Waiting,
            usage: Usage::default(),
            text_only,
            out_of_band: false,
            draft: false,
            untold: Vec::new(),
            input: None,
            instructions: None,
            said: None,
            prompt: Vec::new(),
            calls: Vec::new(),
            rounds: 0,
            prompted: 0,
            text: String::new(),
            playing: false,
            played: 0,
            voice_failed: false,
            splitter: ClauseSplitter::default(),
            clauses: Vec::new(),
            told_words: 0,
        }
    }

    /// Takes text and returns the clauses to speak, each with its index.
    pub fn write(&mut self, text: &str) -> Vec<(u32, String)> {
        self.text.push_str(text);
        if self.text_only {
            return Vec::new();
        }
        let clauses = self.splitter.push(text);
        clauses.into_iter().map(|clause| self.add(clause)).collect()
    }

    /// The text is complete: returns the last clause.
    pub fn finish_text(&mut self) -> Option<(u32, String)> {
        let clause = self.splitter.finish()?;
        Some(self.add(clause))
    }

    fn add(&mut self, text: String) -> (u32, String) {
        // Clauses are pieces of the text in order, so each lies behind the one before.
        let behind = self.clauses.last().map_or(0, |last| last.offset + last.text.len());
        let offset = self.text.get(behind..).and_then(|rest| rest.find(&text)).map_or(behind, |at| behind + at);
        self.clauses.push(Spoken { text: text.clone(), offset, ticks: 0, done: false, words: Vec::new() });
        ((self.clauses.len() - 1) as u32, text)
    }

    pub fn voiced(&mut self, clause: u32, ticks: u64, words: Vec<TimedWord>) {
        if let Some(spoken) = self.clauses.get_mut(clause as usize) {
            let by = spoken.ticks;
            let words = words.into_iter();
            spoken.words.extend(words.map(|w| TimedWord { start: w.start + by, end: w.end + by, ..w }));
            spoken.ticks += ticks;
        }
    }

    pub fn voice_done(&mut self, clause: u32) {
        if let Some(spoken) = self.clauses.get_mut(clause as usize) {
            spoken.done = true;
        }
    }

    /// Every clause so far has become sound (or was given up).
    pub fn all_voiced(&self) -> bool {
        self.clauses.iter().all(|clause| clause.done)
    }

    /// There is sound that somebody can hear.
    pub fn has_sound(&self) -> bool {
        self.clauses.iter().any(|clause| clause.ticks > 0)
    }

    /// Ticks of sound that were made and not heard yet.
    pub fn unheard(&self) -> u64 {
        let made: u64 = self.clauses.iter().map(|clause| clause.ticks).sum();
        made.saturating_sub(self.played)
    }

    /// What was heard of it so far, to the last whole word.
    pub fn heard(&self) -> String {
        let mut end = 0;
        let mut left = self.played;
        for clause in &self.clauses {
            if clause.done && left >= clause.ticks {
                left -= clause.ticks;
                end = clause.offset + clause.text.len();
                continue;
            }
            let heard = clause.words.iter().take_while(|word| word.end < left + WORD_TAIL as u64);
            if let Some(last) = heard.last() {
                end = clause.offset + last.text.end;
            }
            break;
        }
        self.text.get(..end).unwrap_or_default().trim().to_owned()
    }

    /// The words whose sound has begun since this was last asked.
    pub fn words_begun(&mut self) -> Vec<HeardWord> {
        let mut begun = Vec::new();
        let mut clause_start = 0;
        let mut number = 0;
        for clause in &self.clauses {
            for word in &clause.words {
                if clause_start + word.start >= self.played {
                    return begun;
                }
                number += 1;
                if number <= self.told_words {
                    continue;
                }
                self.told_words = number;
                let Some(text) = clause.text.get(word.text.clone()) else { continue };
                let before = self.text.get(..clause.offset + word.text.start).unwrap_or_default();
                let start = before.encode_utf16().count();
                begun.push(HeardWord {
                    word: text.to_owned(),
                    start,
                    end: start + text.encode_utf16().count(),
                    audio_start_millis: MediaTime(clause_start + word.start).as_millis(),
                    audio_end_millis: MediaTime(clause_start + word.end).as_millis(),
                });
            }
            if !clause.done {
                break;
            }
            clause_start += clause.ticks;
        }
        begun
    }

    pub fn played_millis(&self) -> u64 {
        MediaTime(self.played).as_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "It is Paris. Yes, it is." in two clauses, 100 ticks for each character of a word.
    fn reply() -> Reply {
        let mut reply = Reply::new(TurnId(1), ItemId("a".into()), None, false);
        let mut clauses = reply.write("It is Paris. Yes, it is.");
        clauses.extend(reply.finish_text());
        for (index, text) in clauses {
            let mut words = Vec::new();
            for (start, word) in text.split(' ').scan(0, |at, word| {
                let start = *at;
                *at += word.len() + 1;
                Some((start, word))
            }) {
                let end = start + word.len();
                words.push(TimedWord { text: start..end, start: start as u64 * 10_000, end: end as u64 * 10_000 });
            }
            // In two parts, cut before the second word.
            let cut = words[1].start;
            let later = words.split_off(1).into_iter();
            let later = later.map(|w| TimedWord { start: w.start - cut, end: w.end - cut, ..w }).collect();
            reply.voiced(index, cut, words);
            reply.voiced(index, text.len() as u64 * 10_000 - cut, later);
            reply.voice_done(index);
        }
        reply
    }

    #[test]
    fn what_was_heard_ends_with_the_last_whole_word() {
        let mut reply = reply();
        for (played, heard) in [
            (0, ""),
            (15_000, ""),
            (19_500, "It"),
            (19_040, ""),
            (20_000, "It"),
            (110_000, "It is"),
            (120_000, "It is Paris."),
            (160_000, "It is Paris. Yes,"),
            (u64::MAX, "It is Paris. Yes, it is."),
        ] {
            reply.played = played;
            assert_eq!(reply.heard(), heard, "after {played}");
        }
    }

    #[test]
    fn each_word_is_told_once_when_it_begins() {
        let mut reply = reply();
        let mut told = Vec::new();
        for played in (0..230_000).step_by(960) {
            reply.played = played;
            told.extend(reply.words_begun().into_iter().map(|word| (word.word, word.start, word.end)));
        }
        let expected =
            [("It", 0, 2), ("is", 3, 5), ("Paris.", 6, 12), ("Yes,", 13, 17), ("it", 18, 20), ("is.", 21, 24)];
        assert_eq!(told, expected.map(|(word, start, end)| (word.to_owned(), start, end)));
    }
}
