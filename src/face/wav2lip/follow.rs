//! Follows the face through footage: which part of it is shown, and where the face lies in each picture.

use std::path::Path;

use super::blend::Bounds;
use super::error::Wav2LipError;
use super::footage::{Footage, picture_error};
use super::template::SIDE;
use crate::face::portrait::Vision;
use crate::face::portrait::check::one_face;
use crate::face::portrait::photo::{Photo, Place};
use crate::face::portrait::vision::{Found, Mesh, Sight};

/// Wav2Lip's pads: rows of the picture below the chin that belong to the face; the other sides have none.
const BELOW: f32 = 10.0;
/// Side of what is shown, in heights of the face (chin to hairline), and where in it the middle of the face lies.
const ROOM: f32 = 2.45;
const LEVEL: f32 = 0.47;
/// The mesh model's probability that it still sees the face.
const LEAST_CERTAINTY: f32 = 0.5;
/// Pictures over which the place of the face is averaged, this many before and after: five, as Wav2Lip does.
const NEAR: usize = 2;

/// Hands on what is shown of each picture, [`SIDE`] by [`SIDE`]; returns where the face lies in each, smoothed, and how
/// many are to be shown a second.
pub fn follow(
    vision: &mut Vision,
    path: &Path,
    mut take: impl FnMut(usize, &[u8]) -> Result<(), Wav2LipError>,
) -> Result<(Vec<Bounds>, f32), Wav2LipError> {
    let mut place = None;
    let mut seen: Option<Mesh> = None;
    let mut faces = Vec::new();
    let fps = Footage::open(path)?.each(|number, photo| {
        let failed = |error| picture_error(path, error);
        let photo = match place {
            Some(_) => photo,
            None => {
                let (upright, sight) = one_face(vision, photo).map_err(failed)?;
                place = Some(shown(&sight, upright.size()));
                upright
            }
        };
        let Some(place) = &place else { return Ok(()) };
        let rgb = photo.picture(place, SIDE);
        let Some(pixels) = image::RgbImage::from_raw(SIDE as u32, SIDE as u32, rgb) else { return Ok(()) };
        let picture = Photo::of(pixels);
        let mesh = see(vision, &picture, seen.as_ref()).map_err(failed)?;
        let mesh = mesh.ok_or_else(|| Wav2LipError::FaceLost { path: path.to_owned(), number })?;
        faces.push(mesh.bounds());
        seen = Some(mesh);
        take(number, picture.bytes())
    })?;
    let fps = if faces.len() == 1 { 1.0 } else { fps };
    Ok((smoothed(&faces), fps))
}

/// The mesh of the face that was last seen at `last`, or of the only one there is.
fn see(
    vision: &mut Vision,
    picture: &Photo,
    last: Option<&Mesh>,
) -> Result<Option<Mesh>, crate::face::portrait::PortraitError> {
    let certain = |sight: Sight| (sight.certainty >= LEAST_CERTAINTY).then_some(sight.mesh);
    if let Some(mesh) = last {
        let [left, top, right, bottom] = mesh.bounds();
        let found = Found {
            score: 1.0,
            middle: [(left + right) / 2.0, (top + bottom) / 2.0],
            // The mesh is looked for in one and a half times what the detector finds; the face fills 1.4 of that.
            size: [(right - left).max(bottom - top) * 1.4 / 1.5; 2],
            tilt: mesh.tilt(),
        };
        if let Some(mesh) = certain(vision.look(picture, &found)?) {
            return Ok(Some(mesh));
        }
    }
    let Some(found) = vision.faces(picture)?.into_iter().next() else { return Ok(None) };
    Ok(certain(vision.look(picture, &found)?))
}

/// The part of the footage that is shown: a square about head and shoulders, as large as the picture allows.
fn shown(sight: &Sight, size: [f32; 2]) -> Place {
    let [left, top, right, bottom] = sight.mesh.bounds();
    let side = ((bottom - top) * ROOM).min(size[0]).min(size[1]);
    let wanted = [(left + right) / 2.0, (top + bottom) / 2.0 + (0.5 - LEVEL) * side];
    let middle = [0, 1].map(|k| wanted[k].clamp(side / 2.0, size[k] - side / 2.0));
    Place::square(middle, side, 0.0, SIDE)
}

/// Means over neighbours: a mesh trembles by a pixel from picture to picture, and the mouth would with it.
fn smoothed(faces: &[[f32; 4]]) -> Vec<Bounds> {
    (0..faces.len())
        .map(|n| {
            let near = &faces[n.saturating_sub(NEAR)..(n + NEAR + 1).min(faces.len())];
            let mean = |k: usize| near.iter().map(|face| face[k]).sum::<f32>() / near.len() as f32;
            let [left, top, right, bottom] = [0, 1, 2, 3].map(mean);
            Bounds { left, top, width: right - left, height: bottom + BELOW - top }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_face_is_the_mean_of_five_with_room_below_the_chin() {
        let faces: Vec<[f32; 4]> = (0..7).map(|n| [n as f32, 10.0, n as f32 + 100.0, 110.0]).collect();
        let smooth = smoothed(&faces);
        assert_eq!(smooth[3], Bounds { left: 3.0, top: 10.0, width: 100.0, height: 110.0 });
        assert_eq!((smooth[0].left, smooth[6].left), (1.0, 5.0));
    }
}
