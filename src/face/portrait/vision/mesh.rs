//! The 468 points of a face: MediaPipe's face mesh. Numbers of points below are those of its canonical face.
//!
//! Model: [1, 192, 192, 3] in 0..1, an upright face with a quarter of its size around it -> 468 x (x, y, z) in
//! pixels of that picture, z growing away from the viewer, and a logit: is this a face.

use ort::session::Session;
use serde::{Deserialize, Serialize};

use super::{patch, run, sigmoid};
use crate::face::portrait::error::PortraitError;
use crate::face::portrait::photo::{Photo, Place};
use crate::onnx::OnnxError;

pub const SIDE: usize = 192;
/// Points of the mesh.
pub const POINTS: usize = 468;
/// Corners of the eye at the left of the picture, outer and inner, and of that at the right, inner and outer.
const EYE_CORNERS: [usize; 4] = [33, 133, 362, 263];

/// Points that lie opposite of each other: eyes, brows, nose, mouth, outline. Those in the middle are their own twins.
const PAIRS: [[usize; 2]; 20] = [
    [33, 263],
    [133, 362],
    [159, 386],
    [145, 374],
    [105, 334],
    [70, 300],
    [107, 336],
    [1, 1],
    [98, 327],
    [61, 291],
    [13, 13],
    [14, 14],
    [0, 0],
    [17, 17],
    [152, 152],
    [10, 10],
    [234, 454],
    [132, 361],
    [172, 397],
    [149, 378],
];

/// The points, x and y in pixels of the picture, z in the same unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mesh(pub Vec<[f32; 3]>);

impl Mesh {
    pub fn at(&self, point: usize) -> [f32; 2] {
        let [x, y, _] = self.0[point];
        [x, y]
    }

    /// The mean of some points.
    pub fn middle(&self, points: &[usize]) -> [f32; 2] {
        let sum = points.iter().fold([0.0; 2], |sum, p| [sum[0] + self.0[*p][0], sum[1] + self.0[*p][1]]);
        sum.map(|v| v / points.len() as f32)
    }

    /// The middles of the eyes at the left and right of the picture.
    pub fn eyes(&self) -> [[f32; 2]; 2] {
        [self.middle(&EYE_CORNERS[..2]), self.middle(&EYE_CORNERS[2..])]
    }

    pub fn eye_distance(&self) -> f32 {
        let [left, right] = self.eyes();
        (right[0] - left[0]).hypot(right[1] - left[1])
    }

    /// Clockwise tilt by the line between the eyes, in radians.
    pub fn tilt(&self) -> f32 {
        let [left, right] = self.eyes();
        (right[1] - left[1]).atan2(right[0] - left[0])
    }

    /// Left, top, right, bottom.
    pub fn bounds(&self) -> [f32; 4] {
        self.0.iter().fold([f32::MAX, f32::MAX, f32::MIN, f32::MIN], |[l, t, r, b], [x, y, _]| {
            [l.min(*x), t.min(*y), r.max(*x), b.max(*y)]
        })
    }

    /// Where to look for the same face again: its bounds `grown`, and `lower` by a share of them.
    pub fn place(&self, grown: f32, lower: f32) -> Place {
        let [left, top, right, bottom] = self.bounds();
        let middle = [(left + right) / 2.0, (top + bottom) / 2.0];
        let side = (right - left).max(bottom - top);
        Place::square([middle[0], middle[1] + lower * side], side * grown, self.tilt(), SIDE)
    }

    /// The same after `map` of x and y, which scales by `scale`.
    #[must_use]
    pub fn mapped(&self, map: impl Fn([f32; 2]) -> [f32; 2], scale: f32) -> Self {
        Self(
            self.0
                .iter()
                .map(|[x, y, z]| {
                    let [x, y] = map([*x, *y]);
                    [x, y, z * scale]
                })
                .collect(),
        )
    }

    /// The mean of several looks at the same face; there must be one at least.
    pub fn mean(seen: &[Seen]) -> Self {
        let mean = |i: usize| {
            let sum = seen.iter().fold([0.0; 3], |sum: [f32; 3], s| std::array::from_fn(|k| sum[k] + s.mesh.0[i][k]));
            sum.map(|v| v / seen.len() as f32)
        };
        Self((0..POINTS).map(mean).collect())
    }

    /// Mean distance of [`PAIRS`] to their twins in the mesh of the mirrored face.
    pub fn distance_to_mirrored(&self, mirrored: &Self) -> f32 {
        let apart = |a: usize, b: usize| {
            let (a, b) = (self.at(a), mirrored.at(b));
            (a[0] - b[0]).hypot(a[1] - b[1])
        };
        let sum: f32 = PAIRS.iter().map(|[a, b]| apart(*a, *b) + apart(*b, *a)).sum();
        sum / (2 * PAIRS.len()) as f32
    }
}

/// What was seen at a place.
pub struct Seen {
    pub mesh: Mesh,
    pub certainty: f32,
}

/// The mesh of the face at `place`; `mirrored`: as the model sees it in a mirror, so that what it takes for the left
/// of the face lies at its right.
pub fn points(session: &mut Session, photo: &Photo, place: &Place, mirrored: bool) -> Result<Seen, PortraitError> {
    let place = if mirrored { place.mirrored(SIDE) } else { *place };
    let input = patch(photo, &place, SIDE, 1.0, 0.0);
    let [values, logit] = run(session, "face mesh", &input, SIDE, ["conv2d_20", "conv2d_30"])?;
    if values.len() != POINTS * 3 || logit.len() != 1 || values.iter().any(|v| !v.is_finite()) {
        return Err(OnnxError::run("face mesh", "its outputs have another size").into());
    }
    let scale = place.scale();
    let point = |v: &[f32]| {
        let [x, y] = place.map([v[0], v[1]]);
        [x, y, v[2] * scale]
    };
    Ok(Seen { mesh: Mesh(values.chunks_exact(3).map(point).collect()), certainty: sigmoid(logit[0]) })
}
