//! Lays a picture through a [`Map`] onto another: the innermost and most costly part of drawing.

use super::lattice::Map;
use super::texel::{lay, sample};

/// The alpha of two opaque pixels, which rounding must not touch.
const OPAQUE_ALPHA: u64 = 0xff00_0000_ff00_0000;

/// Premultiplied RGBA8.
#[derive(Clone, Debug)]
pub struct Layer {
    pub width: usize,
    pub height: usize,
    pub data: Vec<u8>,
}

impl Layer {
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, data: vec![0; width * height * 4] }
    }
}

/// Draws all cells of `map`, except those within `hole` (left, top, right, bottom in pixels, multiples of the step).
///
/// `layer` begins at `corner` of the photo. `OPAQUE`: what lies below is not seen. `picture` is opaque RGBA8, `side`
/// pixels wide and high.
pub fn draw<const OPAQUE: bool>(
    layer: &Layer,
    corner: [f32; 2],
    map: &Map,
    hole: [usize; 4],
    picture: &mut [u8],
    side: usize,
) {
    for row in 0..map.cells[1] {
        for column in 0..map.cells[0] {
            let (left, top) = (map.origin[0] + column * map.step, map.origin[1] + row * map.step);
            if left >= hole[0] && left < hole[2] && top >= hole[1] && top < hole[3] {
                continue;
            }
            let corners = map.corners(column, row).map(|[x, y]| [x - corner[0], y - corner[1]]);
            cell::<OPAQUE>(layer, corners, map.step, (left, top), picture, side);
        }
    }
}

fn cell<const OPAQUE: bool>(
    layer: &Layer,
    corners: [[f32; 2]; 4],
    step: usize,
    (left, top): (usize, usize),
    picture: &mut [u8],
    side: usize,
) {
    let data = &layer.data[..];
    let width = layer.width;
    // Beyond the layer its edge goes on; corners are brought in so that no pixel need be asked.
    let last = [width as f32 - 2.01, layer.height as f32 - 2.01];
    let corners = corners.map(|c| [0, 1].map(|k| c[k].clamp(0.0, last[k])));
    let fixed = |v: f32| (v * 65536.0) as i32;
    let part = 1.0 / step as f32;
    for row in 0..step {
        let t = row as f32 * part;
        let from = [0, 1].map(|k| corners[0][k] + (corners[2][k] - corners[0][k]) * t);
        let to = [0, 1].map(|k| corners[1][k] + (corners[3][k] - corners[1][k]) * t);
        let (mut x, mut y) = (fixed(from[0]), fixed(from[1]));
        let (dx, dy) = (fixed((to[0] - from[0]) * part), fixed((to[1] - from[1]) * part));
        let start = ((top + row) * side + left) * 4;
        let mut next = || {
            let at = ((y >> 16) as usize * width + (x >> 16) as usize) * 4;
            let taken = sample(two(data, at), two(data, at + width * 4), x >> 8 & 0xff, y >> 8 & 0xff);
            x += dx;
            y += dy;
            taken
        };
        for pixels in picture[start..start + step * 4].chunks_exact_mut(8) {
            let (first, second) = (next(), next());
            let out = lay::<OPAQUE>(first, second, two(pixels, 0));
            pixels.copy_from_slice(&(out | OPAQUE_ALPHA).to_le_bytes());
        }
    }
}

/// Two neighbouring pixels.
fn two(data: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&data[at..at + 8]);
    u64::from_le_bytes(bytes)
}
