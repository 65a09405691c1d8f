//! From the wire to the session: the browser's Opus packets and its data channel, as events. Nothing is decoded
//! here. Sound that nobody takes is dropped and counted; text waits, which presses back on the browser (SCTP).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::PeerEvent;

/// Opus packets that wait for the session (1 s); when full the newest is dropped.
pub const AUDIO_EVENTS: usize = 50;
/// Places in the event queue that sound may not take, so that text and state always find room.
const OTHER_EVENTS: usize = 32;
pub(super) const EVENT_QUEUE: usize = AUDIO_EVENTS + OTHER_EVENTS;

#[derive(Default)]
pub(super) struct InboundCounters {
    pub(super) audio_packets: AtomicU64,
    pub(super) audio_dropped: AtomicU64,
}

/// Hands on a track's Opus packets until the track ends.
pub(super) async fn read_audio(
    track: Arc<dyn TrackRemote>,
    events: mpsc::Sender<PeerEvent>,
    counters: Arc<InboundCounters>,
) {
    while let Some(event) = track.poll().await {
        let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
        counters.audio_packets.fetch_add(1, Ordering::Relaxed);
        let event = PeerEvent::Audio {
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            payload: packet.payload,
        };
        if events.capacity() <= OTHER_EVENTS || events.try_send(event).is_err() {
            counters.audio_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Hands on a data channel's messages until it closes. Binary messages come as text too: what is not valid for the
/// protocol is refused there, with an error that the sender can read.
pub(super) async fn read_channel(
    channel: Arc<dyn DataChannel>,
    opened: Arc<Notify>,
    closed: Arc<Notify>,
    events: mpsc::Sender<PeerEvent>,
) {
    while let Some(event) = channel.poll().await {
        let event = match event {
            DataChannelEvent::OnOpen => {
                opened.notify_one();
                PeerEvent::ChannelOpen
            }
            DataChannelEvent::OnMessage(message) => {
                PeerEvent::Text(String::from_utf8_lossy(&message.data).into_owned())
            }
            DataChannelEvent::OnClose => break,
            _ => continue,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
    closed.notify_one();
}

/// How often a flush asks whether everything was acknowledged.
const FLUSH_INTERVAL: Duration = Duration::from_millis(5);

/// What goes to the writer of the event channel.
pub(super) enum TextOut {
    Text(String),
    /// Answered once the other side has acknowledged all texts before it.
    Flush(oneshot::Sender<()>),
}

/// Sends the queued texts in order once the channel is open.
pub(super) async fn write_channel(
    channel: Arc<dyn DataChannel>,
    opened: Arc<Notify>,
    mut texts: mpsc::Receiver<TextOut>,
) {
    opened.notified().await;
    while let Some(next) = texts.recv().await {
        match next {
            TextOut::Text(text) => {
                // One message that does not go through (too long for the other side) is not the end of the others.
                if let Err(error) = channel.send_text(&text).await {
                    tracing::debug!(%error, bytes = text.len(), "a message was not sent");
                }
            }
            TextOut::Flush(flushed) => {
                // The crate tells of acknowledgements only when asked.
                while channel.outstanding_bytes().await.is_ok_and(|bytes| bytes > 0) {
                    tokio::time::sleep(FLUSH_INTERVAL).await;
                }
                let _ = flushed.send(());
            }
        }
    }
}

/// Empties a channel that nobody here listens to, so that it cannot hold memory.
pub(super) async fn drain_channel(channel: Arc<dyn DataChannel>) {
    while channel.poll().await.is_some() {}
}
