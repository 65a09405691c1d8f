//! Lays layers onto the picture, each point moved by a smooth map: the fast part of drawing.
//!
//! A map goes from picture to layer and is evaluated on a grid that covers only where the layer can be seen;
//! within a cell it is taken as bilinear. Cells in which a layer is empty are skipped, cells in which it is opaque
//! hide all that lies below them, and cells whose corners stay where they were are not drawn again. So that slow
//! motion leaves most of them, places are rounded to an eighth of a pixel of the layer, which is not seen.

use super::changed::{CELLS, Changed};
use super::texel::{Below, CELL, DIGITS, Place, Texels, lay_cell};
use super::texture::{SCALE, SIDE, Texture};

/// Picture pixels that a layer may be moved in any pose.
const REACH: f32 = 56.0;
/// Steps to which places are rounded, in a pixel of the layer, and the binary digits that are then always 0.
const STEPS: f32 = 8.0;
const ROUNDED: u32 = DIGITS - 3;
/// Layer pixels from the picture's corner beyond which no place lies; keeps sums of places within 32 bits.
const FAR: f32 = 8000.0;
/// A place that no map gives.
const NOWHERE: Place = [i32::MAX; 2];

/// What a part of a layer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    Empty,
    Mixed,
    Opaque,
}

/// Which parts of a texture are worth drawing.
#[derive(Clone, Debug)]
pub struct Tiles {
    across: usize,
    down: usize,
    fills: Vec<Fill>,
}

impl Tiles {
    pub fn of(layer: &Texture) -> Self {
        let (across, down) = (layer.width.div_ceil(CELL), layer.height.div_ceil(CELL));
        let mut tiles = Self { across, down, fills: Vec::with_capacity(across * down) };
        tiles.look_again(layer);
        tiles
    }

    /// The same of a texture of the same size, or of the same one after it changed.
    pub fn look_again(&mut self, layer: &Texture) {
        self.fills.clear();
        for ty in 0..self.down {
            for tx in 0..self.across {
                let (mut low, mut high) = (u8::MAX, 0);
                for y in ty * CELL..((ty + 1) * CELL).min(layer.height) {
                    for x in tx * CELL..((tx + 1) * CELL).min(layer.width) {
                        let alpha = layer.data[(y * layer.width + x) * 4 + 3];
                        (low, high) = (low.min(alpha), high.max(alpha));
                    }
                }
                self.fills.push(match (low, high) {
                    (_, 0) => Fill::Empty,
                    (u8::MAX, _) => Fill::Opaque,
                    _ => Fill::Mixed,
                });
            }
        }
    }

    /// The fill of a box of texture pixels: opaque or empty only if all of it is.
    fn of_box(&self, [left, top, right, bottom]: [f32; 4]) -> Fill {
        let (wide, tall) = ((self.across * CELL) as f32, (self.down * CELL) as f32);
        if right < 0.0 || bottom < 0.0 || left >= wide || top >= tall {
            return Fill::Empty;
        }
        let beyond = left < 0.0 || top < 0.0 || right >= wide || bottom >= tall;
        let tile = |v: f32, count: usize| ((v.max(0.0) as usize) / CELL).min(count - 1);
        let (x0, x1) = (tile(left, self.across), tile(right, self.across));
        let (y0, y1) = (tile(top, self.down), tile(bottom, self.down));
        let first = self.fills[y0 * self.across + x0];
        let row = |y: usize| &self.fills[y * self.across + x0..=y * self.across + x1];
        let same = (y0..=y1).all(|y| row(y).iter().all(|f| *f == first));
        if same && !(beyond && first == Fill::Opaque) { first } else { Fill::Mixed }
    }
}

/// The map of one layer on its grid, with what it shows in each cell; kept between pictures.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The cells it covers: first column and row, how many across and down.
    first: [usize; 2],
    count: [usize; 2],
    nodes: Vec<Place>,
    /// Nodes that the last [`Grid::set`] moved.
    moved: Vec<bool>,
    fills: Vec<Fill>,
}

impl Grid {
    /// For a texture wherever it may be moved.
    pub fn of(texture: &Texture) -> Self {
        let [left, top, right, bottom] = texture.bounds();
        let cell = |v: f32| (v / CELL as f32).clamp(0.0, CELLS as f32);
        let first = [left, top].map(|v| cell(v - REACH).floor() as usize);
        let last = [right, bottom].map(|v| cell(v + REACH).ceil() as usize);
        let count = [0, 1].map(|k| last[k].saturating_sub(first[k]));
        let nodes = (count[0] + 1) * (count[1] + 1);
        let fills = vec![Fill::Empty; count[0] * count[1]];
        Self { first, count, nodes: vec![NOWHERE; nodes], moved: vec![true; nodes], fills }
    }

