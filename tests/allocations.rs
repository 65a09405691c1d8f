//! A picture takes no memory from the heap, whatever kind of face draws it. A program of its own, as it counts what its
//! allocator gives.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use visavis::face::drawn::Character;
use visavis::face::portrait::{self, Portrait, Vision};
use visavis::face::{Face, Rgba, preview};
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
