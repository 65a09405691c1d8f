//! What is seen between the lips: a dark cavity, the tongue, two rows of teeth, lit as the photo is.
//!
//! It is painted behind the lips, which cover what they must; so nothing here has to end at their edges.

use super::anatomy::{Anatomy, Point};
use super::curve::smooth;
use super::expression::{JAW_DROP, MOTIONS, Shares, Side, moved, shares};
use super::light::{Colour, Light};
use super::warp::Layer;
use crate::face::Mouth;

/// Points of a lip's edge that are followed.
const EDGE: usize = 25;
/// Columns of the mouth, one pixel each; lips wider than this are not painted to their ends.
const COLUMNS: usize = 256;
/// Where teeth meet, from the middle, in widths of the mouth: seen from the front the rows bend away.
const TEETH: [f32; 6] = [0.0, 0.150, 0.265, 0.355, 0.42, 0.46];
/// Half the width of the upper row, and the height of a front tooth, in widths of the mouth.
const ROW: f32 = 0.46;
const TALL: f32 = 0.19;

/// The inside of one mouth.
#[derive(Clone, Debug)]
pub struct Inside {
    light: Light,
    /// The lips' edges at rest with how they move, upper and lower.
    edges: [Vec<(Point, Shares)>; 2],
    /// Upper and lower edge of the gap at each column, in face coordinates.
    gap: Vec<[f32; 2]>,
}

impl Inside {
    pub fn of(anatomy: &Anatomy, light: Light) -> Self {
        let lips = &anatomy.lips;
        let edge = |side: Side| {
            let point = |i: usize| {
                let s = i as f32 / (EDGE - 1) as f32 * 2.0 - 1.0;
                let y = if side == Side::Upper { lips.inner_upper.at(s) } else { lips.inner_lower.at(s) };
                let at = anatomy.axes.picture([lips.x(s), y]);
                (at, shares(anatomy, at, side))
            };
            (0..EDGE).map(point).collect()
        };
        Self { light, edges: [edge(Side::Upper), edge(Side::Lower)], gap: vec![[0.0; 2]; COLUMNS] }
    }

    /// Paints the gap that these motions open into `canvas`, whose first pixel is that of the picture at `corner`.
    pub fn draw(
        &mut self,
        anatomy: &Anatomy,
        mouth: &Mouth,
        strengths: &[f32; MOTIONS],
        canvas: &mut Layer,
        corner: Point,
    ) {
        let [left, top, right, bottom] = self.find_gap(anatomy, strengths);
        let shape = Shape::new(anatomy, mouth, &self.gap, [left, right]);
        let (width, height) = (canvas.width, canvas.height);
        for row in 0..height {
            for column in 0..width {
                let at = [corner[0] + column as f32 + 0.5, corner[1] + row as f32 + 0.5];
                let [x, y] = anatomy.axes.face(at);
                if x < left - 2.0 || x > right + 2.0 || y < top - 3.0 || y > bottom + 3.0 {
                    continue;
                }
                let k = ((x + (COLUMNS / 2) as f32).max(0.0) as usize).min(COLUMNS - 1);
                let colour = shape.colour(&self.light, [x, y], self.gap[k]);
                let i = (row * width + column) * 4;
                for (byte, v) in canvas.data[i..i + 3].iter_mut().zip(colour) {
                    *byte = v.clamp(0.0, 255.0) as u8;
                }
                canvas.data[i + 3] = 255;
            }
        }
    }

