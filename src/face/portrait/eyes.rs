//! Eyes that look about and shut: the iris cut out and moved over a filled-in white, lids drawn out from their own
//! skin with the lash line at their edge.
//!
//! Painted onto the photo itself before the head is turned. Looking ahead with open lids it gives the photo back.

use super::anatomy::{Axes, Point};
use super::curve::smooth;
use super::eyeball::{Rims, Seen, bilinear};
use super::light::{Colour, luma};
use super::lips::Curve;
use super::vision::Eye;
use super::warp::Layer;

/// Half the eyeball's diameter in widths of the eye: 12 mm to 29 mm.
const BALL: f32 = 0.41;
/// Where the lids meet, from the lower lid at rest, in heights of the eye.
const MEETING: f32 = 0.12;
/// Part of the lid's own height, at its edge, that is not drawn out: the lashes, in heights of the eye.
const LASHES: f32 = 0.42;
/// Pixels that iris or lids move until the eyeball is painted wholly, not photographed.
const STILL: f32 = 1.5;
/// Half the width of the part of the photo that an eye changes, in widths of the eye.
const AROUND: f32 = 0.62;

/// A pixel that the eye may change.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// Its first byte in the picture.
    pub byte: usize,
    /// In the eye's axes, from the middle between its corners.
    pub at: Point,
    /// Edges of upper and lower lid in this column.
    upper: f32,
    lower: f32,
    /// The white below the iris, or what would be there.
    pub white: Colour,
    /// Skin of the lid just above the lashes of this column.
    bare: Colour,
    /// How far lashes can be taken away here: 0 at the sides, where nothing else of the eye moves.
    within: f32,
}

/// One eye of the photo.
#[derive(Clone, Debug)]
pub struct Painter {
    axes: Axes,
    width: f32,
    height: f32,
    /// How far above the lid's edge its skin is drawn out from, and its lashes reach.
    skin: f32,
    lashes: f32,
    iris: Point,
    radius: f32,
    spots: Vec<Spot>,
    rims: Rims,
    /// The iris, `sprite_side` pixels wide and high about its middle.
    sprite: Vec<Colour>,
    sprite_side: usize,
}

impl Painter {
    /// `skin`: distance from the lid's edge to the brow. `photo` is opaque.
    pub fn of(eye: &Eye, skin: f32, photo: &Layer) -> Self {
        let (a, b) = (eye.lower[0], eye.lower[eye.lower.len() - 1]);
        let (left, right) = if a[0] < b[0] { (a, b) } else { (b, a) };
        let axes = Axes::between(left, right);
        let width = eye.width();
        let curve = |points: &[Point]| {
            let mut points: Vec<Point> = points.iter().map(|p| axes.face(*p)).collect();
            points.sort_by(|a, b| a[0].total_cmp(&b[0]));
            Curve::through(&points, -width / 2.0, width / 2.0)
        };
        let (upper, lower) = (curve(&eye.upper), curve(&eye.lower));
        let lids = |x: f32| {
            let s = x / (width / 2.0);
            let (up, low) = (upper.at(s), lower.at(s));
            // Beyond the corners there is no eyeball.
            if up < low && s.abs() < 1.0 { [up, low] } else { [(up + low) / 2.0; 2] }
        };
        let height = eye.height().max(2.0);
        let (iris, radius) = (axes.face(eye.iris), eye.radius);
        let seen = Seen { photo, axes: &axes, lids: &lids, iris, radius };
        let (sprite, sprite_side) = seen.iris_alone();
        let mean = seen.mean_white(width);
        let rims = Rims::of(&seen, width, height);
        let lashes = (LASHES * height).min(0.45 * skin);
        let mut spots = Vec::new();
        let reach = [width * 0.62, width * 0.62];
        let middle = axes.picture([0.0, 0.0]);
        let bound = |k: usize, sign: f32, most: usize| (middle[k] + sign * reach[k]).clamp(0.0, most as f32) as usize;
        for row in bound(1, -1.0, photo.height)..bound(1, 1.0, photo.height) {
            for column in bound(0, -1.0, photo.width)..bound(0, 1.0, photo.width) {
                let at = axes.face([column as f32 + 0.5, row as f32 + 0.5]);
                let [up, low] = lids(at[0]);
                if at[0].abs() > AROUND * width || at[1] < up - skin - 1.0 || at[1] > low + 0.8 * height {
                    continue;
                }
                let byte = (row * photo.width + column) * 4;
                let white = seen.white(at, mean);
                let bare = seen.colour([at[0], up - lashes - 1.5]);
                let within = 1.0 - smooth((at[0].abs() / width - 0.47) / (AROUND - 0.47));
                spots.push(Spot { byte, at, upper: up, lower: low, white, bare, within });
            }
        }
        seen.soften(&mut spots, photo.width * 4);
        let skin = bare_skin(&seen, width, skin);
        Self { axes, width, height, skin, lashes, iris, radius, spots, rims, sprite, sprite_side }
    }

