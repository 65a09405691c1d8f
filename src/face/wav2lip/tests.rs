//! The whole way: a photo or footage in, an avatar's folder, a face that speaks when it hears.

use std::path::Path;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use image::{RgbImage, imageops};

use super::*;
use crate::face::portrait::Vision;
use crate::onnx::Runtime;
use crate::testing::weight;

const ASTRONAUT: &str = "tests/fixtures/astronaut.jpg";

const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/wav2lip/small.onnx");

/// Fails the test if the network does.
struct Failing;

impl Observer for Failing {
    fn failed(&self, error: &Wav2LipError) {
        panic!("{error}");
    }
}

fn runtime() -> Runtime {
    Runtime::load(&weight("onnxruntime")).expect("ONNX Runtime")
}

fn vision() -> MutexGuard<'static, Vision> {
    static VISION: LazyLock<Mutex<Vision>> =
        LazyLock::new(|| Mutex::new(Vision::load(&runtime()).expect("the face models")));
    VISION.lock().unwrap_or_else(PoisonError::into_inner)
}

fn engine() -> Arc<Engine> {
    let open = || Network::open(&runtime(), Path::new(SMALL), 1);
    Engine::start(Options::default(), Failing, open).expect("started")
}

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn astronaut() -> Arc<Template> {
    static TEMPLATE: LazyLock<Arc<Template>> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join("astronaut");
        add(&mut vision(), &here(ASTRONAUT), &to).expect("an avatar");
        Arc::new(load(&to).expect("loaded"))
    });
    TEMPLATE.clone()
}

fn voice(frames: usize) -> Vec<i16> {
    (0..frames * VIDEO_FRAME_TICKS as usize).map(|n| ((n % 400) as i16 - 200) * 80).collect()
}

fn at(frame: u64) -> MediaTime {
    MediaTime(frame * VIDEO_FRAME_TICKS)
}

fn drawn(face: &mut Wav2Lip, frame: u64) -> Rgba {
    let mut picture = Rgba::new(2, 2);
    face.draw(&Pose { at: at(frame), frame, ..Pose::default() }, &mut picture);
    picture
}

/// Pixels that differ visibly, within and outside of the lower half of the face.
fn differences(a: &Rgba, b: &Rgba, template: &Template) -> (usize, usize) {
    let bounds = template.at(0).bounds;
    let (mut inside, mut outside) = (0, 0);
    for (n, (a, b)) in a.data.chunks_exact(4).zip(b.data.chunks_exact(4)).enumerate() {
        let x = ((n % SIDE) as f32 - bounds.left) / bounds.width;
        let y = ((n / SIDE) as f32 - bounds.top) / bounds.height;
        if a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 30) {
            let within = (0.0..=1.0).contains(&x) && (0.45..=1.0).contains(&y);
            *if within { &mut inside } else { &mut outside } += 1;
        }
    }
    (inside, outside)
}

/// What an avatar cannot be made of; nothing may be stored then.
fn refused(footage: &Path) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("somebody");
    let error = add(&mut vision(), footage, &to).expect_err("refused");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "left behind after: {error}");
    error.to_string()
}

#[test]
fn at_rest_the_picture_is_the_photo() {
    let template = astronaut();
    let mut face = Wav2Lip::new(template.clone(), engine());
    assert_eq!(face.size(), (SIDE, SIDE));
    let picture = drawn(&mut face, 3);
    assert!(picture.data.chunks_exact(4).zip(template.at(3).rgb.chunks_exact(3)).all(|(a, b)| a[..3] == *b));
    assert_eq!(face.counters(), Counters { resting: 1, ..Counters::default() });
}

#[test]
fn the_mouth_moves_while_there_is_sound_and_only_the_mouth() {
    let (template, engine) = (astronaut(), engine());
    let mut face = Wav2Lip::new(template.clone(), engine.clone());
    let still = drawn(&mut face, 0);
    face.hear(at(20), &voice(40));
    let mut moved = Vec::new();
    for frame in 1..120 {
        engine.wait();
        let picture = drawn(&mut face, frame);
        let (inside, outside) = differences(&picture, &still, &template);
        assert_eq!(outside, 0, "frame {frame}");
        moved.push((frame, inside));
    }
    let moving = |frames: std::ops::Range<u64>, least: usize| {
        moved.iter().filter(|(frame, _)| frames.contains(frame)).all(|(_, pixels)| *pixels > least)
    };
    assert!(moving(24..58, 500), "{moved:?}");
    let resting = moved.iter().filter(|(frame, _)| *frame < 8 || *frame > 85);
    assert!(resting.clone().all(|(_, pixels)| *pixels == 0), "{moved:?}");
    let counters = face.counters();
    assert!(counters.inferred > 38 && counters.late == 0, "{counters:?}");
}

