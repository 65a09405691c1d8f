//! A pale shirt below a jumper: what of it shows in the jumper's neck, and its open collar on top.

use super::paint::{Canvas, Ink};
use super::palette::{Colour, Palette, hex};
use super::shape::{Spline, mirrored, path, taper};
use tiny_skia::Path;

const LEAF: &str = "M 206 352 C 196 360 186 370 181 382 C 186 408 202 434 221 454 C 232 443 244 433 256.6 428 C 237 410 217 384 206 352 Z";

fn light() -> Colour {
    hex(0xF6F8FA)
}

fn cloth() -> Colour {
    hex(0xDCE5EE)
}

fn shade() -> Colour {
    hex(0x93A3B6)
}

/// Stand and front of the shirt, on the skin.
pub fn front(p: &Palette, canvas: &mut Canvas) {
    let front =
        path("M 192 376 L 205 356 C 214 388 234 414 256 430 C 278 414 298 388 307 356 L 320 376 L 320 470 L 192 470 Z");
    canvas.shade(&front, 5.0, p.skin_deep.a(0.45));
    canvas.fill(&front, Ink::vertical(380.0, 460.0, &[(0.0, shade()), (1.0, cloth().mix(shade(), 0.35))]));
}

/// The two leaves of the collar, on the jumper.
pub fn collar(p: &Palette, canvas: &mut Canvas) {
    let leaf = path(LEAF);
    for (leaf, side) in [(leaf.clone(), -1.0), (mirrored(&leaf), 1.0)] {
        one(p, &leaf, side, canvas);
    }
}

fn one(p: &Palette, leaf: &Path, side: f32, canvas: &mut Canvas) {
    let across = |points: &[[f32; 2]]| Spline(points.iter().map(|[x, y]| [256.0 + side * (256.0 - x), *y]).collect());
    canvas.shade(leaf, 5.0, p.cloth_dark.a(0.75));
    let mut own = Canvas::new();
    let lit = if side < 0.0 { light() } else { cloth() };
    own.fill(leaf, Ink::vertical(352.0, 456.0, &[(0.0, shade()), (0.4, lit), (1.0, lit.mix(cloth(), 0.6))]));
    // It turns over at its upper edge, which lies against the neck.
    let fold = across(&[[206.0, 352.0], [217.0, 384.0], [234.0, 409.0], [255.0, 427.0]]);
    own.shade(&fold.strand(0.0, 1.0, |_| 3.0), 3.0, shade().a(0.7));
    let seam = across(&[[186.0, 388.0], [200.0, 420.0], [221.0, 448.0], [249.0, 427.0]]);
    own.shade(&seam.strand(0.0, 1.0, |t| 0.6 * taper(t, 0.3)), 0.7, shade().a(0.8));
    canvas.stack(&own);
}
