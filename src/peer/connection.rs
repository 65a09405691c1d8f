//! One call's peer on the server's side: answers the offer, then turns what the connection does into [`PeerEvent`]s.
//! It owns every task and socket of the call's transport. It decides nothing about the conversation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::RTCIceGatheringState;
use rtc::rtp_transceiver::RTCRtpTransceiverDirection;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::PeerConnection;

use super::caller::VideoSink;
use super::engine::{self, Rtcp};
use super::inbound::{self, InboundCounters, TextOut};
use super::outbound::MediaSender;
use super::quality::{Meter, Reception};
use super::signals::{Arrival, Signals, handler};
use super::supervisor::Supervisor;
use super::tracks::{LocalTrack, LocalTracks};
use super::{MAX_TEXT_BYTES, PeerCounters, PeerError, PeerEvent, PeerSettings, TEXT_QUEUE, offer};
use crate::metrics::Queues;

/// Gathering local addresses takes milliseconds; longer means that no socket works.
const GATHERING_DEADLINE: Duration = Duration::from_secs(5);

/// How long the end of a call waits for its last messages to arrive.
const FLUSH_DEADLINE: Duration = Duration::from_millis(300);

/// The server's end of one call. Read `events` all the time; clone `media` for the media threads.
pub struct Peer {
    /// Ends (None) after [`PeerEvent::Closed`].
    pub events: mpsc::Receiver<PeerEvent>,
    pub media: MediaSender,
    texts: mpsc::Sender<TextOut>,
    texts_refused: Arc<AtomicU64>,
    events_in: mpsc::WeakSender<PeerEvent>,
    tracks_in: mpsc::WeakSender<Arrival>,
    tracks_refused: Arc<AtomicU64>,
    inbound: Arc<InboundCounters>,
    reception: Arc<Mutex<Reception>>,
    video: bool,
    connection: Arc<dyn PeerConnection>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    closed: bool,
}

impl Peer {
    /// Reads the offer, opens the call's sockets and returns the complete answer with every candidate in it (no
    /// trickling: RFC 9429 section 5.2). The offer may hold no candidates at all.
    pub async fn answer(settings: &PeerSettings, offer_sdp: &str) -> Result<(Self, String), PeerError> {
        let (offer, wants) = offer::read(offer_sdp)?;
        let rtcp = Rtcp::new();
        let (handler, signals) = handler();
        let connection = engine::open(settings, &rtcp, handler).await?;
        // From here on the driver runs: it must be closed whatever happens.
        match Self::negotiate(&connection, offer, wants.video, &signals).await {
            Ok((tracks, answer)) => {
                let parts = Parts { connection, rtcp, signals, tracks, channel: None, video_sink: None };
                Ok((Self::start(parts), answer))
            }
            Err(error) => {
                if let Err(close) = connection.close().await {
                    tracing::debug!(%close, "closing a peer that was never used");
                }
                Err(error)
            }
        }
    }

    async fn negotiate(
        connection: &Arc<dyn PeerConnection>,
        offer: RTCSessionDescription,
        video: bool,
        signals: &Signals,
    ) -> Result<(LocalTracks, String), PeerError> {
        let stream = format!("visavis-{:08x}", rand::random::<u32>());
        let audio = LocalTrack::add(connection, RtpCodecKind::Audio, &stream).await?;
        let video = if video { Some(LocalTrack::add(connection, RtpCodecKind::Video, &stream).await?) } else { None };
        connection.set_remote_description(offer).await.map_err(|error| PeerError::BrokenSdp(error.to_string()))?;
        if video.is_some() {
            send_only(connection).await?;
        }
        let answer = connection.create_answer(None).await.map_err(|error| PeerError::BrokenSdp(error.to_string()))?;
        connection.set_local_description(answer).await.map_err(PeerError::transport)?;
        let answer = gathered_description(connection, signals).await?;
        if audio.payload_type().await.is_none() {
            return Err(PeerError::NoOpus);
        }
        if let Some(video) = &video
            && video.payload_type().await.is_none()
        {
            return Err(PeerError::NoH264);
        }
        Ok((LocalTracks { audio, video }, answer))
    }

