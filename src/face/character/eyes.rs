//! Eyes with lids and lashes, and brows: painted anew for each picture.
//!
//! Drawn for the picture's left eye, around its own centre with the outer corner to the left; the right eye is
//! the mirror image but for the light in it.

use super::look::{EyeShape, Look};
use super::palette::Palette;
use super::shape::{Cubic, Point, between, ellipse, moved, ribbon, taper};
use super::stage::{Stage, flat, glow, linear, radial, vertical};
use crate::face::Pose;
use tiny_skia::{Path, Pixmap, Transform};

/// Centres of the left and right eye.
const CENTRES: [Point; 2] = [[213.0, 222.0], [299.0, 222.0]];
/// Pixels that the iris moves for a degree of gaze.
const TRAVEL: [f32; 2] = [0.46, 0.40];

/// The two eyes with their brows.
#[derive(Clone, Debug)]
pub struct Eyes {
    stages: [Stage; 2],
}

impl Eyes {
    pub fn new() -> Self {
        Self { stages: CENTRES.map(|[x, y]| Stage::new(x - 47.0, y - 58.0, 94.0, 84.0)) }
    }

    /// Paints both on `skin` and puts them into `face`.
    pub fn draw(&mut self, look: &Look, pose: &Pose, skin: &Pixmap, face: &mut Pixmap) {
        for (i, stage) in self.stages.iter_mut().enumerate() {
            stage.load(skin);
            Eye::new(look, i, pose).draw(stage);
            stage.store(face);
        }
    }
}

/// One eye in one pose; its curves are in its own coordinates.
struct Eye<'a> {
    p: &'a Palette,
    shape: &'a EyeShape,
    place: Transform,
    /// 1 for the left eye, -1 for the right: where the outside is not.
    side: f32,
    shut: f32,
    iris: Point,
    brow: f32,
    frown: f32,
    upper: Cubic,
    lower: Cubic,
    crease: Cubic,
}

impl<'a> Eye<'a> {
    fn new(look: &'a Look, index: usize, pose: &Pose) -> Self {
        let [cx, cy] = CENTRES[index];
        let side = if index == 0 { 1.0 } else { -1.0 };
        let shut = pose.lids[index].clamp(-0.3, 1.0);
        let shape = &look.eyes;
        let cheek = 1.6 * pose.smile.max(0.0);
        let shut_upper = Cubic([[-25.0, 3.5], [-14.0, 12.0], [10.0, 12.5], [22.5, 6.5]]);
        let mut open_lower = shape.lower;
        open_lower.0[1][1] -= cheek;
        open_lower.0[2][1] -= cheek;
        let shut_lower = shut_upper.shifted(0.0, 0.4);
        let shut_crease = Cubic([[-27.5, 1.0], [-18.0, -17.0], [12.0, -18.0], [22.5, 4.0]]);
        Self {
            p: &look.palette,
            shape,
            place: Transform::from_row(side * shape.large, 0.0, 0.0, shape.large, cx, cy),
            side,
            shut,
            iris: [side * pose.gaze[0] * TRAVEL[0] + 0.6, -pose.gaze[1] * TRAVEL[1] - 0.4],
            brow: pose.brows[index],
            frown: pose.frown,
            upper: shape.upper.mix(&shut_upper, shut),
            lower: open_lower.mix(&shut_lower, shut.max(0.0).powi(2)),
            crease: shape.crease.mix(&shut_crease, shut.max(0.0)),
        }
    }

    fn put(&self, path: &Path) -> Path {
        moved(path, self.place)
    }

    /// A point of the eye in the picture.
    fn spot(&self, [x, y]: Point) -> Point {
        [self.place.tx + self.side * self.shape.large * x, self.place.ty + self.shape.large * y]
    }

    fn draw(&self, stage: &mut Stage) {
        self.lid(stage);
        if self.shut < 0.97 {
            self.ball(stage);
        }
        self.lashes(stage);
        self.brow(stage);
    }

    /// The skin of the upper lid and the crease above it.
    fn lid(&self, stage: &mut Stage) {
        let [_, cy] = CENTRES[0];
        let lid = self.put(&between(&self.crease, &self.upper));
        stage.fill(
            &lid,
            vertical(cy - 22.0, cy + 4.0, &[(0.0, self.p.skin_warm.a(0.25)), (1.0, self.p.skin_shade.a(0.55))]),
        );
        let crease = self.put(&ribbon(&self.crease, |t| 1.25 * taper(t, 0.5)));
        stage.fill(&crease, flat(self.p.skin_deep.a(0.62)));
    }

