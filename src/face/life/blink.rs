//! When the lids shut: 15 to 20 times a minute at rest, 20 to 26 in talk, one in ten doubled.

use super::{Now, STEP};
use crate::face::noise::Dice;
use crate::media::Attention;

/// Seconds of a blink: down, shut, up.
const DOWN: f32 = 0.080;
const SHUT: f32 = 0.030;
const UP: f32 = 0.140;
const LEAST_WAIT: f32 = 0.9;
/// The right lid is this much later than the left, as lids are.
const SKEW: f32 = 0.006;

#[derive(Clone, Debug)]
pub struct Blinks {
    pub(super) dice: Dice,
    /// Seconds into the blink; none between blinks.
    blink: Option<f32>,
    wait: f32,
    /// The last blink begun is the first of a double.
    first_of_two: bool,
    /// The next blink is the second of a double.
    second_of_two: bool,
}

impl Blinks {
    pub fn new(dice: &mut Dice) -> Self {
        let mut dice = Dice::new(dice.word());
        let wait = dice.between(0.8, 2.5);
        Self { dice, blink: None, wait, first_of_two: false, second_of_two: false }
    }

    pub fn advance(&mut self, now: &Now) {
        if let Some(age) = self.blink {
            self.blink = (age + STEP < DOWN + SHUT + UP + SKEW).then_some(age + STEP);
            if self.blink.is_none() {
                self.second_of_two = self.first_of_two;
                self.wait =
                    if self.second_of_two { 0.08 } else { self.dice.wait(mean_wait(now.attention), LEAST_WAIT) };
            }
            return;
        }
        // Turns of talk are where people blink: their own clause's end, the other's.
        if now.just_changed() && self.dice.chance(0.35) {
            self.wait = self.wait.min(self.dice.between(0.1, 0.4));
        }
        self.wait -= STEP;
        if self.wait <= 0.0 {
            self.first_of_two = !self.second_of_two && self.dice.chance(0.1);
            self.blink = Some(0.0);
        }
    }

    /// The eyes jumped by `degrees`; a large jump often brings a blink with it.
    pub fn gaze_moved(&mut self, degrees: f32) {
        if degrees > 9.0 && self.dice.chance(0.25) {
            self.wait = self.wait.min(0.02);
        }
    }

    /// How far left and right lid are shut, 0 to 1.
    pub fn shut(&self) -> [f32; 2] {
        let at = |age: f32| {
            if age < DOWN {
                ease(age / DOWN)
            } else if age < DOWN + SHUT {
                1.0
            } else {
                // The lid opens fast at first and settles slowly.
                let rest = 1.0 - ((age - DOWN - SHUT) / UP).min(1.0);
                rest * rest * (1.6 - 0.6 * rest)
            }
        };
        self.blink.map_or([0.0; 2], |age| [at(age), at((age - SKEW).max(0.0))])
    }

    #[cfg(test)]
    pub fn is_blinking(&self) -> bool {
        self.blink.is_some()
    }
}

/// Seconds from the end of a blink to the next, on average. Doubled blinks and those of gaze shifts come on top.
fn mean_wait(attention: Attention) -> f32 {
    match attention {
        Attention::Idle => 3.75,
        Attention::Listening => 3.4,
        Attention::Thinking => 3.2,
        Attention::Speaking => 2.75,
    }
}

fn ease(x: f32) -> f32 {
    x * x * (3.0 - 2.0 * x)
}
