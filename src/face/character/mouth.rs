//! Lips, teeth and tongue: painted anew for each picture from the shape that speech and smile make.

use super::lipline::LipLine;
use super::look::{LipShape, Look};
use super::palette::Palette;
use super::shape::{CENTRE_X, ellipse};
use super::stage::{Stage, flat, glow, vertical};
use crate::face::{Mouth, Pose};
use tiny_skia::Pixmap;

#[derive(Clone, Debug)]
pub struct Lips {
    stage: Stage,
}

impl Lips {
    pub fn new(shape: LipShape) -> Self {
        Self { stage: Stage::new(CENTRE_X - 52.0, shape.middle - 30.0, 104.0, 68.0) }
    }

    /// Paints the mouth on `skin` and puts it into `face`.
    pub fn draw(&mut self, look: &Look, pose: &Pose, skin: &Pixmap, face: &mut Pixmap) {
        self.stage.load(skin);
        Shape::new(&look.palette, look.lips, &pose.mouth, pose.smile).draw(&mut self.stage);
        self.stage.store(face);
    }
}

/// The edges of the lips in one pose.
struct Shape<'a> {
    p: &'a Palette,
    mouth: Mouth,
    smile: f32,
    /// Half of the distance of the corners.
    half: f32,
    gap: f32,
    outer_upper: LipLine,
    inner_upper: LipLine,
    inner_lower: LipLine,
    outer_lower: LipLine,
}

impl<'a> Shape<'a> {
    fn new(p: &'a Palette, lips: LipShape, mouth: &Mouth, smile: f32) -> Self {
        let m = *mouth;
        let (cx, cy) = (CENTRE_X, lips.middle);
        let spread = (2.0 * (m.width - 0.5)).max(0.0);
        let narrow = (2.0 * (0.5 - m.width)).max(0.0);
        // Rounded lips cannot smile much.
        let smile = smile * (1.0 - 0.75 * m.round);
        let glad = smile.max(0.0);
        let half = 29.0 * lips.wide * (1.0 + 0.17 * spread - 0.13 * narrow - 0.42 * m.round) + 4.5 * glad;
        let gap = 23.0 * m.open;
        let corner = cy - lips.lift - 1.6 * (1.0 - m.round) - 7.0 * smile + 0.28 * gap;
        let round = (0.55 * m.open + 0.75 * m.round).min(1.0);
        let thin = 1.0 - 0.40 * m.press;
        let full = 1.0 + 0.32 * m.round - 0.14 * spread - 0.12 * glad;
        let upper = 7.6 * lips.full * thin * full * (1.0 - 0.12 * m.open);
        let lower = 10.6 * lips.full * thin * full * (1.0 - 0.5 * m.tuck) * (1.0 - 0.10 * m.open);
        let meet = cy + 1.0 + 1.2 * glad;
        let (top, bottom) = (meet - 0.30 * gap, meet + 0.70 * gap - 2.5 * m.tuck);
        let line = |reach: f32, y: f32, bow: f32, round: f32| LipLine {
            centre: cx,
            half: half + reach,
            corner,
            middle: y,
            bow,
            round,
        };
        Self {
            p,
            mouth: m,
            smile,
            half,
            gap,
            outer_upper: line(
                1.6 + 4.0 * m.round,
                top - upper + 1.6,
                2.2 * (1.0 - 0.55 * m.press) * (1.0 - 0.3 * m.round),
                0.15 + 0.75 * round,
            ),
            inner_upper: line(0.0, top, 0.0, round),
            inner_lower: line(0.0, bottom, 0.0, round),
            outer_lower: line(1.6 + 4.0 * m.round, bottom + lower, 0.0, 0.34 + 0.6 * round),
        }
    }

    fn draw(&self, stage: &mut Stage) {
        let cx = CENTRE_X;
        let (up, low, under) = (self.inner_upper.middle, self.inner_lower.middle, self.outer_lower.middle);
        self.shade(stage, under);
        let lower = self.inner_lower.area_to(&self.outer_lower);
        let deep = self.p.lip_lower.mix(self.p.lip_upper, 0.55);
        stage.fill(
            &lower,
            vertical(
                low - 1.0,
                under,
                &[
                    (0.0, deep),
                    (0.35, self.p.lip_lower),
                    (0.75, self.p.lip_lower),
                    (1.0, self.p.lip_lower.mix(self.p.skin_shade, 0.45)),
                ],
            ),
        );
        if self.gap > 0.3 {
            self.inside(stage, up, low);
        }
        if self.mouth.tuck > 0.1 {
            // Over the lower lip, below the upper one.
            self.upper_teeth(stage, up, low, self.mouth.tuck);
        }
        let top = self.outer_upper.middle - 2.0;
        let upper = self.outer_upper.area_to(&self.inner_upper);
        stage.fill(
            &upper,
            vertical(
                top,
                up + 1.0,
                &[
                    (0.0, self.p.lip_upper.mix(self.p.lip_lower, 0.5)),
                    (0.6, self.p.lip_upper),
                    (1.0, self.p.lip_upper.mix(self.p.lip_line, 0.35)),
                ],
            ),
        );
        let tall = (under - low).max(1.0);
        for (dx, wide, alpha) in [(-4.0, 0.38, 0.75), (8.0, 0.20, 0.35)] {
            let at = [cx + dx, low + 0.42 * tall];
            let size = [self.half * wide, 0.30 * tall];
            stage.fill(&ellipse(at[0], at[1], size[0], size[1]), glow(at, size, self.p.lip_light.a(alpha)));
        }
        let closed = (1.0 - self.gap / 3.0).clamp(0.0, 1.0);
        if closed > 0.0 {
            stage.fill(&self.inner_upper.stroke(&self.inner_lower, 1.25), flat(self.p.lip_line.a(0.85 * closed)));
        }
    }

