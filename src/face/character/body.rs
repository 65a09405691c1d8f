//! Neck, shoulders and clothes: a plain knitted jumper with a ribbed collar, a fine chain.

use super::look::{Clothes, Look, Neck};
use super::paint::{Canvas, Ink, Mix, Stencil};
use super::palette::Palette;
use super::shape::{Spline, ellipse, path, taper};
use tiny_skia::Pixmap;

pub fn layer(look: &Look) -> Pixmap {
    let (p, clothes) = (&look.palette, &look.clothes);
    let mut canvas = Canvas::new();
    // The collar where it goes round the neck at the back.
    let behind = path(clothes.behind);
    canvas
        .fill(&behind, Ink::vertical(350.0, 392.0, &[(0.0, p.cloth_dark), (1.0, p.cloth_dark.mix(p.skin_deep, 0.35))]));
    neck(p, &look.neck, &mut canvas);
    (clothes.below)(p, &mut canvas);
    jumper(p, clothes, &mut canvas);
    (clothes.above)(p, &mut canvas);
    canvas.finish()
}

fn neck(p: &Palette, shape: &Neck, canvas: &mut Canvas) {
    let neck = path(shape.outline);
    canvas.fill(&neck, Ink::vertical(340.0, 430.0, &[(0.0, p.skin_warm), (1.0, p.skin)]));
    // Under the chin it is dark, most on the side away from the light.
    canvas.shade(&path(shape.under_chin), 6.0, p.skin_deep.a(0.55));
    canvas.shade(&path(shape.right), 8.0, p.skin_shade.a(0.7));
    canvas.shade(&path(shape.left), 5.0, p.skin_shade.a(0.4));
    // Collar bones and the hollow between them.
    canvas.shade(&ellipse(256.0, 402.0, 8.0, 6.0), 4.0, p.skin_shade.a(0.55));
    let bone = Spline(vec![[246.0, 402.0], [222.0, 400.0], [196.0, 404.0]]);
    canvas.shade(&bone.strand(0.0, 1.0, |t| 1.8 * taper(t, 0.3)), 1.8, p.skin_light.a(0.7));
    let bone = Spline(vec![[266.0, 402.0], [290.0, 400.0], [316.0, 404.0]]);
    canvas.shade(&bone.strand(0.0, 1.0, |t| 1.8 * taper(t, 0.3)), 1.8, p.skin_light.a(0.35));
    let tendon = Spline(vec![[226.0 - shape.wide, 356.0], [237.0 - 0.5 * shape.wide, 382.0], [250.0, 398.0]]);
    canvas.shade(&tendon.strand(0.0, 1.0, |t| 2.2 * taper(t, 0.6)), 2.4, p.skin_light.a(0.35));
    let tendon = Spline(vec![[287.0 + shape.wide, 356.0], [276.0 + 0.5 * shape.wide, 382.0], [263.0, 398.0]]);
    canvas.shade(&tendon.strand(0.0, 1.0, |t| 2.0 * taper(t, 0.6)), 2.4, p.skin_deep.a(0.22));
}

pub fn chain(p: &Palette, canvas: &mut Canvas) {
    let line = Spline(vec![[205.0, 388.0], [224.0, 412.0], [256.0, 424.0], [288.0, 412.0], [307.0, 388.0]]);
    canvas.shade(&line.strand(0.0, 1.0, |_| 1.2), 1.4, p.skin_deep.a(0.5));
    canvas.fill(&line.strand(0.0, 1.0, |_| 0.65), p.gold);
    canvas.shade(&ellipse(257.0, 429.0, 4.5, 4.5), 2.0, p.skin_deep.a(0.5));
    canvas.fill(
        &ellipse(256.0, 427.5, 3.6, 3.6),
        Ink::Radial(
            [254.8, 426.2],
            [4.6, 4.6],
            vec![(0.0, p.cloth_light), (0.5, p.gold), (1.0, p.gold.mix(p.skin_deep, 0.45))],
        ),
    );
}

fn jumper(p: &Palette, clothes: &Clothes, canvas: &mut Canvas) {
    let mut own = Canvas::new();
    let body = path(clothes.torso);
    own.fill(
        &body,
        Ink::Linear([130.0, 400.0], [420.0, 520.0], vec![(0.0, p.cloth_light), (0.45, p.cloth), (1.0, p.cloth_shade)]),
    );
    own.shade(&path("M 400 420 L 480 420 L 480 524 L 380 524 C 420 500 420 460 400 420 Z"), 16.0, p.cloth_dark.a(0.7));
    // Folds from the shoulders towards the chest.
    for (points, depth) in [
        ([[118.0, 524.0], [124.0, 492.0], [138.0, 462.0]], 0.8),
        ([[392.0, 524.0], [388.0, 492.0], [374.0, 462.0]], 0.95),
        ([[180.0, 448.0], [204.0, 476.0], [236.0, 492.0]], 0.4),
        ([[334.0, 446.0], [312.0, 476.0], [280.0, 494.0]], 0.5),
    ] {
        let fold = Spline(points.to_vec());
        own.shade(&fold.strand(0.0, 1.0, |t| 4.5 * taper(t, 0.4)), 4.0, p.cloth_dark.a(depth));
        let lit = Spline(points.iter().map(|[x, y]| [x - 6.0, y - 2.0]).collect());
        own.shade(&lit.strand(0.0, 0.9, |t| 2.5 * taper(t, 0.4)), 3.0, p.cloth_light.a(0.6));
    }
    // The hair's and the head's shadow on the shoulders.
    for shape in clothes.shadows {
        own.paint(&Stencil::new(&path(shape), 8.0), p.cloth_dark.mix(p.cloth_bounce, 0.3).a(0.6), Mix::Atop);
    }
    collar(p, clothes, &mut own);
    canvas.stack(&own);
}

fn collar(p: &Palette, clothes: &Clothes, own: &mut Canvas) {
    let [inner, outer] = clothes.rib.map(|points| Spline(points.to_vec()));
    let band = inner.enclosing(&outer);
    let mut trim = Canvas::new();
    own.shade(&outer.strand(0.0, 1.0, |_| 3.0), 3.0, p.cloth_dark.a(0.8));
    trim.fill(
        &band,
        Ink::Linear([180.0, 400.0], [330.0, 450.0], vec![(0.0, p.cloth_light), (0.5, p.cloth), (1.0, p.cloth_shade)]),
    );
    for i in 1..34 {
        let t = i as f32 / 34.0;
        let rib = Spline(vec![inner.at(t), outer.at(t)]);
        trim.shade(&rib.strand(0.0, 1.0, |_| 0.7), 0.7, p.cloth_dark.a(0.5));
    }
    trim.shade(&inner.strand(0.0, 1.0, |_| 1.6), 1.2, p.cloth_light.a(0.8));
    for end in [ellipse(184.0, 382.0, 16.0, 24.0), ellipse(330.0, 384.0, 17.0, 26.0)] {
        trim.shade(&end, 7.0, p.cloth_dark.mix(p.cloth_bounce, 0.4).a(0.75));
    }
    own.stack(&trim);
    own.rim([2.0, -1.2], [330.0, 512.0], p.cloth_light.a(0.35));
}
