//! Fits an eye to the pixels: how large its iris is and where its lashes are.
//!
//! The iris model knows photographs; drawn and rendered faces have larger eyes than it will believe. On a photograph
//! this changes little.

use super::anatomy::{Axes, Point};
use super::crop::Likeness;
use super::light::{luma, pixel};
use super::path;
use super::vision::Eye;

/// Largest growth that is tried, of the iris and of the lids.
const MOST: f32 = 1.75;
const STEPS: usize = 31;
/// An iris that grew by more is drawn, not photographed.
const LARGE: f32 = 1.2;
/// More than this lit, or this unlike skin, in levels, counts no more: a highlight, the iris.
const LIT: f32 = 120.0;
const STRANGE: f32 = 30.0;
/// Places between two points of a lid at which its edge is sought.
const BETWEEN: usize = 4;
/// What a way up or down from place to place costs, in levels for a pixel, squared.
const BEND: f32 = 8.0;
/// What growing costs, in levels of brightness at [`MOST`].
const PRICE: f32 = 14.0;

/// The eye with its iris, then its lids, scaled to where the picture has edges.
///
/// `room`: from the upper lid to the brow, which is dark as well.
pub fn settled(eye: &Eye, likeness: &Likeness, tilt: f32, room: f32) -> Eye {
    let (sin, cos) = tilt.sin_cos();
    let axes = Axes::between(eye.iris, [eye.iris[0] + 2.0 * cos, eye.iris[1] + 2.0 * sin]);
    let middle = axes.face(eye.iris);
    let light = |at: Point| luma(pixel(likeness, axes.picture(at)));
    let iris = best(0.85, 1.0, |grown| iris_edge(grown * eye.radius, middle, &light));
    let about: [f32; 2] = std::array::from_fn(|k| (eye.lower[0][k] + eye.lower[8][k]) / 2.0);
    let rise = (eye.upper[4][0] - about[0]).hypot(eye.upper[4][1] - about[1]).max(1.0);
    let most = (1.0 + 0.4 * room / rise).min(MOST);
    let lids = best(1.0, 1.0, |grown| {
        if grown > most {
            return f32::MIN;
        }
        // The dark of the lashes along the middle of the upper lid, less what is below it: white and iris.
        let along = |lift: f32| {
            let at = |p: &Point| {
                let [x, y] = axes.face(std::array::from_fn(|k| about[k] + (p[k] - about[k]) * grown));
                light([x, y + lift])
            };
            eye.upper[2..7].iter().map(at).sum::<f32>() / 5.0
        };
        along(0.25 * eye.height()) - along(0.0)
    });
    // The lids hold the iris: if that grew, they did at least half as much.
    let lids = lids.max(1.0 + 0.7 * (iris - 1.0)).min(most);
    let grow = |p: &Point, by: f32| -> Point { std::array::from_fn(|k| about[k] + (p[k] - about[k]) * by) };
    // The lower lid ends at an edge of its own, dark or bright, seldom much above that.
    let below = best(0.92 * lids, lids, |grown| {
        let at = |p: &Point, lift: f32| {
            let [x, y] = axes.face(grow(p, grown));
            light([x, y + lift])
        };
        eye.lower[2..7].iter().map(|p| (at(p, -1.6) - at(p, 1.6)).abs()).sum::<f32>() / 5.0
    });
    if iris > LARGE {
        return large(eye, likeness, &axes, [lids, room], eye.radius * iris);
    }
    let upper: Vec<Point> = eye.upper.iter().map(|p| grow(p, lids)).collect();
    let mut lower: Vec<Point> = eye.lower.iter().map(|p| grow(p, below)).collect();
    (lower[0], lower[8]) = (upper[0], upper[8]);
    Eye { lower, upper, iris: eye.iris, radius: eye.radius * iris }
}