    /// Paints the eye into `face`, a copy of `photo`. `shut`: -0.3 wide open to 1 shut; `gaze` in degrees to the
    /// right and up; `squint`: how far the lower lid is pushed up, 0 to 1.
    pub fn draw(&self, photo: &Layer, shut: f32, gaze: [f32; 2], squint: f32, face: &mut Layer) {
        let turn = gaze.map(|v| v.to_radians().sin() * BALL * self.width);
        let iris = [self.iris[0] + turn[0], self.iris[1] - turn[1]];
        // Lids go along with a look up or down.
        let follow = (-gaze[1] * 0.016).clamp(-0.18, 0.32) * (1.0 - shut.max(0.0));
        let shut = shut + follow;
        // Wide open is as far as the crease of the lid allows.
        let shut = if shut < 0.0 { 0.6 * shut } else { shut };
        let shade = 0.30 * smooth(shut * 3.0);
        let moved = (iris[0] - self.iris[0]).hypot(iris[1] - self.iris[1]).max(shut.abs() * self.height);
        let away = smooth(moved / STILL);
        for spot in &self.spots {
            let [x, y] = spot.at;
            let open = spot.lower - spot.upper;
            let rise = open * (MEETING * shut.clamp(0.0, 1.0) + 0.14 * squint);
            let (lower, fall) = (spot.lower - rise, (open * (1.0 - MEETING) * shut).min(open - rise));
            let upper = spot.upper + fall;
            let above = (upper - y + 0.5).clamp(0.0, 1.0);
            let below = (y - lower + 0.5).clamp(0.0, 1.0).min(1.0 - above);
            let mut colour = [0.0; 3];
            if above > 0.0 {
                let skin = self.lid(photo, spot, upper, fall, shut);
                colour = std::array::from_fn(|k| colour[k] + skin[k] * above);
            }
            if below > 0.0 {
                let part = 1.0 - smooth((y - lower) / (0.75 * self.height));
                let skin = self.photo(photo, [x, y + rise * part]);
                colour = std::array::from_fn(|k| colour[k] + skin[k] * below);
            }
            let ball = 1.0 - above - below;
            if ball > 0.0 {
                let mut seen: Colour = std::array::from_fn(|k| f32::from(photo.data[spot.byte + k]));
                let is_seen = y > spot.upper - 1.0 && y < spot.lower + 1.0;
                if away > 0.0 || !is_seen {
                    // In the corners there is nothing but rim, which stays as it is.
                    let room = self.rims.room(open);
                    let rim = 1.0 - room * (1.0 - self.rims.at(y - upper, lower - y));
                    let part = if is_seen { away * room } else { 1.0 };
                    let painted = self.ball(spot, iris);
                    seen = std::array::from_fn(|k| seen[k] + (painted[k] * rim - seen[k]) * part);
                }
                let under = 1.0 - shade * (1.0 - smooth((y - upper) / (0.45 * self.height)));
                colour = std::array::from_fn(|k| colour[k] + seen[k] * ball * under);
            }
            for (byte, v) in face.data[spot.byte..spot.byte + 3].iter_mut().zip(colour) {
                *byte = (v + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
    }

    /// Skin above the lid's edge: the lashes as they are, the rest drawn out or pushed together.
    fn lid(&self, photo: &Layer, spot: &Spot, upper: f32, fall: f32, shut: f32) -> Colour {
        let [x, y] = spot.at;
        let lashes = self.lashes;
        let above = upper - y;
        // Lashes of a shut eye point down: what stood up above its edge is gone.
        let edge = if x.abs() < 0.5 * self.width { 0.10 * self.height } else { 0.0 };
        let stood = smooth((above - edge) / (0.14 * self.height)) * (1.0 - smooth((above - lashes) / lashes));
        let gone = 0.92 * spot.within * smooth(shut * 1.2) * stood;
        // Lashes are darker than skin: what is brighter was skin.
        let bared = |skin: Colour| std::array::from_fn(|k| skin[k] + (spot.bare[k] - skin[k]).max(0.0) * gone);
        if above <= lashes {
            return bared(self.photo(photo, [x, y - fall]));
        }
        let top = spot.upper - self.skin;
        if y <= top {
            return self.photo(photo, [x, y]);
        }
        let part = (y - top) / (upper - lashes - top).max(0.5);
        let from = top + part * (self.skin - lashes).max(0.5);
        let skin = self.photo(photo, [x, from]);
        let drawn = smooth((fall / self.skin - 0.15) * 1.6);
        if drawn <= 0.0 {
            return bared(skin);
        }
        // Skin drawn out far would show its pixels as streaks; it is blurred, not down into the lashes nor up into the brow.
        let about =
            [[-7.0, 0.0], [-4.5, -1.5], [-2.0, 0.0], [-1.0, -2.5], [1.0, -1.0], [2.0, -2.0], [4.5, 0.0], [7.0, -1.5]];
        let soft = about.map(|[dx, dy]| self.photo(photo, [x + dx, (from + dy).max(top)]));
        bared(std::array::from_fn(|k| {
            let mean = (soft.iter().map(|c| c[k]).sum::<f32>() + skin[k]) / 9.0;
            skin[k] + (mean - skin[k]) * drawn
        }))
    }

    /// The eyeball without the rims of the lids.
    fn ball(&self, spot: &Spot, iris: Point) -> Colour {
        let (dx, dy) = (spot.at[0] - iris[0], spot.at[1] - iris[1]);
        let out = dx.hypot(dy);
        let cover = 1.0 - smooth((out - self.radius + 0.9) / 2.2);
        if cover <= 0.0 {
            return spot.white;
        }
        let middle = (self.sprite_side as f32 - 1.0) / 2.0;
        let most = self.sprite_side as f32 - 1.01;
        let (u, v) = ((dx + middle).clamp(0.0, most), (dy + middle).clamp(0.0, most));
        let (i, j) = (u as usize, v as usize);
        let (u, v) = (u - i as f32, v - j as f32);
        let at = |i: usize, j: usize| self.sprite[j * self.sprite_side + i];
        let (a, b, c, d) = (at(i, j), at(i + 1, j), at(i, j + 1), at(i + 1, j + 1));
        std::array::from_fn(|k| {
            let iris = (a[k] * (1.0 - u) + b[k] * u) * (1.0 - v) + (c[k] * (1.0 - u) + d[k] * u) * v;
            spot.white[k] + (iris - spot.white[k]) * cover
        })
    }

    fn photo(&self, photo: &Layer, at: Point) -> Colour {
        bilinear(photo, self.axes.picture(at))
    }
}

/// How far above the lid there is skin and no brow yet, at most three quarters of the way to `brow`.
fn bare_skin<F: Fn(f32) -> [f32; 2]>(seen: &Seen<'_, F>, width: f32, brow: f32) -> f32 {
    let most = 0.75 * brow;
    let column = |i: i32| {
        let x = i as f32 * 0.08 * width;
        let [up, _] = (seen.lids)(x);
        let light = |share: f32| luma(seen.colour([x, up - share * most]));
        let shares = || (10..=20).rev().map(|k| k as f32 / 20.0);
        // From above, so that the crease of the lid, which is dark as well, is not taken for a brow.
        let bright = shares().map(light).fold(0.0, f32::max);
        let below = shares().find(|share| light(*share) > 0.88 * bright).unwrap_or(1.0);
        if below < 1.0 { below - 0.05 } else { 1.0 }
    };
    most * (-5..=5).map(column).fold(1.0, f32::min)
}
