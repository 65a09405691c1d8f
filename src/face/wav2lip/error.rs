//! Why a Wav2Lip avatar cannot be made, loaded or run, in words for whoever gave the weights and the footage.

use std::path::PathBuf;

use crate::audio::AudioError;
use crate::face::portrait::PortraitError;
use crate::onnx::OnnxError;

#[derive(Debug, thiserror::Error)]
pub enum Wav2LipError {
    #[error(
        "{} is not a Wav2Lip network: it {found}; wanted are float inputs [n,1,80,16] and [n,6,96,96] and a float \
         output [n,3,96,96], in any order and by any name (models/wav2lip/README.md tells how to convert a checkpoint)",
        .path.display()
    )]
    WrongModel { path: PathBuf, found: String },
    #[error("there is no file {}, which should be Wav2Lip's network (models/wav2lip/README.md tells how to get one)", .path.display())]
    NoModel { path: PathBuf },
    #[error("{} cannot be used as footage: {reason}", .path.display())]
    Footage { path: PathBuf, reason: String },
    #[error("the face is lost in picture {number} of {}; it must be seen, from the front, all the time", .path.display())]
    FaceLost { path: PathBuf, number: usize },
    #[error("{}: {error}", .path.display())]
    Picture { path: PathBuf, error: PortraitError },
    #[error("cannot store {}: {reason}", .path.display())]
    Store { path: PathBuf, reason: String },
    #[error("the avatar in {} is damaged: {reason}; add it again from its footage", .path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error(transparent)]
    Model(#[from] OnnxError),
    #[error(transparent)]
    Sound(#[from] AudioError),
    #[error("cannot start the thread of the network: {0}")]
    Thread(std::io::Error),
}
