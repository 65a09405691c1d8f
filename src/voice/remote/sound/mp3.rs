//! MP3 (ISO/IEC 11172-3 and 13818-3, layer III) frame by frame as it comes, cut at any byte.
//!
//! Frames are found here and decoded by `nanomp3-core`, which gets each whole and alone; so nothing waits for the frame
//! after the next. A frame that cannot be decoded is silence of its length: the time of what follows stays right.

use nanomp3_core::{Decoder, MAX_SAMPLES_PER_FRAME};

use super::super::RemoteProblem;
use super::other_kind;

/// Kilobits a second by index, of MPEG-1 and of MPEG-2 and 2.5 (13818-3 table B.1; layer III).
const BITRATES: [[usize; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
/// Samples a second of MPEG-1; half of it in MPEG-2, a quarter in 2.5.
const RATES: [u32; 3] = [44_100, 48_000, 32_000];
const HEADER: usize = 4;
/// Bytes by which another kind of content is known.
const SIGNATURE: usize = 16;
const TAG_HEADER: usize = 10;
/// Bytes between two frames that are passed over before this is held for no MP3.
const MOST_JUNK: usize = 16 * 1024;

/// See the module's text.
pub struct Mp3 {
    decoder: Decoder,
    bytes: Vec<u8>,
    /// Of the tag in front of the frames, what is still to come; `None`: it is not known yet whether there is one.
    tag: Option<usize>,
    /// What all frames have in common, once there was one.
    kind: Option<Kind>,
    junk: usize,
    /// What came first: it tells what this is if it is no MP3.
    first: Vec<u8>,
}

/// What does not change within a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    rate_hz: u32,
    /// Of one frame and channel.
    samples: usize,
}

/// The first four bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    kind: Kind,
    /// Of the frame, the header included.
    bytes: usize,
}

impl Header {
    /// None: not the beginning of a frame (of free bit rates, too: nobody streams them).
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[0xff, second, third, _, ..] = bytes else { return None };
        // Eleven bits of sync, version, layer III (01), no matter whether there is a checksum.
        let version = (second >> 3) & 3;
        if second & 0xe0 != 0xe0 || version == 1 || (second >> 1) & 3 != 1 {
            return None;
        }
        let is_first = version == 3;
        let halvings = if is_first { 0 } else { 1 + u32::from(version == 0) };
        let rate_hz = *RATES.get(usize::from((third >> 2) & 3))? >> halvings;
        let kilobits = *BITRATES[usize::from(!is_first)].get(usize::from(third >> 4)).filter(|&&rate| rate > 0)?;
        let samples = if is_first { 1152 } else { 576 };
        let bytes = samples / 8 * kilobits * 1000 / rate_hz as usize + usize::from((third >> 1) & 1);
        Some(Self { kind: Kind { rate_hz, samples }, bytes })
    }
}

impl Default for Mp3 {
    fn default() -> Self {
        Self { decoder: Decoder::new(), bytes: Vec::new(), tag: None, kind: None, junk: 0, first: Vec::new() }
    }
}

impl Mp3 {
    pub fn push(&mut self, bytes: &[u8], pcm: &mut Vec<f32>) -> Result<Option<u32>, RemoteProblem> {
        self.first.extend(bytes.iter().take(SIGNATURE.saturating_sub(self.first.len())));
        self.bytes.extend_from_slice(bytes);
        self.frames(pcm, false)
    }

    pub fn finish(&mut self, pcm: &mut Vec<f32>) -> Result<Option<u32>, RemoteProblem> {
        let came = self.junk + self.bytes.len();
        let rate = self.frames(pcm, true)?;
        if rate.is_none() && came > 0 {
            return Err(self.none());
        }
        Ok(rate)
    }

