//! Opus in Ogg (RFC 7845) page by page as it comes, cut at any byte, to 48 kHz mono.

use ogg::reading::{BasePacketReader, PageParser};

use super::super::RemoteProblem;
use super::other_kind;
use crate::audio::OpusDecoder;
use crate::media::MEDIA_HZ;

const MAGIC: &[u8] = b"OggS";
/// Bytes of a page before the lengths of its segments (RFC 3533, section 6), and where their number stands.
const PAGE_HEADER: usize = 27;
/// No granule position: no packet ends on the page.
const NO_POSITION: u64 = u64::MAX;

/// See the module's text.
pub struct OggOpus {
    bytes: Vec<u8>,
    packets: BasePacketReader,
    decoder: OpusDecoder,
    /// Packets so far: the first two describe the stream.
    count: u64,
    /// Samples at the beginning that are not to be heard, those still to come.
    skip: usize,
    /// Samples decoded, the skipped ones included: what granule positions count.
    decoded: u64,
    gain: f32,
}

impl OggOpus {
    pub fn new() -> Result<Self, RemoteProblem> {
        let decoder = OpusDecoder::new().map_err(|error| RemoteProblem::rubbish(error.to_string()))?;
        let (bytes, packets) = (Vec::new(), BasePacketReader::new());
        Ok(Self { bytes, packets, decoder, count: 0, skip: 0, decoded: 0, gain: 1.0 })
    }

    pub fn push(&mut self, bytes: &[u8], pcm: &mut Vec<f32>) -> Result<Option<u32>, RemoteProblem> {
        self.bytes.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(length) = self.page(at)? {
            at += length;
            while let Some(packet) = self.packets.read_packet() {
                let end = packet.last_in_stream().then_some(packet.absgp_page());
                self.packet(&packet.data, end, pcm)?;
            }
        }
        self.bytes.drain(..at);
        Ok(Some(MEDIA_HZ))
    }

    pub fn finish(&mut self) -> Result<Option<u32>, RemoteProblem> {
        match (self.count, self.bytes.is_empty()) {
            (0, false) => Err(self.none()),
            (_, false) => Err(RemoteProblem::CutOff { reason: "half an Ogg page at the end".into() }),
            (_, true) => Ok(None),
        }
    }

    /// Takes the page at `at` if it is whole; its length.
    fn page(&mut self, at: usize) -> Result<Option<usize>, RemoteProblem> {
        let page = &self.bytes[at..];
        let magic = &page[..page.len().min(MAGIC.len())];
        if !MAGIC.starts_with(magic) {
            return Err(self.none());
        }
        let Some(header) = page.first_chunk::<PAGE_HEADER>() else { return Ok(None) };
        let broken = |error: ogg::OggReadError| RemoteProblem::rubbish(format!("its Ogg stream is broken: {error}"));
        let (mut parser, segments) = PageParser::new(*header).map_err(broken)?;
        let body = PAGE_HEADER + segments;
        let Some(lengths) = page.get(PAGE_HEADER..body) else { return Ok(None) };
        let length = parser.parse_segments(lengths.to_vec());
        let Some(data) = page.get(body..body + length) else { return Ok(None) };
        let page = parser.parse_packet_data(data.to_vec()).map_err(broken)?;
        self.packets.push_page(page).map_err(broken)?;
        Ok(Some(body + length))
    }

    /// `end`: of the stream's last packet, the samples that there are in all.
    fn packet(&mut self, packet: &[u8], end: Option<u64>, pcm: &mut Vec<f32>) -> Result<(), RemoteProblem> {
        self.count += 1;
        match self.count {
            1 => return self.head(packet),
            // The comment header.
            2 => return Ok(()),
            _ => {}
        }
        let mut sound = Vec::new();
        // A packet that cannot be decoded is as one that was lost: it is passed over.
        let Ok(length) = self.decoder.decode(packet, &mut sound) else { return Ok(()) };
        self.decoded += length as u64;
        if let Some(end) = end.filter(|&end| end != NO_POSITION) {
            let surplus = self.decoded.saturating_sub(end).min(length as u64);
            sound.truncate(length - surplus as usize);
        }
        let skip = self.skip.min(sound.len());
        self.skip -= skip;
        pcm.extend(sound[skip..].iter().map(|&sample| f32::from(sample) / 32_768.0 * self.gain));
        Ok(())
    }

