//! Held to speech of voices that were not in the training, whose phoneme times are known ([`clips`]).

use super::clips::{CLIP_HZ, clips};
use super::*;
use crate::face::{Lips, Mouth};
use crate::media::MediaTime;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Ticks of 10 ms.
const CENTI: u64 = MEDIA_HZ as u64 / 100;

/// The mouth of each 10 ms.
fn mouths(phonemes: &[TimedPhoneme], pcm: &[i16]) -> Vec<Mouth> {
    let mut lips = Lips::new();
    let zero = MediaTime(u64::from(MEDIA_HZ));
    let slow = (MEDIA_HZ / CLIP_HZ) as usize;
    let sound: Vec<i16> = pcm.iter().flat_map(|sample| std::iter::repeat_n(*sample, slow)).collect();
    lips.say(zero, phonemes, &sound);
    (0..sound.len() as u64 / CENTI).map(|centi| lips.mouth_at(zero + centi * CENTI)).collect()
}

/// Closed, narrow or open.
fn opening(mouth: &Mouth) -> u8 {
    u8::from(mouth.open >= 0.05) + u8::from(mouth.open >= 0.45)
}

#[test]
fn lips_by_sound_agree_with_lips_by_phoneme_times_in_english_and_chinese() -> Outcome {
    let (clips, mut total) = (clips()?, 0);
    for (language, is_own) in [("en", true), ("zh", false)] {
        let (mut frames, mut same, mut closures, mut shut) = (0, 0, 0, 0);
        for clip in clips.iter().filter(|clip| clip.name.starts_with('z') != is_own) {
            total += 1;
            let told = mouths(&SoundLips::of(&clip.pcm, CLIP_HZ)?, &clip.pcm);
            let right = mouths(&clip.phonemes, &clip.pcm);
            frames += right.len();
            same += right.iter().zip(&told).filter(|(right, told)| opening(right) == opening(told)).count();
            for span in classes::spans(&clip.phonemes).iter().filter(|span| span.class == classes::CLOSED) {
                let [start, end] = [span.start, span.end].map(|tick| tick as u64 / CENTI);
                closures += 1;
                let near = (start.saturating_sub(4)..=end + 4).filter_map(|centi| told.get(centi as usize));
                shut += u32::from(near.into_iter().any(Mouth::is_closed));
            }
        }
        let agreement = same as f64 / frames as f64;
        assert!(agreement >= 0.78, "{language}: the mouth agrees in {:.1} % of frames", 100.0 * agreement);
        assert!(closures >= 6 && shut * 10 >= closures * 7, "{language}: shut at {shut} of {closures} p, b and m");
    }
    assert!(total >= 2, "{total} clips");
    Ok(())
}

#[test]
fn any_cutting_of_the_stream_tells_the_same() -> Outcome {
    let clips = clips()?;
    let pcm = &clips.first().ok_or("no clip")?.pcm;
    let whole = SoundLips::of(pcm, CLIP_HZ)?;
    for size in [1, 37, 160, 1000, 7919] {
        let mut lips = SoundLips::new(CLIP_HZ)?;
        let mut parts: Vec<TimedPhoneme> = pcm.chunks(size).flat_map(|part| lips.push(part)).collect();
        parts.extend(lips.finish());
        assert_eq!(parts, whole, "pieces of {size}");
    }
    Ok(())
}

#[test]
fn phonemes_follow_one_another_from_the_first_sample_to_the_last() -> Outcome {
    for clip in clips()? {
        let told = SoundLips::of(&clip.pcm, CLIP_HZ)?;
        assert_eq!(told.first().map(|first| first.start), Some(0));
        assert_eq!(told.last().map(|last| last.end), Some(clip.pcm.len() as u64 * 3));
        assert!(told.windows(2).all(|pair| pair[0].end == pair[1].start), "{}: {told:?}", clip.name);
        assert!(told.iter().all(|phoneme| phoneme.end > phoneme.start), "{}: {told:?}", clip.name);
    }
    for length in [0, 1, 100, 400, 1000] {
        let told = SoundLips::of(&vec![0; length], CLIP_HZ)?;
        assert_eq!(told.last().map_or(0, |last| last.end), length as u64 * 3);
    }
    Ok(())
}

