//! Calls that see one face, with a face of a few pixels: a bright bar whose place tells the pose.

use super::*;
use crate::face::{Face, Pose, Rgba};
use crate::media::VIDEO_FRAME_TICKS;
use crate::metrics::Metrics;
use crate::video::{H264Decoder, VideoSettings};

const SIDE: usize = 64;
/// Pictures until a call is at rest.
const SETTLED: u64 = 2 * (CALM + APPROACH) as u64;

/// A fake: the bar moves a pixel for each degree of yaw, a second one for the sum of gaze and lids.
#[derive(Clone)]
struct Bars(u8);

impl Face for Bars {
    fn size(&self) -> (usize, usize) {
        (SIDE, SIDE)
    }

    fn draw(&mut self, pose: &Pose, picture: &mut Rgba) {
        picture.fit(SIDE, SIDE);
        for (at, pixel) in picture.data.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let (x, y) = ((at % SIDE) as f32, at / SIDE);
            let centre = 32.0 + if y < SIDE / 2 { pose.yaw } else { pose.pitch };
            let light = (1.0 - (x - centre).abs() / 12.0).max(0.0);
            pixel.fill((light * f32::from(self.0)) as u8);
        }
    }

    fn copy(&self) -> Box<dyn Face> {
        Box::new(self.clone())
    }
}

struct Room {
    rest: Arc<Rest>,
    metrics: Arc<Metrics>,
}

fn room(light: u8) -> Room {
    let metrics = Arc::new(Metrics::new());
    let settings = VideoSettings { width: SIDE, height: SIDE, key_frame_seconds: 0, ..VideoSettings::default() };
    Room { rest: Rest::new(Box::new(Bars(light)), settings, 5, metrics.clone()), metrics }
}

/// A call with the decoder at its other end.
struct Call {
    picture: Picture,
    decoder: H264Decoder,
    now: MediaTime,
    /// Where the upper bar is in the last picture.
    bar: Option<f32>,
    light: u8,
}

/// What came of a step.
struct Seen {
    picture: EncodedPicture,
    /// Pixels that the bar moved.
    moved: f32,
}

impl Call {
    fn new(room: &Room, seed: u64) -> Self {
        let picture = Picture::new(&room.rest, seed).unwrap();
        Self { picture, decoder: H264Decoder::new().unwrap(), now: MediaTime::ZERO, bar: None, light: 0 }
    }

    fn step(&mut self, attention: Attention) -> Seen {
        let (picture, _) = self.picture.next(self.now, attention, false).unwrap().unwrap();
        self.now = self.now + VIDEO_FRAME_TICKS;
        let seen = self.decoder.decode(&picture.h264).expect("no error").expect("no delay");
        let rows = &seen.y[8 * SIDE..24 * SIDE];
        let weigh = |value: u8| f32::from(value.saturating_sub(24));
        let sum: f32 = rows.iter().map(|&value| weigh(value)).sum();
        let bar = rows.iter().enumerate().map(|(at, &value)| (at % SIDE) as f32 * weigh(value)).sum::<f32>() / sum;
        let moved = self.bar.map_or(0.0, |before| (bar - before).abs());
        (self.bar, self.light) = (Some(bar), rows.iter().copied().max().unwrap_or(0));
        Seen { picture, moved }
    }
}

#[test]
fn calls_at_rest_share_every_byte_and_one_encoder() {
    let room = room(200);
    let mut calls: Vec<Call> = (0..4).map(|seed| Call::new(&room, seed)).collect();
    assert_eq!(room.metrics.encoders.get(), 4);
    for n in 0..SETTLED + 50 {
        let seen: Vec<Seen> = calls.iter_mut().map(|call| call.step(Attention::Idle)).collect();
        assert!(seen.iter().all(|seen| seen.moved < 1.0), "picture {n} jumps");
        if n >= SETTLED {
            assert!(calls.iter().all(|call| call.picture.is_resting()));
            assert!(seen.iter().all(|other| other.picture.h264.as_ptr() == seen[0].picture.h264.as_ptr()));
        }
    }
    assert_eq!(room.metrics.encoders.get(), 1);
    drop(calls);
    assert_eq!(room.metrics.encoders.get(), 0, "nothing is held for nobody");
}

