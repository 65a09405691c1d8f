//! Puts RTP packets back into order (RFC 3550 section 6.4.1 sequence arithmetic). Pure, and without a clock: a late
//! packet is waited for until a few newer ones have come, so a stream that stops holds nothing back that could still
//! be played. What is missing is told with the packet that follows the gap, which may carry a copy of it.

use std::collections::BTreeMap;

use bytes::Bytes;

/// One received packet of sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundPacket {
    pub sequence: u16,
    /// 48 kHz.
    pub timestamp: u32,
    pub payload: Bytes,
}

/// A packet whose turn has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub packet: SoundPacket,
    /// Packets given up directly before this one.
    pub lost_before: u32,
    /// The sequence began anew here: gaps before this packet mean nothing.
    pub restarted: bool,
}

/// Newer packets that make a missing one lost: 60 ms at 20 ms each.
const PATIENCE: usize = 3;
/// A jump of more packets than this is a new sequence, not a loss (2 s at 20 ms each).
const MAX_JUMP: u64 = 100;

#[derive(Default)]
pub struct Reorder {
    /// By unwrapped sequence number.
    waiting: BTreeMap<u64, SoundPacket>,
    /// Unwrapped number of the packet whose turn it is.
    next: Option<u64>,
    /// Bit n: packet `next - 1 - n` was handed out.
    handed_out: u64,
    pub(super) late: u64,
    pub(super) duplicates: u64,
}

impl Reorder {
    /// Takes one packet and appends those that are due, in order.
    pub fn push(&mut self, packet: SoundPacket, due: &mut Vec<Due>) {
        // Numbers start high, so that packets older than the first do not underflow.
        let next = *self.next.get_or_insert((1 << 32) + u64::from(packet.sequence));
        let ahead = packet.sequence.wrapping_sub(next as u16);
        let behind = u64::from(ahead.wrapping_neg());
        if ahead >= 0x8000 && behind <= MAX_JUMP {
            let known = behind <= 64 && self.handed_out & (1 << (behind - 1)) != 0;
            *(if known { &mut self.duplicates } else { &mut self.late }) += 1;
            return;
        }
        if ahead >= 0x8000 || u64::from(ahead) > MAX_JUMP {
            self.restart(packet, due);
            return;
        }
        if self.waiting.insert(next + u64::from(ahead), packet).is_some() {
            self.duplicates += 1;
        }
        self.hand_out(0, due);
        while self.waiting.len() > PATIENCE {
            let Some((&first, _)) = self.waiting.first_key_value() else { return };
            let lost = first - next.max(self.next.unwrap_or(first));
            self.skip(lost);
            self.hand_out(lost as u32, due);
        }
    }

    /// Hands out what is contiguous from `next`; `lost` packets were given up before the first of it.
    fn hand_out(&mut self, mut lost: u32, due: &mut Vec<Due>) {
        while let Some(next) = self.next
            && let Some(packet) = self.waiting.remove(&next)
        {
            due.push(Due { packet, lost_before: std::mem::take(&mut lost), restarted: false });
            self.next = Some(next + 1);
            self.handed_out = self.handed_out << 1 | 1;
        }
    }

    fn skip(&mut self, lost: u64) {
        self.next = self.next.map(|next| next + lost);
        self.handed_out = self.handed_out.checked_shl(lost as u32).unwrap_or(0);
    }

    fn restart(&mut self, packet: SoundPacket, due: &mut Vec<Due>) {
        for (_, packet) in std::mem::take(&mut self.waiting) {
            due.push(Due { packet, lost_before: 0, restarted: false });
        }
        self.next = Some((1 << 32) + u64::from(packet.sequence) + 1);
        self.handed_out = 1;
        due.push(Due { packet, lost_before: 0, restarted: true });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u32) -> SoundPacket {
        SoundPacket { sequence: number as u16, timestamp: number.wrapping_mul(960), payload: Bytes::new() }
    }

    /// Order in which packets come -> (number, lost before) in which they are handed out.
    fn run(numbers: &[u32]) -> (Vec<(u16, u32)>, Reorder) {
        let mut reorder = Reorder::default();
        let mut due = Vec::new();
        for &number in numbers {
            reorder.push(packet(number), &mut due);
        }
        (due.into_iter().map(|due| (due.packet.sequence, due.lost_before)).collect(), reorder)
    }

    #[test]
    fn packets_in_order_are_due_at_once() {
        assert_eq!(run(&[7, 8, 9]).0, [(7, 0), (8, 0), (9, 0)]);
    }

    #[test]
    fn a_late_packet_is_put_back_into_its_place_over_the_wrap() {
        assert_eq!(run(&[65_534, 65_536, 65_535, 65_537]).0, [(65_534, 0), (65_535, 0), (0, 0), (1, 0)]);
    }

    #[test]
    fn a_missing_packet_is_given_up_after_three_newer_ones() {
        assert_eq!(run(&[1, 3, 4, 5]).0, [(1, 0)]);
        assert_eq!(run(&[1, 3, 4, 5, 6]).0, [(1, 0), (3, 1), (4, 0), (5, 0), (6, 0)]);
    }

    #[test]
    fn duplicates_and_very_late_packets_are_dropped_and_told_apart() {
        let (due, reorder) = run(&[1, 2, 2, 4, 5, 6, 7, 3, 5]);
        assert_eq!(due, [(1, 0), (2, 0), (4, 1), (5, 0), (6, 0), (7, 0)]);
        assert_eq!((reorder.late, reorder.duplicates), (1, 2));
    }

    #[test]
    fn a_new_sequence_begins_at_once_in_either_direction() {
        assert_eq!(run(&[1000, 1002, 5000, 5001]).0, [(1000, 0), (1002, 0), (5000, 0), (5001, 0)]);
        assert_eq!(run(&[30_000, 5, 6]).0, [(30_000, 0), (5, 0), (6, 0)]);
    }
}