    fn ball(&self, stage: &mut Stage) {
        let opening = self.put(&between(&self.upper, &self.lower));
        let [cx, cy] = self.spot([0.0, 0.0]);
        stage.fill(
            &opening,
            vertical(
                cy - 15.0,
                cy + 12.0,
                &[
                    (0.0, self.p.sclera_shade),
                    (0.42, self.p.sclera.mix(self.p.sclera_shade, 0.12)),
                    (0.8, self.p.sclera),
                    (1.0, self.p.sclera.mix(self.p.blush, 0.18)),
                ],
            ),
        );
        stage.clip(&opening);
        // The ball turns away from the light at its corners.
        for x in [-26.0, 25.0] {
            let at = self.spot([x, 4.0]);
            stage.fill_clipped(&ellipse(at[0], at[1], 12.0, 14.0), glow(at, [12.0, 14.0], self.p.skin_deep.a(0.42)));
        }
        let corner = self.spot([21.5, 6.5]);
        stage
            .fill_clipped(&ellipse(corner[0], corner[1], 4.5, 3.4), glow(corner, [4.5, 3.4], self.p.lip_lower.a(0.85)));
        self.iris(stage);
        // Shadow of the lid and its lashes on the ball.
        let shadow = self.put(&between(&self.upper.shifted(0.0, -2.0), &self.upper.shifted(0.0, 7.0)));
        stage.fill_clipped(
            &shadow,
            vertical(cy - 16.0, cy + 1.0, &[(0.0, self.p.lash.a(0.62)), (1.0, self.p.lash.a(0.10))]),
        );
        let light = [cx - 5.0 + 0.3 * self.side * self.iris[0], cy - 6.0 + 0.3 * self.iris[1]];
        // Lashes that come down take the light away.
        let bright = 1.0 - ((self.shut - 0.25) / 0.4).clamp(0.0, 1.0);
        stage.fill_clipped(&ellipse(light[0], light[1], 4.1, 4.4), flat(self.p.sclera.a(0.96 * bright)));
        let glint = [light[0] + 10.0, light[1] + 10.5];
        stage.fill_clipped(&ellipse(glint[0], glint[1], 1.9, 1.8), flat(self.p.sclera.a(0.6 * bright)));
        // The wet line where the lower lid meets the ball.
        let wet = self.put(&ribbon(&self.lower.shifted(0.0, -0.5), |t| 0.9 * taper(t, 0.5)));
        stage.fill(&wet, flat(self.p.skin_light.mix(self.p.blush, 0.35).a(0.9)));
    }

    fn iris(&self, stage: &mut Stage) {
        let [x, y] = self.spot(self.iris);
        let (iris, pupil) = (self.shape.iris, self.shape.pupil);
        let disc = |r: f32| ellipse(x, y, r, r);
        stage.fill_clipped(
            &disc(iris + 0.7),
            radial(
                [x, y],
                [iris + 0.7; 2],
                &[(0.0, self.p.iris_rim), (0.92, self.p.iris_rim), (1.0, self.p.iris_rim.a(0.0))],
            ),
        );
        stage.fill_clipped(
            &disc(iris - 1.6),
            vertical(y - iris, y + iris, &[(0.0, self.p.iris_rim), (0.45, self.p.iris), (0.95, self.p.iris_light)]),
        );
        let low = [x, y + 6.0];
        stage.fill_clipped(&disc(iris - 1.8), glow(low, [10.5, 7.5], self.p.iris_light.a(0.75)));
        stage.fill_clipped(
            &disc(pupil),
            radial([x, y], [pupil; 2], &[(0.0, self.p.lash), (0.86, self.p.lash), (1.0, self.p.lash.a(0.0))]),
        );
    }

    fn lashes(&self, stage: &mut Stage) {
        let line = self.put(&ribbon(&self.upper.shifted(0.0, -0.4), |t| {
            0.7 + self.shape.line * taper(t, 0.35) * (1.0 - 0.45 * t)
        }));
        stage.fill(&line, flat(self.p.lash));
        let wide = self.shut.clamp(0.0, 1.0);
        // Strands at the outer third, upwards when open and downwards when shut.
        for (t, length, lean) in self.shape.lashes.iter().copied() {
            let [x, y] = self.upper.at(t);
            let rise = -0.75 + 1.35 * wide;
            let tip = [x - length * lean, y + length * rise];
            let middle = [x - length * lean * 0.35, y + length * rise * 0.35 + 1.6];
            let strand = Cubic([
                [x + 0.4, y],
                middle,
                [0.5 * (middle[0] + tip[0]) - 0.8, 0.5 * (middle[1] + tip[1]) + 0.6],
                tip,
            ]);
            stage.fill(&self.put(&ribbon(&strand, |s| 1.5 * (1.0 - s).powf(0.9) + 0.1)), flat(self.p.lash));
        }
        let lower = self.put(&ribbon(&self.lower.shifted(0.0, 0.8), |t| 0.75 * taper(t, 0.25)));
        stage.fill(&lower, flat(self.p.lash.a(self.shape.lower_line)));
    }

    fn brow(&self, stage: &mut Stage) {
        let up = -6.0 * self.brow;
        let knit = self.frown;
        let [outer, arch, middle, inner] = self.shape.brow.0;
        let spine = Cubic([
            [outer[0], outer[1] + up * 0.7],
            [arch[0], arch[1] + up * 1.1 + 0.5 * knit],
            [middle[0], middle[1] + up + 1.5 * knit],
            [inner[0] + 2.5 * knit, inner[1] + up * 0.8 + 3.5 * knit],
        ]);
        // Full from the inner end to the arch, then it runs out.
        let half =
            |t: f32| 0.35 + self.shape.brow_half * (t / 0.62).min(1.0).powf(0.8) * ((1.0 - t) / 0.10).min(1.0).sqrt();
        let band = self.put(&ribbon(&spine, half));
        let (from, to) = (self.spot([-30.0, 0.0]), self.spot([25.0, 0.0]));
        stage.fill(
            &band,
            linear(
                from,
                to,
                &[
                    (0.0, self.p.brow.a(0.85)),
                    (0.6, self.p.brow.a(0.88)),
                    (0.86, self.p.brow.a(0.55)),
                    (1.0, self.p.brow.a(0.12)),
                ],
            ),
        );
        // A darker heart, so that it reads as hair and not as a bar.
        let heart = self.put(&ribbon(&spine.shifted(0.0, 0.5), |t| 0.55 * half(t) * (1.0 - t * t)));
        stage.fill(&heart, flat(self.p.hair_dark.a(0.45)));
    }
}
