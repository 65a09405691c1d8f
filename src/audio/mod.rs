//! Sound between the wire and everything that listens or speaks: Opus both ways, order and gaps of received packets,
//! and the rate that hearing needs. Plain synchronous stages; no sockets, threads or clocks.
//!
//! ```text
//! RTP -> Inbound (Reorder -> OpusDecoder, gaps concealed) -> 48 kHz -> Resampler48to16 -> hearing
//! playout -> OpusEncoder -> RTP
//! ```

mod codec;
mod inbound;
mod reorder;
mod resample;

pub use codec::{OpusDecoder, OpusEncoder};
pub use inbound::{Inbound, InboundCounters};
pub use reorder::{Due, Reorder, SoundPacket};
pub use resample::{Resampler48to16, from_media_rate, to_media_rate};

/// Why a sound stage could not be made or fed.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    #[error("Opus: {0}")]
    Opus(#[from] opus::Error),
    #[error("an Opus frame of {samples} samples: exactly {} (20 ms at 48 kHz) are needed", crate::media::AUDIO_FRAME)]
    FrameLength { samples: usize },
    #[error("resampling: {0}")]
    Resample(String),
}
