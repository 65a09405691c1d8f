//! H.264 back to pictures: for the tests and for our own caller. The server itself decodes no video.

use openh264::OpenH264API;
use openh264::decoder::{Decoder, DecoderConfig};
use openh264::formats::YUVSource;

use super::VideoError;
use crate::media::I420;

pub struct H264Decoder {
    decoder: Decoder,
}

impl H264Decoder {
    pub fn new() -> Result<Self, VideoError> {
        Ok(Self { decoder: Decoder::with_api_config(OpenH264API::from_source(), DecoderConfig::new())? })
    }

    /// Takes one access unit in Annex B form. None while the decoder has no whole picture.
    pub fn decode(&mut self, annex_b: &[u8]) -> Result<Option<I420>, VideoError> {
        let Some(decoded) = self.decoder.decode(annex_b)? else { return Ok(None) };
        let (width, height) = decoded.dimensions();
        let (y_stride, u_stride, v_stride) = decoded.strides();
        let rows = |plane: &[u8], stride: usize, width: usize, height: usize| -> Vec<u8> {
            plane.chunks(stride).take(height).flat_map(|row| row[..width].iter().copied()).collect()
        };
        Ok(Some(I420 {
            width,
            height,
            y: rows(decoded.y(), y_stride, width, height),
            u: rows(decoded.u(), u_stride, width / 2, height / 2),
            v: rows(decoded.v(), v_stride, width / 2, height / 2),
        }))
    }
}
