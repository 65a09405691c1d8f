//! The eyeball as if no lid covered it: the iris alone, and the white below it, both filled in from what is seen.

use super::anatomy::{Axes, Point};
use super::curve::smooth;
use super::eyes::Spot;
use super::light::{Colour, luma};
use super::warp::Layer;

/// Pixels around the iris that its blurred edge takes.
const CLEAR: f32 = 2.2;
/// Depth of the lids' rims, in heights of the eye, and samples of it.
const RIM: f32 = 0.24;
const RIM_SAMPLES: usize = 9;

/// What the photo shows of an eye.
pub struct Seen<'a, F: Fn(f32) -> [f32; 2]> {
    pub photo: &'a Layer,
    pub axes: &'a Axes,
    /// Edges of the upper and the lower lid at a place along the eye's axis.
    pub lids: &'a F,
    pub iris: Point,
    pub radius: f32,
}

impl<F: Fn(f32) -> [f32; 2]> Seen<'_, F> {
    pub fn colour(&self, at: Point) -> Colour {
        bilinear(self.photo, self.axes.picture(at))
    }

    /// True between the lids, away from lashes and the wet edge.
    fn is_ball(&self, [x, y]: Point) -> bool {
        let [up, low] = (self.lids)(x);
        let edge = 0.10 * (low - up);
        y > up + 0.8 + edge && y < low - 0.4 - edge
    }

    fn off_centre(&self, [x, y]: Point) -> f32 {
        (x - self.iris[0]).hypot(y - self.iris[1])
    }

    /// True where the photo shows the iris, or would without the lids.
    pub fn is_behind_iris(&self, at: Point) -> bool {
        self.off_centre(at) <= self.radius + CLEAR
    }

    /// The iris as if nothing covered it: what is hidden is taken from its other side.
    pub fn iris_alone(&self) -> (Vec<Colour>, usize) {
        let side = (self.radius + 3.0).ceil() as usize * 2 + 1;
        let middle = (side as f32 - 1.0) / 2.0;
        let mut rings: Vec<(Colour, f32)> = vec![([0.0; 3], 0.0); side];
        let offset = |i: usize| [(i % side) as f32 - middle, (i / side) as f32 - middle];
        let at = |[dx, dy]: Point| [self.iris[0] + dx, self.iris[1] + dy];
        for i in 0..side * side {
            let [dx, dy] = offset(i);
            let p = at([dx, dy]);
            if self.is_ball(p) {
                let ring = &mut rings[(dx.hypot(dy) as usize).min(side - 1)];
                let colour = self.colour(p);
                ring.0 = std::array::from_fn(|k| ring.0[k] + colour[k]);
                ring.1 += 1.0;
            }
        }
        let mean = |out: f32| {
            let near = (0..side).filter(|r| rings[*r].1 > 0.0);
            let ring = near.min_by_key(|r| r.abs_diff(out as usize)).map(|r| rings[r]);
            ring.map_or([40.0; 3], |(sum, n)| sum.map(|v| v / n))
        };
        let one = |i: usize| {
            let [dx, dy] = offset(i);
            let twins = [([dx, dy], 1.0), ([-dx, dy], 0.97), ([dx, -dy], 0.86), ([-dx, -dy], 0.86)];
            let twin = twins.into_iter().find(|(d, _)| self.is_ball(at(*d)));
            twin.map_or(mean(dx.hypot(dy)).map(|v| v * 0.8), |(d, lit)| self.colour(at(d)).map(|v| v * lit))
        };
        ((0..side * side).map(one).collect(), side)
    }

    pub fn mean_white(&self, width: f32) -> Colour {
        let mut all = Vec::new();
        for i in 0..40 * 20 {
            let p = [((i % 40) as f32 / 39.0 - 0.5) * 0.84 * width, ((i / 40) as f32 / 19.0 - 0.5) * 0.5 * width];
            if self.is_ball(p) && self.off_centre(p) > self.radius + 1.5 {
                all.push(self.colour(p));
            }
        }
        if all.is_empty() {
            return [190.0, 182.0, 178.0];
        }
        all.sort_by(|a, b| luma(*b).total_cmp(&luma(*a)));
        all.truncate(all.len().div_ceil(2));
        std::array::from_fn(|k| all.iter().map(|c| c[k]).sum::<f32>() / all.len() as f32)
    }

    /// The white at a place without the rims of the lids: where the iris or a lid is, from beside it.
    pub fn white(&self, at: Point, mean: Colour) -> Colour {
        let [up, low] = (self.lids)(at[0]);
        // From rows where no rim of a lid is.
        let rim = 0.8 + RIM * 0.5 * (low - up);
        let inside = if up + rim < low - rim { at[1].clamp(up + rim, low - rim) } else { (up + low) / 2.0 };
        let p = [at[0], inside];
        // A touch darker where it was under the lid.
        let hidden = 1.0 - 0.25 * smooth((up - at[1]) / 3.0);
        if !self.is_behind_iris(p) {
            return self.colour(p).map(|v| v * hidden);
        }
        let clear = self.radius + CLEAR;
        let dy = p[1] - self.iris[1];
        let reach = (clear * clear - dy * dy).max(0.0).sqrt();
        let mut sum = [0.0; 3];
        let mut weight = 0.0;
        for side in [-1.0, 1.0] {
            for step in 0..4 {
                let beside = [self.iris[0] + side * (reach + 0.4 + step as f32), p[1]];
                if !self.is_ball(beside) {
                    continue;
                }
                let share = 1.0 / (1.0 + (beside[0] - p[0]).abs());
                let colour = self.colour(beside);
                sum = std::array::from_fn(|k| sum[k] + colour[k] * share);
                weight += share;
            }
        }
        // The mean has a small say everywhere, and the only one where nothing else is seen.
        let share = 0.06;
        let across = ((p[1] - up) / (low - up).max(1.0)).clamp(0.0, 1.0);
        let shaded = mean.map(|v| v * (0.80 + 0.20 * smooth(across * 2.0)));
        std::array::from_fn(|k| (sum[k] + shaded[k] * share) / (weight + share) * hidden)
    }

    /// Blurs the filled-in part of the white, whose rows were found one by one.
    pub fn soften(&self, spots: &mut [Spot], stride: usize) {
        for _ in 0..3 {
            let before: std::collections::HashMap<usize, Colour> = spots.iter().map(|s| (s.byte, s.white)).collect();
            for spot in spots.iter_mut().filter(|s| self.off_centre(s.at) < self.radius + 2.0) {
                let (mut sum, mut n) = ([0.0; 3], 0.0);
                for byte in
                    [spot.byte, spot.byte + 4, spot.byte - 4, spot.byte + stride, spot.byte.saturating_sub(stride)]
                {
                    if let Some(colour) = before.get(&byte) {
                        sum = std::array::from_fn(|k| sum[k] + colour[k]);
                        n += 1.0;
                    }
                }
                spot.white = sum.map(|v| v / n);
            }
        }
    }
}

