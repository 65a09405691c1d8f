//! A Wav2Lip avatar's folder: `avatar.toml` (what it is, and where the face lies in each picture) beside `0001.jpg` and
//! so on. The network is not in it: it is the user's, and all avatars share it.

use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat, ImageReader, Limits};
use serde::{Deserialize, Serialize};

use super::blend::Bounds;
use super::error::Wav2LipError;
use super::follow::follow;
use super::template::{MOST_PICTURES, SIDE, Still, Template};
use crate::face::folder::written;
use crate::face::portrait::Vision;
use crate::media::VIDEO_FPS;

const DESCRIPTION: &str = "avatar.toml";
const KIND: &str = "wav2lip";
/// Of the format below; another one is refused.
const FORMAT: u32 = 1;
/// Of the JPEG pictures, of 100: no difference is seen.
const QUALITY: u8 = 95;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    kind: String,
    format: u32,
    name: String,
    /// Pictures shown a second.
    fps: f32,
    /// Left, top, width, height in pixels, for each picture.
    faces: Vec<[f32; 4]>,
}

/// Makes `folder`, which must not exist yet, of a photo, a folder of photos or a video. Nothing is left of a failure.
pub fn add(vision: &mut Vision, footage: &Path, folder: &Path) -> Result<(), Wav2LipError> {
    let failed =
        |error: &dyn std::fmt::Display| Wav2LipError::Store { path: folder.to_owned(), reason: error.to_string() };
    if folder.exists() {
        return Err(failed(&"it exists already; choose another name or remove it"));
    }
    let name = folder.file_name().ok_or_else(|| failed(&"it has no name"))?;
    written(folder, failed, |partial| write(vision, footage, &name.to_string_lossy(), partial))
}

fn write(vision: &mut Vision, footage: &Path, name: &str, folder: &Path) -> Result<(), Wav2LipError> {
    let failed = |error: String| Wav2LipError::Store { path: folder.to_owned(), reason: error };
    let (faces, fps) = follow(vision, footage, |number, rgb| {
        let mut jpeg = Vec::new();
        let side = SIDE as u32;
        JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
            .encode(rgb, side, side, ExtendedColorType::Rgb8)
            .map_err(|error| failed(error.to_string()))?;
        std::fs::write(folder.join(picture(number)), jpeg).map_err(|error| failed(error.to_string()))
    })?;
    let faces = faces.iter().map(|b| [b.left, b.top, b.width, b.height]).collect();
    let description = Description { kind: KIND.to_owned(), format: FORMAT, name: name.to_owned(), fps, faces };
    let text = toml::to_string(&description).map_err(|error| failed(error.to_string()))?;
    std::fs::write(folder.join(DESCRIPTION), text).map_err(|error| failed(error.to_string()))
}

/// Reads what [`add`] wrote.
pub fn load(folder: &Path) -> Result<Template, Wav2LipError> {
    let damaged = |reason: String| Wav2LipError::Damaged { path: folder.to_owned(), reason };
    let text = std::fs::read_to_string(folder.join(DESCRIPTION))
        .map_err(|error| damaged(format!("{DESCRIPTION}: {error}")))?;
    let description: Description = toml::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if description.kind != KIND || description.format != FORMAT {
        return Err(damaged(format!("{DESCRIPTION} is of another kind or format")));
    }
    let faces = &description.faces;
    if faces.is_empty() || faces.len() > MOST_PICTURES || !(0.1..=VIDEO_FPS as f32).contains(&description.fps) {
        return Err(damaged(format!(
            "{DESCRIPTION} has no or too many pictures, or shows them too fast or too slowly"
        )));
    }
    let mut stills = Vec::with_capacity(faces.len());
    for (n, face) in faces.iter().enumerate() {
        let [left, top, width, height] = *face;
        let bounds = Bounds { left, top, width, height };
        let side = SIDE as f32;
        let near = [left, top].iter().all(|v| (-side..side).contains(v));
        if !near || [width, height].iter().any(|v| !(8.0..=2.0 * side).contains(v)) {
            return Err(damaged(format!("the face of picture {} lies nowhere in it", n + 1)));
        }
        stills.push(Still::new(pixels(&folder.join(picture(n + 1))).map_err(damaged)?, bounds));
    }
    Template::new(stills, description.fps).ok_or_else(|| damaged("it has no pictures".to_owned()))
}

fn pixels(path: &Path) -> Result<Vec<u8>, String> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut reader = ImageReader::open(path).map_err(|error| format!("{}: {error}", name()))?;
    reader.set_format(ImageFormat::Jpeg);
    let side = SIDE as u32;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(side), Some(side));
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| format!("{}: {error}", name()))?.into_rgb8();
    if picture.dimensions() != (side, side) {
        return Err(format!("{} is not {SIDE} by {SIDE} pixels", name()));
    }
    Ok(picture.into_raw())
}

fn picture(number: usize) -> String {
    format!("{number:04}.jpg")
}
