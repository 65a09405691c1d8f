//! The face without what moves in it: skin, its light and shade, nose, cheeks.

use super::look::{Beard, FaceShape, Look};
use super::paint::{Canvas, Ink, Mix, Stencil};
use super::palette::{Colour, Palette};
use super::shape::{Spline, ellipse, mirrored, moved, path, taper};
use tiny_skia::{Path, Pixmap, Transform};

pub fn layer(look: &Look) -> Pixmap {
    let (p, shape) = (&look.palette, &look.face);
    let mut canvas = Canvas::new();
    canvas.fill(
        &path(shape.outline),
        Ink::Radial(
            [236.0, 220.0],
            [130.0, 150.0],
            vec![(0.0, p.skin.mix(p.skin_light, 0.35)), (0.6, p.skin), (1.0, p.skin.mix(p.skin_warm, 0.45))],
        ),
    );
    form(p, shape, &mut canvas);
    sockets(p, &mut canvas);
    cheeks(p, shape, &mut canvas);
    nose(p, shape.nose, &mut canvas);
    around_mouth(p, shape, &mut canvas);
    if let Some(beard) = &shape.beard {
        stubble(beard, &mut canvas);
    }
    for shape in (look.hair.shadows)() {
        let shadow = Stencil::new(&moved(&shape, Transform::from_translate(2.5, 8.0)), 5.0);
        canvas.paint(&shadow, p.skin_deep.a(0.36), Mix::Atop);
    }
    canvas.finish()
}

/// Round: the side away from the light turns dark, the far edge catches some light again.
fn form(p: &Palette, shape: &FaceShape, canvas: &mut Canvas) {
    let away = path("M 352 120 L 352 300 L 300 350 L 256 346 C 296 330 318 290 324 240 C 328 196 322 150 310 110 Z");
    canvas.shade(&away, 13.0, p.skin_shade.a(0.62));
    canvas.shade(&path(shape.jaw), 8.0, p.skin_warm.a(0.55));
    let rim = Spline(shape.rim.to_vec());
    canvas.shade(&rim.strand(0.0, 1.0, |t| 2.2 * taper(t, 0.5)), 2.0, p.skin_light.a(0.35));
    canvas.shade(&ellipse(232.0, 158.0, 44.0, 22.0), 15.0, p.skin_light.a(0.5));
}

fn sockets(p: &Palette, canvas: &mut Canvas) {
    for side in [ellipse(212.0, 207.0, 32.0, 14.0), ellipse(300.0, 207.0, 32.0, 14.0)] {
        canvas.shade(&side, 8.0, p.skin_warm.a(0.5));
    }
    let inner = path("M 240 190 C 246 204 244 222 238 232 C 232 222 230 206 240 190 Z");
    canvas.shade(&inner, 5.0, p.skin_shade.a(0.30));
    canvas.shade(&mirrored(&inner), 5.0, p.skin_shade.a(0.45));
    let under = path("M 190 236 C 204 246 226 246 238 238 C 226 250 202 250 190 236 Z");
    canvas.shade(&under, 3.0, p.skin_shade.a(0.25));
    canvas.shade(&mirrored(&under), 3.0, p.skin_shade.a(0.28));
}

fn cheeks(p: &Palette, shape: &FaceShape, canvas: &mut Canvas) {
    canvas.shade(&ellipse(203.0, 266.0, 22.0, 14.0), 10.0, p.blush.a(shape.blush));
    canvas.shade(&ellipse(309.0, 266.0, 22.0, 14.0), 10.0, p.blush.a(shape.blush));
    canvas.shade(&ellipse(202.0, 250.0, 15.0, 7.0), 6.0, p.skin_light.a(0.55));
    canvas.shade(&ellipse(306.0, 250.0, 11.0, 5.0), 6.0, p.skin_light.a(0.25));
}

fn nose(p: &Palette, by: Transform, canvas: &mut Canvas) {
    let mut shade = |path: &Path, blur: f32, colour: Colour| canvas.shade(&moved(path, by), blur, colour);
    let side = path("M 264 206 C 268 230 274 250 278 264 C 280 274 274 280 262 280 C 268 262 264 232 262 206 Z");
    shade(&side, 4.5, p.skin_shade.a(0.5));
    let bridge = Spline(vec![[255.0, 196.0], [254.0, 226.0], [254.0, 258.0]]);
    shade(&bridge.strand(0.0, 1.0, |t| 3.4 * taper(t, 0.7)), 3.0, p.skin_light.a(0.6));
    shade(&ellipse(254.0, 265.0, 6.5, 5.0), 2.6, p.skin_light.a(0.85));
    let below = path("M 238 277 C 246 284 266 284 276 277 C 270 288 244 288 238 277 Z");
    shade(&below, 2.6, p.skin_shade.a(0.75));
    for nostril in [
        path("M 243 278 C 246 275 251 277 252 280 C 249 282 245 281 243 278 Z"),
        path("M 270 278 C 267 275 262 277 261 280 C 264 282 268 281 270 278 Z"),
    ] {
        shade(&nostril, 0.9, p.skin_deep.a(0.85));
    }
    let wing = Spline(vec![[237.0, 268.0], [235.0, 275.0], [239.0, 281.0]]);
    shade(&wing.strand(0.0, 1.0, |t| 1.2 * taper(t, 0.6)), 1.2, p.skin_shade.a(0.6));
    let wing = Spline(vec![[276.0, 267.0], [279.0, 274.0], [274.0, 281.0]]);
    shade(&wing.strand(0.0, 1.0, |t| 1.4 * taper(t, 0.6)), 1.2, p.skin_deep.a(0.5));
}

/// The shadow of a beard, strongest on lip and chin; it fades out on the cheeks.
fn stubble(beard: &Beard, canvas: &mut Canvas) {
    canvas.shade(&path(beard.jaw), 9.0, beard.colour.a(beard.strength));
    canvas.shade(&path(beard.jaw), 4.0, beard.colour.a(0.35 * beard.strength));
    canvas.shade(&path(beard.lip), 3.5, beard.colour.a(0.65 * beard.strength));
}

fn around_mouth(p: &Palette, shape: &FaceShape, canvas: &mut Canvas) {
    canvas.shade(&ellipse(256.0, 290.0, 4.0, 6.0), 2.5, p.skin_shade.a(0.25));
    canvas.shade(&ellipse(256.0, 319.0 + 0.5 * shape.chin, 17.0, 4.0), 3.5, p.skin_shade.a(0.4));
    canvas.shade(&ellipse(252.0, 329.0 + shape.chin, 12.0, 6.0), 4.5, p.skin_light.a(0.45));
}