/// How dark the eyeball gets towards the lids, which throw a shade and have lashes: the part of its brightness that is
/// left, from the lid's edge inwards.
#[derive(Clone, Copy, Debug)]
pub struct Rims {
    upper: [f32; RIM_SAMPLES],
    lower: [f32; RIM_SAMPLES],
    /// Pixels.
    depth: f32,
}

impl Rims {
    /// As beside the iris.
    pub fn of<F: Fn(f32) -> [f32; 2]>(seen: &Seen<'_, F>, width: f32, height: f32) -> Self {
        let depth = (RIM * height).max(2.0);
        let along = |down: bool| {
            let mut sums = [0.0; RIM_SAMPLES];
            let mut columns = 0.0;
            for x in (-8..=8).map(|i| i as f32 * 0.05 * width) {
                let [up, low] = (seen.lids)(x);
                let at = |deep: f32| [x, if down { up + deep } else { low - deep }];
                if low - up < 2.2 * depth || seen.is_behind_iris(at(depth)) {
                    continue;
                }
                let bright = luma(seen.colour(at(depth))).max(1.0);
                for (i, sum) in sums.iter_mut().enumerate() {
                    let deep = depth * i as f32 / (RIM_SAMPLES - 1) as f32;
                    *sum += (luma(seen.colour(at(deep))) / bright).min(1.0);
                }
                columns += 1.0;
            }
            if columns == 0.0 { [1.0; RIM_SAMPLES] } else { sums.map(|sum| sum / columns) }
        };
        Self { upper: along(true), lower: along(false), depth }
    }

    /// 1 where the lids are so far apart that there is more than rims between them, 0 in the corners.
    pub fn room(&self, open: f32) -> f32 {
        smooth((open / self.depth - 1.0) / 1.5)
    }

    /// At so many pixels below the upper lid and above the lower one.
    pub fn at(&self, below: f32, above: f32) -> f32 {
        let one = |rim: &[f32; RIM_SAMPLES], deep: f32| {
            let at = (deep / self.depth).clamp(0.0, 1.0) * (RIM_SAMPLES - 1) as f32;
            let i = (at as usize).min(RIM_SAMPLES - 2);
            rim[i] + (rim[i + 1] - rim[i]) * (at - i as f32)
        };
        // Well under a lid there is eyeball without a rim, for when the lid is raised.
        let upper = if below < -1.0 { 1.0 } else { one(&self.upper, below) };
        upper * if above < -1.0 { 1.0 } else { one(&self.lower, above) }
    }
}

/// The photo's colour at a point of the picture.
pub fn bilinear(photo: &Layer, [x, y]: Point) -> Colour {
    let x = (x - 0.5).clamp(0.0, photo.width as f32 - 1.01);
    let y = (y - 0.5).clamp(0.0, photo.height as f32 - 1.01);
    let (i, j) = (x as usize, y as usize);
    let (u, v) = (x - i as f32, y - j as f32);
    let at = (j * photo.width + i) * 4;
    let row = photo.width * 4;
    let data = &photo.data;
    std::array::from_fn(|k| {
        let p = |d: usize| f32::from(data[at + d + k]);
        (p(0) * (1.0 - u) + p(4) * u) * (1.0 - v) + (p(row) * (1.0 - u) + p(row + 4) * u) * v
    })
}
