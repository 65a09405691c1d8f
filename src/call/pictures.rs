//! The pictures that came back: when, how large, and how evenly. Measures only; nothing is decoded.

use serde::Serialize;

use super::gaps::Gaps;

/// The received pictures in numbers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VideoReport {
    pub pictures: u64,
    pub key_frames: u64,
    /// From the first to the last picture.
    pub seconds: f64,
    /// Over that time.
    pub fps: f64,
    pub gap_p50_ms: f64,
    pub gap_p95_ms: f64,
    pub gap_max_ms: f64,
    /// Every gap, for whoever puts several calls together.
    #[serde(skip)]
    pub gaps_ms: Vec<f64>,
    /// Steps of RTP time that are not one frame of 40 ms.
    pub uneven_rtp_steps: u64,
    pub lost_packets: u64,
    pub kilobits_per_second: f64,
    pub largest_picture_bytes: usize,
}

#[derive(Default)]
pub(super) struct ReceivedVideo {
    arrivals: Gaps,
    bytes: u64,
    last_timestamp: Option<u32>,
    report: VideoReport,
}

impl ReceivedVideo {
    pub(super) fn push(&mut self, now_ms: f64, timestamp: u32, size: usize, key_frame: bool, lost_packets: u64) {
        self.arrivals.push(now_ms);
        self.report.pictures += 1;
        self.report.key_frames += u64::from(key_frame);
        self.report.lost_packets = lost_packets;
        self.report.largest_picture_bytes = self.report.largest_picture_bytes.max(size);
        self.bytes += size as u64;
        let step = 90_000 / crate::media::VIDEO_FPS;
        if self.last_timestamp.is_some_and(|last| timestamp.wrapping_sub(last) != step) {
            self.report.uneven_rtp_steps += 1;
        }
        self.last_timestamp = Some(timestamp);
    }

    pub(super) fn report(&self) -> VideoReport {
        let seconds = self.arrivals.span_ms() / 1000.0;
        let per_second = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
        VideoReport {
            seconds,
            fps: per_second(self.report.pictures.saturating_sub(1) as f64),
            gap_p50_ms: self.arrivals.percentile(50),
            gap_p95_ms: self.arrivals.percentile(95),
            gap_max_ms: self.arrivals.percentile(100),
            gaps_ms: self.arrivals.all_ms(),
            kilobits_per_second: per_second(self.bytes as f64 * 8.0 / 1000.0),
            ..self.report.clone()
        }
    }
}
