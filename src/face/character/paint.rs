//! Painting of the layers that are made once: soft shapes in linear light, at any cost in time.
//!
//! A [`Stencil`] says where (the coverage of a path, blurred at will), an [`Ink`] says which colour there, and a
//! [`Canvas`] takes both. Nothing here runs while a picture is drawn. Coordinates are those of a picture 512 by
//! 512, whatever the [`SCALE`] of the layers.

use tiny_skia::{FillRule, IntSize, Mask, Path, Pixmap, Transform};

use super::palette::{Colour, to_srgb};

/// Layer pixels for one picture pixel: finer layers stay crisp when they are shifted by fractions of a pixel.
pub const SCALE: f32 = 1.25;
/// Side of the picture, in its own pixels.
pub const SIDE: usize = 512;

/// Colour as a function of place.
#[derive(Clone, Debug)]
pub enum Ink {
    Flat(Colour),
    /// Along the line between two points.
    Linear([f32; 2], [f32; 2], Vec<(f32, Colour)>),
    /// From the centre of an ellipse to its rim: centre, half axes.
    Radial([f32; 2], [f32; 2], Vec<(f32, Colour)>),
}

impl From<Colour> for Ink {
    fn from(colour: Colour) -> Self {
        Self::Flat(colour)
    }
}

impl Ink {
    pub fn vertical(top: f32, bottom: f32, stops: &[(f32, Colour)]) -> Self {
        Self::Linear([0.0, top], [0.0, bottom], stops.to_vec())
    }

    fn at(&self, x: f32, y: f32) -> Colour {
        match self {
            Self::Flat(colour) => *colour,
            Self::Linear([x0, y0], [x1, y1], stops) => {
                let (dx, dy) = (x1 - x0, y1 - y0);
                ramp(stops, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy).max(1e-6))
            }
            Self::Radial([cx, cy], [rx, ry], stops) => ramp(stops, ((x - cx) / rx).hypot((y - cy) / ry)),
        }
    }
}

fn ramp(stops: &[(f32, Colour)], at: f32) -> Colour {
    let after = stops.partition_point(|(place, _)| *place <= at);
    match (after.checked_sub(1).map(|i| stops[i]), stops.get(after)) {
        (Some((_, colour)), None) | (None, Some(&(_, colour))) => colour,
        (Some((from, a)), Some(&(to, b))) => {
            let t = ((at - from) / (to - from).max(1e-6)).clamp(0.0, 1.0);
            a.mix(b, t * t * (3.0 - 2.0 * t))
        }
        (None, None) => Colour::CLEAR,
    }
}

/// How much of each pixel a shape covers, within a box.
#[derive(Clone, Debug)]
pub struct Stencil {
    left: i32,
    top: i32,
    width: usize,
    height: usize,
    cover: Vec<f32>,
}

impl Stencil {
    /// The inside of `path` (non-zero winding), with its edge spread by `blur` picture pixels (one sigma).
    pub fn new(path: &Path, blur: f32) -> Self {
        let bounds = path.bounds();
        let reach = (blur * 3.0 * SCALE).ceil() as i32 + 2;
        // Shapes may hang out of the picture, but only so far is worth the memory.
        let clip = |v: f32| v.clamp(-300.0, 900.0) * SCALE;
        let (left, top) = (clip(bounds.left()).floor() as i32 - reach, clip(bounds.top()).floor() as i32 - reach);
        let (right, bottom) = (clip(bounds.right()).ceil() as i32 + reach, clip(bounds.bottom()).ceil() as i32 + reach);
        let (width, height) = ((right - left).max(1) as usize, (bottom - top).max(1) as usize);
        let mut cover = vec![0.0; width * height];
        if let Some(mut mask) = Mask::new(width as u32, height as u32) {
            let place = Transform::from_scale(SCALE, SCALE).post_translate(-left as f32, -top as f32);
            mask.fill_path(path, FillRule::Winding, true, place);
            cover = mask.data().iter().map(|v| f32::from(*v) / 255.0).collect();
        }
        let mut stencil = Self { left, top, width, height, cover };
        if blur > 0.0 {
            stencil.blur(blur * SCALE);
        }
        stencil
    }

    /// Coverage at a layer pixel.
    fn at(&self, x: i32, y: i32) -> f32 {
        let (x, y) = (x - self.left, y - self.top);
        if x < 0 || y < 0 || x as usize >= self.width || y as usize >= self.height {
            return 0.0;
        }
        self.cover[y as usize * self.width + x as usize]
    }

    /// Three box blurs in each direction, which is close to a Gaussian of `sigma` layer pixels.
    fn blur(&mut self, sigma: f32) {
        let radius = (((4.0 * sigma * sigma + 1.0).sqrt() - 1.0) / 2.0).max(0.3);
        let mut line = vec![0.0; self.width.max(self.height)];
        for _ in 0..3 {
            for row in self.cover.chunks_exact_mut(self.width) {
                box_blur(row, 1, &mut line, radius);
            }
            for x in 0..self.width {
                box_blur(&mut self.cover[x..], self.width, &mut line, radius);
            }
        }
    }
}

