//! A call's way out: timeline, Opus, face and H.264, moved on by a media thread 20 ms at a time.
//!
//! The session sends clauses and orders through [`StageHandle`] and reads the progress; nothing here waits
//! for anybody. To silence is an atomic turn number that is read before each frame, so it never queues
//! behind sound. Pictures are drawn for the media time of the sound that goes out with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use tokio::sync::watch;

use super::pool::Beat;
use super::timeline::{Progress, Timeline};
use crate::audio::{AudioError, OpusEncoder};
use crate::clock;
use crate::face::{Face, Life, Lips, Rgba};
use crate::media::{AUDIO_FRAME, Attention, AudioPacket, I420, MediaTime, Speech, TurnId, VideoPacket};
use crate::metrics::Metrics;
use crate::peer::MediaSender;
use crate::video::{H264Encoder, VideoError, VideoSettings, rgba_to_i420};

/// Clauses that wait to be laid on the timeline; when full the session keeps the next ones.
pub const CLAUSES: usize = 8;
/// After the last word the face stays in its speaking manner this long (ticks), through pauses between clauses.
const SPEAKING_LINGER: u64 = 24_000;

enum Order {
    Speak(Speech),
    Finish(TurnId),
}

#[derive(Default)]
struct Shared {
    silenced: Arc<AtomicU64>,
    attention: AtomicU8,
    key_frame: AtomicBool,
}

/// The session's end of a stage. Dropping it ends the stage.
pub struct StageHandle {
    orders: SyncSender<Order>,
    shared: Arc<Shared>,
    pub progress: watch::Receiver<Progress>,
}

impl StageHandle {
    /// Gives the clause back when the stage has no room.
    pub fn speak(&self, speech: Speech) -> Result<(), Speech> {
        self.orders.try_send(Order::Speak(speech)).map_err(|refused| match refused {
            std::sync::mpsc::TrySendError::Full(Order::Speak(speech))
            | std::sync::mpsc::TrySendError::Disconnected(Order::Speak(speech)) => speech,
            _ => unreachable!("a clause was sent"),
        })
    }

    /// True once the stage knows that no more sound of this answer follows.
    pub fn finish(&self, turn: TurnId) -> bool {
        self.orders.try_send(Order::Finish(turn)).is_ok()
    }

    pub fn silence(&self, up_to: TurnId) {
        self.shared.silenced.fetch_max(up_to.0, Ordering::Release);
    }

    /// The newest silenced answer, for whoever makes sound for this call.
    pub fn silenced(&self) -> Arc<AtomicU64> {
        self.shared.silenced.clone()
    }

    pub fn attend(&self, attention: Attention) {
        self.shared.attention.store(attention as u8, Ordering::Relaxed);
    }

    pub fn force_key_frame(&self) {
        self.shared.key_frame.store(true, Ordering::Release);
    }
}

/// What draws and encodes the picture of one call.
pub struct Picture {
    face: Box<dyn Face>,
    life: Life,
    lips: Lips,
    rgba: Rgba,
    i420: I420,
    encoder: H264Encoder,
}

impl Picture {
    /// `seed` makes this call's blinks and glances its own.
    pub fn new(face: Box<dyn Face>, settings: &VideoSettings, seed: u64) -> Result<Self, VideoError> {
        let (width, height) = face.size();
        let settings = VideoSettings { width, height, ..settings.clone() };
        Ok(Self {
            face,
            life: Life::new(seed),
            lips: Lips::new(),
            rgba: Rgba::new(width, height),
            i420: I420::new(width, height),
            encoder: H264Encoder::new(&settings)?,
        })
    }
}

pub struct Stage {
    timeline: Timeline,
    opus: OpusEncoder,
    picture: Option<Picture>,
    media: MediaSender,
    orders: Receiver<Order>,
    shared: Arc<Shared>,
    progress: watch::Sender<Progress>,
    metrics: Arc<Metrics>,
    silenced: TurnId,
    last_spoken: Option<MediaTime>,
    need_key_frame: bool,
}

