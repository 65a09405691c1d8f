//! What is seen of a living face over minutes: it never stands still, never jumps, and blinks as people do.

use super::*;
use crate::media::VIDEO_FRAME_TICKS;

const ALL: [Attention; 4] = [Attention::Idle, Attention::Listening, Attention::Thinking, Attention::Speaking];

/// Poses of a number of seconds in one attention, stress every third of a second when speaking.
fn poses(seed: u64, seconds: u64, attention: Attention) -> Vec<Pose> {
    let mut life = Life::new(seed);
    (1..=seconds * 25)
        .map(|frame| {
            let stress = if attention == Attention::Speaking && frame % 8 < 3 { 0.9 } else { 0.0 };
            life.pose_at(MediaTime(frame * VIDEO_FRAME_TICKS), attention, Mouth { stress, ..Mouth::REST })
        })
        .collect()
}

#[test]
fn no_two_pictures_in_a_row_are_the_same() {
    for attention in ALL {
        let poses = poses(3, 60, attention);
        for (frame, pair) in poses.windows(2).enumerate() {
            assert!(pair[0] != pair[1], "{attention:?} froze at frame {frame}");
        }
    }
}

#[test]
fn nothing_jumps_from_one_picture_to_the_next() {
    for seed in 0..6 {
        let mut life = Life::new(seed);
        let mut before: Option<Pose> = None;
        for frame in 1..1500u64 {
            // Every change of attention there is, at all phases of everything else.
            let attention = ALL[((frame / 37 * 7 + frame / 90) % 4) as usize];
            let stress = if frame % 9 < 3 { 1.0 } else { 0.0 };
            let now = life.pose_at(MediaTime(frame * VIDEO_FRAME_TICKS), attention, Mouth { stress, ..Mouth::REST });
            if let Some(was) = before {
                let step = |a: f32, b: f32, limit: f32, what: &str| {
                    assert!((a - b).abs() <= limit, "{what} went from {b} to {a} at frame {frame} of seed {seed}");
                };
                step(now.yaw, was.yaw, 1.0, "yaw");
                step(now.pitch, was.pitch, 2.2, "pitch");
                step(now.roll, was.roll, 0.7, "roll");
                step(now.breath, was.breath, 0.08, "breath");
                step(now.sway, was.sway, 1.5, "sway");
                step(now.smile, was.smile, 0.06, "smile");
                step(now.brows[0], was.brows[0], 0.25, "brow");
                step(now.lids[0], was.lids[0], 0.75, "lid");
                step(now.offset[0], was.offset[0], 1.0, "offset");
                step(now.gaze[0], was.gaze[0], 20.0, "gaze");
            }
            assert!(now.yaw.abs() <= 15.0 && now.pitch.abs() <= 10.0 && now.roll.abs() <= 8.0);
            before = Some(now);
        }
    }
}

#[test]
fn blinks_are_as_many_as_people_have() {
    for (attention, least, most) in
        [(Attention::Idle, 15.0, 20.0), (Attention::Listening, 15.0, 22.0), (Attention::Speaking, 20.0, 26.0)]
    {
        let mut blinks = 0;
        let minutes = 20.0;
        for seed in 0..4 {
            let mut life = Life::new(seed);
            let mut was = false;
            for step in 1..(minutes as u64 / 4 * 60 * 100) {
                life.pose_at(MediaTime(step * u64::from(MEDIA_HZ) / 100), attention, Mouth::REST);
                blinks += u32::from(life.blinks.is_blinking() && !was);
                was = life.blinks.is_blinking();
            }
        }
        let rate = f64::from(blinks) / minutes;
        assert!((least..=most).contains(&rate), "{attention:?}: {rate} blinks a minute");
    }
}

#[test]
fn the_gaze_is_in_the_lens_as_much_as_in_talk() {
    let share = |attention| {
        let poses = poses(11, 300, attention);
        let at_lens = poses.iter().filter(|p| (p.gaze[0] + p.yaw).hypot(p.gaze[1] + p.pitch) < 2.5).count();
        at_lens as f32 / poses.len() as f32
    };
    let (listening, speaking) = (share(Attention::Listening), share(Attention::Speaking));
    assert!((0.65..0.9).contains(&listening), "{listening}");
    assert!((0.4..0.75).contains(&speaking), "{speaking}");
}

#[test]
fn any_steps_give_the_same_motion() {
    let at = |steps: &[u64]| {
        let mut life = Life::new(5);
        let mut t = 0;
        let mut i = 0;
        let mut seen = Vec::new();
        while t < 20_000 {
            t += steps[i % steps.len()];
            i += 1;
            let attention = if t > 8000 { Attention::Listening } else { Attention::Idle };
            let pose = life.pose_at(MediaTime::from_millis(t), attention, Mouth::REST);
            if t % 200 == 0 && t != 8200 {
                seen.push(pose);
            }
        }
        seen
    };
    // The attention is known from 8005 or 8040 ms on, so only times before that are alike.
    let (fine, coarse) = (at(&[5]), at(&[40]));
    assert_eq!(fine[..40], coarse[..40]);
    assert_eq!(at(&[20, 20])[..40], at(&[10, 30, 40])[..40]);
}

#[test]
fn a_long_gap_costs_little_and_does_not_jump() {
    let mut life = Life::new(1);
    let before = life.pose_at(MediaTime::from_millis(1000), Attention::Idle, Mouth::REST);
    let after = life.pose_at(MediaTime::from_millis(100_000_000), Attention::Idle, Mouth::REST);
    assert!((before.yaw - after.yaw).abs() < 6.0);
}
