//! What the tests of the portrait share: two faces, the models, and pictures made of them.

mod drawing;

mod refusals;
mod storing;

use std::io::Cursor;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use image::{ImageFormat, RgbImage};

use super::*;
use crate::face::{Face, Pose, Rgba};
use crate::onnx::Runtime;
use crate::testing::weight;

const ASTRONAUT: &[u8] = include_bytes!("../../../../tests/fixtures/astronaut.jpg");
const DRAWN: &[u8] = include_bytes!("../../../../tests/fixtures/drawn-face.jpg");

fn vision() -> MutexGuard<'static, Vision> {
    static VISION: LazyLock<Mutex<Vision>> = LazyLock::new(|| {
        let runtime = Runtime::load(&weight("onnxruntime")).expect("ONNX Runtime");
        Mutex::new(Vision::load(&runtime).expect("the face models"))
    });
    VISION.lock().unwrap_or_else(PoisonError::into_inner)
}

fn decoded(bytes: &[u8]) -> RgbImage {
    image::load_from_memory(bytes).expect("a picture of ours").into_rgb8()
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).expect("written to memory");
    bytes
}

fn png(picture: &RgbImage) -> Vec<u8> {
    encoded(picture, ImageFormat::Png)
}

fn found(bytes: &[u8]) -> Likeness {
    likeness(&mut vision(), bytes).expect("a portrait").0
}

/// The message with which a picture is refused; nothing may be stored then.
fn refused(bytes: &[u8]) -> PortraitError {
    let folder = tempfile::tempdir().expect("a folder");
    let error = add(&mut vision(), bytes, "somebody", folder.path()).expect_err("refused");
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    error
}

fn astronaut() -> Portrait {
    Portrait::new(&found(ASTRONAUT))
}

fn rest() -> Pose {
    Pose { smile: 0.3, breath: 0.5, ..Pose::default() }
}

fn drawn(face: &mut Portrait, pose: &Pose) -> Rgba {
    let mut picture = Rgba::new(SIDE, SIDE);
    face.draw(pose, &mut picture);
    picture
}

/// Mean difference within a box (left, top, right, bottom), in levels.
fn difference(a: &[u8], b: &[u8], channels: [usize; 2], within: [usize; 4]) -> f64 {
    let [left, top, right, bottom] = within;
    let mut sum = 0.0;
    for y in top..bottom {
        for x in left..right {
            for k in 0..3 {
                let at = y * SIDE + x;
                sum += f64::from(a[at * channels[0] + k].abs_diff(b[at * channels[1] + k]));
            }
        }
    }
    sum / ((right - left) * (bottom - top) * 3) as f64
}

const ALL: [usize; 4] = [0, 0, SIDE, SIDE];
