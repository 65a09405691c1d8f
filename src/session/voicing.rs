//! Puts what voices say back in the order in which they were asked.
//!
//! PURE. A clause may be at one voice while the next is at another, which may be faster; what comes too early waits.
//! At most [`SOUNDS`](super::wiring::SOUNDS) clauses of [`PARTS`](crate::engines::jobs::PARTS) parts wait.

use std::collections::VecDeque;

use crate::engines::jobs::{Speaking, Spoken};
use crate::media::TurnId;

/// See the module's text.
#[derive(Default)]
pub struct Voicing {
    asked: VecDeque<Asked>,
}

struct Asked {
    turn: TurnId,
    clause: u32,
    early: Vec<Spoken>,
}

impl Voicing {
    /// Clauses that voices have.
    pub fn len(&self) -> usize {
        self.asked.len()
    }

    pub fn asked(&mut self, turn: TurnId, clause: u32) {
        self.asked.push_back(Asked { turn, clause, early: Vec::new() });
    }

    /// Takes what a voice said and returns what can be told now.
    pub fn take(&mut self, spoken: Spoken) -> Vec<Spoken> {
        let of = |asked: &Asked| asked.turn == spoken.turn && asked.clause == spoken.clause;
        let Some(index) = self.asked.iter().position(of) else { return Vec::new() };
        self.asked[index].early.push(spoken);
        let mut now = Vec::new();
        while let Some(first) = self.asked.front_mut() {
            now.append(&mut first.early);
            if !now.last().is_some_and(|last| of_end(last) && last.turn == first.turn && last.clause == first.clause) {
                break;
            }
            self.asked.pop_front();
        }
        now
    }
}

fn of_end(spoken: &Spoken) -> bool {
    !matches!(spoken.progress, Speaking::Part(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Speech;

    fn said(clause: u32, progress: Speaking) -> Spoken {
        Spoken { turn: TurnId(1), clause, progress }
    }

    fn part(clause: u32) -> Spoken {
        let speech = Speech {
            turn: TurnId(1),
            clause,
            text: String::new(),
            pcm: Vec::new(),
            phonemes: Vec::new(),
            words: Vec::new(),
        };
        said(clause, Speaking::Part(speech))
    }

    fn clauses(spoken: &[Spoken]) -> Vec<u32> {
        spoken.iter().map(|spoken| spoken.clause).collect()
    }

    #[test]
    fn what_comes_too_early_waits_for_its_turn() {
        let mut voicing = Voicing::default();
        for clause in 0..3 {
            voicing.asked(TurnId(1), clause);
        }
        assert_eq!(clauses(&voicing.take(part(0))), [0]);
        assert!(voicing.take(part(1)).is_empty());
        assert!(voicing.take(said(1, Speaking::Done)).is_empty());
        assert!(voicing.take(part(2)).is_empty());
        assert_eq!(clauses(&voicing.take(said(0, Speaking::Failed(String::new())))), [0, 1, 1, 2]);
        assert_eq!(voicing.len(), 1);
        assert_eq!(clauses(&voicing.take(said(2, Speaking::Done))), [2]);
        assert_eq!(voicing.len(), 0);
        assert!(voicing.take(part(2)).is_empty(), "nobody asked");
    }
}