#[test]
fn what_is_certain_is_told_soon() -> Outcome {
    let clips = clips()?;
    for clip in &clips {
        let mut lips = SoundLips::new(CLIP_HZ)?;
        let mut told = 0;
        for (index, part) in clip.pcm.chunks(160).enumerate() {
            told = lips.push(part).last().map_or(told, |last| last.end);
            let waiting = (index as u64 + 1) * CENTI - told;
            assert!(waiting <= 290 * u64::from(MEDIA_HZ) / 1000, "{waiting} ticks wait at {index}");
        }
    }
    Ok(())
}

#[test]
fn the_rate_of_the_sound_makes_no_difference() -> Outcome {
    let clips = clips()?;
    let clip = clips.first().ok_or("no clip")?;
    // A straight line from sample to sample is soft enough above 8 kHz.
    let next = clip.pcm.iter().skip(1).chain(clip.pcm.last());
    let thrice = clip.pcm.iter().zip(next).flat_map(|(a, b)| {
        let [a, b] = [a, b].map(|sample| i32::from(*sample));
        [a, (2 * a + b) / 3, (a + 2 * b) / 3].map(|sample| sample as i16)
    });
    let thrice: Vec<i16> = thrice.collect();
    let (low, high) = (SoundLips::of(&clip.pcm, CLIP_HZ)?, SoundLips::of(&thrice, MEDIA_HZ)?);
    let (low, high) = (classes::spans(&low), classes::spans(&high));
    let ticks = (0..thrice.len()).step_by(480);
    let same = ticks.clone().filter(|t| {
        let [low, high] = [&low, &high].map(|spans| classes::at(spans, *t as f64).class);
        low == high
    });
    let (same, all) = (same.count(), ticks.count());
    assert!(same * 100 >= all * 85, "{same} of {all}");
    for rate_hz in [0, 7000, 11_025, 22_050, 44_100, 200_000] {
        assert!(matches!(SoundLips::new(rate_hz), Err(SoundLipsError::Rate { .. })), "{rate_hz}");
    }
    Ok(())
}

/// White noise; 1 is full scale.
fn noise(level: f32) -> Vec<i16> {
    let mut seed = 1_u32;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (((seed >> 16) as f32 - 32_768.0) * level) as i16
    });
    noise.take(64_000).collect()
}

/// Chords of struck strings, two a second.
fn music() -> Vec<i16> {
    let sample = |n: usize| {
        let (t, beat) = (n as f32 / CLIP_HZ as f32, n / 8_000);
        let age = (n % 8_000) as f32 / CLIP_HZ as f32;
        let root = [220.0, 174.6, 261.6, 196.0][beat % 4];
        let string =
            |hz: f32| (1..8).map(|k| (std::f32::consts::TAU * hz * k as f32 * t).sin() / (k * k) as f32).sum::<f32>();
        let chord = string(root) + string(root * 1.26) + string(root * 1.5) + string(root / 2.0);
        (chord * (-3.0 * age).exp() * (age * 100.0).min(1.0) * 3_000.0) as i16
    };
    (0..64_000).map(sample).collect()
}

/// How far the lips move in all, in gaps of 1.
fn way(mouths: &[Mouth]) -> f32 {
    mouths.windows(2).map(|pair| (pair[1].open - pair[0].open).abs()).sum()
}

#[test]
fn what_is_no_speech_leaves_the_mouth_at_rest() -> Outcome {
    for (name, pcm) in [("silence", vec![0; 64_000]), ("soft noise", noise(0.015)), ("noise", noise(0.2))] {
        let mouths = mouths(&SoundLips::of(&pcm, CLIP_HZ)?, &pcm);
        let open = mouths.iter().filter(|mouth| mouth.open > 0.05).count();
        assert!(open <= 20 && way(&mouths) <= 2.0, "{name}: the mouth opens in {open} of 400, moves {}", way(&mouths));
    }
    // Strings sound like a voice, but they do not talk.
    let clips = clips()?;
    let talk = clips.iter().map(|clip| {
        let mouths = mouths(&SoundLips::of(&clip.pcm, CLIP_HZ)?, &clip.pcm);
        Ok::<_, SoundLipsError>(way(&mouths) / mouths.len() as f32)
    });
    let talk = talk.collect::<Result<Vec<f32>, _>>()?.into_iter().fold(f32::INFINITY, f32::min);
    let music = music();
    let mouths = mouths(&SoundLips::of(&music, CLIP_HZ)?, &music);
    let moved = way(&mouths) / mouths.len() as f32;
    assert!(moved < talk / 2.0, "music moves the lips by {moved} in 10 ms, talk by {talk}");
    Ok(())
}
