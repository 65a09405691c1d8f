//! What went wrong in a turn: pure judgement over what the caller noted.

use visavis::call::{OverOutcome, TurnReport};

/// Nothing was heard of an answer.
pub fn is_missed(turn: &TurnReport) -> bool {
    turn.first_sound_after_ms.is_none()
}

/// An answer began before the person had finished.
pub fn is_cut_short(turn: &TurnReport) -> bool {
    turn.created_early > 0 || turn.heard_early
}

/// What came of something that was spoken over an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The answer was too short to be spoken over.
    Untried,
    /// The server ended it.
    Ended,
    /// It was heard again, or was over by itself.
    WentOn,
    /// Neither: it stayed silent.
    Stuck,
}

pub fn fate(turn: &TurnReport) -> Fate {
    let Some(over) = &turn.over else { return Fate::Untried };
    match (over.outcome, over.resumed_after_ms) {
        (OverOutcome::Cut, _) => Fate::Ended,
        (OverOutcome::Played, _) | (OverOutcome::Open, Some(_)) => Fate::WentOn,
        (OverOutcome::Open, None) => Fate::Stuck,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use visavis::call::OverReport;

    #[test]
    fn a_turn_without_a_sound_is_missed_and_one_answered_early_is_cut_short() {
        let mut turn = TurnReport { first_sound_after_ms: Some(500.0), ..Default::default() };
        assert_eq!((is_missed(&turn), is_cut_short(&turn)), (false, false));
        turn.created_early = 1;
        assert!(is_cut_short(&turn));
        turn.first_sound_after_ms = None;
        assert!(is_missed(&turn));
    }

    #[test]
    fn an_answer_is_ended_goes_on_or_is_stuck() {
        let fate_of = |outcome, resumed_after_ms| {
            let over = OverReport { outcome, resumed_after_ms, ..Default::default() };
            fate(&TurnReport { over: Some(over), ..Default::default() })
        };
        assert_eq!(fate(&TurnReport::default()), Fate::Untried);
        // Heard again for a moment, and ended after all.
        assert_eq!(fate_of(OverOutcome::Cut, Some(10.0)), Fate::Ended);
        assert_eq!(fate_of(OverOutcome::Open, Some(300.0)), Fate::WentOn);
        assert_eq!(fate_of(OverOutcome::Played, None), Fate::WentOn);
        assert_eq!(fate_of(OverOutcome::Open, None), Fate::Stuck);
    }
}
