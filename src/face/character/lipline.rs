//! One edge of a lip: a curve from corner to corner, mirrored about its middle.

use super::shape::nowhere;
use tiny_skia::{Path, PathBuilder};

#[derive(Clone, Copy, Debug)]
pub struct LipLine {
    pub centre: f32,
    /// Half of the distance of its corners.
    pub half: f32,
    /// Y of the corners and of the middle.
    pub corner: f32,
    pub middle: f32,
    /// Pixels by which the middle dips between two peaks, as in Cupid's bow; 0 for none.
    pub bow: f32,
    /// 0 a shallow arc with pointed corners, 1 half an ellipse.
    pub round: f32,
}

impl LipLine {
    /// Control points of the half on `side` (-1 left, 1 right), from corner to middle, after the corner itself.
    fn half_curve(&self, side: f32) -> [[f32; 2]; 3] {
        let x = |part: f32| self.centre + side * part * self.half;
        let rise = self.middle - self.corner;
        let lean = |flat: f32, full: f32| flat + (full - flat) * self.round;
        if self.bow > 0.0 {
            // Out to the peak; the bow itself is drawn by the caller.
            let peak = self.middle - self.bow;
            return [
                [x(lean(0.70, 0.94)), self.corner + lean(0.42, 0.62) * rise],
                [x(lean(0.46, 0.50)), peak],
                [x(0.24), peak],
            ];
        }
        [
            [x(lean(0.72, 1.0)), self.corner + lean(0.62, 0.60) * rise],
            [x(lean(0.40, 0.56)), self.middle],
            [self.centre, self.middle],
        ]
    }

    /// Draws it from left to right, or back; the path is at its first corner.
    fn trace(&self, b: &mut PathBuilder, side: f32) {
        let [c1, c2, end] = self.half_curve(side);
        b.cubic_to(c1[0], c1[1], c2[0], c2[1], end[0], end[1]);
        if self.bow > 0.0 {
            let (near, far) = (self.centre + side * 0.10 * self.half, self.centre - side * 0.10 * self.half);
            let peak = self.middle - self.bow;
            let other = self.centre - side * 0.24 * self.half;
            b.cubic_to(self.centre + side * 0.15 * self.half, peak, near, self.middle, self.centre, self.middle);
            b.cubic_to(far, self.middle, self.centre - side * 0.15 * self.half, peak, other, peak);
        }
        let [c1, c2, _] = self.half_curve(-side);
        b.cubic_to(c2[0], c2[1], c1[0], c1[1], self.centre - side * self.half, self.corner);
    }

    /// The area between this line and `other`.
    pub fn area_to(&self, other: &Self) -> Path {
        let mut b = PathBuilder::new();
        b.move_to(self.centre - self.half, self.corner);
        self.trace(&mut b, -1.0);
        b.line_to(other.centre + other.half, other.corner);
        other.trace(&mut b, 1.0);
        b.close();
        b.finish().unwrap_or_else(nowhere)
    }

    /// A tapered line midway between this line and `other`, `width` pixels in its middle.
    pub fn stroke(&self, other: &Self, width: f32) -> Path {
        let middle = 0.5 * (self.middle + other.middle);
        let upper = Self { middle: middle - width, ..*self };
        let lower = Self { middle: middle + width, corner: self.corner + 0.8, ..*self };
        upper.area_to(&lower)
    }
}
