//! Why a picture cannot become a portrait, in words for whoever sent it; and what can fail around that.

use std::path::PathBuf;

use super::photo::{MAX_FILE_BYTES, MAX_PIXELS};
use crate::onnx::OnnxError;

/// Nothing is stored when one of these is returned.
#[derive(Debug, thiserror::Error)]
pub enum PortraitError {
    #[error("the file has {bytes} bytes; a picture may have at most {MAX_FILE_BYTES}")]
    FileTooLarge { bytes: u64 },
    #[error("the picture is {width}x{height}; at most {MAX_PIXELS} pixels are taken: scale it down")]
    TooManyPixels { width: u32, height: u32 },
    #[error("the picture cannot be read: {reason}; send a whole JPEG, PNG or WebP file")]
    NotAPicture { reason: String },
    #[error("no face was found; use a picture of one person who looks into the camera, in good light")]
    NoFace,
    #[error("{count} faces were found; cut the picture so that one is left")]
    SeveralFaces { count: usize },
    #[error("the face is too small: {pixels:.0} pixels from eye to eye, at least {least:.0} are needed")]
    TooSmall { pixels: f32, least: f32 },
    #[error("the face is turned away by {degrees:.0} degrees, at most {most:.0} can be used; look into the camera")]
    TurnedAway { degrees: f32, most: f32 },
    #[error("the face is cut off by the border of the picture; leave some room around the head")]
    CutOff,
    #[error("{part} cannot be seen clearly; use a picture in which nothing covers the face")]
    Hidden { part: &'static str },
    #[error("the face is too blurred; use a sharper picture")]
    Blurred,
    #[error("the eyes are shut; use a picture with open eyes")]
    EyesShut,
    #[error("a name has 1 to {longest} letters a to z, digits, - and _")]
    Name { longest: usize },
    #[error("there is an avatar named {name} already; choose another name or remove it")]
    Taken { name: String },
    #[error(transparent)]
    Model(#[from] OnnxError),
    #[error("cannot read {}: {reason}", .path.display())]
    Read { path: PathBuf, reason: String },
    #[error("cannot store {}: {reason}", .path.display())]
    Store { path: PathBuf, reason: String },
    #[error("the portrait in {} is damaged: {reason}; add it again from its photo", .path.display())]
    Damaged { path: PathBuf, reason: String },
}

impl PortraitError {
    /// What is wrong with the picture, for programs; `None` if another one would not help.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::FileTooLarge { .. } | Self::TooManyPixels { .. } => "picture_too_large",
            Self::NotAPicture { .. } => "not_a_picture",
            Self::NoFace => "no_face",
            Self::SeveralFaces { .. } => "several_faces",
            Self::TooSmall { .. } => "face_too_small",
            Self::TurnedAway { .. } => "face_turned",
            Self::CutOff => "face_cut_off",
            Self::Hidden { .. } => "face_hidden",
            Self::Blurred => "too_blurred",
            Self::EyesShut => "eyes_shut",
            Self::Name { .. }
            | Self::Taken { .. }
            | Self::Model(_)
            | Self::Read { .. }
            | Self::Store { .. }
            | Self::Damaged { .. } => return None,
        })
    }
}
