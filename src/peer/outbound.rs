//! From media threads to the wire: bounded queues that never block a media thread, and the one task of a call that
//! packetises and sends. It decides no times: packets leave when they come, only the many packets of a big picture
//! are spread out, and sound never waits behind them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rtc::interceptor::Pacer;
use rtc::rtp::codec::h264::H264Payloader;
use rtc::rtp::packetizer::Payloader;
use rtc::rtp::{Packet, header::Header};
use tokio::sync::Notify;
use tokio::time::Instant;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;

use super::clock::{MediaAnchor, RtpClock};
use crate::media::{AudioPacket, MediaTime, VIDEO_FPS, VideoPacket};
use crate::metrics::{self, Level};

/// Audio packets that wait for the sending task; when full the oldest is dropped.
pub const AUDIO_QUEUE: usize = 10;
/// Pictures that wait for the sending task; when full pictures are dropped up to the next key frame.
pub const VIDEO_QUEUE: usize = 4;
/// After this many dropped pictures in a row the key frame is asked for once more.
const ASK_AGAIN: u32 = 12;

/// A picture that comes so much later after the one before than it should comes when the next one is due.
const LATE: Duration = Duration::from_millis(1000 / VIDEO_FPS as u64);

/// Payload bytes of one RTP packet: with RTP, SRTP, UDP and IPv6 headers it stays below 1280.
const MAX_PAYLOAD: usize = 1180;
/// Rate at which the packets of one picture leave: a 40 kB key frame takes 32 ms instead of one burst.
const PACING_BITS_PER_SECOND: f64 = 10_000_000.0;
/// What may leave at once: an ordinary picture (about 3 kB) is never delayed.
const PACING_BURST_BITS: f64 = 8.0 * 12_000.0;

/// Cloneable handle for media threads; no call on it blocks or waits.
#[derive(Clone)]
pub struct MediaSender {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    queues: Mutex<Queues>,
    /// Something waits, or the sender was stopped.
    ready: Notify,
    live: AtomicBool,
    /// Told when pictures were dropped or the first is due.
    key_frame_wanted: Arc<Notify>,
    pub(super) counters: OutboundCounters,
}

#[derive(Default)]
pub(super) struct OutboundCounters {
    pub(super) audio_packets: AtomicU64,
    pub(super) audio_dropped: AtomicU64,
    pub(super) pictures: AtomicU64,
    pub(super) pictures_dropped: AtomicU64,
    pub(super) pictures_late: AtomicU64,
    pub(super) send_errors: AtomicU64,
}

#[derive(Default)]
struct Queues {
    audio: VecDeque<AudioPacket>,
    video: VecDeque<VideoPacket>,
    /// Pictures are useless until the next key frame.
    awaiting_key_frame: bool,
    /// Pictures thrown away since the last one was taken.
    dropped_in_a_row: u32,
}

impl MediaSender {
    pub(super) fn new(key_frame_wanted: Arc<Notify>) -> Self {
        Self {
            shared: Arc::new(Shared {
                queues: Mutex::new(Queues { awaiting_key_frame: true, ..Default::default() }),
                ready: Notify::new(),
                live: AtomicBool::new(false),
                key_frame_wanted,
                counters: OutboundCounters::default(),
            }),
        }
    }

    /// Queues one 20 ms Opus frame. When [`AUDIO_QUEUE`] wait, the oldest is dropped and counted.
    pub fn send_audio(&self, packet: AudioPacket) {
        if !self.is_live() {
            return;
        }
        let mut queues = self.shared.lock();
        if queues.audio.len() >= AUDIO_QUEUE {
            queues.audio.pop_front();
            self.shared.counters.audio_dropped.fetch_add(1, Ordering::Relaxed);
        }
        queues.audio.push_back(packet);
        drop(queues);
        self.shared.ready.notify_one();
    }