    fn frames(&mut self, pcm: &mut Vec<f32>, is_over: bool) -> Result<Option<u32>, RemoteProblem> {
        let mut at = match self.skip_tag(is_over) {
            Some(at) => at,
            None => return Ok(None),
        };
        while self.bytes.len() - at >= HEADER {
            let rest = &self.bytes[at..];
            let header = Header::read(rest).filter(|header| self.kind.is_none_or(|kind| kind == header.kind));
            let Some(header) = header else {
                at += 1;
                self.junk += 1;
                if self.junk > MOST_JUNK {
                    return Err(self.none());
                }
                continue;
            };
            // Two bytes of sync are soon found in anything: the first frame is one if another follows it.
            let needed = if self.kind.is_some() || is_over { header.bytes } else { header.bytes + HEADER };
            if rest.len() < needed {
                break;
            }
            let next = rest.get(header.bytes..).filter(|next| next.len() >= HEADER);
            let fits = |next: &[u8]| Header::read(next).is_some_and(|next| next.kind == header.kind);
            if self.kind.is_none() && next.is_some_and(|next| !fits(next)) {
                at += 1;
                self.junk += 1;
                continue;
            }
            self.kind = Some(header.kind);
            self.junk = 0;
            decode(&mut self.decoder, &rest[..header.bytes], header.kind, pcm);
            at += header.bytes;
        }
        self.bytes.drain(..at);
        Ok(self.kind.map(|kind| kind.rate_hz))
    }

    /// Where the frames begin in what there is, an ID3v2 tag (id3.org, section 3.1) before them left out; none if that
    /// is not known yet.
    fn skip_tag(&mut self, is_over: bool) -> Option<usize> {
        let left = match self.tag {
            Some(left) => left,
            None if self.bytes.starts_with(b"ID3") => {
                let header = self.bytes.get(..TAG_HEADER)?;
                let length = header[6..].iter().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
                TAG_HEADER + length
            }
            None if self.bytes.len() < 3 && b"ID3".starts_with(&self.bytes) && !is_over => return None,
            None => 0,
        };
        let here = left.min(self.bytes.len());
        self.tag = Some(left - here);
        // What belongs to the tag goes at once: it may be long.
        self.bytes.drain(..here);
        (left == here).then_some(0)
    }

    fn none(&self) -> RemoteProblem {
        match (self.kind, other_kind(&self.first).filter(|_| self.tag == Some(0) && !self.first.starts_with(b"ID3"))) {
            (None, Some(kind)) => RemoteProblem::rubbish(format!("{kind} instead of MP3")),
            (None, None) => RemoteProblem::rubbish("no MP3 frame in it"),
            (Some(_), _) => RemoteProblem::rubbish("its MP3 stream is broken"),
        }
    }
}

