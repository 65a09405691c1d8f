//! A file of pictures with sound, to look at: MP4 with H.264 and Opus, which browsers play.

use std::io;
use std::num::NonZeroU32;
use std::path::Path;

use shiguredo_mp4::boxes::{
    AudioSampleEntryFields, Avc1Box, AvccBox, DopsBox, OpusBox, SampleEntry, VisualSampleEntryFields,
};
use shiguredo_mp4::mux::{Mp4FileMuxer, Mp4FileMuxerOptions, Sample, estimate_maximum_moov_box_size};
use shiguredo_mp4::{FixedPointNumber, TrackKind, Uint};

use super::VideoError;
use super::encode::EncodedPicture;
use crate::media::{AUDIO_FRAME, MEDIA_HZ, VIDEO_FPS};

const SPS: u8 = 7;
const PPS: u8 = 8;
/// Samples that an Opus decoder makes before the first one that was meant (RFC 7845, section 4.2): libopus' delay.
const PRE_SKIP: u16 = 312;

/// Writes a [`file`].
pub fn write(
    path: &Path,
    size: (usize, usize),
    pictures: &[EncodedPicture],
    packets: &[bytes::Bytes],
) -> Result<(), VideoError> {
    let file = file(size, pictures, packets)?;
    std::fs::write(path, file).map_err(|error| VideoError::Clip(format!("{}: {error}", path.display())))
}

/// Pictures, one every 40 ms from the start, the first a key frame, and packets of 20 ms of mono sound, if any. It can be
/// played before all of it is there.
pub fn file(
    size: (usize, usize),
    pictures: &[EncodedPicture],
    packets: &[bytes::Bytes],
) -> Result<Vec<u8>, VideoError> {
    let failed = |error: &dyn std::fmt::Display| VideoError::Clip(error.to_string());
    let options = Mp4FileMuxerOptions {
        reserved_moov_box_size: estimate_maximum_moov_box_size(&[pictures.len(), packets.len()]),
        ..Mp4FileMuxerOptions::default()
    };
    let mut muxer = Mp4FileMuxer::with_options(options).map_err(|error| failed(&error))?;
    let mut file = muxer.initial_boxes_bytes().to_vec();
    let mut entry =
        pictures.first().map(|first| video_entry(&first.h264, size)).transpose().map_err(|error| failed(&error))?;
    for picture in pictures {
        let unit = with_lengths(&picture.h264);
        let timescale = NonZeroU32::MIN.saturating_add(VIDEO_FPS - 1);
        let sample =
            sample(TrackKind::Video, entry.take(), picture.key_frame, (timescale, 1), (file.len(), unit.len()));
        muxer.append_sample(&sample).map_err(|error| failed(&error))?;
        file.extend(unit);
    }
    let mut entry = Some(sound_entry());
    for packet in packets {
        let timescale = NonZeroU32::MIN.saturating_add(MEDIA_HZ - 1);
        let duration = (timescale, AUDIO_FRAME as u32);
        let sample = sample(TrackKind::Audio, entry.take(), true, duration, (file.len(), packet.len()));
        muxer.append_sample(&sample).map_err(|error| failed(&error))?;
        file.extend(packet);
    }
    let finalized = muxer.finalize().map_err(|error| failed(&error))?;
    for (offset, bytes) in finalized.offset_and_bytes_pairs() {
        let end = offset as usize + bytes.len();
        file.resize(file.len().max(end), 0);
        file[offset as usize..end].copy_from_slice(bytes);
    }
    Ok(file)
}

fn sample(
    track_kind: TrackKind,
    sample_entry: Option<SampleEntry>,
    keyframe: bool,
    (timescale, duration): (NonZeroU32, u32),
    (offset, data_size): (usize, usize),
) -> Sample {
    Sample {
        track_kind,
        sample_entry,
        keyframe,
        timescale,
        duration,
        composition_time_offset: None,
        data_offset: offset as u64,
        data_size,
    }
}

/// NAL units of an access unit in Annex B form, without their start codes.
fn units(h264: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = h264;
    std::iter::from_fn(move || {
        let start = rest.windows(3).position(|window| window == [0, 0, 1])? + 3;
        let end =
            rest[start..].windows(3).position(|window| window == [0, 0, 1]).map_or(rest.len(), |next| start + next);
        let unit = &rest[start..end];
        rest = &rest[end..];
        // A start code of four bytes begins with what looks like the end of the unit before it.
        Some(unit.strip_suffix(&[0]).filter(|_| !rest.is_empty()).unwrap_or(unit))
    })
}

