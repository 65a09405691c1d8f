//! A mouth in a pose: two drawn lips bent and parted, and between them the dark, the tongue and the teeth.
//!
//! What the lips do is the matter of [`super::lips`]; here the pieces are laid over each other as it says.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::columns::{Column, Stage};
use super::error::AvatarError;
use super::lips::{Drawn, HALF, Shape, Slice};
use super::manifest;
use super::texture::{SCALE, Texture};
use crate::face::{self, Pose};

/// Steps of each part of a mouth, from 0 to 1: finer ones are not seen.
const STEPS: f32 = 128.0;

#[derive(Debug)]
struct Art {
    shade: Option<Texture>,
    inside: Texture,
    tongue: Option<(Texture, [f32; 2])>,
    /// With the height of its edge at the middle.
    teeth_lower: Option<(Texture, f32)>,
    teeth_upper: Option<(Texture, f32)>,
    lower_lip: Texture,
    upper_lip: Texture,
    line: Option<Texture>,
    lips: Drawn,
}

#[derive(Clone, Debug)]
pub struct Lips {
    art: Arc<Art>,
    pub stage: Stage,
    columns: Vec<Column>,
    slices: Vec<Slice>,
    /// What the stage shows: mouth and smile.
    shows: Option<(face::Mouth, f32)>,
}

impl Lips {
    pub fn new(mut pieces: BTreeMap<&str, Texture>, limits: manifest::Mouth) -> Result<Self, AvatarError> {
        let unusable = |part: &str, reason| AvatarError::Unusable { group: format!("mouth-{part}"), reason };
        let mut take = |part: &str| pieces.remove(format!("mouth-{part}").as_str());
        let small = "it is too small or too faint for a lip";
        let upper_lip = take("upper-lip").ok_or_else(|| unusable("upper-lip", "it is missing"))?;
        let lower_lip = take("lower-lip").ok_or_else(|| unusable("lower-lip", "it is missing"))?;
        let inside = take("inside").ok_or_else(|| unusable("inside", "it is missing"))?;
        let lips = Drawn::new(&upper_lip, &lower_lip, limits).map_err(|part| unusable(part, small))?;
        let (centre, half) = (lips.centre, lips.half);
        let edge = |texture: &Texture, which: usize| texture.edges(centre as i32).map(|edges| edges[which]);
        let row = |texture: Option<Texture>, part: &str, which: usize| match texture {
            Some(t) => {
                let at =
                    edge(&t, which).ok_or_else(|| unusable(part, "nothing of it is at the middle of the mouth"))?;
                Ok(Some((t, at)))
            }
            None => Ok(None),
        };
        let teeth_upper = row(take("teeth-upper"), "teeth-upper", 1)?;
        let teeth_lower = row(take("teeth-lower"), "teeth-lower", 0)?;
        let tongue = row(take("tongue"), "tongue", 0)?.map(|(t, top)| {
            let bottom = (t.top + t.height as i32) as f32;
            (t, [top, bottom])
        });
        let q = half / HALF;
        let area = [
            centre - half - 12.0 * q,
            lips.upper[0].at(centre) - 16.0 * q,
            centre + half + 12.0 * q,
            lips.lower[0].at(centre) + 52.0 * q * limits.open.max(0.7),
        ];
        let shade = take("shade");
        let area = shade.as_ref().map_or(area, |shade| {
            let [l, t, r, b] = shade.bounds().map(|v| v * SCALE);
            [area[0].min(l - 4.0), area[1].min(t - 4.0), area[2].max(r + 4.0), area[3].max(b + 12.0 * q)]
        });
        let line = take("line");
        let art = Art { lips, shade, inside, tongue, teeth_lower, teeth_upper, lower_lip, upper_lip, line };
        let stage = Stage::over(area);
        let slices: Vec<Slice> = stage.columns().map(|x| Slice { x, ..Slice::default() }).collect();
        Ok(Self { columns: Vec::with_capacity(slices.len()), slices, stage, art: Arc::new(art), shows: None })
    }

