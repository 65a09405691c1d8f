//! An eye in a pose: the ball between two rims, the iris on it, the lid that slides over both, lashes that fold.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns::{Column, Stage};
use super::curve::{Curve, rims};
use super::error::AvatarError;
use super::manifest;
use super::texture::{SCALE, Texture};
use crate::face::Pose;

/// Part of the opening's width that the iris moves for a degree of gaze, to the side and up.
const TRAVEL: [f32; 2] = [0.0088, 0.0076];
/// How much of the way of the iris the reflections go along.
const SHINE: f32 = 0.35;
/// How much of the way of the upper lid the fold above it goes along.
const CREASE: f32 = 0.3;

/// Steps of a lid from open to shut, of a degree of gaze, and of a smile: finer ones are not seen.
const STEPS: [f32; 3] = [160.0, 10.0, 32.0];
/// The pose's lid when the eye is wide open.
const WIDEST: f32 = 0.3;

/// What does not change.
#[derive(Debug)]
struct Art {
    white: Texture,
    iris: Texture,
    shine: Option<Texture>,
    shade: Option<Texture>,
    lid: Option<(Texture, Curve, Curve)>,
    crease: Option<Texture>,
    lower: Option<Texture>,
    line: Option<Texture>,
    lashes: Option<Texture>,
    /// Rims of the opening.
    upper: Curve,
    low: Curve,
    /// First and last column of the opening.
    ends: [f32; 2],
    limits: manifest::Eyes,
}

#[derive(Clone, Debug)]
pub struct Eye {
    art: Arc<Art>,
    index: usize,
    pub stage: Stage,
    columns: Vec<Column>,
    rims: Vec<Rims>,
    /// What the stage shows: lid, gaze, smile.
    shows: Option<[f32; 4]>,
}

/// Heights in one column: drawn and in the pose.
#[derive(Clone, Copy, Debug)]
struct Rims {
    x: f32,
    drawn: [f32; 2],
    now: [f32; 2],
    /// Factor on the height of a line along the upper rim: one of even thickness is higher where it is steep.
    steep: f32,
}

impl Eye {
    /// From the pieces by name; `index` is 0 for the picture's left eye.
    pub fn new(index: usize, mut pieces: BTreeMap<&str, Texture>, limits: manifest::Eyes) -> Result<Self, AvatarError> {
        let side = ["left", "right"][index];
        let mut take = |part: &str| pieces.remove(format!("eye-{side}-{part}").as_str());
        let unusable =
            |part: &str, reason: &'static str| AvatarError::Unusable { group: format!("eye-{side}-{part}"), reason };
        let white = take("white").ok_or_else(|| unusable("white", "it is missing"))?;
        let iris = take("iris").ok_or_else(|| unusable("iris", "it is missing"))?;
        let (upper, low, ends) = rims(&white, 1.5)
            .ok_or_else(|| unusable("white", "it is too small or too faint to be the opening between two lids"))?;
        let lid = take("lid").and_then(|lid| rims(&lid, 0.5).map(|(top, bottom, _)| (lid, top, bottom)));
        let art = Art {
            shine: take("shine"),
            shade: take("shade"),
            lid,
            crease: take("crease"),
            lower: take("lower"),
            line: take("line"),
            lashes: take("lashes"),
            white,
            iris,
            upper,
            low,
            ends,
            limits,
        };
        let stage = Stage::over(art.area());
        let rims: Vec<Rims> = stage
            .columns()
            .map(|x| {
                let drawn = [art.upper.at(x), art.low.at(x)];
                Rims { x, drawn, now: drawn, steep: 1.0 }
            })
            .collect();
        Ok(Self { index, columns: Vec::with_capacity(rims.len()), rims, stage, art: Arc::new(art), shows: None })
    }

