//! H.264 constrained baseline for live calls: each picture in is one access unit out, without delay. One encoder for
//! one stream of pictures; it runs on the caller's thread alone.

use std::ffi::c_int;

use bytes::Bytes;
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Level, Profile, QpRange,
    RateControlMode, SpsPpsStrategy, UsageType, VuiConfig,
};
use openh264::formats::YUVSource;
use openh264::{OpenH264API, Timestamp};
use serde::{Deserialize, Serialize};

use super::{VideoError, mark};
use crate::media::{I420, VIDEO_FPS};

/// Size and rate of the outgoing pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VideoSettings {
    /// Pixels, even.
    pub width: usize,
    pub height: usize,
    pub fps: u32,
    /// Ceiling of the rate control; a face at rest needs a fraction of it.
    pub bitrate_bps: u32,
    /// A key frame comes at least this often; 0: only when one is asked for.
    pub key_frame_seconds: u32,
    /// Says in the stream that a machine made it, see [`super::mark`].
    pub mark: bool,
}

impl Default for VideoSettings {
    fn default() -> Self {
        Self { width: 512, height: 512, fps: VIDEO_FPS, bitrate_bps: 800_000, key_frame_seconds: 10, mark: true }
    }
}

impl VideoSettings {
    /// Level 3.1 of the profile that is offered holds 1280x720 at 30 pictures a second.
    pub fn validate(&self) -> Result<(), VideoError> {
        let macroblocks = self.width.div_ceil(16) * self.height.div_ceil(16);
        let fault = if self.width == 0 || self.height == 0 || self.width % 2 + self.height % 2 > 0 {
            "width and height must be even and not zero"
        } else if macroblocks > 3_600 || macroblocks * self.fps as usize > 108_000 {
            "level 3.1 ends at 1280x720 with 30 pictures a second"
        } else if self.fps == 0 || self.bitrate_bps < 50_000 {
            "fps must be above 0 and bitrate_bps at least 50000"
        } else {
            return Ok(());
        };
        Err(VideoError::Settings(format!("video of {}x{} at {} fps: {fault}", self.width, self.height, self.fps)))
    }
}

/// Coarsest quantiser: coarser ones would show blocks on skin; the rate gives way first.
const MAX_QP: u8 = 38;
/// Finest: a drawn face has a PSNR of about 42 dB at it; at 18 it has 44.5 dB and takes twice the bits.
const MIN_QP: u8 = 25;

/// ENCODER_OPTION_TRACE_LEVEL and WELS_LOG_QUIET of codec_app_def.h: without them the library writes to stderr that
/// pictures are never skipped, which is what we ask for.
const OPTION_TRACE_LEVEL: c_int = 25;
const LOG_QUIET: c_int = 0;

/// One access unit.
#[derive(Clone, Debug)]
pub struct EncodedPicture {
    /// Annex B; parameter sets stand before each key frame.
    pub h264: Bytes,
    pub key_frame: bool,
}

pub struct H264Encoder {
    encoder: Encoder,
    width: usize,
    height: usize,
    fps: u32,
    mark: bool,
    encoded: u64,
}

struct Planes<'a>(&'a I420);

impl YUVSource for Planes<'_> {
    fn dimensions(&self) -> (usize, usize) {
        (self.0.width, self.0.height)
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.0.width, self.0.width / 2, self.0.width / 2)
    }

    fn y(&self) -> &[u8] {
        &self.0.y
    }

    fn u(&self) -> &[u8] {
        &self.0.u
    }

    fn v(&self) -> &[u8] {
        &self.0.v
    }
}

