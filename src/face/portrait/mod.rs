//! A portrait: one photo of a face that talks, looks and turns its head, without training.
//!
//! Making one finds the face ([`vision`]), refuses what would not do ([`check`]), cuts out head and shoulders
//! ([`crop`]) and stores them with the points of the face ([`store`]). Drawing ([`drawing`]) moves a net of points laid
//! over the picture: the face's own motions first ([`expression`]), then the head's ([`turn`]); behind the parting lips
//! a mouth is painted ([`mouth`]), eyes are painted onto the photo ([`eyes`]). It decides nothing about motion: that
//! is all in the pose.

mod anatomy;
pub(in crate::face) mod check;
mod crop;
mod curve;
mod drawing;
mod error;
mod expression;
mod eyeball;
mod eyefit;
mod eyes;
mod lattice;
mod layers;
mod light;
mod lips;
mod mouth;
mod path;
pub(in crate::face) mod photo;
mod report;
mod seam;
mod store;
mod texel;
mod turn;
pub(in crate::face) mod vision;
mod warp;

use std::path::Path;

pub use crop::{Likeness, SIDE};
pub(in crate::face) use curve::smooth;
pub use drawing::Portrait;
pub use error::PortraitError;
pub use photo::{MAX_FILE_BYTES, MAX_PIXELS};
pub use report::{Advice, Report};
pub use vision::Vision;

/// Makes a portrait of a picture (JPEG, PNG or WebP) and stores it as the folder `name` in `into`, where there must be
/// none of that name yet. Nothing is left of a failure.
///
/// Takes some tenths of a second of one core; `vision` is loaded for it and may be dropped afterwards.
pub fn add(vision: &mut Vision, photo: &[u8], name: &str, into: &Path) -> Result<Report, PortraitError> {
    // Before the work: a name that will not do, or is taken.
    let folder = store::vacant(name, into)?;
    let (likeness, report) = likeness(vision, photo)?;
    store::save(&likeness, name, &folder)?;
    Ok(report)
}

/// A picture of a face, checked and cut: what a portrait is drawn from, without storing anything.
pub fn likeness(vision: &mut Vision, photo: &[u8]) -> Result<(Likeness, Report), PortraitError> {
    let photo = photo::Photo::decode(photo)?;
    let (photo, sight) = check::one_face(vision, photo)?;
    let likeness = crop::likeness(&photo, &sight);
    check::clear(&likeness)?;
    let report = Report::of(&sight, &likeness);
    Ok((likeness, report))
}

#[cfg(test)]
mod tests;
