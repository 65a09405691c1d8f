//! What is behind the character: a soft light, darker towards the corners. Without texture, it costs few bits.

use super::paint::SIDE;
use super::palette::{Palette, to_srgb};
use crate::face::Rgba;

pub fn picture(p: &Palette) -> Rgba {
    let mut picture = Rgba::new(SIDE, SIDE);
    let (centre, base, edge) = (p.back_centre, p.back, p.back_edge);
    for (i, pixel) in picture.data.chunks_exact_mut(4).enumerate() {
        let (x, y) = ((i % SIDE) as f32, (i / SIDE) as f32);
        // The light stands behind the head, a little to the side of the key light.
        let r = ((x - 214.0) / 330.0).hypot((y - 190.0) / 360.0);
        let near = (1.0 - r).clamp(0.0, 1.0);
        let far = ((r - 0.55) / 0.75).clamp(0.0, 1.0);
        let colour = base.mix(centre, near * near * (3.0 - 2.0 * near)).mix(edge, 0.9 * far * far * (3.0 - 2.0 * far));
        for (channel, value) in pixel.iter_mut().zip(&colour.0[..3]) {
            *channel = (to_srgb(*value) * 255.0).round() as u8;
        }
    }
    picture
}
