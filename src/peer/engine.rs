//! Sets up the crate webrtc for both roles: codecs, RTCP, timeouts and sockets. What is decided here holds for the
//! server's side and for our own caller alike; who offers and who answers is decided elsewhere.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{Registry, Slot};
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_nack, configure_simulcast_extension_headers, configure_twcc_receiver_only,
};
use rtc::peer_connection::configuration::media_engine::{MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_RTX, MediaEngine};
use rtc::peer_connection::configuration::setting_engine::{SctpMaxMessageSize, SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::transport::RTCIceCandidateType;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpRtxParameters, RtpCodecKind,
};
use tokio::sync::Notify;
use webrtc::peer_connection::{PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler};

use super::clock::{MediaAnchor, RtpClock};
use super::quality::Reception;
use super::reports::{KeyFrameRequests, SenderReports};
use super::sender_times::{ReportReader, SenderTimes};
use super::{PeerError, PeerSettings};

/// ICE: no answer to consent checks for this long is "disconnected" ...
const DISCONNECTED_AFTER: Duration = Duration::from_secs(5);
/// ... and for this much longer is "failed", which ends the call.
const FAILED_AFTER: Duration = Duration::from_secs(10);
const CONSENT_INTERVAL: Duration = Duration::from_secs(2);
/// Largest data channel message that is taken in: what browsers announce themselves.
const MAX_INBOUND_MESSAGE: u32 = 256 * 1024;
/// Bytes that may wait unacknowledged on the data channel before sending waits.
const CHANNEL_SEND_BUFFER: usize = 1024 * 1024;

/// How often and how fast a candidate pair is tried.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);
const CHECKS_PER_PAIR: u16 = 30;

const OPUS_PAYLOAD_TYPE: u8 = 111;
const H264_PAYLOAD_TYPE: u8 = 102;
const RTX_PAYLOAD_TYPE: u8 = 103;

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        // RFC 7587 section 7: always 2 in SDP, also for mono.
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: vec![],
    }
}

fn h264() -> RTCRtpCodec {
    let feedback = |typ: &str, parameter: &str| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() };
    RTCRtpCodec {
        mime_type: MIME_TYPE_H264.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f".to_owned(),
        rtcp_feedback: vec![feedback("ccm", "fir"), feedback("nack", ""), feedback("nack", "pli")],
    }
}

fn media_engine() -> Result<MediaEngine, rtc::shared::error::Error> {
    let mut engine = MediaEngine::default();
    let with = |rtp_codec, payload_type| RTCRtpCodecParameters { rtp_codec, payload_type };
    engine.register_codec(with(opus(), OPUS_PAYLOAD_TYPE), RtpCodecKind::Audio)?;
    engine.register_codec(with(h264(), H264_PAYLOAD_TYPE), RtpCodecKind::Video)?;
    let rtx = RTCRtpCodec {
        mime_type: MIME_TYPE_RTX.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: format!("apt={H264_PAYLOAD_TYPE}"),
        rtcp_feedback: vec![],
    };
    engine.register_codec(with(rtx, RTX_PAYLOAD_TYPE), RtpCodecKind::Video)?;
    Ok(engine)
}

fn setting_engine(settings: &PeerSettings) -> SettingEngine {
    let builder = SettingEngineBuilder::new()
        .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), Some(CONSENT_INTERVAL))
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS_PER_PAIR))
        .with_include_loopback_candidate(true)
        // Names ending in .local are found by the browser's own checks (peer-reflexive candidates).
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(MAX_INBOUND_MESSAGE));
    let builder = if settings.public_ips.is_empty() {
        builder
    } else {
        let ips = settings.public_ips.iter().map(ToString::to_string).collect();
        builder.with_nat_1to1_ips(ips, RTCIceCandidateType::Host)
    };
    builder.build()
}

/// What the RTCP part of a connection shares with the rest of it.
#[derive(Clone)]
pub(super) struct Rtcp {
    pub(super) clock: RtpClock,
    pub(super) anchor: Arc<Mutex<MediaAnchor>>,
    pub(super) reception: Arc<Mutex<Reception>>,
    pub(super) key_frame_wanted: Arc<Notify>,
    pub(super) sender_times: SenderTimes,
}

impl Rtcp {
    pub(super) fn new() -> Self {
        Self {
            clock: RtpClock::new(rand::random()),
            anchor: Arc::default(),
            reception: Arc::default(),
            key_frame_wanted: Arc::new(Notify::new()),
            sender_times: SenderTimes::default(),
        }
    }
}

/// Opens the sockets and starts the connection's driver. Not yet connected to anything.
pub(super) async fn open(
    settings: &PeerSettings,
    rtcp: &Rtcp,
    handler: Arc<dyn PeerConnectionEventHandler>,
) -> Result<Arc<dyn PeerConnection>, PeerError> {
    let mut engine = media_engine().map_err(PeerError::transport)?;
    let registry = configure_nack(Registry::new(), &mut engine);
    configure_simulcast_extension_headers(&mut engine).map_err(PeerError::transport)?;
    let registry = configure_twcc_receiver_only(registry, &mut engine)
        .map_err(PeerError::transport)?
        .with(Slot::ReceiverReport, rtc::interceptor::ReceiverReportBuilder::new().build())
        .with(Slot::SenderReport, SenderReports::new(rtcp.clock, Arc::clone(&rtcp.anchor), Arc::clone(&rtcp.reception)))
        .with(Slot::from(Slot::SenderReport.slot() + 500), KeyFrameRequests::new(Arc::clone(&rtcp.key_frame_wanted)))
        .with(Slot::from(Slot::SenderReport.slot() + 600), ReportReader::new(Arc::clone(&rtcp.sender_times)));
    let connection = PeerConnectionBuilder::new()
        .with_media_engine(engine)
        .with_setting_engine(setting_engine(settings))
        .with_interceptor_registry(registry)
        .with_handler(handler)
        .with_udp_addrs(settings.socket_addresses()?)
        .with_data_channel_send_buffer_limit(CHANNEL_SEND_BUFFER)
        .build()
        .await
        .map_err(PeerError::transport)?;
    Ok(Arc::new(connection))
}

/// A local track of ours. All tracks of one call name the same media stream, which is what makes a browser play
/// them together.
pub(super) fn local_track(kind: RtpCodecKind, stream: &str, ssrc: u32) -> MediaStreamTrack {
    let (codec, label, rtx) = match kind {
        RtpCodecKind::Video => (h264(), "video", Some(RTCRtpRtxParameters { ssrc: ssrc.wrapping_add(1) })),
        _ => (opus(), "audio", None),
    };
    MediaStreamTrack::new(
        stream.to_owned(),
        format!("{stream}-{label}"),
        label.to_owned(),
        kind,
        vec![RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), rtx, ..Default::default() },
            codec,
            ..Default::default()
        }],
    )
}
