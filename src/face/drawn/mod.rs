//! Characters that designers draw: a folder with `avatar.toml` and SVG layers, brought to life in two and a half
//! dimensions.
//!
//! All art is rasterised once ([`load`]). For a picture, eyes and mouth are put together from their pieces
//! ([`eye`], [`mouth`]), and then all layers are laid over each other, each point moved by the turn of the head
//! and its own depth ([`rig`], [`warp`]), where anything moved ([`changed`]). Nothing is allocated for a picture. It
//! decides nothing about motion, that is all in the pose; only what hangs swings by itself ([`spring`]). The format's
//! manual is FORMAT.md.

mod changed;
mod columns;
mod curve;
mod error;
mod eye;
mod lips;
mod load;
mod manifest;
mod mouth;
mod names;
mod outside;
mod parts;
mod rig;
mod spring;
mod texel;
mod texture;
mod warp;

#[cfg(test)]
mod bad_tests;
#[cfg(test)]
mod simple;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use crate::face::{Area, Face, Pose, Rgba};
use changed::Changed;
pub use error::AvatarError;
pub use manifest::Background;
use rig::{Motion, Rig, Skull};
use spring::Pendulum;
use texture::{SIDE, Texture};
use warp::{Grid, Tiles};

/// Media time between two pictures, unless something else is said.
const FRAME_SECONDS: f32 = 0.04;

/// What all copies of a character share.
#[derive(Debug)]
struct Art {
    skull: Skull,
    /// The rearmost first.
    layers: Vec<Layer>,
    /// The background that was drawn, RGBA8 of the picture's size.
    drawn: Option<Vec<u8>>,
    about: About,
}

/// The picture behind the layers.
#[derive(Debug)]
struct Backdrop {
    /// RGBA8 of the picture's size.
    pixels: Vec<u8>,
    /// Pictures have no background and carry premultiplied alpha.
    clear: bool,
}

impl Backdrop {
    fn new(kind: Background, drawn: Option<&[u8]>) -> Self {
        let pixels = match (kind, drawn) {
            (Background::Drawn, Some(drawn)) => drawn.to_vec(),
            (Background::Drawn, None) => [0, 0, 0, 255].repeat(SIDE * SIDE),
            (Background::None, _) => vec![0; SIDE * SIDE * 4],
            (Background::Colour([r, g, b]), _) => [r, g, b, 255].repeat(SIDE * SIDE),
        };
        Self { pixels, clear: kind == Background::None }
    }
}

/// Who a character is and who drew it, as its `avatar.toml` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub name: String,
    pub author: String,
    pub licence: String,
}

#[derive(Debug)]
struct Layer {
    shown: Shown,
    motion: Motion,
}

#[derive(Debug)]
enum Shown {
    Texture(Texture, Tiles),
    Eye(usize),
    Mouth,
}

impl Shown {
    /// The pixels that it shows at present, and where there are any.
    fn pixels<'a>(&'a self, eyes: &'a [eye::Eye; 2], lips: &'a mouth::Lips) -> (&'a Texture, &'a Tiles) {
        let stage = match self {
            Self::Texture(texture, tiles) => return (texture, tiles),
            Self::Eye(i) => &eyes[*i].stage,
            Self::Mouth => &lips.stage,
        };
        (&stage.texture, &stage.tiles)
    }
}

/// A drawn character; a clone shares the art and costs some hundred kilobytes.
#[derive(Debug)]
pub struct Character {
    art: Arc<Art>,
    backdrop: Arc<Backdrop>,
    eyes: [eye::Eye; 2],
    lips: mouth::Lips,
    /// One for each layer.
    grids: Vec<Grid>,
    pendulums: Vec<Option<Pendulum>>,
    changed: Changed,
    /// The picture handed in holds what was drawn last.
    holds: bool,
    /// From the last picture to the next.
    seconds: f32,
}

impl Clone for Character {
    /// With everything where it hangs and swings, but for a picture of its own.
    fn clone(&self) -> Self {
        Self {
            art: Arc::clone(&self.art),
            backdrop: Arc::clone(&self.backdrop),
            eyes: self.eyes.clone(),
            lips: self.lips.clone(),
            grids: self.grids.clone(),
            pendulums: self.pendulums.clone(),
            changed: Changed::ALL,
            holds: false,
            seconds: self.seconds,
        }
    }
}

