//! The face: what it does at an instant ([`Life`], [`Lips`] give a [`Pose`]) and how that looks ([`Face`]).
//!
//! All of it is synchronous and reads no clock: a pose is asked for a media time, and the same times, speech
//! and seed give the same pictures. It knows nothing of sound devices, of encoders or of the call; the media
//! thread asks for a pose every 40 ms, draws it and hands the picture to `video`.

pub mod character;
mod life;
mod lips;
mod noise;
mod pose;
pub mod preview;
mod visemes;

pub use character::{CHARACTERS, Character};
pub use life::Life;
pub use lips::Lips;
pub use pose::{Mouth, Pose};
pub use visemes::{Viseme, viseme_of};

/// Something that can be drawn in any pose: the built-in character today, layered or photographed ones beside it.
pub trait Face: Send {
    /// Width and height of its pictures in pixels, both even.
    fn size(&self) -> (usize, usize);

    /// Draws `pose` over all of `picture`. A picture of another size is made to fit first.
    fn draw(&mut self, pose: &Pose, picture: &mut Rgba);
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