    /// Queues one picture. False when it was dropped, because [`VIDEO_QUEUE`] wait or a key frame is awaited after
    /// such a drop: the next picture that is of use is a key frame, and the session is told so too.
    pub fn send_video(&self, packet: VideoPacket) -> bool {
        if !self.is_live() {
            return false;
        }
        let mut queues = self.shared.lock();
        if packet.key_frame && queues.video.len() >= VIDEO_QUEUE {
            // What waits is older than a picture that stands alone.
            self.shared.counters.pictures_dropped.fetch_add(queues.video.len() as u64, Ordering::Relaxed);
            queues.video.clear();
        }
        if !packet.key_frame && (queues.awaiting_key_frame || queues.video.len() >= VIDEO_QUEUE) {
            queues.awaiting_key_frame = true;
            let ask = queues.dropped_in_a_row.is_multiple_of(ASK_AGAIN);
            queues.dropped_in_a_row += 1;
            drop(queues);
            self.shared.counters.pictures_dropped.fetch_add(1, Ordering::Relaxed);
            if ask {
                self.shared.key_frame_wanted.notify_one();
            }
            return false;
        }
        queues.awaiting_key_frame = false;
        queues.dropped_in_a_row = 0;
        queues.video.push_back(packet);
        drop(queues);
        self.shared.ready.notify_one();
        true
    }

    /// The call is connected and not over. Before and after, packets are thrown away without being counted.
    pub fn is_live(&self) -> bool {
        self.shared.live.load(Ordering::Acquire)
    }

    pub(super) fn start(&self) {
        self.shared.live.store(true, Ordering::Release);
    }

    pub(super) fn stop(&self) {
        self.shared.live.store(false, Ordering::Release);
        let mut queues = self.shared.lock();
        queues.audio.clear();
        queues.video.clear();
    }

    pub(super) fn watch(&self, queues: &metrics::Queues) {
        let (audio, video) = (Arc::downgrade(&self.shared), Arc::downgrade(&self.shared));
        let level = |waiting, capacity| Some(Level { waiting, capacity });
        queues.watch("audio_out", move || level(audio.upgrade()?.lock().audio.len(), AUDIO_QUEUE));
        queues.watch("pictures_out", move || level(video.upgrade()?.lock().video.len(), VIDEO_QUEUE));
    }

    pub(super) fn counters(&self) -> &OutboundCounters {
        &self.shared.counters
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One outgoing RTP stream: its track and its place in the sequence.
pub(super) struct OutboundTrack {
    pub(super) track: Arc<TrackLocalStaticRTP>,
    pub(super) ssrc: u32,
    pub(super) payload_type: u8,
    pub(super) sequence: u16,
}

impl OutboundTrack {
    fn packet(&mut self, timestamp: u32, marker: bool, payload: Bytes) -> Packet {
        let sequence_number = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        Packet {
            header: Header {
                version: 2,
                marker,
                payload_type: self.payload_type,
                sequence_number,
                timestamp,
                ssrc: self.ssrc,
                ..Default::default()
            },
            payload,
        }
    }
}

/// The sending task of one call.
pub(super) struct Outbound {
    pub(super) sender: MediaSender,
    pub(super) clock: RtpClock,
    pub(super) anchor: Arc<Mutex<MediaAnchor>>,
    pub(super) audio: OutboundTrack,
    pub(super) video: Option<OutboundTrack>,
}

impl Outbound {
    /// Runs until its task is aborted; every await is a place where that is safe.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.sender.shared);
        let mut payloader = H264Payloader::default();
        let mut pacer = Pacer::new(PACING_BITS_PER_SECOND).with_burst_bits(PACING_BURST_BITS);
        // The packets of the picture that is on its way out.
        let mut picture: VecDeque<Packet> = VecDeque::new();
        let mut last_picture = None;
        loop {
            let (audio, video) = {
                let mut queues = shared.lock();
                (queues.audio.pop_front(), if picture.is_empty() { queues.video.pop_front() } else { None })
            };
            let idle = audio.is_none() && video.is_none() && picture.is_empty();
            if let Some(audio) = audio {
                self.observe(&audio.at);
                let packet = self.audio.packet(self.clock.audio(audio.at), false, audio.opus);
                shared.counters.audio_packets.fetch_add(1, Ordering::Relaxed);
                self.write(&self.audio.track, packet).await;
            }
            if let (Some(video), Some(track)) = (video, self.video.as_mut()) {
                picture.extend(packets_of(track, &mut payloader, self.clock.video(video.at), &video.h264));
                shared.counters.pictures.fetch_add(1, Ordering::Relaxed);
                self.observe(&video.at);
                let now = Instant::now().into_std();
                if last_picture.replace((now, video.at)).is_some_and(|last| is_late(last, (now, video.at))) {
                    shared.counters.pictures_late.fetch_add(1, Ordering::Relaxed);
                }
            }
            let mut wait_until = None;
            while let (Some(next), Some(track)) = (picture.front(), self.video.as_ref()) {
                let bits = 8.0 * next.payload.len() as f64;
                let now = Instant::now().into_std();
                pacer.refill(now);
                if !pacer.can_release(bits) {
                    wait_until = pacer.releasable_at(bits).map(Instant::from_std);
                    break;
                }
                pacer.consume(bits);
                if let Some(packet) = picture.pop_front() {
                    self.write(&track.track, packet).await;
                }
            }
            match wait_until {
                // The pacer holds the rest of the picture: sound that comes meanwhile goes first.
                Some(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = shared.ready.notified() => {}
                },
                None if idle => shared.ready.notified().await,
                None => {}
            }
        }
    }

    fn observe(&self, at: &MediaTime) {
        let now = Instant::now().into_std();
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner).observe(now, *at);
    }

