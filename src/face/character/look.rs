//! What makes one character differ from another: colours, shapes and depths. All else is shared.
//!
//! Outlines are SVG path data (see [`super::shape::path`]) in picture pixels; the light comes from the upper left
//! for everybody. It holds no state: a look is a constant that the painters read.

use super::paint::Canvas;
use super::palette::{Colour, Palette};
use super::shape::{Cubic, Point};
use tiny_skia::{Path, Pixmap, Transform};

#[derive(Clone, Debug)]
pub struct Look {
    pub palette: Palette,
    pub face: FaceShape,
    pub eyes: EyeShape,
    pub lips: LipShape,
    pub hair: Hair,
    pub neck: Neck,
    pub clothes: Clothes,
    pub depths: Depths,
}

/// The face without what moves in it.
#[derive(Clone, Debug)]
pub struct FaceShape {
    /// Ear to ear by the chin.
    pub outline: &'static str,
    /// Where jaw and chin turn away downwards.
    pub jaw: &'static str,
    /// Where the edge away from the light catches some again.
    pub rim: [Point; 3],
    /// Moves the nose from its common place.
    pub nose: Transform,
    /// Pixels that the shade and light of the chin lie lower than the common place.
    pub chin: f32,
    /// Opacity of the red of the cheeks.
    pub blush: f32,
    /// What grows on it, if anything.
    pub beard: Option<Beard>,
}

/// The shadow of a shaven beard.
#[derive(Clone, Debug)]
pub struct Beard {
    /// Cheeks, jaw and chin.
    pub jaw: &'static str,
    /// Between nose and upper lip.
    pub lip: &'static str,
    pub colour: Colour,
    pub strength: f32,
}

/// One eye and its brow, in the coordinates of [`super::eyes`].
#[derive(Clone, Debug)]
pub struct EyeShape {
    /// The eye is drawn this much larger than its coordinates say.
    pub large: f32,
    /// Radii in picture pixels.
    pub iris: f32,
    pub pupil: f32,
    /// Edges of the open lids, and the crease of the upper one.
    pub upper: Cubic,
    pub lower: Cubic,
    pub crease: Cubic,
    /// Half width of the line of the upper lashes, and how dark the lower ones are.
    pub line: f32,
    pub lower_line: f32,
    /// Single lashes: where on the lid (0 outside to 1), length, lean.
    pub lashes: &'static [(f32, f32, f32)],
    pub brow: Cubic,
    /// Half width of the brow.
    pub brow_half: f32,
}

#[derive(Clone, Copy, Debug)]
pub struct LipShape {
    /// Y of where the lips meet at rest.
    pub middle: f32,
    /// Pixels that the corners lie higher than the common place.
    pub lift: f32,
    /// Factors on the height of the lips and on the distance of their corners.
    pub full: f32,
    pub wide: f32,
}

/// The layers behind and before the face, and what of the latter throws its shadow on the face.
#[derive(Clone, Copy, Debug)]
pub struct Hair {
    pub back: fn(&Palette) -> Pixmap,
    pub front: fn(&Palette) -> Pixmap,
    pub shadows: fn() -> Vec<Path>,
}

#[derive(Clone, Debug)]
pub struct Neck {
    pub outline: &'static str,
    /// Shade below the chin, and on the neck's right and left.
    pub under_chin: &'static str,
    pub right: &'static str,
    pub left: &'static str,
    /// Pixels that the tendons stand further out than the common place.
    pub wide: f32,
}

#[derive(Clone, Debug)]
pub struct Clothes {
    /// The collar where it goes round the neck at the back, and its colour there.
    pub behind: &'static str,
    /// The jumper.
    pub torso: &'static str,
    /// Its ribbed collar, between two curves.
    pub rib: [&'static [Point]; 2],
    /// Shadows of head and hair on the shoulders.
    pub shadows: &'static [&'static str],
    /// What lies on the skin below the jumper, and what lies on the jumper.
    pub below: fn(&Palette, &mut Canvas),
    pub above: fn(&Palette, &mut Canvas),
}

/// Picture pixels before the axis about which the head turns, and how far hair swings.
#[derive(Clone, Copy, Debug)]
pub struct Depths {
    /// The layer behind the face.
    pub back: f32,
    pub back_swing: f32,
    pub front_swing: f32,
    /// How far hair in front goes back to the depth of the layer behind at the head's sides, 0 to 1: short hair
    /// follows the skull, long hair hangs before it.
    pub follow: f32,
}
