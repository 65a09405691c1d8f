//! A clip in which an avatar waits, thinks and speaks.

use crate::audio::{AudioError, OpusEncoder};
use crate::face::{Area, Face, Life, Lips, Rgba};
use crate::media::{AUDIO_FRAME, Attention, I420, MEDIA_HZ, MediaTime, Speech, VIDEO_FRAME_TICKS};
use crate::video::{EncodedPicture, H264Encoder, VideoError, VideoSettings, rgba_to_i420};

/// Why there is no clip.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error(transparent)]
    Video(#[from] VideoError),
    #[error(transparent)]
    Audio(#[from] AudioError),
}

/// What happens around the speech; times in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    wait: u64,
    think: u64,
    /// Waiting after the last word.
    end: u64,
    /// The end leads into the beginning.
    loops: bool,
}

const SECOND: u64 = MEDIA_HZ as u64;
/// Everything that a face does.
pub const PREVIEW: Scene = Scene { wait: 2 * SECOND, think: SECOND, end: 2 * SECOND, loops: false };
/// Something small that moves.
pub const THUMBNAIL: Scene = Scene { wait: SECOND / 2, think: 0, end: SECOND, loops: true };
/// How long before the end of a loop it begins to lead into the beginning.
const LEAD: u64 = SECOND * 3 / 4;

impl Scene {
    fn begin(&self) -> u64 {
        self.wait + self.think
    }

    /// Ticks of all of it.
    fn length(&self, speech: &Speech) -> u64 {
        self.begin() + spoken(speech) + self.end
    }
}

/// In whole pictures.
fn spoken(speech: &Speech) -> u64 {
    (speech.pcm.len() as u64).next_multiple_of(VIDEO_FRAME_TICKS)
}

/// Pictures of a face that waits, thinks, says this and waits again.
pub fn pictures(
    face: &mut dyn Face,
    speech: &Speech,
    settings: &VideoSettings,
    scene: Scene,
) -> Result<Vec<EncodedPicture>, ClipError> {
    let (width, height) = face.size();
    let mut encoder = H264Encoder::new(&VideoSettings { width, height, ..settings.clone() })?;
    let (mut life, mut lips) = (Life::new(1), Lips::new());
    let (mut rgba, mut i420) = (Rgba::new(width, height), I420::new(width, height));
    let begin = MediaTime(scene.begin());
    lips.say(begin, &speech.phonemes, &speech.pcm);
    face.hear(begin, &speech.pcm);
    let all = scene.length(speech);
    let (mut pictures, mut first) = (Vec::new(), None);
    for at in (0..all).step_by(VIDEO_FRAME_TICKS as usize) {
        let attention = match at {
            _ if at < scene.wait => Attention::Idle,
            _ if at < begin.0 => Attention::Thinking,
            _ if at < begin.0 + spoken(speech) => Attention::Speaking,
            _ => Attention::Idle,
        };
        let lead = if scene.loops { at.saturating_sub(all.saturating_sub(LEAD)) as f32 / LEAD as f32 } else { 0.0 };
        let at = MediaTime(at);
        let pose = life.pose_at(at, attention, lips.mouth_at(at));
        let first = *first.get_or_insert(pose);
        let pose = pose.towards(&first, lead * lead * (3.0 - 2.0 * lead));
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
    Ok(pictures)
}

/// The sound that goes with them.
pub fn sound(speech: &Speech, scene: Scene) -> Result<Vec<bytes::Bytes>, ClipError> {
    let mut sound = vec![0; scene.begin() as usize];
    sound.extend(&speech.pcm);
    sound.resize(scene.length(speech) as usize, 0);
    let mut opus = OpusEncoder::new()?;
    let frames = sound.as_chunks::<AUDIO_FRAME>().0;
    Ok(frames.iter().map(|frame| opus.encode(frame)).collect::<Result<_, _>>()?)
}
