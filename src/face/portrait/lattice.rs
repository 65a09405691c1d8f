//! A net of points over the picture that moves, and the map that it makes: for each place of the drawn picture, the
//! place of the photo that is seen there.
//!
//! The net moves forwards, which is how motions are told; drawing wants the map backwards. It is found by laying each
//! moved triangle of the net over the nodes of a coarse grid. Where the net folds over itself, the later triangle wins.

use super::anatomy::Point;

/// Nodes over which one map passes into another.
const MEETING: usize = 4;

/// The net: points at equal distances, with what each needs to know to move.
#[derive(Clone, Debug)]
pub struct Lattice<V> {
    columns: usize,
    /// Where the points are at rest, in picture pixels.
    rest: Vec<Point>,
    pub vertices: Vec<V>,
    moved: Vec<Point>,
}

impl<V> Lattice<V> {
    /// Points every `step` pixels from `from` to beyond `to`.
    pub fn new(from: Point, to: Point, step: f32, vertex: impl Fn(Point) -> V) -> Self {
        let count = |k: usize| ((to[k] - from[k]) / step).ceil() as usize + 1;
        let (columns, rows) = (count(0), count(1));
        let at = |i: usize| [from[0] + (i % columns) as f32 * step, from[1] + (i / columns) as f32 * step];
        let rest: Vec<Point> = (0..columns * rows).map(at).collect();
        let vertices = rest.iter().map(|p| vertex(*p)).collect();
        Self { columns, moved: rest.clone(), vertices, rest }
    }

    /// What the point next to a place needs to know.
    pub fn nearest(&self, at: Point) -> &V {
        let away = |i: &usize| (self.rest[*i][0] - at[0]).hypot(self.rest[*i][1] - at[1]);
        let nearest = (0..self.rest.len()).min_by(|a, b| away(a).total_cmp(&away(b)));
        &self.vertices[nearest.unwrap_or(0)]
    }

    /// Moves every point to where `place` puts it.
    pub fn shape(&mut self, place: impl Fn(Point, &V) -> Point) {
        for ((moved, rest), vertex) in self.moved.iter_mut().zip(&self.rest).zip(&self.vertices) {
            *moved = place(*rest, vertex);
        }
    }
}

/// The backward map on a grid of nodes `step` pixels apart; between them it is bilinear.
#[derive(Clone, Debug)]
pub struct Map {
    /// Pixels of a cell's side.
    pub step: usize,
    /// Cells across and down.
    pub cells: [usize; 2],
    /// The picture pixel of the first node.
    pub origin: [usize; 2],
    /// Where each node's pixel lies in the photo, in pixels from the middle of the first one.
    nodes: Vec<Point>,
}

impl Map {
    pub fn new(step: usize, cells: [usize; 2]) -> Self {
        Self { step, cells, origin: [0, 0], nodes: vec![[0.0; 2]; (cells[0] + 1) * (cells[1] + 1)] }
    }

    /// The map that `lattice` makes. Nodes that it does not reach stay where they are.
    pub fn set<V>(&mut self, lattice: &Lattice<V>) {
        let across = self.cells[0] + 1;
        let [left, top] = self.origin;
        for (i, node) in self.nodes.iter_mut().enumerate() {
            *node = [(left + i % across * self.step) as f32, (top + i / across * self.step) as f32];
        }
        let columns = lattice.columns;
        for row in 0..lattice.rest.len() / columns - 1 {
            for at in row * columns..(row + 1) * columns - 1 {
                self.lay(lattice, [at, at + 1, at + columns]);
                self.lay(lattice, [at + 1, at + columns + 1, at + columns]);
            }
        }
    }

    /// Sets the nodes under one triangle.
    fn lay<V>(&mut self, lattice: &Lattice<V>, corners: [usize; 3]) {
        let step = 1.0 / self.step as f32;
        let node = |p: Point| [0, 1].map(|k| (p[k] - 0.5 - self.origin[k] as f32) * step);
        let [a, b, c] = corners.map(|i| node(lattice.moved[i]));
        let low = |k: usize| a[k].min(b[k]).min(c[k]).ceil().max(0.0);
        let high = |k: usize| a[k].max(b[k]).max(c[k]).floor().min(self.cells[k] as f32);
        let (left, top, right, bottom) = (low(0), low(1), high(0), high(1));
        if left > right || top > bottom {
            return;
        }
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if area.abs() < 1e-6 {
            return;
        }
        let [from_a, from_b, from_c] = corners.map(|i| lattice.rest[i]);
        for y in top as usize..=bottom as usize {
            for x in left as usize..=right as usize {
                let (dx, dy) = (x as f32 - a[0], y as f32 - a[1]);
                let v = (dx * (c[1] - a[1]) - dy * (c[0] - a[0])) / area;
                let w = (dy * (b[0] - a[0]) - dx * (b[1] - a[1])) / area;
                // A node on an edge belongs to both triangles.
                if v >= -1e-3 && w >= -1e-3 && v + w <= 1.001 {
                    self.nodes[y * (self.cells[0] + 1) + x] = std::array::from_fn(|k| {
                        from_a[k] + (from_b[k] - from_a[k]) * v + (from_c[k] - from_a[k]) * w - 0.5
                    });
                }
            }
        }
    }

    /// Makes the outermost nodes those of the coarser map `around`, and those further in less and less, so that no seam
    /// is seen where one map ends and the other goes on.
    pub fn meet(&mut self, around: &Self) {
        let [columns, rows] = self.cells;
        for (i, node) in self.nodes.iter_mut().enumerate() {
            let (column, row) = (i % (columns + 1), i / (columns + 1));
            let inside = column.min(row).min(columns - column).min(rows - row);
            if inside >= MEETING {
                continue;
            }
            let share = inside as f32 / MEETING as f32;
            let outer = around.between([self.origin[0] + column * self.step, self.origin[1] + row * self.step]);
            *node = std::array::from_fn(|k| outer[k] + (node[k] - outer[k]) * share);
        }
    }

    /// Where a pixel of the picture lies in the photo.
    fn between(&self, pixel: [usize; 2]) -> Point {
        let cell = [0, 1].map(|k| (pixel[k] / self.step).min(self.cells[k] - 1));
        let [u, v] = [0, 1].map(|k| (pixel[k] as f32 / self.step as f32) - cell[k] as f32);
        let [a, b, c, d] = self.corners(cell[0], cell[1]);
        std::array::from_fn(|k| (a[k] * (1.0 - u) + b[k] * u) * (1.0 - v) + (c[k] * (1.0 - u) + d[k] * u) * v)
    }

    /// The photo's places at the corners of a cell: upper left, upper right, lower left, lower right.
    pub fn corners(&self, column: usize, row: usize) -> [Point; 4] {
        let at = row * (self.cells[0] + 1) + column;
        let below = at + self.cells[0] + 1;
        [self.nodes[at], self.nodes[at + 1], self.nodes[below], self.nodes[below + 1]]
    }
}
