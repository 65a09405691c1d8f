//! What the moving parts need to know of a face: its own axes, and sizes to measure by.
//!
//! Positions are face coordinates: pixels of the portrait, from the middle of the mouth, right and down along the
//! face's own axes, which are those of the picture turned by the tilt of the head.

use super::crop::Likeness;
use super::lips::LipLines;

/// Width of a mouth without a smile, in distances of the eyes, at most.
const MOST_MOUTH: f32 = 0.88;

pub type Point = [f32; 2];

/// The axes of the face in the picture.
#[derive(Clone, Copy, Debug)]
pub struct Axes {
    origin: Point,
    sin: f32,
    cos: f32,
}

impl Axes {
    /// With the origin in the middle between two points and the first axis from one to the other.
    pub fn between(left: Point, right: Point) -> Self {
        let (dx, dy) = (right[0] - left[0], right[1] - left[1]);
        let length = dx.hypot(dy).max(1e-3);
        let origin = [(left[0] + right[0]) / 2.0, (left[1] + right[1]) / 2.0];
        Self { origin, sin: dy / length, cos: dx / length }
    }

    /// From the picture to face coordinates.
    pub fn face(&self, [x, y]: Point) -> Point {
        let (dx, dy) = (x - self.origin[0], y - self.origin[1]);
        [self.cos * dx + self.sin * dy, self.cos * dy - self.sin * dx]
    }

    /// From face coordinates to the picture.
    pub fn picture(&self, at: Point) -> Point {
        let [dx, dy] = self.direction(at);
        [self.origin[0] + dx, self.origin[1] + dy]
    }

    /// A direction of the face in the picture.
    pub fn direction(&self, [x, y]: Point) -> Point {
        [self.cos * x - self.sin * y, self.sin * x + self.cos * y]
    }
}

/// Sizes and places of the parts of one face.
#[derive(Clone, Debug)]
pub struct Anatomy {
    pub axes: Axes,
    pub lips: LipLines,
    /// Width of the mouth to measure by: that of the lips unless they are drawn wide by a smile.
    pub mouth: f32,
    /// Underside of the nose, lowest point of the chin (both as heights).
    pub nose: f32,
    pub chin: f32,
    /// Half the width of the jaw at the height of the mouth.
    pub jaw: f32,
    /// Distance of the eyes' middles.
    pub eyes: f32,
    /// Width at the ears, height from chin to hairline.
    pub width: f32,
    pub height: f32,
    /// Middle between chin and hairline.
    pub middle: Point,
    /// Cheekbones, brows' middles and inner ends, the upper lids below the brows: of the left and right of the picture.
    pub cheeks: [Point; 2],
    pub brows: [Point; 2],
    pub inner_brows: [Point; 2],
    pub lids: [Point; 2],
}

impl Anatomy {
    pub fn of(likeness: &Likeness) -> Self {
        let mesh = &likeness.marks.mesh;
        let corners = [mesh.at(61), mesh.at(291)];
        let origin = std::array::from_fn(|k| (corners[0][k] + corners[1][k]) / 2.0);
        let (sin, cos) = mesh.tilt().sin_cos();
        let axes = Axes { origin, sin, cos };
        let at = |i: usize| axes.face(mesh.at(i));
        let mean = |points: &[usize]| axes.face(mesh.middle(points));
        let (top, chin, left, right) = (at(10), at(152), at(234), at(454));
        let lips = LipLines::of(likeness, &axes);
        let jaw = (at(397)[0] - at(172)[0]) / 2.0;
        Self {
            mouth: (at(291)[0] - at(61)[0]).min(MOST_MOUTH * mesh.eye_distance()),
            nose: at(2)[1],
            chin: chin[1],
            jaw,
            eyes: mesh.eye_distance(),
            width: right[0] - left[0],
            height: chin[1] - top[1],
            middle: [(left[0] + right[0]) / 2.0, (top[1] + chin[1]) / 2.0],
            cheeks: [mean(&[50, 205, 117]), mean(&[280, 425, 346])],
            brows: [mean(&[105, 66, 63, 52]), mean(&[334, 296, 293, 282])],
            inner_brows: [mean(&[107, 55]), mean(&[336, 285])],
            lids: [at(159), at(386)],
            lips,
            axes,
        }
    }
}
