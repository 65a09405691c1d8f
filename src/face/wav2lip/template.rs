//! What a Wav2Lip avatar looks like at rest: one picture or a loop of them, each with the place of the face in it and
//! that face as the network takes it. Made once; all calls of the avatar share it.

use super::blend::{Bounds, crop};
use super::patch::Patch;
use crate::face::{Area, Rgba};
use crate::media::VIDEO_FPS;

/// Pixels a side of its pictures.
pub const SIDE: usize = 512;
/// Pictures of a loop at most: ten seconds, 200 MB.
pub const MOST_PICTURES: usize = 250;

pub struct Still {
    /// Red, green, blue; [`SIDE`] by [`SIDE`].
    pub rgb: Vec<u8>,
    pub bounds: Bounds,
    pub face: Patch,
}

impl Still {
    /// `rgb` has [`SIDE`] by [`SIDE`] pixels, `bounds` lie about the face in it.
    pub fn new(rgb: Vec<u8>, bounds: Bounds) -> Self {
        let mut face = Patch::default();
        crop(&rgb, SIDE, &bounds, &mut face);
        Self { rgb, bounds, face }
    }

    /// Draws what lies in `area`.
    pub fn draw(&self, area: Area, picture: &mut Rgba) {
        for row in area.top..area.bottom {
            let pixels = row * SIDE + area.left..row * SIDE + area.right.max(area.left);
            let from = &self.rgb[pixels.start * 3..pixels.end * 3];
            let to = &mut picture.data[pixels.start * 4..pixels.end * 4];
            for (to, from) in to.as_chunks_mut::<4>().0.iter_mut().zip(from.as_chunks::<3>().0) {
                *to = [from[0], from[1], from[2], 255];
            }
        }
    }
}

pub struct Template {
    stills: Vec<Still>,
    fps: f32,
}

impl Template {
    /// `None` without a picture.
    pub fn new(stills: Vec<Still>, fps: f32) -> Option<Self> {
        (!stills.is_empty()).then_some(Self { stills, fps })
    }

    /// Number of the picture that is shown at a frame. A loop goes forth and back, so that it never jumps.
    pub fn place(&self, frame: u64) -> usize {
        let count = self.stills.len() as u64;
        let shown = (frame as f64 / f64::from(VIDEO_FPS) * f64::from(self.fps)) as u64;
        let place = if count < 2 { 0 } else { shown % (2 * count - 2) };
        place.min((2 * count - 2).saturating_sub(place)) as usize
    }

    /// The picture of a [`Template::place`].
    pub fn still(&self, place: usize) -> &Still {
        &self.stills[place]
    }

    /// What is shown at a frame.
    pub fn at(&self, frame: u64) -> &Still {
        self.still(self.place(frame))
    }

    pub fn len(&self) -> usize {
        self.stills.len()
    }

    /// Never: there is a picture at least.
    pub fn is_empty(&self) -> bool {
        self.stills.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(count: u8, fps: f32) -> Template {
        let bounds = Bounds { left: 100.0, top: 100.0, width: 200.0, height: 200.0 };
        let stills = (0..count).map(|n| Still::new(vec![n; SIDE * SIDE * 3], bounds)).collect();
        Template::new(stills, fps).expect("a template")
    }

    fn shown(template: &Template, frames: u64) -> Vec<u8> {
        (0..frames).map(|frame| template.at(frame).rgb[0]).collect()
    }

    #[test]
    fn a_loop_goes_forth_and_back_at_its_own_speed() {
        assert_eq!(shown(&template(4, 25.0), 10), [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]);
        assert_eq!(shown(&template(3, 12.5), 10), [0, 0, 1, 1, 2, 2, 1, 1, 0, 0]);
        assert_eq!(shown(&template(1, 25.0), 3), [0, 0, 0]);
        assert_eq!(shown(&template(2, 25.0), 4), [0, 1, 0, 1]);
        assert!(Template::new(Vec::new(), 25.0).is_none());
    }

    #[test]
    fn the_face_is_what_lies_within_its_bounds() {
        let mut rgb = vec![0; SIDE * SIDE * 3];
        for (at, pixel) in rgb.chunks_exact_mut(3).enumerate() {
            pixel.copy_from_slice(&[(at % SIDE / 2) as u8, (at / SIDE / 2) as u8, 9]);
        }
        let still = Still::new(rgb, Bounds { left: 96.0, top: 192.0, width: 192.0, height: 96.0 });
        let [first, last] = [0, 96 * 96 - 1].map(|at| still.face.at(at));
        assert!(first[0].abs_diff(48) <= 1 && first[1].abs_diff(96) <= 1 && first[2] == 9, "{first:?}");
        assert!(last[0].abs_diff(143) <= 1 && last[1].abs_diff(143) <= 1 && last[2] == 9, "{last:?}");
    }
}
