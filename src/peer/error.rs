//! What can go wrong with a peer, split by whose fault it is: the signaling turns client faults into 4xx.

/// Why a call could not be answered or a message not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    #[error("the offer is not valid SDP ({0}): send the `sdp` of RTCPeerConnection.localDescription unchanged")]
    BrokenSdp(String),
    #[error("the offer has no audio section: add a microphone track or an audio transceiver before createOffer()")]
    NoAudio,
    #[error("the offer's audio section has no Opus at 48 kHz, which is the only audio codec here")]
    NoOpus,
    #[error(
        "the offer's video section has no H.264 with packetization-mode=1: use a browser with H.264, or offer audio only"
    )]
    NoH264,
    #[error("{0}")]
    Settings(String),
    #[error("the media transport could not be set up: {0}")]
    Transport(String),
    #[error("the call has ended")]
    Closed,
    #[error("{} messages wait for the data channel: the other side does not read", super::TEXT_QUEUE)]
    TextQueueFull,
    #[error("a message of {bytes} bytes does not fit the data channel (at most {})", super::MAX_TEXT_BYTES)]
    TextTooLong { bytes: usize },
}

impl PeerError {
    /// The `code` of the protocol's JSON error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BrokenSdp(_) => "invalid_sdp",
            Self::NoAudio => "no_audio",
            Self::NoOpus => "no_opus",
            Self::NoH264 => "no_h264",
            Self::Settings(_) => "invalid_settings",
            Self::Transport(_) => "transport_failed",
            Self::Closed => "call_ended",
            Self::TextQueueFull => "channel_congested",
            Self::TextTooLong { .. } => "message_too_long",
        }
    }

    /// The offer was at fault: a 4xx, not a 5xx.
    pub fn is_client_fault(&self) -> bool {
        matches!(self, Self::BrokenSdp(_) | Self::NoAudio | Self::NoOpus | Self::NoH264)
    }

    pub(super) fn transport(error: impl std::fmt::Display) -> Self {
        Self::Transport(error.to_string())
    }
}
