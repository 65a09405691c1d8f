//! A clip in which an avatar waits, thinks and speaks.

use crate::audio::{AudioError, OpusEncoder};
use crate::face::{Area, Face, Life, Lips, Rgba};
use crate::media::{AUDIO_FRAME, Attention, I420, MEDIA_HZ, MediaTime, Speech, VIDEO_FRAME_TICKS};
use crate::video::{EncodedPicture, H264Encoder, VideoError, VideoSettings, rgba_to_i420};

/// Ticks of waiting, of thinking, and of waiting after the last word.
const WAIT: u64 = 2 * MEDIA_HZ as u64;
const THINK: u64 = MEDIA_HZ as u64;
const END: u64 = 2 * MEDIA_HZ as u64;

/// Why there is no clip.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error(transparent)]
    Video(#[from] VideoError),
    #[error(transparent)]
    Audio(#[from] AudioError),
}

/// Pictures and sound of a face that waits, thinks, says this and waits again.
pub fn clip(
    face: &mut dyn Face,
    speech: &Speech,
    settings: &VideoSettings,
) -> Result<(Vec<EncodedPicture>, Vec<bytes::Bytes>), ClipError> {
    let (width, height) = face.size();
    let mut encoder = H264Encoder::new(&VideoSettings { width, height, ..settings.clone() })?;
    let (mut life, mut lips) = (Life::new(1), Lips::new());
    let (mut rgba, mut i420) = (Rgba::new(width, height), I420::new(width, height));
    let begin = MediaTime(WAIT + THINK);
    lips.say(begin, &speech.phonemes, &speech.pcm);
    face.hear(begin, &speech.pcm);
    let spoken = (speech.pcm.len() as u64).next_multiple_of(VIDEO_FRAME_TICKS);
    let all = WAIT + THINK + spoken + END;
    let mut pictures = Vec::new();
    for at in (0..all).step_by(VIDEO_FRAME_TICKS as usize) {
        let attention = match at {
            _ if at < WAIT => Attention::Idle,
            _ if at < begin.0 => Attention::Thinking,
            _ if at < begin.0 + spoken => Attention::Speaking,
            _ => Attention::Idle,
        };
        let at = MediaTime(at);
        let pose = life.pose_at(at, attention, lips.mouth_at(at));
        face.wait();
        let area = if pictures.is_empty() {
            // The face may have been drawn before, elsewhere.
            face.draw(&pose, &mut rgba);
            Area::whole((width, height))
        } else {
            face.redraw(&pose, &mut rgba)
        };
        rgba_to_i420(&rgba.data, width, height, area, &mut i420);
        pictures.extend(encoder.encode(&i420, false)?);
    }
    let mut sound = vec![0; begin.0 as usize];
    sound.extend(&speech.pcm);
    sound.resize(all as usize, 0);
    let mut opus = OpusEncoder::new()?;
    let frames = sound.as_chunks::<AUDIO_FRAME>().0;
    let packets = frames.iter().map(|frame| opus.encode(frame)).collect::<Result<_, _>>()?;
    Ok((pictures, packets))
}
