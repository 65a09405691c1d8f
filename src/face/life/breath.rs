//! Breathing: 12 to 16 a minute, in faster than out, and in before speaking.

use std::f32::consts::{PI, TAU};

use super::{Now, STEP};
use crate::face::noise::{Dice, Drift};
use crate::media::Attention;

/// Part of the cycle that is breathing in.
const IN: f32 = 0.42;

#[derive(Clone, Debug)]
pub struct Breath {
    /// Place in the cycle, 0 to 1: in up to [`IN`], then out.
    phase: f32,
    pace: f32,
    unrest: Drift,
}

impl Breath {
    pub fn new(dice: &mut Dice) -> Self {
        Self { phase: dice.unit(), pace: 14.0, unrest: Drift::new(dice, 0.08) }
    }

    pub fn advance(&mut self, now: &Now) {
        let calm = 14.0 + 1.6 * self.unrest.at(now.seconds).clamp(-1.0, 1.0);
        let wanted = match now.attention {
            // A breath is drawn for the answer: hurry to full lungs and wait there.
            Attention::Thinking if self.phase > IN + 0.06 => 34.0,
            Attention::Thinking if self.phase < IN - 0.02 => 30.0,
            Attention::Thinking => 5.0,
            Attention::Speaking => calm * 0.95,
            _ => calm,
        };
        self.pace += (wanted - self.pace) * (STEP / 0.18);
        self.phase = (self.phase + self.pace / 60.0 * STEP).fract();
    }

    /// Lungs, 0 to 1.
    pub fn level(&self) -> f32 {
        let turn = if self.phase < IN { PI * self.phase / IN } else { PI + PI * (self.phase - IN) / (1.0 - IN) };
        debug_assert!(turn <= TAU);
        0.5 - 0.5 * turn.cos()
    }
}
