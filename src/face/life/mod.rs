//! What a face does of its own accord: breath, blinks, gaze, head and brows, by what the avatar attends to.
//!
//! A simulation on a grid of 5 ms, so the same motion comes out whatever the steps in which it is asked for.
//! Figures after studies of blinking, gaze and nodding in talk. The mouth's shape comes in from
//! [`crate::face::Lips`] and is passed on; only its stress is felt here, as beats of head and brows.

mod blink;
mod breath;
mod gaze;
mod head;
mod spring;

use crate::face::noise::{Dice, Drift};
use crate::face::{Mouth, Pose};
use crate::media::{Attention, MEDIA_HZ, MediaTime, VIDEO_FRAME_TICKS};

use blink::Blinks;
use breath::Breath;
use gaze::Gaze;
use head::Head;
use spring::Spring;

/// Seconds of one step of the simulation.
const STEP: f32 = 0.005;
const STEP_TICKS: u64 = MEDIA_HZ as u64 / 200;
const FRAME_STEPS: u64 = VIDEO_FRAME_TICKS / STEP_TICKS;
/// After a longer gap the motion goes on from where it stood.
const LONGEST_GAP_STEPS: u64 = 400;

/// What the parts are told about an instant.
#[derive(Clone, Copy)]
struct Now {
    /// Seconds since the start of the call.
    seconds: f64,
    attention: Attention,
    /// The attention before this one.
    before: Attention,
    /// Seconds since the attention changed; large at the start.
    since: f32,
    /// [`Mouth::stress`].
    stress: f32,
}

impl Now {
    /// True in the first step of an attention.
    fn just_changed(&self) -> bool {
        self.since <= STEP && self.before != self.attention
    }

    /// The user began to talk while the avatar spoke.
    fn interrupted(&self) -> bool {
        (self.before, self.attention) == (Attention::Speaking, Attention::Listening)
    }
}

/// The life of one face in one call.
#[derive(Clone, Debug)]
pub struct Life {
    step: u64,
    /// Steps by which its own time is ahead of the media time that it is asked for.
    shift: i64,
    attention: Attention,
    before: Attention,
    since: f32,
    blinks: Blinks,
    breath: Breath,
    gaze: Gaze,
    head: Head,
    brows: [Spring; 2],
    frown: Spring,
    smile: Spring,
    sway: Spring,
    drifts: [Drift; 4],
}

