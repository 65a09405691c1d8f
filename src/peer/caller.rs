//! The client's end of a call, headless: what a browser does, for `visavis call` and for the tests. It offers one
//! microphone track, one receiving video section and the event channel, without trickling.

use std::sync::Arc;

use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::PeerConnection;

use super::connection::{Parts, gathered_description};
use super::engine::{self, Rtcp};
use super::pictures::{PictureAssembler, VideoPayload};
use super::sender_times::{SenderTimes, told};
use super::signals::{Signals, handler};
use super::tracks::{LocalTrack, LocalTracks};
use super::{EVENT_CHANNEL, Peer, PeerError, PeerSettings, SenderTime};

pub use super::pictures::Picture;

/// Pictures that wait for whoever reads them.
const PICTURES: usize = 64;

/// What to offer.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    pub video: bool,
    pub event_channel: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self { video: true, event_channel: true }
    }
}

/// A picture and when its last packet came.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub at: Instant,
    pub picture: Picture,
    /// Packets of the stream given up as lost so far.
    pub lost_packets: u64,
}

/// The client's end. `peer` is used as on the server's side: its events are what the server sends.
pub struct Caller {
    pub peer: Peer,
    /// Pictures in order, oldest dropped by nobody: when [`PICTURES`] wait, receiving waits.
    pub pictures: mpsc::Receiver<Arrived>,
    key_frame: Arc<Notify>,
    sender_times: SenderTimes,
}

/// What serves the incoming video track.
pub(super) struct VideoSink {
    pictures: mpsc::Sender<Arrived>,
    key_frame: Arc<Notify>,
}

impl Caller {
    /// Opens the sockets and returns the complete offer.
    pub async fn offer(settings: &PeerSettings, wish: Wish) -> Result<(Self, String), PeerError> {
        let rtcp = Rtcp::new();
        let (handler, signals) = handler();
        let connection = engine::open(settings, &rtcp, handler).await?;
        match Self::describe(&connection, wish, &signals).await {
            Ok((audio, channel, offer)) => {
                let (pictures_in, pictures) = mpsc::channel(PICTURES);
                let sender_times = Arc::clone(&rtcp.sender_times);
                let key_frame = Arc::new(Notify::new());
                let parts = Parts {
                    connection,
                    rtcp,
                    signals,
                    tracks: LocalTracks { audio, video: None },
                    channel,
                    video_sink: Some(VideoSink { pictures: pictures_in, key_frame: Arc::clone(&key_frame) }),
                };
                Ok((Self { peer: Peer::start(parts), pictures, key_frame, sender_times }, offer))
            }
            Err(error) => {
                connection.close().await.ok();
                Err(error)
            }
        }
    }

    async fn describe(
        connection: &Arc<dyn PeerConnection>,
        wish: Wish,
        signals: &Signals,
    ) -> Result<(LocalTrack, Option<Arc<dyn webrtc::data_channel::DataChannel>>, String), PeerError> {
        let audio = LocalTrack::add(connection, RtpCodecKind::Audio, "caller").await?;
        if wish.video {
            let receive = RTCRtpTransceiverInit {
                direction: RTCRtpTransceiverDirection::Recvonly,
                streams: vec![],
                send_encodings: vec![],
            };
            connection
                .add_transceiver_from_kind(RtpCodecKind::Video, Some(receive))
                .await
                .map_err(PeerError::transport)?;
        }
        let channel = if wish.event_channel {
            Some(connection.create_data_channel(EVENT_CHANNEL, None).await.map_err(PeerError::transport)?)
        } else {
            None
        };
        let offer = connection.create_offer(None).await.map_err(PeerError::transport)?;
        connection.set_local_description(offer).await.map_err(PeerError::transport)?;
        let offer = gathered_description(connection, signals).await?;
        Ok((audio, channel, offer))
    }

    /// Takes the server's answer; [`super::PeerEvent::Connected`] follows.
    pub async fn accept(&self, answer_sdp: &str) -> Result<(), PeerError> {
        let broken = |error: rtc::shared::error::Error| PeerError::BrokenSdp(error.to_string());
        let answer = RTCSessionDescription::answer(answer_sdp.to_owned()).map_err(broken)?;
        self.peer.connection().set_remote_description(answer).await.map_err(broken)
    }

    /// Sends a picture loss indication (RFC 4585 section 6.3.1).
    pub fn request_key_frame(&self) {
        self.key_frame.notify_one();
    }

    /// The last sender report of each stream that comes in: sound runs at 48 kHz, pictures at 90 kHz.
    pub fn sender_times(&self) -> Vec<SenderTime> {
        told(&self.sender_times)
    }

    pub async fn close(self) {
        self.peer.close().await;
    }
}

impl VideoSink {
    /// Reads the track until it ends.
    pub(super) async fn run(self, track: Arc<dyn TrackRemote>) {
        let mut assembler = PictureAssembler::default();
        let mut whole = Vec::new();
        loop {
            let event = tokio::select! {
                event = track.poll() => event,
                () = self.key_frame.notified() => {
                    ask_for_key_frame(&track).await;
                    continue;
                }
            };
            let Some(event) = event else { return };
            let TrackRemoteEvent::OnRtpPacket(packet) = event else { continue };
            let at = Instant::now();
            let payload = VideoPayload {
                sequence: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                marker: packet.header.marker,
                payload: packet.payload,
            };
            if assembler.push(payload, &mut whole) {
                ask_for_key_frame(&track).await;
            }
            for picture in whole.drain(..) {
                let arrived = Arrived { at, picture, lost_packets: assembler.lost_packets };
                if self.pictures.send(arrived).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn ask_for_key_frame(track: &Arc<dyn TrackRemote>) {
    for media_ssrc in track.ssrcs().await {
        let request = PictureLossIndication { sender_ssrc: 0, media_ssrc };
        if let Err(error) = track.write_rtcp(vec![Box::new(request)]).await {
            tracing::debug!(%error, "a key frame could not be asked for");
        }
    }
}
