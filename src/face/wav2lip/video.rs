//! The pictures of an MP4 file with H.264 (what telephones and editors write; not HEVC), upright, at most 25 a second.
//!
//! The boxes are read by `re_mp4`, the pictures decoded by OpenH264, which knows the baseline, main and high profiles
//! without interlacing. Errors are sentences about the file; who asked adds its name.

use image::RgbImage;
use image::imageops::{rotate90, rotate180, rotate270};
use openh264::OpenH264API;
use openh264::decoder::{DecodeOptions, DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;
use re_mp4::{Mp4, Sample, StsdBoxContent, TrackKind};

use crate::media::VIDEO_FPS;

/// Pixels of a picture at most: 4K.
const MOST_PIXELS: usize = 3840 * 2160;
const START_CODE: [u8; 4] = [0, 0, 0, 1];

pub struct Video<'a> {
    bytes: &'a [u8],
    samples: Vec<Sample>,
    /// The parameter sets that the file keeps apart from the pictures, with start codes.
    parameters: Vec<u8>,
    /// Bytes of the length that stands before each unit.
    length_bytes: usize,
    /// Quarters of a turn clockwise by which its pictures are to be shown.
    quarters: usize,
    fps: f32,
    /// When each picture is shown, in the order in which they are, in seconds.
    times: Vec<f64>,
}

impl<'a> Video<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let mp4 = Mp4::read_bytes(bytes).map_err(|error| format!("it is no sound MP4 file ({error})"))?;
        let track = mp4.tracks().values().find(|track| track.kind == Some(TrackKind::Video));
        let track = track.ok_or("it holds no video")?;
        let trak = track.trak(&mp4);
        let StsdBoxContent::Avc1(avc) = &trak.mdia.minf.stbl.stsd.contents else {
            let codec = track.codec_string(&mp4).unwrap_or_else(|| "another codec".to_owned());
            return Err(format!("its video is {codec}, not H.264; convert it (HEVC is what some telephones write)"));
        };
        let told = &avc.avcc.contents;
        let sets = told.sequence_parameter_sets.iter().chain(&told.picture_parameter_sets);
        let parameters = sets.flat_map(|set| START_CODE.iter().chain(&set.bytes)).copied().collect();
        let seconds = |sample: &Sample| sample.composition_timestamp as f64 / sample.timescale.max(1) as f64;
        let mut times: Vec<f64> = track.samples.iter().map(seconds).collect();
        times.sort_by(f64::total_cmp);
        let length = times.last().unwrap_or(&0.0) - times.first().unwrap_or(&0.0);
        let fps = if length > 0.0 { (times.len() - 1) as f64 / length } else { f64::from(VIDEO_FPS) };
        Ok(Self {
            bytes,
            samples: track.samples.clone(),
            parameters,
            length_bytes: usize::from(told.length_size_minus_one & 3) + 1,
            quarters: quarters(trak.tkhd.matrix.a, trak.tkhd.matrix.b),
            fps: (fps as f32).clamp(1.0, VIDEO_FPS as f32),
            times,
        })
    }

    /// Pictures a second of what [`Video::each`] gives.
    pub fn fps(&self) -> f32 {
        self.fps
    }

    /// Hands on up to `most` pictures with their numbers from 1 on, until `take` returns false. Of a video with more
    /// than 25 a second some are left out.
    pub fn each(&self, most: usize, mut take: impl FnMut(usize, RgbImage) -> bool) -> Result<(), String> {
        let broken = |error: openh264::Error| format!("its video cannot be decoded ({error})");
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let mut decoder = Decoder::with_api_config(OpenH264API::from_source(), config).map_err(broken)?;
        let mut shown = Shown { most, taken: 0, decoded: 0, due: 0.0 };
        let mut unit = self.parameters.clone();
        for sample in &self.samples {
            self.push_sample(sample, &mut unit)?;
            let decoded = decoder.decode_with_options(&unit, DecodeOptions::default()).map_err(broken)?;
            if let Some(picture) = decoded
                && !self.hand_on(&picture, &mut shown, &mut take)?
            {
                return Ok(());
            }
            unit.clear();
        }
        for picture in decoder.flush_remaining().map_err(broken)? {
            if !self.hand_on(&picture, &mut shown, &mut take)? {
                return Ok(());
            }
        }
        if shown.taken == 0 { Err("its video holds no picture".to_owned()) } else { Ok(()) }
    }

    fn hand_on(
        &self,
        picture: &DecodedYUV<'_>,
        shown: &mut Shown,
        take: &mut impl FnMut(usize, RgbImage) -> bool,
    ) -> Result<bool, String> {
        let at = self.times.get(shown.decoded).copied().unwrap_or(shown.due);
        shown.decoded += 1;
        // Half a millisecond for times that are not exact.
        if at + 0.0005 < shown.due {
            return Ok(true);
        }
        if shown.taken == shown.most {
            return Ok(false);
        }
        let (width, height) = picture.dimensions();
        if width * height > MOST_PIXELS {
            return Err(format!("its pictures are {width}x{height}; at most 3840x2160 are taken"));
        }
        let mut rgb = vec![0; width * height * 3];
        picture.write_rgb8(&mut rgb);
        let pixels = RgbImage::from_raw(width as u32, height as u32, rgb).ok_or("a picture of another size")?;
        let upright = match self.quarters {
            1 => rotate90(&pixels),
            2 => rotate180(&pixels),
            3 => rotate270(&pixels),
            _ => pixels,
        };
        shown.due += 1.0 / f64::from(VIDEO_FPS);
        shown.taken += 1;
        Ok(take(shown.taken, upright))
    }

    /// Appends a sample: from lengths before its units (ISO 14496-15) to start codes (H.264 annex B).
    fn push_sample(&self, sample: &Sample, unit: &mut Vec<u8>) -> Result<(), String> {
        let cut = || "it ends too early; was it copied whole?".to_owned();
        let from = usize::try_from(sample.offset).map_err(|_| cut())?;
        let to = usize::try_from(sample.size).ok().and_then(|size| from.checked_add(size)).ok_or_else(cut)?;
        let mut rest = self.bytes.get(from..to).ok_or_else(cut)?;
        let size = self.length_bytes;
        while rest.len() > size {
            let length = rest[..size].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            let nal = rest.get(size..size + length).ok_or("a picture in it is damaged")?;
            unit.extend(START_CODE);
            unit.extend(nal);
            rest = &rest[size + length..];
        }
        Ok(())
    }
}

/// How far a video is shown.
struct Shown {
    most: usize,
    taken: usize,
    decoded: usize,
    /// The earliest time of the next picture to be taken, in seconds.
    due: f64,
}

/// Quarters clockwise of a track's matrix, by its first row (16.16).
fn quarters(a: i32, b: i32) -> usize {
    match (a.signum(), b.signum()) {
        (0, 1) => 1,
        (-1, 0) => 2,
        (0, -1) => 3,
        _ => 0,
    }
}

#[cfg(test)]
#[path = "video_tests.rs"]
mod tests;
