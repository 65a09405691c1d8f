//! Where each layer goes in a pose: every point has a depth, and the turn of the head moves it by that depth.
//!
//! A map runs backwards, from a point of the picture to the point of the layer that is seen there. Points and
//! depths are in picture pixels; depths count from the axis about which the head turns.

use super::manifest::Moves;
use crate::face::Pose;

type Point = [f32; 2];

/// The head, as it was drawn.
#[derive(Clone, Copy, Debug)]
pub struct Skull {
    pub centre: Point,
    pub radii: [f32; 2],
    /// Where it sits on the neck; it tilts about this point.
    pub pivot: Point,
    pub bulge: f32,
    pub mouth: Point,
    /// Factors on the drop of the chin and the way of the brows.
    pub jaw: f32,
    pub brows: f32,
}

/// How a layer moves.
#[derive(Clone, Copy, Debug)]
pub struct Motion {
    pub moves: Moves,
    pub depth: f32,
    pub sway: f32,
    pub hang: f32,
    /// From where and over what height it swings.
    pub root: f32,
    pub span: f32,
    /// Left and right end: brows are moved differently along their length.
    pub ends: [f32; 2],
}

/// A pose in the terms of the maps.
#[derive(Clone, Copy, Debug)]
pub struct Rig {
    skull: Skull,
    yaw: f32,
    pitch: f32,
    yaw_narrow: f32,
    pitch_narrow: f32,
    roll: f32,
    /// Sine and cosine of the roll.
    tilt: [f32; 2],
    offset: Point,
    breath: f32,
    jaw: f32,
    smile: f32,
    brows: [f32; 2],
    frown: f32,
}

impl Rig {
    pub fn new(skull: Skull, pose: &Pose) -> Self {
        let (yaw, pitch) = (pose.yaw.to_radians(), pose.pitch.to_radians());
        Self {
            skull,
            yaw: yaw.sin(),
            pitch: pitch.sin(),
            yaw_narrow: yaw.cos() - 1.0,
            pitch_narrow: pitch.cos() - 1.0,
            roll: pose.roll.to_radians(),
            tilt: pose.roll.to_radians().sin_cos().into(),
            offset: pose.offset,
            breath: pose.breath,
            jaw: pose.mouth.jaw * skull.jaw,
            smile: pose.smile,
            brows: pose.brows.map(|b| b * skull.brows),
            frown: pose.frown,
        }
    }

    /// The point of the layer that is seen at `seen`; `swing` is how far its lower end is swung to the right.
    pub fn place(&self, motion: &Motion, swing: f32, seen: Point) -> Point {
        let swung = |[_, y]: Point| {
            let low = ((y - motion.root) / motion.span).max(0.0);
            swing * low * low.min(1.0) + motion.hang * self.roll * (y - motion.root).max(0.0)
        };
        let jaw = |p: Point| self.features(p);
        match motion.moves {
            Moves::Still => seen,
            Moves::Body => self.body(seen),
            Moves::Head => {
                let depth = self.plane() + motion.depth;
                self.solve(seen, 2, |_| depth, |p| [swung(p), 0.0])
            }
            Moves::Hair => {
                let before = |[x, y]: Point| self.surface([x, y.min(self.skull.centre[1])]) + motion.depth;
                self.solve(seen, 3, before, |p| [swung(p), 0.0])
            }
            Moves::Face => self.solve(seen, 4, |p| self.surface(p) + motion.depth, |p| add(jaw(p), [swung(p), 0.0])),
            Moves::BrowLeft | Moves::BrowRight => {
                let side = usize::from(motion.moves == Moves::BrowRight);
                self.solve(seen, 4, |p| self.surface(p) + motion.depth, |p| self.brow(motion, side, p))
            }
        }
    }

    /// How far a point at the head's plane has gone sideways: what hanging things are dragged by.
    pub fn drag(&self, motion: &Motion) -> f32 {
        let high = self.skull.pivot[1] - motion.root;
        (self.plane() + motion.depth) * self.yaw + self.offset[0] + high * self.roll
    }

    /// Depth of the flat sheet that moves with the head: a little behind the rim of the face.
    fn plane(&self) -> f32 {
        0.30 * self.skull.radii[0]
    }

