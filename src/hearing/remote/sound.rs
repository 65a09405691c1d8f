//! Sound as a file that a server takes: WAV, or Opus in Ogg (RFC 7845), which is a tenth of it.

use bytes::Bytes;
use ogg::writing::{PacketWriteEndInfo, PacketWriter};
use opus::{Application, Bitrate, Channels, Encoder, Signal};

use super::HearingProblem;
use crate::media::{HEARING_HZ, MEDIA_HZ};

/// Recognisers hear the same words above 16 kbit/s; see docs/engines.md.
const BITS_PER_SECOND: i32 = 24_000;
/// 0..=10; above this the time grows, and nothing is heard of it.
const COMPLEXITY: i32 = 5;
/// 20 ms.
const FRAME: usize = HEARING_HZ as usize / 50;
/// Recommended buffer for one packet (opus_encode documentation).
const MOST_PACKET: usize = 1500;
/// Packets on a page: one second.
const PAGE: usize = 50;
/// Positions in Ogg count at this multiple of our rate.
const TICKS: usize = (MEDIA_HZ / HEARING_HZ) as usize;
/// Bytes of a WAV file before its samples.
const WAV_HEADER: usize = 44;

/// A file of sound.
#[derive(Clone, Debug)]
pub struct Packed {
    pub bytes: Bytes,
    /// By whose ending servers know what it is.
    pub name: &'static str,
    pub kind: &'static str,
}

