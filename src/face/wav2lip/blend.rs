//! Puts a mouth that the network made back into the picture it was made for.
//!
//! Its colours are brought to those of the picture at the rim of the [`super::mask`]. It is 96 pixels wide and the
//! face in the picture some hundreds; so where the network left the face as it was, the picture's own fine detail is
//! laid over it, and only what has changed is as soft as the network's picture is.

use super::mask::MASK;
use super::patch::{Patch, SIDE};
use crate::face::{Area, Rgba};

/// What is interpolated for each pixel of the patch: the new colour, the old colour, likeness of the two, cover.
type Texel = [f32; 8];
/// A difference of colours at which a pixel is held to be another thing, in 255ths.
const OTHER: f32 = 14.0;
/// Bounds of the correction of contrast and of brightness (255ths).
const GAIN: std::ops::RangeInclusive<f32> = 0.8..=1.25;
const MOST_SHIFT: f32 = 30.0;
/// Contrast below which there is none to be matched.
const LEAST_SPREAD: f32 = 2.0;

/// Where a patch lies in a picture: left, top, width, height in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

/// A pixel between four: the first of them, which may lie outside, and their weights.
#[derive(Clone, Copy)]
struct Tap {
    from: i32,
    weights: [f32; 4],
}

/// Working memory; grows with the first picture.
#[derive(Default)]
pub struct Blend {
    texels: Vec<Texel>,
    like: Vec<f32>,
    /// One row of the patch as wide as the picture needs it, for each row that is covered.
    wide: Vec<Texel>,
    across: Vec<Tap>,
}

impl Blend {
    /// Blends `new` over `picture` where `bounds` says, `share` of it from 0 to 1; `old` is what the picture shows
    /// there. Pixels that the mask does not cover are left alone; returns the box outside of which none was touched.
    pub fn draw(&mut self, old: &Patch, new: &Patch, bounds: &Bounds, share: f32, picture: &mut Rgba) -> Area {
        let columns = pixels(bounds.left, bounds.width, picture.width);
        let covered = MASK.rows.start as f32 / SIDE as f32;
        let top = bounds.top + covered * bounds.height;
        let rows = pixels(top, bounds.height * (1.0 - covered), picture.height);
        let area = Area { left: columns.start, top: rows.start, right: columns.end, bottom: rows.end };
        if area.is_empty() {
            return area;
        }
        self.prepare(old, new, share);
        self.widen(bounds, columns.clone());
        for y in rows {
            let tap = tap(y, bounds.top, bounds.height);
            let line = |n: usize| {
                let row = (tap.from + n as i32).clamp(MASK.rows.start as i32, MASK.rows.end as i32 - 1);
                let start = (row as usize - MASK.rows.start) * columns.len();
                &self.wide[start..start + columns.len()]
            };
            let lines = [0, 1, 2, 3].map(line);
            let start = (y * picture.width + columns.start) * 4;
            let out = &mut picture.data[start..start + columns.len() * 4];
            for (x, pixel) in out.chunks_exact_mut(4).enumerate() {
                let texel = weighed(lines.map(|line| &line[x]), &tap.weights);
                let cover = texel[7].clamp(0.0, 1.0);
                if cover < 1.0 / 512.0 {
                    continue;
                }
                let like = texel[6].clamp(0.0, 1.0);
                for k in 0..3 {
                    let was = f32::from(pixel[k]);
                    let detail = was - texel[3 + k];
                    let now = texel[k] + like * detail;
                    pixel[k] = (was + cover * (now - was) + 0.5).clamp(0.0, 255.0) as u8;
                }
            }
        }
        area
    }

    fn prepare(&mut self, old: &Patch, new: &Patch, share: f32) {
        let matched = matched(old, new);
        self.texels.clear();
        self.texels.extend(old.pixels().zip(new.pixels()).zip(&MASK.cover).map(|((old, new), cover)| {
            let old = old.map(f32::from);
            let new: [f32; 3] = std::array::from_fn(|k| f32::from(new[k]) * matched[k][0] + matched[k][1]);
            let apart: f32 = (0..3).map(|k| (new[k] - old[k]) * (new[k] - old[k])).sum();
            let like = (-apart / (2.0 * OTHER * OTHER)).exp();
            [new[0], new[1], new[2], old[0], old[1], old[2], like, cover * share]
        }));
        // A pixel is like the old one only as far as those around it are: a thin line of chance likeness would show.
        self.like.clear();
        self.like.extend(self.texels.iter().map(|texel| texel[6]));
        for row in MASK.rows.clone() {
            for column in 0..SIDE {
                let near = |v: usize, n: usize| (v + n).saturating_sub(1).min(SIDE - 1);
                let around = (0..9).map(|n| self.like[near(row, n / 3) * SIDE + near(column, n % 3)]);
                self.texels[row * SIDE + column][6] = around.fold(1.0, f32::min);
            }
        }
    }

