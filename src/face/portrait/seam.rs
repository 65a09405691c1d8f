//! The line on which closed lips meet: the darkest smooth path from corner to corner, near where the mesh has it.
//!
//! The mesh is right to a few pixels; a cut that far off would leave a strip of one lip on the other.

use super::anatomy::Axes;
use super::lips::LipLines;
use super::path::{STEPS, cheapest};

/// How far from the mesh the line is sought, as a share of the mouth's half width.
const REACH: f32 = 0.16;
/// Cost of one step up or down between neighbouring places, in levels of brightness.
const BEND: f32 = 2.0;
/// Cost of lying away from the mesh, at the end of the reach.
const STRAY: f32 = 14.0;

/// Moves both inner edges onto the line.
pub fn follow(pixels: &[u8], side: usize, axes: &Axes, lips: &mut LipLines) {
    let mean: Vec<f32> = {
        let upper = lips.inner_upper.heights().to_vec();
        upper.iter().zip(lips.inner_lower.heights().iter()).map(|(a, b)| (a + b) / 2.0).collect()
    };
    let places = mean.len();
    let reach = REACH * lips.half;
    let offset = |k: usize| (k as f32 / (STEPS - 1) as f32 * 2.0 - 1.0) * reach;
    let s = |i: usize| i as f32 / (places - 1) as f32 * 2.0 - 1.0;
    let cost = |i: usize, k: usize| {
        let at = axes.picture([lips.x(s(i)), mean[i] + offset(k)]);
        let stray = offset(k) / reach;
        brightness(pixels, side, at) + STRAY * stray * stray
    };
    let steps = cheapest(places, BEND, cost);
    let mut line: Vec<f32> = mean.iter().zip(&steps).map(|(y, k)| y + offset(*k)).collect();
    for _ in 0..2 {
        let before = line.clone();
        for i in 1..places - 1 {
            line[i] = (before[i - 1] + 2.0 * before[i] + before[i + 1]) / 4.0;
        }
    }
    lips.inner_upper.heights().copy_from_slice(&line);
    lips.inner_lower.heights().copy_from_slice(&line);
}

fn brightness(pixels: &[u8], side: usize, [x, y]: [f32; 2]) -> f32 {
    let at = |v: f32| (v.max(0.0) as usize).min(side - 1);
    let i = (at(y) * side + at(x)) * 3;
    0.3 * f32::from(pixels[i]) + 0.6 * f32::from(pixels[i + 1]) + 0.1 * f32::from(pixels[i + 2])
}
