//! The light of the photo, told by what is in it: what teeth and tongue would look like there.

use super::anatomy::{Anatomy, Point};
use super::crop::{Likeness, SIDE};

pub type Colour = [f32; 3];

/// Colours of what the photo does not show, levels from 0 to 255.
#[derive(Clone, Copy, Debug)]
pub struct Light {
    pub teeth: Colour,
    pub tongue: Colour,
    /// The mouth's inside, near the lips and deep.
    pub flesh: Colour,
    pub deep: Colour,
}

/// Teeth beside the white of an eye.
const ENAMEL: Colour = [1.0, 0.94, 0.875];
/// Flesh under white light.
const FLESH: Colour = [0.66, 0.32, 0.31];

impl Light {
    pub fn of(likeness: &Likeness, anatomy: &Anatomy) -> Self {
        let at = |p: Point| pixel(likeness, anatomy.axes.picture(p));
        let skin = |share: f32| {
            let mut all = Vec::new();
            for cheek in anatomy.cheeks {
                for i in 0..144 {
                    let step = |v: usize| (v as f32 / 11.0 - 0.5) * 0.5 * anatomy.mouth;
                    all.push(at([cheek[0] + step(i % 12), cheek[1] + step(i / 12)]));
                }
            }
            percentile(all, share)
        };
        let mut whites = Vec::new();
        for eye in &likeness.marks.eyes {
            for (upper, lower) in eye.upper.iter().zip(&eye.lower) {
                for part in [0.35, 0.5, 0.65] {
                    let p: Point = std::array::from_fn(|k| upper[k] + (lower[k] - upper[k]) * part);
                    if (p[0] - eye.iris[0]).hypot(p[1] - eye.iris[1]) > eye.radius * 1.15 {
                        whites.push(pixel(likeness, p));
                    }
                }
            }
        }
        let bright = skin(0.8);
        let mut white = percentile(whites, 0.75);
        let least = luma(bright);
        if luma(white) < least {
            let lift = least / luma(white).max(1.0);
            white = white.map(|v| v * lift);
        }
        let lips = &anatomy.lips;
        if lips.parted {
            let mut shown = Vec::new();
            for i in -8..=8 {
                let s = i as f32 / 14.0;
                let (top, bottom) = (lips.inner_upper.at(s), lips.inner_lower.at(s));
                shown.extend([0.4, 0.5, 0.6].map(|part| at([lips.x(s), top + (bottom - top) * part])));
            }
            let shown = percentile(shown, 0.8);
            // Dark between the lips is no teeth.
            if luma(shown) > 0.7 * luma(white) {
                white = shown;
            }
        }
        let mut lip = Vec::new();
        for i in -6..=6 {
            let s = i as f32 / 10.0;
            let (top, bottom) = (lips.inner_lower.at(s), lips.outer_lower.at(s));
            lip.push(at([lips.x(s), top + (bottom - top) * 0.5]));
        }
        let lip = percentile(lip, 0.5);
        // A fifth of the white's own tint: an eye in a shade or a cast would stain the teeth.
        let tint: Colour = white.map(|v| 0.2 * v + 0.8 * luma(white));
        let teeth = std::array::from_fn(|k| (tint[k] * ENAMEL[k] * 1.04).min(240.0));
        let tongue = std::array::from_fn(|k| 0.5 * lip[k] + 0.5 * FLESH[k] * tint[k]);
        let flesh = std::array::from_fn(|k| 0.42 * tongue[k]);
        Self { teeth, tongue, flesh, deep: [0.16, 0.10, 0.10].map(|v| v * luma(tint)) }
    }
}

/// The colour that so large a share of all are darker than, from 0 to 1: mean of those around it.
fn percentile(mut colours: Vec<Colour>, share: f32) -> Colour {
    if colours.is_empty() {
        return [0.0; 3];
    }
    colours.sort_by(|a, b| luma(*a).total_cmp(&luma(*b)));
    let middle = (share * (colours.len() - 1) as f32) as usize;
    let reach = colours.len() / 12;
    let near = &colours[middle.saturating_sub(reach)..=(middle + reach).min(colours.len() - 1)];
    std::array::from_fn(|k| near.iter().map(|c| c[k]).sum::<f32>() / near.len() as f32)
}

pub fn luma([r, g, b]: Colour) -> f32 {
    0.299 * r + 0.587 * g + 0.114 * b
}

/// The photo's pixel at a point of the picture.
pub fn pixel(likeness: &Likeness, [x, y]: Point) -> Colour {
    let at = |v: f32| (v.max(0.0) as usize).min(SIDE - 1);
    let i = (at(y) * SIDE + at(x)) * 3;
    std::array::from_fn(|k| f32::from(likeness.pixels[i + k]))
}
