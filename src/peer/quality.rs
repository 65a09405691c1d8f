//! How well what is sent arrives: round trip, loss and jitter as the other side reports them (RFC 3550 section 6.4.1), and
//! pictures a second as they leave.
//!
//! PURE: times are arguments. The interceptor that writes the sender reports, which the other side's answer, fills it in;
//! anybody may read it through a [`Meter`].

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rtc::rtcp::reception_report::ReceptionReport;

use super::outbound::MediaSender;

/// Fractions of a second in an NTP time's middle 32 bits.
const NTP_HZ: u32 = 65_536;

/// The state of a connection; what nobody has reported yet is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    pub round_trip: Option<Duration>,
    /// Of the packets since the report before, the share that did not arrive, 0 to 1; of the stream that lost most.
    pub loss: Option<f32>,
    /// Of the sound's packets; those of a picture leave one after the other under one time, which would count as jitter.
    pub jitter: Option<Duration>,
    /// Pictures that left in the last second.
    pub frames_per_second: Option<f32>,
    /// Pictures that left when the next one was due already.
    pub late_frames: u64,
}

/// Which of the streams that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    Audio,
    Video,
}

/// What is known of the streams that are sent.
#[derive(Debug, Default)]
pub(super) struct Reception {
    streams: HashMap<u32, Stream>,
    round_trip: Option<Duration>,
    pictures: u32,
    /// When pictures were last counted.
    counted: Option<Instant>,
    frames_per_second: Option<f32>,
}

#[derive(Debug)]
struct Stream {
    medium: Medium,
    clock_rate: u32,
    /// Loss, and jitter in ticks of the clock rate.
    reported: Option<(f32, u32)>,
}

impl Reception {
    pub(super) fn bind(&mut self, ssrc: u32, medium: Medium, clock_rate: u32) {
        self.streams.insert(ssrc, Stream { medium, clock_rate: clock_rate.max(1), reported: None });
    }

    pub(super) fn unbind(&mut self, ssrc: u32) {
        self.streams.remove(&ssrc);
    }

    /// The other side's report of a stream came in at `arrival`, an NTP time by the clock of our sender reports; `None`:
    /// there was none of them yet. What is not ours is passed over.
    pub(super) fn reported(&mut self, report: &ReceptionReport, arrival: Option<u64>) {
        let Some(stream) = self.streams.get_mut(&report.ssrc) else { return };
        stream.reported = Some((f32::from(report.fraction_lost) / 256.0, report.jitter));
        if let Some(arrival) = arrival.filter(|_| report.last_sender_report != 0) {
            self.round_trip = Some(round_trip((arrival >> 16) as u32, report.last_sender_report, report.delay));
        }
    }

    /// The last packet of a picture left.
    pub(super) fn picture(&mut self) {
        self.pictures += 1;
    }

    /// Counts the pictures since the last time.
    pub(super) fn count(&mut self, now: Instant) {
        let pictures = std::mem::take(&mut self.pictures);
        if let Some(since) = self.counted.replace(now) {
            let seconds = now.saturating_duration_since(since).as_secs_f32();
            let has_video = self.streams.values().any(|stream| stream.medium == Medium::Video);
            self.frames_per_second = (has_video && seconds > 0.0).then(|| pictures as f32 / seconds);
        }
    }

    fn quality(&self) -> Quality {
        let reported = |medium| {
            let of = move |stream: &&Stream| medium == stream.medium;
            self.streams.values().filter(of).find_map(|stream| Some((stream, stream.reported?)))
        };
        let (audio, video) = (reported(Medium::Audio), reported(Medium::Video));
        let losses = [audio, video].into_iter().flatten().map(|(_, (loss, _))| loss);
        let jitter = |(stream, (_, ticks)): (&Stream, (f32, u32))| {
            Duration::from_secs_f64(f64::from(ticks) / f64::from(stream.clock_rate))
        };
        Quality {
            round_trip: self.round_trip,
            loss: losses.reduce(f32::max),
            jitter: audio.map(jitter),
            frames_per_second: self.frames_per_second,
            late_frames: 0,
        }
    }
}

