//! Long hair: a fringe parted on the side, waves beside the face, a mass behind the neck.

use super::lock::Lock;
use super::paint::{Canvas, Ink, Mix, Stencil};
use super::palette::Palette;
use super::shape::{Point, Spline, path, taper};
use crate::face::noise::Dice;
use tiny_skia::{Path, Pixmap};

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
pub fn front(p: &Palette) -> Pixmap {
    let mut canvas = Canvas::new();
    let mut dice = Dice::new(21);
    for lock in falls() {
        lock.paint(p, &mut canvas, &mut dice);
    }
    for lock in sweeps() {
        canvas.shade(&lock.outline(), 6.0, p.hair_dark.a(0.5));
        lock.paint(p, &mut canvas, &mut dice);
    }
    let parting = Spline(vec![[234.0, 51.0], [231.0, 66.0], [231.0, 86.0]]);
    canvas.shade(&parting.strand(0.0, 1.0, |t| 2.0 * taper(t, 0.6)), 1.6, p.hair_dark.a(0.75));
    for points in LOOSE {
        canvas.fill(&Spline(points.to_vec()).strand(0.0, 1.0, |t| 0.8 * taper(t, 0.3)), p.hair.a(0.55));
    }
    canvas.finish()
}

/// Hair behind head and neck.
pub fn back(p: &Palette) -> Pixmap {
    let mut canvas = Canvas::new();
    let mass = path(
        "M 256 60 C 180 60 126 114 120 214 C 116 290 112 340 132 392 C 150 412 190 402 222 398 L 290 398 C 322 402 362 412 380 392 C 400 340 396 290 392 214 C 386 114 332 60 256 60 Z",
    );
    canvas.fill(
        &mass,
        Ink::vertical(120.0, 400.0, &[(0.0, p.hair), (0.6, p.hair_dark.mix(p.hair, 0.45)), (1.0, p.hair_dark)]),
    );
    let mut dice = Dice::new(5);
    for side in [-1.0_f32, 1.0] {
        for _ in 0..30 {
            let x = 256.0 + side * dice.between(60.0, 136.0);
            let strand =
                Spline(vec![[x, 210.0], [x + side * 2.0, 280.0], [x - side * 2.0, 340.0], [x - side * 14.0, 402.0]]);
            let width = dice.between(1.0, 3.5);
            let colour = if dice.chance(0.5) { p.hair_mid } else { p.hair_dark };
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
        p.hair_dark.a(0.75),
        Mix::Atop,
    );
    canvas.finish()
}

/// The fringe's shapes, for their shadow on the face.
pub fn shadows() -> Vec<Path> {
    sweeps().into_iter().chain(falls()).map(|l| l.outline()).collect()
}
