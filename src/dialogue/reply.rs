//! One answer on its way from prompt to ear: text as it comes, clauses as they are voiced, sound as it plays.
//!
//! PURE. The dialogue owns one for each answer that is not over and decides; this file only keeps count.

use super::clauses::ClauseSplitter;
use super::history::{ItemId, Message, heard_text};
use super::io::{Ending, Usage};
use crate::media::{MediaTime, TurnId};

/// How far the making of an answer has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Making {
    /// Transcripts that belong into the prompt are still under way.
    Waiting,
    Generating,
    /// All text is there; the ending holds once every clause has been voiced.
    Written(Ending),
    /// All sound is there too; the client knows.
    Done,
}

#[derive(Debug)]
struct Spoken {
    text: String,
    /// `None` until voiced; 0 if it could not be.
    ticks: Option<u64>,
}

#[derive(Debug)]
pub struct Reply {
    pub turn: TurnId,
    pub item: ItemId,
    pub previous: Option<ItemId>,
    pub making: Making,
    pub usage: Usage,
    pub text_only: bool,
    /// A prompt of its own in place of the conversation's.
    pub input: Option<Vec<Message>>,
    pub instructions: Option<String>,
    /// All text, as the model wrote it.
    pub text: String,
    pub playing: bool,
    /// Ticks of its sound that went out.
    pub played: u64,
    /// An error of the voice was reported already.
    pub voice_failed: bool,
    splitter: ClauseSplitter,
    clauses: Vec<Spoken>,
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
            input: None,
            instructions: None,
            text: String::new(),
            playing: false,
            played: 0,
            voice_failed: false,
            splitter: ClauseSplitter::default(),
            clauses: Vec::new(),
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
        self.clauses.push(Spoken { text: text.clone(), ticks: None });
        ((self.clauses.len() - 1) as u32, text)
    }

    pub fn voiced(&mut self, clause: u32, ticks: u64) {
        if let Some(spoken) = self.clauses.get_mut(clause as usize) {
            spoken.ticks = Some(ticks);
        }
    }

    /// Every clause so far has become sound (or was given up).
    pub fn all_voiced(&self) -> bool {
        self.clauses.iter().all(|clause| clause.ticks.is_some())
    }

    /// There is sound that somebody can hear.
    pub fn has_sound(&self) -> bool {
        self.clauses.iter().any(|clause| clause.ticks.is_some_and(|ticks| ticks > 0))
    }

    /// What was heard of it so far, to the last whole word.
    pub fn heard(&self) -> String {
        heard_text(self.clauses.iter().map(|c| (c.text.as_str(), c.ticks.unwrap_or(u64::MAX))), self.played)
    }

    pub fn played_millis(&self) -> u64 {
        MediaTime(self.played).as_millis()
    }
}