    /// Middle of the mouth in picture pixels.
    pub fn middle(&self) -> [f32; 2] {
        let art = &self.art;
        [art.lips.centre / SCALE, art.lips.lower[0].at(art.lips.centre) / SCALE]
    }

    /// True if it shows something else than before.
    pub fn draw(&mut self, pose: &Pose) -> bool {
        let m = face::Mouth { stress: 0.0, ..pose.mouth };
        let m = face::Mouth::from_channels(m.channels().map(|v| (v * STEPS).round() / STEPS));
        let smile = (pose.smile * STEPS).round() / STEPS;
        if self.shows.replace((m, smile)) == Some((m, smile)) {
            return false;
        }
        let art = Arc::clone(&self.art);
        let shape = Shape::new(&art.lips, &m, smile);
        for slice in &mut self.slices {
            *slice = shape.slice(&art.lips, slice.x);
        }
        self.stage.clear();
        if let Some(shade) = &art.shade {
            self.shade(&art, &shape, shade);
        }
        if shape.gap > 0.4 * shape.q {
            self.inside(&art, &shape, &m);
        }
        self.lay(&art.lower_lip, 1.0, |s| Column::anchored(s.from_x, s.drawn[1], s.now[1], s.by[1]));
        if m.tuck > 0.1
            && let Some((teeth, edge)) = &art.teeth_upper
        {
            // Over the lower lip, below the upper one.
            self.teeth_upper(&art, &shape, teeth, *edge, m.tuck, m.tuck);
        }
        self.lay(&art.upper_lip, 1.0, |s| Column::anchored(s.from_x, s.drawn[0], s.now[0], s.by[0]));
        if let Some(line) = &art.line {
            let shut = 1.0 - shape.gap / (3.0 * shape.q);
            self.lay(line, shut, |s| Column::anchored(s.from_x, s.drawn[0], s.now[0], 1.0));
        }
        self.stage.finish();
        true
    }

    /// Above the mouth it goes with the upper lip's outer rim, below with the lower lip's.
    fn shade(&mut self, art: &Art, shape: &Shape, shade: &Texture) {
        let middle = shape.heights[1];
        let by = shape.half / art.lips.half;
        let from = |s: &Slice| art.lips.centre + (s.x - art.lips.centre) / by;
        let (top, bottom) = (shape.outer[0], shape.outer[1]);
        let corner = |s: &Slice| s.shift - shape.middle_shift;
        let seen = 1.0 - 0.6 * shape.round;
        self.lay(shade, seen, |s| Column::anchored(from(s), top[0], top[1] + corner(s), 1.0).clipped(f32::MIN, middle));
        self.lay(shade, seen, |s| {
            Column::anchored(from(s), bottom[0], bottom[1] + corner(s), 1.0).clipped(middle, f32::MAX)
        });
    }

