//! The photo taken apart for drawing: all of it but for the lower lip, and that alone.

use super::anatomy::Anatomy;
use super::crop::SIDE;
use super::curve::smooth;
use super::drawing::STEP;
use super::expression::{self, hole_depth};
use super::warp::Layer;

/// The part of the photo in which lips move apart, on whole cells.
pub fn about_mouth(anatomy: &Anatomy) -> [f32; 4] {
    let w = anatomy.mouth;
    let corners = [[-0.85, -0.6], [0.85, -0.6], [-0.85, 1.0], [0.85, 1.0]];
    let corners = corners.map(|[x, y]| anatomy.axes.picture([x * w, y * w]));
    let step = STEP as f32;
    let low = |k: usize| corners.iter().fold(f32::MAX, |v, c| v.min(c[k]));
    let high = |k: usize| corners.iter().fold(f32::MIN, |v, c| v.max(c[k]));
    let from = |k: usize| (low(k) / step).floor().max(0.0) * step;
    let to = |k: usize| ((high(k) / step).ceil() * step).min(SIDE as f32);
    [from(0), from(1), to(0), to(1)]
}

/// The photo with an alpha.
pub fn opaque(pixels: &[u8]) -> Layer {
    let mut layer = Layer::new(SIDE, SIDE);
    for (to, from) in layer.data.chunks_exact_mut(4).zip(pixels.chunks_exact(3)) {
        to.copy_from_slice(&[from[0], from[1], from[2], 255]);
    }
    layer
}

/// The photo without what the lower lip's side shows, and that (of the part `about` only).
pub fn lip_layers(plain: &Layer, anatomy: &Anatomy, about: [f32; 4]) -> (Layer, Layer) {
    let [left, top, right, bottom] = about.map(|v| v as usize);
    let mut photo = plain.clone();
    let mut lower = Layer::new(right - left, bottom - top);
    let lips = &anatomy.lips;
    // On closed lips each side keeps a little of the line between them, so that no gap shows at rest.
    let overlap = if lips.parted { 0.0 } else { 0.7 };
    for row in top..bottom {
        for column in left..right {
            let [x, y] = anatomy.axes.face([column as f32 + 0.5, row as f32 + 0.5]);
            let s = lips.place(x);
            let from = (row * SIDE + column) * 4;
            let to = ((row - top) * lower.width + column - left) * 4;
            let cover = (y - lips.inner_lower.at(s) + overlap + 0.5).clamp(0.0, 1.0);
            fade(&plain.data[from..from + 4], cover, &mut lower.data[to..to + 4]);
            if s.abs() < 1.0 {
                let reach = expression::OVERLAP * anatomy.mouth * hole_depth(s);
                let above = (lips.inner_upper.at(s) + overlap - y + 0.5).clamp(0.0, 1.0);
                let beyond = smooth(((y - lips.inner_lower.at(s)) - 0.78 * reach) / (0.2 * reach).max(1.0));
                fade(&plain.data[from..from + 4], above.max(beyond), &mut photo.data[from..from + 4]);
            }
        }
    }
    (photo, lower)
}

/// A pixel under a mask, premultiplied.
fn fade(pixel: &[u8], cover: f32, into: &mut [u8]) {
    for (to, from) in into.iter_mut().zip(pixel) {
        *to = (f32::from(*from) * cover + 0.5) as u8;
    }
}
