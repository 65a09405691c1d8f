//! RTCP that the transport leaves to us: sender reports of both tracks from one clock, what the browser reports of them
//! ([`quality`](super::quality)), and its requests for key frames. Two interceptors of the transport's chain; no media is
//! touched.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rtc::interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;
use rtc::shared::time::SystemInstant;
use tokio::sync::Notify;

use super::clock::{MediaAnchor, RtpClock};
use super::quality::{Medium, Reception};

/// The first report comes early: a browser aligns mouth and sound only once it has one of each track.
const FIRST_REPORT: Duration = Duration::from_millis(100);
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

struct Sent {
    medium: Medium,
    packets: u32,
    octets: u32,
}

/// Sends a report of each track every second (RFC 3550 section 6.4.1), and reads what is reported of them.
pub(super) struct SenderReports {
    clock: RtpClock,
    anchor: Arc<Mutex<MediaAnchor>>,
    reception: Arc<Mutex<Reception>>,
    streams: HashMap<u32, Sent>,
    /// One pairing of monotonic and wall time for the whole call, so that both tracks share its error.
    wall: Option<SystemInstant>,
    next: Option<Instant>,
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl SenderReports {
    pub(super) fn new(clock: RtpClock, anchor: Arc<Mutex<MediaAnchor>>, reception: Arc<Mutex<Reception>>) -> Self {
        Self {
            clock,
            anchor,
            reception,
            streams: HashMap::new(),
            wall: None,
            next: None,
            read: VecDeque::new(),
            write: VecDeque::new(),
        }
    }

    fn report(&mut self, now: Instant) {
        let Some(media) = self.anchor.lock().unwrap_or_else(PoisonError::into_inner).media_time(now) else { return };
        let ntp_time = self.wall.get_or_insert_with(|| SystemInstant::now(now)).ntp(now);
        for (&ssrc, sent) in &self.streams {
            if sent.packets == 0 {
                continue;
            }
            let report = SenderReport {
                ssrc,
                ntp_time,
                rtp_time: match sent.medium {
                    Medium::Audio => self.clock.audio(media),
                    Medium::Video => self.clock.video(media),
                },
                packet_count: sent.packets,
                octet_count: sent.octets,
                ..Default::default()
            };
            self.write.push_back(TaggedPacket {
                now,
                transport: TransportContext::default(),
                message: AttributedPacket::new(Packet::Rtcp(vec![Box::new(report)])),
            });
        }
    }

    fn reception(&self) -> MutexGuard<'_, Reception> {
        self.reception.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for SenderReports {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet {
            let arrival = self.wall.as_ref().map(|wall| wall.ntp(packet.now));
            for one in packets {
                // Who sends media puts its reports of ours into its sender reports.
                let receiver = one.as_any().downcast_ref::<ReceiverReport>().map(|report| &report.reports);
                let sender = || one.as_any().downcast_ref::<SenderReport>().map(|report| &report.reports);
                for report in receiver.or_else(sender).into_iter().flatten() {
                    self.reception().reported(report, arrival);
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
        if let Packet::Rtp(rtp) = &packet.message.packet
            && let Some(sent) = self.streams.get_mut(&rtp.header.ssrc)
        {
            sent.packets = sent.packets.wrapping_add(1);
            sent.octets = sent.octets.wrapping_add(rtp.payload.len() as u32);
            if rtp.header.marker && sent.medium == Medium::Video {
                self.reception.lock().unwrap_or_else(PoisonError::into_inner).picture();
            }
            if self.next.is_none() {
                self.next = Some(packet.now + FIRST_REPORT);
            }
        }
        self.write.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.write.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        if self.next.is_some_and(|next| now >= next) {
            self.next = Some(now + REPORT_INTERVAL);
            self.report(now);
            self.reception().count(now);
        }
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.next
    }
}

impl Interceptor for SenderReports {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        let medium = if info.clock_rate == crate::media::MEDIA_HZ { Medium::Audio } else { Medium::Video };
        self.streams.insert(info.ssrc, Sent { medium, packets: 0, octets: 0 });
        self.reception().bind(info.ssrc, medium, info.clock_rate);
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
        self.reception().unbind(info.ssrc);
    }

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

/// Says when the browser asks for a key frame (RFC 4585 section 6.3.1, RFC 5104 section 4.3.1). Several requests
/// before one is read are one.
pub(super) struct KeyFrameRequests {
    wanted: Arc<Notify>,
    read: VecDeque<TaggedPacket>,
    write: VecDeque<TaggedPacket>,
}

impl KeyFrameRequests {
    pub(super) fn new(wanted: Arc<Notify>) -> Self {
        Self { wanted, read: VecDeque::new(), write: VecDeque::new() }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyFrameRequests {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &packet.message.packet
            && packets.iter().any(|one| {
                let any = one.as_any();
                any.is::<PictureLossIndication>() || any.is::<FullIntraRequest>()
            })
        {
            self.wanted.notify_one();
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

impl Interceptor for KeyFrameRequests {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::MediaTime;

    fn rtp(now: Instant, ssrc: u32) -> TaggedPacket {
        let mut packet = rtc::rtp::Packet::default();
        packet.header.ssrc = ssrc;
        TaggedPacket {
            now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(Packet::Rtp(packet)),
        }
    }

    #[test]
    fn reports_of_both_tracks_name_one_instant_however_late_the_pictures_leave() {
        let start = tokio::time::Instant::now().into_std();
        let clock = RtpClock::new(8_000);
        let anchor = Arc::new(Mutex::new(MediaAnchor::default()));
        let mut reports = SenderReports::new(clock, Arc::clone(&anchor), Arc::default());
        reports.bind_local_stream(&StreamInfo { ssrc: 1, clock_rate: 48_000, ..Default::default() });
        reports.bind_local_stream(&StreamInfo { ssrc: 2, clock_rate: 90_000, ..Default::default() });

        let picture_delay = Duration::from_millis(30);
        anchor.lock().unwrap().observe(start, MediaTime::ZERO);
        reports.handle_write(rtp(start, 1)).unwrap();
        anchor.lock().unwrap().observe(start + picture_delay, MediaTime::ZERO);
        reports.handle_write(rtp(start + picture_delay, 2)).unwrap();
        reports.handle_timeout(start + Duration::from_millis(150)).unwrap();

        let mut seen = HashMap::new();
        while let Some(packet) = reports.poll_write() {
            if let Packet::Rtcp(packets) = packet.message.packet {
                let report = packets[0].as_any().downcast_ref::<SenderReport>().unwrap();
                seen.insert(report.ssrc, (report.ntp_time, report.rtp_time));
            }
        }
        let (audio, video) = (seen[&1], seen[&2]);
        assert_eq!(audio.0, video.0);
        assert_eq!(u64::from(audio.1) * 15 / 8, u64::from(video.1));
        assert!(audio.1.abs_diff(8_000 + 150 * 48) <= 48 * 2, "{}", audio.1);
    }
}
