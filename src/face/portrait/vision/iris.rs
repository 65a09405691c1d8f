//! The contour of each eye and the iris in it: MediaPipe's iris model, finer than the face mesh.
//!
//! Model: [1, 64, 64, 3] in 0..1, an eye of the picture's left as wide as 1 / 2.3 of the patch -> 71 points of contour
//! and brow (the first 9 are the lower lid from the outer to the inner corner, the next 7 the upper lid between
//! them) and 5 of the iris (middle, then its edge), x, y, z each. The other eye is shown to it in a mirror.

use ort::session::Session;
use serde::{Deserialize, Serialize};

use super::mesh::Mesh;
use super::{patch, run};
use crate::face::portrait::error::PortraitError;
use crate::face::portrait::photo::{Photo, Place};
use crate::onnx::OnnxError;

const SIDE: usize = 64;
/// Side of the patch in widths of the eye.
const AROUND: f32 = 2.3;
const CONTOUR: usize = 71;
/// Points of a lid's edge, both corners included.
pub const LID: usize = 9;

/// One eye, in pixels of the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eye {
    /// Outer corner to inner corner along the lower lid, both corners included.
    pub lower: Vec<[f32; 2]>,
    /// The same along the upper lid.
    pub upper: Vec<[f32; 2]>,
    pub iris: [f32; 2],
    pub radius: f32,
}

impl Eye {
    /// The same after `map`, which scales by `scale`.
    #[must_use]
    pub fn mapped(&self, map: impl Fn([f32; 2]) -> [f32; 2], scale: f32) -> Self {
        let all = |points: &[[f32; 2]]| points.iter().map(|p| map(*p)).collect();
        Self { lower: all(&self.lower), upper: all(&self.upper), iris: map(self.iris), radius: self.radius * scale }
    }

    /// Distance of the corners.
    pub fn width(&self) -> f32 {
        let (a, b) = (self.lower[0], self.lower[self.lower.len() - 1]);
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    /// Greatest distance of the lids, measured in the middle third.
    pub fn height(&self) -> f32 {
        let n = self.lower.len();
        let between = |i: usize| (self.upper[i][0] - self.lower[i][0]).hypot(self.upper[i][1] - self.lower[i][1]);
        (n / 3..n - n / 3).map(between).fold(0.0, f32::max)
    }
}

/// The eyes at the left and the right of the picture.
pub fn eyes(session: &mut Session, photo: &Photo, mesh: &Mesh) -> Result<[Eye; 2], PortraitError> {
    Ok([eye(session, photo, mesh, [33, 133], false)?, eye(session, photo, mesh, [263, 362], true)?])
}

fn eye(
    session: &mut Session,
    photo: &Photo,
    mesh: &Mesh,
    corners: [usize; 2],
    mirrored: bool,
) -> Result<Eye, PortraitError> {
    let [a, b] = corners.map(|p| mesh.at(p));
    let width = (a[0] - b[0]).hypot(a[1] - b[1]).max(1.0);
    let place = Place::square(mesh.middle(&corners), width * AROUND, mesh.tilt(), SIDE);
    let place = if mirrored { place.mirrored(SIDE) } else { place };
    let input = patch(photo, &place, SIDE, 1.0, 0.0);
    let outputs = ["output_eyes_contours_and_brows", "output_iris"];
    let [contour, iris] = run(session, "iris model", &input, SIDE, outputs)?;
    if contour.len() != CONTOUR * 3 || iris.len() != 5 * 3 || contour.iter().chain(&iris).any(|v| !v.is_finite()) {
        return Err(OnnxError::run("iris model", "its outputs have another size").into());
    }
    let point = |values: &[f32], i: usize| place.map([values[i * 3], values[i * 3 + 1]]);
    let lower: Vec<[f32; 2]> = (0..9).map(|i| point(&contour, i)).collect();
    let mut upper = vec![lower[0]];
    upper.extend((9..16).map(|i| point(&contour, i)));
    upper.push(lower[8]);
    let middle = point(&iris, 0);
    let from_middle = |i: usize| {
        let edge = point(&iris, i);
        (edge[0] - middle[0]).hypot(edge[1] - middle[1])
    };
    Ok(Eye { lower, upper, iris: middle, radius: (1..5).map(from_middle).sum::<f32>() / 4.0 })
}
