//! How much each motion of the face moves each point: worked out once for every point of the nets, so that a pose is
//! a weighted sum.
//!
//! Skin is one piece but for the gap between the lips, where it is told twice: as the upper lip's side has it and as
//! the lower one's ([`Side`]). A little below the lower lip both are the same again, and there one takes over from
//! the other unseen.

use super::anatomy::{Anatomy, Point};
use super::curve::{bell, smooth};
use crate::face::Pose;

/// Motions, each a number in the sum.
pub const MOTIONS: usize = 12;
const CLOSE: usize = 0;
const JAW: usize = 1;
const DROP: usize = 2;
const RAISE: usize = 3;
const SPREAD: usize = 4;
const ROUND: usize = 5;
const PRESS: usize = 6;
const TUCK: usize = 7;
const SMILE: usize = 8;
const BROW: [usize; 2] = [9, 10];
const FROWN: usize = 11;

/// Of the mouth's width: gap of lips fully open, drop of the chin with the jaw fully open.
const GAPE: f32 = 0.44;
pub const JAW_DROP: f32 = 0.30;
/// Part of the gap that the lower lip makes.
const LOWER_PART: f32 = 0.76;
/// A calm friendly face, which is what a portrait shows as it is.
const SMILE_AT_REST: f32 = 0.3;
/// Width of a mouth at rest, in distances of the eyes.
const RESTING_MOUTH: f32 = 0.80;
/// Depth of the part below the lower lip's edge in which the two sides differ, of the mouth's width.
pub const OVERLAP: f32 = 0.26;

/// As which lip's side the skin is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Upper,
    Lower,
}

/// The share of each motion in a point, as directions in the picture.
pub type Shares = [Point; MOTIONS];

/// How strong each motion is in a pose; those of the mouth in pixels.
pub fn strengths(anatomy: &Anatomy, pose: &Pose) -> [f32; MOTIONS] {
    let mouth = &pose.mouth;
    let width = anatomy.mouth;
    let gap = mouth.open * GAPE * width;
    let smile = pose.smile - SMILE_AT_REST;
    let mut strengths = [0.0; MOTIONS];
    strengths[CLOSE] = 1.0;
    strengths[JAW] = mouth.jaw * JAW_DROP * width;
    strengths[DROP] = gap * LOWER_PART * (1.0 - 0.8 * mouth.tuck);
    strengths[RAISE] =
        gap * (1.0 - LOWER_PART) + width * (0.05 * mouth.tuck + 0.02 * mouth.teeth * mouth.open.min(0.3) / 0.3);
    // A mouth that smiles in the photo has further to go until it is round.
    let wide = (2.0 * anatomy.lips.half / (RESTING_MOUTH * anatomy.eyes) - 1.0).clamp(0.0, 0.5);
    // Corners come in as the jaw drops.
    let spread = 2.0 * (mouth.width - 0.5) - 0.45 * mouth.jaw;
    strengths[SPREAD] = if spread < 0.0 { spread * (1.0 + wide) } else { spread * (1.0 - wide) };
    strengths[ROUND] = mouth.round * (1.0 + 0.8 * wide);
    strengths[PRESS] = mouth.press + 0.25 * smile.max(0.0);
    strengths[TUCK] = mouth.tuck;
    strengths[SMILE] = smile - wide * (0.7 * mouth.round + 0.7 * mouth.jaw);
    for (side, brow) in BROW.into_iter().enumerate() {
        strengths[brow] = pose.brows[side];
    }
    strengths[FROWN] = pose.frown;
    strengths
}

/// Where the motions take a point.
pub fn moved(at: Point, shares: &Shares, strengths: &[f32; MOTIONS]) -> Point {
    shares.iter().zip(strengths).fold(at, |[x, y], (share, v)| [x + share[0] * v, y + share[1] * v])
}

/// How wide the lips part at a place between the corners, 1 in the middle.
pub fn lens(s: f32) -> f32 {
    (1.0 - s * s).max(0.0).powf(0.72)
}

/// The shares of a point of the picture.
pub fn shares(anatomy: &Anatomy, at: Point, side: Side) -> Shares {
    let p = anatomy.axes.face(at);
    let shares = match side {
        Side::Lower => lower(anatomy, p),
        Side::Upper => {
            let s = anatomy.lips.place(p[0]);
            let below = p[1] - anatomy.lips.inner_lower.at(s);
            let reach = OVERLAP * anatomy.mouth * hole_depth(s);
            if below <= 0.0 || s.abs() >= 1.0 {
                upper(anatomy, p)
            } else {
                let (edge, beyond) = (upper(anatomy, p), lower(anatomy, p));
                let part = smooth(below / (0.75 * reach).max(0.1));
                std::array::from_fn(|m| std::array::from_fn(|k| edge[m][k] + (beyond[m][k] - edge[m][k]) * part))
            }
        }
    };
    shares.map(|v| anatomy.axes.direction(v))
}

/// How deep the skin is told twice at a place between the corners, 1 in the middle.
pub fn hole_depth(s: f32) -> f32 {
    (1.0 - s * s).max(0.0).sqrt()
}

