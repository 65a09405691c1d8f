//! What each call's connection does: gauges that are there as long as the call is, and totals that outlive it.
//!
//! The connection is looked at when the metrics are asked for, and once more when the call ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use prometheus::{GaugeVec, IntCounter};

use super::families::Families;
use super::queues::Queues;
use crate::clock;
use crate::peer::{PeerCounters, Quality};

/// Characters of a call's id that are shown, enough to find the call in the log: who knows the whole id can end it.
const SHOWN: usize = 6;
/// A rate is told over at least so long.
const SHORTEST: Duration = Duration::from_secs(1);

/// A call's connection at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Connection {
    pub counters: PeerCounters,
    pub quality: Quality,
}

type Look = Box<dyn Fn() -> Connection + Send + Sync>;

pub(super) struct Calls {
    running: Mutex<Vec<Weak<Running>>>,
    gauges: Gauges,
    frames_sent: IntCounter,
    audio_sent: IntCounter,
    audio_received: IntCounter,
    send_errors: IntCounter,
    queues: Arc<Queues>,
}

struct Gauges {
    round_trip: GaugeVec,
    loss: GaugeVec,
    jitter: GaugeVec,
    frames: GaugeVec,
}

/// Watches a call's connection until it is dropped; then the call's gauges are gone.
pub struct WatchedCall(Arc<Running>);

struct Running {
    label: String,
    look: Look,
    /// None after the call's end.
    seen: Mutex<Option<Seen>>,
    calls: Arc<Calls>,
}

struct Seen {
    counters: PeerCounters,
    /// Where the frame rate is counted from.
    pictures: u64,
    since: Instant,
}

impl Calls {
    pub(super) fn new(make: &mut Families, queues: Arc<Queues>) -> Self {
        Self {
            running: Mutex::default(),
            gauges: Gauges {
                round_trip: make.measures(
                    "visavis_call_round_trip_seconds",
                    "To the other side and back, as it reported last",
                    &["call"],
                ),
                loss: make.measures(
                    "visavis_call_loss_ratio",
                    "Share of sent packets that the other side missed, as it reported last",
                    &["call"],
                ),
                jitter: make.measures(
                    "visavis_call_jitter_seconds",
                    "Unevenness of the packets' arrival at the other side, as it reported last",
                    &["call"],
                ),
                frames: make.measures(
                    "visavis_call_frames_per_second",
                    "Pictures sent to the call since the metrics were last asked for",
                    &["call"],
                ),
            },
            frames_sent: make.counter("visavis_frames_sent_total", "Pictures sent to calls"),
            audio_sent: make.counter("visavis_audio_packets_sent_total", "Packets of sound sent to calls"),
            audio_received: make
                .counter("visavis_audio_packets_received_total", "Packets of sound that came from calls"),
            send_errors: make.counter("visavis_send_errors_total", "Packets that the transport refused"),
            queues,
        }
    }

    pub(super) fn watch(self: &Arc<Self>, id: &str, look: Look) -> WatchedCall {
        let random = id.rsplit('_').next().unwrap_or(id);
        let running = Arc::new(Running {
            label: random.chars().take(SHOWN).collect(),
            look,
            seen: Mutex::new(Some(Seen { counters: PeerCounters::default(), pictures: 0, since: clock::now() })),
            calls: self.clone(),
        });
        self.running().push(Arc::downgrade(&running));
        WatchedCall(running)
    }

    pub(super) fn sample(&self) {
        // Whoever ends meanwhile takes itself off the list: that must not wait for us.
        let running: Vec<_> = self.running().iter().filter_map(Weak::upgrade).collect();
        for call in running {
            call.sample(clock::now());
        }
    }

