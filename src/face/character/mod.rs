//! The built-in characters: a young woman and a man in soft light, drawn in layers that each have a depth.
//!
//! What does not move within a layer is painted once, at any cost ([`paint`]); for a picture only eyes, brows
//! and mouth are painted anew, and then the layers are laid over each other, each point moved by the turn of
//! the head and its own depth ([`rig`], [`warp`]). What makes them differ is a [`look`]. It decides nothing about
//! motion: that is all in the pose.

mod background;
mod body;
mod eyes;
mod head;
mod lipline;
mod lock;
mod long_hair;
mod look;
mod man;
mod mouth;
mod paint;
mod palette;
mod rig;
mod shape;
mod shirt;
mod short_hair;
mod stage;
mod texel;
mod warp;
mod woman;

use std::sync::Arc;

use tiny_skia::Pixmap;

use crate::face::{Face, Pose, Rgba};
use look::Look;
use paint::SIDE;
use rig::Rig;
use warp::{Grid, Tiles};

/// The names that [`Character::named`] knows; the first is the default.
pub const CHARACTERS: &[&str] = &["woman", "man"];

/// A layer that is never changed.
#[derive(Debug)]
struct Layer {
    pixmap: Pixmap,
    tiles: Tiles,
}

impl Layer {
    fn new(pixmap: Pixmap) -> Self {
        Self { tiles: Tiles::of(&pixmap), pixmap }
    }
}

/// What all copies of the character share.
#[derive(Debug)]
struct Painted {
    look: Look,
    background: Rgba,
    /// Hair behind the face, and ears where they are seen.
    back_hair: Layer,
    body: Layer,
    skin: Layer,
    front_hair: Layer,
}

/// The character; a clone shares the painted layers and costs a few megabytes.
#[derive(Clone, Debug)]
pub struct Character {
    painted: Arc<Painted>,
    /// The skin with eyes and mouth of the last picture.
    face: Pixmap,
    eyes: eyes::Eyes,
    lips: mouth::Lips,
    /// One for each layer, rearmost first.
    grids: [Grid; 4],
}

impl Character {
    /// The young woman. Paints the layers, which takes some tenths of a second.
    pub fn new() -> Self {
        Self::painted(woman::look())
    }

    /// The character of that name, one of [`CHARACTERS`]; as long in the making as [`Character::new`].
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "woman" => Some(Self::new()),
            "man" => Some(Self::painted(man::look())),
            _ => None,
        }
    }

    fn painted(look: Look) -> Self {
        let skin = Layer::new(head::layer(&look));
        let face = skin.pixmap.clone();
        let painted = Painted {
            background: background::picture(&look.palette),
            back_hair: Layer::new((look.hair.back)(&look.palette)),
            body: Layer::new(body::layer(&look)),
            skin,
            front_hair: Layer::new((look.hair.front)(&look.palette)),
            look,
        };
        Self {
            face,
            eyes: eyes::Eyes::new(),
            lips: mouth::Lips::new(painted.look.lips),
            painted: Arc::new(painted),
            grids: std::array::from_fn(|_| Grid::new()),
        }
    }
}

impl Default for Character {
    fn default() -> Self {
        Self::new()
    }
}

impl Face for Character {
    fn size(&self) -> (usize, usize) {
        (SIDE, SIDE)
    }

    fn draw(&mut self, pose: &Pose, picture: &mut Rgba) {
        picture.fit(SIDE, SIDE);
        let pose = pose.limited();
        let painted = &*self.painted;
        let rig = Rig::new(painted.look.depths, &pose);
        self.eyes.draw(&painted.look, &pose, &painted.skin.pixmap, &mut self.face);
        self.lips.draw(&painted.look, &pose, &painted.skin.pixmap, &mut self.face);
        let [back_hair, body, skin, front_hair] = &mut self.grids;
        back_hair.set(&painted.back_hair.tiles, |x, y| rig.back_hair(x, y));
        body.set(&painted.body.tiles, |x, y| rig.body(x, y));
        skin.set(&painted.skin.tiles, |x, y| rig.face(x, y));
        front_hair.set(&painted.front_hair.tiles, |x, y| rig.front_hair(x, y));
        let layers = [
            (&painted.back_hair.pixmap, &*back_hair),
            (&painted.body.pixmap, &*body),
            (&self.face, &*skin),
            (&painted.front_hair.pixmap, &*front_hair),
        ];
        warp::compose(layers, &painted.background.data, &mut picture.data);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