impl H264Encoder {
    pub fn new(settings: &VideoSettings) -> Result<Self, VideoError> {
        settings.validate()?;
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .profile(Profile::Baseline)
            .level(Level::Level_3_1)
            .max_frame_rate(FrameRate::from_hz(settings.fps as f32))
            .bitrate(BitRate::from_bps(settings.bitrate_bps))
            .rate_control_mode(RateControlMode::Bitrate)
            .skip_frames(false)
            .qp(QpRange::new(MIN_QP, MAX_QP))
            .complexity(Complexity::Low)
            .scene_change_detect(false)
            .sps_pps_strategy(SpsPpsStrategy::ConstantId)
            .intra_frame_period(IntraFramePeriod::from_num_frames(settings.key_frame_seconds * settings.fps))
            .vui(VuiConfig::bt601())
            .num_threads(1);
        let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config)?;
        let mut quiet = LOG_QUIET;
        // SAFETY: the encoder exists, and this option may be set before it is initialised; it reads one int.
        unsafe { encoder.raw_api().set_option(OPTION_TRACE_LEVEL, (&raw mut quiet).cast()) };
        let VideoSettings { width, height, fps, mark, .. } = *settings;
        Ok(Self { encoder, width, height, fps, mark, encoded: 0 })
    }

    /// The first picture is a key frame, as is any with `force_key`. None if the encoder skipped the picture, which
    /// it does not with these settings.
    pub fn encode(&mut self, picture: &I420, force_key: bool) -> Result<Option<EncodedPicture>, VideoError> {
        if (picture.width, picture.height) != (self.width, self.height) {
            return Err(VideoError::Size {
                width: self.width,
                height: self.height,
                got_width: picture.width,
                got_height: picture.height,
            });
        }
        if force_key && self.encoded > 0 {
            self.encoder.force_intra_frame();
        }
        let millis = self.encoded * 1000 / u64::from(self.fps);
        self.encoded += 1;
        let stream = self.encoder.encode_at(&Planes(picture), Timestamp::from_millis(millis))?;
        let key_frame = matches!(stream.frame_type(), FrameType::IDR);
        let mut h264 = Vec::with_capacity(if key_frame { 48 * 1024 } else { 6 * 1024 });
        stream.write_vec(&mut h264);
        if h264.is_empty() {
            return Ok(None);
        }
        if key_frame && self.mark {
            mark::mark(&mut h264);
        }
        Ok(Some(EncodedPicture { h264: Bytes::from(h264), key_frame }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::H264Decoder;

    /// A soft gradient with a bright square that moves: pictures change, but not wholly.
    pub(super) fn picture(n: usize) -> I420 {
        let mut picture = I420::new(512, 512);
        for (at, y) in picture.y.iter_mut().enumerate() {
            let (column, row) = (at % 512, at / 512);
            let inside = column.wrapping_sub(100 + 3 * n) < 80 && row.wrapping_sub(200) < 80;
            *y = if inside { 220 } else { (40 + column / 4 + row / 8) as u8 };
        }
        picture.u.fill(110);
        picture.v.fill(150);
        picture
    }

    fn psnr(a: &[u8], b: &[u8]) -> f64 {
        let sum: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
        10.0 * (255.0f64.powi(2) / (sum / a.len() as f64).max(1e-9)).log10()
    }

    /// NAL units without start codes.
    fn nal_units(annex_b: &[u8]) -> Vec<&[u8]> {
        let starts: Vec<usize> =
            annex_b.windows(3).enumerate().filter(|(_, window)| *window == [0, 0, 1]).map(|(at, _)| at + 3).collect();
        starts
            .iter()
            .enumerate()
            .map(|(n, &start)| &annex_b[start..starts.get(n + 1).map_or(annex_b.len(), |next| next - 3)])
            .collect()
    }

    #[test]
    fn pictures_come_back_in_size_and_likeness() {
        let mut encoder = H264Encoder::new(&VideoSettings::default()).unwrap();
        let mut decoder = H264Decoder::new().unwrap();
        for n in 0..30 {
            let original = picture(n);
            let encoded = encoder.encode(&original, false).unwrap().expect("no picture is skipped");
            assert_eq!(encoded.key_frame, n == 0);
            let decoded = decoder.decode(&encoded.h264).unwrap().expect("no picture is delayed");
            assert_eq!((decoded.width, decoded.height), (512, 512));
            let likeness = psnr(&original.y, &decoded.y);
            assert!(likeness > 36.0, "picture {n} has a PSNR of {likeness} dB");
        }
    }

    #[test]
    fn a_forced_key_frame_stands_alone_and_names_the_offered_profile() {
        let mut encoder = H264Encoder::new(&VideoSettings::default()).unwrap();
        for n in 0..10 {
            let encoded = encoder.encode(&picture(n), n == 7).unwrap().unwrap();
            assert_eq!(encoded.key_frame, n == 0 || n == 7);
            let units = nal_units(&encoded.h264);
            let kinds: Vec<u8> = units.iter().map(|unit| unit[0] & 0x1f).collect();
            if encoded.key_frame {
                assert_eq!(kinds, [7, 8, 6, 5], "SPS, PPS, the mark, one IDR slice");
                // profile_idc, constraint flags, level_idc: constrained baseline is 66 with set0 and set1.
                assert_eq!((units[0][1], units[0][2] & 0xc0, units[0][3]), (0x42, 0xc0, 0x1f));
            } else {
                assert_eq!(kinds, [1]);
            }
        }
        let mut late_joiner = H264Decoder::new().unwrap();
        let key = encoder.encode(&picture(11), true).unwrap().unwrap();
        assert!(late_joiner.decode(&key.h264).unwrap().is_some());
    }

    #[test]
    fn a_picture_of_another_size_is_an_error() {
        let mut encoder = H264Encoder::new(&VideoSettings::default()).unwrap();
        assert!(matches!(encoder.encode(&I420::new(256, 256), false), Err(VideoError::Size { .. })));
    }
}
