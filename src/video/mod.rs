//! Pictures between the face and the wire: colour conversion and H.264. The only module that knows openh264. It
//! neither draws nor sends; when a picture is due is decided in playout.

mod decode;
mod encode;
mod i420;
mod mark;
pub mod mp4;

pub use decode::H264Decoder;
pub use encode::{EncodedPicture, H264Encoder, VideoSettings};
pub use i420::rgba_to_i420;

/// Why a picture could not be encoded or decoded.
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    #[error("H.264: {0}")]
    H264(#[from] openh264::Error),
    #[error("a picture of {got_width}x{got_height} for an encoder of {width}x{height}")]
    Size { width: usize, height: usize, got_width: usize, got_height: usize },
    #[error("{0}")]
    Settings(String),
    #[error("the clip cannot be written: {0}")]
    Clip(String),
}