    fn running(&self) -> MutexGuard<'_, Vec<Weak<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn sample(&self, now: Instant) {
        let mut seen = self.seen();
        let Some(seen) = &mut *seen else { return };
        let connection = (self.look)();
        self.count(&mut seen.counters, &connection.counters);
        let Gauges { round_trip, loss, jitter, frames } = &self.calls.gauges;
        let label = [&*self.label];
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        let told = [
            (round_trip, seconds(connection.quality.round_trip)),
            (loss, connection.quality.loss.map(f64::from)),
            (jitter, seconds(connection.quality.jitter)),
        ];
        for (gauge, value) in told {
            if let Some(value) = value {
                gauge.with_label_values(&label).set(value);
            }
        }
        let past = now.saturating_duration_since(seen.since);
        if past >= SHORTEST {
            let pictures = connection.counters.pictures_out;
            let rate = pictures.saturating_sub(seen.pictures) as f64 / past.as_secs_f64();
            frames.with_label_values(&label).set(rate);
            (seen.pictures, seen.since) = (pictures, now);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Option<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what is new to the totals.
    fn count(&self, before: &mut PeerCounters, counters: &PeerCounters) {
        let Calls { frames_sent, audio_sent, audio_received, send_errors, queues, .. } = &*self.calls;
        let new = |of: fn(&PeerCounters) -> u64| of(counters).saturating_sub(of(before));
        frames_sent.inc_by(new(|of| of.pictures_out));
        audio_sent.inc_by(new(|of| of.audio_out));
        audio_received.inc_by(new(|of| of.audio_in));
        send_errors.inc_by(new(|of| of.send_errors));
        queues.dropped_many("peer_events", new(|of| of.audio_in_dropped));
        queues.dropped_many("audio_out", new(|of| of.audio_out_dropped));
        queues.dropped_many("pictures_out", new(|of| of.pictures_out_dropped));
        queues.dropped_many("texts", new(|of| of.texts_refused));
        queues.dropped_many("tracks", new(|of| of.tracks_refused));
        *before = *counters;
    }
}

impl Drop for WatchedCall {
    fn drop(&mut self) {
        let Self(call) = self;
        let mut seen = call.seen();
        if let Some(mut seen) = seen.take() {
            call.count(&mut seen.counters, &(call.look)().counters);
        }
        let Gauges { round_trip, loss, jitter, frames } = &call.calls.gauges;
        for gauge in [round_trip, loss, jitter, frames] {
            // Not every gauge was ever set.
            let _ = gauge.remove_label_values(&[&*call.label]);
        }
        call.calls
            .running()
            .retain(|running| running.strong_count() > 0 && !std::ptr::eq(running.as_ptr(), &raw const **call));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use prometheus::core::Collector;

    use super::*;

    fn labels(gauge: &GaugeVec) -> Vec<String> {
        let metrics = gauge.collect().into_iter().flat_map(|family| family.get_metric().to_vec());
        metrics.map(|metric| metric.get_label()[0].value().to_owned()).collect()
    }

    #[test]
    fn gauges_end_with_their_call_and_totals_go_on() {
        let mut make = Families::default();
        let queues = Arc::new(Queues::new(&mut make));
        let calls = Arc::new(Calls::new(&mut make, queues));
        let pictures = Arc::new(AtomicU64::new(0));
        let sent = pictures.clone();
        let look = move || Connection {
            counters: PeerCounters { pictures_out: sent.load(Ordering::Relaxed), ..PeerCounters::default() },
            quality: Quality { loss: Some(0.25), ..Quality::default() },
        };
        let call = calls.watch("rtc_abcdefghijkl", Box::new(look.clone()));
        let other = calls.watch("rtc_ABCDEFGHIJKL", Box::new(look));
        pictures.store(50, Ordering::Relaxed);
        let since = call.0.seen().as_ref().map(|seen| seen.since).unwrap();
        call.0.sample(since + Duration::from_secs(2));
        assert_eq!(calls.gauges.frames.with_label_values(&["abcdef"]).get(), 25.0);
        assert_eq!(calls.gauges.loss.with_label_values(&["abcdef"]).get(), 0.25);
        assert!(labels(&calls.gauges.round_trip).is_empty(), "nothing was reported");
        calls.sample();
        assert_eq!(calls.frames_sent.get(), 100);
        pictures.store(60, Ordering::Relaxed);
        let ended = call.0.clone();
        drop(call);
        ended.sample(clock::now());
        assert_eq!((labels(&calls.gauges.loss), labels(&calls.gauges.frames)), (vec!["ABCDEF".to_owned()], vec![]));
        assert_eq!(calls.frames_sent.get(), 110, "what was sent after the last look counts too");
        drop(other);
        assert_eq!((calls.frames_sent.get(), calls.running().len()), (120, 0));
    }
}
