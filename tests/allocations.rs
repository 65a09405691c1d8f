//! A picture takes no memory from the heap, whatever kind of face draws it. A program of its own, as it counts what its
//! allocator gives.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use visavis::face::drawn::Character;
use visavis::face::portrait::{self, Portrait, Vision};
use visavis::face::wav2lip::{self, Engine, Network, Observer, Options, Wav2Lip};
use visavis::face::{Face, Pose, Rgba, preview};
use visavis::media::{MediaTime, VIDEO_FRAME_TICKS};
use visavis::models::Store;
use visavis::onnx::Runtime;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn takes_nothing(face: &mut dyn Face) {
    let mut picture = Rgba::new(512, 512);
    let poses = preview::poses();
    // The first pictures make room for the others.
    poses.iter().for_each(|pose| face.draw(pose, &mut picture));
    let before = TAKEN.with(Cell::get);
    assert!(before > 0, "the counter counts");
    for pose in &poses {
        face.draw(pose, &mut picture);
        face.redraw(pose, &mut picture);
        face.settle(pose);
    }
    assert_eq!(TAKEN.with(Cell::get), before);
}

#[test]
fn a_drawn_picture_takes_no_memory() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/avatars/woman");
    takes_nothing(&mut *Character::load(&folder).expect("shipped art is whole").copy());
}

#[test]
fn a_portraits_picture_takes_no_memory() {
    let store = Store::open(None).expect("the folder of the weights");
    let runtime = Runtime::load(&store.path("onnxruntime").expect("ONNX Runtime")).expect("it loads");
    let mut vision = Vision::load(&runtime).expect("the models of the face");
    let photo = include_bytes!("fixtures/astronaut.jpg");
    let (likeness, _) = portrait::likeness(&mut vision, photo).expect("a face");
    takes_nothing(&mut *Portrait::new(&likeness).copy());
}

struct Unobserved;

impl Observer for Unobserved {}

#[test]
fn a_picture_with_a_mouth_by_wav2lip_takes_no_memory() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let store = Store::open(None).expect("the folder of the weights");
    let runtime = Runtime::load(&store.path("onnxruntime").expect("ONNX Runtime")).expect("it loads");
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("astronaut");
    let mut vision = Vision::load(&runtime).expect("the models of the face");
    wav2lip::add(&mut vision, &root.join("tests/fixtures/astronaut.jpg"), &own).expect("an avatar");
    let template = Arc::new(wav2lip::load(&own).expect("loaded"));
    let model = root.join("models/wav2lip/small.onnx");
    let open = move || Network::open(&runtime, &model, 1);
    let engine = Engine::start(Options::default(), Unobserved, open).expect("the small network");
    let mut face = Wav2Lip::new(template, engine);
    let mut picture = Rgba::new(512, 512);
    let buzz: Vec<i16> = (0..VIDEO_FRAME_TICKS as i32 * 60).map(|n| (n % 400 - 200) as i16 * 80).collect();
    face.hear(MediaTime::ZERO, &buzz);
    let mut taken = 0;
    for frame in 0..40 {
        // On this thread; the network's own takes what it likes.
        face.wait();
        let before = TAKEN.with(Cell::get);
        face.redraw(&Pose { at: MediaTime(frame * VIDEO_FRAME_TICKS), frame, ..Pose::default() }, &mut picture);
        // The first pictures make room for the others.
        taken += if frame < 10 { 0 } else { TAKEN.with(Cell::get) - before };
    }
    assert!(face.counters().inferred > 30, "{:?}", face.counters());
    assert_eq!(taken, 0);
}
