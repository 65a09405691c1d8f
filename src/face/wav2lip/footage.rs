//! What a Wav2Lip avatar is made of: a photo (JPEG, PNG, WebP), a folder of them, or a video (MP4 with H.264).
//!
//! Pictures are handed on one by one; a video's frames would fill the memory.

use std::path::{Path, PathBuf};

use super::error::Wav2LipError;
use super::template::MOST_PICTURES;
use super::video;
use crate::face::portrait::PortraitError;
use crate::face::portrait::photo::{MAX_FILE_BYTES, Photo};
use crate::media::VIDEO_FPS;

/// Bytes of a video at most: it is read whole.
const MAX_VIDEO_BYTES: u64 = 500_000_000;

pub enum Footage {
    /// Pictures in their order, shown 25 a second.
    Pictures(Vec<PathBuf>),
    Video(PathBuf),
}

impl Footage {
    /// Looks at what `path` is: a folder holds pictures, in the order of their names.
    pub fn open(path: &Path) -> Result<Self, Wav2LipError> {
        let unusable = |reason: String| Wav2LipError::Footage { path: path.to_owned(), reason };
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|error| unusable(error.to_string()))?;
            let mut pictures: Vec<PathBuf> =
                entries.filter_map(|e| Some(e.ok()?.path())).filter(|path| is_picture(path)).collect();
            if pictures.is_empty() {
                return Err(unusable("the folder holds no JPEG, PNG or WebP pictures".to_owned()));
            }
            pictures.sort();
            pictures.truncate(MOST_PICTURES);
            return Ok(Self::Pictures(pictures));
        }
        let mut start = [0; 12];
        let mut file = std::fs::File::open(path).map_err(|error| unusable(error.to_string()))?;
        // A file that is shorter than this is no video.
        if std::io::Read::read_exact(&mut file, &mut start).is_ok() && &start[4..8] == b"ftyp" {
            return Ok(Self::Video(path.to_owned()));
        }
        if start.starts_with(b"\x1a\x45\xdf\xa3") {
            return Err(unusable("WebM and Matroska are not read; give an MP4 with H.264".to_owned()));
        }
        Ok(Self::Pictures(vec![path.to_owned()]))
    }

    /// Hands on the pictures, [`MOST_PICTURES`] at most, with their numbers from 1 on. Returns how many are to be shown
    /// a second.
    pub fn each(&self, mut take: impl FnMut(usize, Photo) -> Result<(), Wav2LipError>) -> Result<f32, Wav2LipError> {
        match self {
            Self::Pictures(paths) => {
                for (n, path) in paths.iter().enumerate() {
                    take(n + 1, photo(path)?)?;
                }
                Ok(VIDEO_FPS as f32)
            }
            Self::Video(path) => {
                let unusable = |reason: String| Wav2LipError::Footage { path: path.clone(), reason };
                let bytes = read(path, MAX_VIDEO_BYTES)?;
                let video = video::Video::open(&bytes).map_err(unusable)?;
                let mut failed = Ok(());
                video
                    .each(MOST_PICTURES, |number, pixels| {
                        failed = take(number, Photo::of(pixels));
                        failed.is_ok()
                    })
                    .map_err(unusable)?;
                failed.map(|()| video.fps())
            }
        }
    }
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    ["jpg", "jpeg", "png", "webp"].contains(&ending.as_str())
}

fn photo(path: &Path) -> Result<Photo, Wav2LipError> {
    let bytes = read(path, MAX_FILE_BYTES)?;
    Photo::decode(&bytes).map_err(|error| picture_error(path, error))
}

pub(super) fn picture_error(path: &Path, error: PortraitError) -> Wav2LipError {
    Wav2LipError::Picture { path: path.to_owned(), error }
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, Wav2LipError> {
    let unusable = |reason: String| Wav2LipError::Footage { path: path.to_owned(), reason };
    let bytes = std::fs::metadata(path).map_err(|error| unusable(error.to_string()))?.len();
    if bytes > most {
        return Err(unusable(format!("it has {bytes} bytes, at most {most} are taken")));
    }
    std::fs::read(path).map_err(|error| unusable(error.to_string()))
}
