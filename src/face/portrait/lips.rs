//! The lips of the photo as curves from corner to corner, fitted to its pixels.

use super::anatomy::{Axes, Point};
use super::crop::{Likeness, SIDE};
use super::light::{luma, pixel};
use super::seam;

/// Points of the inner edge of the upper and of the lower lip, from the picture's left corner to its right one.
const INNER_UPPER: [usize; 11] = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308];
const INNER_LOWER: [usize; 11] = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308];
const OUTER_UPPER: [usize; 11] = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291];
const OUTER_LOWER: [usize; 11] = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291];
/// Samples of a curve between the corners of the mouth.
const SAMPLES: usize = 41;
/// Lips further apart than this share of the mouth's width are parted in the photo if teeth or dark show.
const PARTED: f32 = 0.035;
/// How far into parted lips the cut is made, as a share of the mouth's half width.
const INSET: f32 = 0.03;
/// At this share they are, whatever is seen between them.
const SURELY_PARTED: f32 = 0.11;

/// A line from corner to corner of the mouth: heights at places from -1 (picture's left) to 1.
#[derive(Clone, Debug)]
pub struct Curve([f32; SAMPLES]);

impl Curve {
    /// Through points from left to right, rounded a little.
    pub(super) fn through(points: &[Point], left: f32, right: f32) -> Self {
        let mut heights: [f32; SAMPLES] = std::array::from_fn(|i| {
            let x = left + (right - left) * i as f32 / (SAMPLES - 1) as f32;
            let next = points.iter().position(|p| p[0] > x).unwrap_or(points.len() - 1).max(1);
            let (a, b) = (points[next - 1], points[next]);
            let part = ((x - a[0]) / (b[0] - a[0]).max(1e-3)).clamp(0.0, 1.0);
            a[1] + (b[1] - a[1]) * part
        });
        for _ in 0..3 {
            let before = heights;
            for i in 1..SAMPLES - 1 {
                heights[i] = (before[i - 1] + 2.0 * before[i] + before[i + 1]) / 4.0;
            }
        }
        Self(heights)
    }

    /// At `s`; beyond the corners, as at the corners.
    pub fn at(&self, s: f32) -> f32 {
        let at = (s.clamp(-1.0, 1.0) + 1.0) / 2.0 * (SAMPLES - 1) as f32;
        let i = (at as usize).min(SAMPLES - 2);
        self.0[i] + (self.0[i + 1] - self.0[i]) * (at - i as f32)
    }

    fn shift(&mut self, by: f32) {
        self.0.iter_mut().for_each(|y| *y += by);
    }

