//! The WebRTC transport of a call: SDP in, SDP out, then events one way and encoded media the other. The only module
//! that knows the crate webrtc. It neither encodes nor decodes, and knows nothing of turns or protocols.
//!
//! ```text
//! offer -> offer (checked) -> connection (answer) -> engine (codecs, sockets; RTCP: reports, clock)
//!                                  \-> supervisor (life: signals, tasks, events)
//! browser => inbound => PeerEvent => session          media threads => MediaSender => outbound => browser
//! ```
//!
//! `caller` is the other end: the headless client of `visavis call` and of the tests.

pub mod caller;
mod clock;
mod connection;
mod engine;
mod error;
mod inbound;
mod offer;
mod outbound;
pub(crate) mod pictures;
mod quality;
mod reports;
mod sender_times;
mod settings;
mod signals;
mod supervisor;
#[cfg(test)]
mod tests;
mod tracks;

use bytes::Bytes;

pub use connection::Peer;
pub use error::PeerError;
pub use inbound::AUDIO_EVENTS;
pub use outbound::{AUDIO_QUEUE, MediaSender, VIDEO_QUEUE};
pub use quality::{Meter, Quality};
pub use sender_times::SenderTime;
pub use settings::PeerSettings;

/// Label of the data channel that carries the events of the protocol; the client creates it.
pub const EVENT_CHANNEL: &str = "oai-events";
/// Messages that wait for the data channel.
pub const TEXT_QUEUE: usize = 256;
/// Longest message that is sent: what every client of the protocol takes.
pub const MAX_TEXT_BYTES: usize = 65_536;

/// What happens on a call's transport, in order.
#[derive(Debug)]
pub enum PeerEvent {
    /// Media flows from here on. Comes once.
    Connected,
    /// [`EVENT_CHANNEL`] is open: messages go through.
    ChannelOpen,
    /// A message of the data channel.
    Text(String),
    /// One Opus packet of the microphone. At most [`AUDIO_EVENTS`] wait, then the newest are dropped and counted.
    Audio {
        sequence: u16,
        /// 48 kHz.
        timestamp: u32,
        /// Empty in a packet of padding only, which still counts in the sequence.
        payload: Bytes,
    },
    /// The browser lost pictures, or pictures were dropped here: the next one should be a key frame.
    KeyFrameWanted,
    /// The last event.
    Closed { reason: CloseReason },
}

/// Why a call's transport ended without being closed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The other side closed the connection.
    ByRemote,
    /// The network path is gone, or was never found.
    Failed,
    /// Nobody connected within 30 s of the answer.
    Timeout,
}

impl std::fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::ByRemote => "closed by the client",
            Self::Failed => "connection lost",
            Self::Timeout => "never connected",
        })
    }
}

/// What a peer has moved and lost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCounters {
    /// Opus packets that came, and of these the ones that the session did not take in time.
    pub audio_in: u64,
    pub audio_in_dropped: u64,
    pub audio_out: u64,
    pub audio_out_dropped: u64,
    pub pictures_out: u64,
    pub pictures_out_dropped: u64,
    /// Packets that the transport refused.
    pub send_errors: u64,
    /// Messages that found the queue full or the call over.
    pub texts_refused: u64,
    /// Tracks and channels of the other side that came too many at once.
    pub tracks_refused: u64,
}