/// Box blur of the values at every `stride`th place, with a box of fractional half width.
fn box_blur(values: &mut [f32], stride: usize, line: &mut [f32], radius: f32) {
    let count = values.len().div_ceil(stride);
    let whole = radius.floor() as isize;
    let part = radius - radius.floor();
    let line = &mut line[..count];
    line.iter_mut().zip(values.iter().step_by(stride)).for_each(|(to, from)| *to = *from);
    let get = |i: isize| if i >= 0 && (i as usize) < count { line[i as usize] } else { 0.0 };
    let mut sum: f32 = (-whole..=whole).map(get).sum();
    let norm = 1.0 / (2.0 * radius + 1.0);
    for i in 0..count {
        let at = i as isize;
        values[i * stride] = (sum + part * (get(at - whole - 1) + get(at + whole + 1))) * norm;
        sum += get(at + whole + 1) - get(at - whole);
    }
}

/// How paint meets what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// On top of all.
    Over,
    /// Only on what is painted already: light and shade.
    Atop,
}

/// A layer while it is painted: premultiplied linear light.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 4]>,
}

impl Canvas {
    /// An empty layer of the size of the picture.
    pub fn new() -> Self {
        let side = (SIDE as f32 * SCALE).round() as usize;
        Self { width: side, height: side, pixels: vec![[0.0; 4]; side * side] }
    }

    pub fn paint(&mut self, stencil: &Stencil, ink: impl Into<Ink>, mix: Mix) {
        let ink = ink.into();
        let rows = stencil.top.max(0)..(stencil.top + stencil.height as i32).min(self.height as i32);
        let columns = stencil.left.max(0)..(stencil.left + stencil.width as i32).min(self.width as i32);
        for y in rows {
            for x in columns.clone() {
                let cover = stencil.at(x, y);
                if cover <= 0.0 {
                    continue;
                }
                let [r, g, b, a] = ink.at((x as f32 + 0.5) / SCALE, (y as f32 + 0.5) / SCALE).0;
                let a = (a * cover).min(1.0);
                let pixel = &mut self.pixels[y as usize * self.width + x as usize];
                let [pr, pg, pb, pa] = *pixel;
                let keep = 1.0 - a;
                *pixel = match mix {
                    Mix::Over => [r * a + pr * keep, g * a + pg * keep, b * a + pb * keep, a + pa * keep],
                    Mix::Atop => [r * a * pa + pr * keep, g * a * pa + pg * keep, b * a * pa + pb * keep, pa],
                };
            }
        }
    }

    /// Fills `path`, sharp.
    pub fn fill(&mut self, path: &Path, ink: impl Into<Ink>) {
        self.paint(&Stencil::new(path, 0.0), ink, Mix::Over);
    }

    /// Light or shade with a soft edge on what is painted already.
    pub fn shade(&mut self, path: &Path, blur: f32, ink: impl Into<Ink>) {
        self.paint(&Stencil::new(path, blur), ink, Mix::Atop);
    }

    /// Light on the edge that faces `towards` (picture pixels, which is also how far it reaches in), right of and
    /// above the point `limit`.
    pub fn rim(&mut self, towards: [f32; 2], limit: [f32; 2], colour: Colour) {
        let limit = limit.map(|v| (v * SCALE) as i32);
        let [r, g, b, strength] = colour.0;
        let before: Vec<f32> = self.pixels.iter().map(|p| p[3]).collect();
        let (width, height) = (self.width as i32, self.height as i32);
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            let (x, y) = (i as i32 % width, i as i32 / width);
            if x < limit[0] || y > limit[1] {
                continue;
            }
            // The nearer to the edge, the more of the steps towards it lead out of the layer.
            let outside = (1..=4).filter(|step| {
                let [dx, dy] = towards.map(|d| (d * SCALE * 0.5 * *step as f32).round() as i32);
                let (nx, ny) = (x + dx, y + dy);
                nx < 0 || ny < 0 || nx >= width || ny >= height || before[(ny * width + nx) as usize] < 0.5
            });
            let a = strength * outside.count() as f32 / 4.0;
            let [pr, pg, pb, pa] = *pixel;
            *pixel = [r * a * pa + pr * (1.0 - a), g * a * pa + pg * (1.0 - a), b * a * pa + pb * (1.0 - a), pa];
        }
    }

    /// Puts a whole layer on top.
    pub fn stack(&mut self, other: &Self) {
        for (pixel, top) in self.pixels.iter_mut().zip(&other.pixels) {
            *pixel = std::array::from_fn(|i| top[i] + pixel[i] * (1.0 - top[3]));
        }
    }

    /// The layer as premultiplied 8-bit sRGB.
    pub fn finish(&self) -> Pixmap {
        let mut bytes = Vec::with_capacity(self.pixels.len() * 4);
        for [r, g, b, a] in &self.pixels {
            let alpha = a.clamp(0.0, 1.0);
            let channel = |v: f32| {
                if alpha > 0.0 { (to_srgb((v / alpha).clamp(0.0, 1.0)) * alpha * 255.0).round() as u8 } else { 0 }
            };
            let a8 = (alpha * 255.0).round() as u8;
            bytes.extend([channel(*r).min(a8), channel(*g).min(a8), channel(*b).min(a8), a8]);
        }
        IntSize::from_wh(self.width as u32, self.height as u32)
            .and_then(|size| Pixmap::from_vec(bytes, size))
            .expect("the canvas has four bytes for each pixel")
    }
}
