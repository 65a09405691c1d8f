//! The shape of the lips in a pose: where each column of the two drawn lips goes, and how thick it is there.
//!
//! Speech and smile give the distance of the corners, their height, and two inner rims; the rest follows the rims
//! that were drawn. Figures are for a mouth 58 picture pixels wide and grow with it.

use super::curve::{Curve, rims};
use super::manifest;
use super::texture::Texture;
use crate::face;

/// Half the width, in picture pixels, of the mouth for which the figures are.
pub const HALF: f32 = 29.0;

/// The lips as they were drawn, shut.
#[derive(Debug)]
pub struct Drawn {
    /// Rims of the lips: outer and inner of the upper, inner and outer of the lower.
    pub upper: [Curve; 2],
    pub lower: [Curve; 2],
    /// Middle between the corners, and half their distance.
    pub centre: f32,
    pub half: f32,
    /// Heights of the line where the lips meet: at the corners, and where it is lowest.
    corner: f32,
    lowest: f32,
    /// How far that line winds about an arch: little for human lips, more for a muzzle.
    wave: f32,
    limits: manifest::Mouth,
}

impl Drawn {
    /// Fails with the name of a lip that is too small or too faint to have rims.
    pub fn new(upper: &Texture, lower: &Texture, limits: manifest::Mouth) -> Result<Self, &'static str> {
        let (top, upper_inner, a) = rims(upper, 0.5).ok_or("upper-lip")?;
        let (lower_inner, bottom, b) = rims(lower, 0.5).ok_or("lower-lip")?;
        let (left, right) = (a[0].min(b[0]), a[1].max(b[1]));
        let steps = (0..=40_u8).map(|i| {
            let along = f32::from(i) / 20.0 - 1.0;
            (along, lower_inner.at((left + right) / 2.0 + along * (right - left) / 2.0))
        });
        let corner = (lower_inner.at(left) + lower_inner.at(right)) / 2.0;
        let lowest = steps.clone().map(|(_, y)| y).fold(f32::MIN, f32::max);
        let off = |(along, y): (f32, f32)| (corner + (lowest - corner) * (1.0 - along * along) - y).abs();
        Ok(Self {
            wave: steps.filter(|(along, _)| along.abs() < 0.7).map(off).fold(0.0, f32::max),
            lowest,
            corner,
            upper: [top, upper_inner],
            lower: [lower_inner, bottom],
            centre: (left + right) / 2.0,
            half: (right - left) / 2.0,
            limits,
        })
    }
}

/// The mouth in one column of the stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slice {
    pub x: f32,
    /// The column of the drawn lips that is seen here, and of what lies behind them.
    pub from_x: f32,
    /// -1 at the left corner, 1 at the right one.
    pub u: f32,
    /// Heights of the drawn inner rims, and where they are now.
    pub drawn: [f32; 2],
    pub now: [f32; 2],
    /// Factors on the thickness of the lips.
    pub by: [f32; 2],
    /// How far the line where the lips meet has moved.
    pub shift: f32,
}

/// The mouth of one pose, in texture pixels.
pub struct Shape {
    /// Texture pixels for one of the figures' pixels.
    pub q: f32,
    pub half: f32,
    pub gap: f32,
    /// How near the opening is to an ellipse, and the lips to a ring.
    pub round: f32,
    pub pursed: f32,
    /// Factors on the thickness of the lips.
    pub upper: f32,
    pub lower: f32,
    /// Thickness of the drawn lips at the middle.
    thick: [f32; 2],
    /// How far middle and corners of the line where the lips meet have moved.
    pub middle_shift: f32,
    corner_shift: f32,
    tuck: f32,
    /// Inner rims at the middle.
    pub heights: [f32; 2],
    /// Outer rims at the middle, drawn and now.
    pub outer: [[f32; 2]; 2],
}

