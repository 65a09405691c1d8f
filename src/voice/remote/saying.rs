//! One clause on its way from a server's bytes to parts of speech: what both engines do alike once they are connected.

use std::ops::Range;
use std::sync::Mutex;

use super::RemoteProblem;
use super::sound::{Arriving, Coding};
use super::telling::{Listen, Memory, Placing, Telling};
use crate::media::{Clause, MEDIA_HZ};
use crate::voice::VoiceStyle;

/// Silence after a sentence, and after a clause within one, as local voices have it.
const SENTENCE_TAIL_MILLIS: usize = 180;
const CLAUSE_TAIL_MILLIS: usize = 80;
/// Word boundaries that wait for the first sound.
const MOST_EARLY: usize = 4_000;

/// See the module's text.
pub struct Saying<'a> {
    arriving: Arriving,
    telling: Telling<'a>,
    /// Word boundaries in ticks of the raw sound, before it is known where that begins.
    early: Vec<(String, Range<u64>)>,
    sound: Vec<f32>,
    tail_millis: usize,
    /// Ticks of raw sound up to the last answer's end.
    answered: u64,
    wanted: bool,
}

impl<'a> Saying<'a> {
    pub fn new(
        clause: &'a Clause,
        style: &VoiceStyle,
        volume: f32,
        coding: Coding,
        placing: Placing,
        memory: &'a Mutex<Memory>,
    ) -> Self {
        let last = clause.text.chars().rev().find(|&c| !c.is_whitespace() && !"\"'”’」』)）".contains(c));
        let is_sentence = last.is_some_and(|c| ".!?…。！？".contains(c));
        Self {
            arriving: Arriving::new(coding),
            telling: Telling::new(clause, style, volume, placing, memory),
            early: Vec::new(),
            sound: Vec::new(),
            tail_millis: if is_sentence { SENTENCE_TAIL_MILLIS } else { CLAUSE_TAIL_MILLIS },
            answered: 0,
            wanted: true,
        }
    }

    /// Takes bytes of sound; false if nobody listens any more.
    pub fn bytes(&mut self, bytes: &[u8], listen: Listen<'_>) -> Result<bool, RemoteProblem> {
        self.arriving.push(bytes, &mut self.sound)?;
        self.tell(listen)
    }

    /// Takes a word boundary, in ticks from the beginning of the answer; false if nobody listens any more.
    pub fn boundary(&mut self, piece: String, span: Range<u64>, listen: Listen<'_>) -> Result<bool, RemoteProblem> {
        let before = self.arriving.before();
        if self.early.len() >= MOST_EARLY {
            return Err(RemoteProblem::rubbish("thousands of word boundaries before any sound"));
        }
        self.early.push((piece, span.start.saturating_add(before)..span.end.saturating_add(before)));
        self.tell(listen)
    }

    /// One answer is over; false if nobody listens any more.
    pub fn answered(&mut self, listen: Listen<'_>) -> Result<bool, RemoteProblem> {
        self.arriving.next(&mut self.sound)?;
        if self.arriving.before() == self.answered {
            return Err(RemoteProblem::NoSound);
        }
        self.answered = self.arriving.before();
        self.tell(listen)
    }

    /// All answers are over.
    pub fn finish(&mut self, listen: Listen<'_>) -> Result<(), RemoteProblem> {
        if !self.arriving.finish(self.tail_millis, &mut self.sound) {
            return Err(RemoteProblem::NoSound);
        }
        self.telling.sound(&self.sound);
        self.telling.finish((self.tail_millis * MEDIA_HZ as usize / 1000) as u64, listen);
        Ok(())
    }

    /// Whether anything was given away.
    pub fn has_told(&self) -> bool {
        self.telling.has_told()
    }

    fn tell(&mut self, listen: Listen<'_>) -> Result<bool, RemoteProblem> {
        let Some(head) = self.arriving.head() else { return Ok(true) };
        for (piece, span) in self.early.drain(..) {
            self.telling.boundary(&piece, span.start.saturating_sub(head)..span.end.saturating_sub(head))?;
        }
        self.telling.sound(&self.sound);
        self.sound.clear();
        self.wanted = self.wanted && self.telling.tell(listen);
        Ok(self.wanted)
    }
}
