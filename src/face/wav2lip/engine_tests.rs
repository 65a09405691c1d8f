//! One call at the network's desk, step by step, on a machine of any speed: the time is told, not taken.

use super::*;
use crate::face::wav2lip::blend::Bounds;
use crate::face::wav2lip::patch::Patch;
use crate::face::wav2lip::reel::{Counters, Shown};
use crate::face::wav2lip::template::{SIDE, Still};
use crate::onnx::Runtime;
use crate::testing::weight;

const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/wav2lip/small.onnx");

fn network() -> Network {
    let runtime = Runtime::load(&weight("onnxruntime")).expect("ONNX Runtime");
    Network::open(&runtime, std::path::Path::new(SMALL), 1).expect("the small network")
}

fn template() -> Arc<Template> {
    let bounds = Bounds { left: 150.0, top: 120.0, width: 200.0, height: 240.0 };
    let stills = vec![Still::new(vec![180; SIDE * SIDE * 3], bounds)];
    Arc::new(Template::new(stills, 1.0).expect("a template"))
}

/// A loud buzz.
fn voice(frames: usize) -> Vec<i16> {
    (0..frames * VIDEO_FRAME_TICKS as usize).map(|n| ((n % 400) as i16 - 200) * 80).collect()
}

/// Brightness of the middle of the mouth.
fn lips(patch: &Patch) -> u8 {
    patch.at(74 * 96 + 48)[1]
}

/// Plays a call in which speech of `frames` frames is told at frame 10 from frame 12 on, on a machine on which a frame
/// takes `micros`. Gives what was shown from frame 12 on.
fn played(micros: f64, frames: usize) -> (Vec<(Shown, u8)>, Counters) {
    let (mut network, desk) = (network(), Arc::new(Desk::default()));
    let mut call = Call::new(&desk, template(), micros);
    let (mut room, mut patch) = (Room::default(), Patch::default());
    let mut shown = Vec::new();
    let mut free_at = 0.0;
    for frame in 0..12 + frames as u64 {
        if frame == 10 {
            desk.tell(MediaTime(12 * VIDEO_FRAME_TICKS), &voice(frames));
        }
        // What was begun before this frame is shown from the frame on in which it is done: the desk holds it earlier, so
        // a batch may begin only when the one before it is over.
        let time = frame as f64 * 40_000.0;
        let how = desk.show(frame, frame, &mut patch).expect("the desk is free");
        if frame >= 12 {
            shown.push((how, lips(&patch)));
        }
        while free_at <= time {
            let mut taken = 0.0;
            let spent = |frames: usize| {
                taken = micros * frames as f64;
                taken
            };
            if !call.turn(&mut network, 4, spent, &mut room).expect("made") {
                break;
            }
            free_at = free_at.max(time) + taken;
        }
    }
    (shown, desk.counters())
}

#[test]
fn a_fast_machine_shows_a_mouth_of_its_own_in_every_frame() {
    let (shown, counters) = played(5_000.0, 60);
    assert!(shown[1..].iter().all(|(how, lips)| *how == Shown::Inferred && *lips < 100), "{shown:?}");
    assert_eq!((counters.interpolated, counters.late), (0, 0));
    assert_eq!(counters.inferred + counters.resting, 72);
}

#[test]
fn a_slow_machine_interpolates_and_counts_it() {
    let (shown, counters) = played(60_000.0, 100);
    assert!(counters.interpolated > 20, "{counters:?}");
    assert!(counters.inferred >= counters.interpolated && counters.late <= 3, "{counters:?}");
    let count = |wanted: Shown| shown.iter().filter(|(how, _)| *how == wanted).count() as u64;
    assert_eq!(count(Shown::Interpolated), counters.interpolated);
    assert!(count(Shown::Held) <= counters.late);
    assert!(shown[4..].iter().all(|(_, lips)| *lips < 100), "{shown:?}");
}

#[test]
fn what_is_taken_back_gives_way_to_rest() {
    let (mut network, desk) = (network(), Arc::new(Desk::default()));
    let mut call = Call::new(&desk, template(), 1_000.0);
    let (mut room, mut patch) = (Room::default(), Patch::default());
    desk.tell(MediaTime(0), &voice(100));
    while call.turn(&mut network, 8, |_| 1_000.0, &mut room).expect("made") {}
    assert_eq!(desk.show(5, 5, &mut patch), Some(Shown::Inferred));
    desk.tell(MediaTime(6 * VIDEO_FRAME_TICKS), &[]);
    while call.turn(&mut network, 8, |_| 1_000.0, &mut room).expect("made") {}
    let shown = [6, 12, 20, 30].map(|frame| desk.show(frame, frame, &mut patch).expect("the desk is free"));
    // The network shuts the mouth itself, for as long as the sound still counts.
    assert_eq!(shown, [Shown::Inferred, Shown::Inferred, Shown::Rest, Shown::Rest]);
    assert_eq!(desk.show(12, 12, &mut patch), Some(Shown::Inferred));
    assert!(lips(&patch) > 150, "shut at frame 12: {}", lips(&patch));
}

#[test]
fn a_call_that_is_over_is_left_alone() {
    let (mut network, desk) = (network(), Arc::new(Desk::default()));
    let mut call = Call::new(&desk, template(), 1_000.0);
    desk.tell(MediaTime(0), &voice(100));
    drop(desk);
    assert!(!call.turn(&mut network, 8, |_| 1_000.0, &mut Room::default()).expect("nothing to do"));
}