/// An eye that is larger than that of any photographed face, with each lid laid along its edge in the picture.
fn large(eye: &Eye, likeness: &Likeness, axes: &Axes, [grown, room]: [f32; 2], radius: f32) -> Eye {
    let about: Point = std::array::from_fn(|k| (eye.lower[0][k] + eye.lower[8][k]) / 2.0);
    let points = |lid: &[Point]| -> Vec<Point> {
        lid.iter().map(|p| axes.face(std::array::from_fn(|k| about[k] + (p[k] - about[k]) * grown))).collect()
    };
    let colour = |at: Point| pixel(likeness, axes.picture(at));
    // Upper: dark lashes above, the eyeball below; the crease further up is not as dark.
    let above = [-0.14 * room, 0.10 * room];
    let light = |x: f32, y: f32| luma(colour([x, y]));
    let upper = laid(&points(&eye.upper), above, |[x, y]| {
        light(x, y + 1.8).min(LIT) - 2.0 * light(x, y - 1.2) - light(x, y - 2.4)
    });
    // Lower: anything above, skin below.
    let skin = colour([axes.face(about)[0], axes.face(about)[1] + 1.1 * grown * eye.height()]);
    let strange = |x: f32, y: f32| colour([x, y]).iter().zip(skin).map(|(v, s)| (v - s).abs()).sum::<f32>() / 3.0;
    let beneath = [-0.15 * grown * eye.height(), 0.55 * grown * eye.height()];
    let mut lower = laid(&points(&eye.lower), beneath, |[x, y]| {
        strange(x, y - 1.6).min(STRANGE) - (strange(x, y + 1.6) + strange(x, y + 3.6) + strange(x, y + 6.0)) / 3.0
    });
    (lower[0], lower[8]) = (upper[0], upper[8]);
    let back = |lid: Vec<Point>| lid.into_iter().map(|p| axes.picture(p)).collect();
    Eye { lower: back(lower), upper: back(upper), iris: eye.iris, radius }
}

/// A lid's points, moved down by something in `range` to where the score is high; its ends stay.
fn laid(lid: &[Point], range: [f32; 2], score: impl Fn(Point) -> f32) -> Vec<Point> {
    let places = (lid.len() - 1) * BETWEEN + 1;
    let at = |i: usize| -> Point {
        let (from, to) = (lid[i / BETWEEN], lid[(i / BETWEEN + 1).min(lid.len() - 1)]);
        let part = (i % BETWEEN) as f32 / BETWEEN as f32;
        std::array::from_fn(|k| from[k] + (to[k] - from[k]) * part)
    };
    let step = (range[1] - range[0]) / (path::STEPS - 1) as f32;
    let offset = |k: usize| range[0] + step * k as f32;
    let cost = |i: usize, k: usize| {
        let [x, y] = at(i);
        if i == 0 || i == places - 1 { 40.0 * offset(k).abs() } else { -score([x, y + offset(k)]) }
    };
    let steps = path::cheapest(places, BEND * step * step, cost);
    (0..lid.len()).map(|i| [lid[i][0], lid[i][1] + offset(steps[i * BETWEEN])]).collect()
}

/// The scale from `least` to [`MOST`] with the highest score, being away from the usual one paid for.
fn best(least: f32, usual: f32, score: impl Fn(f32) -> f32) -> f32 {
    let scale = |i: usize| least + (MOST - least) * i as f32 / (STEPS - 1) as f32;
    let value = |i: &usize| score(scale(*i)) - PRICE * ((scale(*i) - usual) / (MOST - 1.0)).powi(2);
    (0..STEPS).max_by(|a, b| value(a).total_cmp(&value(b))).map_or(1.0, scale)
}

/// How much brighter it is just outside of a radius than just inside, left and right, where no lid is.
fn iris_edge(radius: f32, [x, y]: Point, light: &impl Fn(Point) -> f32) -> f32 {
    let mut sum = 0.0;
    for side in [-1.0, 1.0] {
        for i in -2..=3 {
            let angle = i as f32 * 0.16;
            let at = |out: f32| light([x + side * angle.cos() * out, y + angle.sin() * out]);
            sum += at(radius + 1.2) + at(radius + 2.4) - at(radius - 1.2) - at(radius - 2.4);
        }
    }
    sum / 24.0
}