/// The same with each unit's length before it, without parameter sets, as MP4 has it.
fn with_lengths(h264: &[u8]) -> Vec<u8> {
    let pictures = units(h264).filter(|unit| !matches!(unit[0] & 0x1f, SPS | PPS));
    pictures.flat_map(|unit| (unit.len() as u32).to_be_bytes().into_iter().chain(unit.iter().copied())).collect()
}

fn video_entry(h264: &[u8], (width, height): (usize, usize)) -> io::Result<SampleEntry> {
    let of = |kind: u8| units(h264).filter(|unit| unit[0] & 0x1f == kind).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (sps_list, pps_list) = (of(SPS), of(PPS));
    let Some([_, profile, compatibility, level, ..]) = sps_list.first().map(Vec::as_slice) else {
        return Err(io::Error::other("the first picture has no parameter sets"));
    };
    let avcc_box = AvccBox {
        avc_profile_indication: *profile,
        profile_compatibility: *compatibility,
        avc_level_indication: *level,
        length_size_minus_one: Uint::new(3),
        sps_list: sps_list.clone(),
        pps_list,
        chroma_format: None,
        bit_depth_luma_minus8: None,
        bit_depth_chroma_minus8: None,
        sps_ext_list: Vec::new(),
    };
    let visual = VisualSampleEntryFields {
        data_reference_index: VisualSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
        width: width as u16,
        height: height as u16,
        horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
        vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
        frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
        compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
        depth: VisualSampleEntryFields::DEFAULT_DEPTH,
    };
    Ok(SampleEntry::Avc1(Avc1Box { visual, avcc_box, unknown_boxes: Vec::new() }))
}

fn sound_entry() -> SampleEntry {
    let audio = AudioSampleEntryFields {
        data_reference_index: AudioSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
        channelcount: 1,
        samplesize: AudioSampleEntryFields::DEFAULT_SAMPLESIZE,
        samplerate: FixedPointNumber::new(MEDIA_HZ as u16, 0),
    };
    let dops_box = DopsBox { output_channel_count: 1, pre_skip: PRE_SKIP, input_sample_rate: MEDIA_HZ, output_gain: 0 };
    SampleEntry::Opus(OpusBox { audio, dops_box, unknown_boxes: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::I420;
    use crate::video::{H264Encoder, VideoSettings};

    #[test]
    fn units_are_told_apart_by_start_codes_of_both_lengths() {
        let stream = [0, 0, 0, 1, 0x67, 7, 0, 0, 1, 0x68, 0, 0, 0, 1, 0x65, 0, 2];
        assert_eq!(units(&stream).collect::<Vec<_>>(), [&[0x67, 7][..], &[0x68], &[0x65, 0, 2]]);
        assert_eq!(with_lengths(&stream), [0, 0, 0, 3, 0x65, 0, 2]);
    }

    #[test]
    fn a_clip_holds_all_that_was_written() -> Result<(), Box<dyn std::error::Error>> {
        use shiguredo_mp4::demux::{Input, Mp4FileDemuxer};
        let mut encoder = H264Encoder::new(&VideoSettings { width: 64, height: 64, ..VideoSettings::default() })?;
        let picture = I420::new(64, 64);
        let pictures: Vec<_> = (0..5).map(|_| encoder.encode(&picture, false).unwrap().unwrap()).collect();
        let packets = vec![bytes::Bytes::from_static(&[0xf8, 0xff, 0xfe]); 10];
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("clip.mp4");
        write(&path, (64, 64), &pictures, &packets)?;
        let file = std::fs::read(&path)?;
        let mut demuxer = Mp4FileDemuxer::new();
        while let Some(required) = demuxer.required_input() {
            let start = required.position as usize;
            demuxer.handle_input(Input { position: required.position, data: &file[start..] });
        }
        let (mut seen, mut heard) = (0, 0);
        while let Some(sample) = demuxer.next_sample()? {
            match sample.track.kind {
                TrackKind::Video => {
                    let unit = &file[sample.data_offset as usize..][..sample.data_size];
                    assert_eq!(unit, with_lengths(&pictures[seen].h264));
                    seen += 1;
                }
                _ => heard += 1,
            }
        }
        assert_eq!((seen, heard), (5, 10));
        Ok(())
    }
}