    pub(super) fn heights(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

/// The lips of the photo, in face coordinates.
#[derive(Clone, Debug)]
pub struct LipLines {
    /// Middle between the corners.
    pub middle: f32,
    /// Half the distance of the corners.
    pub half: f32,
    pub inner_upper: Curve,
    pub inner_lower: Curve,
    pub outer_upper: Curve,
    pub outer_lower: Curve,
    /// The photo shows a gap between the lips.
    pub parted: bool,
}

impl LipLines {
    /// The mesh's lines, moved to where the photo has lips.
    pub fn of(likeness: &Likeness, axes: &Axes) -> Self {
        let mesh = &likeness.marks.mesh;
        let points = |indices: &[usize]| indices.iter().map(|i| axes.face(mesh.at(*i))).collect::<Vec<_>>();
        let (inner_upper, inner_lower) = (points(&INNER_UPPER), points(&INNER_LOWER));
        let (left, right) = (inner_upper[0][0], inner_upper[10][0]);
        let curve = |points: &[Point]| Curve::through(points, left, right);
        let (outer_upper, outer_lower) = (points(&OUTER_UPPER), points(&OUTER_LOWER));
        let mut lips = Self {
            middle: (left + right) / 2.0,
            half: (right - left) / 2.0,
            parted: false,
            inner_upper: curve(&inner_upper),
            inner_lower: curve(&inner_lower),
            outer_upper: curve(&outer_upper),
            outer_lower: curve(&outer_lower),
        };
        lips.settle(likeness, axes);
        if !lips.parted {
            seam::follow(&likeness.pixels, SIDE, axes, &mut lips);
        }
        lips
    }

    /// Shifts all lines to where the lips are reddest against the skin around them, and finds out whether they are
    /// parted: the mesh is off by some pixels either way.
    fn settle(&mut self, likeness: &Likeness, axes: &Axes) {
        let reach = (0.24 * self.half) as i32;
        let score =
            |shift: i32| self.redness(likeness, axes, shift as f32) - 6.0 * (shift as f32 / reach as f32).powi(2);
        let best = (-reach..=reach).max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap_or(0) as f32;
        for curve in [&mut self.inner_upper, &mut self.inner_lower, &mut self.outer_upper, &mut self.outer_lower] {
            curve.shift(best);
        }
        let gap = self.gap(0.0) / (2.0 * self.half);
        self.parted = gap > SURELY_PARTED || gap > PARTED && self.shows_inside(likeness, axes);
        if self.parted {
            // The mesh is not sharp: what is left of the teeth here would be a line on closed lips.
            let inset = INSET * self.half;
            self.inner_upper.shift(-inset);
            self.inner_lower.shift(inset);
        }
    }

    /// How much redder the lips are than the skin next to them, in levels, if they lie lower by `shift`.
    fn redness(&self, likeness: &Likeness, axes: &Axes, shift: f32) -> f32 {
        let red = |s: f32, y: f32| {
            let [r, g, b] = pixel(likeness, axes.picture([self.x(s), y + shift]));
            r - 0.7 * g - 0.3 * b
        };
        let (mut sum, mut n) = (0.0, 0.0);
        for i in -7..=7 {
            let s = i as f32 / 10.0;
            let (top, bottom) = (self.outer_upper.at(s), self.outer_lower.at(s));
            let (up, low) = (self.inner_upper.at(s), self.inner_lower.at(s));
            let out = 0.12 * self.half;
            let lips =
                red(s, (top + up) / 2.0) + red(s, low + 0.35 * (bottom - low)) + red(s, low + 0.75 * (bottom - low));
            sum += lips / 3.0 - (red(s, top - out) + red(s, bottom + out)) / 2.0;
            n += 1.0;
        }
        sum / n
    }

    /// True if what lies between the inner edges is not of the lips' colour: teeth, or the dark behind them.
    fn shows_inside(&self, likeness: &Likeness, axes: &Axes) -> bool {
        let mean = |place: &dyn Fn(f32) -> f32| {
            let sum = (-5..=5).fold([0.0; 3], |sum: [f32; 3], i| {
                let s = i as f32 / 10.0;
                let colour = pixel(likeness, axes.picture([self.x(s), place(s)]));
                std::array::from_fn(|k| sum[k] + colour[k] / 11.0)
            });
            let stain = 1.0 - sum[1].min(sum[2]) / sum[0].max(1.0);
            (luma(sum), stain)
        };
        let (inside, stain) = mean(&|s| (self.inner_upper.at(s) + self.inner_lower.at(s)) / 2.0);
        let (lip, lip_stain) =
            mean(&|s| self.inner_lower.at(s) + 0.5 * (self.outer_lower.at(s) - self.inner_lower.at(s)));
        inside < 0.5 * lip || inside > 0.9 * lip && stain < 0.75 * lip_stain
    }

    /// Place between the corners, -1 to 1 and beyond.
    pub fn place(&self, x: f32) -> f32 {
        (x - self.middle) / self.half
    }

    pub fn x(&self, s: f32) -> f32 {
        self.middle + s * self.half
    }

    /// Distance of the inner edges in the photo.
    pub fn gap(&self, s: f32) -> f32 {
        (self.inner_lower.at(s) - self.inner_upper.at(s)).max(0.0)
    }
}
