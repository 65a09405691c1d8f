//! Paths: read from the notation of SVG, mirrored, and ribbons that taper like strands of hair.

use tiny_skia::{Path, PathBuilder, Transform};

/// Centre line of the character.
pub const CENTRE_X: f32 = 256.0;

/// A path from SVG path data with the absolute commands M, L, Q, C and Z. For the constants of the drawing:
/// anything else is passed over.
pub fn path(data: &str) -> Path {
    let mut builder = PathBuilder::new();
    let mut numbers = Vec::with_capacity(6);
    let mut command = ' ';
    for token in data.split([' ', ',']).filter(|t| !t.is_empty()) {
        match token.parse::<f32>() {
            Ok(number) => numbers.push(number),
            Err(_) => {
                command = token.chars().next().unwrap_or(' ');
                if command == 'Z' {
                    builder.close();
                }
                continue;
            }
        }
        match (command, numbers.as_slice()) {
            ('M', &[x, y]) => builder.move_to(x, y),
            ('L', &[x, y]) => builder.line_to(x, y),
            ('Q', &[x1, y1, x, y]) => builder.quad_to(x1, y1, x, y),
            ('C', &[x1, y1, x2, y2, x, y]) => builder.cubic_to(x1, y1, x2, y2, x, y),
            _ => continue,
        }
        numbers.clear();
    }
    builder.finish().unwrap_or_else(nowhere)
}

/// The same on the other side of the centre line.
pub fn mirrored(path: &Path) -> Path {
    moved(path, Transform::from_row(-1.0, 0.0, 0.0, 1.0, 2.0 * CENTRE_X, 0.0))
}

pub fn moved(path: &Path, by: Transform) -> Path {
    path.clone().transform(by).unwrap_or_else(|| path.clone())
}

pub fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> Path {
    const K: f32 = 0.552_285;
    let mut b = PathBuilder::new();
    b.move_to(cx - rx, cy);
    b.cubic_to(cx - rx, cy - K * ry, cx - K * rx, cy - ry, cx, cy - ry);
    b.cubic_to(cx + K * rx, cy - ry, cx + rx, cy - K * ry, cx + rx, cy);
    b.cubic_to(cx + rx, cy + K * ry, cx + K * rx, cy + ry, cx, cy + ry);
    b.cubic_to(cx - K * rx, cy + ry, cx - rx, cy + K * ry, cx - rx, cy);
    b.close();
    b.finish().unwrap_or_else(nowhere)
}

/// Stands for a shape without extent: far outside of the picture.
pub fn nowhere() -> Path {
    PathBuilder::from_circle(-900.0, -900.0, 1.0).expect("a circle has a path")
}

pub type Point = [f32; 2];

/// A cubic Bézier curve.
#[derive(Clone, Copy, Debug)]
pub struct Cubic(pub [Point; 4]);

impl Cubic {
    pub fn at(&self, t: f32) -> Point {
        let [a, b, c, d] = self.0;
        let s = 1.0 - t;
        let (w0, w1, w2, w3) = (s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t);
        [0, 1].map(|i| w0 * a[i] + w1 * b[i] + w2 * c[i] + w3 * d[i])
    }

    /// Unit vector across the curve, to its left.
    pub fn normal(&self, t: f32) -> Point {
        let (a, b) = (self.at((t - 0.01).max(0.0)), self.at((t + 0.01).min(1.0)));
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = dx.hypot(dy).max(1e-6);
        [dy / length, -dx / length]
    }

    /// Each control point from `self` (0) to `other` (1).
    pub fn mix(&self, other: &Self, t: f32) -> Self {
        Self(std::array::from_fn(|i| [0, 1].map(|k| self.0[i][k] + (other.0[i][k] - self.0[i][k]) * t)))
    }

    pub fn shifted(&self, dx: f32, dy: f32) -> Self {
        Self(self.0.map(|[x, y]| [x + dx, y + dy]))
    }

    /// The other way round.
    pub fn reversed(&self) -> Self {
        let [a, b, c, d] = self.0;
        Self([d, c, b, a])
    }
}

