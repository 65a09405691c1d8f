//! What a portrait does in a pose. How it looks is judged by eye (`face::preview`).

use super::super::anatomy::Anatomy;
use super::super::expression::{self, Side, shares};
use super::*;
use crate::face::{Mouth, Viseme};

#[test]
fn a_portrait_at_rest_shows_the_photo() {
    let likeness = found(DRAWN);
    let picture = drawn(&mut Portrait::new(&likeness), &rest());
    let apart = difference(&picture.data, &likeness.pixels, [4, 3], ALL);
    assert!(apart < 0.6, "{apart} levels from the photo");
}

#[test]
fn every_pair_of_mouths_that_should_differ_is_told_apart() {
    use Viseme::{AA, CH, E, FF, IH, OH, OU, PP, SS, Sil, TH};
    let shown = [Sil, PP, FF, TH, CH, SS, AA, E, IH, OH, OU];
    for bytes in [ASTRONAUT, DRAWN] {
        let likeness = found(bytes);
        let [x, y] = likeness.marks.mesh.middle(&[13, 14]).map(|v| v as usize);
        let mut face = Portrait::new(&likeness);
        let pictures = shown.map(|v| drawn(&mut face, &Pose { mouth: v.mouth(), ..rest() }));
        for i in 0..shown.len() {
            for j in 0..i {
                let levels = difference(&pictures[i].data, &pictures[j].data, [4, 4], [x - 50, y - 30, x + 50, y + 50]);
                assert!(levels > 1.0, "{} and {} differ by {levels} levels only", shown[i].name(), shown[j].name());
            }
        }
    }
}

/// The widest gap between the edges of the lips, in pixels.
fn gap(anatomy: &Anatomy, mouth: Mouth) -> f32 {
    let strengths = expression::strengths(anatomy, &Pose { mouth, ..rest() });
    let lips = &anatomy.lips;
    let edge = |s: f32, side: Side| {
        let y = if side == Side::Upper { lips.inner_upper.at(s) } else { lips.inner_lower.at(s) };
        let at = anatomy.axes.picture([lips.x(s), y]);
        anatomy.axes.face(expression::moved(at, &shares(anatomy, at, side), &strengths))[1]
    };
    let gaps = (-9..=9).map(|i| i as f32 / 10.0).map(|s| edge(s, Side::Lower) - edge(s, Side::Upper));
    gaps.fold(f32::MIN, f32::max)
}

#[test]
fn lips_close_for_p_b_m_even_if_the_photo_shows_teeth_and_open_as_told() {
    for bytes in [ASTRONAUT, DRAWN] {
        let anatomy = Anatomy::of(&found(bytes));
        assert_eq!(anatomy.lips.parted, bytes == ASTRONAUT);
        for viseme in [Viseme::PP, Viseme::Sil] {
            let gap = gap(&anatomy, viseme.mouth());
            assert!(gap < 0.6, "{}: {gap} pixels apart", viseme.name());
        }
        let open = [0.1, 0.3, 0.5, 0.7, 0.95].map(|open| gap(&anatomy, Mouth { open, ..Mouth::REST }));
        assert!(open.windows(2).all(|pair| pair[1] > pair[0] + 3.0), "{open:?}");
        assert!(open[4] > 0.3 * anatomy.mouth, "{open:?}");
    }
}

#[test]
fn the_picture_depends_on_the_pose_only_and_is_opaque() {
    let mut face = astronaut();
    let first = drawn(&mut face, &rest());
    let odd = Pose {
        yaw: f32::NAN,
        pitch: 90.0,
        roll: -1e9,
        offset: [1e9, -1e9],
        lids: [7.0, f32::NAN],
        gaze: [f32::INFINITY; 2],
        mouth: Mouth { open: 9.0, jaw: 9.0, ..Mouth::REST },
        ..rest()
    };
    for pose in [odd, Pose { offset: [-20.0, 20.0], yaw: -15.0, roll: 8.0, ..odd }] {
        let picture = drawn(&mut face, &pose);
        assert!(picture.data.chunks_exact(4).all(|pixel| pixel[3] == 255));
        assert!(difference(&picture.data, &first.data, [4, 4], ALL) > 1.0);
    }
    assert_eq!(drawn(&mut face, &rest()), first);
    assert_eq!(drawn(&mut face.clone(), &rest()), first);
    let mut small = Rgba::new(2, 2);
    face.draw(&rest(), &mut small);
    assert_eq!(small, first);
}