impl Life {
    /// Calls with the same seed, times and attention see the same motion.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        Self {
            step: 0,
            shift: 0,
            attention: Attention::Idle,
            before: Attention::Idle,
            since: 1e3,
            blinks: Blinks::new(&mut dice),
            breath: Breath::new(&mut dice),
            gaze: Gaze::new(&mut dice),
            head: Head::new(&mut dice),
            brows: [Spring::at(0.0); 2],
            frown: Spring::at(0.0),
            smile: Spring::at(0.3),
            sway: Spring::at(0.0),
            drifts: [0.13, 0.17, 0.11, 0.23].map(|hz| Drift::new(&mut dice, hz)),
        }
    }

    /// The same life from here on, as that of a call in which it is `t` now; what it decides from now on, `seed`
    /// decides. Its breath and drift stay those of the life that it comes from.
    #[must_use]
    pub fn branch(&self, t: MediaTime, seed: u64) -> Self {
        let mut branch = Self { shift: self.step as i64 - (t.0 / STEP_TICKS) as i64, ..self.clone() };
        let mut dice = Dice::new(seed);
        branch.blinks.dice.mix(dice.word());
        branch.gaze.dice.mix(dice.word());
        branch.head.dice.mix(dice.word());
        branch
    }

    /// The pose at `t`, which must not go back; `mouth` is the mouth at `t`.
    pub fn pose_at(&mut self, t: MediaTime, attention: Attention, mouth: Mouth) -> Pose {
        let due = (t.0 / STEP_TICKS).saturating_add_signed(self.shift);
        if due.saturating_sub(self.step) > LONGEST_GAP_STEPS {
            self.step = due - LONGEST_GAP_STEPS;
        }
        if attention != self.attention {
            (self.before, self.attention, self.since) = (self.attention, attention, 0.0);
        }
        while self.step < due {
            self.step += 1;
            self.since = (self.since + STEP).min(1e3);
            self.advance(mouth.stress);
        }
        Pose { at: t, ..self.pose(mouth) }
    }

    /// Pictures since it began, those of the life that it was branched off included.
    pub fn frame(&self) -> u64 {
        self.step / FRAME_STEPS
    }

    fn now(&self, stress: f32) -> Now {
        let seconds = self.step as f64 * f64::from(STEP);
        Now { seconds, attention: self.attention, before: self.before, since: self.since, stress }
    }

    fn advance(&mut self, stress: f32) {
        let now = self.now(stress);
        self.breath.advance(&now);
        if let Some(degrees) = self.gaze.advance(&now) {
            self.blinks.gaze_moved(degrees);
        }
        self.blinks.advance(&now);
        self.head.advance(&now, self.gaze.target());
        let (brow, frown, smile) = expression(&now);
        let [beat, skew, warmth, _] = self.drifts.each_ref().map(|d| d.at(now.seconds));
        self.brows[0].follow(brow + 0.10 * beat + 0.07 * skew + 0.35 * self.head.accent(), 9.0);
        self.brows[1].follow(brow + 0.10 * beat - 0.07 * skew + 0.35 * self.head.accent(), 9.0);
        self.frown.follow(frown, 6.0);
        self.smile.follow(smile + 0.07 * warmth, 5.0);
        // Hair hangs from a head that turns: it is thrown back by speed and swings into place.
        self.sway.pull(-0.16 * self.head.yaw_speed() - 0.10 * self.head.roll_speed(), 7.5, 0.32);
    }

    /// The pose that it was brought to last.
    pub fn pose(&self, mouth: Mouth) -> Pose {
        let [yaw, pitch, roll] = self.head.angles();
        let breath = self.breath.level();
        // The eyes hold their aim while the head moves below them.
        let [x, y] = self.gaze.direction();
        let gaze = [(x - yaw).clamp(-25.0, 25.0), (y - pitch).clamp(-25.0, 25.0)];
        let ease = 0.03 * self.drifts[3].at(self.step as f64 * f64::from(STEP));
        let squint = 0.10 * self.smile.value.max(0.0) - 0.10 * self.brows[0].value.max(0.0);
        // Lids follow the eye up and down.
        let lid = (ease + squint - 0.012 * gaze[1]).clamp(-0.25, 0.4);
        let lids = self.blinks.shut().map(|shut| lid + (1.0 - lid) * shut);
        let [dx, dy] = self.head.offset();
        Pose {
            at: MediaTime(self.step.saturating_add_signed(-self.shift) * STEP_TICKS),
            frame: self.frame(),
            yaw,
            pitch: pitch + 0.35 * (breath - 0.5),
            roll,
            offset: [dx, dy - 0.8 * breath],
            sway: self.sway.value.clamp(-8.0, 8.0),
            breath,
            lids,
            gaze,
            brows: self.brows.map(|b| b.value.clamp(-1.0, 1.0)),
            frown: self.frown.value.clamp(0.0, 1.0),
            smile: self.smile.value.clamp(-1.0, 1.0),
            mouth,
        }
    }
}

/// Brow height, frown and smile that go with what the face attends to.
fn expression(now: &Now) -> (f32, f32, f32) {
    match now.attention {
        Attention::Idle => (0.0, 0.0, 0.32),
        Attention::Listening if now.interrupted() && now.since < 0.9 => (0.55, 0.0, 0.22),
        Attention::Listening => (0.14, 0.0, 0.30),
        Attention::Thinking => (0.10, 0.35, 0.16),
        // A warm start, then the words take over.
        Attention::Speaking if now.since < 1.0 => (0.18, 0.0, 0.46),
        Attention::Speaking => (0.06, 0.0, 0.27),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
