//! The head: slow drift that never repeats, a bearing for each attention, nods, and beats on stressed words.

use super::spring::Spring;
use super::{Now, STEP};
use crate::face::noise::{Dice, Drift};
use crate::media::Attention;

/// Degrees of drift of yaw, pitch and roll.
const DRIFT: [f32; 3] = [1.7, 1.1, 0.9];

/// A dip of the head: down and back within its seconds.
#[derive(Clone, Copy, Debug)]
struct Nod {
    age: f32,
    seconds: f32,
    degrees: f32,
    again: u8,
}

#[derive(Clone, Debug)]
pub struct Head {
    pub(super) dice: Dice,
    drifts: [Drift; 3],
    /// Yaw, pitch, roll in degrees.
    bearing: [Spring; 3],
    nod: Option<Nod>,
    /// Dip of a stressed syllable, degrees, and the brow that goes with it.
    beat: Spring,
    accent: Spring,
    /// Seconds until the next beat may come, and the next nod of a listener.
    rest: f32,
    next_nod: f32,
    /// The head leans a little to one side for the length of a clause.
    lean: f32,
    drifted: [f32; 3],
    speed: [f32; 3],
}

impl Head {
    pub fn new(dice: &mut Dice) -> Self {
        let drifts = [0.14, 0.19, 0.12].map(|hz| Drift::new(dice, hz));
        Self {
            dice: Dice::new(dice.word()),
            drifts,
            bearing: [Spring::at(0.0); 3],
            nod: None,
            beat: Spring::at(0.0),
            accent: Spring::at(0.0),
            rest: 0.0,
            next_nod: 3.0,
            lean: 0.0,
            drifted: [0.0; 3],
            speed: [0.0; 3],
        }
    }

    /// One step; `gaze` is where the eyes look, degrees right and up.
    pub fn advance(&mut self, now: &Now, gaze: [f32; 2]) {
        let before = self.angles();
        self.gestures(now);
        // The head goes part of the way with the eyes.
        let [yaw, pitch, roll] = match now.attention {
            Attention::Idle => [0.25 * gaze[0], 0.15 * gaze[1], 0.0],
            Attention::Listening => [0.15 * gaze[0], -0.4, 2.4],
            Attention::Thinking => [0.35 * gaze[0], 0.8 + 0.25 * gaze[1], -1.2],
            Attention::Speaking => [0.25 * gaze[0] + self.lean, 0.15 * gaze[1], 0.5 * self.lean],
        };
        for (spring, target) in self.bearing.iter_mut().zip([yaw, pitch, roll]) {
            spring.follow(target, 5.5);
        }
        // In talk the head moves more.
        let life = if now.attention == Attention::Speaking { 1.35 } else { 1.0 };
        for ((drifted, drift), degrees) in self.drifted.iter_mut().zip(&self.drifts).zip(DRIFT) {
            let wanted = life * degrees * drift.at(now.seconds);
            *drifted += (wanted - *drifted) * (STEP / 0.25);
        }
        let after = self.angles();
        self.speed = std::array::from_fn(|i| (after[i] - before[i]) / STEP);
    }

    fn gestures(&mut self, now: &Now) {
        self.rest -= STEP;
        if now.just_changed() {
            self.next_nod = self.dice.between(1.5, 3.5);
            if now.attention == Attention::Thinking && self.dice.chance(0.7) {
                // Understood.
                self.nod = Some(Nod { age: 0.0, seconds: 0.34, degrees: self.dice.between(2.5, 4.0), again: 0 });
            }
        }
        if now.attention == Attention::Listening {
            self.next_nod -= STEP;
            if self.next_nod <= 0.0 && self.nod.is_none() {
                let again = u8::from(self.dice.chance(0.45));
                self.nod = Some(Nod { age: 0.0, seconds: 0.36, degrees: self.dice.between(2.4, 3.8), again });
                self.next_nod = self.dice.between(2.5, 6.0);
            }
        }
        self.nod = self.nod.and_then(|mut nod| {
            nod.age += STEP;
            if nod.age < nod.seconds {
                return Some(nod);
            }
            (nod.again > 0).then(|| Nod {
                age: 0.0,
                seconds: nod.seconds,
                degrees: nod.degrees * 0.7,
                again: nod.again - 1,
            })
        });
        if now.attention != Attention::Speaking {
            self.beat.follow(0.0, 12.0);
            self.accent.follow(0.0, 8.0);
            return;
        }
        if now.stress > 0.45 && self.rest <= 0.0 {
            self.rest = self.dice.between(0.45, 1.1);
            self.beat.speed -= self.dice.between(22.0, 46.0);
            if self.dice.chance(0.35) {
                self.accent.speed += self.dice.between(7.0, 13.0);
            }
            if self.dice.chance(0.5) {
                self.lean = self.dice.between(-2.2, 2.2);
            }
        }
        self.beat.follow(0.0, 12.0);
        self.accent.follow(0.0, 6.0);
    }

    /// Yaw, pitch, roll in degrees, within the limits of [`crate::face::Pose`].
    pub fn angles(&self) -> [f32; 3] {
        let nod = self.nod.map_or(0.0, |n| {
            let x = n.age / n.seconds;
            -n.degrees * (std::f32::consts::PI * x).sin().powi(2)
        });
        let gesture = [0.0, nod + self.beat.value.max(-4.0), 0.0];
        let limits = [15.0, 9.0, 8.0];
        std::array::from_fn(|i| (self.bearing[i].value + self.drifted[i] + gesture[i]).clamp(-limits[i], limits[i]))
    }

    /// Shift of the head in pixels of a picture 512 high.
    pub fn offset(&self) -> [f32; 2] {
        let [yaw, pitch, roll] = self.angles();
        // A head turns about the neck, below and behind the face.
        [0.35 * yaw + 0.9 * roll, -0.25 * pitch]
    }

    /// Extra height of the brows on the strongest words, 0 to about 1.
    pub fn accent(&self) -> f32 {
        self.accent.value.clamp(0.0, 1.0)
    }

    /// Degrees a second.
    pub fn yaw_speed(&self) -> f32 {
        self.speed[0]
    }

    /// Degrees a second.
    pub fn roll_speed(&self) -> f32 {
        self.speed[2]
    }
}