impl Stage {
    pub fn new(
        media: MediaSender,
        picture: Option<Picture>,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, StageHandle), AudioError> {
        let (orders, inbox) = sync_channel(CLAUSES);
        let (progress, watcher) = watch::channel(Progress::default());
        let shared = Arc::new(Shared::default());
        let stage = Self {
            timeline: Timeline::default(),
            opus: OpusEncoder::new()?,
            picture,
            media,
            orders: inbox,
            shared: shared.clone(),
            progress,
            metrics,
            silenced: TurnId(0),
            last_spoken: None,
            need_key_frame: true,
        };
        Ok((stage, StageHandle { orders, shared, progress: watcher }))
    }

    /// Carries out what the session asked for; false if the session is gone.
    fn take_orders(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Speak(speech)) => self.lay(speech),
                Ok(Order::Finish(turn)) => self.timeline.finish(turn),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        let silenced = TurnId(self.shared.silenced.load(Ordering::Acquire));
        if silenced > self.silenced {
            self.silenced = silenced;
            self.timeline.silence(silenced);
            self.last_spoken = None;
            if let Some(picture) = &mut self.picture {
                picture.lips.cut(self.timeline.now());
            }
        }
        true
    }

    fn lay(&mut self, speech: Speech) {
        // A silence order for this answer may have come since; it is carried out before the next frame.
        if speech.turn.0 <= self.shared.silenced.load(Ordering::Acquire) {
            return;
        }
        let phonemes = speech.phonemes.clone();
        let pcm = self.picture.is_some().then(|| speech.pcm.clone());
        if let (Some(at), Some(picture), Some(pcm)) = (self.timeline.push(speech), &mut self.picture, pcm) {
            picture.lips.say(at, &phonemes, &pcm);
        }
    }

    fn attention(&self, at: MediaTime) -> Attention {
        if self.last_spoken.is_some_and(|last| at.since(last) <= SPEAKING_LINGER) {
            return Attention::Speaking;
        }
        match self.shared.attention.load(Ordering::Relaxed) {
            a if a == Attention::Listening as u8 => Attention::Listening,
            a if a == Attention::Thinking as u8 => Attention::Thinking,
            _ => Attention::Idle,
        }
    }

    fn draw(&mut self, at: MediaTime) {
        let attention = self.attention(at);
        let Some(picture) = &mut self.picture else { return };
        let start = clock::now();
        let mouth = picture.lips.mouth_at(at);
        let pose = picture.life.pose_at(at, attention, mouth);
        picture.face.draw(&pose, &mut picture.rgba);
        rgba_to_i420(&picture.rgba.data, picture.rgba.width, picture.rgba.height, &mut picture.i420);
        let drawn = clock::now();
        let force = std::mem::take(&mut self.need_key_frame) | self.shared.key_frame.swap(false, Ordering::AcqRel);
        match picture.encoder.encode(&picture.i420, force) {
            Ok(Some(encoded)) => {
                let packet = VideoPacket { at, h264: encoded.h264, key_frame: encoded.key_frame };
                self.need_key_frame = !self.media.send_video(packet);
            }
            Ok(None) => self.need_key_frame |= force,
            Err(error) => {
                self.need_key_frame = true;
                self.metrics.error("video_encoder", &error);
            }
        }
        self.metrics.draw_seconds.observe((drawn - start).as_secs_f64());
        self.metrics.encode_seconds.observe((clock::now() - drawn).as_secs_f64());
    }
}

impl Beat for Stage {
    fn beat(&mut self) -> bool {
        if !self.take_orders() {
            return false;
        }
        let mut pcm = [0; AUDIO_FRAME];
        let due = self.timeline.step(&mut pcm);
        match self.opus.encode(&pcm) {
            Ok(opus) => self.media.send_audio(AudioPacket { at: due.at, opus }),
            Err(error) => self.metrics.error("opus_encoder", &error),
        }
        if due.speaking.is_some() {
            self.last_spoken = Some(due.at);
        }
        if due.picture {
            self.draw(due.at);
        }
        let progress = self.timeline.progress();
        self.progress.send_if_modified(|seen| std::mem::replace(seen, progress) != progress);
        true
    }
}
