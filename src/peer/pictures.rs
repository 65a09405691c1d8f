//! Puts received H.264 packets together to whole pictures (RFC 6184), for our own caller. Pure. Packets may come
//! late or twice; a picture with a hole is given up after a while, and what follows is useless up to a key frame.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use rtc::rtp::codec::h264::H264Packet;
use rtc::rtp::packetizer::Depacketizer;

/// One access unit as it came out of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// RTP timestamp, 90 kHz.
    pub timestamp: u32,
    /// Annex B.
    pub h264: Bytes,
    pub key_frame: bool,
}

/// One packet of a video stream.
#[derive(Clone, Debug)]
pub(super) struct VideoPayload {
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) payload: Bytes,
}

/// Packets that may follow a hole before it is given up: a retransmission needs one round trip.
const PATIENCE: usize = 256;

#[derive(Default)]
pub(super) struct PictureAssembler {
    /// By unwrapped sequence number.
    waiting: BTreeMap<u64, VideoPayload>,
    /// First packet of the next picture; none before the first packet.
    next: Option<u64>,
    depacketizer: H264Packet,
    /// Packets given up as lost.
    pub(super) lost_packets: u64,
}

impl PictureAssembler {
    /// Appends the pictures that became whole. True if packets were given up: a key frame should be asked for.
    pub(super) fn push(&mut self, packet: VideoPayload, out: &mut Vec<Picture>) -> bool {
        let next = *self.next.get_or_insert(u64::from(packet.sequence) + (1 << 32));
        let sequence = unwrap(packet.sequence, next);
        if sequence < next {
            return false;
        }
        self.waiting.insert(sequence, packet);
        self.take_whole(out);
        if self.waiting.len() <= PATIENCE {
            return false;
        }
        self.give_up_hole();
        self.take_whole(out);
        true
    }

    fn take_whole(&mut self, out: &mut Vec<Picture>) {
        while let Some(first) = self.next {
            let mut last = first;
            let whole = loop {
                match self.waiting.get(&last) {
                    Some(packet) if packet.marker => break true,
                    Some(_) => last += 1,
                    None => break false,
                }
            };
            if !whole {
                return;
            }
            self.next = Some(last + 1);
            out.extend(self.assemble(first, last));
        }
    }

    fn assemble(&mut self, first: u64, last: u64) -> Option<Picture> {
        let mut h264 = BytesMut::new();
        let mut timestamp = 0;
        for sequence in first..=last {
            let packet = self.waiting.remove(&sequence)?;
            timestamp = packet.timestamp;
            if !packet.payload.is_empty() {
                h264.extend_from_slice(&self.depacketizer.depacketize(&packet.payload).ok()?);
            }
        }
        let key_frame = nal_types(&h264).any(|kind| kind == 5);
        (!h264.is_empty()).then(|| Picture { timestamp, h264: h264.freeze(), key_frame })
    }

    /// Goes on behind the first marker after the hole.
    fn give_up_hole(&mut self) {
        let Some(next) = self.next else { return };
        let Some((&marker, _)) = self.waiting.iter().find(|(_, packet)| packet.marker) else {
            self.waiting.clear();
            self.next = None;
            return;
        };
        let received = self.waiting.range(..=marker).count() as u64;
        self.lost_packets += (marker + 1 - next).saturating_sub(received);
        self.waiting = self.waiting.split_off(&(marker + 1));
        self.next = Some(marker + 1);
        self.depacketizer = H264Packet::default();
    }
}

/// The full sequence number next to `near`.
fn unwrap(sequence: u16, near: u64) -> u64 {
    let ahead = sequence.wrapping_sub(near as u16);
    if ahead < 0x8000 { near + u64::from(ahead) } else { near.saturating_sub(u64::from(ahead.wrapping_neg())) }
}

/// `nal_unit_type` of each NAL unit of an Annex B stream.
pub(crate) fn nal_types(annex_b: &[u8]) -> impl Iterator<Item = u8> + '_ {
    annex_b.windows(4).filter(|window| window[..3] == [0, 0, 1]).map(|window| window[3] & 0x1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, picture: u32, marker: bool) -> VideoPayload {
        let payload = Bytes::from(vec![if picture == 0 { 0x65 } else { 0x41 }, sequence as u8, 9, 9]);
        VideoPayload { sequence, timestamp: picture * 3600, marker, payload }
    }

    /// Ten pictures of three packets each, over the wrap of the sequence number.
    fn stream() -> Vec<VideoPayload> {
        (0..30u16).map(|n| packet(65_530u16.wrapping_add(n), u32::from(n) / 3, n % 3 == 2)).collect()
    }

    #[test]
    fn late_and_doubled_packets_change_nothing() {
        let (mut straight, mut shuffled) = (Vec::new(), Vec::new());
        let mut assembler = PictureAssembler::default();
        for packet in stream() {
            assembler.push(packet, &mut straight);
        }
        let mut mixed = stream();
        mixed.swap(4, 7);
        mixed.insert(12, mixed[9].clone());
        let mut assembler = PictureAssembler::default();
        for packet in mixed {
            assembler.push(packet, &mut shuffled);
        }
        assert_eq!(straight.len(), 10);
        assert!(straight[0].key_frame && !straight[1].key_frame);
        assert_eq!(straight, shuffled);
    }

    #[test]
    fn a_lost_packet_costs_its_picture_and_asks_for_a_key_frame() {
        let mut assembler = PictureAssembler::default();
        let mut pictures = Vec::new();
        let mut asked = 0;
        for n in 0..900u16 {
            if n == 10 {
                continue;
            }
            asked += u32::from(assembler.push(packet(n, u32::from(n) / 3, n % 3 == 2), &mut pictures));
        }
        assert_eq!((pictures.len(), asked, assembler.lost_packets), (299, 1, 1));
    }
}
