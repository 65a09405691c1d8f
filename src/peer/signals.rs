//! The connection's callbacks as things that can be awaited. They run on the transport's own driver, so they only pass
//! on and never wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rtc::peer_connection::state::{RTCIceGatheringState, RTCPeerConnectionState};
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::PeerConnectionEventHandler;

/// Tracks and channels that wait to be looked at. A browser brings one of each.
const ARRIVALS: usize = 16;

/// Something that the other side opened.
pub(super) enum Arrival {
    Track(Arc<dyn TrackRemote>),
    Channel(Arc<dyn DataChannel>),
}

/// What the callbacks say.
pub(super) struct Signals {
    pub(super) gathering: watch::Receiver<RTCIceGatheringState>,
    pub(super) state: watch::Receiver<RTCPeerConnectionState>,
    pub(super) arrivals: mpsc::Receiver<Arrival>,
    pub(super) arrivals_in: mpsc::WeakSender<Arrival>,
    /// Arrivals that found no room.
    pub(super) refused: Arc<AtomicU64>,
}

struct Handler {
    gathering: watch::Sender<RTCIceGatheringState>,
    state: watch::Sender<RTCPeerConnectionState>,
    arrivals: mpsc::Sender<Arrival>,
    refused: Arc<AtomicU64>,
}

pub(super) fn handler() -> (Arc<dyn PeerConnectionEventHandler>, Signals) {
    let (gathering, gathering_seen) = watch::channel(RTCIceGatheringState::default());
    let (state, state_seen) = watch::channel(RTCPeerConnectionState::default());
    let (arrivals, arrivals_seen) = mpsc::channel(ARRIVALS);
    let refused = Arc::new(AtomicU64::default());
    let signals = Signals {
        gathering: gathering_seen,
        state: state_seen,
        arrivals: arrivals_seen,
        arrivals_in: arrivals.downgrade(),
        refused: refused.clone(),
    };
    (Arc::new(Handler { gathering, state, arrivals, refused }), signals)
}

impl Handler {
    fn arrived(&self, arrival: Arrival) {
        if self.arrivals.try_send(arrival).is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("more than {ARRIVALS} tracks and channels at once: the rest is ignored");
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathering.send_replace(state);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::debug!(%state, "peer connection");
        self.state.send_replace(state);
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.arrived(Arrival::Channel(channel));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.arrived(Arrival::Track(track));
    }
}
