//! The life of one connection: waits for its states, tracks and channels, keeps the tasks that serve them, and tells
//! the session. Ends with [`PeerEvent::Closed`], whichever side went.

use std::sync::Arc;
use std::time::Duration;

use rtc::peer_connection::state::RTCPeerConnectionState;
use rtc::peer_connection::transport::RTCDtlsTransportState;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::transport::DtlsTransport;

use super::caller::VideoSink;
use super::engine::Rtcp;
use super::inbound::{self, InboundCounters, TextOut};
use super::outbound::{MediaSender, Outbound};
use super::signals::{Arrival, Signals};
use super::tracks::LocalTracks;
use super::{CloseReason, EVENT_CHANNEL, PeerEvent};

/// A call that is not connected by then never will be: the browser's own checks have long given up.
const CONNECT_DEADLINE: Duration = Duration::from_secs(30);
/// How often the connection is asked whether the other side has said goodbye (DTLS close_notify): the crate's
/// connection state does not show it. A closing event channel asks at once.
const GOODBYE_INTERVAL: Duration = Duration::from_millis(500);

pub(super) struct Supervisor {
    events: mpsc::Sender<PeerEvent>,
    media: MediaSender,
    rtcp: Rtcp,
    /// Taken when media starts.
    tracks: Option<LocalTracks>,
    /// Taken by the first event channel.
    texts: Option<mpsc::Receiver<TextOut>>,
    pub(super) inbound: Arc<InboundCounters>,
    /// Takes the other side's video; without it video is not looked at.
    pub(super) video_sink: Option<VideoSink>,
    /// Known once connected.
    transport: Option<Arc<dyn DtlsTransport>>,
    channel_closed: Arc<Notify>,
    tasks: JoinSet<()>,
}

impl Supervisor {
    pub(super) fn new(
        events: mpsc::Sender<PeerEvent>,
        media: MediaSender,
        rtcp: Rtcp,
        tracks: LocalTracks,
        texts: mpsc::Receiver<TextOut>,
    ) -> Self {
        Self {
            events,
            media,
            rtcp,
            tracks: Some(tracks),
            texts: Some(texts),
            inbound: Arc::default(),
            video_sink: None,
            transport: None,
            channel_closed: Arc::new(Notify::new()),
            tasks: JoinSet::new(),
        }
    }

    /// Stops media and every task of the connection.
    pub(super) async fn finish(mut self) {
        self.media.stop();
        self.tasks.shutdown().await;
    }

    /// `own_channel` is the one that this side created. Returns after [`PeerEvent::Closed`] was delivered or when
    /// nobody reads events any more.
    pub(super) async fn run(&mut self, mut signals: Signals, own_channel: Option<Arc<dyn DataChannel>>) {
        if let Some(channel) = own_channel {
            self.arrived(Arrival::Channel(channel)).await;
        }
        let deadline = tokio::time::sleep(CONNECT_DEADLINE);
        tokio::pin!(deadline);
        let mut goodbye = tokio::time::interval(GOODBYE_INTERVAL);
        goodbye.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let reason = loop {
            tokio::select! {
                changed = signals.state.changed() => {
                    if changed.is_err() {
                        break CloseReason::Failed;
                    }
                    let state = *signals.state.borrow_and_update();
                    match state {
                        RTCPeerConnectionState::Connected if self.connected().await.is_err() => return,
                        RTCPeerConnectionState::Failed => break CloseReason::Failed,
                        RTCPeerConnectionState::Closed => break CloseReason::ByRemote,
                        _ => {}
                    }
                }
                Some(arrival) = signals.arrivals.recv() => self.arrived(arrival).await,
                () = self.rtcp.key_frame_wanted.notified() => {
                    if self.tracks.is_none() && self.events.send(PeerEvent::KeyFrameWanted).await.is_err() {
                        return;
                    }
                }
                () = &mut deadline, if self.tracks.is_some() => break CloseReason::Timeout,
                Some(_) = self.tasks.join_next() => {}
                () = wake(&mut goodbye, &self.channel_closed), if self.transport.is_some() => {
                    if self.other_side_left().await {
                        break CloseReason::ByRemote;
                    }
                }
            }
        };
        self.media.stop();
        // Whoever reads the events may have gone already.
        self.events.send(PeerEvent::Closed { reason }).await.ok();
    }

    async fn other_side_left(&self) -> bool {
        match &self.transport {
            Some(transport) => !matches!(transport.state().await, Ok(RTCDtlsTransportState::Connected)),
            None => false,
        }
    }

    async fn connected(&mut self) -> Result<(), mpsc::error::SendError<PeerEvent>> {
        let Some(tracks) = self.tracks.take() else { return Ok(()) };
        self.transport = tracks.audio.transport().await;
        let Some(audio) = tracks.audio.outbound().await else { return Ok(()) };
        let video = match tracks.video {
            Some(video) => video.outbound().await,
            None => None,
        };
        let outbound = Outbound {
            sender: self.media.clone(),
            clock: self.rtcp.clock,
            anchor: Arc::clone(&self.rtcp.anchor),
            audio,
            video,
        };
        self.tasks.spawn(outbound.run());
        self.media.start();
        self.events.send(PeerEvent::Connected).await?;
        self.rtcp.key_frame_wanted.notify_one();
        Ok(())
    }

    async fn arrived(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Track(track) => {
                if track.kind().await == RtpCodecKind::Audio {
                    self.tasks.spawn(inbound::read_audio(track, self.events.clone(), Arc::clone(&self.inbound)));
                } else if let Some(sink) = self.video_sink.take() {
                    self.tasks.spawn(sink.run(track));
                }
            }
            Arrival::Channel(channel) => {
                let label = channel.label().await.unwrap_or_default();
                let texts = if label == EVENT_CHANNEL { self.texts.take() } else { None };
                let Some(texts) = texts else {
                    tracing::debug!(label, "a data channel that nobody here listens to");
                    self.tasks.spawn(inbound::drain_channel(channel));
                    return;
                };
                let opened = Arc::new(Notify::new());
                self.tasks.spawn(inbound::write_channel(Arc::clone(&channel), Arc::clone(&opened), texts));
                self.tasks.spawn(inbound::read_channel(
                    channel,
                    opened,
                    Arc::clone(&self.channel_closed),
                    self.events.clone(),
                ));
            }
        }
    }
}

async fn wake(interval: &mut tokio::time::Interval, now: &Notify) {
    tokio::select! {
        _ = interval.tick() => {}
        () = now.notified() => {}
    }
}