    /// Evaluates `map`, which takes a picture point to the point of the layer that is seen there, both in picture
    /// pixels, and marks the cells that look different now; `redrawn`: the texture itself changed.
    pub fn set(
        &mut self,
        texture: &Texture,
        tiles: &Tiles,
        redrawn: bool,
        map: impl Fn([f32; 2]) -> [f32; 2],
        changed: &mut Changed,
    ) {
        let corner = [texture.left, texture.top].map(|v| v as f32);
        let mut any = redrawn;
        let places = self.nodes.iter_mut().zip(&mut self.moved).enumerate();
        let across = self.count[0] + 1;
        for (n, (node, moved)) in places {
            let (i, j) = (self.first[0] + n % across, self.first[1] + n / across);
            // Centres of pixels lie at halves, in the picture and in the layer.
            let seen = map([(i * CELL) as f32 + 0.5, (j * CELL) as f32 + 0.5]);
            let place = [0, 1].map(|k| {
                let at = (seen[k] * SCALE - 0.5).clamp(-FAR, FAR) - corner[k];
                // Rounded by cutting off a number that is never negative.
                (((at + 2.0 * FAR) * STEPS + 0.5) as i32 - (2.0 * FAR * STEPS) as i32) << ROUNDED
            });
            *moved = *node != place;
            any |= *moved;
            *node = place;
        }
        if !any {
            return;
        }
        for j in 0..self.count[1] {
            for i in 0..self.count[0] {
                let at = j * across + i;
                let four = [at, at + 1, at + across, at + across + 1];
                if !redrawn && four.iter().all(|n| !self.moved[*n]) {
                    continue;
                }
                let fill = tiles.of_box(bounds(four.map(|n| self.nodes[n])));
                let before = std::mem::replace(&mut self.fills[j * self.count[0] + i], fill);
                if (before, fill) != (Fill::Empty, Fill::Empty) {
                    changed.mark(self.first[0] + i, self.first[1] + j);
                }
            }
        }
    }

    /// What it shows in a cell of the picture, and the cell's first node.
    fn cell(&self, column: usize, row: usize) -> (Fill, usize) {
        let (i, j) = (column.wrapping_sub(self.first[0]), row.wrapping_sub(self.first[1]));
        if i >= self.count[0] || j >= self.count[1] {
            return (Fill::Empty, 0);
        }
        (self.fills[j * self.count[0] + i], j * (self.count[0] + 1) + i)
    }

    fn corners(&self, first: usize) -> [Place; 4] {
        let below = first + self.count[0] + 1;
        [self.nodes[first], self.nodes[first + 1], self.nodes[below], self.nodes[below + 1]]
    }
}

/// The box of texture pixels that is sampled between four corners.
fn bounds([a, b, c, d]: [Place; 4]) -> [f32; 4] {
    let low = |k: usize| (a[k].min(b[k]).min(c[k].min(d[k])) >> DIGITS) as f32;
    let high = |k: usize| (a[k].max(b[k]).max(c[k].max(d[k])) >> DIGITS) as f32 + 2.0;
    [low(0), low(1), high(0), high(1)]
}

/// Draws the `changed` cells of the layers, the rearmost first, over `background` into `picture` (both RGBA8 of the
/// picture's size). With `clear` the result may be transparent and is premultiplied; otherwise both must be opaque.
pub fn compose<'l, L>(layers: L, changed: &Changed, background: &[u8], picture: &mut [u8], clear: bool)
where
    L: DoubleEndedIterator<Item = (&'l Texture, &'l Grid)> + ExactSizeIterator + Clone,
{
    let below = if clear { Below::Clear } else { Below::Opaque };
    for row in 0..CELLS {
        for column in (0..CELLS).filter(|column| changed.has(*column, row)) {
            let at = [column * CELL, row * CELL];
            // Whatever lies below the frontmost opaque layer is not seen.
            let first = layers.clone().rposition(|(_, grid)| grid.cell(column, row).0 == Fill::Opaque);
            if first.is_none() {
                for y in at[1]..at[1] + CELL {
                    let at = (y * SIDE + at[0]) * 4;
                    picture[at..at + CELL * 4].copy_from_slice(&background[at..at + CELL * 4]);
                }
            }
            for (texture, grid) in layers.clone().skip(first.unwrap_or(0)) {
                let (fill, node) = grid.cell(column, row);
                let below = match fill {
                    Fill::Empty => continue,
                    Fill::Opaque => Below::Hidden,
                    Fill::Mixed => below,
                };
                if let Some(texels) = Texels::of(texture) {
                    lay_cell(texels, grid.corners(node), picture, at, below);
                }
            }
        }
    }
}
