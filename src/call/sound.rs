//! The sound that came back, placed at its RTP time so that gaps show, and when it can be heard. Measures only;
//! nothing is concealed.

use std::ops::Range;

use bytes::Bytes;
use serde::Serialize;

use super::gaps::Gaps;
use super::microphone::rms;
use crate::audio::{AudioError, Due, OpusDecoder, Reorder, SoundPacket};
use crate::media::{AUDIO_FRAME, MEDIA_HZ};

/// A window with more energy than this is audible (-40 dBFS).
const AUDIBLE: f64 = 328.0;
/// How finely the beginning and the end of what is audible are placed: 5 ms.
const WINDOW: usize = MEDIA_HZ as usize / 200;
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

/// When the first and the last audible sample of what came can be heard: the arrival of the packet that holds the
/// sample, and its place within the packet. Milliseconds of the call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Audible {
    pub(super) first_ms: f64,
    pub(super) last_ms: f64,
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

    /// Appends the packets that became due to `pcm`, and tells what can be heard of them.
    pub(super) fn push(&mut self, now_ms: f64, sequence: u16, timestamp: u32, payload: Bytes) -> Option<Audible> {
        self.arrivals.push(now_ms);
        self.report.packets += 1;
        let mut due = std::mem::take(&mut self.due);
        self.reorder.push(SoundPacket { sequence, timestamp, payload }, &mut due);
        let mut heard: Option<Audible> = None;
        for one in due.drain(..) {
            let packet = self.place(one);
            let Some(samples) = audible(&self.pcm[packet]) else { continue };
            let at_ms = |sample: usize| now_ms + sample as f64 * 1000.0 / f64::from(MEDIA_HZ);
            let first_ms = heard.map_or(at_ms(samples.start), |heard| heard.first_ms);
            heard = Some(Audible { first_ms, last_ms: at_ms(samples.end) });
        }
        self.due = due;
        heard
    }

    /// Where the packet's own samples are in `pcm`.
    fn place(&mut self, due: Due) -> Range<usize> {
        self.report.lost += u64::from(due.lost_before);
        if due.packet.payload.is_empty() {
            return self.pcm.len()..self.pcm.len();
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
        before..self.pcm.len()
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

/// From the first to the last audible window.
fn audible(pcm: &[i16]) -> Option<Range<usize>> {
    let loud = |window: &[i16]| rms(window) > AUDIBLE;
    let first = pcm.chunks(WINDOW).position(loud)?;
    let last = pcm.chunks(WINDOW).rposition(loud)?;
    Some(first * WINDOW..((last + 1) * WINDOW).min(pcm.len()))
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
            assert_eq!(sound.push(f64::from(n) * 20.0, n, u32::from(n) * 960 + skipped, payload), None);
        }
        let report = sound.report();
        assert_eq!((report.gaps, report.longest_gap_ms, sound.pcm.len()), (1, 100.0, 100 * AUDIO_FRAME + 4_800));
        assert_eq!(report.arrival_gap_p95_ms, 20.0);
    }

    #[test]
    fn what_is_audible_is_placed_within_its_packet() {
        let mut packet = [0; AUDIO_FRAME];
        assert_eq!(audible(&packet), None);
        packet[2 * WINDOW..3 * WINDOW].fill(1_000);
        assert_eq!(audible(&packet), Some(2 * WINDOW..3 * WINDOW));
        // -46 dBFS is the hum of a quiet answer, not its voice.
        packet[..WINDOW].fill(160);
        assert_eq!(audible(&packet), Some(2 * WINDOW..3 * WINDOW));
        packet[..WINDOW].fill(400);
        assert_eq!(audible(&packet), Some(0..3 * WINDOW));
    }

    #[test]
    fn a_tone_is_heard_from_its_first_to_its_last_packet() {
        let mut encoder = OpusEncoder::new().unwrap();
        let mut sound = ReceivedSound::new().unwrap();
        // A tone from 213 ms to 413 ms, each packet arriving 30 ms after its first sample was spoken.
        let tone = |sample: usize| match (10_224..19_824).contains(&sample) {
            true => ((sample as f64 * 440.0 / 48_000.0 * std::f64::consts::TAU).sin() * 8_000.0) as i16,
            false => 0,
        };
        let mut heard = Vec::new();
        for n in 0..30u16 {
            let frame: [i16; AUDIO_FRAME] = std::array::from_fn(|sample| tone(usize::from(n) * AUDIO_FRAME + sample));
            let payload = encoder.encode(&frame).unwrap();
            heard.extend(sound.push(f64::from(n) * 20.0 + 30.0, n, u32::from(n) * 960, payload));
        }
        let (first, last) = (heard[0].first_ms, heard[heard.len() - 1].last_ms);
        // Opus itself delays by 6.5 ms, and a tone that is cut off rings on for about 20 ms.
        assert!((243.0..=255.0).contains(&first), "heard from {first} ms on");
        assert!((443.0..=475.0).contains(&last), "heard up to {last} ms");
    }
}
