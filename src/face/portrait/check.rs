//! What cannot be a portrait, and why: none or several faces, turned away, hidden, cut off, tiny, blurred.
//!
//! The first part judges what was seen in the photo, the second the pixels of the cut. Limits were set between the
//! pictures that work and those that do not (see the tests).

use super::crop::{Likeness, SIDE};
use super::error::PortraitError;
use super::photo::Photo;
use super::vision::{Eye, Mesh, Sight, Vision};

/// A second face counts from this share of the largest on; smaller ones are passers-by.
const SECOND_FACE: f32 = 0.3;
/// The mesh model's probability that it sees a face.
const LEAST_CERTAINTY: f32 = 0.5;
/// Disagreement of the face and its mirror image, in distances of the eyes: real faces stay below 0.08.
const MOST_DOUBT: f32 = 0.13;
/// Photo pixels from eye to eye: below, the portrait would be scaled up more than threefold.
const LEAST_EYES: f32 = 26.0;
const MOST_TURN: f32 = 25.0;
/// How far inside the photo the outline must lie, in widths of the face.
const LEAST_INSIDE: f32 = 0.02;
/// Openness of an eye, height by width.
const LEAST_OPEN: f32 = 0.12;
/// Steepness of the edges about the eyes: blurred by 4 pixels of the portrait's 512 it is 0.43, by 6 it is 0.34.
const LEAST_SHARPNESS: f32 = 0.36;
/// The outline of the face at forehead, temples, jaws and chin.
const OUTLINE: [usize; 16] = [10, 109, 338, 54, 284, 127, 356, 234, 454, 132, 361, 172, 397, 149, 378, 152];

/// The only face of the photo, which is turned upright if need be.
pub fn one_face(vision: &mut Vision, photo: Photo) -> Result<(Photo, Sight), PortraitError> {
    // A photo without a note about its orientation may lie on its side.
    for quarters in [0, 1, 3, 2] {
        let turned = if quarters == 0 { photo.clone() } else { photo.turned(quarters) };
        let found = vision.faces(&turned)?;
        let Some(largest) = found.first().map(|face| face.side()) else { continue };
        let mut sights = Vec::new();
        for face in found.iter().filter(|face| face.side() > SECOND_FACE * largest) {
            let sight = vision.look(&turned, face)?;
            if sight.certainty >= LEAST_CERTAINTY {
                sights.push(sight);
            }
        }
        let upright = |sight: &Sight| sight.mesh.tilt().abs() < std::f32::consts::FRAC_PI_4;
        if sights.len() > 1 {
            return Err(PortraitError::SeveralFaces { count: sights.len() });
        }
        match sights.pop() {
            Some(sight) if upright(&sight) => {
                fits(&turned, &sight)?;
                return Ok((turned, sight));
            }
            Some(_) => {}
            None if quarters == 0 => return Err(PortraitError::Hidden { part: "the face" }),
            None => {}
        }
    }
    Err(PortraitError::NoFace)
}

fn fits(photo: &Photo, sight: &Sight) -> Result<(), PortraitError> {
    let mesh = &sight.mesh;
    let pixels = mesh.eye_distance();
    let degrees = turn(mesh);
    if degrees > MOST_TURN {
        return Err(PortraitError::TurnedAway { degrees, most: MOST_TURN });
    }
    let width = (mesh.at(454)[0] - mesh.at(234)[0]).hypot(mesh.at(454)[1] - mesh.at(234)[1]);
    let size = photo.size();
    let inside = LEAST_INSIDE * width;
    let outside = |p: usize| (0..2).any(|k| mesh.at(p)[k] < inside || mesh.at(p)[k] > size[k] - inside);
    if OUTLINE.iter().any(|p| outside(*p)) {
        return Err(PortraitError::CutOff);
    }
    if pixels < LEAST_EYES {
        return Err(PortraitError::TooSmall { pixels, least: LEAST_EYES });
    }
    if sight.doubt > MOST_DOUBT {
        return Err(PortraitError::Hidden { part: "the face" });
    }
    if sight.eyes.iter().any(|eye| eye.height() < LEAST_OPEN * eye.width()) {
        return Err(PortraitError::EyesShut);
    }
    Ok(())
}

/// Turn of the head out of the picture's plane to either side, in degrees.
pub fn turn(mesh: &Mesh) -> f32 {
    let (left, right) = (mesh.0[234], mesh.0[454]);
    let across = (right[0] - left[0]).hypot(right[1] - left[1]);
    (right[2] - left[2]).atan2(across).to_degrees().abs()
}

