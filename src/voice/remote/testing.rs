//! For tests: speech in every coding, and what must hold for whatever a remote voice tells.

use std::sync::Mutex;

use super::sound::{Arriving, Coding};
use super::{RemoteProblem, RemoteVoice};
use crate::audio::OpusEncoder;
use crate::media::{AUDIO_FRAME, Clause, MEDIA_HZ, Speech, TurnId};
use crate::voice::{VoiceError, VoiceStyle, words};

/// What is said in [`MP3`]; see tests/fixtures/README.md.
pub const TEXT: &str = "Well, the answer is 42, my old friend.";
pub const MP3: &[u8] = include_bytes!("../../../tests/fixtures/answer.mp3");
/// Its words and when they are said, in milliseconds of the sound that was encoded, as the voice that said it knows them.
pub const WORDS: &[(&str, u64, u64)] = &[
    ("Well,", 11, 336),
    ("the", 603, 696),
    ("answer", 731, 1137),
    ("is", 1172, 1253),
    ("42,", 1323, 1985),
    ("my", 2333, 2472),
    ("old", 2519, 2763),
    ("friend.", 2797, 3146),
];

pub fn clause(text: &str) -> Clause {
    Clause { turn: TurnId(7), index: 2, text: text.to_owned() }
}

/// [`MP3`] as plain samples at 24 kHz.
pub fn pcm() -> Vec<u8> {
    let samples = sound().chunks(2).map(|pair| (pair[0] * 32_767.0) as i16).collect::<Vec<_>>();
    samples.into_iter().flat_map(i16::to_le_bytes).collect()
}

/// [`MP3`] as Opus in Ogg, pages of three packets.
pub fn opus() -> Vec<u8> {
    use ogg::writing::{PacketWriteEndInfo, PacketWriter};
    let mut encoder = OpusEncoder::new().expect("an encoder");
    let sound = sound();
    // By so much the encoder delays: what is skipped at the beginning comes at the end.
    let skip = 312_u16;
    let mut pcm: Vec<i16> = sound.iter().map(|sample| (sample * 32_767.0) as i16).collect();
    let end = pcm.len() as u64 + u64::from(skip);
    pcm.resize(pcm.len() + usize::from(skip), 0);
    pcm.resize(pcm.len().next_multiple_of(AUDIO_FRAME), 0);
    let mut head = b"OpusHead\x01\x01".to_vec();
    head.extend(skip.to_le_bytes());
    head.extend(24_000_u32.to_le_bytes());
    head.extend([0, 0, 0]);
    let mut writer = PacketWriter::new(Vec::new());
    let mut write = |packet: Vec<u8>, info, position| writer.write_packet(packet, 9, info, position).expect("a page");
    write(head, PacketWriteEndInfo::EndPage, 0);
    write(b"OpusTags\x04\0\0\0test\0\0\0\0".to_vec(), PacketWriteEndInfo::EndPage, 0);
    let frames: Vec<&[i16]> = pcm.chunks(AUDIO_FRAME).collect();
    for (index, frame) in frames.iter().enumerate() {
        let packet = encoder.encode(frame).expect("a packet").to_vec();
        let position = ((index + 1) * AUDIO_FRAME) as u64;
        match index + 1 {
            last if last == frames.len() => write(packet, PacketWriteEndInfo::EndStream, end),
            third if third % 3 == 0 => write(packet, PacketWriteEndInfo::EndPage, position),
            _ => write(packet, PacketWriteEndInfo::NormalPacket, position),
        }
    }
    writer.into_inner()
}

/// [`MP3`] at 48 kHz, silence cut.
pub fn sound() -> Vec<f32> {
    let (mut arriving, mut sound) = (Arriving::new(Coding::Mp3), Vec::new());
    arriving.push(MP3, &mut sound).expect("MP3");
    arriving.next(&mut sound).expect("the end of MP3");
    arriving.finish(80, &mut sound);
    sound
}

/// Lets `voice` say `clause`: its parts, and how it ended.
pub async fn said(voice: &dyn RemoteVoice, clause: &Clause) -> (Vec<Speech>, Result<(), RemoteProblem>) {
    let parts = Mutex::new(Vec::new());
    let mut listen = |part| {
        parts.lock().expect("parts").push(part);
        true
    };
    let ended = voice.speak(clause, &VoiceStyle::default(), &mut listen).await;
    let ended = ended.map_err(|error| match error {
        VoiceError::Remote { problem, voice: name, url } => {
            assert!(name == voice.name() && url.contains("://"), "{name} {url}");
            assert!(!problem.to_string().contains("Sec-MS-GEC"), "{problem}");
            problem
        }
        error => panic!("{error}"),
    });
    (parts.into_inner().expect("parts"), ended)
}

/// What holds for the parts of a clause, be it whole or not; puts them together.
pub fn checked(clause: &Clause, parts: Vec<Speech>) -> Speech {
    let ranges = words::ranges(&clause.text);
    let mut next = 0;
    let mut whole: Option<Speech> = None;
    for part in parts {
        let end = part.pcm.len() as u64;
        assert_eq!((part.turn, part.clause, &part.text), (clause.turn, clause.index, &clause.text));
        assert!(part.words.windows(2).all(|pair| pair[0].end <= pair[1].start), "{:?}", part.words);
        assert!(part.words.iter().all(|word| word.start <= word.end && word.end <= end), "{end}: {:?}", part.words);
        assert!(part.phonemes.windows(2).all(|pair| pair[0].end == pair[1].start), "{:?}", part.phonemes);
        assert_eq!(part.phonemes.last().map_or(0, |last| last.end), end);
        for word in &part.words {
            assert_eq!(Some(&word.text), ranges.get(next), "every word once and in order");
            next += 1;
        }
        match &mut whole {
            Some(whole) => whole.extend(part),
            none => *none = Some(part),
        }
    }
    whole.expect("parts")
}

/// As [`checked`], and nothing is missing, it is as loud as every voice, and it is quiet at its ends.
pub fn complete(clause: &Clause, parts: Vec<Speech>) -> Speech {
    let whole = checked(clause, parts);
    assert_eq!(whole.words.len(), words::ranges(&clause.text).len());
    let samples: Vec<f32> = whole.pcm.iter().map(|&sample| f32::from(sample) / 32_768.0).collect();
    let frames = samples
        .chunks(MEDIA_HZ as usize / 50)
        .map(|frame| frame.iter().map(|sample| sample * sample).sum::<f32>() / frame.len() as f32);
    let loud: Vec<f32> = frames.filter(|energy| *energy > 0.000_05).collect();
    let level = 10.0 * (loud.iter().sum::<f32>() / loud.len() as f32).log10();
    assert!((-22.0..-18.0).contains(&level), "{level} dBFS");
    assert!(whole.pcm.iter().all(|sample| sample.unsigned_abs() < 27_600), "a peak above -1.5 dBFS");
    let tail = whole.pcm.len() - 170 * 48;
    assert!(whole.pcm[tail..].iter().all(|&sample| sample == 0), "180 ms of silence after a sentence");
    assert!(whole.pcm[..10 * 48].iter().all(|sample| sample.abs() < 400), "silence before it");
    let begins = whole.pcm.iter().position(|sample| sample.abs() > 400).unwrap_or_default();
    assert!(begins < 60 * 48, "but no more than 10 ms of it, the sound beginning softly: {begins}");
    whole
}
