//! A lock of hair: between two guide curves, filled with strands that follow them, lit by a band across.

use super::paint::{Canvas, Ink};
use super::palette::{Colour, Palette};
use super::shape::{Point, Spline, taper};
use crate::face::noise::Dice;
use tiny_skia::Path;

/// A mass of hair between two curves that run from root to tip.
#[derive(Clone, Debug)]
pub struct Lock {
    inner: Spline,
    outer: Spline,
    /// Tufts that it parts into at its end.
    pub tufts: usize,
    /// Where along it the light is brightest, 0 to 1, and how bright.
    pub shine: f32,
    pub bright: f32,
    /// Darker as it lies deeper, 0 to 1.
    pub deep: f32,
}

/// Where along a lock its tufts part, 0 to 1.
const PARTING: f32 = 0.72;

impl Lock {
    pub fn new<const N: usize>(inner: [Point; N], outer: [Point; N]) -> Self {
        let (inner, outer) = (Spline(inner.to_vec()), Spline(outer.to_vec()));
        Self { inner, outer, tufts: 5, shine: 0.34, bright: 1.0, deep: 0.0 }
    }

    /// The part of it between two places across it, 0 at the inner curve to 1 at the outer one.
    pub fn slice(&self, from: f32, to: f32) -> Self {
        Self { inner: self.along(from), outer: self.along(to), ..self.clone() }
    }

    /// The curve from root to tip at a place across it.
    pub fn along(&self, across: f32) -> Spline {
        self.inner.mix(&self.outer, across)
    }

    pub fn mirrored(mut self) -> Self {
        for spline in [&mut self.inner, &mut self.outer] {
            spline.0.iter_mut().for_each(|p| p[0] = 512.0 - p[0]);
        }
        self
    }

    pub fn outline(&self) -> Path {
        self.inner.enclosing(&self.outer)
    }

    /// The width at a place along it.
    fn width(&self, t: f32) -> f32 {
        let ([a, b], [c, d]) = (self.inner.at(t), self.outer.at(t));
        (a - c).hypot(b - d)
    }

    /// Paints the mass, then strands from broad and dark to fine and light.
    pub fn paint(&self, p: &Palette, canvas: &mut Canvas, dice: &mut Dice) {
        let mut own = Canvas::new();
        let ends = [self.outer.at(0.0)[1], self.outer.at(0.5)[1], self.outer.at(1.0)[1]];
        let (top, bottom) =
            (ends.iter().copied().fold(f32::MAX, f32::min), ends.iter().copied().fold(f32::MIN, f32::max));
        let dark = |c: Colour| c.mix(p.hair_dark, self.deep);
        let ink = Ink::vertical(
            top,
            bottom,
            &[(0.0, dark(p.hair_mid)), (0.45, dark(p.hair)), (1.0, dark(p.hair.mix(p.hair_dark, 0.35)))],
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
            let colour = if i % 2 == 0 { p.hair_dark } else { dark(p.hair_mid) };
            let shape = strand.strand(from, dice.between(0.75, 1.0), |t| width * taper(t, 0.4));
            own.shade(&shape, 0.8, colour.a(dice.between(0.15, 0.4)));
        }
        for _ in 0..30 {
            let strand = self.inner.mix(&self.outer, dice.between(0.04, 0.97));
            let length = dice.between(0.10, 0.26);
            let from = (self.shine + dice.between(-0.06, 0.06) - length / 2.0).max(0.01);
            let width = dice.between(0.7, 2.8);
            let shape = strand.strand(from, (from + length).min(0.99), |t| width * taper(t, 0.5));
            own.shade(&shape, 1.0, p.hair_light.a(self.bright * dice.between(0.15, 0.45)));
        }
        for _ in 0..8 {
            let strand = self.inner.mix(&self.outer, dice.between(0.05, 0.95));
            let from = dice.between(0.35, 0.66);
            let shape = strand.strand(from, from + dice.between(0.2, 0.3), |t| 0.9 * taper(t, 0.5));
            own.shade(&shape, 0.6, p.hair_light.a(self.bright * 0.3));
        }
        // The side towards the face lies in shade.
        let edge = self.inner.strand(0.08, 1.0, |t| 4.0 * taper(t, 0.6));
        own.shade(&edge, 3.0, p.hair_dark.a(0.5));
        canvas.stack(&own);
    }
}