impl Shape {
    pub fn new(lips: &Drawn, m: &face::Mouth, smile: f32) -> Self {
        let q = lips.half / HALF;
        let limits = &lips.limits;
        let spread = (2.0 * (m.width - 0.5)).max(0.0);
        let narrow = (2.0 * (0.5 - m.width)).max(0.0);
        // Rounded lips cannot smile much. What is drawn is a calm face, which has a smile of 0.3.
        let smile = (smile - 0.3) * (1.0 - 0.75 * m.round) * limits.smile;
        let smile = if smile < 0.0 { 0.75 * smile } else { smile };
        let glad = smile.max(0.0);
        let wide = limits.width * (0.17 * spread - 0.13 * narrow - 0.36 * m.round);
        let half = lips.half * (1.0 + wide) + 5.5 * q * glad;
        // Rounded lips open upwards as much as sideways.
        let gap = 23.0 * q * m.open * (1.0 + 0.4 * m.round * (1.0 - m.open)) * limits.open;
        let thin = 1.0 - 0.42 * m.press;
        // Pushed forward, the lower lip shows more of itself and the upper one less.
        let full = 1.0 - 0.10 * spread - 0.14 * glad;
        let (upper, lower) = (
            thin * (full - 0.14 * m.round) * (1.0 - 0.12 * m.open),
            thin * (full + 0.12 * m.round) * (1.0 - 0.45 * m.tuck) * (1.0 - 0.10 * m.open),
        );
        let middle_shift = q * (1.4 * glad - 1.0 * m.round);
        let corner_shift = -10.5 * q * smile + 0.26 * gap;
        let mut shape = Self {
            q,
            half,
            gap,
            round: (0.5 * m.open + 0.9 * m.round).min(1.0),
            pursed: m.round,
            upper,
            lower,
            thick: [
                lips.upper[1].at(lips.centre) - lips.upper[0].at(lips.centre),
                lips.lower[1].at(lips.centre) - lips.lower[0].at(lips.centre),
            ],
            middle_shift,
            corner_shift,
            tuck: 2.6 * q * m.tuck,
            heights: [0.0; 2],
            outer: [[0.0; 2]; 2],
        };
        let middle = shape.slice(lips, lips.centre);
        shape.heights = middle.now;
        let drawn = [lips.upper[0].at(lips.centre), lips.lower[1].at(lips.centre)];
        shape.outer = [
            [drawn[0], middle.now[0] - (middle.drawn[0] - drawn[0]) * upper],
            [drawn[1], middle.now[1] + (drawn[1] - middle.drawn[1]) * lower],
        ];
        shape
    }

    pub fn slice(&self, lips: &Drawn, x: f32) -> Slice {
        let u = (x - lips.centre) / self.half;
        let side = u.abs().min(1.0);
        // Round lips are as full at the sides as in the middle: the sides show what lies further in.
        let inward = if u.abs() < 1.0 { 1.0 - 0.22 * self.round * (1.0 - u * u) } else { 1.0 };
        let from_x = lips.centre + u * inward * lips.half;
        let drawn = [lips.upper[1].at(from_x), lips.lower[0].at(from_x)];
        let bend = side.powf(1.7);
        let shift = self.middle_shift + (self.corner_shift - self.middle_shift) * bend;
        // The opening ends before the corners of the lips do.
        let v = (side / (1.0 - 0.20 * self.round - 0.16 * self.pursed)).min(1.0);
        let opened = (1.0 - self.round) * (1.0 - v.powf(2.4)) + self.round * (1.0 - v * v).sqrt();
        // However the shut lips wind, the open lower one is one arch, and so are both when they are round.
        let arch = lips.corner + (lips.lowest - lips.corner) * (1.0 - side * side) + shift;
        let meet = (drawn[0] + drawn[1]) / 2.0 + shift;
        let meet = meet + (arch - meet) * 0.8 * self.round;
        // Shut lips keep the rims they were drawn with; the more they part, the more both follow one curve.
        let own = (1.0 - self.gap / (8.0 * self.q + 2.0 * lips.wave)).max(0.0);
        let rim = |i: usize| meet + (drawn[i] - (drawn[0] + drawn[1]) / 2.0) * own;
        let lower = arch + (rim(1) - arch) * own;
        let low = 0.70 - 0.16 * self.pursed;
        let now = [
            rim(0) - (1.0 - low) * self.gap * opened,
            lower + low * self.gap * opened - self.tuck * (1.0 - side * side),
        ];
        // Pursed lips are a ring: their outer rims follow an ellipse, whatever the rims were drawn like.
        let ring = (1.0 - side * side).sqrt();
        let pursed = lips.limits.ring * (0.92 * (1.3 * self.pursed).min(1.0) + 0.12 * self.round * (1.0 - self.pursed));
        let thick = |i: usize, outer: &Curve, factor: f32, share: f32, risen: f32| {
            let own = (outer.at(from_x) - drawn[i]).abs().max(1.0);
            let extent = (self.thick[i] * factor + share * self.gap) * ring - share * self.gap * opened;
            let whole = (own * factor - risen).max(1.0) * (1.0 - pursed) + extent.max(1.0) * pursed;
            (whole / own).clamp(0.1, 6.0)
        };
        let by = [
            thick(0, &lips.upper[0], self.upper, 1.0 - low, 0.0),
            thick(1, &lips.lower[1], self.lower, low, lower - rim(1)),
        ];
        Slice { x, from_x, u, drawn, now, by, shift }
    }
}