    /// Fills in the edges of the gap; gives its bounds.
    fn find_gap(&mut self, anatomy: &Anatomy, strengths: &[f32; MOTIONS]) -> [f32; 4] {
        let mut bounds = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
        for (k, edge) in self.edges.iter().enumerate() {
            let at = |i: usize| {
                let (rest, shares): &(Point, Shares) = &edge[i];
                anatomy.axes.face(moved(*rest, shares, strengths))
            };
            let mut from = at(0);
            for i in 1..EDGE {
                let to = at(i);
                let column = |x: f32| (x + (COLUMNS / 2) as f32).clamp(0.0, (COLUMNS - 1) as f32);
                let first = if i == 1 { 0 } else { column(from[0]) as usize };
                let last = if i == EDGE - 1 { COLUMNS - 1 } else { column(to[0]) as usize };
                for c in first..=last.max(first) {
                    let x = c as f32 - (COLUMNS / 2) as f32 + 0.5;
                    let part = ((x - from[0]) / (to[0] - from[0]).max(1e-3)).clamp(0.0, 1.0);
                    self.gap[c][k] = from[1] + (to[1] - from[1]) * part;
                }
                for p in [from, to] {
                    bounds = [bounds[0].min(p[0]), bounds[1].min(p[1]), bounds[2].max(p[0]), bounds[3].max(p[1])];
                }
                from = to;
            }
        }
        bounds
    }
}

/// The parts of the inside in one pose, in face coordinates.
struct Shape {
    middle: f32,
    width: f32,
    /// Lower edge of the upper teeth and upper edge of the lower ones, in the middle.
    upper: f32,
    lower: f32,
    /// Top of the tongue in the middle, and how far its tip comes forward.
    tongue: f32,
    tip: f32,
    tuck: f32,
    floor: f32,
    /// Ends of the gap.
    corners: [f32; 2],
}

impl Shape {
    fn new(anatomy: &Anatomy, mouth: &Mouth, gap: &[[f32; 2]], corners: [f32; 2]) -> Self {
        let lips = &anatomy.lips;
        let width = anatomy.mouth;
        let middle = lips.middle;
        let [up, low] = gap[((middle + (COLUMNS / 2) as f32).max(0.0) as usize).min(COLUMNS - 1)];
        let tall = (low - up).max(0.0);
        let rest = (lips.inner_upper.at(0.0) + lips.inner_lower.at(0.0)) / 2.0;
        let shown = (0.015 + 0.135 * mouth.teeth) * width;
        let upper = up + shown.min(0.62 * tall + 0.5 + 0.6 * tall * mouth.tuck) + 2.0 * mouth.tuck;
        let lower = (rest + (mouth.jaw * JAW_DROP + 0.03) * width).max(upper + 0.03 * width).max(up + 0.5 * tall);
        let raised = (0.12 + 0.21 * mouth.tongue) * width + 0.17 * tall;
        let tongue = (low - raised).max(upper - 0.05 * width * mouth.tongue);
        Self { middle, width, upper, lower, tongue, tip: mouth.tongue, tuck: mouth.tuck, floor: low, corners }
    }

    fn colour(&self, light: &Light, [x, y]: Point, [up, low]: [f32; 2]) -> Colour {
        let w = self.width;
        let u = (x - self.middle) / w;
        let tall = (low - up).max(0.5);
        // Deeper towards the middle of a wide gap; flesh near the lips.
        let near = 1.0 - smooth((low - y) / (0.20 * w)) * smooth((y - up) / (0.05 * w));
        let mut colour =
            mix(light.deep, light.flesh, 0.25 + 0.6 * near * (1.0 - smooth((up + 0.12 * w - y) / (0.1 * w))));
        colour = self.with_tongue(light, colour, u, y);
        colour = self.with_lower_teeth(light, colour, u, y);
        if self.tip < 0.9 {
            colour = self.with_upper_teeth(light, colour, u, y);
        } else {
            // For th the tip lies before the edge of the teeth.
            let teeth = self.with_upper_teeth(light, colour, u, y);
            colour = self.with_tip(light, teeth, u, y);
        }
        // The upper lip throws a shade, and so do the corners.
        let under = 0.64 + 0.36 * smooth((y - up + 1.0) / (0.075 * w).min(0.5 * tall + 1.5));
        let to_corner = (x - self.corners[0]).min(self.corners[1] - x) / w;
        let aside = 0.85 * (1.0 - smooth(to_corner / 0.20)).max(0.7 * smooth((u.abs() - 0.22) / 0.30));
        mix(colour, light.flesh.map(|v| v * 0.55), aside).map(|v| v * under)
    }

