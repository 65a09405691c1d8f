//! A caller's microphone: packets as they come in, continuous 48 kHz sound out. Every sample of media time between
//! two packets is filled: from the copy that the next packet carries, by concealment, or with silence.

use bytes::Bytes;

use super::codec::CONCEAL_STEP;
use super::reorder::{Due, Reorder, SoundPacket};
use super::{AudioError, OpusDecoder};
use crate::media::{AUDIO_FRAME, MEDIA_HZ};

/// Gaps up to this length are concealed (200 ms); longer ones would only buzz.
const MAX_CONCEALED: u32 = MEDIA_HZ / 5;
/// Longer gaps become silence of at most this length (1 s): a jump of the clock is not an hour of silence.
const MAX_SILENCE: u32 = MEDIA_HZ;

/// What came and what was lost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboundCounters {
    pub packets: u64,
    /// Packets that never came in time.
    pub lost: u64,
    /// Of these, the ones for which the next packet held a copy.
    pub recovered: u64,
    /// Samples made up, in ticks of 48 kHz.
    pub concealed_ticks: u64,
    /// Samples of silence put in.
    pub silent_ticks: u64,
    pub late: u64,
    pub duplicates: u64,
    /// Jumps of the stream's clock or sequence.
    pub resyncs: u64,
    pub undecodable: u64,
}

pub struct Inbound {
    reorder: Reorder,
    decoder: OpusDecoder,
    /// RTP time at which the next sample of `out` belongs.
    expected: Option<u32>,
    /// Length of the last packet, for those that cannot be read.
    last_length: usize,
    due: Vec<Due>,
    counters: InboundCounters,
}

impl Inbound {
    pub fn new() -> Result<Self, AudioError> {
        Ok(Self {
            reorder: Reorder::default(),
            decoder: OpusDecoder::new()?,
            expected: None,
            last_length: AUDIO_FRAME,
            due: Vec::new(),
            counters: InboundCounters::default(),
        })
    }

    /// Takes one packet and appends the sound that became due: none while an earlier packet is waited for.
    pub fn push(&mut self, sequence: u16, timestamp: u32, payload: Bytes, out: &mut Vec<i16>) {
        self.counters.packets += 1;
        let mut due = std::mem::take(&mut self.due);
        self.reorder.push(SoundPacket { sequence, timestamp, payload }, &mut due);
        for one in due.drain(..) {
            self.play(one, out);
        }
        self.due = due;
    }

    pub fn counters(&self) -> InboundCounters {
        InboundCounters { late: self.reorder.late, duplicates: self.reorder.duplicates, ..self.counters }
    }

    fn play(&mut self, due: Due, out: &mut Vec<i16>) {
        let payload = &due.packet.payload;
        self.counters.lost += u64::from(due.lost_before);
        // Padding only (RFC 3550 section 5.1): a place in the sequence without sound.
        if payload.is_empty() {
            return;
        }
        let length = self.decoder.length(payload).unwrap_or(self.last_length);
        if let Some(expected) = self.expected {
            // Two's complement: a packet may also lie before what was played.
            let gap = due.packet.timestamp.wrapping_sub(expected) as i32;
            if due.restarted || gap < 0 {
                self.counters.resyncs += 1;
            } else if gap > 0 {
                self.bridge(gap as u32, due.lost_before, payload, length, out);
            }
        }
        match self.decoder.decode(payload, out) {
            Ok(count) => self.last_length = count,
            Err(_) => {
                self.counters.undecodable += 1;
                self.decoder.conceal(length, out);
            }
        }
        self.expected = Some(due.packet.timestamp.wrapping_add(self.last_length as u32));
    }

