//! The face: what it does at an instant ([`Life`], [`Lips`] give a [`Pose`]) and how that looks ([`Face`]).
//!
//! All of it is synchronous and reads no clock: a pose is asked for a media time, and the same times, speech
//! and seed give the same pictures. It knows nothing of sound devices, of encoders or of the call; the media
//! thread asks for a pose every 40 ms, draws it and hands the picture to `video`.

pub mod drawn;
mod folder;
mod life;
mod lips;
mod noise;
pub mod portrait;
mod pose;
pub mod preview;
pub mod sound;
mod visemes;
pub mod wav2lip;

pub use life::Life;
pub use lips::Lips;
pub use pose::{Mouth, Pose};
pub use sound::SoundLips;
pub use visemes::{Viseme, viseme_of};

use crate::media::MediaTime;

/// Something that can be drawn in any pose.
pub trait Face: Send {
    /// Width and height of its pictures in pixels, both even.
    fn size(&self) -> (usize, usize);

    /// Draws `pose` over all of `picture`. A picture of another size is made to fit first.
    fn draw(&mut self, pose: &Pose, picture: &mut Rgba);

    /// The same, for a `picture` that still holds what this face drew last: only what looks different now has to be
    /// drawn. Returns the box outside of which nothing changed.
    fn redraw(&mut self, pose: &Pose, picture: &mut Rgba) -> Area {
        self.draw(pose, picture);
        Area::whole(self.size())
    }

    /// From `at` on `pcm` will be heard (mono, [`MEDIA_HZ`](crate::media::MEDIA_HZ)), and silence after it; what was told
    /// of that time before holds no longer. Told as soon as it is known; most faces move their lips by the pose alone.
    fn hear(&mut self, _at: MediaTime, _pcm: &[i16]) {}

    /// Brings to rest in `pose` what swings by itself, so that the next picture depends on its pose alone.
    fn settle(&mut self, _pose: &Pose) {}

    /// Waits until what can be made of the next pictures is made. For clips, which may take their time; calls may not.
    fn wait(&mut self) {}

    /// Another one that looks the same and shares what is large.
    fn copy(&self) -> Box<dyn Face>;
}

/// A box of pixels; `right` and `bottom` are not within. Empty unless they lie beyond `left` and `top`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Area {
    /// All of a picture of this width and height.
    pub fn whole((right, bottom): (usize, usize)) -> Self {
        Self { left: 0, top: 0, right, bottom }
    }

    pub fn is_empty(&self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    /// The box about both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (_, true) => self,
            (true, _) => other,
            _ => Self {
                left: self.left.min(other.left),
                top: self.top.min(other.top),
                right: self.right.max(other.right),
                bottom: self.bottom.max(other.bottom),
            },
        }
    }
}

/// An opaque picture: 8-bit sRGB red, green, blue, alpha (always 255); rows from the top, without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgba {
    pub width: usize,
    pub height: usize,
    /// `width * height * 4` bytes.
    pub data: Vec<u8>,
}

impl Rgba {
    /// A black picture.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, data: [0, 0, 0, 255].repeat(width * height) }
    }

    /// Makes the picture `width` by `height`; what it showed is lost if that is a change.
    pub fn fit(&mut self, width: usize, height: usize) {
        if (self.width, self.height) != (width, height) {
            *self = Self::new(width, height);
        }
    }
}
