//! Which models are taken, which are refused and with what words; and that the small one opens its mouth.

use std::sync::{LazyLock, Mutex, PoisonError};

use super::super::hearing::Hearing;
use super::*;
use crate::media::MediaTime;
use crate::testing::weight;

const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/wav2lip/small.onnx");

fn runtime() -> Runtime {
    Runtime::load(&weight("onnxruntime")).expect("ONNX Runtime")
}

fn open(path: &Path) -> Result<Network, Wav2LipError> {
    Network::open(&runtime(), path, 1)
}

/// The small model with each `from` in its bytes changed to `to`, which is as long.
fn edited(from: &[u8], to: &[u8]) -> (tempfile::TempDir, PathBuf) {
    assert_eq!(from.len(), to.len());
    let mut bytes = std::fs::read(SMALL).expect("the small network");
    let mut at = 0;
    let mut found = 0;
    while let Some(next) = bytes[at..].windows(from.len()).position(|w| w == from) {
        bytes[at + next..at + next + from.len()].copy_from_slice(to);
        at += next + from.len();
        found += 1;
    }
    assert!(found > 0, "the model holds what is to be changed");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("edited.onnx");
    std::fs::write(&path, bytes).expect("written");
    (folder, path)
}

/// What is heard at frame 10 of a buzz as loud as `level`.
fn heard(level: i16) -> Window {
    let pcm: Vec<i16> = (0..96_000).map(|n| ((n % 400 - 200) * i32::from(level) / 200) as i16).collect();
    let mut hearing = Hearing::default();
    hearing.tell(MediaTime::ZERO, &pcm).expect("told");
    let mut window = Window::default();
    hearing.window(10, &mut window);
    window
}

fn face() -> Patch {
    let mut face = Patch::default();
    face.fill(|at| [200, 150 + (at % SIDE / 4) as u8, 100 + (at / SIDE / 2) as u8]);
    face
}

/// The pictures of frames that are run together.
fn run(network: &mut Network, frames: &[(&Window, &Patch)]) -> Vec<Patch> {
    frames.iter().for_each(|(window, face)| network.push(window, face));
    let mut pictures = Vec::new();
    network
        .run(|n, patch| {
            assert_eq!(n, pictures.len());
            pictures.push(patch.clone());
        })
        .expect("run");
    pictures
}

/// Pixels that are darker than the face by more than 50.
fn dark(picture: &Patch, face: &Patch) -> usize {
    picture.pixels().zip(face.pixels()).filter(|(p, f)| p[0] + 50 < f[0]).count()
}

#[test]
fn the_mouth_opens_with_loud_sound_and_colours_stay_in_their_places() {
    static NETWORK: LazyLock<Mutex<Network>> =
        LazyLock::new(|| Mutex::new(open(Path::new(SMALL)).expect("the small network")));
    let mut network = NETWORK.lock().unwrap_or_else(PoisonError::into_inner);
    let face = face();
    let (silent, quiet, loud) = (Window::default(), heard(3_000), heard(20_000));
    let pictures = run(&mut network, &[(&silent, &face), (&quiet, &face), (&loud, &face)]);
    let open: Vec<usize> = pictures.iter().map(|picture| dark(picture, &face)).collect();
    assert!(open[0] == 0 && open[1] > 100 && open[2] > open[1] + 100, "{open:?}");
    let apart = |at: usize| {
        let (a, b) = (pictures[2].at(at), face.at(at));
        a.iter().zip(b).map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
    };
    // Forehead, cheek and chin are as they were.
    assert!([20 * SIDE + 48, 60 * SIDE + 15, 92 * SIDE + 48].map(apart).iter().all(|v| *v < 12));
}

#[test]
fn frames_run_together_are_as_those_run_alone_whether_the_number_is_fixed_or_not() {
    let face = face();
    let windows = [heard(20_000), Window::default(), heard(3_000), heard(500), heard(9_000)];
    let mut free = open(Path::new(SMALL)).expect("the small network");
    assert_eq!(free.capacity(), MAX_BATCH);
    let alone: Vec<Patch> = windows.iter().map(|window| run(&mut free, &[(window, &face)]).remove(0)).collect();
    let together: Vec<(&Window, &Patch)> = windows.iter().map(|window| (window, &face)).collect();
    let near = |a: &Patch, b: &Patch| a.pixels().zip(b.pixels()).all(|(a, b)| (0..3).all(|k| a[k].abs_diff(b[k]) < 2));
    assert!(run(&mut free, &together).iter().zip(&alone).all(|(a, b)| near(a, b)));

    // The dimension "batch" of all inputs and outputs becomes 4, as a protobuf number that is written as long.
    let (_folder, path) = edited(b"\x0a\x07\x12\x05batch", b"\x0a\x07\x08\x84\x80\x80\x80\x80\x00");
    let mut fixed = open(&path).expect("a fixed number");
    assert_eq!(fixed.capacity(), 4);
    let pictures = run(&mut fixed, &together);
    assert_eq!(pictures.len(), 4, "the fifth is left out");
    assert!(pictures.iter().zip(&alone).all(|(a, b)| near(a, b)));
    assert!(near(&run(&mut fixed, &together[..1])[0], &alone[0]));
}

#[test]
fn other_models_are_refused_with_the_shapes_they_have() {
    for (model, shapes) in [("face_landmark.onnx", "[1,192,192,3]"), ("iris_landmark.onnx", "[1,64,64,3]")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/face").join(model);
        let error = open(&path).err().expect("refused").to_string();
        for part in [model, shapes, "[n,1,80,16]", "[n,6,96,96]", "README"] {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
    }
}

#[test]
fn missing_and_damaged_files_are_named() {
    let missing = open(Path::new("/nowhere/wav2lip.onnx")).err().expect("refused").to_string();
    assert!(missing.contains("/nowhere/wav2lip.onnx"), "{missing}");
    let (_folder, path) = edited(b"Sigmoid", b"Sigmaid");
    let damaged = open(&path).err().expect("refused").to_string();
    assert!(damaged.contains("edited.onnx"), "{damaged}");
}