/// Appends one frame's sound, channels mixed.
fn decode(decoder: &mut Decoder, frame: &[u8], kind: Kind, pcm: &mut Vec<f32>) {
    let mut samples = [0_f32; MAX_SAMPLES_PER_FRAME];
    let end = pcm.len() + kind.samples;
    if let (_, Ok(info)) = decoder.decode(frame, &mut samples) {
        let channels = usize::from(info.channels.num());
        let mixed = samples.chunks(channels).take(info.samples_produced.min(kind.samples));
        pcm.extend(mixed.map(|sample| sample.iter().sum::<f32>() / channels as f32));
    }
    pcm.resize(end, 0.0);
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::MP3;
    use super::*;

    fn decoded(bytes: &[u8], chunk: usize) -> Result<(Vec<f32>, Option<u32>), RemoteProblem> {
        let (mut decoder, mut pcm) = (Mp3::default(), Vec::new());
        for chunk in bytes.chunks(chunk) {
            decoder.push(chunk, &mut pcm)?;
        }
        let rate = decoder.finish(&mut pcm)?;
        Ok((pcm, rate))
    }

    fn tagged(length: usize) -> Vec<u8> {
        let size = [21, 14, 7, 0].map(|shift| ((length >> shift) & 0x7f) as u8);
        [b"ID3\x04\0\0", &size[..], &vec![0xff; length], MP3].concat()
    }

    fn level(pcm: &[f32]) -> f32 {
        (pcm.iter().map(|sample| sample * sample).sum::<f32>() / pcm.len() as f32).sqrt()
    }

    #[test]
    fn speech_cut_at_any_byte_is_the_same() -> Result<(), RemoteProblem> {
        let (whole, rate) = decoded(MP3, MP3.len())?;
        assert_eq!(rate, Some(24_000));
        // 142 frames of 24 ms.
        assert_eq!(whole.len(), MP3.len() / 144 * 576);
        assert!((0.05..0.2).contains(&level(&whole)), "{}", level(&whole));
        for chunk in [1, 2, 143, 144, 145, 1_000, 7_777] {
            assert!(decoded(MP3, chunk)?.0 == whole, "chunks of {chunk}");
        }
        Ok(())
    }

    #[test]
    fn frames_are_there_as_soon_as_they_are_whole() -> Result<(), RemoteProblem> {
        let (mut decoder, mut pcm) = (Mp3::default(), Vec::new());
        let mut frames = Vec::new();
        for frame in MP3.chunks(144).take(5) {
            decoder.push(frame, &mut pcm)?;
            frames.push(pcm.len() / 576);
        }
        // Only the first waits for the second.
        assert_eq!(frames, [0, 2, 3, 4, 5]);
        Ok(())
    }

    #[test]
    fn tags_and_junk_before_the_frames_are_passed_over() -> Result<(), RemoteProblem> {
        let (whole, _) = decoded(MP3, MP3.len())?;
        for length in [0, 5, 300, 100_000] {
            for chunk in [1, 9, 4_096] {
                assert!(decoded(&tagged(length), chunk)?.0 == whole, "a tag of {length} in chunks of {chunk}");
            }
        }
        let junk = [&[0xff, 0xfb, 0x10, 0xff, 0xff, 0xf3, 0x00, 0x55][..], MP3].concat();
        assert!(decoded(&junk, 5)?.0 == whole);
        Ok(())
    }

    #[test]
    fn what_is_broken_is_silent_and_what_follows_keeps_its_time() -> Result<(), RemoteProblem> {
        let (whole, _) = decoded(MP3, MP3.len())?;
        let mut broken = MP3.to_vec();
        // Within a frame, behind its header.
        broken[144 * 40 + 6..144 * 41].fill(0xee);
        let (pcm, _) = decoded(&broken, 777)?;
        assert_eq!(pcm.len(), whole.len());
        let end = &pcm[576 * 60..];
        let differs = end.iter().zip(&whole[576 * 60..]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(differs < 1e-4, "{differs}");
        // A stream that begins in the middle.
        let (late, _) = decoded(&MP3[144 * 30 + 50..], 100)?;
        assert_eq!(late.len() / 576, MP3.len() / 144 - 31);
        Ok(())
    }

    #[test]
    fn no_mp3_is_rubbish_and_soon_so() {
        for bytes in [vec![0x55; 100_000], b"<html></html>".to_vec(), vec![0xff; 20_000], vec![0xff]] {
            assert!(matches!(decoded(&bytes, 999), Err(RemoteProblem::Rubbish { .. })));
        }
        let (mut decoder, mut pcm) = (Mp3::default(), Vec::new());
        let pushed = (0..1_000).take_while(|_| decoder.push(&[0x55; 1_000], &mut pcm).is_ok()).count();
        assert!(pushed <= MOST_JUNK / 1_000 + 1, "{pushed}");
        assert_eq!(decoded(&[], 1), Ok((Vec::new(), None)));
    }

    #[test]
    fn any_bytes_are_taken_without_harm() {
        let mut state = 1_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        for _ in 0..200 {
            let mut bytes = MP3[..4_000].to_vec();
            for _ in 0..random() % 40 {
                let at = random() as usize % bytes.len();
                bytes[at] = random() as u8;
            }
            let _ = decoded(&bytes, 1 + random() as usize % 600);
        }
    }
}
