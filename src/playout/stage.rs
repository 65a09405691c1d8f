//! A call's way out: timeline, Opus, face and H.264, moved on by a media thread 20 ms at a time.
//!
//! The session asks through a [`StageHandle`] and reads the [`Progress`]; nothing here waits for anybody. Pictures are
//! drawn for the media time of the sound that goes out with them.

use std::sync::Arc;

use tokio::sync::watch;

use super::orders::{Asked, Inbox, Order, StageHandle};
use super::picture::Picture;
use super::pool::Beat;
use super::progress::{Moments, Progress};
use super::timeline::Timeline;
use crate::audio::{AudioError, OpusEncoder};
use crate::clock;
use crate::hearing::SentSound;
use crate::media::{AUDIO_FRAME, Attention, AudioPacket, MediaTime, VideoPacket};
use crate::metrics::Metrics;
use crate::peer::MediaSender;
use crate::video::VideoError;

/// After the last word the face stays in its speaking manner this long (ticks), through pauses between clauses.
const SPEAKING_LINGER: u64 = 24_000;

pub struct Stage {
    timeline: Timeline,
    opus: OpusEncoder,
    picture: Option<Picture>,
    media: MediaSender,
    /// For the ear, which must not take our own voice for somebody's.
    sent: SentSound,
    inbox: Inbox,
    progress: watch::Sender<Progress>,
    moments: Moments,
    metrics: Arc<Metrics>,
    last_spoken: Option<MediaTime>,
    need_key_frame: bool,
}

impl Stage {
    pub fn new(
        media: MediaSender,
        picture: Option<Picture>,
        sent: SentSound,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, StageHandle), AudioError> {
        let (progress, watcher) = watch::channel(Progress::default());
        let (inbox, handle) = Inbox::new(watcher);
        handle.watch(&metrics.queues);
        let stage = Self {
            timeline: Timeline::default(),
            opus: OpusEncoder::new()?,
            picture,
            media,
            sent,
            inbox,
            progress,
            moments: Moments::default(),
            metrics,
            last_spoken: None,
            need_key_frame: true,
        };
        Ok((stage, handle))
    }

    fn carry_out(&mut self, asked: Asked) {
        if asked.hold_or_silence(&mut self.timeline) {
            self.moments.stop();
            self.last_spoken = None;
            if let Some(picture) = &mut self.picture {
                picture.cut(self.timeline.now());
                for laid in self.timeline.laid() {
                    said(&self.metrics, picture.say_from(laid.from, laid.at, laid.speech));
                }
            }
        }
        for order in asked.orders {
            match order {
                Order::Finish(turn) => self.timeline.finish(turn),
                Order::Speak(speech) => {
                    let at = self.timeline.push(speech);
                    if let (Some(_), Some(laid), Some(picture)) = (at, self.timeline.laid().last(), &mut self.picture) {
                        said(&self.metrics, picture.say_from(laid.from, laid.at, laid.speech));
                    }
                }
            }
        }
    }

    fn attention(&self, at: MediaTime) -> Attention {
        if self.timeline.progress().held {
            return Attention::Listening;
        }
        if self.last_spoken.is_some_and(|last| at.since(last) <= SPEAKING_LINGER) {
            return Attention::Speaking;
        }
        self.inbox.attention()
    }

    fn draw(&mut self, at: MediaTime) {
        let attention = self.attention(at);
        let Some(picture) = &mut self.picture else { return };
        if let Some(rest) = self.inbox.face()
            && let Err(error) = picture.show(&rest)
        {
            self.metrics.error("face_not_shown", &error);
        }
        let force = std::mem::take(&mut self.need_key_frame) | self.inbox.key_frame_wanted();
        match picture.next(at, attention, force) {
            Ok(Some((encoded, mouth))) => {
                let packet = VideoPacket { at, h264: encoded.h264, key_frame: encoded.key_frame };
                let taken = self.media.send_video(packet);
                self.need_key_frame = !taken;
                if taken {
                    self.moments.picture(&mouth, clock::now());
                }
            }
            Ok(None) => self.need_key_frame |= force,
            Err(error) => {
                self.need_key_frame = true;
                self.metrics.error("video_encoder", &error);
            }
        }
    }
}

/// Counts what kept a face from speaking.
fn said(metrics: &Metrics, said: Result<(), VideoError>) {
    if let Err(error) = said {
        metrics.error("video_encoder", &error);
    }
}

impl Beat for Stage {
    fn beat(&mut self) -> bool {
        let Some(asked) = self.inbox.take() else { return false };
        self.carry_out(asked);
        let mut pcm = [0; AUDIO_FRAME];
        let due = self.timeline.step(&mut pcm);
        self.sent.push(&pcm);
        let start = clock::now();
        let encoded = self.opus.encode(&pcm);
        self.metrics.opus_seconds.observe((clock::now() - start).as_secs_f64());
        match encoded {
            Ok(opus) => {
                self.media.send_audio(AudioPacket { at: due.at, opus });
                self.moments.packet(&due, clock::now());
            }
            Err(error) => self.metrics.error("opus_encoder", &error),
        }
        if due.speaking.is_some() {
            self.last_spoken = Some(due.at);
        }
        if due.picture {
            self.draw(due.at);
        }
        let progress = Progress { moments: self.moments, ..self.timeline.progress() };
        self.progress.send_if_modified(|seen| std::mem::replace(seen, progress) != progress);
        true
    }
}
