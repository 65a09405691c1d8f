//! The sound that came, each sample at its RTP time.

use std::time::Instant;

use bytes::Bytes;
use visavis::audio::{AudioError, Due, OpusDecoder, Reorder, SoundPacket};
use visavis::media::{AUDIO_FRAME, MEDIA_HZ};

/// A jump of RTP time beyond this (10 s) is no gap.
const MOST_GAP: u32 = MEDIA_HZ * 10;

/// Received sound from `origin` on, 48 kHz.
#[derive(Clone, Debug, Default)]
pub struct Sound {
    /// RTP time of the first sample.
    pub origin: u32,
    pub pcm: Vec<i16>,
    /// RTP time of each packet and when it came.
    pub arrivals: Vec<(u32, Instant)>,
    /// Packets that never came, and jumps of RTP time.
    pub lost: u32,
    pub jumps: u32,
}

pub struct Ear {
    reorder: Reorder,
    decoder: OpusDecoder,
    due: Vec<Due>,
    pub sound: Sound,
}

impl Ear {
    pub fn new() -> Result<Self, AudioError> {
        Ok(Self { reorder: Reorder::default(), decoder: OpusDecoder::new()?, due: Vec::new(), sound: Sound::default() })
    }

    /// Begins anew and returns what was heard so far.
    pub fn take(&mut self) -> Sound {
        std::mem::take(&mut self.sound)
    }

    pub fn push(&mut self, now: Instant, sequence: u16, timestamp: u32, payload: Bytes) {
        self.sound.arrivals.push((timestamp, now));
        let mut due = std::mem::take(&mut self.due);
        self.reorder.push(SoundPacket { sequence, timestamp, payload }, &mut due);
        for one in due.drain(..) {
            self.place(&one);
        }
        self.due = due;
    }

    fn place(&mut self, due: &Due) {
        let (sound, packet) = (&mut self.sound, &due.packet);
        sound.lost += due.lost_before;
        if packet.payload.is_empty() {
            return;
        }
        if sound.pcm.is_empty() {
            sound.origin = packet.timestamp;
        }
        let gap = packet.timestamp.wrapping_sub(sound.origin.wrapping_add(sound.pcm.len() as u32));
        if gap > 0 {
            sound.jumps += 1;
        }
        if gap < MOST_GAP {
            sound.pcm.resize(sound.pcm.len() + gap as usize, 0);
        }
        let before = sound.pcm.len();
        if self.decoder.decode(&packet.payload, &mut sound.pcm).is_err() {
            sound.pcm.resize(before + AUDIO_FRAME, 0);
        }
    }
}