    /// Shade of the lips on the skin: below the lower lip, in the corners, above the lip's bow.
    fn shade(&self, stage: &mut Stage, under: f32) {
        let cx = CENTRE_X;
        let below = [cx, under + 2.5];
        let size = [self.half * 0.85, 6.5];
        stage.fill(&ellipse(below[0], below[1], size[0], size[1]), glow(below, size, self.p.skin_shade.a(0.55)));
        for side in [-1.0, 1.0] {
            let at = [cx + side * (self.half + 2.0), self.inner_upper.corner - 0.4];
            let size = [5.5 + 1.5 * self.smile.max(0.0), 4.5];
            stage.fill(&ellipse(at[0], at[1], size[0], size[1]), glow(at, size, self.p.skin_deep.a(0.34)));
        }
    }

    fn inside(&self, stage: &mut Stage, up: f32, low: f32) {
        let cx = CENTRE_X;
        let m = &self.mouth;
        let hole = self.inner_upper.area_to(&self.inner_lower);
        let throat = self.p.mouth_dark.mix(self.p.mouth_red, 0.4);
        stage.fill(&hole, vertical(up, low, &[(0.0, self.p.mouth_dark), (0.55, throat), (1.0, self.p.mouth_red)]));
        stage.clip(&hole);
        let tall = low - up;
        // The tongue lies low, its tip goes up behind the teeth, for th between them.
        let out = ((m.tongue - 0.82) / 0.18).clamp(0.0, 1.0);
        if out < 0.5 {
            self.tongue(stage, up, low);
        }
        let show = m.teeth;
        if show > 0.02 {
            self.upper_teeth(stage, up, low, show);
        }
        // The lower row is seen as the teeth meet.
        let meeting = (m.teeth - 0.75).max(0.0) * 4.0 * (1.0 - 2.2 * m.open).max(0.0);
        let row = 3.6 * meeting;
        if row > 0.2 {
            let half = self.half * 0.70;
            let line = LipLine { centre: cx, half, corner: low - row - 1.0, middle: low - row, bow: 0.0, round: 0.2 };
            let base = LipLine { middle: low + 6.0, corner: low + 6.0, ..line };
            stage.fill_clipped(
                &line.area_to(&base),
                vertical(
                    low - row,
                    low + 1.0,
                    &[(0.0, self.p.teeth.mix(self.p.teeth_shade, 0.25)), (1.0, self.p.teeth_shade)],
                ),
            );
        }
        if out >= 0.5 {
            self.tongue(stage, up + 1.5, low);
        }
        // The upper lip's shadow.
        let shadow = LipLine { middle: up + (0.22 * tall).min(3.0), ..self.inner_upper };
        stage.fill_clipped(&self.inner_upper.area_to(&shadow), flat(self.p.mouth_dark.a(0.30)));
    }

    fn tongue(&self, stage: &mut Stage, up: f32, low: f32) {
        let cx = CENTRE_X;
        let tall = low - up;
        let lift = (0.26 + 0.62 * self.mouth.tongue).min(0.94);
        let top = low - lift * tall;
        let size = [self.half * (0.66 - 0.14 * self.mouth.tongue), (0.5 * lift * tall).max(2.5) + 4.0];
        let middle = top + size[1];
        stage.fill_clipped(
            &ellipse(cx, middle, size[0], size[1]),
            vertical(
                top,
                low + 1.0,
                &[(0.0, self.p.tongue_light), (0.6, self.p.tongue), (1.0, self.p.tongue.mix(self.p.mouth_red, 0.35))],
            ),
        );
        let groove = [cx, middle];
        stage.fill_clipped(
            &ellipse(groove[0], groove[1], 4.0, size[1]),
            glow(groove, [4.0, size[1]], self.p.mouth_red.a(0.22)),
        );
    }

    /// One soft row that follows the lip, shaded towards the corners, with faint gaps.
    fn upper_teeth(&self, stage: &mut Stage, up: f32, low: f32, show: f32) {
        let cx = CENTRE_X;
        let tall = low - up;
        let tucked = self.mouth.tuck;
        let depth = (1.2 + 6.4 * show).min(0.74 * tall + 0.8 + 2.6 * tucked);
        let half = self.half * (0.88 - 0.16 * tucked);
        let corner = self.inner_upper.corner - 1.0;
        let edge = LipLine { centre: cx, half, corner, middle: up + depth, bow: 0.0, round: 0.55 };
        let root = LipLine { middle: up - 7.0, corner: corner - 6.0, ..edge };
        let root = if tucked > 0.1 { LipLine { half, ..self.inner_upper } } else { root };
        let row = root.area_to(&edge);
        let ink =
            vertical(up - 1.0, up + depth, &[(0.0, self.p.teeth_shade), (0.45, self.p.teeth), (1.0, self.p.teeth)]);
        let side = |s: f32| ([cx + s * half, up + 2.0], [half * 0.5, 9.0]);
        if tucked > 0.1 {
            stage.fill(&row, ink);
            return;
        }
        stage.fill_clipped(&row, ink);
        for s in [-1.0, 1.0] {
            let (at, size) = side(s);
            stage.fill_clipped(&ellipse(at[0], at[1], size[0], size[1]), glow(at, size, self.p.mouth_dark.a(0.55)));
        }
        if depth > 3.0 {
            for x in [-13.0, -6.8, 0.0, 6.8, 13.0_f32] {
                let x = cx + x * half / 26.0;
                let drop = depth - 0.10 * (x - cx).abs();
                stage.fill_clipped(&ellipse(x, up + drop * 0.62, 0.38, drop * 0.42), flat(self.p.teeth_shade.a(0.42)));
            }
        }
    }
}