    /// True if it shows something else than before.
    pub fn draw(&mut self, pose: &Pose) -> bool {
        let step = |value: f32, steps: f32| (value * steps).round() / steps;
        let gaze = pose.gaze.map(|degrees| step(degrees, STEPS[1]));
        let (lid, smile) = (step(pose.lids[self.index], STEPS[0]), step(pose.smile, STEPS[2]));
        let shows = [lid, gaze[0], gaze[1], smile];
        if self.shows.replace(shows) == Some(shows) {
            return false;
        }
        let art = Arc::clone(&self.art);
        // At rest the lids are a little lower than drawn; wide open, they are not.
        let rest = art.limits.rest;
        let shut = if lid < 0.0 { rest + lid * (1.0 + rest / WIDEST) } else { rest + (1.0 - rest) * lid };
        let cheek = 0.10 * smile.max(0.0);
        for rims in &mut self.rims {
            let [up, low] = rims.drawn;
            let (tall, meet) = (low - up, up + (low - up) * art.limits.meet);
            let upper = if shut < 0.0 { up + 0.5 * shut * tall } else { up + (meet - up) * shut };
            let lower = low + (meet - low) * shut.max(0.0).powi(2) - cheek * tall * (1.0 - shut.max(0.0));
            rims.now = [upper.min(lower), lower];
        }
        for i in 2..self.rims.len().saturating_sub(2) {
            let rise = |r: fn(&Rims) -> f32| 1.0 + ((r(&self.rims[i + 2]) - r(&self.rims[i - 2])) / 4.0).powi(2);
            self.rims[i].steep = (rise(|r| r.now[0]) / rise(|r| r.drawn[0])).sqrt().clamp(0.3, 1.5);
        }
        // Beyond the corners it goes on as it ends.
        let first = self.rims[0].x;
        let [from, to] = art.ends.map(|end| ((end - first).max(0.0) as usize).min(self.rims.len() - 1));
        let (left, right) = (self.rims[(from + 4).min(to)].steep, self.rims[to.saturating_sub(5).max(from)].steep);
        self.rims[..(from + 4).min(to)].iter_mut().for_each(|r| r.steep = left);
        self.rims[to.saturating_sub(4).max(from)..].iter_mut().for_each(|r| r.steep = right);
        self.stage.clear();
        if shut < 0.98 {
            self.ball(&art, gaze);
        }
        let put = |this: &mut Self, piece: &Option<Texture>, column: fn(&Rims, f32) -> Column, shut: f32| {
            if let Some(texture) = piece {
                this.lay(texture, |rims| column(rims, shut));
            }
        };
        if let Some((lid, top, bottom)) = &art.lid {
            self.lay(lid, |rims| {
                let (top, bottom) = (top.at(rims.x), bottom.at(rims.x));
                let (tall, to) = ((bottom - top).max(0.5), rims.now[0] + 0.5 - top);
                if to < 0.7 { Column::default() } else { Column::anchored(rims.x, top, top, to / tall) }
            });
        }
        put(
            self,
            &art.crease,
            |r, _| Column::anchored(r.x, r.drawn[0], r.drawn[0] + CREASE * (r.now[0] - r.drawn[0]), 1.0),
            shut,
        );
        put(self, &art.lower, |r, _| Column::anchored(r.x, r.drawn[1], r.now[1], 1.0), shut);
        put(self, &art.line, |r, _| Column::anchored(r.x, r.drawn[0], r.now[0], r.steep), shut);
        put(
            self,
            &art.lashes,
            |r, shut| {
                // They turn down with the lid; seen end on in between, they are never quite flat.
                let fold = 1.0 - 1.45 * shut;
                let fold = if fold.abs() < 0.15 { 0.15_f32.copysign(fold) } else { fold };
                Column::anchored(r.x, r.drawn[0], r.now[0], fold)
            },
            lid.max(0.0),
        );
        self.stage.finish();
        true
    }

    fn ball(&mut self, art: &Art, gaze: [f32; 2]) {
        let wide = art.ends[1] - art.ends[0];
        let way = [wide * TRAVEL[0] * gaze[0], -wide * TRAVEL[1] * gaze[1]].map(|v| v * art.limits.gaze);
        let within = |r: &Rims, column: Column| {
            if r.x < art.ends[0] || r.x > art.ends[1] { Column::default() } else { column.clipped(r.now[0], r.now[1]) }
        };
        self.lay(&art.white, |r| {
            // A little within the drawn rims, whose faded pixels are not wanted here.
            let (from, to) = (r.drawn[0] + 1.3, r.drawn[1] - 1.3);
            let by = (r.now[1] - r.now[0] + 1.0) / (to - from).max(0.5);
            within(r, Column::anchored(r.x, from, r.now[0] - 0.5, by.max(0.02)))
        });
        let moved = |r: &Rims, share: f32| within(r, Column::anchored(r.x - way[0] * share, 0.0, way[1] * share, 1.0));
        // Turned aside, the disc is seen narrower.
        let middle = art.iris.left as f32 + art.iris.width as f32 / 2.0;
        let narrow = 1.0 - 1.2 * (way[0] / wide).powi(2);
        self.lay(&art.iris, |r| {
            let from = middle + (r.x - way[0] - middle) / narrow;
            within(r, Column::anchored(from, 0.0, way[1], 1.0))
        });
        if let Some(shade) = &art.shade {
            self.lay(shade, |r| within(r, Column::anchored(r.x, r.drawn[0], r.now[0], 1.0)));
        }
        if let Some(shine) = &art.shine {
            self.lay(shine, |r| moved(r, SHINE));
        }
    }

    fn lay(&mut self, texture: &Texture, column: impl Fn(&Rims) -> Column) {
        self.columns.clear();
        self.columns.extend(self.rims.iter().map(column));
        self.stage.lay(texture, &self.columns, 1.0);
    }
}

impl Art {
    /// All that the eye can cover in any pose, in texture pixels.
    fn area(&self) -> [f32; 4] {
        let optional = [&self.shine, &self.shade, &self.crease, &self.lower, &self.line, &self.lashes];
        let lid = self.lid.as_ref().map(|(lid, _, _)| lid);
        let mut area = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
        for texture in optional.into_iter().flatten().chain(lid).chain([&self.white]) {
            let [left, top, right, bottom] = texture.bounds().map(|v| v * SCALE);
            area = [area[0].min(left), area[1].min(top), area[2].max(right), area[3].max(bottom)];
        }
        // Lids widen upwards, lashes fold downwards.
        let tall = self.white.height as f32;
        [area[0], area[1] - 0.2 * tall, area[2], area[3] + 0.4 * tall]
    }
}