/// 16 bit, mono, [`HEARING_HZ`].
pub fn wav(pcm: &[f32]) -> Packed {
    let length = pcm.len() * 2;
    let mut file = Vec::with_capacity(WAV_HEADER + length);
    file.extend(b"RIFF");
    file.extend(((WAV_HEADER - 8 + length) as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // Plain samples, one channel.
    file.extend([1, 0, 1, 0]);
    file.extend(HEARING_HZ.to_le_bytes());
    file.extend((HEARING_HZ * 2).to_le_bytes());
    // Bytes, then bits of a sample.
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend((length as u32).to_le_bytes());
    file.extend(pcm.iter().flat_map(|&sample| whole(sample).to_le_bytes()));
    Packed { bytes: file.into(), name: "speech.wav", kind: "audio/wav" }
}

/// Opus in Ogg.
pub fn ogg(pcm: &[f32]) -> Result<Packed, HearingProblem> {
    encoded(pcm)
        .map(|file| Packed { bytes: file.into(), name: "speech.ogg", kind: "audio/ogg" })
        .map_err(|reason| HearingProblem::Packing { reason })
}

fn encoded(pcm: &[f32]) -> Result<Vec<u8>, String> {
    let text = |error: opus::Error| error.to_string();
    let mut encoder = Encoder::new(HEARING_HZ, Channels::Mono, Application::Voip).map_err(text)?;
    encoder.set_bitrate(Bitrate::Bits(BITS_PER_SECOND)).map_err(text)?;
    encoder.set_signal(Signal::Voice).map_err(text)?;
    encoder.set_complexity(COMPLEXITY).map_err(text)?;
    // By so much the encoder delays: it is skipped at the beginning and comes at the end.
    let delay = usize::try_from(encoder.get_lookahead().map_err(text)?).unwrap_or(0);
    let mut samples: Vec<i16> = pcm.iter().map(|&sample| whole(sample)).collect();
    samples.resize((pcm.len() + delay).next_multiple_of(FRAME).max(FRAME), 0);

    let mut file = PacketWriter::new(Vec::new());
    let mut write = |packet: Vec<u8>, end, position: usize| {
        file.write_packet(packet, 1, end, position as u64).map_err(|error| error.to_string())
    };
    let [skip_low, skip_high] = ((delay * TICKS) as u16).to_le_bytes();
    let [a, b, c, d] = HEARING_HZ.to_le_bytes();
    // Version 1, one channel; what is skipped; the rate before; no gain; channels as they come.
    let head = [&b"OpusHead"[..], &[1, 1, skip_low, skip_high, a, b, c, d, 0, 0, 0]].concat();
    write(head, PacketWriteEndInfo::EndPage, 0)?;
    // A vendor of seven letters, no comments.
    write(b"OpusTags\x07\0\0\0visavis\0\0\0\0".to_vec(), PacketWriteEndInfo::EndPage, 0)?;
    let (frames, mut packet) = (samples.len() / FRAME, vec![0; MOST_PACKET]);
    for (index, frame) in samples.chunks_exact(FRAME).enumerate() {
        let length = encoder.encode(frame, &mut packet).map_err(text)?;
        let packet = packet.get(..length).unwrap_or_default().to_vec();
        let position = (index + 1) * FRAME * TICKS;
        match index + 1 {
            last if last == frames => {
                write(packet, PacketWriteEndInfo::EndStream, (pcm.len() + delay) * TICKS)?;
            }
            count if count.is_multiple_of(PAGE) => write(packet, PacketWriteEndInfo::EndPage, position)?,
            _ => write(packet, PacketWriteEndInfo::NormalPacket, position)?,
        }
    }
    Ok(file.into_inner())
}

/// What is not a number is silence.
fn whole(sample: f32) -> i16 {
    (sample * 32_767.0) as i16
}

#[cfg(test)]
mod tests {
    use ogg::PacketReader;

    use super::*;

    fn tone(samples: usize) -> Vec<f32> {
        (0..samples).map(|n| (n as f32 * 0.17).sin() * 0.4).collect()
    }

    /// Samples at [`MEDIA_HZ`], what is skipped left out, cut at the end that the stream says.
    fn decoded(file: &[u8]) -> Vec<f32> {
        let mut reader = PacketReader::new(std::io::Cursor::new(file));
        let mut decoder = opus::Decoder::new(MEDIA_HZ, Channels::Mono).expect("a decoder");
        let (mut pcm, mut frame, mut skip, mut end) = (Vec::new(), vec![0.0; 5760], 0, 0);
        let mut count = 0;
        while let Some(packet) = reader.read_packet().expect("a page") {
            count += 1;
            match count {
                1 => skip = usize::from(u16::from_le_bytes([packet.data[10], packet.data[11]])),
                2 => {}
                _ => {
                    let length = decoder.decode_float(&packet.data, &mut frame, false).expect("a packet");
                    pcm.extend_from_slice(&frame[..length]);
                    end = packet.absgp_page() as usize;
                }
            }
        }
        pcm.truncate(end);
        pcm.split_off(skip)
    }

    #[test]
    fn a_wav_file_has_the_samples() {
        let file = wav(&[0.0, 1.0, -1.0, 2.0, f32::NAN]);
        assert_eq!((&file.bytes[..4], &file.bytes[8..16], file.bytes.len()), (&b"RIFF"[..], &b"WAVEfmt "[..], 54));
        let reader = hound::WavReader::new(&file.bytes[..]).expect("a WAV file");
        let spec = reader.spec();
        assert_eq!((spec.sample_rate, spec.channels, spec.bits_per_sample), (16_000, 1, 16));
        let samples: Vec<i16> = reader.into_samples().map(|sample| sample.expect("a sample")).collect();
        assert_eq!(samples, [0, 32_767, -32_767, 32_767, 0]);
    }

    #[test]
    fn opus_is_as_long_as_the_sound_in_its_place_and_a_tenth_of_the_bytes() {
        for samples in [16_000 * 4 + 7, 16_000, 320, 1] {
            let pcm = tone(samples);
            let file = ogg(&pcm).expect("a file");
            let back = decoded(&file.bytes);
            assert_eq!(back.len(), samples * TICKS, "{samples}");
            if samples > 16_000 {
                assert!(file.bytes.len() * 8 < wav(&pcm).bytes.len(), "{}", file.bytes.len());
                let middle = 1_000..samples - 1_000;
                let product: f32 = middle.clone().map(|n| pcm[n] * back[n * TICKS]).sum();
                let energy: f32 = middle.map(|n| pcm[n] * pcm[n]).sum();
                assert!((0.9..1.1).contains(&(product / energy)), "{}", product / energy);
            }
        }
        assert!(decoded(&ogg(&[]).expect("a file").bytes).is_empty());
    }
}
