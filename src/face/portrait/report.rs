//! What was made of a photo, and what another photo would do better: for whoever sent it.

use super::anatomy::Anatomy;
use super::check::turn;
use super::crop::Likeness;
use super::vision::Sight;

/// Portrait pixels to a photo pixel from which on the portrait looks soft.
const SOFT: f32 = 1.5;
/// Turn of the head in degrees from which on one cheek lacks detail.
const ASIDE: f32 = 15.0;
/// From chin to hairline as a share of the portrait's side, from which on the head has no room to move.
const CLOSE: f32 = 0.5;

/// A portrait that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Distance of the eyes in pixels of the photo.
    pub eye_pixels: f32,
    /// Portrait pixels to a pixel of the photo: above 1 it had to be scaled up.
    pub scale: f32,
    /// Turn of the head to either side in degrees.
    pub turned_degrees: f32,
    /// What would look better with another photo, the worst first.
    pub advice: Vec<Advice>,
}

/// The portrait works, but the photo could be better.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Advice {
    #[error("the face is small and was scaled up {scale:.1} times; a larger photo would be sharper")]
    Small { scale: f32 },
    #[error("the head is turned by {degrees:.0} degrees; a look straight into the camera moves better")]
    Turned { degrees: f32 },
    #[error("the photo shows teeth; with lips closed the mouth moves more naturally")]
    Teeth,
    #[error("there is little room around the head; leave half a head on each side")]
    Close,
}

impl Report {
    /// `sight` in pixels of the photo, `likeness` what was cut out there.
    pub fn of(sight: &Sight, likeness: &Likeness) -> Self {
        let eye_pixels = sight.mesh.eye_distance();
        let scale = likeness.marks.mesh.eye_distance() / eye_pixels.max(1.0);
        let degrees = turn(&sight.mesh);
        let anatomy = Anatomy::of(likeness);
        let advice = [
            (scale > SOFT, Advice::Small { scale }),
            (degrees > ASIDE, Advice::Turned { degrees }),
            (anatomy.lips.parted, Advice::Teeth),
            (anatomy.height > CLOSE * super::SIDE as f32, Advice::Close),
        ];
        let advice = advice.into_iter().filter_map(|(holds, advice)| holds.then_some(advice)).collect();
        Self { eye_pixels, scale, turned_degrees: degrees, advice }
    }
}
