//! Lays layers onto the picture, each point moved by a smooth map: the fast part of drawing.
//!
//! A map goes from picture to layer and is evaluated on a grid; within a cell it is taken as bilinear. Cells in
//! which a layer is empty are skipped, cells in which it is opaque hide all that lies below them.

use tiny_skia::Pixmap;

use super::paint::{SCALE, SIDE};
use super::texel::{lay, sample};

/// Side of a cell of the map, in picture pixels; also the side of a tile in layer pixels.
const CELL: usize = 16;
/// Nodes of the grid along a side of the picture.
const NODES: usize = SIDE / CELL + 1;
/// The alpha of two opaque pixels, which rounding must not touch.
const OPAQUE_ALPHA: u64 = 0xff00_0000_ff00_0000;

/// What a part of a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    Empty,
    Mixed,
    Opaque,
}

/// Which parts of a layer are worth drawing.
#[derive(Clone, Debug)]
pub struct Tiles {
    across: usize,
    down: usize,
    fills: Vec<Fill>,
}

impl Tiles {
    pub fn of(layer: &Pixmap) -> Self {
        let (width, height) = (layer.width() as usize, layer.height() as usize);
        let (across, down) = (width.div_ceil(CELL), height.div_ceil(CELL));
        let mut fills = Vec::with_capacity(across * down);
        for ty in 0..down {
            for tx in 0..across {
                let (mut low, mut high) = (u8::MAX, 0);
                for y in ty * CELL..((ty + 1) * CELL).min(height) {
                    for x in tx * CELL..((tx + 1) * CELL).min(width) {
                        let alpha = layer.data()[(y * width + x) * 4 + 3];
                        (low, high) = (low.min(alpha), high.max(alpha));
                    }
                }
                fills.push(if high == 0 {
                    Fill::Empty
                } else if low == u8::MAX {
                    Fill::Opaque
                } else {
                    Fill::Mixed
                });
            }
        }
        Self { across, down, fills }
    }

    /// The fill of a box of layer pixels: opaque or empty only if all of it is.
    fn of_box(&self, [left, top, right, bottom]: [f32; 4]) -> Fill {
        let tile = |v: f32, count: usize| ((v.max(0.0) as usize) / CELL).min(count - 1);
        let (x0, x1) = (tile(left, self.across), tile(right, self.across));
        let (y0, y1) = (tile(top, self.down), tile(bottom, self.down));
        let first = self.fills[y0 * self.across + x0];
        let row = |y: usize| &self.fills[y * self.across + x0..=y * self.across + x1];
        if (y0..=y1).all(|y| row(y).iter().all(|f| *f == first)) { first } else { Fill::Mixed }
    }
}

/// The map of one layer on the grid, with what it shows in each cell; kept between pictures.
#[derive(Clone, Debug)]
pub struct Grid {
    nodes: Vec<[f32; 2]>,
    fills: Vec<Fill>,
}

impl Grid {
    pub fn new() -> Self {
        Self { nodes: Vec::with_capacity(NODES * NODES), fills: Vec::with_capacity((NODES - 1) * (NODES - 1)) }
    }

    /// Evaluates `map`, which takes a picture point to the point of the layer that is seen there, both in picture
    /// pixels.
    pub fn set(&mut self, tiles: &Tiles, map: impl Fn(f32, f32) -> [f32; 2]) {
        self.nodes.clear();
        for j in 0..NODES {
            for i in 0..NODES {
                // Centres of pixels lie at halves, in the picture and in the layer.
                let [x, y] = map((i * CELL) as f32 + 0.5, (j * CELL) as f32 + 0.5);
                self.nodes.push([x * SCALE - 0.5, y * SCALE - 0.5]);
            }
        }
        self.fills.clear();
        for cell in 0..(NODES - 1) * (NODES - 1) {
            let fill = tiles.of_box(bounds(&self.corners(cell)));
            self.fills.push(fill);
        }
    }

    fn corners(&self, cell: usize) -> [[f32; 2]; 4] {
        let at = cell / (NODES - 1) * NODES + cell % (NODES - 1);
        [self.nodes[at], self.nodes[at + 1], self.nodes[at + NODES], self.nodes[at + NODES + 1]]
    }
}

/// The box of layer pixels that is sampled between four corners.
fn bounds(corners: &[[f32; 2]; 4]) -> [f32; 4] {
    let [a, b, c, d] = corners;
    let low = |k: usize| a[k].min(b[k]).min(c[k].min(d[k]));
    let high = |k: usize| a[k].max(b[k]).max(c[k].max(d[k])) + 1.0;
    [low(0), low(1), high(0), high(1)]
}

/// Draws the layers, the rearmost first, over `background` into `picture` (both opaque RGBA8 of the picture's size).
pub fn compose<const N: usize>(layers: [(&Pixmap, &Grid); N], background: &[u8], picture: &mut [u8]) {
    for cell in 0..(NODES - 1) * (NODES - 1) {
        let (left, top) = (cell % (NODES - 1) * CELL, cell / (NODES - 1) * CELL);
        // Whatever lies below the frontmost opaque layer is not seen.
        let first = (0..N).rev().find(|i| layers[*i].1.fills[cell] == Fill::Opaque);
        if first.is_none() {
            for row in top..top + CELL {
                let at = (row * SIDE + left) * 4;
                picture[at..at + CELL * 4].copy_from_slice(&background[at..at + CELL * 4]);
            }
        }
        for (layer, grid) in &layers[first.unwrap_or(0)..] {
            let corners = grid.corners(cell);
            match grid.fills[cell] {
                Fill::Empty => {}
                Fill::Mixed => draw::<false>(layer, picture, (left, top), &corners),
                Fill::Opaque => draw::<true>(layer, picture, (left, top), &corners),
            }
        }
    }
}

/// One cell of one layer. `OPAQUE`: nothing below shows.
fn draw<const OPAQUE: bool>(layer: &Pixmap, picture: &mut [u8], (left, top): (usize, usize), corners: &[[f32; 2]; 4]) {
    let (width, height) = (layer.width() as usize, layer.height() as usize);
    let data = layer.data();
    // Samples beyond the layer take its edge; a cell over the edge is moved so that it need not be asked each time.
    let last = [width as f32 - 2.01, height as f32 - 2.01];
    let corners = corners.map(|c| [0, 1].map(|k| c[k].clamp(0.0, last[k])));
    let fixed = |v: f32| (v * 65536.0) as i32;
    let part = 1.0 / CELL as f32;
    for row in 0..CELL {
        let t = row as f32 * part;
        let from = [0, 1].map(|k| corners[0][k] + (corners[2][k] - corners[0][k]) * t);
        let to = [0, 1].map(|k| corners[1][k] + (corners[3][k] - corners[1][k]) * t);
        let (mut x, mut y) = (fixed(from[0]), fixed(from[1]));
        let (dx, dy) = (fixed((to[0] - from[0]) * part), fixed((to[1] - from[1]) * part));
        let start = ((top + row) * SIDE + left) * 4;
        let mut next = || {
            let at = ((y >> 16) as usize * width + (x >> 16) as usize) * 4;
            let (right, below) = (x >> 8 & 0xff, y >> 8 & 0xff);
            let taken = sample(two(data, at), two(data, at + width * 4), right, below);
            x += dx;
            y += dy;
            taken
        };
        for pixels in picture[start..start + CELL * 4].chunks_exact_mut(8) {
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