    /// Fills `gap` samples before `payload`.
    fn bridge(&mut self, gap: u32, lost: u32, payload: &[u8], length: usize, out: &mut Vec<i16>) {
        if gap > MAX_CONCEALED {
            let silence = gap.min(MAX_SILENCE);
            self.counters.resyncs += u64::from(gap > MAX_SILENCE);
            self.counters.silent_ticks += u64::from(silence);
            out.resize(out.len() + silence as usize, 0);
            return;
        }
        let gap = gap as usize;
        // Only the last of several lost packets has a copy; the rest is made up in steps of one frame.
        let copied = if lost > 0 { length.min(gap) } else { 0 };
        let mut left = gap - copied;
        while left > 0 {
            let step = left.min(AUDIO_FRAME.max(CONCEAL_STEP));
            self.decoder.conceal(step, out);
            left -= step;
        }
        if copied > 0 {
            self.decoder.recover(payload, copied, out);
            self.counters.recovered += 1;
        }
        self.counters.concealed_ticks += (gap - copied) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::OpusEncoder;

    const FRAMES: u32 = 500;

    fn sine(frame: u32) -> Vec<i16> {
        (0..AUDIO_FRAME as u32)
            .map(|n| {
                let seconds = f64::from(frame * AUDIO_FRAME as u32 + n) / f64::from(MEDIA_HZ);
                ((seconds * 440.0 * std::f64::consts::TAU).sin() * 8000.0) as i16
            })
            .collect()
    }

    /// Ten seconds of a tone, numbered so that sequence and timestamp both wrap.
    fn stream() -> Vec<(u16, u32, Bytes)> {
        let mut encoder = OpusEncoder::new().unwrap();
        (0..FRAMES)
            .map(|n| {
                let payload = encoder.encode(&sine(n)).unwrap();
                (65_400u16.wrapping_add(n as u16), (u32::MAX - 100_000).wrapping_add(n * 960), payload)
            })
            .collect()
    }

    fn hear(packets: impl IntoIterator<Item = (u16, u32, Bytes)>) -> (Vec<i16>, InboundCounters) {
        let mut inbound = Inbound::new().unwrap();
        let mut out = Vec::new();
        for (sequence, timestamp, payload) in packets {
            inbound.push(sequence, timestamp, payload, &mut out);
        }
        (out, inbound.counters())
    }

    /// Repeatable pseudo-random numbers (xorshift).
    fn random(state: &mut u32) -> u32 {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        *state
    }

    #[test]
    fn loss_and_disorder_leave_no_gap_in_the_sample_count() {
        let mut seed = 7;
        let mut packets = stream();
        let last = packets.pop().unwrap();
        let mut kept: Vec<_> =
            packets.into_iter().enumerate().filter(|(n, _)| *n < 2 || !random(&mut seed).is_multiple_of(10)).collect();
        let lost = FRAMES as usize - 1 - kept.len();
        for n in (10..kept.len() - 10).step_by(17) {
            kept.swap(n, n + 1);
        }
        let mut tail: Vec<_> = kept.into_iter().map(|(_, packet)| packet).collect();
        tail.push(last);
        let (out, counters) = hear(tail);
        // The last packets may still wait for one that was lost.
        let missing = FRAMES as usize * AUDIO_FRAME - out.len();
        assert!(missing <= 4 * AUDIO_FRAME && missing.is_multiple_of(AUDIO_FRAME), "{missing} samples are missing");
        assert!(counters.lost as usize >= lost - 3 && counters.recovered > 0, "{counters:?}, {lost} were dropped");
        // The tone is there throughout: no 20 ms are silent after the first.
        for (n, frame) in out.chunks(AUDIO_FRAME).enumerate().skip(2) {
            let energy: f64 = frame.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / AUDIO_FRAME as f64;
            assert!(energy.sqrt() > 500.0, "frame {n} has an energy of {}", energy.sqrt());
        }
    }

    #[test]
    fn without_loss_the_sound_is_that_of_a_plain_decoder() {
        let mut decoder = OpusDecoder::new().unwrap();
        let mut plain = Vec::new();
        for (_, _, payload) in stream() {
            decoder.decode(&payload, &mut plain).unwrap();
        }
        assert_eq!(hear(stream()).0, plain);
    }

    #[test]
    fn a_long_pause_becomes_silence_of_at_most_a_second() {
        for (pause, silence) in [(24_000u32, 24_000usize), (48_000 * 60, 48_000)] {
            let packets = stream().into_iter().take(100).enumerate().map(|(n, (sequence, timestamp, payload))| {
                (sequence, if n < 50 { timestamp } else { timestamp.wrapping_add(pause) }, payload)
            });
            assert_eq!(hear(packets).0.len(), 100 * AUDIO_FRAME + silence);
        }
    }

    #[test]
    fn padding_is_neither_sound_nor_loss() {
        let padded = stream().into_iter().flat_map(|(sequence, timestamp, payload)| {
            let (first, second) = (sequence.wrapping_mul(2), sequence.wrapping_mul(2).wrapping_add(1));
            [(first, timestamp, payload), (second, timestamp, Bytes::new())]
        });
        let (out, counters) = hear(padded);
        assert_eq!((out.len(), counters.lost, counters.undecodable), (FRAMES as usize * AUDIO_FRAME, 0, 0));
    }

    #[test]
    fn garbage_is_concealed_and_counted() {
        let mut packets = stream();
        packets[20].2 = Bytes::from_static(&[0xff; 5]);
        let (out, counters) = hear(packets);
        assert_eq!((out.len(), counters.undecodable), (FRAMES as usize * AUDIO_FRAME, 1));
    }
}