#[test]
fn only_what_moved_is_drawn_again() {
    let (template, engine) = (astronaut(), engine());
    let mut face = Wav2Lip::new(template.clone(), engine.clone());
    let mut picture = Rgba::new(SIDE, SIDE);
    let pose = |frame| Pose { at: at(frame), frame, ..Pose::default() };
    assert_eq!(face.redraw(&pose(0), &mut picture), Area::whole((SIDE, SIDE)));
    let mut still = Rgba::new(SIDE, SIDE);
    template.still(0).draw(Area::whole((SIDE, SIDE)), &mut still);
    face.hear(at(3), &voice(20));
    let mut areas = Vec::new();
    for frame in 1..60 {
        engine.wait();
        let before = picture.clone();
        let area = face.redraw(&pose(frame), &mut picture);
        let unlike = |other: &Rgba| {
            let differs = |n: usize| picture.data[n * 4..n * 4 + 4] != other.data[n * 4..n * 4 + 4];
            (0..SIDE * SIDE).filter(|n| differs(*n)).map(|n| (n % SIDE, n / SIDE)).collect::<Vec<_>>()
        };
        let outside =
            |(x, y): &(usize, usize)| !(area.left..area.right).contains(x) || !(area.top..area.bottom).contains(y);
        assert!(!unlike(&before).iter().any(outside), "frame {frame} says that only {area:?} changed");
        assert!(!unlike(&still).iter().any(outside), "frame {frame} leaves something of a mouth behind");
        areas.push(area);
    }
    assert!(areas.iter().any(|area| !area.is_empty()) && areas.iter().all(|area| area.bottom - area.top < SIDE / 2));
    assert!(areas.last().is_some_and(|area| area.is_empty()) && picture == still);
}

#[test]
fn an_interrupted_face_shuts_its_mouth_and_two_calls_do_not_disturb_each_other() {
    let (template, engine) = (astronaut(), engine());
    let mut faces = [0, 1].map(|_| Wav2Lip::new(template.clone(), engine.clone()));
    let still = drawn(&mut faces[0], 0);
    for face in &mut faces {
        drawn(face, 0);
        face.hear(at(5), &voice(200));
    }
    for frame in 1..60 {
        engine.wait();
        if frame == 30 {
            faces[0].hear(at(30), &[]);
            engine.wait();
        }
        let open = faces.each_mut().map(|face| differences(&drawn(face, frame), &still, &template).0);
        if frame == 29 {
            assert!(open.iter().all(|pixels| *pixels > 500), "{open:?}");
        }
        if frame == 59 {
            assert!(open[0] == 0 && open[1] > 500, "{open:?}");
        }
    }
}

#[test]
fn a_loop_is_followed_and_shown_as_it_moves() {
    let folder = tempfile::tempdir().expect("a folder");
    let footage = folder.path().join("footage");
    std::fs::create_dir(&footage).expect("a folder");
    let photo = image::open(here(ASTRONAUT)).expect("the photo").into_rgb8();
    for n in 0..7u32 {
        // Seven pictures in which everything moves to the left by four pixels each.
        let mut frame = RgbImage::from_pixel(photo.width() + 40, photo.height(), image::Rgb([90; 3]));
        imageops::overlay(&mut frame, &photo, 30 - i64::from(n) * 4, 0);
        frame.save(footage.join(format!("{n}.png"))).expect("saved");
    }
    let to = folder.path().join("avatar");
    add(&mut vision(), &footage, &to).expect("an avatar");
    let template = load(&to).expect("loaded");
    assert_eq!(template.len(), 7);
    let left = |n: u64| template.at(n).bounds.left;
    let scale = (left(2) - left(4)) / 8.0;
    assert!((0.5..4.0).contains(&scale), "it moves by {scale} pixels a pixel");
    // In the middle the smoothed place moves as the face does.
    assert!((left(2) - left(3) - 4.0 * scale).abs() < 1.5);
    assert!(add(&mut vision(), &footage, &to).expect_err("taken").to_string().contains("exists already"));
}

#[test]
fn what_is_no_footage_is_refused_and_nothing_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    };
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    assert!(refused(&empty).contains("holds no JPEG, PNG or WebP"));
    assert!(refused(&file("clip.webm", b"\x1a\x45\xdf\xa3 and so on")).contains("MP4"));
    assert!(refused(&file("note.txt", b"hello")).contains("cannot be read"));
    assert!(refused(&file("cut.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isom")).contains("no sound MP4"));
    assert!(refused(&folder.path().join("missing.jpg")).contains("missing.jpg"));
    let grey = folder.path().join("grey.png");
    RgbImage::from_pixel(300, 300, image::Rgb([128; 3])).save(&grey).expect("saved");
    assert!(refused(&grey).contains("no face was found"));
}

#[test]
fn a_face_that_goes_away_is_told_with_the_number_of_the_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let photo = image::open(here(ASTRONAUT)).expect("the photo").into_rgb8();
    photo.save(folder.path().join("1.png")).expect("saved");
    RgbImage::from_pixel(photo.width(), photo.height(), image::Rgb([90; 3]))
        .save(folder.path().join("2.png"))
        .expect("saved");
    assert!(refused(folder.path()).contains("lost in picture 2"));
}

#[test]
fn damaged_avatars_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("astronaut");
    add(&mut vision(), &here(ASTRONAUT), &to).expect("an avatar");
    let description = std::fs::read_to_string(to.join("avatar.toml")).expect("read");
    for (from, into) in [("wav2lip", "portrait"), ("format = 1", "format = 2"), ("fps = 1.0", "fps = 1e9")] {
        assert!(description.contains(from), "{description}");
        std::fs::write(to.join("avatar.toml"), description.replace(from, into)).expect("written");
        let error = load(&to).err().expect("refused").to_string();
        assert!(error.contains("damaged") && error.contains("add it again"), "{error}");
    }
    std::fs::write(to.join("avatar.toml"), description).expect("written");
    std::fs::write(to.join("0001.jpg"), b"nothing").expect("written");
    assert!(load(&to).err().expect("refused").to_string().contains("0001.jpg"));
}