    async fn write(&self, track: &TrackLocalStaticRTP, packet: Packet) {
        if track.write_rtp(packet).await.is_err() {
            self.sender.shared.counters.send_errors.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Each: when the picture left, and for when it was made.
fn is_late(last: (std::time::Instant, MediaTime), next: (std::time::Instant, MediaTime)) -> bool {
    let due = Duration::from_millis(MediaTime(next.1.since(last.1)).as_millis());
    next.0.saturating_duration_since(last.0) > due + LATE
}

/// One access unit as RTP packets (RFC 6184), the marker on the last (section 5.1).
fn packets_of(track: &mut OutboundTrack, payloader: &mut H264Payloader, timestamp: u32, h264: &Bytes) -> Vec<Packet> {
    let payloads = payloader.payload(MAX_PAYLOAD, h264).unwrap_or_default();
    let count = payloads.len();
    payloads
        .into_iter()
        .enumerate()
        .map(|(index, payload)| track.packet(timestamp, index + 1 == count, payload))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(key_frame: bool) -> VideoPacket {
        VideoPacket { at: MediaTime::ZERO, h264: Bytes::from_static(&[0, 0, 0, 1, 0x65, 1, 2]), key_frame }
    }

    fn live_sender() -> (MediaSender, Arc<Notify>) {
        let wanted = Arc::new(Notify::new());
        let sender = MediaSender::new(Arc::clone(&wanted));
        sender.start();
        (sender, wanted)
    }

    #[test]
    fn nothing_is_queued_before_the_call_is_connected() {
        let sender = MediaSender::new(Arc::new(Notify::new()));
        assert!(!sender.send_video(picture(true)));
        sender.send_audio(AudioPacket { at: MediaTime::ZERO, opus: Bytes::from_static(&[1]) });
        assert!(sender.shared.lock().audio.is_empty());
    }

    #[test]
    fn the_first_picture_is_a_key_frame() {
        let (sender, _) = live_sender();
        assert!(!sender.send_video(picture(false)));
        assert!(sender.send_video(picture(true)));
        assert!(sender.send_video(picture(false)));
    }

    #[tokio::test]
    async fn a_full_video_queue_drops_up_to_the_next_key_frame_and_asks_for_it() {
        let (sender, wanted) = live_sender();
        assert!(sender.send_video(picture(true)));
        for _ in 1..VIDEO_QUEUE {
            assert!(sender.send_video(picture(false)));
        }
        assert!(!sender.send_video(picture(false)));
        wanted.notified().await;
        sender.shared.lock().video.clear();
        assert!(!sender.send_video(picture(false)), "a picture whose reference was dropped is of no use");
        assert!(sender.send_video(picture(true)));
    }

    #[test]
    fn a_full_audio_queue_drops_the_oldest() {
        let (sender, _) = live_sender();
        for tick in 0..AUDIO_QUEUE as u64 + 3 {
            sender.send_audio(AudioPacket { at: MediaTime(tick), opus: Bytes::from_static(&[1]) });
        }
        assert_eq!(sender.shared.lock().audio.front().map(|packet| packet.at), Some(MediaTime(3)));
        assert_eq!(sender.counters().audio_dropped.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_picture_is_late_by_what_lies_between_it_and_the_one_before() {
        let start = Instant::now().into_std();
        let at = |millis, media| (start + Duration::from_millis(millis), MediaTime::from_millis(media));
        assert!(!is_late(at(0, 0), at(80, 40)));
        assert!(is_late(at(0, 0), at(81, 40)));
        assert!(!is_late(at(0, 0), at(540, 500)), "nothing was due in between");
        assert!(!is_late(at(500, 40), at(540, 80)), "lateness is told once");
    }
}