impl Character {
    /// Reads the character in `folder`, which takes some tenths of a second.
    pub fn load(folder: &Path) -> Result<Self, AvatarError> {
        load::folder(folder)
    }

    /// The same from texts, for art that is built in: `drawings` are the files that the manifest lists, by name.
    pub fn from_texts(manifest: &str, drawings: &[(&str, &str)]) -> Result<Self, AvatarError> {
        let manifest = manifest::Manifest::parse(manifest)?;
        let found: Result<Vec<(&str, String)>, AvatarError> = manifest
            .files
            .iter()
            .map(|file| match drawings.iter().find(|(name, _)| name == file) {
                Some((name, text)) => Ok((*name, (*text).to_owned())),
                None => Err(AvatarError::Manifest(format!("files lists \"{file}\", which is not there"))),
            })
            .collect();
        load::character(&manifest, &found?)
    }

    pub fn about(&self) -> &About {
        &self.art.about
    }

    /// Puts another background behind it, of the next picture on. Takes a millisecond and a megabyte, which clones
    /// made after that share.
    pub fn set_background(&mut self, background: Background) {
        self.backdrop = Arc::new(Backdrop::new(background, self.art.drawn.as_deref()));
        self.holds = false;
    }

    /// True if its pictures have no background: they carry premultiplied alpha instead of being opaque.
    pub fn is_clear(&self) -> bool {
        self.backdrop.clear
    }

    /// Says that the next picture is `seconds` after the last one, if that is not 40 ms: what hangs and swings goes
    /// on by as much.
    pub fn pass(&mut self, seconds: f32) {
        self.seconds = if seconds.is_finite() { seconds.clamp(0.0, 60.0) } else { FRAME_SECONDS };
    }
}

impl Face for Character {
    fn size(&self) -> (usize, usize) {
        (SIDE, SIDE)
    }

    fn copy(&self) -> Box<dyn Face> {
        Box::new(self.clone())
    }

    fn draw(&mut self, pose: &Pose, picture: &mut Rgba) {
        self.holds = false;
        self.redraw(pose, picture);
    }

    fn redraw(&mut self, pose: &Pose, picture: &mut Rgba) -> Area {
        self.holds &= (picture.width, picture.height) == (SIDE, SIDE);
        picture.fit(SIDE, SIDE);
        let pose = pose.limited();
        let Self { art, backdrop, eyes, lips, grids, pendulums, changed, .. } = self;
        *changed = if self.holds { Changed::NOTHING } else { Changed::ALL };
        let new_eyes = eyes.each_mut().map(|eye| eye.draw(&pose));
        let new_lips = lips.draw(&pose);
        let rig = Rig::new(art.skull, &pose);
        let (eyes, lips) = (&*eyes, &*lips);
        for ((layer, grid), pendulum) in art.layers.iter().zip(grids.iter_mut()).zip(pendulums) {
            let motion = &layer.motion;
            let swing = match pendulum {
                Some(pendulum) => motion.sway * pendulum.advance(rig.drag(motion), self.seconds),
                None => motion.sway * pose.sway,
            };
            let new = match layer.shown {
                Shown::Texture(..) => false,
                Shown::Eye(i) => new_eyes[i],
                Shown::Mouth => new_lips,
            };
            let (texture, tiles) = layer.shown.pixels(eyes, lips);
            grid.set(texture, tiles, new, |seen| rig.place(motion, swing, seen), changed);
        }
        let layers = art.layers.iter().zip(grids.iter()).map(|(layer, grid)| (layer.shown.pixels(eyes, lips).0, grid));
        warp::compose(layers, changed, &backdrop.pixels, &mut picture.data, backdrop.clear);
        (self.holds, self.seconds) = (true, FRAME_SECONDS);
        self.changed.area()
    }

    fn settle(&mut self, pose: &Pose) {
        let rig = Rig::new(self.art.skull, &pose.limited());
        for (layer, pendulum) in self.art.layers.iter().zip(&mut self.pendulums) {
            if let Some(pendulum) = pendulum {
                pendulum.settle(rig.drag(&layer.motion));
            }
        }
    }
}