    fn inside(&mut self, art: &Art, shape: &Shape, m: &face::Mouth) {
        let q = shape.q;
        let [up, low] = shape.heights;
        let tall = low - up;
        let [left, top, right, bottom] = art.inside.bounds().map(|v| v * SCALE);
        let (middle, wide) = ((left + right) / 2.0, (right - left - 4.0) / (2.0 * shape.half));
        let by = (tall + 4.0) / (bottom - top - 4.0).max(1.0);
        self.lay(&art.inside, 1.0, |s| {
            let from = middle + (s.x - art.lips.centre) * wide;
            if s.u.abs() > 0.94 {
                return Column::default();
            }
            Column::anchored(from, top + 2.0, up - 2.0, by.max(0.01)).clipped(s.now[0] - 1.0, s.now[1] + 1.0)
        });
        // The tongue lies low, its tip goes up behind the teeth, for th between them.
        let out = ((m.tongue - 0.82) / 0.18).clamp(0.0, 1.0);
        if out < 0.5 {
            self.tongue(art, shape, m.tongue, 0.0);
        }
        if let Some((teeth, edge)) = &art.teeth_lower {
            // Seen as the rows meet, and a little when the mouth is wide open.
            let meeting = (m.teeth - 0.75).max(0.0) * 4.0 * (1.0 - 2.2 * m.open).max(0.0);
            let row = q * (3.6 * meeting + 3.4 * ((m.open - 0.45) / 0.5).clamp(0.0, 1.0) * (1.0 - m.round));
            if row > 0.3 {
                let by = sideways(art, shape);
                self.lay(teeth, 1.0, |s| {
                    let from = art.lips.centre + (s.x - art.lips.centre) / by;
                    let bend = 0.6 * (s.now[1] - low).min(0.0);
                    Column::anchored(from, *edge, low - row + bend, 1.0).clipped(s.now[0], s.now[1] + 1.0)
                });
            }
        }
        if m.teeth > 0.02
            && let Some((teeth, edge)) = &art.teeth_upper
        {
            self.teeth_upper(art, shape, teeth, *edge, m.teeth, 0.0);
        }
        if out >= 0.5 {
            self.tongue(art, shape, m.tongue, 1.6 * q);
        }
    }

    fn tongue(&mut self, art: &Art, shape: &Shape, raised: f32, below: f32) {
        let Some((tongue, [top, bottom])) = &art.tongue else { return };
        let [up, low] = shape.heights;
        let lift = ((0.28 + 0.62 * raised) * (1.0 - 0.5 * shape.pursed)).min(0.94);
        let to = (low - lift * (low - up)).max(up + below);
        let wide = 1.0 - 0.15 * raised;
        let by = sideways(art, shape) * wide;
        // Its root stays below the lower lip however high its tip is.
        let tall = ((low - to) * 1.35 + 6.0 * shape.q) / (bottom - top).max(1.0);
        self.lay(tongue, 1.0, |s| {
            let from = art.lips.centre + (s.x - art.lips.centre) / by;
            Column::anchored(from, *top, to, tall.clamp(0.2, 3.0)).clipped(s.now[0], s.now[1] + 1.0)
        });
    }

    /// One row that follows the lip; `tucked` is how far it lies over the lower lip.
    fn teeth_upper(&mut self, art: &Art, shape: &Shape, teeth: &Texture, edge: f32, show: f32, tucked: f32) {
        let [up, low] = shape.heights;
        let q = shape.q;
        // Round lips hide most of the teeth.
        let show = show * (1.0 - 0.5 * shape.round.min(2.0 * shape.pursed));
        let depth = (q * (1.2 + 6.8 * show)).min(0.74 * (low - up) + q * (0.8 + 3.0 * tucked));
        let by = sideways(art, shape) * (1.0 - 0.1 * tucked);
        self.lay(teeth, if tucked > 0.0 { tucked } else { 1.0 }, |s| {
            let from = art.lips.centre + (s.x - art.lips.centre) / by;
            let bend = 0.35 * (s.shift - shape.middle_shift);
            let floor = if tucked > 0.0 { s.now[0] + depth + 1.5 } else { s.now[1] + 1.0 };
            if s.u.abs() > 1.0 {
                return Column::default();
            }
            Column::anchored(from, edge, up + depth + bend, 1.0).clipped(s.now[0] - 1.0, floor)
        });
    }

    fn lay(&mut self, texture: &Texture, opacity: f32, column: impl Fn(&Slice) -> Column) {
        self.columns.clear();
        self.columns.extend(self.slices.iter().map(column));
        self.stage.lay(texture, &self.columns, opacity);
    }
}

/// What lies behind the lips narrows half as much as they do.
fn sideways(art: &Art, shape: &Shape) -> f32 {
    0.5 + 0.5 * shape.half / art.lips.half
}
