//! A small piece of the face that is painted anew for each picture: eyes with brows, mouth.
//!
//! Thin over tiny-skia: a pixmap that starts as the skin below, a mask to clip by, and paints from colours.

use tiny_skia::{
    FillRule, GradientStop, LinearGradient, Mask, Paint, Path, Pixmap, Point as At, RadialGradient, Shader, SpreadMode,
    Transform,
};

use super::paint::SCALE;
use super::palette::Colour;

#[derive(Clone, Debug)]
pub struct Stage {
    left: usize,
    top: usize,
    pixmap: Pixmap,
    mask: Mask,
    place: Transform,
}

impl Stage {
    /// A stage over the box from `left`, `top` of `width` by `height`, in picture pixels.
    pub fn new(left: f32, top: f32, width: f32, height: f32) -> Self {
        let cells = |v: f32| (v * SCALE).ceil().max(1.0) as u32;
        let (x, y) = ((left * SCALE).floor(), (top * SCALE).floor());
        let (w, h) = (cells(width), cells(height));
        Self {
            left: x as usize,
            top: y as usize,
            pixmap: Pixmap::new(w, h).expect("a stage has a size"),
            mask: Mask::new(w, h).expect("a stage has a size"),
            place: Transform::from_scale(SCALE, SCALE).post_translate(-x, -y),
        }
    }

    /// Starts from what `layer` shows here.
    pub fn load(&mut self, layer: &Pixmap) {
        let (width, stride) = (self.pixmap.width() as usize * 4, layer.width() as usize * 4);
        let (left, top) = (self.left * 4, self.top);
        for (row, to) in self.pixmap.data_mut().chunks_exact_mut(width).enumerate() {
            let at = (top + row) * stride + left;
            to.copy_from_slice(&layer.data()[at..at + width]);
        }
    }

    /// Puts the result into `layer`.
    pub fn store(&self, layer: &mut Pixmap) {
        let (width, stride) = (self.pixmap.width() as usize * 4, layer.width() as usize * 4);
        for (row, from) in self.pixmap.data().chunks_exact(width).enumerate() {
            let at = (self.top + row) * stride + self.left * 4;
            layer.data_mut()[at..at + width].copy_from_slice(from);
        }
    }

    pub fn fill(&mut self, path: &Path, shader: Shader<'_>) {
        let paint = Paint { shader, ..Paint::default() };
        self.pixmap.fill_path(path, &paint, FillRule::Winding, self.place, None);
    }

    /// From now on [`Stage::fill_clipped`] paints inside of `path` only.
    pub fn clip(&mut self, path: &Path) {
        self.mask.clear();
        self.mask.fill_path(path, FillRule::Winding, true, self.place);
    }

    pub fn fill_clipped(&mut self, path: &Path, shader: Shader<'_>) {
        let paint = Paint { shader, ..Paint::default() };
        self.pixmap.fill_path(path, &paint, FillRule::Winding, self.place, Some(&self.mask));
    }
}

pub fn flat(colour: Colour) -> Shader<'static> {
    Shader::SolidColor(colour.skia())
}

/// Colours along the line between two points.
pub fn linear(from: [f32; 2], to: [f32; 2], stops: &[(f32, Colour)]) -> Shader<'static> {
    let (a, b) = (At::from_xy(from[0], from[1]), At::from_xy(to[0], to[1]));
    LinearGradient::new(a, b, gradient(stops), SpreadMode::Pad, Transform::identity()).unwrap_or_else(|| last(stops))
}

pub fn vertical(top: f32, bottom: f32, stops: &[(f32, Colour)]) -> Shader<'static> {
    linear([0.0, top], [0.0, bottom], stops)
}

/// Colours from the centre of an ellipse to its rim.
pub fn radial([cx, cy]: [f32; 2], [rx, ry]: [f32; 2], stops: &[(f32, Colour)]) -> Shader<'static> {
    let place = Transform::from_scale(rx, ry).post_translate(cx, cy);
    let centre = At::from_xy(0.0, 0.0);
    RadialGradient::new(centre, 0.0, centre, 1.0, gradient(stops), SpreadMode::Pad, place)
        .unwrap_or_else(|| last(stops))
}

/// A spot of colour that fades out towards the rim of an ellipse.
pub fn glow(centre: [f32; 2], radii: [f32; 2], colour: Colour) -> Shader<'static> {
    let alpha = colour.0[3];
    radial(
        centre,
        radii,
        &[(0.0, colour), (0.35, colour.a(alpha * 0.74)), (0.7, colour.a(alpha * 0.22)), (1.0, colour.a(0.0))],
    )
}

fn gradient(stops: &[(f32, Colour)]) -> Vec<GradientStop> {
    stops.iter().map(|(at, colour)| GradientStop::new(*at, colour.skia())).collect()
}

fn last(stops: &[(f32, Colour)]) -> Shader<'static> {
    flat(stops.last().map_or(Colour::CLEAR, |(_, colour)| *colour))
}
