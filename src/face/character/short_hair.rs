//! Short hair parted on the side and swept over, with the ears below it.

use super::lock::Lock;
use super::paint::{Canvas, Ink};
use super::palette::Palette;
use super::shape::{CENTRE_X, Spline, ellipse, mirrored, path, taper};
use crate::face::noise::Dice;
use tiny_skia::{Path, Pixmap};

/// The picture's left ear.
const EAR: &str = "M 180 216 C 172 200 154 193 146 203 C 139 214 144 236 149 250 C 152 263 159 274 168 272 C 176 270 180 258 182 248 Z";

/// Cropped hair on the left side, round the ear and down to the sideburn.
const SIDE: &str = "M 206 116 C 195 142 185 164 180 188 C 176 202 175 222 174 240 L 166 243 C 166 228 165 214 159 204 C 155 199 150 197 149 190 C 147 160 152 122 178 84 Z";

/// The front: from the hairline up and over to the left, its inner curve at the temple, its outer one at the parting.
fn quiff() -> Lock {
    let mut quiff = Lock::new(
        [[196.0, 132.0], [190.0, 127.0], [182.0, 129.0], [174.0, 138.0], [168.0, 151.0], [162.0, 168.0]],
        [[308.0, 128.0], [308.0, 88.0], [280.0, 52.0], [226.0, 42.0], [178.0, 66.0], [151.0, 140.0]],
    );
    (quiff.tufts, quiff.shine, quiff.bright) = (2, 0.42, 1.15);
    quiff
}

/// From the parting and the hairline up and over the head, the rear ones first.
fn sweeps() -> [Lock; 5] {
    let mut far = Lock::new(
        [[304.0, 126.0], [316.0, 127.0], [327.0, 135.0], [335.0, 150.0], [341.0, 182.0]],
        [[300.0, 58.0], [328.0, 66.0], [345.0, 94.0], [352.0, 134.0], [355.0, 186.0]],
    );
    (far.tufts, far.deep, far.bright) = (2, 0.25, 0.7);
    let mut crown = Lock::new(
        [[306.0, 108.0], [286.0, 88.0], [254.0, 80.0], [220.0, 88.0], [190.0, 110.0], [172.0, 150.0]],
        [[324.0, 66.0], [292.0, 47.0], [252.0, 41.0], [208.0, 48.0], [170.0, 76.0], [151.0, 146.0]],
    );
    (crown.tufts, crown.shine, crown.deep, crown.bright) = (2, 0.5, 0.2, 0.8);
    let quiff = quiff();
    [far, crown, quiff.slice(0.60, 1.0), quiff.slice(0.28, 0.68), quiff.slice(0.0, 0.36)]
}

/// Hair in front of the face.
pub fn front(p: &Palette) -> Pixmap {
    let mut canvas = Canvas::new();
    let mut dice = Dice::new(33);
    let side = path(SIDE);
    cropped(p, &side, 1.0, &mut canvas, &mut dice);
    cropped(p, &mirrored(&side), -1.0, &mut canvas, &mut dice);
    for lock in sweeps() {
        canvas.shade(&lock.outline(), 5.0, p.hair_dark.a(0.5));
        lock.paint(p, &mut canvas, &mut dice);
    }
    roots(p, &mut canvas, &mut dice);
    canvas.finish()
}

/// One side, which `side` places as [`SIDE`] (1) or its mirror image (-1): short hairs that lie backwards and down.
fn cropped(p: &Palette, shape: &Path, side: f32, canvas: &mut Canvas, dice: &mut Dice) {
    let at = |x: f32| CENTRE_X + side * (x - CENTRE_X);
    let mut own = Canvas::new();
    own.fill(
        shape,
        Ink::vertical(
            90.0,
            246.0,
            &[(0.0, p.hair), (0.6, p.hair.mix(p.hair_dark, 0.35)), (0.8, p.hair), (1.0, p.hair.a(0.25))],
        ),
    );
    let lit = if side > 0.0 { 0.26 } else { 0.14 };
    for _ in 0..170 {
        let (x, y) = (dice.between(146.0, 190.0), dice.between(100.0, 236.0));
        let length = dice.between(12.0, 26.0);
        let hair = Spline(vec![[at(x), y], [at(x - 2.5), y + 0.5 * length], [at(x - 3.5), y + length]]);
        let width = dice.between(0.4, 1.0);
        let colour = if dice.chance(0.55) { p.hair_light } else { p.hair_dark };
        own.shade(&hair.strand(0.0, 1.0, |t| width * taper(t, 0.4)), 0.7, colour.a(lit * dice.between(0.3, 1.0)));
    }
    // The head turns away from the light at its edge, and the hair thins towards the face.
    let edge = Spline(vec![[at(176.0), 84.0], [at(150.0), 140.0], [at(147.0), 196.0]]);
    own.shade(&edge.strand(0.0, 1.0, |_| 5.0), 4.0, p.hair_dark.a(0.6));
    for i in 0..38 {
        let y = 126.0 + 2.4 * i as f32;
        let x = 200.0 - 21.0 * ((y - 126.0) / 62.0).min(1.0) - 4.0 * ((y - 188.0) / 50.0).max(0.0);
        let hair = Spline(vec![[at(x + dice.between(-0.5, 2.0)), y], [at(x - 3.0), y + 7.0], [at(x - 6.0), y + 13.0]]);
        canvas.fill(&hair.strand(0.0, 1.0, |t| 0.8 * taper(t, 0.5)), p.hair.a(0.55));
    }
    canvas.stack(&own);
}

