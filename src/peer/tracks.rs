//! The tracks that we send: what they are called and coded as in SDP, and the payload type that came out of it.

use std::sync::Arc;

use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::PeerConnection;
use webrtc::peer_connection::transport::DtlsTransport;
use webrtc::rtp_transceiver::RtpSender;

use super::outbound::OutboundTrack;
use super::{PeerError, engine};

/// A track of ours together with the sender that knows its negotiated payload type.
pub(super) struct LocalTrack {
    track: Arc<TrackLocalStaticRTP>,
    sender: Arc<dyn RtpSender>,
    ssrc: u32,
}

pub(super) struct LocalTracks {
    pub(super) audio: LocalTrack,
    pub(super) video: Option<LocalTrack>,
}

impl LocalTrack {
    pub(super) async fn add(
        connection: &Arc<dyn PeerConnection>,
        kind: RtpCodecKind,
        stream: &str,
    ) -> Result<Self, PeerError> {
        // Even, so that no retransmission stream (`ssrc + 1`) meets another track's.
        let ssrc = rand::random::<u32>() & !1;
        let track = Arc::new(TrackLocalStaticRTP::new(engine::local_track(kind, stream, ssrc)));
        let sender =
            connection.add_track(Arc::clone(&track) as Arc<dyn TrackLocal>).await.map_err(PeerError::transport)?;
        Ok(Self { track, sender, ssrc })
    }

    /// None if the other side has no codec in common with this track.
    pub(super) async fn payload_type(&self) -> Option<u8> {
        let parameters = self.sender.get_parameters().await.ok()?;
        parameters.rtp_parameters.codecs.first().map(|codec| codec.payload_type)
    }

    /// None before the descriptions are exchanged.
    pub(super) async fn transport(&self) -> Option<Arc<dyn DtlsTransport>> {
        self.sender.transport().await.ok().flatten()
    }

    pub(super) async fn outbound(self) -> Option<OutboundTrack> {
        Some(OutboundTrack {
            payload_type: self.payload_type().await?,
            track: self.track,
            ssrc: self.ssrc,
            sequence: rand::random(),
        })
    }
}