/// Arrival, less when the report that is answered left, less how long the other side sat on it: all in 1/65536 s of the
/// same clock. One that comes out below nothing, by rounding, is nothing.
fn round_trip(arrival: u32, last_sender_report: u32, delay: u32) -> Duration {
    let ticks = arrival.wrapping_sub(last_sender_report).wrapping_sub(delay);
    let ticks = if ticks > u32::MAX / 2 { 0 } else { ticks };
    Duration::from_secs_f64(f64::from(ticks) / f64::from(NTP_HZ))
}

/// Reads a connection's quality; stays of use when the connection is gone.
#[derive(Clone)]
pub struct Meter {
    pub(super) reception: Arc<Mutex<Reception>>,
    pub(super) media: MediaSender,
}

impl Meter {
    pub fn read(&self) -> Quality {
        let quality = self.reception.lock().unwrap_or_else(PoisonError::into_inner).quality();
        let late_frames = self.media.counters().pictures_late.load(Ordering::Relaxed);
        Quality { late_frames, ..quality }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(ssrc: u32, fraction_lost: u8, jitter: u32) -> ReceptionReport {
        ReceptionReport { ssrc, fraction_lost, jitter, ..Default::default() }
    }

    #[test]
    fn the_round_trip_is_that_of_the_example_in_the_rfc() {
        // RFC 3550 figure 2: A = b710:8000, LSR = b705:2000, DLSR = 0005:4000, in between 6.125 s.
        assert_eq!(round_trip(0xb710_8000, 0xb705_2000, 0x0005_4000), Duration::from_millis(6125));
        assert_eq!(round_trip(0x0000_8000, 0xffff_8000, 0x0000_4000), Duration::from_millis(750), "over the wrap");
        assert_eq!(round_trip(0x0001_0000, 0x0000_8000, 0x0000_8001), Duration::ZERO, "rounded below nothing");

        let mut reception = Reception::default();
        reception.bind(7, Medium::Audio, 48_000);
        let answered =
            ReceptionReport { ssrc: 7, last_sender_report: 0xb705_2000, delay: 0x0005_4000, ..Default::default() };
        // The SR of the figure left at b44d:b705:2000:0000.
        reception.reported(&answered, Some(0xb44d_b710_8000_0000));
        assert_eq!(reception.quality().round_trip, Some(Duration::from_millis(6125)));
    }

    #[test]
    fn a_report_before_any_of_ours_tells_no_round_trip() {
        let mut reception = Reception::default();
        reception.bind(7, Medium::Audio, 48_000);
        reception.reported(&report(7, 0, 0), Some(5 << 32));
        reception.reported(&ReceptionReport { last_sender_report: 9, ..report(7, 0, 0) }, None);
        assert_eq!(reception.quality().round_trip, None);
    }

    #[test]
    fn loss_is_that_of_the_worse_stream_and_jitter_the_sounds() {
        let mut reception = Reception::default();
        reception.bind(1, Medium::Audio, 48_000);
        reception.bind(2, Medium::Video, 90_000);
        assert_eq!(reception.quality(), Quality::default());
        reception.reported(&report(1, 0, 480), None);
        reception.reported(&report(2, 64, 9000), None);
        reception.reported(&report(3, 255, 1), None);
        let quality = reception.quality();
        assert_eq!((quality.loss, quality.jitter), (Some(0.25), Some(Duration::from_millis(10))));
        reception.unbind(2);
        assert_eq!(reception.quality().loss, Some(0.0));
    }

    #[test]
    fn pictures_are_counted_over_the_time_between_two_looks() {
        let start = tokio::time::Instant::now().into_std();
        let mut reception = Reception::default();
        reception.bind(2, Medium::Video, 90_000);
        (0..40).for_each(|_| reception.picture());
        reception.count(start);
        assert_eq!(reception.quality().frames_per_second, None, "since when is not known");
        (0..25).for_each(|_| reception.picture());
        reception.count(start + Duration::from_millis(1250));
        assert_eq!(reception.quality().frames_per_second, Some(20.0));
        reception.count(start + Duration::from_millis(2250));
        assert_eq!(reception.quality().frames_per_second, Some(0.0));
    }
}