    fn with_tongue(&self, light: &Light, under: Colour, u: f32, y: f32) -> Colour {
        let half = 0.34 - 0.06 * self.tip;
        let top = self.tongue + 0.55 * self.width * (u / half).powi(2) * 0.22;
        let cover = smooth((y - top) / (0.07 * self.width) + 0.4) * (1.0 - smooth((u.abs() - half) / 0.10));
        let round = smooth((y - top) / (0.16 * self.width));
        let groove = 1.0 - 0.16 * (-(u / 0.030).powi(2)).exp() * smooth((y - top) / (0.06 * self.width));
        let lit = (0.46 + 0.36 * round + 0.14 * self.tip) * groove;
        mix(under, light.tongue.map(|v| v * lit), cover)
    }

    fn with_tip(&self, light: &Light, under: Colour, u: f32, y: f32) -> Colour {
        let strength = smooth((self.tip - 0.9) / 0.1);
        let half = 0.25;
        let top = self.upper - 0.025 * self.width + 0.07 * self.width * (u / half).powi(2);
        let cover = smooth((y - top) / 2.0 + 0.5) * (1.0 - smooth((u.abs() - half) / 0.06)) * strength;
        let lit = 0.92 - 0.25 * smooth((y - top) / (0.14 * self.width));
        mix(under, light.tongue.map(|v| v * lit), cover)
    }

    fn with_lower_teeth(&self, light: &Light, under: Colour, u: f32, y: f32) -> Colour {
        let row = 0.33;
        if self.floor - self.lower < 1.0 || u.abs() > row + 0.03 {
            return under;
        }
        let (gap, _) = tooth(u.abs() * 1.45 + 0.075, self.width / 1.45);
        let edge = self.lower - 0.03 * self.width * (u / row).powi(2) + 0.010 * self.width * gap;
        let cover = smooth((y - edge) / 1.6 + 0.5) * (1.0 - smooth((u.abs() - row + 0.05) / 0.06));
        let lit = (0.66 - 0.16 * gap) * (1.0 - 0.35 * smooth((y - edge) / (0.16 * self.width)));
        mix(under, light.teeth.map(|v| v * lit), cover * 0.95)
    }

    fn with_upper_teeth(&self, light: &Light, under: Colour, u: f32, y: f32) -> Colour {
        if u.abs() > ROW {
            return under;
        }
        let (gap, number) = tooth(u.abs(), self.width);
        let shorter = [0.0, 0.010, 0.003, 0.010, 0.016][number.min(4)];
        let edge = self.upper
            - self.width * (0.26 * u * u * (1.0 - self.tuck) + shorter * (1.0 - self.tuck) + 0.007 * gap.powi(2));
        let cover = 1.0 - smooth((y - edge) / 1.5 + 0.5);
        let up = ((edge - y) / (TALL * self.width)).clamp(0.0, 1.6);
        // Enamel is a little clearer at the edge, yellower at the root; gums above.
        let root = mix(light.teeth, [light.teeth[0] * 0.95, light.teeth[1] * 0.90, light.teeth[2] * 0.80], smooth(up));
        let enamel =
            root.map(|v| v * (0.97 - 0.10 * (1.0 - smooth(up * 5.0))) * (1.0 - 0.17 * gap * smooth(up * 3.0 + 0.25)));
        let gums = smooth((up - 1.0 + 0.25 * gap) / 0.12);
        let colour = mix(enamel, light.tongue.map(|v| v * 0.85), gums);
        mix(under, colour, cover * (1.0 - smooth((u.abs() - ROW + 0.05) / 0.05)))
    }
}

/// How near the next gap between teeth is (1 in it), and the number of the tooth from the middle.
fn tooth(u: f32, width: f32) -> (f32, usize) {
    let number = TEETH.iter().rposition(|edge| u >= *edge).unwrap_or(0);
    let next = TEETH.get(number + 1).copied().unwrap_or(ROW + 0.1);
    let near = (u - TEETH[number]).min(next - u) * width;
    let reach = (0.022 * width).max(1.1);
    ((1.0 - near / reach).max(0.0), number)
}

fn mix(a: Colour, b: Colour, part: f32) -> Colour {
    std::array::from_fn(|k| a[k] + (b[k] - a[k]) * part)
}
