//! Hair: locks between two guide curves, filled with strands that follow them, lit by a band across.

use super::paint::{Canvas, Ink, Mix, Stencil};
use super::palette as p;
use super::shape::{Point, Spline, path, taper};
use crate::face::noise::Dice;
use tiny_skia::{Path, Pixmap};

/// A mass of hair between two curves that run from root to tip.
struct Lock {
    inner: Spline,
    outer: Spline,
    /// Tufts that it parts into at its end.
    tufts: usize,
    /// Where along it the light is brightest, 0 to 1, and how bright.
    shine: f32,
    bright: f32,
    /// Darker as it lies deeper, 0 to 1.
    deep: f32,
}

/// Where along a lock its tufts part, 0 to 1.
const PARTING: f32 = 0.72;

impl Lock {
    fn new<const N: usize>(inner: [Point; N], outer: [Point; N]) -> Self {
        let (inner, outer) = (Spline(inner.to_vec()), Spline(outer.to_vec()));
        Self { inner, outer, tufts: 5, shine: 0.34, bright: 1.0, deep: 0.0 }
    }

    fn mirrored(mut self) -> Self {
        for spline in [&mut self.inner, &mut self.outer] {
            spline.0.iter_mut().for_each(|p| p[0] = 512.0 - p[0]);
        }
        self
    }

    fn outline(&self) -> Path {
        self.inner.enclosing(&self.outer)
    }

    /// The width at a place along it.
    fn width(&self, t: f32) -> f32 {
        let ([a, b], [c, d]) = (self.inner.at(t), self.outer.at(t));
        (a - c).hypot(b - d)
    }

    /// Paints the mass, then strands from broad and dark to fine and light.
    fn paint(&self, canvas: &mut Canvas, dice: &mut Dice) {
        let mut own = Canvas::new();
        let ends = [self.outer.at(0.0)[1], self.outer.at(0.5)[1], self.outer.at(1.0)[1]];
        let (top, bottom) =
            (ends.iter().copied().fold(f32::MAX, f32::min), ends.iter().copied().fold(f32::MIN, f32::max));
        let dark = |c: super::palette::Colour| c.mix(p::hair_dark(), self.deep);
        let ink = Ink::vertical(
            top,
            bottom,
            &[(0.0, dark(p::hair_mid())), (0.45, dark(p::hair())), (1.0, dark(p::hair().mix(p::hair_dark(), 0.35)))],
        );
        // The mass runs out to a point inside of the tufts, which carry its outline on to their tips.
        let tufts_from = PARTING - 0.16;
        let drawn_in = |t: f32| {
            0.03 * (t / tufts_from).min(1.0) + 0.42 * ((t - tufts_from) / (0.94 - tufts_from)).max(0.0).powi(2)
        };
        let side = |near: &Spline, far: &Spline| {
            let at = |i: i32| i as f32 / 24.0 * 0.94;
            Spline((0..=24).map(|i| near.mix(far, drawn_in(at(i))).at(at(i))).collect())
        };
        own.fill(&side(&self.inner, &self.outer).enclosing(&side(&self.outer, &self.inner)), ink.clone());
        let share = 1.0 / self.tufts as f32;
        let first = 0.03 + 0.58 * share;
        for i in 0..self.tufts {
            let u = if self.tufts > 1 { first + (1.0 - 2.0 * first) * i as f32 / (self.tufts - 1) as f32 } else { 0.5 };
            let spine = self.inner.mix(&self.outer, u);
            let end = if self.tufts > 1 { dice.between(0.95, 1.0) } else { 1.0 };
            let half = |s: f32| {
                let t = tufts_from + (end - tufts_from) * s;
                0.58 * share * self.width(t.min(PARTING)) * (1.0 - s.powf(2.2)).max(0.0) * (s / 0.2).min(1.0).sqrt()
            };
            own.fill(&spine.strand(tufts_from, end, half), ink.clone());
        }
        for i in 0..24 {
            let strand = self.inner.mix(&self.outer, (i as f32 + dice.unit()) / 24.0);
            let (width, from) = (dice.between(1.5, 4.5), dice.between(0.0, 0.25));
            let colour = if i % 2 == 0 { p::hair_dark() } else { dark(p::hair_mid()) };
            let shape = strand.strand(from, dice.between(0.75, 1.0), |t| width * taper(t, 0.4));
            own.shade(&shape, 0.8, colour.a(dice.between(0.15, 0.4)));
        }
        for _ in 0..30 {
            let strand = self.inner.mix(&self.outer, dice.between(0.04, 0.97));
            let length = dice.between(0.10, 0.26);
            let from = (self.shine + dice.between(-0.06, 0.06) - length / 2.0).max(0.01);
            let width = dice.between(0.7, 2.8);
            let shape = strand.strand(from, (from + length).min(0.99), |t| width * taper(t, 0.5));
            own.shade(&shape, 1.0, p::hair_light().a(self.bright * dice.between(0.15, 0.45)));
        }
        for _ in 0..8 {
            let strand = self.inner.mix(&self.outer, dice.between(0.05, 0.95));
            let from = dice.between(0.35, 0.66);
            let shape = strand.strand(from, from + dice.between(0.2, 0.3), |t| 0.9 * taper(t, 0.5));
            own.shade(&shape, 0.6, p::hair_light().a(self.bright * 0.3));
        }
        // The side towards the face lies in shade.
        let edge = self.inner.strand(0.08, 1.0, |t| 4.0 * taper(t, 0.6));
        own.shade(&edge, 3.0, p::hair_dark().a(0.5));
        canvas.stack(&own);
    }
}

