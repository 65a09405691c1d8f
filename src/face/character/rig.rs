//! Where each layer goes in a pose: every point has a depth, and the turn of the head moves it by that depth.
//!
//! A map runs backwards, from a point of the picture to the point of the layer that is seen there. Depths are
//! picture pixels in front of the axis about which the head turns.

use super::look::Depths;
use super::shape::{CENTRE_X, Point};
use crate::face::Pose;

/// Where the head sits on the neck; it rolls about this point.
const PIVOT: Point = [CENTRE_X, 348.0];
/// Middle of the head, which stays in place when it turns.
const MIDDLE_Y: f32 = 232.0;
/// Pixels that the chin drops for a jaw fully open.
const JAW_DROP: f32 = 13.0;

/// A pose in the terms of the maps.
#[derive(Clone, Copy, Debug)]
pub struct Rig {
    depths: Depths,
    yaw: f32,
    pitch: f32,
    yaw_narrow: f32,
    pitch_narrow: f32,
    roll: f32,
    offset: [f32; 2],
    breath: f32,
    sway: f32,
    jaw: f32,
    smile: f32,
}

impl Rig {
    pub fn new(depths: Depths, pose: &Pose) -> Self {
        let (yaw, pitch) = (pose.yaw.to_radians(), pose.pitch.to_radians());
        Self {
            depths,
            yaw: yaw.sin(),
            pitch: pitch.sin(),
            yaw_narrow: yaw.cos() - 1.0,
            pitch_narrow: pitch.cos() - 1.0,
            roll: pose.roll.to_radians(),
            offset: pose.offset,
            breath: pose.breath,
            sway: pose.sway,
            jaw: pose.mouth.jaw,
            smile: pose.smile,
        }
    }

    /// The face with eyes, nose and mouth, as a curved surface; the chin drops with the jaw.
    pub fn face(&self, x: f32, y: f32) -> Point {
        let from = self.unrolled([x, y], 1.0);
        self.solve(from, face_depth, |[x, y]| {
            let side = ((x - CENTRE_X) / 112.0).powi(2).min(1.0);
            let low = smooth((y - 302.0) / 40.0);
            let cheeks = bump((x - CENTRE_X).abs() - 50.0, 26.0) * bump(y - 266.0, 24.0);
            [0.0, JAW_DROP * self.jaw * low * (1.0 - side) - 2.2 * self.smile * cheeks]
        })
    }

    /// Hair that lies on the head in front: a little before the face, its ends swing.
    pub fn front_hair(&self, x: f32, y: f32) -> Point {
        let from = self.unrolled([x, y], 1.0);
        let Depths { back, front_swing, follow, .. } = self.depths;
        let depth = |[x, y]: Point| {
            let before = 10.0 + 1.04 * face_depth([x, y.min(232.0)]);
            before + (back - before) * follow * smooth(((x - CENTRE_X).abs() - 76.0) / 28.0)
        };
        self.solve(from, depth, |[_, y]| [front_swing * self.swing(y, 190.0), 0.0])
    }

    /// Hair behind face and neck, and ears where they are seen.
    pub fn back_hair(&self, x: f32, y: f32) -> Point {
        let from = self.unrolled([x, y], 1.0);
        self.solve(from, |_| self.depths.back, |[_, y]| [self.depths.back_swing * self.swing(y, 170.0), 0.0])
    }

    /// Neck and shoulders: the neck's upper end goes with the head, the shoulders only breathe.
    pub fn body(&self, x: f32, y: f32) -> Point {
        let hold = 1.0 - smooth((y - 322.0) / 84.0);
        let [x, y] = self.unrolled([x, y], hold * 0.9);
        let lift = 2.2 * self.breath * smooth((y - 350.0) / 50.0);
        let turn = [hold * 14.0 * self.yaw + (1.0 - hold) * 5.0 * self.yaw, hold * -10.0 * self.pitch];
        let wide = 1.0 + 0.006 * self.breath * smooth((y - 380.0) / 60.0);
        [(x - turn[0] - CENTRE_X) / wide + CENTRE_X, y - turn[1] + lift]
    }

    /// Sideways lag of hair at height `y`, from nothing at `root` on.
    fn swing(&self, y: f32, root: f32) -> f32 {
        let low = ((y - root) / 190.0).max(0.0);
        self.sway * low * low.min(1.0)
    }

    /// Takes back shift and roll of the head, as far as `hold` says that they are felt.
    fn unrolled(&self, [x, y]: Point, hold: f32) -> Point {
        let (sin, cos) = (self.roll * hold).sin_cos();
        let (dx, dy) = (x - PIVOT[0] - self.offset[0] * hold, y - PIVOT[1] - self.offset[1] * hold);
        [PIVOT[0] + cos * dx + sin * dy, PIVOT[1] - sin * dx + cos * dy]
    }

    /// The point whose place after turning, and after `extra`, is `seen`.
    fn solve(&self, seen: Point, depth: impl Fn(Point) -> f32, extra: impl Fn(Point) -> Point) -> Point {
        let mut p = seen;
        // The displacement changes slowly with place, so this closes in by a factor of two or more each time.
        for _ in 0..4 {
            let (z, more) = (depth(p), extra(p));
            p = [
                seen[0] - z * self.yaw - (p[0] - CENTRE_X) * self.yaw_narrow - more[0],
                seen[1] + z * self.pitch - (p[1] - MIDDLE_Y) * self.pitch_narrow - more[1],
            ];
        }
        p
    }
}

/// Depth of the face: a shield, with the nose on it and the eyes a little behind.
fn face_depth([x, y]: Point) -> f32 {
    let (u, v) = ((x - CENTRE_X) / 118.0, (y - 238.0) / 150.0);
    let shield = 34.0 + 56.0 * (1.0 - u * u - v * v).max(-0.2);
    let nose = 15.0 * bump(x - CENTRE_X, 17.0) * bump(y - 264.0, 22.0);
    let eyes = 4.0 * bump((x - CENTRE_X).abs() - 42.0, 24.0) * bump(y - 218.0, 16.0);
    shield + nose - eyes
}

/// 1 at 0, falling to 0 over about twice `width` on either side.
fn bump(x: f32, width: f32) -> f32 {
    let x = x / width;
    1.0 / (1.0 + x * x * (1.0 + 0.5 * x * x))
}

fn smooth(x: f32) -> f32 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}
