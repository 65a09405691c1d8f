//! Where the eyes look: saccades between fixations, mostly into the lens, with micro-saccades within them.

use super::{Now, STEP};
use crate::face::noise::Dice;
use crate::media::Attention;

#[derive(Clone, Debug)]
pub struct Gaze {
    pub(super) dice: Dice,
    /// Degrees right and up of the lens.
    from: [f32; 2],
    to: [f32; 2],
    /// Where the fixation is about; micro-saccades stay near it.
    about: [f32; 2],
    /// Seconds since the saccade began, and how long it takes.
    age: f32,
    duration: f32,
    /// Seconds to the next saccade and the next micro-saccade.
    hold: f32,
    twitch: f32,
}

impl Gaze {
    pub fn new(dice: &mut Dice) -> Self {
        let dice = Dice::new(dice.word());
        Self { dice, from: [0.0; 2], to: [0.0; 2], about: [0.0; 2], age: 1.0, duration: 0.02, hold: 1.2, twitch: 0.5 }
    }

    /// One step; the size in degrees of a saccade that begins now, if one does.
    pub fn advance(&mut self, now: &Now) -> Option<f32> {
        self.age += STEP;
        self.hold -= STEP;
        self.twitch -= STEP;
        if now.just_changed() {
            self.hold = match now.attention {
                Attention::Listening if now.interrupted() => 0.0,
                Attention::Listening => 0.15,
                Attention::Thinking => 0.22,
                Attention::Speaking => 0.1,
                Attention::Idle => 0.4,
            };
        }
        if self.hold <= 0.0 {
            let (target, hold) = self.choose(now);
            self.about = target;
            self.hold = hold;
            return Some(self.jump(target));
        }
        if self.twitch <= 0.0 {
            let near = [0, 1].map(|i| self.about[i] + self.dice.between(-0.5, 0.5));
            self.twitch = self.dice.between(0.25, 0.9);
            self.jump(near);
        }
        None
    }

    /// Where the eyes look, degrees right and up of the lens.
    pub fn direction(&self) -> [f32; 2] {
        let x = (self.age / self.duration).min(1.0);
        let x = x * x * (3.0 - 2.0 * x);
        [0, 1].map(|i| self.from[i] + (self.to[i] - self.from[i]) * x)
    }

    /// What is looked at, without the small movements.
    pub fn target(&self) -> [f32; 2] {
        self.about
    }

    fn jump(&mut self, target: [f32; 2]) -> f32 {
        self.from = self.direction();
        self.to = target;
        let degrees = (target[0] - self.from[0]).hypot(target[1] - self.from[1]);
        self.age = 0.0;
        self.duration = 0.020 + 0.002 * degrees;
        degrees
    }

    /// The next fixation and its seconds.
    fn choose(&mut self, now: &Now) -> ([f32; 2], f32) {
        let dice = &mut self.dice;
        let at_lens = self.about[0].hypot(self.about[1]) < 2.0;
        let lens = [dice.between(-0.7, 0.7), dice.between(-0.4, 0.7)];
        let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
        match now.attention {
            // Up and to one side, for less than a second, then back.
            Attention::Thinking if now.since < 0.6 => {
                let away = if dice.chance(0.65) {
                    [-dice.between(8.0, 12.0), dice.between(5.0, 8.0)]
                } else {
                    [dice.between(7.0, 10.0), -dice.between(5.0, 7.0)]
                };
                (away, dice.between(0.7, 1.0))
            }
            Attention::Thinking if at_lens => {
                ([-dice.between(5.0, 9.0), dice.between(2.0, 6.0)], dice.between(0.5, 0.9))
            }
            Attention::Thinking => (lens, dice.between(0.5, 1.0)),
            // Away while the thought is put into words, then to the listener and back again.
            Attention::Speaking if now.since < 0.3 && dice.chance(0.6) => {
                ([side * dice.between(4.0, 8.0), dice.between(-1.0, 4.0)], dice.between(0.4, 0.7))
            }
            Attention::Speaking if at_lens && dice.chance(0.8) => {
                ([side * dice.between(3.0, 8.0), dice.between(-4.0, 3.5)], dice.between(0.5, 1.2))
            }
            Attention::Speaking => (lens, dice.between(0.6, 1.5)),
            Attention::Listening if now.since < 0.5 => (lens, dice.between(1.2, 2.0)),
            // Between the speaker's eyes and mouth, seldom away.
            Attention::Listening if at_lens && dice.chance(0.5) => {
                ([side * dice.between(1.5, 5.0), dice.between(-3.5, 1.5)], dice.between(0.4, 0.8))
            }
            Attention::Listening => (lens, dice.between(1.0, 2.0)),
            Attention::Idle if at_lens && dice.chance(0.5) => {
                ([side * dice.between(3.0, 9.0), dice.between(-4.0, 3.0)], dice.between(0.5, 1.2))
            }
            Attention::Idle => (lens, dice.between(0.9, 2.0)),
        }
    }
}
