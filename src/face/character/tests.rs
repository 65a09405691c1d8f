//! What can be said of the pictures without looking at them; the looks are judged by eye (`face::preview`).

use super::*;
use crate::face::{Life, Lips, Mouth, Viseme};
use crate::media::{Attention, MediaTime, TimedPhoneme, VIDEO_FRAME_TICKS};

fn rest() -> Pose {
    Pose { smile: 0.3, breath: 0.5, ..Pose::default() }
}

fn drawn(face: &mut Character, pose: &Pose) -> Rgba {
    let mut picture = Rgba::new(SIDE, SIDE);
    face.draw(pose, &mut picture);
    picture
}

fn all() -> impl Iterator<Item = Character> {
    CHARACTERS.iter().map(|name| Character::named(name).expect("every listed name has a character"))
}

/// Mean difference of two pictures within a box, in levels.
fn difference(a: &Rgba, b: &Rgba, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> f64 {
    let mut sum = 0.0;
    for y in rows.clone() {
        for i in (y * SIDE + columns.start) * 4..(y * SIDE + columns.end) * 4 {
            sum += f64::from(a.data[i].abs_diff(b.data[i]));
        }
    }
    sum / (columns.len() * rows.len() * 3) as f64
}

#[test]
fn every_pair_of_mouths_that_should_differ_is_told_apart() {
    use Viseme::{AA, CH, E, FF, IH, OH, OU, PP, SS, Sil, TH};
    let shown = [Sil, PP, FF, TH, CH, SS, AA, E, IH, OH, OU];
    for mut face in all() {
        let mut with = |v: &Viseme| drawn(&mut face, &Pose { mouth: v.mouth(), ..rest() });
        let pictures: Vec<Rgba> = shown.iter().map(&mut with).collect();
        for i in 0..shown.len() {
            for j in 0..i {
                let levels = difference(&pictures[i], &pictures[j], 206..306, 270..345);
                assert!(levels > 1.2, "{} and {} differ by {levels} levels only", shown[i].name(), shown[j].name());
            }
        }
    }
}

#[test]
fn the_picture_depends_on_the_pose_only_and_is_opaque() {
    for mut face in all() {
        let first = drawn(&mut face, &rest());
        let odd = Pose {
            yaw: f32::NAN,
            pitch: 90.0,
            lids: [7.0, f32::NAN],
            gaze: [f32::INFINITY; 2],
            sway: -1e9,
            mouth: Mouth { open: 9.0, ..Mouth::REST },
            ..rest()
        };
        let wild = drawn(&mut face, &odd);
        assert!(first == drawn(&mut face, &rest()), "what was drawn before shows");
        assert!(first == drawn(&mut face.clone(), &rest()));
        assert!(first.data.iter().chain(&wild.data).skip(3).step_by(4).all(|a| *a == 255));
        assert!(first != wild);
    }
}

#[test]
fn a_name_gives_its_character_and_no_other_name_gives_one() {
    let pictures: Vec<Rgba> = all().map(|mut face| drawn(&mut face, &rest())).collect();
    assert!(pictures[0] == drawn(&mut Character::new(), &rest()));
    assert!(pictures.windows(2).all(|two| difference(&two[0], &two[1], 0..SIDE, 0..SIDE) > 10.0));
    assert!(Character::named("Woman").is_none() && Character::named("").is_none());
}

#[test]
fn ears_and_short_hair_stay_on_the_head_in_every_turn() {
    let mut face = Character::named("man").expect("there is a man");
    let behind = face.painted.background.clone();
    for (yaw, pitch, roll) in
        [(-15.0, 0.0, 0.0), (15.0, 0.0, 0.0), (0.0, 10.0, 0.0), (0.0, -10.0, 0.0), (15.0, -10.0, 8.0)]
    {
        let picture = drawn(&mut face, &Pose { yaw, pitch, roll, ..rest() });
        for y in 70..300 {
            let row = y * SIDE * 4..(y + 1) * SIDE * 4;
            let (seen, bare) = (picture.data[row.clone()].chunks(4), behind.data[row].chunks(4));
            let head: Vec<usize> = seen.zip(bare).enumerate().filter(|(_, (a, b))| a != b).map(|(x, _)| x).collect();
            assert!(head.last().zip(head.first()).is_some_and(|(last, first)| last - first > 100));
            // Between its outermost points the head hides the background; a pixel may look like it by chance.
            let gaps: usize = head.windows(2).map(|two| two[1] - two[0] - 1).sum();
            assert!(gaps < 3, "row {y} at yaw {yaw}, pitch {pitch} shows {gaps} pixels of background in the head");
        }
    }
}

#[test]
fn ten_seconds_of_talk_show_no_frozen_picture_and_no_jump() {
    for mut face in all() {
        let (mut life, mut lips) = (Life::new(8), Lips::new());
        let phonemes: Vec<TimedPhoneme> = "h ə l oʊ m aɪ f ɹ ɛ n d w ʌ t k æ n aɪ d uː f ɔː j uː"
            .split(' ')
            .enumerate()
            .map(|(i, ipa)| TimedPhoneme {
                ipa: ipa.into(),
                start: i as u64 * 3840,
                end: (i as u64 + 1) * 3840,
                stressed: i % 4 == 1,
            })
            .collect();
        for second in [2, 5, 8] {
            lips.say(MediaTime::from_millis(second * 1000), &phonemes, &[]);
        }
        let mut before: Option<Rgba> = None;
        for frame in 1..=250 {
            let t = MediaTime(frame * VIDEO_FRAME_TICKS);
            let attention = if frame < 50 { Attention::Listening } else { Attention::Speaking };
            let now = drawn(&mut face, &life.pose_at(t, attention, lips.mouth_at(t)));
            if let Some(before) = before {
                assert!(now != before, "frame {frame} is frozen");
                let levels = difference(&now, &before, 0..SIDE, 0..SIDE);
                assert!(levels < 3.5, "frame {frame} jumps by {levels} levels");
            }
            before = Some(now);
        }
    }
}