/// A band along `spine` whose half width is `half(t)` on either side.
pub fn ribbon(spine: &Cubic, half: impl Fn(f32) -> f32) -> Path {
    const STEPS: usize = 18;
    let mut b = PathBuilder::new();
    let edge = |i: usize, side: f32| {
        let t = i as f32 / STEPS as f32;
        let ([x, y], [nx, ny], h) = (spine.at(t), spine.normal(t), half(t) * side);
        [x + nx * h, y + ny * h]
    };
    let [x, y] = edge(0, 1.0);
    b.move_to(x, y);
    let there = (1..=STEPS).map(|i| edge(i, 1.0));
    let back = (0..=STEPS).rev().map(|i| edge(i, -1.0));
    for [x, y] in there.chain(back) {
        b.line_to(x, y);
    }
    b.close();
    b.finish().unwrap_or_else(nowhere)
}

/// The area between two curves that run the same way.
pub fn between(one: &Cubic, other: &Cubic) -> Path {
    let mut b = PathBuilder::new();
    let ([a, c1, c2, d], [e, f, g, h]) = (one.0, other.reversed().0);
    b.move_to(a[0], a[1]);
    b.cubic_to(c1[0], c1[1], c2[0], c2[1], d[0], d[1]);
    b.line_to(e[0], e[1]);
    b.cubic_to(f[0], f[1], g[0], g[1], h[0], h[1]);
    b.close();
    b.finish().unwrap_or_else(nowhere)
}

/// A smooth curve through its points (Catmull-Rom), parameter 0 to 1.
#[derive(Clone, Debug)]
pub struct Spline(pub Vec<Point>);

impl Spline {
    pub fn at(&self, t: f32) -> Point {
        let points = &self.0;
        let last = points.len() - 1;
        let x = t.clamp(0.0, 1.0) * last as f32;
        let i = (x.floor() as usize).min(last.saturating_sub(1));
        let f = x - i as f32;
        let get = |k: isize| points[(i as isize + k).clamp(0, last as isize) as usize];
        let (a, b, c, d) = (get(-1), get(0), get(1), get(2));
        [0, 1].map(|k| {
            let (m0, m1) = (0.5 * (c[k] - a[k]), 0.5 * (d[k] - b[k]));
            let (f2, f3) = (f * f, f * f * f);
            (2.0 * f3 - 3.0 * f2 + 1.0) * b[k]
                + (f3 - 2.0 * f2 + f) * m0
                + (3.0 * f2 - 2.0 * f3) * c[k]
                + (f3 - f2) * m1
        })
    }

    fn normal(&self, t: f32) -> Point {
        let (a, b) = (self.at(t - 0.005), self.at(t + 0.005));
        let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
        let length = dx.hypot(dy).max(1e-6);
        [dy / length, -dx / length]
    }

    /// Point by point from `self` (0) to `other` (1), which has as many points.
    pub fn mix(&self, other: &Self, t: f32) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| [0, 1].map(|k| a[k] + (b[k] - a[k]) * t)).collect())
    }

    /// A band along the part of the curve from `from` to `to`; `half` gives its half width by 0 to 1 along the part.
    pub fn strand(&self, from: f32, to: f32, half: impl Fn(f32) -> f32) -> Path {
        let steps = 10 * self.0.len();
        let mut b = PathBuilder::new();
        let edge = |i: usize, side: f32| {
            let s = i as f32 / steps as f32;
            let t = from + (to - from) * s;
            let ([x, y], [nx, ny], h) = (self.at(t), self.normal(t), half(s) * side);
            [x + nx * h, y + ny * h]
        };
        let [x, y] = edge(0, 1.0);
        b.move_to(x, y);
        for [x, y] in (1..=steps).map(|i| edge(i, 1.0)).chain((0..=steps).rev().map(|i| edge(i, -1.0))) {
            b.line_to(x, y);
        }
        b.close();
        b.finish().unwrap_or_else(nowhere)
    }

    /// The area between two curves.
    pub fn enclosing(&self, other: &Self) -> Path {
        let steps = 12 * self.0.len();
        let mut b = PathBuilder::new();
        let [x, y] = self.at(0.0);
        b.move_to(x, y);
        let along = |i: usize| i as f32 / steps as f32;
        for [x, y] in (1..=steps).map(|i| self.at(along(i))).chain((0..=steps).rev().map(|i| other.at(along(i)))) {
            b.line_to(x, y);
        }
        b.close();
        b.finish().unwrap_or_else(nowhere)
    }
}

/// Width profile of a strand: thin at both ends, full at `peak`.
pub fn taper(t: f32, peak: f32) -> f32 {
    let x = if t < peak { t / peak } else { (1.0 - t) / (1.0 - peak) };
    x.clamp(0.0, 1.0).powf(0.7)
}
