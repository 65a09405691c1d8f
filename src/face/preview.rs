//! Pictures to judge a face by: a sheet of all that it can do, and a strip of a spoken sentence.

use crate::face::{Face, Lips, Mouth, Pose, Rgba, Viseme};
use crate::media::{MediaTime, TimedPhoneme};

/// Pictures in a row of a sheet.
const COLUMNS: usize = 5;

/// Looking straight ahead, calm and friendly.
pub fn rest() -> Pose {
    Pose { smile: 0.3, breath: 0.5, ..Pose::default() }
}

/// Visemes, blink, gaze, turns of the head and expressions, in rows of five.
pub fn poses() -> Vec<Pose> {
    let rest = rest();
    let mut poses: Vec<Pose> = Viseme::ALL.iter().map(|v| Pose { mouth: v.mouth(), ..rest }).collect();
    poses.extend([0.0, 0.35, 0.7, 1.0, -0.2].map(|lid| Pose { lids: [lid; 2], ..rest }));
    poses.extend([[-14.0, 0.0], [14.0, 0.0], [0.0, 10.0], [0.0, -10.0], [-9.0, 7.0]].map(|gaze| Pose { gaze, ..rest }));
    let turns = [(-15.0, 0.0, 0.0), (15.0, 0.0, 0.0), (0.0, 10.0, 0.0), (0.0, -10.0, 0.0), (8.0, -5.0, 8.0)];
    poses.extend(turns.map(|(yaw, pitch, roll)| Pose { yaw, pitch, roll, ..rest }));
    poses.extend([
        Pose { smile: 1.0, lids: [0.12; 2], brows: [0.2; 2], ..rest },
        Pose { smile: 0.7, mouth: Mouth { jaw: 0.3, open: 0.42, width: 0.9, teeth: 1.0, ..Mouth::REST }, ..rest },
        Pose { smile: 0.1, brows: [0.9; 2], lids: [-0.2; 2], mouth: Viseme::OH.mouth(), ..rest },
        Pose { smile: 0.1, frown: 0.9, brows: [-0.2; 2], gaze: [-9.0, 6.0], yaw: -5.0, roll: -2.0, ..rest },
        Pose { smile: -0.7, brows: [0.3; 2], frown: 0.4, pitch: -4.0, ..rest },
    ]);
    poses
}

/// All [`poses`] beside and below each other.
pub fn contact_sheet(face: &mut dyn Face) -> Rgba {
    sheet(face, &poses(), COLUMNS)
}

/// One picture every 40 ms of the given speech, with the head at rest.
pub fn spoken_strip(face: &mut dyn Face, phonemes: &[TimedPhoneme]) -> Rgba {
    let mut lips = Lips::new();
    lips.say(MediaTime::from_millis(80), phonemes, &[]);
    let end = phonemes.last().map_or(0, |p| p.end) / 48 + 240;
    let mouth = |i: u64| Pose { mouth: lips.mouth_at(MediaTime::from_millis(i * 40)), ..rest() };
    let poses: Vec<Pose> = (0..end / 40).map(mouth).collect();
    sheet(face, &poses, 10)
}

/// The poses in rows of `columns`.
fn sheet(face: &mut dyn Face, poses: &[Pose], columns: usize) -> Rgba {
    let (width, height) = face.size();
    let mut sheet = Rgba::new(width * columns, height * poses.len().div_ceil(columns));
    let mut picture = Rgba::new(width, height);
    for (i, pose) in poses.iter().enumerate() {
        face.draw(pose, &mut picture);
        let (left, top) = (i % columns * width, i / columns * height);
        for (y, row) in picture.data.chunks_exact(width * 4).enumerate() {
            let at = ((top + y) * sheet.width + left) * 4;
            sheet.data[at..at + width * 4].copy_from_slice(row);
        }
    }
    sheet
}
