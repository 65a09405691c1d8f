//! Opus (RFC 6716) as calls use it: mono, 48 kHz, 20 ms out, anything in. Loss is not detected here; see `Inbound`.

use bytes::Bytes;
use opus::{Application, Bitrate, Channels, Decoder, Encoder, Signal};

use super::AudioError;
use crate::media::{AUDIO_FRAME, MEDIA_HZ};

/// Speech in full band needs no more.
const BITS_PER_SECOND: i32 = 32_000;
/// Loss that the encoder prepares for: it decides how much of each packet repeats the one before.
const EXPECTED_LOSS_PERCENT: i32 = 10;
/// 0..=10; above this the gain for speech is not heard and the time doubles.
const COMPLEXITY: i32 = 5;
/// Recommended buffer for one packet (opus_encode documentation).
const MAX_PACKET: usize = 1500;
/// Longest packet there is: 120 ms.
pub(super) const MAX_SAMPLES: usize = MEDIA_HZ as usize * 120 / 1000;
/// Every length of concealed sound is a multiple of this: 2.5 ms.
pub(super) const CONCEAL_STEP: usize = MEDIA_HZ as usize / 400;

/// Mono frames of 20 ms with in-band error correction; silence is sent too (no DTX), so a gap means loss.
pub struct OpusEncoder {
    encoder: Encoder,
    packet: Vec<u8>,
}

impl OpusEncoder {
    pub fn new() -> Result<Self, AudioError> {
        let mut encoder = Encoder::new(MEDIA_HZ, Channels::Mono, Application::Voip)?;
        encoder.set_bitrate(Bitrate::Bits(BITS_PER_SECOND))?;
        encoder.set_signal(Signal::Voice)?;
        encoder.set_complexity(COMPLEXITY)?;
        encoder.set_inband_fec(true)?;
        encoder.set_packet_loss_perc(EXPECTED_LOSS_PERCENT)?;
        encoder.set_dtx(false)?;
        Ok(Self { encoder, packet: vec![0; MAX_PACKET] })
    }

    /// `pcm` is exactly one frame of [`AUDIO_FRAME`] samples.
    pub fn encode(&mut self, pcm: &[i16]) -> Result<Bytes, AudioError> {
        if pcm.len() != AUDIO_FRAME {
            return Err(AudioError::FrameLength { samples: pcm.len() });
        }
        let length = self.encoder.encode(pcm, &mut self.packet)?;
        Ok(Bytes::copy_from_slice(&self.packet[..length]))
    }
}

/// Any Opus packet to 48 kHz mono.
pub struct OpusDecoder {
    decoder: Decoder,
    samples: Vec<i16>,
}

impl OpusDecoder {
    pub fn new() -> Result<Self, AudioError> {
        Ok(Self { decoder: Decoder::new(MEDIA_HZ, Channels::Mono)?, samples: vec![0; MAX_SAMPLES] })
    }

    /// Appends the packet's sound and returns its length. An error leaves `out` and the decoder as they were.
    pub fn decode(&mut self, packet: &[u8], out: &mut Vec<i16>) -> Result<usize, AudioError> {
        let count = self.decoder.decode(packet, &mut self.samples, false)?;
        out.extend_from_slice(&self.samples[..count]);
        Ok(count)
    }

    /// Appends `count` samples made up from what was heard before (packet loss concealment); at most 120 ms.
    pub fn conceal(&mut self, count: usize, out: &mut Vec<i16>) {
        self.fill(&[], count, out);
    }

    /// Appends the `count` samples that were lost directly before `next`, from the copy of them that `next` carries,
    /// or made up where it carries none.
    pub fn recover(&mut self, next: &[u8], count: usize, out: &mut Vec<i16>) {
        self.fill(next, count, out);
    }

    /// Length of a packet in samples; none if it is not Opus.
    pub fn length(&self, packet: &[u8]) -> Option<usize> {
        self.decoder.get_nb_samples(packet).ok().filter(|&count| count > 0)
    }

    fn fill(&mut self, packet: &[u8], count: usize, out: &mut Vec<i16>) {
        let whole = (count - count % CONCEAL_STEP).min(MAX_SAMPLES);
        let end = out.len() + count;
        if whole > 0
            && let Ok(made) = self.decoder.decode(packet, &mut self.samples[..whole], true)
        {
            out.extend_from_slice(&self.samples[..made.min(whole)]);
        }
        out.resize(end, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_frames_are_encoded() {
        let mut encoder = OpusEncoder::new().unwrap();
        assert!(matches!(encoder.encode(&[0; 480]), Err(AudioError::FrameLength { samples: 480 })));
    }

    #[test]
    fn an_error_appends_nothing_and_concealment_always_fills() {
        let mut decoder = OpusDecoder::new().unwrap();
        let mut out = Vec::new();
        assert!(decoder.decode(&[0xff; 3], &mut out).is_err());
        assert!(out.is_empty());
        decoder.conceal(1001, &mut out);
        decoder.recover(&[0xff; 3], 960, &mut out);
        assert_eq!(out.len(), 1961);
    }
}