fn upper(anatomy: &Anatomy, [x, y]: Point) -> Shares {
    let lips = &anatomy.lips;
    let s = lips.place(x);
    let above = (lips.inner_upper.at(s) - y).max(0.0);
    let thick = (lips.inner_upper.at(s) - lips.outer_upper.at(s)).max(2.0);
    let to_nose = (lips.inner_upper.at(s) - anatomy.nose).max(thick + 4.0);
    let hold = 1.0 - smooth((above - thick) / (to_nose - thick));
    let lip = above.min(thick);
    let mut shares = common(anatomy, [x, y]);
    let jaw = jaw_share(anatomy, [x, y]) * (1.0 - lens(s).sqrt());
    shares[JAW] = [0.0, jaw];
    shares[CLOSE] = [0.0, 0.35 * lips.gap(s) * hold];
    shares[RAISE] = [0.0, -lens(s) * hold];
    shares[ROUND][1] -= 0.07 * anatomy.mouth * lens(s) * hold * lip / thick;
    shares[PRESS] = [0.0, 0.36 * lip * hold];
    shares
}

fn lower(anatomy: &Anatomy, [x, y]: Point) -> Shares {
    let lips = &anatomy.lips;
    let s = lips.place(x);
    let below = (y - lips.inner_lower.at(s)).max(0.0);
    let thick = (lips.outer_lower.at(s) - lips.inner_lower.at(s)).max(2.0);
    let to_chin = (anatomy.chin - lips.inner_lower.at(s)).max(thick + 6.0);
    let hold = 1.0 - smooth((below - thick) / (0.75 * (to_chin - thick)));
    let lip = below.min(thick);
    let mut shares = common(anatomy, [x, y]);
    shares[JAW] = [0.0, jaw_share(anatomy, [x, y]) * (1.0 - lens(s).sqrt() * hold)];
    shares[CLOSE] = [0.0, -0.65 * lips.gap(s) * hold];
    shares[DROP] = [0.0, lens(s) * hold];
    shares[ROUND][1] += 0.07 * anatomy.mouth * lens(s) * hold * lip / thick;
    shares[PRESS] = [0.0, -0.36 * lip * hold];
    shares[TUCK] = [0.0, (-0.45 * lip - 0.02 * anatomy.mouth * lens(s)) * hold];
    shares
}

/// What both sides have in common.
fn common(anatomy: &Anatomy, [x, y]: Point) -> Shares {
    let Anatomy { mouth, eyes, lips, .. } = anatomy;
    let mut shares = [[0.0; 2]; MOTIONS];
    // Cheeks are drawn along by the corners, less and less.
    let from_middle = (x - lips.middle).clamp(-lips.half, lips.half);
    // Lips as wide as they are, then ever less out into the cheeks, and up to the nose and down to the chin.
    let out = (((x - lips.middle).abs() - 0.9 * lips.half).max(0.0) / (0.6 * mouth)).hypot(y / (0.48 * mouth));
    let about = bell(out, 0.75);
    shares[SPREAD] = [0.17 * from_middle * about, 0.0];
    shares[ROUND] = [-0.20 * from_middle * about, 0.0];
    for (side, cheek) in anatomy.cheeks.iter().enumerate() {
        let sign = [-1.0, 1.0][side];
        let corner = [lips.x(sign), lips.inner_upper.at(sign)];
        let pull = bell(x - corner[0], 0.40 * mouth) * bell(y - corner[1], 0.36 * mouth);
        let lift = bell(x - cheek[0], 0.45 * mouth) * bell(y - cheek[1], 0.42 * mouth);
        shares[SMILE][0] += sign * 0.085 * mouth * pull;
        shares[SMILE][1] -= 0.10 * mouth * pull + 0.045 * mouth * lift;
        // Brows move, the lid below them does not; the forehead less and less.
        let (brow, lid) = (anatomy.brows[side], anatomy.lids[side]);
        let rise = smooth((lid[1] - 1.0 - y) / (lid[1] - brow[1] - 2.0).max(3.0));
        let fall = 1.0 - smooth((brow[1] - y) / (0.75 * eyes));
        let across = bell(x - brow[0], 0.42 * eyes);
        shares[BROW[side]] = [0.0, -0.10 * eyes * rise * fall * across];
        let inner = anatomy.inner_brows[side];
        let near = bell(x - inner[0], 0.26 * eyes) * bell(y - inner[1], 0.24 * eyes) * rise;
        shares[FROWN][0] -= sign * 0.045 * eyes * near;
        shares[FROWN][1] += 0.055 * eyes * near;
    }
    shares
}

/// How far a point goes with the jaw: not above the mouth, wholly at the chin, less at the sides and down the neck.
fn jaw_share(anatomy: &Anatomy, [x, y]: Point) -> f32 {
    let Anatomy { mouth, chin, jaw, .. } = *anatomy;
    let down = smooth((y + 0.12 * mouth) / (0.55 * mouth));
    let aside = 1.0 - smooth(((x - anatomy.lips.middle).abs() - 0.45 * jaw) / (0.75 * jaw));
    let neck = 1.0 - smooth((y - chin - 2.0) / (0.95 * mouth));
    down * aside * neck
}