    /// Interpolates the covered rows across.
    fn widen(&mut self, bounds: &Bounds, columns: std::ops::Range<usize>) {
        self.across.clear();
        self.across.extend(columns.map(|x| tap(x, bounds.left, bounds.width)));
        self.wide.clear();
        for row in MASK.rows.clone() {
            let line = &self.texels[row * SIDE..(row + 1) * SIDE];
            self.wide.extend(self.across.iter().map(|tap| {
                let four = [0, 1, 2, 3].map(|n| &line[(tap.from + n).clamp(0, SIDE as i32 - 1) as usize]);
                weighed(four, &tap.weights)
            }));
        }
    }
}

/// Gain and shift for each colour that bring mean and spread of `new` at the rim to those of `old`.
fn matched(old: &Patch, new: &Patch) -> [[f32; 2]; 3] {
    let of = |patch: &Patch| {
        let (mut sum, mut squares) = ([0.0f32; 3], [0.0f32; 3]);
        for at in &MASK.rim {
            for (k, v) in patch.at(*at).map(f32::from).into_iter().enumerate() {
                sum[k] += v;
                squares[k] += v * v;
            }
        }
        let count = MASK.rim.len() as f32;
        std::array::from_fn::<_, 3, _>(|k| {
            let mean = sum[k] / count;
            [mean, (squares[k] / count - mean * mean).max(0.0).sqrt()]
        })
    };
    let (old, new) = (of(old), of(new));
    std::array::from_fn(|k| {
        let ([wanted, wide], [mean, spread]) = (old[k], new[k]);
        let gain = if spread < LEAST_SPREAD { 1.0 } else { (wide / spread).clamp(*GAIN.start(), *GAIN.end()) };
        // The gain holds about the mean of the rim.
        [gain, (wanted - mean).clamp(-MOST_SHIFT, MOST_SHIFT) + mean * (1.0 - gain)]
    })
}

/// The picture's pixels of which the centres lie within `length` from `start` on.
fn pixels(start: f32, length: f32, side: usize) -> std::ops::Range<usize> {
    let clamp = |v: f32| (v - 0.5).ceil().clamp(0.0, side as f32) as usize;
    clamp(start)..clamp(start + length)
}

/// The pixels of the patch about pixel `at` of the picture, with the weights of Catmull and Rom's cubic.
fn tap(at: usize, start: f32, length: f32) -> Tap {
    let place = (at as f32 + 0.5 - start) / length * SIDE as f32 - 0.5;
    let first = place.floor();
    let t = place - first;
    let (t2, t3) = (t * t, t * t * t);
    let weights = [2.0 * t2 - t - t3, 2.0 - 5.0 * t2 + 3.0 * t3, t + 4.0 * t2 - 3.0 * t3, t3 - t2].map(|v| v / 2.0);
    Tap { from: first as i32 - 1, weights }
}

fn weighed(four: [&Texel; 4], weights: &[f32; 4]) -> Texel {
    std::array::from_fn(|k| {
        four[0][k] * weights[0] + four[1][k] * weights[1] + four[2][k] * weights[2] + four[3][k] * weights[3]
    })
}

/// What `picture` shows within `bounds`, red, green, blue in rows of `width`, as a patch: each pixel is the mean of
/// what it covers, which is what the network has seen in training (its faces were about as large as the patch).
pub fn crop(picture: &[u8], width: usize, bounds: &Bounds, patch: &mut Patch) {
    let height = picture.len() / (3 * width).max(1);
    let step = [bounds.width / SIDE as f32, bounds.height / SIDE as f32];
    let fine = step.map(|v| (v.ceil() as usize).clamp(1, 8));
    let at = |x: f32, y: f32| {
        let place = |v: f32, side: usize| (v - 0.5).clamp(0.0, (side - 1) as f32);
        let (x, y) = (place(x, width), place(y, height));
        let (left, top) = (x as usize, y as usize);
        let (u, v) = (x - left as f32, y - top as f32);
        let pixel = |i: usize, j: usize| {
            let from = ((top + j).min(height - 1) * width + (left + i).min(width - 1)) * 3;
            [0, 1, 2].map(|k| f32::from(picture[from + k]))
        };
        let [a, b, c, d] = [pixel(0, 0), pixel(1, 0), pixel(0, 1), pixel(1, 1)];
        [0, 1, 2].map(|k| (a[k] * (1.0 - u) + b[k] * u) * (1.0 - v) + (c[k] * (1.0 - u) + d[k] * u) * v)
    };
    let share = 1.0 / (fine[0] * fine[1]) as f32;
    patch.fill(|n| {
        let (column, row) = ((n % SIDE) as f32, (n / SIDE) as f32);
        let mut sum = [0.0f32; 3];
        for i in 0..fine[0] * fine[1] {
            let x = bounds.left + (column + ((i % fine[0]) as f32 + 0.5) / fine[0] as f32) * step[0];
            let y = bounds.top + (row + ((i / fine[0]) as f32 + 0.5) / fine[1] as f32) * step[1];
            sum.iter_mut().zip(at(x, y)).for_each(|(sum, v)| *sum += v);
        }
        sum.map(|v| (v * share + 0.5).clamp(0.0, 255.0) as u8)
    });
}

#[cfg(test)]
#[path = "blend_tests.rs"]
mod tests;
