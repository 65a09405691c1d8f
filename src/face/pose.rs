//! What a face does at one instant, in terms that any drawn or photographed face can follow.
//!
//! Only numbers: [`crate::face::Life`] and [`crate::face::Lips`] make them, a [`crate::face::Face`] draws them.
//! Directions are those of the picture: right and down are positive for pixels, right and up for angles.

use crate::media::MediaTime;

/// Where head, eyes and mouth are. The default is at rest, looking into the lens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pose {
    /// On the clock of whoever sees it.
    pub at: MediaTime,
    /// Pictures since the face began to live: where in a loop of footage it is.
    pub frame: u64,
    /// Turn of the head to the picture's right, in degrees, within ±15.
    pub yaw: f32,
    /// Turn of the head upwards, in degrees, within ±10.
    pub pitch: f32,
    /// Tilt of the head clockwise as seen in the picture, in degrees, within ±8.
    pub roll: f32,
    /// Shift of the head to the right and down, in pixels of a picture 512 high, within ±20.
    pub offset: [f32; 2],
    /// How far loose hair lags behind the head, to the right, in pixels of a picture 512 high, within ±12.
    pub sway: f32,
    /// Lungs from empty (0) to full (1).
    pub breath: f32,
    /// How far the lids of the picture's left and right eye are shut: 0 at rest, 1 shut, below 0 wide open.
    pub lids: [f32; 2],
    /// Turn of the eyes within the head, to the right and up, in degrees, within ±25.
    pub gaze: [f32; 2],
    /// Left and right brow (in the picture), -1 lowered to 1 raised.
    pub brows: [f32; 2],
    /// Brows drawn together, 0 to 1.
    pub frown: f32,
    /// Smile, -1 (sad) to 1 (broad); a calm friendly face has about 0.3.
    pub smile: f32,
    pub mouth: Mouth,
}

impl Pose {
    /// The same with every value within the limits given above, and 0 for what is not a number: what a face may
    /// safely draw.
    #[must_use]
    pub fn limited(&self) -> Self {
        let within = |v: f32, limit: f32| if v.is_nan() { 0.0 } else { v.clamp(-limit, limit) };
        let unit = |v: f32| within(v, 1.0).max(0.0);
        Self {
            at: self.at,
            frame: self.frame,
            yaw: within(self.yaw, 15.0),
            pitch: within(self.pitch, 10.0),
            roll: within(self.roll, 8.0),
            offset: self.offset.map(|v| within(v, 20.0)),
            sway: within(self.sway, 12.0),
            breath: unit(self.breath),
            lids: self.lids.map(|v| within(v, 1.0).max(-0.3)),
            gaze: self.gaze.map(|v| within(v, 25.0)),
            brows: self.brows.map(|v| within(v, 1.0)),
            frown: unit(self.frown),
            smile: within(self.smile, 1.0),
            mouth: Mouth::from_channels(self.mouth.channels().map(unit)),
        }
    }

    /// Each value moved from `self` (at 0) to `other` (at 1), at the instant of `self`.
    #[must_use]
    pub fn towards(&self, other: &Self, amount: f32) -> Self {
        let mid = |a: f32, b: f32| a + (b - a) * amount;
        let two = |a: [f32; 2], b: [f32; 2]| [mid(a[0], b[0]), mid(a[1], b[1])];
        Self {
            at: self.at,
            frame: self.frame,
            yaw: mid(self.yaw, other.yaw),
            pitch: mid(self.pitch, other.pitch),
            roll: mid(self.roll, other.roll),
            offset: two(self.offset, other.offset),
            sway: mid(self.sway, other.sway),
            breath: mid(self.breath, other.breath),
            lids: two(self.lids, other.lids),
            gaze: two(self.gaze, other.gaze),
            brows: two(self.brows, other.brows),
            frown: mid(self.frown, other.frown),
            smile: mid(self.smile, other.smile),
            mouth: self.mouth.towards(&other.mouth, amount),
        }
    }
}

/// A change of the mouth below this is not seen: a gap between the lips of this size is a pixel or so in a picture
/// 512 high.
const LEAST_SEEN: f32 = 0.05;

/// The shape of the mouth as speech makes it; the smile is put on top by [`Pose::smile`]. Each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mouth {
    /// How far the lower jaw and with it the chin is dropped.
    pub jaw: f32,
    /// Gap between the lips.
    pub open: f32,
    /// Mouth corners: 0 drawn together, 0.5 at rest, 1 spread.
    pub width: f32,
    /// Lips rounded and pushed forward.
    pub round: f32,
    /// Lips pressed together and rolled in, as for m.
    pub press: f32,
    /// Lower lip drawn under the upper teeth, as for f.
    pub tuck: f32,
    /// How much of the upper teeth shows in the gap.
    pub teeth: f32,
    /// Tip of the tongue raised to the teeth.
    pub tongue: f32,
    /// How strongly this instant is stressed; moves head and brows, not the mouth.
    pub stress: f32,
}

impl Mouth {
    /// Lips together, soft.
    pub const REST: Self = Self {
        jaw: 0.0,
        open: 0.0,
        width: 0.5,
        round: 0.0,
        press: 0.0,
        tuck: 0.0,
        teeth: 0.0,
        tongue: 0.0,
        stress: 0.0,
    };

    /// True if no gap shows between the lips.
    pub fn is_closed(&self) -> bool {
        self.open < 0.03
    }

    /// True if nothing of it is seen to differ from [`Mouth::REST`]. Teeth and tongue show through a gap only.
    pub fn is_at_rest(&self) -> bool {
        let visible = |mouth: &Self| [mouth.jaw, mouth.open, mouth.width, mouth.round, mouth.press, mouth.tuck];
        visible(self).iter().zip(visible(&Self::REST)).all(|(now, rest)| (now - rest).abs() < LEAST_SEEN)
    }

    /// Each value moved from `self` (at 0) to `other` (at 1).
    #[must_use]
    pub fn towards(&self, other: &Self, amount: f32) -> Self {
        let (a, b) = (self.channels(), other.channels());
        Self::from_channels(std::array::from_fn(|i| a[i] + (b[i] - a[i]) * amount))
    }

    /// The values in the order of the fields.
    pub(super) fn channels(&self) -> [f32; 9] {
        [self.jaw, self.open, self.width, self.round, self.press, self.tuck, self.teeth, self.tongue, self.stress]
    }

    /// The inverse of [`Mouth::channels`], with each value brought into 0 to 1.
    pub(super) fn from_channels(values: [f32; 9]) -> Self {
        let [jaw, open, width, round, press, tuck, teeth, tongue, stress] = values.map(|v| v.clamp(0.0, 1.0));
        Self { jaw, open, width, round, press, tuck, teeth, tongue, stress }
    }
}

impl Default for Mouth {
    fn default() -> Self {
        Self::REST
    }
}