/// How much each part of the face differs from a flat patch, and how sharp it is.
#[derive(Clone, Copy, Debug)]
pub struct Clearness {
    /// Standard deviation of brightness about left eye, right eye, nose, mouth, in levels.
    pub parts: [f32; 4],
    /// Brightness of the white of each eye over that of its iris, in levels.
    pub whites: [f32; 2],
    /// Steepest change of brightness by pixel about the eyes, by the spread of brightness there.
    pub sharpness: f32,
}

/// Refuses a cut in which a part of the face is covered or nothing is sharp.
pub fn clear(likeness: &Likeness) -> Result<(), PortraitError> {
    let Clearness { parts, whites, sharpness } = clearness(likeness);
    let names = ["an eye", "an eye", "the nose", "the mouth"];
    let least = [10.0, 10.0, 3.0, 5.0];
    for ((value, least), part) in parts.iter().zip(least).zip(names) {
        if *value < least {
            return Err(PortraitError::Hidden { part });
        }
    }
    if whites.iter().all(|v| *v < 6.0) {
        return Err(PortraitError::Hidden { part: "the eyes" });
    }
    if sharpness < LEAST_SHARPNESS {
        return Err(PortraitError::Blurred);
    }
    Ok(())
}

pub fn clearness(likeness: &Likeness) -> Clearness {
    let mesh = &likeness.marks.mesh;
    let [left, right] = &likeness.marks.eyes;
    let about = |points: &[usize], wide: f32, high: f32| Patch::about(likeness, mesh.middle(points), wide, high);
    let mouth = mesh.at(291)[0] - mesh.at(61)[0];
    let eyes = [left, right].map(|eye| Patch::about(likeness, eye.iris, 0.55 * eye.width(), 0.35 * eye.width()));
    let parts = [
        eyes[0].spread(),
        eyes[1].spread(),
        about(&[1, 2, 98, 327], 0.35 * mouth, 0.3 * mouth).spread(),
        about(&[13, 14], 0.55 * mouth, 0.35 * mouth).spread(),
    ];
    let steep = eyes.iter().map(|patch| patch.steepest() / patch.spread().max(1.0)).fold(0.0, f32::max);
    Clearness { parts, whites: [left, right].map(|eye| white_over_iris(likeness, eye)), sharpness: steep }
}

fn white_over_iris(likeness: &Likeness, eye: &Eye) -> f32 {
    let (mut white, mut iris) = ((0.0, 0.0_f32), (0.0, 0.0_f32));
    for (upper, lower) in eye.upper.iter().zip(&eye.lower) {
        for i in 1..8 {
            let part = i as f32 / 8.0;
            let p: [f32; 2] = std::array::from_fn(|k| upper[k] + (lower[k] - upper[k]) * part);
            let out = (p[0] - eye.iris[0]).hypot(p[1] - eye.iris[1]) / eye.radius;
            let into = if out < 0.9 {
                &mut iris
            } else if out > 1.2 {
                &mut white
            } else {
                continue;
            };
            *into = (into.0 + brightness(likeness, p[0] as i32, p[1] as i32), into.1 + 1.0);
        }
    }
    white.0 / white.1.max(1.0) - iris.0 / iris.1.max(1.0)
}

/// Brightness of a box of the cut.
struct Patch {
    columns: usize,
    values: Vec<f32>,
}

impl Patch {
    fn about(likeness: &Likeness, [x, y]: [f32; 2], wide: f32, high: f32) -> Self {
        let (left, right) = ((x - wide) as i32, (x + wide) as i32);
        let (top, bottom) = ((y - high) as i32, (y + high) as i32);
        let values = (top..=bottom).flat_map(|y| (left..=right).map(move |x| brightness(likeness, x, y))).collect();
        Self { columns: (right - left + 1).max(1) as usize, values }
    }

    fn spread(&self) -> f32 {
        let n = self.values.len().max(1) as f32;
        let mean = self.values.iter().sum::<f32>() / n;
        (self.values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n).sqrt()
    }

    /// The mean of the steepest twentieth of the changes from pixel to pixel, along columns.
    fn steepest(&self) -> f32 {
        let mut all: Vec<f32> =
            self.values.iter().zip(self.values.iter().skip(self.columns)).map(|(a, b)| (a - b).abs()).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        all.truncate(all.len().div_ceil(20));
        all.iter().sum::<f32>() / all.len().max(1) as f32
    }
}

fn brightness(likeness: &Likeness, x: i32, y: i32) -> f32 {
    let at = |v: i32| v.clamp(0, SIDE as i32 - 1) as usize;
    let i = (at(y) * SIDE + at(x)) * 3;
    let [r, g, b] = [0, 1, 2].map(|k| f32::from(likeness.pixels[i + k]));
    0.299 * r + 0.587 * g + 0.114 * b
}