#[test]
fn the_head_turns_and_the_border_of_the_picture_stays() {
    let mut face = astronaut();
    let first = drawn(&mut face, &rest());
    for pose in [Pose { yaw: 12.0, ..rest() }, Pose { pitch: 8.0, ..rest() }, Pose { roll: -6.0, ..rest() }] {
        let turned = drawn(&mut face, &pose);
        let moved = difference(&turned.data, &first.data, [4, 4], [170, 140, 330, 330]);
        assert!(moved > 4.0, "{pose:?} changes the face by {moved} levels");
        for border in [[0, 0, 8, 400], [SIDE - 8, 0, SIDE, 400]] {
            let still = difference(&turned.data, &first.data, [4, 4], border);
            assert!(still < 0.5, "{pose:?} changes the border by {still} levels");
        }
    }
}

#[test]
fn eyes_look_about_and_shut() {
    let likeness = found(ASTRONAUT);
    let mut face = Portrait::new(&likeness);
    let first = drawn(&mut face, &rest());
    let about = |eye: usize| {
        let [x, y] = likeness.marks.eyes[eye].iris.map(|v| v as usize);
        [x - 18, y - 10, x + 18, y + 10]
    };
    for pose in
        [Pose { gaze: [12.0, 0.0], ..rest() }, Pose { gaze: [-12.0, 0.0], ..rest() }, Pose { lids: [1.0; 2], ..rest() }]
    {
        let picture = drawn(&mut face, &pose);
        for eye in 0..2 {
            let changed = difference(&picture.data, &first.data, [4, 4], about(eye));
            assert!(changed > 6.0, "{pose:?} changes eye {eye} by {changed} levels");
        }
    }
    // One eye alone.
    let wink = drawn(&mut face, &Pose { lids: [1.0, 0.0], ..rest() });
    assert!(difference(&wink.data, &first.data, [4, 4], about(1)) < 0.1);
    assert!(difference(&wink.data, &first.data, [4, 4], about(0)) > 6.0);
}

/// Each part of the pose goes all its way in small steps: no pixel may change much from one picture to the next.
#[test]
fn nothing_jumps_on_the_way_of_any_motion() {
    const STEPS: usize = 60;
    let (open, pursed) = (Viseme::AA.mouth(), Viseme::OU.mouth());
    type Way<'a> = (&'a str, u8, &'a dyn Fn(f32) -> Pose);
    let ways: [Way; 8] = [
        ("yaw", 70, &|t| Pose { yaw: 30.0 * t - 15.0, ..rest() }),
        ("pitch", 70, &|t| Pose { pitch: 20.0 * t - 10.0, ..rest() }),
        ("gaze", 60, &|t| Pose { gaze: [30.0 * t - 15.0, 0.0], ..rest() }),
        ("lids", 60, &|t| Pose { lids: [1.3 * t - 0.3; 2], ..rest() }),
        ("brows", 60, &|t| Pose { brows: [2.0 * t - 1.0; 2], ..rest() }),
        ("smile", 60, &|t| Pose { smile: 2.0 * t - 1.0, ..rest() }),
        ("jaw", 70, &|t| Pose { mouth: Mouth::REST.towards(&open, t), ..rest() }),
        ("purse", 60, &|t| Pose { mouth: open.towards(&pursed, t), ..rest() }),
    ];
    let mut face = astronaut();
    for (name, most, pose) in ways {
        let pictures = (0..=STEPS).map(|i| drawn(&mut face, &pose(i as f32 / STEPS as f32)));
        let mut before: Option<Rgba> = None;
        for (i, picture) in pictures.enumerate() {
            if let Some(before) = before {
                let change = picture.data.iter().zip(&before.data).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
                assert!(change < most, "{name}: a pixel changes by {change} levels at step {i}");
            }
            before = Some(picture);
        }
    }
}