/// The fringe's two sweeps from the parting, left and right, over forehead and temples.
fn sweeps() -> [Lock; 2] {
    let mut left = Lock::new(
        [[233.0, 84.0], [224.0, 112.0], [204.0, 140.0], [184.0, 168.0], [171.0, 206.0], [161.0, 240.0], [143.0, 272.0]],
        [[239.0, 44.5], [192.0, 50.0], [151.0, 82.0], [128.0, 132.0], [120.0, 186.0], [121.0, 236.0], [136.0, 278.0]],
    );
    left.tufts = 2;
    left.bright = 1.15;
    let mut right = Lock::new(
        [[229.0, 84.0], [244.0, 116.0], [280.0, 146.0], [318.0, 170.0], [341.0, 208.0], [353.0, 244.0], [371.0, 276.0]],
        [[230.0, 45.0], [286.0, 45.5], [348.0, 74.0], [384.0, 126.0], [394.0, 184.0], [392.0, 236.0], [377.0, 282.0]],
    );
    right.tufts = 3;
    [left, right]
}

/// Waves that fall beside the face to the shoulders, the rear ones first.
fn falls() -> Vec<Lock> {
    let mut falls = Vec::new();
    for mirror in [true, false] {
        let mut rear = Lock::new(
            [
                [322.0, 96.0],
                [342.0, 160.0],
                [346.0, 215.0],
                [343.0, 262.0],
                [350.0, 310.0],
                [338.0, 356.0],
                [330.0, 400.0],
            ],
            [
                [348.0, 86.0],
                [380.0, 150.0],
                [393.0, 210.0],
                [402.0, 262.0],
                [409.0, 315.0],
                [402.0, 364.0],
                [362.0, 414.0],
            ],
        );
        (rear.deep, rear.bright, rear.shine, rear.tufts) = (0.35, 0.5, 0.60, 2);
        let mut front = Lock::new(
            [[332.0, 130.0], [344.0, 190.0], [343.0, 240.0], [346.0, 290.0], [336.0, 338.0], [312.0, 384.0]],
            [[370.0, 130.0], [388.0, 190.0], [390.0, 244.0], [396.0, 296.0], [380.0, 352.0], [326.0, 406.0]],
        );
        (front.deep, front.bright, front.shine, front.tufts) = (0.1, 0.8, 0.56, 1);
        for lock in [rear, front] {
            falls.push(if mirror { lock.mirrored() } else { lock });
        }
    }
    falls
}

/// Single hairs that left their lock.
const LOOSE: [[Point; 4]; 4] = [
    [[386.0, 150.0], [396.0, 200.0], [401.0, 240.0], [410.0, 276.0]],
    [[126.0, 150.0], [117.0, 200.0], [111.0, 240.0], [103.0, 278.0]],
    [[345.0, 250.0], [339.0, 282.0], [335.0, 312.0], [322.0, 344.0]],
    [[166.0, 240.0], [173.0, 282.0], [174.0, 318.0], [188.0, 348.0]],
];

/// Hair in front of the face.
pub fn front() -> Pixmap {
    let mut canvas = Canvas::new();
    let mut dice = Dice::new(21);
    for lock in falls() {
        lock.paint(&mut canvas, &mut dice);
    }
    for lock in sweeps() {
        canvas.shade(&lock.outline(), 6.0, p::hair_dark().a(0.5));
        lock.paint(&mut canvas, &mut dice);
    }
    let parting = Spline(vec![[234.0, 51.0], [231.0, 66.0], [231.0, 86.0]]);
    canvas.shade(&parting.strand(0.0, 1.0, |t| 2.0 * taper(t, 0.6)), 1.6, p::hair_dark().a(0.75));
    for points in LOOSE {
        canvas.fill(&Spline(points.to_vec()).strand(0.0, 1.0, |t| 0.8 * taper(t, 0.3)), p::hair().a(0.55));
    }
    canvas.finish()
}

/// Hair behind head and neck.
pub fn back() -> Pixmap {
    let mut canvas = Canvas::new();
    let mass = path(
        "M 256 60 C 180 60 126 114 120 214 C 116 290 112 340 132 392 C 150 412 190 402 222 398 L 290 398 C 322 402 362 412 380 392 C 400 340 396 290 392 214 C 386 114 332 60 256 60 Z",
    );
    canvas.fill(
        &mass,
        Ink::vertical(
            120.0,
            400.0,
            &[(0.0, p::hair()), (0.6, p::hair_dark().mix(p::hair(), 0.45)), (1.0, p::hair_dark())],
        ),
    );
    let mut dice = Dice::new(5);
    for side in [-1.0_f32, 1.0] {
        for _ in 0..30 {
            let x = 256.0 + side * dice.between(60.0, 136.0);
            let strand =
                Spline(vec![[x, 210.0], [x + side * 2.0, 280.0], [x - side * 2.0, 340.0], [x - side * 14.0, 402.0]]);
            let width = dice.between(1.0, 3.5);
            let colour = if dice.chance(0.5) { p::hair_mid() } else { p::hair_dark() };
            canvas.shade(
                &strand.strand(dice.between(0.0, 0.3), 1.0, |t| width * taper(t, 0.5)),
                0.9,
                colour.a(dice.between(0.12, 0.35)),
            );
        }
    }
    // Deep shade behind the neck.
    canvas.paint(
        &Stencil::new(&path("M 176 250 L 336 250 L 346 410 L 166 410 Z"), 14.0),
        p::hair_dark().a(0.75),
        Mix::Atop,
    );
    canvas.finish()
}

/// The fringe's shapes, for their shadow on the face.
pub fn shadows() -> Vec<Path> {
    sweeps().into_iter().chain(falls()).map(|l| l.outline()).collect()
}
