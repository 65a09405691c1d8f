//! What came back: sound placed at its RTP time, so that gaps show, and pictures with their arrival. Measures only;
//! nothing is concealed.

use bytes::Bytes;
use serde::Serialize;

use super::microphone::rms;
use crate::audio::{AudioError, Due, OpusDecoder, Reorder, SoundPacket};
use crate::media::{AUDIO_FRAME, MEDIA_HZ};

/// 20 ms with more energy than this are audible (-40 dBFS).
const AUDIBLE: f64 = 328.0;
/// A jump of RTP time beyond this is a new clock, not a gap to be drawn.
const MAX_DRAWN_GAP: u32 = MEDIA_HZ * 60;

/// The received sound in numbers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AudioReport {
    pub packets: u64,
    /// Missing sequence numbers.
    pub lost: u64,
    /// Places where RTP time jumps over samples.
    pub gaps: u64,
    pub longest_gap_ms: f64,
    pub seconds: f64,
    /// Time between arrivals of packets.
    pub arrival_gap_p95_ms: f64,
    pub arrival_gap_max_ms: f64,
}

pub(super) struct ReceivedSound {
    reorder: Reorder,
    decoder: OpusDecoder,
    start: Option<u32>,
    pub(super) pcm: Vec<i16>,
    due: Vec<Due>,
    arrivals: Gaps,
    report: AudioReport,
}

impl ReceivedSound {
    pub(super) fn new() -> Result<Self, AudioError> {
        Ok(Self {
            reorder: Reorder::default(),
            decoder: OpusDecoder::new()?,
            start: None,
            pcm: Vec::new(),
            due: Vec::new(),
            arrivals: Gaps::default(),
            report: AudioReport::default(),
        })
    }

    /// True if the packets that became due can be heard.
    pub(super) fn push(&mut self, now_ms: f64, sequence: u16, timestamp: u32, payload: Bytes) -> bool {
        self.arrivals.push(now_ms);
        self.report.packets += 1;
        let mut due = std::mem::take(&mut self.due);
        self.reorder.push(SoundPacket { sequence, timestamp, payload }, &mut due);
        let mut audible = false;
        for one in due.drain(..) {
            audible |= self.place(one);
        }
        self.due = due;
        audible
    }

    fn place(&mut self, due: Due) -> bool {
        self.report.lost += u64::from(due.lost_before);
        if due.packet.payload.is_empty() {
            return false;
        }
        let start = *self.start.get_or_insert(due.packet.timestamp);
        let gap = due.packet.timestamp.wrapping_sub(start.wrapping_add(self.pcm.len() as u32));
        if gap > 0 && gap < MAX_DRAWN_GAP {
            self.report.gaps += 1;
            self.report.longest_gap_ms = self.report.longest_gap_ms.max(f64::from(gap) / 48.0);
            self.pcm.resize(self.pcm.len() + gap as usize, 0);
        } else if gap != 0 {
            self.start = Some(due.packet.timestamp.wrapping_sub(self.pcm.len() as u32));
        }
        let before = self.pcm.len();
        if self.decoder.decode(&due.packet.payload, &mut self.pcm).is_err() {
            self.pcm.resize(before + AUDIO_FRAME, 0);
        }
        rms(&self.pcm[before..]) > AUDIBLE
    }

    pub(super) fn report(&self) -> AudioReport {
        AudioReport {
            seconds: self.pcm.len() as f64 / f64::from(MEDIA_HZ),
            arrival_gap_p95_ms: self.arrivals.percentile(95),
            arrival_gap_max_ms: self.arrivals.percentile(100),
            ..self.report.clone()
        }
    }
}

/// The received pictures in numbers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VideoReport {
    pub pictures: u64,
    pub key_frames: u64,
    /// Over the time from the first to the last picture.
    pub fps: f64,
    pub gap_p50_ms: f64,
    pub gap_p95_ms: f64,
    pub gap_max_ms: f64,
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
            fps: per_second(self.report.pictures.saturating_sub(1) as f64),
            gap_p50_ms: self.arrivals.percentile(50),
            gap_p95_ms: self.arrivals.percentile(95),
            gap_max_ms: self.arrivals.percentile(100),
            kilobits_per_second: per_second(self.bytes as f64 * 8.0 / 1000.0),
            ..self.report.clone()
        }
    }
}

/// Times between arrivals.
#[derive(Default)]
struct Gaps {
    first: Option<f64>,
    last: Option<f64>,
    gaps: Vec<f64>,
}

impl Gaps {
    fn push(&mut self, now_ms: f64) {
        if let Some(last) = self.last {
            self.gaps.push(now_ms - last);
        }
        self.first.get_or_insert(now_ms);
        self.last = Some(now_ms);
    }

    fn span_ms(&self) -> f64 {
        self.last.zip(self.first).map_or(0.0, |(last, first)| last - first)
    }

    /// Nearest rank; 0 without any gap.
    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.gaps.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
        sorted.get(rank).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::OpusEncoder;

    #[test]
    fn a_missing_stretch_of_time_shows_in_the_recording() {
        let mut encoder = OpusEncoder::new().unwrap();
        let mut sound = ReceivedSound::new().unwrap();
        for n in 0..100u16 {
            let skipped = if n < 50 { 0 } else { 4_800 };
            let payload = encoder.encode(&[0; AUDIO_FRAME]).unwrap();
            assert!(!sound.push(f64::from(n) * 20.0, n, u32::from(n) * 960 + skipped, payload));
        }
        let report = sound.report();
        assert_eq!((report.gaps, report.longest_gap_ms, sound.pcm.len()), (1, 100.0, 100 * AUDIO_FRAME + 4_800));
        assert_eq!(report.arrival_gap_p95_ms, 20.0);
    }
}