    /// Depth of the face: a shield bent over the head.
    fn surface(&self, [x, y]: Point) -> f32 {
        let Skull { centre, radii, bulge, .. } = self.skull;
        let (u, v) = ((x - centre[0]) / (1.25 * radii[0]), (y - centre[1]) / (1.2 * radii[1]));
        radii[0] * (0.36 + 0.6 * bulge * (1.0 - u * u - v * v).max(-0.2))
    }

    /// What jaw and cheeks add: the chin drops, a smile lifts the cheeks.
    fn features(&self, [x, y]: Point) -> Point {
        let Skull { centre, radii, mouth, .. } = self.skull;
        let side = ((x - centre[0]) / (1.2 * radii[0])).powi(2).min(1.0);
        let low = smooth((y - mouth[1]) / (0.30 * radii[1]));
        let cheeks = bump((x - mouth[0]).abs() - 0.5 * radii[0], 0.28 * radii[0])
            * bump(y - (mouth[1] - 0.28 * radii[1]), 0.2 * radii[1]);
        [0.0, 0.104 * radii[1] * self.jaw * low * (1.0 - side) - 0.02 * radii[1] * (self.smile - 0.3) * cheeks]
    }

    fn brow(&self, motion: &Motion, side: usize, [x, _]: Point) -> Point {
        // 0 at the outer end, 1 at the inner one.
        let along = ((x - motion.ends[0]) / (motion.ends[1] - motion.ends[0]).max(1.0)).clamp(0.0, 1.0);
        let (inner, inwards) = if side == 0 { (along, 1.0) } else { (1.0 - along, -1.0) };
        let unit = self.skull.radii[1] / 125.0;
        let sad = (-self.smile).max(0.0) * self.skull.brows;
        let lift = -8.5 * self.brows[side] * (0.75 + 0.5 * along * (1.0 - along) * 2.0) - 9.0 * sad * (inner - 0.35);
        let knit = self.frown * self.skull.brows;
        [unit * inwards * 4.0 * knit * (0.3 + 0.7 * inner), unit * (lift + knit * (8.0 * inner * inner - 1.0))]
    }

    /// Neck and shoulders: the neck's upper end goes with the head, the shoulders only breathe.
    fn body(&self, seen: Point) -> Point {
        let Skull { pivot, centre, .. } = self.skull;
        let below = seen[1] - pivot[1];
        let hold = 1.0 - smooth((below + 26.0) / 84.0);
        let [x, y] = self.unrolled(seen, hold * 0.9);
        let lift = 2.2 * self.breath * smooth((below - 2.0) / 50.0);
        let turn = [hold * 14.0 * self.yaw + (1.0 - hold) * 5.0 * self.yaw, hold * -10.0 * self.pitch];
        let wide = 1.0 + 0.006 * self.breath * smooth((below - 32.0) / 60.0);
        [(x - turn[0] - centre[0]) / wide + centre[0], y - turn[1] + lift]
    }

    /// Takes back shift and roll of the head, as far as `hold` says that they are felt.
    fn unrolled(&self, [x, y]: Point, hold: f32) -> Point {
        let pivot = self.skull.pivot;
        // For 8 degrees the chord differs from the arc by less than a thousandth.
        let (sin, cos) = (self.tilt[0] * hold, 1.0 + (self.tilt[1] - 1.0) * hold * hold);
        let (dx, dy) = (x - pivot[0] - self.offset[0] * hold, y - pivot[1] - self.offset[1] * hold);
        [pivot[0] + cos * dx + sin * dy, pivot[1] - sin * dx + cos * dy]
    }

    /// The point whose place after turning, and after `extra`, is `seen`. Flat layers take two `rounds`, bent ones
    /// four.
    #[inline(always)]
    fn solve(&self, seen: Point, rounds: u8, depth: impl Fn(Point) -> f32, extra: impl Fn(Point) -> Point) -> Point {
        let from = self.unrolled(seen, 1.0);
        let centre = self.skull.centre;
        let mut p = from;
        // The displacement changes slowly with place, so this closes in by a factor of two or more each time.
        for _ in 0..rounds {
            let (z, more) = (depth(p), extra(p));
            p = [
                from[0] - z * self.yaw - (p[0] - centre[0]) * self.yaw_narrow - more[0],
                from[1] + z * self.pitch - (p[1] - centre[1]) * self.pitch_narrow - more[1],
            ];
        }
        p
    }
}

fn add(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1]]
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
