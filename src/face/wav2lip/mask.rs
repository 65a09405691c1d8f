//! Which part of the patch is put into the picture: the lower face within the jaw, fading out at its border.
//!
//! Wav2Lip is given the upper half of the face and gives it back; only the lower half is news. The shape is that of the
//! crops (chin to hairline, ear to ear, some room below the chin), so it is the same for all faces.

use std::sync::LazyLock;

use super::patch::{PIXELS, SIDE};
use crate::face::portrait::smooth;

/// Below this share of the height the mask begins, and here it is whole: under the eyes, above the nostrils.
const TOP: f32 = 0.47;
const WHOLE: f32 = 0.60;
/// Half the width and height of the jaw's outline about its middle, and how round it is (2 is an ellipse).
const MIDDLE: [f32; 2] = [0.5, 0.48];
const HALF: [f32; 2] = [0.48, 0.51];
const ROUND: f32 = 2.6;
/// Share of the outline's radius over which it fades out.
const FADE: f32 = 0.1;
/// The rim is where the patch must look like the picture around it: this faint, and above the chin, which moves.
const RIM: std::ops::Range<f32> = 0.04..0.7;
const RIM_BOTTOM: f32 = 0.82;

/// The mask and what belongs to it; made once.
pub struct Mask {
    /// 0 to 1 for each pixel of a patch.
    pub cover: Vec<f32>,
    /// Pixels of the rim.
    pub rim: Vec<usize>,
    /// Rows that are covered at all.
    pub rows: std::ops::Range<usize>,
}

pub static MASK: LazyLock<Mask> = LazyLock::new(|| {
    let place = |at: usize| [(at % SIDE) as f32 + 0.5, (at / SIDE) as f32 + 0.5].map(|v| v / SIDE as f32);
    let cover: Vec<f32> = (0..PIXELS).map(|at| cover(place(at))).collect();
    let rim = |at: &usize| RIM.contains(&cover[*at]) && place(*at)[1] < RIM_BOTTOM;
    let covered = |row: &usize| cover[row * SIDE..(row + 1) * SIDE].iter().any(|v| *v > 0.0);
    let first = (0..SIDE).find(covered).unwrap_or(0);
    let last = (0..SIDE).rev().find(covered).unwrap_or(first);
    Mask { rim: (0..PIXELS).filter(rim).collect(), rows: first..last + 1, cover }
});

fn cover([x, y]: [f32; 2]) -> f32 {
    let below = smooth((y - TOP) / (WHOLE - TOP));
    let share = |v: f32, k: usize| ((v - MIDDLE[k]).abs() / HALF[k]).powf(ROUND);
    let radius = (share(x, 0) + share(y, 1)).powf(1.0 / ROUND);
    below * smooth((1.0 - radius) / FADE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_covers_the_mouth_and_nothing_of_the_border_or_the_eyes() {
        let at = |x: usize, y: usize| MASK.cover[y * SIDE + x];
        assert_eq!(at(48, 74), 1.0);
        assert!((0..SIDE).all(|n| at(n, 0) + at(0, n) + at(SIDE - 1, n) + at(n, 40) == 0.0));
        assert!((0..SIDE).all(|n| at(n, SIDE - 1) < 0.05));
        assert!(MASK.rows.contains(&50) && !MASK.rows.contains(&44));
        assert!(MASK.rim.len() > 200 && MASK.rim.len() < PIXELS / 4, "{}", MASK.rim.len());
    }
}