    /// Starts the tasks of a connection that is described but not yet connected, whichever side offered.
    pub(super) fn start(parts: Parts) -> Self {
        let Parts { connection, rtcp, signals, tracks, channel, video_sink } = parts;
        let (events_to_session, events) = mpsc::channel(inbound::EVENT_QUEUE);
        let events_in = events_to_session.downgrade();
        let (texts, texts_out) = mpsc::channel(TEXT_QUEUE);
        let media = MediaSender::new(Arc::clone(&rtcp.key_frame_wanted));
        let inbound = Arc::new(InboundCounters::default());
        let stop = CancellationToken::new();
        let video = tracks.video.is_some();
        let reception = Arc::clone(&rtcp.reception);
        let mut supervisor = Supervisor::new(events_to_session, media.clone(), rtcp, tracks, texts_out);
        supervisor.inbound = Arc::clone(&inbound);
        supervisor.video_sink = video_sink;
        let (tracks_in, tracks_refused) = (signals.arrivals_in.clone(), signals.refused.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let stop = stop.clone();
            async move {
                tokio::select! {
                    () = supervisor.run(signals, channel) => {}
                    () = stop.cancelled() => {}
                }
                supervisor.finish().await;
            }
        });
        Self {
            events,
            media,
            texts,
            texts_refused: Arc::default(),
            events_in,
            tracks_in,
            tracks_refused,
            inbound,
            reception,
            video,
            connection,
            stop,
            tasks,
            closed: false,
        }
    }

    pub(super) fn connection(&self) -> &Arc<dyn PeerConnection> {
        &self.connection
    }

    /// The offer had a video section that we send to.
    pub fn has_video(&self) -> bool {
        self.video
    }

    /// Queues a message for the data channel; before it is open, messages wait. Order is kept.
    pub fn send_text(&self, text: String) -> Result<(), PeerError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(PeerError::TextTooLong { bytes: text.len() });
        }
        self.texts.try_send(TextOut::Text(text)).map_err(|error| {
            self.texts_refused.fetch_add(1, Ordering::Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => PeerError::TextQueueFull,
                mpsc::error::TrySendError::Closed(_) => PeerError::Closed,
            }
        })
    }

    /// Sends past our own limit, as another implementation may.
    #[cfg(test)]
    pub(super) fn send_unlimited(&self, text: String) -> Result<(), PeerError> {
        self.texts.try_send(TextOut::Text(text)).map_err(|_| PeerError::Closed)
    }

    /// Tells how well what is sent arrives.
    pub fn meter(&self) -> Meter {
        Meter { reception: Arc::clone(&self.reception), media: self.media.clone() }
    }

    pub fn counters(&self) -> PeerCounters {
        (self.counting())()
    }

    /// Reads the counters, also when the peer is elsewhere or gone.
    pub fn counting(&self) -> impl Fn() -> PeerCounters + Send + Sync + use<> {
        let (inbound, media, texts_refused) = (self.inbound.clone(), self.media.clone(), self.texts_refused.clone());
        let tracks_refused = self.tracks_refused.clone();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        move || {
            let out = media.counters();
            PeerCounters {
                audio_in: read(&inbound.audio_packets),
                audio_in_dropped: read(&inbound.audio_dropped),
                audio_out: read(&out.audio_packets),
                audio_out_dropped: read(&out.audio_dropped),
                pictures_out: read(&out.pictures),
                pictures_out_dropped: read(&out.pictures_dropped),
                send_errors: read(&out.send_errors),
                texts_refused: read(&texts_refused),
                tracks_refused: read(&tracks_refused),
            }
        }
    }

    /// Lets the call's queues be watched until they close.
    pub fn watch(&self, queues: &Queues) {
        queues.watch_channel("peer_events", self.events_in.clone());
        queues.watch_channel("texts", self.texts.downgrade());
        queues.watch_channel("tracks", self.tracks_in.clone());
        self.media.watch(queues);
    }

    /// Says goodbye on the wire and returns when no task and no socket of the call is left.
    pub async fn close(mut self) {
        self.media.stop();
        // The last words first: a goodbye that overtakes them would drop them.
        let (flush, flushed) = oneshot::channel();
        if self.texts.try_send(TextOut::Flush(flush)).is_ok() {
            let _ = tokio::time::timeout(FLUSH_DEADLINE, flushed).await;
        }
        self.stop.cancel();
        if let Err(error) = self.connection.close().await {
            tracing::debug!(%error, "closing a peer");
        }
        while self.tasks.join_next().await.is_some() {}
        self.closed = true;
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if self.closed {
            return;
        }
        self.media.stop();
        self.stop.cancel();
        // The driver holds the sockets and is detached from its handle: close it, also where close() was not called.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let connection = Arc::clone(&self.connection);
            runtime.spawn(async move { connection.close().await.ok() });
        }
    }
}

/// The local description once every local address is in it.
pub(super) async fn gathered_description(
    connection: &Arc<dyn PeerConnection>,
    signals: &Signals,
) -> Result<String, PeerError> {
    let mut gathering = signals.gathering.clone();
    let gathered = gathering.wait_for(|state| *state == RTCIceGatheringState::Complete);
    if !matches!(tokio::time::timeout(GATHERING_DEADLINE, gathered).await, Ok(Ok(_))) {
        return Err(PeerError::Transport("no local address could be gathered: check webrtc.bind".into()));
    }
    let description = connection.local_description().await;
    description.map(|it| it.sdp).ok_or_else(|| PeerError::Transport("the transport described nothing".into()))
}

/// A browser may offer to send video as well; nothing here looks at it.
async fn send_only(connection: &Arc<dyn PeerConnection>) -> Result<(), PeerError> {
    for transceiver in connection.get_transceivers().await {
        let Ok(Some(sender)) = transceiver.sender().await else { continue };
        if sender.track().kind().await == RtpCodecKind::Video {
            transceiver.set_direction(RTCRtpTransceiverDirection::Sendonly).await.map_err(PeerError::transport)?;
        }
    }
    Ok(())
}

/// A described connection, ready to be started.
pub(super) struct Parts {
    pub(super) connection: Arc<dyn PeerConnection>,
    pub(super) rtcp: Rtcp,
    pub(super) signals: Signals,
    pub(super) tracks: LocalTracks,
    /// The channel that this side created.
    pub(super) channel: Option<Arc<dyn DataChannel>>,
    /// Takes the other side's video; without it video is not looked at.
    pub(super) video_sink: Option<VideoSink>,
}
