//! Head and shoulders: which part of the photo the portrait shows, and its pixels.

use serde::{Deserialize, Serialize};

use super::photo::{Photo, Place};
use super::vision::{Eye, LID, Mesh, POINTS, Sight};

/// Side of a portrait in pixels.
pub const SIDE: usize = 512;
/// Side of the picture in heights of the face (from chin to hairline), where the photo has room for it, and at least.
const ROOM: f32 = 2.45;
const LEAST_ROOM: f32 = 1.8;
/// Height of the eyes from the top, as a share of the side.
const EYE_LEVEL: f32 = 0.43;
/// A head tilted by more than this is turned back so far, in radians.
const MOST_TILT: f32 = 0.14;

/// The part of the photo that a portrait shows, with what was seen in it, in pixels of the portrait.
#[derive(Clone, Debug, PartialEq)]
pub struct Likeness {
    /// [`SIDE`] by [`SIDE`] pixels of red, green, blue.
    pub pixels: Vec<u8>,
    pub marks: Marks,
}

/// Where the parts of the face are, in pixels of the portrait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    pub mesh: Mesh,
    /// The eyes at the left and at the right of the picture.
    pub eyes: [Eye; 2],
}

impl Marks {
    /// True if they can be those of a portrait: a face of some size, the right way up, within the picture.
    pub fn are_sound(&self) -> bool {
        let side = SIDE as f32;
        let near = |v: f32| v > -side / 2.0 && v < 1.5 * side;
        let eyes = || self.eyes.iter();
        let points = || eyes().flat_map(|eye| eye.upper.iter().chain(&eye.lower).chain([&eye.iris]));
        if self.mesh.0.len() != POINTS
            || eyes().any(|eye| eye.upper.len() != LID || eye.lower.len() != LID)
            || !points().all(|p| p.iter().all(|v| near(*v)))
            || !self.mesh.0.iter().flatten().all(|v| near(*v))
        {
            return false;
        }
        let long = |a: [f32; 2], b: [f32; 2], least: f32| b[0] - a[0] > least && b[0] - a[0] < 0.8 * side;
        let mouth = self.mesh.middle(&[61, 291]);
        long(self.mesh.at(61), self.mesh.at(291), 0.03 * side)
            && long(self.mesh.at(234), self.mesh.at(454), 0.1 * side)
            && long(self.mesh.eyes()[0], self.mesh.eyes()[1], 0.05 * side)
            && mouth.iter().all(|v| *v > 0.1 * side && *v < 0.9 * side)
            && self.mesh.tilt().abs() < 0.8
            && eyes().all(|eye| eye.width() > 6.0 && eye.radius > 1.0 && eye.radius < eye.width())
    }
}

/// Cuts head and shoulders out of the photo.
pub fn likeness(photo: &Photo, sight: &Sight) -> Likeness {
    let mesh = &sight.mesh;
    let tilt = mesh.tilt();
    let angle = tilt - tilt.clamp(-MOST_TILT, MOST_TILT);
    let [brow, chin] = [mesh.at(10), mesh.at(152)];
    let height = (chin[0] - brow[0]).hypot(chin[1] - brow[1]);
    let size = photo.size();
    let side = (height * ROOM).min(size[0].min(size[1])).max(height * LEAST_ROOM);
    let eyes = mesh.middle(&[33, 133, 362, 263]);
    let below = (0.5 - EYE_LEVEL) * side;
    let middle = [eyes[0] - angle.sin() * below, eyes[1] + angle.cos() * below];
    // Within the photo, as far as it goes; what lies outside would be its border drawn out.
    let middle = std::array::from_fn(|k| {
        if side >= size[k] {
            middle[k].clamp(size[k] - side / 2.0, side / 2.0)
        } else {
            middle[k].clamp(side / 2.0, size[k] - side / 2.0)
        }
    });
    let place = Place::square(middle, side, angle, SIDE);
    let pixels = photo.picture(&place, SIDE);
    let scale = 1.0 / place.scale();
    let map = |p| place.inverse(p);
    let eyes = [0, 1].map(|i| sight.eyes[i].mapped(map, scale));
    Likeness { pixels, marks: Marks { mesh: mesh.mapped(map, scale), eyes } }
}
