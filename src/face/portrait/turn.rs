//! The head in space: how far each point of the picture goes along when it turns, tilts and shifts.
//!
//! Depth comes from the face mesh and falls to that of the ears around it, where the head's axis is taken to be, so
//! that the outline of the head moves little and what lies behind it is drawn out by a few pixels only.

use super::anatomy::{Anatomy, Point};
use super::curve::{bell, smooth};
use super::vision::Mesh;
use crate::face::Pose;

/// A photo bears less than a drawn head: the share of each motion of the pose that is made.
const YAW: f32 = 0.62;
const PITCH: f32 = 0.62;
const ROLL: f32 = 0.75;
const SHIFT: f32 = 0.8;
/// Rise of the shoulders from empty to full lungs, in pixels.
const BREATH: f32 = 2.4;

/// How a point goes along with head and breath.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// Pixels before the axis of the head.
    depth: f32,
    /// 1 on the head, 0 on what never moves.
    head: f32,
    chest: f32,
}

/// What is the same for all points.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    yaw: [f32; 2],
    pitch: [f32; 2],
    roll: f32,
    offset: Point,
    breath: f32,
}

/// The head of one portrait.
#[derive(Clone, Debug)]
pub struct Head {
    middle: Point,
    /// About which it tilts.
    pivot: Point,
    sin: f32,
    cos: f32,
}

impl Head {
    pub fn of(anatomy: &Anatomy) -> Self {
        let [sin, _] = anatomy.axes.direction([0.0, -1.0]);
        let pivot = [anatomy.middle[0], anatomy.chin + 0.25 * anatomy.height];
        Self {
            middle: anatomy.axes.picture(anatomy.middle),
            pivot: anatomy.axes.picture(pivot),
            sin: -sin,
            cos: (1.0 - sin * sin).sqrt(),
        }
    }

    /// How the point `at` of the picture goes along.
    pub fn hold(&self, anatomy: &Anatomy, mesh: &Mesh, at: Point) -> Hold {
        let [x, y] = anatomy.axes.face(at);
        let (dx, dy) = (x - anatomy.middle[0], y - anatomy.middle[1] + 0.14 * anatomy.height);
        let out = (dx / (0.80 * anatomy.width)).hypot(dy / (0.88 * anatomy.height));
        let around = 1.0 - smooth((out - 0.85) / 0.95);
        let neck = 1.0 - 0.94 * smooth((y - anatomy.chin - 0.02 * anatomy.height) / (0.62 * anatomy.height));
        let body = bell((dx.abs() - 0.9 * anatomy.width).max(0.0), 0.8 * anatomy.width);
        let chest = smooth((y - anatomy.chin - 0.10 * anatomy.height) / (0.45 * anatomy.height)) * body;
        // Nearby points of the mesh tell the depth; far from all of them it is that of the axis.
        let axis = (mesh.0[234][2] + mesh.0[454][2]) / 2.0;
        let reach = 0.075 * anatomy.width;
        let (mut sum, mut weight) = (0.0, 0.0);
        for [px, py, pz] in &mesh.0 {
            let near = ((px - at[0]).powi(2) + (py - at[1]).powi(2)) / (reach * reach);
            // Points are dense about the eyes and lips, so the fall must be steep, and smooth between points elsewhere.
            let share = (1.0 + near).powi(-4);
            sum += share * (axis - pz);
            weight += share;
        }
        let oval = (dx / (0.5 * anatomy.width)).hypot((dy - 0.14 * anatomy.height) / (0.5 * anatomy.height));
        let depth = (sum / weight).max(0.0) * (1.0 - smooth((oval - 0.95) / 0.75));
        Hold { depth, head: around * neck, chest }
    }

    pub fn turn(&self, pose: &Pose) -> Turn {
        let (yaw, pitch) = ((pose.yaw * YAW).to_radians(), (pose.pitch * PITCH).to_radians());
        Turn {
            yaw: [yaw.sin(), yaw.cos() - 1.0],
            pitch: [pitch.sin(), pitch.cos() - 1.0],
            roll: (pose.roll * ROLL).to_radians(),
            offset: pose.offset.map(|v| v * SHIFT),
            breath: (pose.breath - 0.5) * BREATH,
        }
    }

    /// Where the point `at`, which the face's own motions have already moved, goes.
    pub fn place(&self, at: Point, hold: &Hold, turn: &Turn) -> Point {
        let share = hold.head;
        if share == 0.0 {
            return [at[0], at[1] - turn.breath * hold.chest];
        }
        // Turned in the face's own axes, which lean with a tilted head.
        let (dx, dy) = (at[0] - self.middle[0], at[1] - self.middle[1]);
        let (u, v) = (self.cos * dx + self.sin * dy, self.cos * dy - self.sin * dx);
        let (u, v) = (
            share * (hold.depth * turn.yaw[0] + u * turn.yaw[1]),
            share * (v * turn.pitch[1] - hold.depth * turn.pitch[0]),
        );
        let at = [at[0] + self.cos * u - self.sin * v, at[1] + self.sin * u + self.cos * v];
        // Over this little angle the chord is the arc; a quarter of the share squared keeps lengths.
        let angle = turn.roll * share;
        let (rx, ry) = (at[0] - self.pivot[0], at[1] - self.pivot[1]);
        let bent = angle * angle / 2.0;
        [
            at[0] - angle * ry - bent * rx + share * turn.offset[0],
            at[1] + angle * rx - bent * ry + share * turn.offset[1] - turn.breath * hold.chest,
        ]
    }
}
