//! A portrait's folder: `avatar.toml` (what it is, and where the parts of the face are) beside `portrait.png`.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, ImageReader, RgbImage};
use serde::{Deserialize, Serialize};

use super::crop::{Likeness, Marks, SIDE};
use super::error::PortraitError;
use crate::face::folder::written;

const DESCRIPTION: &str = "avatar.toml";
const PICTURE: &str = "portrait.png";
const KIND: &str = "portrait";
/// Of the format below; another one is refused.
const FORMAT: u32 = 1;
/// Letters of a name, which is a folder's as well.
const LONGEST_NAME: usize = 64;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    kind: String,
    format: u32,
    name: String,
    picture: String,
    marks: Marks,
}

/// The folder that a portrait of this name gets in `into`. Nothing may be there yet.
pub fn vacant(name: &str, into: &Path) -> Result<PathBuf, PortraitError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fits) {
        return Err(PortraitError::Name { longest: LONGEST_NAME });
    }
    let folder = into.join(name);
    if folder.exists() { Err(PortraitError::Taken { name: name.to_owned() }) } else { Ok(folder) }
}

/// Makes `folder`, which [`vacant`] gave.
pub fn save(likeness: &Likeness, name: &str, folder: &Path) -> Result<(), PortraitError> {
    let failed =
        |error: &dyn std::fmt::Display| PortraitError::Store { path: folder.to_owned(), reason: error.to_string() };
    let side = SIDE as u32;
    let picture =
        RgbImage::from_raw(side, side, likeness.pixels.clone()).ok_or_else(|| failed(&"the picture's size"))?;
    let mut png = Vec::new();
    picture.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).map_err(|error| failed(&error))?;
    let description = Description {
        kind: KIND.to_owned(),
        format: FORMAT,
        name: name.to_owned(),
        picture: PICTURE.to_owned(),
        marks: likeness.marks.clone(),
    };
    let toml = toml::to_string(&description).map_err(|error| failed(&error))?;

    let failed_to = |error: std::io::Error| failed(&error);
    written(folder, failed, |folder| {
        std::fs::write(folder.join(PICTURE), &png).map_err(failed_to)?;
        std::fs::write(folder.join(DESCRIPTION), &toml).map_err(failed_to)
    })
}

/// Reads what [`save`] wrote.
pub fn load(folder: &Path) -> Result<Likeness, PortraitError> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|error| PortraitError::Read { path, reason: error.to_string() })
    };
    let damaged = |reason: String| PortraitError::Damaged { path: folder.to_owned(), reason };
    let text = String::from_utf8(read(DESCRIPTION)?).map_err(|error| damaged(error.to_string()))?;
    let description: Description = toml::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if description.kind != KIND || description.format != FORMAT || description.picture != PICTURE {
        return Err(damaged(format!("{DESCRIPTION} is of another kind or format")));
    }
    let marks = description.marks;
    if !marks.are_sound() {
        return Err(damaged(format!("the points in {DESCRIPTION} are not those of a face")));
    }
    let side = SIDE as u32;
    let mut reader = ImageReader::new(Cursor::new(read(PICTURE)?));
    reader.set_format(ImageFormat::Png);
    let mut limits = image::Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(side), Some(side));
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| damaged(format!("{PICTURE}: {error}")))?.into_rgb8();
    if picture.dimensions() != (side, side) {
        return Err(damaged(format!("{PICTURE} is not {SIDE} by {SIDE} pixels")));
    }
    Ok(Likeness { pixels: picture.into_raw(), marks })
}
