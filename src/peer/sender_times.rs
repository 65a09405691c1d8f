//! What the other side's sender reports say of each of its streams: which RTP time belongs to which wall time (RFC 3550
//! section 6.4.1). By these a client brings sound and picture onto one clock. An interceptor of the transport's chain;
//! no media is touched.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::sender_report::SenderReport;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

/// A stream's place in time, as its sender told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderTime {
    /// Ticks of RTP time in a second.
    pub clock_rate: u32,
    /// Seconds since 1900 by the sender's clock, in 2^-32.
    pub ntp: u64,
    /// The stream's RTP time at that instant.
    pub rtp: u32,
}

/// The last report of each incoming stream by its SSRC; `None` before its first.
pub(super) type SenderTimes = Arc<Mutex<BTreeMap<u32, (u32, Option<SenderTime>)>>>;

/// Reads the reports that come in.
pub(super) struct ReportReader {
    times: SenderTimes,
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl ReportReader {
    pub(super) fn new(times: SenderTimes) -> Self {
        Self { times, read: VecDeque::new(), write: VecDeque::new() }
    }
}

/// The reports so far, one of each stream that has one.
pub(super) fn told(times: &SenderTimes) -> Vec<SenderTime> {
    times.lock().unwrap_or_else(PoisonError::into_inner).values().filter_map(|(_, time)| *time).collect()
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for ReportReader {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            for report in packets.iter().filter_map(|one| one.as_any().downcast_ref::<SenderReport>()) {
                // Only what is bound is kept, so a stranger's reports fill no memory.
                if let Some((clock_rate, time)) =
                    self.times.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&report.ssrc)
                {
                    *time = Some(SenderTime { clock_rate: *clock_rate, ntp: report.ntp_time, rtp: report.rtp_time });
                }
            }
        }
        self.read.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.write.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.write.pop_front()
    }
}

impl Interceptor for ReportReader {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.entry(info.ssrc).or_insert((info.clock_rate, None));
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).remove(&info.ssrc);
    }
}

#[cfg(test)]
mod tests {
    use rtc::interceptor::AttributedPacket;
    use rtc::shared::TransportContext;

    use super::*;

    fn report(now: Instant, ssrc: u32, rtp_time: u32) -> TaggedPacket {
        let report = SenderReport { ssrc, ntp_time: 7 << 32, rtp_time, ..Default::default() };
        let message = AttributedPacket::new(Packet::Rtcp(vec![Box::new(report)]));
        TaggedPacket { now, transport: TransportContext::default(), message }
    }

    #[test]
    fn the_last_report_of_a_stream_that_is_here_is_kept_and_passed_on() {
        let (now, times) = (tokio::time::Instant::now().into_std(), SenderTimes::default());
        let mut reader = ReportReader::new(Arc::clone(&times));
        let stream = StreamInfo { ssrc: 5, clock_rate: 90_000, ..Default::default() };
        reader.bind_remote_stream(&stream);
        assert!(told(&times).is_empty());
        for (ssrc, rtp_time) in [(5, 100), (6, 1), (5, 200)] {
            reader.handle_read(report(now, ssrc, rtp_time)).unwrap();
            assert!(reader.poll_read().is_some());
        }
        assert_eq!(told(&times), [SenderTime { clock_rate: 90_000, ntp: 7 << 32, rtp: 200 }]);
        reader.unbind_remote_stream(&stream);
        assert!(told(&times).is_empty());
    }
}