/// Single hairs along the hairline, which hide where the locks begin.
fn roots(p: &Palette, canvas: &mut Canvas, dice: &mut Dice) {
    let quiff = quiff();
    for i in 0..150 {
        let u = (i as f32 + dice.unit()) / 150.0;
        let [x, y] = quiff.along(u).at(0.0);
        // The hairline is lower in the middle than at the temples.
        let wave = 1.3 * (9.0 * u).sin() + (23.0 * u + 1.0).sin();
        let low = 9.0 * (std::f32::consts::PI * u).sin().max(0.0).powf(0.7) + wave + dice.between(0.0, 1.6);
        let to = [0.04, 0.1, dice.between(0.14, 0.24)].map(|t| quiff.along(u).at(t));
        let hair = Spline(vec![[x - 1.0, y + low], [x, y], to[0], to[1], to[2]]);
        let colour = p.hair_dark.mix(p.hair, dice.unit());
        let width = dice.between(0.9, 1.6);
        canvas.fill(&hair.strand(0.0, 1.0, |t| width * taper(t, 0.15)), colour.a(0.85));
    }
}

/// The skull's hair seen behind the rest when the head turns, the side of the head, the ears.
pub fn back(p: &Palette) -> Pixmap {
    let mut canvas = Canvas::new();
    let skull = path(
        "M 256 48 C 196 48 158 88 151 150 C 149 190 152 220 164 250 L 348 250 C 360 220 363 190 361 150 C 354 88 316 48 256 48 Z",
    );
    canvas.fill(&skull, Ink::vertical(60.0, 240.0, &[(0.0, p.hair), (1.0, p.hair_dark)]));
    let side = path("M 170 196 C 165 226 165 256 170 270 C 174 283 186 297 206 306 L 216 306 L 216 190 Z");
    canvas.fill(&side, p.skin_warm.mix(p.skin_shade, 0.5));
    canvas.fill(&mirrored(&side), p.skin_shade.mix(p.skin_warm, 0.35));
    let ear = path(EAR);
    for (ear, x) in [(ear.clone(), 1.0), (mirrored(&ear), -1.0)] {
        one_ear(p, &ear, x, &mut canvas);
    }
    canvas.finish()
}

/// `side` is 1 for the left ear, which faces the light, -1 for the right one.
fn one_ear(p: &Palette, ear: &Path, side: f32, canvas: &mut Canvas) {
    let at = |x: f32| CENTRE_X + side * (x - CENTRE_X);
    let mut own = Canvas::new();
    let dim = if side > 0.0 { 0.0 } else { 0.3 };
    let base = p.skin.mix(p.skin_warm, 0.35).mix(p.skin_shade, dim);
    own.fill(ear, Ink::vertical(198.0, 270.0, &[(0.0, base), (0.6, base), (1.0, base.mix(p.skin_warm, 0.6))]));
    let hollow = path("M 174 218 C 165 203 154 201 151 211 C 149 223 154 239 158 249 C 163 255 172 248 178 238 Z");
    own.shade(&if side > 0.0 { hollow.clone() } else { mirrored(&hollow) }, 2.4, p.skin_shade.a(0.75));
    own.shade(&ellipse(at(163.0), 236.0, 5.0, 9.0), 2.2, p.skin_deep.a(0.6));
    let helix = Spline(vec![
        [at(170.0), 203.0],
        [at(157.0), 197.0],
        [at(148.0), 206.0],
        [at(149.0), 228.0],
        [at(153.0), 250.0],
    ]);
    own.shade(&helix.strand(0.0, 1.0, |t| 1.8 * taper(t, 0.4)), 1.3, p.skin_light.a(0.75 - 1.2 * dim));
    let inner = Spline(vec![[at(166.0), 210.0], [at(157.0), 218.0], [at(158.0), 232.0]]);
    own.shade(&inner.strand(0.0, 1.0, |t| 1.5 * taper(t, 0.5)), 1.2, p.skin_light.a(0.5 - dim));
    own.shade(&ellipse(at(160.0), 263.0, 4.0, 4.0), 2.2, p.skin_light.a(0.5 - dim));
    // Where it meets the head.
    let root = Spline(vec![[at(175.0), 200.0], [at(172.0), 236.0], [at(174.0), 268.0]]);
    own.shade(&root.strand(0.0, 1.0, |_| 3.5), 2.5, p.skin_deep.a(0.5));
    canvas.stack(&own);
}

/// The hair's shapes, for their shadow on the face.
pub fn shadows() -> Vec<Path> {
    let side = path(SIDE);
    sweeps().iter().map(Lock::outline).chain([mirrored(&side), side]).collect()
}
