//! Where faces are: MediaPipe's short-range detector (BlazeFace), over the whole photo and over parts of it.
//!
//! Model: [1, 128, 128, 3] in -1..1 -> 896 boxes [16] and logits. Anchors: 16x16 cells of two, then 8x8 cells of
//! six, at (i + 0.5) / n; a box is centre x, y, width, height and six points x, y, in 128ths from its anchor.

use ort::session::Session;

use super::{patch, run, sigmoid};
use crate::face::portrait::error::PortraitError;
use crate::face::portrait::photo::{Photo, Place};
use crate::onnx::OnnxError;

const SIDE: usize = 128;
const ANCHORS: usize = 16 * 16 * 2 + 8 * 8 * 6;
const VALUES: usize = 16;
/// Below this a box is no face. On parts of the photo, where a face is seldom whole, more is asked for.
const LEAST_SCORE: f32 = 0.5;
const LEAST_SCORE_IN_PART: f32 = 0.7;
/// Parts are looked at because the model overlooks faces below a tenth of its picture. Each has this share of the
/// shorter side.
const PART: f32 = 0.6;
/// Boxes that share more than this of their union are the same face.
const SAME: f32 = 0.3;

/// A face as the detector sees it, in photo pixels.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub score: f32,
    pub middle: [f32; 2],
    pub size: [f32; 2],
    /// Clockwise tilt by the line between the eyes, in radians.
    pub tilt: f32,
}

impl Found {
    /// Where the mesh model looks: the box grown by half, upright by the eyes.
    pub fn place(&self) -> Place {
        Place::square(self.middle, self.side() * 1.5, self.tilt, super::mesh::SIDE)
    }

    pub fn side(&self) -> f32 {
        self.size[0].max(self.size[1])
    }

    fn overlap(&self, other: &Self) -> f32 {
        let shared = |k: usize| {
            let low = (self.middle[k] - self.size[k] / 2.0).max(other.middle[k] - other.size[k] / 2.0);
            let high = (self.middle[k] + self.size[k] / 2.0).min(other.middle[k] + other.size[k] / 2.0);
            (high - low).max(0.0)
        };
        let both = shared(0) * shared(1);
        let smaller = (self.size[0] * self.size[1]).min(other.size[0] * other.size[1]);
        let union = self.size[0] * self.size[1] + other.size[0] * other.size[1] - both;
        // A part of a face within a whole one counts as the same.
        (both / union).max(if both > 0.7 * smaller { 1.0 } else { 0.0 })
    }
}

/// All faces, the largest first.
pub fn faces(session: &mut Session, photo: &Photo) -> Result<Vec<Found>, PortraitError> {
    let [width, height] = photo.size();
    let whole = Place::square([width / 2.0, height / 2.0], width.max(height), 0.0, SIDE);
    let mut found = Vec::new();
    find(session, photo, &whole, LEAST_SCORE, &mut found)?;
    let side = width.min(height) * PART;
    let steps = |length: f32| ((length - side) / (side * 0.5)).ceil().clamp(1.0, 4.0) as usize;
    let (across, down) = (steps(width), steps(height));
    for j in 0..=down {
        for i in 0..=across {
            let at = |length: f32, i: usize, n: usize| side / 2.0 + (length - side) * i as f32 / n as f32;
            let part = Place::square([at(width, i, across), at(height, j, down)], side, 0.0, SIDE);
            find(session, photo, &part, LEAST_SCORE_IN_PART, &mut found)?;
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::new();
    for face in found {
        if kept.iter().all(|other| other.overlap(&face) < SAME) {
            kept.push(face);
        }
    }
    kept.sort_by(|a, b| b.side().total_cmp(&a.side()));
    Ok(kept)
}

fn find(
    session: &mut Session,
    photo: &Photo,
    place: &Place,
    least: f32,
    found: &mut Vec<Found>,
) -> Result<(), PortraitError> {
    let input = patch(photo, place, SIDE, 2.0, -1.0);
    let [boxes, logits] = run(session, "face detector", &input, SIDE, ["regressors", "classificators"])?;
    if boxes.len() != ANCHORS * VALUES || logits.len() != ANCHORS {
        return Err(OnnxError::run("face detector", "its outputs have another size").into());
    }
    for (i, (values, logit)) in boxes.chunks_exact(VALUES).zip(&logits).enumerate() {
        let score = sigmoid(*logit);
        if score < least {
            continue;
        }
        let anchor = anchor(i);
        let at = |k: usize| place.map([values[k] + anchor[0], values[k + 1] + anchor[1]]);
        let (left, right) = (at(4), at(6));
        let scale = place.scale();
        found.push(Found {
            score,
            middle: at(0),
            size: [values[2] * scale, values[3] * scale],
            tilt: (right[1] - left[1]).atan2(right[0] - left[0]),
        });
    }
    Ok(())
}

/// The centre of an anchor in pixels of the model's picture.
fn anchor(i: usize) -> [f32; 2] {
    let (cells, cell) = if i < 16 * 16 * 2 { (16, i / 2) } else { (8, (i - 16 * 16 * 2) / 6) };
    let at = |v: usize| (v as f32 + 0.5) / cells as f32 * SIDE as f32;
    [at(cell % cells), at(cell / cells)]
}