    /// The identification header (RFC 7845, section 5.1).
    fn head(&mut self, packet: &[u8]) -> Result<(), RemoteProblem> {
        let &[
            b'O',
            b'p',
            b'u',
            b's',
            b'H',
            b'e',
            b'a',
            b'd',
            version,
            channels,
            skip_low,
            skip_high,
            _,
            _,
            _,
            _,
            gain_low,
            gain_high,
            family,
            ..,
        ] = packet
        else {
            return Err(RemoteProblem::rubbish("an Ogg stream without Opus"));
        };
        if version & 0xf0 != 0 || family != 0 || !(1..=2).contains(&channels) {
            return Err(RemoteProblem::rubbish(format!(
                "Opus of version {version} with {channels} channels of family {family}; mono and stereo are known"
            )));
        }
        self.skip = usize::from(u16::from_le_bytes([skip_low, skip_high]));
        // In 1/256 dB.
        let decibels = f32::from(i16::from_le_bytes([gain_low, gain_high])) / 256.0;
        self.gain = 10_f32.powf(decibels / 20.0);
        Ok(())
    }

    fn none(&self) -> RemoteProblem {
        match (self.count, other_kind(&self.bytes)) {
            (0, Some(kind)) => RemoteProblem::rubbish(format!("{kind} instead of Opus in Ogg")),
            (0, None) => RemoteProblem::rubbish("no Ogg page in it"),
            _ => RemoteProblem::rubbish("its Ogg stream is broken"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{opus, sound};
    use super::*;

    fn decoded(bytes: &[u8], chunk: usize) -> Result<Vec<f32>, RemoteProblem> {
        let (mut decoder, mut pcm) = (OggOpus::new()?, Vec::new());
        for chunk in bytes.chunks(chunk) {
            decoder.push(chunk, &mut pcm)?;
        }
        decoder.finish()?;
        Ok(pcm)
    }

    #[test]
    fn speech_cut_at_any_byte_is_the_same_and_as_long_as_it_was() -> Result<(), RemoteProblem> {
        let bytes = opus();
        let whole = decoded(&bytes, bytes.len())?;
        let sound = sound();
        assert_eq!(whole.len(), sound.len(), "what is skipped at the beginning and the end is not heard");
        for chunk in [1, 26, 27, 28, 1_000] {
            assert!(decoded(&bytes, chunk)? == whole, "chunks of {chunk}");
        }
        // In its place, too: the samples go together.
        let product: f32 = whole.iter().zip(&sound).map(|(a, b)| a * b).sum();
        let energy: f32 = sound.iter().map(|sample| sample * sample).sum();
        assert!((0.8..1.2).contains(&(product / energy)), "{}", product / energy);
        Ok(())
    }

    #[test]
    fn what_is_no_opus_is_called_so() {
        let bytes = opus();
        let mut wrong_sum = bytes.clone();
        wrong_sum[4_000] ^= 1;
        let mut vorbis = bytes.clone();
        vorbis[28..36].copy_from_slice(b"\x01vorbis\0");
        for rubbish in [&b"<!doctype html>"[..], &[0x55; 100], b"OggX", &wrong_sum, &vorbis] {
            assert!(matches!(decoded(rubbish, 7), Err(RemoteProblem::Rubbish { .. })));
        }
        assert!(matches!(decoded(&bytes[..5_000], 100), Err(RemoteProblem::CutOff { .. })));
        assert_eq!(decoded(&[], 1), Ok(Vec::new()));
    }

    #[test]
    fn the_gain_of_a_stream_is_applied() -> Result<(), RemoteProblem> {
        let mut decoder = OggOpus::new()?;
        // -6.02 dB.
        let gain = (-1541_i16).to_le_bytes();
        let head = [b"OpusHead\x01\x02", &[0; 2][..], &[0; 4], &gain, &[0]].concat();
        decoder.head(&head)?;
        assert!((decoder.gain - 0.5).abs() < 0.001, "{}", decoder.gain);
        let many = [b"OpusHead\x01\x06", &[0; 8][..], &[1]].concat();
        assert!(decoder.head(&many).is_err());
        Ok(())
    }
}