#[test]
fn a_call_leaves_and_returns_at_key_frames_without_a_jump() {
    let room = room(200);
    let (mut call, mut other) = (Call::new(&room, 1), Call::new(&room, 2));
    let mut was_resting = false;
    let mut splices = 0;
    for n in 0..600_u64 {
        let attention = match n % 200 {
            100..120 => Attention::Thinking,
            120..150 => Attention::Speaking,
            // It is on its way to the rest and turns back.
            170..173 => Attention::Listening,
            _ => Attention::Idle,
        };
        let seen = call.step(attention);
        assert!(other.step(Attention::Idle).moved < 1.0);
        assert!(seen.moved < 2.0, "picture {n} jumps by {}", seen.moved);
        if n > 0 && call.picture.is_resting() != was_resting {
            assert!(seen.picture.key_frame, "picture {n}");
            splices += 1;
        }
        was_resting = call.picture.is_resting();
        if attention != Attention::Idle {
            assert!(!was_resting);
        }
    }
    assert_eq!(splices, 6, "to the rest and away again, three times");
}

#[test]
fn a_call_that_falls_behind_goes_on_with_pictures_of_its_own() {
    let room = room(200);
    let (mut slow, mut fast) = (Call::new(&room, 1), Call::new(&room, 2));
    for _ in 0..SETTLED {
        slow.step(Attention::Idle);
        fast.step(Attention::Idle);
    }
    assert!(slow.picture.is_resting() && fast.picture.is_resting());
    for _ in 0..100 {
        fast.step(Attention::Idle);
    }
    let seen = slow.step(Attention::Idle);
    assert!(seen.picture.key_frame && !slow.picture.is_resting());
    for _ in 0..SETTLED {
        assert!(slow.step(Attention::Idle).moved < 1.0);
        fast.step(Attention::Idle);
    }
    assert!(slow.picture.is_resting());
}

#[test]
fn key_frames_that_many_ask_for_are_few() {
    let room = room(200);
    let mut first = Call::new(&room, 0);
    let mut late: Vec<Call> = Vec::new();
    let mut key_frames = 0;
    for n in 0..400 {
        let seen = first.step(Attention::Idle);
        if n >= SETTLED {
            key_frames += usize::from(seen.picture.key_frame);
            if n % 5 == 0 && late.len() < 20 {
                late.push(Call::new(&room, n));
            }
        }
        for call in &mut late {
            call.step(Attention::Idle);
        }
    }
    assert!(late.iter().all(|call| call.picture.is_resting()));
    assert!((1..=6).contains(&key_frames), "{key_frames} key frames for twenty calls in four seconds");
}

#[test]
fn a_key_frame_that_is_asked_for_comes_at_once() {
    let room = room(200);
    let mut call = Call::new(&room, 1);
    for _ in 0..SETTLED {
        call.step(Attention::Idle);
    }
    assert!(call.picture.is_resting());
    let (picture, _) = call.picture.next(call.now, Attention::Idle, true).unwrap().unwrap();
    assert!(picture.key_frame);
}

#[test]
fn another_face_is_faded_in() {
    let (dark, bright) = (room(120), room(220));
    let mut call = Call::new(&dark, 1);
    for _ in 0..SETTLED {
        call.step(Attention::Idle);
    }
    assert!(call.picture.is_resting());
    let from = call.light;
    call.picture.show(&bright.rest).unwrap();
    let mut lights = vec![from];
    for n in 0..10 {
        let seen = call.step(Attention::Idle);
        // The first picture of this face, and the first with nothing of the other one in it.
        assert_eq!(seen.picture.key_frame, n == 0 || n == 5, "picture {n}");
        assert!(seen.moved < 1.5, "the head stays where it is");
        lights.push(call.light);
    }
    assert!(lights.windows(2).all(|pair| pair[1] + 3 >= pair[0] && pair[1] - pair[0] < 40), "{lights:?}");
    assert!(lights[10] > from + 60, "{lights:?}");
    assert_eq!(dark.metrics.encoders.get(), 0);
}
