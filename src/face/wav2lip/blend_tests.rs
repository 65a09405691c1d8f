//! What the mask does not cover stays as it was; what the network left alone too, to the last pixel of detail.

use super::*;

const SIDE_OF_PICTURE: usize = 256;
const BOUNDS: Bounds = Bounds { left: 40.4, top: 30.7, width: 171.3, height: 190.2 };

/// A picture with fine detail everywhere.
fn picture() -> Rgba {
    let mut picture = Rgba::new(SIDE_OF_PICTURE, SIDE_OF_PICTURE);
    for (at, pixel) in picture.data.chunks_exact_mut(4).enumerate() {
        let (x, y) = (at % SIDE_OF_PICTURE, at / SIDE_OF_PICTURE);
        let detail = ((x * 7 + y * 13) % 11) as u8;
        pixel.copy_from_slice(&[120 + (x / 4) as u8 + detail, 100 + (y / 4) as u8, 90 + detail, 255]);
    }
    picture
}

fn crop_of(picture: &Rgba) -> Patch {
    let rgb: Vec<u8> = picture.data.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut patch = Patch::default();
    crop(&rgb, picture.width, &BOUNDS, &mut patch);
    patch
}

fn changed(patch: &Patch, change: impl Fn(usize, [u8; 3]) -> [u8; 3]) -> Patch {
    let mut new = Patch::default();
    new.fill(|at| change(at, patch.at(at)));
    new
}

/// The greatest difference of each pixel.
fn apart(a: &Rgba, b: &Rgba) -> Vec<u8> {
    let pixels = a.data.chunks_exact(4).zip(b.data.chunks_exact(4));
    pixels.map(|(a, b)| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)).collect()
}

/// Where a pixel of the picture lies in the patch, 0 to 1.
fn place(at: usize) -> [f32; 2] {
    let (x, y) = ((at % SIDE_OF_PICTURE) as f32 + 0.5, (at / SIDE_OF_PICTURE) as f32 + 0.5);
    [(x - BOUNDS.left) / BOUNDS.width, (y - BOUNDS.top) / BOUNDS.height]
}

fn drawn(old: &Patch, new: &Patch, share: f32) -> Rgba {
    let mut out = picture();
    Blend::default().draw(old, new, &BOUNDS, share, &mut out);
    out
}

/// The same face with a dark mouth.
fn mouth(at: usize, colour: [u8; 3]) -> [u8; 3] {
    let (x, y) = (at % SIDE, at / SIDE);
    if (36..60).contains(&x) && (68..80).contains(&y) { [40, 20, 20] } else { colour }
}

#[test]
fn outside_the_mask_nothing_changes_and_inside_the_mouth_does() {
    let old = crop_of(&picture());
    let noise = changed(&old, |at, _| [(at * 31 % 256) as u8, (at * 17 % 256) as u8, (at * 7 % 256) as u8]);
    let differences = apart(&drawn(&old, &noise, 1.0), &picture());
    let mut inside = 0;
    for (at, difference) in differences.iter().enumerate() {
        let [x, y] = place(at);
        let beside = !(0.0..1.0).contains(&x) || !(0.0..1.0).contains(&y);
        // The cubic reaches two pixels of the patch beyond its place.
        if beside || y < MASK.rows.start as f32 / SIDE as f32 - 2.5 / SIDE as f32 {
            assert_eq!(*difference, 0, "at {x:.2} {y:.2}");
        } else {
            let cover = MASK.cover[(y * SIDE as f32) as usize * SIDE + (x * SIDE as f32) as usize];
            inside += usize::from(cover > 0.9 && *difference > 10);
        }
    }
    assert!(inside > 3_000, "{inside}");
}

#[test]
fn a_face_that_the_network_leaves_alone_keeps_its_detail() {
    let old = crop_of(&picture());
    let worst = apart(&drawn(&old, &old, 1.0), &picture()).into_iter().max();
    assert!(worst <= Some(1), "{worst:?}");
}

#[test]
fn a_mouth_is_painted_and_the_cheeks_keep_their_detail() {
    let old = crop_of(&picture());
    let out = drawn(&old, &changed(&old, mouth), 1.0);
    let differences = apart(&out, &picture());
    for (at, difference) in differences.iter().enumerate() {
        let [x, y] = place(at);
        if (0.42..0.58).contains(&x) && (0.74..0.80).contains(&y) {
            assert!(out.data[at * 4] < 60, "the mouth is dark at {x:.2} {y:.2}");
        }
        if !(0.32..0.68).contains(&x) || !(0.66..0.88).contains(&y) {
            assert!(*difference <= 2, "{difference} at {x:.2} {y:.2}");
        }
    }
    assert_eq!(drawn(&old, &changed(&old, mouth), 0.0), picture());
}

#[test]
fn another_exposure_is_brought_to_that_of_the_picture() {
    let old = crop_of(&picture());
    let exposed = changed(&old, |at, colour| mouth(at, colour).map(|v| (f32::from(v) * 0.9 + 22.0) as u8));
    let out = drawn(&old, &exposed, 1.0);
    let differences = apart(&out, &picture());
    let cheek = differences.iter().enumerate().filter(|(at, _)| {
        let [x, y] = place(*at);
        (0.15..0.85).contains(&x) && (0.5..0.62).contains(&y)
    });
    let worst = cheek.map(|(_, difference)| *difference).max();
    assert!(worst < Some(8), "{worst:?}");
}

#[test]
fn bounds_beyond_the_picture_are_cut() {
    let old = crop_of(&picture());
    for (left, top) in [(-100.0, -50.0), (200.0, 200.0), (-500.0, 0.0), (400.0, 400.0)] {
        let mut out = picture();
        let bounds = Bounds { left, top, ..BOUNDS };
        Blend::default().draw(&old, &changed(&old, mouth), &bounds, 1.0, &mut out);
    }
}
