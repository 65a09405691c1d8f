//! Draws a portrait in a pose: nets of points are moved, the photo is laid through them, the mouth's inside behind.
//!
//! The order is from back to front: the photo without the part about the mouth; there the inside of the mouth, the
//! skin as the lower lip's side has it, then all else, which has a hole where the lips part. All that a picture needs
//! is allocated when the portrait is made.

use std::path::Path;
use std::sync::Arc;

use super::anatomy::{Anatomy, Point};
use super::crop::{Likeness, SIDE};
use super::error::PortraitError;
use super::expression::{self, Shares, Side, shares};
use super::lattice::{Lattice, Map};
use super::layers::{about_mouth, lip_layers, opaque};
use super::light::Light;
use super::turn::{Head, Hold};
use super::vision::Eye;
use super::warp::{self, Layer};
use super::{eyefit, eyes, mouth, store};
use crate::face::{Face, Pose, Rgba};

/// Distance of the net's points, and about the mouth, in pixels.
pub const STEP: usize = 8;
const FINE_STEP: usize = 4;
/// More than any point about the mouth moves, with the head or by itself, against the middle of that part.
const BEYOND: f32 = 28.0;

/// A point of the net: what each motion does to it.
#[derive(Clone, Debug)]
struct Skin {
    shares: Shares,
    hold: Hold,
}

/// What all copies of a portrait share.
#[derive(Debug)]
struct Parts {
    anatomy: Anatomy,
    head: Head,
    /// The photo, with a hole where the lower lip is told twice.
    photo: Layer,
    /// What is below the mouth's line.
    lower_lip: Layer,
    eyes: [eyes::Painter; 2],
    /// The part of the photo about the mouth: left, top, right, bottom.
    about_mouth: [f32; 4],
}

/// The talking portrait; a clone shares the photo and costs some three megabytes.
#[derive(Clone, Debug)]
pub struct Portrait {
    parts: Arc<Parts>,
    /// The photo with the eyes of the last picture.
    face: Layer,
    inside: mouth::Inside,
    canvas: Layer,
    whole: Lattice<Skin>,
    upper: Lattice<Skin>,
    lower: Lattice<Skin>,
    behind: Lattice<Hold>,
    map: Map,
    /// Of the mouth, for one of the three nets after the other.
    fine_map: Map,
}

impl Portrait {
    /// Reads the folder that [`super::add`] wrote.
    pub fn load(folder: &Path) -> Result<Self, PortraitError> {
        Ok(Self::new(&store::load(folder)?))
    }

    /// Lays the nets, which takes some tenths of a second.
    pub fn new(likeness: &Likeness) -> Self {
        let anatomy = Anatomy::of(likeness);
        let mesh = &likeness.marks.mesh;
        let head = Head::of(&anatomy);
        let skin =
            |at: Point, side: Side| Skin { shares: shares(&anatomy, at, side), hold: head.hold(&anatomy, mesh, at) };
        let about = about_mouth(&anatomy);
        let [left, top, right, bottom] = about;
        // The nets reach beyond what is drawn, so that they cover it however they move.
        let (from, to) = ([left - BEYOND, top - BEYOND], [right + BEYOND, bottom + BEYOND]);
        let fine = |side: Side| Lattice::new(from, to, FINE_STEP as f32, |at| skin(at, side));
        let step = STEP as f32;
        let end = SIDE as f32 + 3.0 * step;
        let cells = [0, 1].map(|k| ((about[k + 2] - about[k]) as usize).div_ceil(STEP) * STEP / FINE_STEP);
        let plain = opaque(&likeness.pixels);
        let eyes = [0, 1].map(|i| {
            let brow = mesh.middle(if i == 0 { &[52, 65, 53] } else { &[282, 295, 283] });
            let room = |eye: &Eye| (eye.upper[4][0] - brow[0]).hypot(eye.upper[4][1] - brow[1]);
            let eye = &likeness.marks.eyes[i];
            let eye = eyefit::settled(eye, likeness, mesh.tilt(), room(eye));
            eyes::Painter::of(&eye, room(&eye), &plain)
        });
        let inside = mouth::Inside::of(&anatomy, Light::of(likeness, &anatomy));
        let (photo, lower_lip) = lip_layers(&plain, &anatomy, about);
        Self {
            face: photo.clone(),
            inside,
            canvas: Layer::new((right - left) as usize, (bottom - top) as usize),
            whole: Lattice::new([-3.0 * step; 2], [end; 2], step, |at| skin(at, Side::Upper)),
            upper: fine(Side::Upper),
            lower: fine(Side::Lower),
            behind: Lattice::new(from, to, FINE_STEP as f32, |at| head.hold(&anatomy, mesh, at)),
            map: Map::new(STEP, [SIDE / STEP; 2]),
            fine_map: Map::new(FINE_STEP, cells),
            parts: Arc::new(Parts { anatomy, head, photo, lower_lip, eyes, about_mouth: about }),
        }
    }
}

impl Face for Portrait {
    fn size(&self) -> (usize, usize) {
        (SIDE, SIDE)
    }

    fn copy(&self) -> Box<dyn Face> {
        Box::new(self.clone())
    }

    fn draw(&mut self, pose: &Pose, picture: &mut Rgba) {
        picture.fit(SIDE, SIDE);
        let pose = pose.limited();
        let parts = &*self.parts;
        let Parts { anatomy, head, photo, .. } = parts;
        let strengths = expression::strengths(anatomy, &pose);
        let turn = head.turn(&pose);
        let squint = (pose.smile - 0.3).max(0.0);
        for (eye, shut) in parts.eyes.iter().zip(pose.lids) {
            eye.draw(photo, shut, pose.gaze, squint, &mut self.face);
        }
        let place =
            |at: Point, skin: &Skin| head.place(expression::moved(at, &skin.shares, &strengths), &skin.hold, &turn);
        self.whole.shape(place);
        self.map.set(&self.whole);
        let [left, top, right, bottom] = parts.about_mouth;
        let corner = [left, top];
        // The mouth's part of the picture goes with the head, from cell to cell.
        let middle = [(left + right) / 2.0, (top + bottom) / 2.0];
        let hold = self.behind.nearest(middle);
        let seen = head.place(middle, hold, &turn);
        let size = self.fine_map.cells.map(|n| n * FINE_STEP);
        let origin = [0, 1].map(|k| {
            let from = ((seen[k] - size[k] as f32 / 2.0) / STEP as f32).round().max(0.0) as usize * STEP;
            from.min(SIDE - size[k])
        });
        let mouth = [origin[0], origin[1], origin[0] + size[0], origin[1] + size[1]];
        warp::draw::<true>(&self.face, [0.0; 2], &self.map, mouth, &mut picture.data, SIDE);
        self.fine_map.origin = origin;
        let none = [0; 4];
        self.inside.draw(anatomy, &pose.mouth, &strengths, &mut self.canvas, corner);
        self.behind.shape(|at, hold| head.place(at, hold, &turn));
        self.fine_map.set(&self.behind);
        warp::draw::<true>(&self.canvas, corner, &self.fine_map, none, &mut picture.data, SIDE);
        self.lower.shape(place);
        self.fine_map.set(&self.lower);
        warp::draw::<false>(&parts.lower_lip, corner, &self.fine_map, none, &mut picture.data, SIDE);
        self.upper.shape(place);
        self.fine_map.set(&self.upper);
        self.fine_map.meet(&self.map);
        warp::draw::<false>(&self.face, [0.0; 2], &self.fine_map, none, &mut picture.data, SIDE);
    }
}
