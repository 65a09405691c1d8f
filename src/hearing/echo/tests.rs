//! Rooms made of a delay and a decaying tail; two recordings, one as what is sent, one as a person who talks over it.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::vad::{SileroModel, Vad};
use super::super::{SpeechEvent, VadSettings};
use super::*;
use crate::media::{HEARING_HZ, MEDIA_HZ};
use crate::onnx::Runtime;
use crate::testing::weight;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A recording at 16 kHz; its speech at about -23 dB of full scale.
fn speech(name: &str) -> Vec<f32> {
    let reader = hound::WavReader::open(weight("test-speech").with_file_name(name)).unwrap();
    let step = (reader.spec().sample_rate / HEARING_HZ) as usize;
    let pcm: Vec<f32> = reader.into_samples::<i16>().map(|sample| f32::from(sample.unwrap())).collect();
    let mut pcm: Vec<f32> = pcm.chunks(step).map(|samples| samples.iter().sum::<f32>() / step as f32).collect();
    let loud: Vec<f32> = pcm.iter().map(|s| s * s).filter(|power| *power > 200.0 * 200.0).collect();
    let gain = 0.1 / (loud.iter().sum::<f32>() / loud.len() as f32).sqrt();
    pcm.iter_mut().for_each(|sample| *sample *= gain);
    pcm
}

struct Room {
    delay_millis: usize,
    /// Level of the echo; none: the caller wears headphones.
    echo_db: Option<f32>,
    dice: StdRng,
}

impl Room {
    fn new(delay_millis: usize, echo_db: Option<f32>) -> Self {
        Self { delay_millis, echo_db, dice: StdRng::seed_from_u64(delay_millis as u64) }
    }

    /// What the microphone has of `sent`: late, with 200 ms of reverberation, in noise 60 dB below full scale.
    fn microphone(&mut self, sent: &[f32]) -> Vec<f32> {
        let tail: Vec<(usize, f32)> = (0..300)
            .map(|_| {
                let at: f32 = self.dice.random_range(20.0..3200.0);
                (at as usize, 0.08 * self.dice.random_range(-1.0..1.0) * 10f32.powf(-3.0 * at / 3200.0))
            })
            .collect();
        let delay = self.delay_millis * 16;
        let gain = self.echo_db.map_or(0.0, |db| 10f32.powf(db / 20.0));
        (0..sent.len())
            .map(|n| {
                let at = |late: usize| n.checked_sub(delay + late).map_or(0.0, |n| sent[n]);
                let echo: f32 = at(0) + tail.iter().map(|(late, gain)| gain * at(*late)).sum::<f32>();
                gain * echo + self.dice.random_range(-0.0017..0.0017)
            })
            .collect()
    }
}

/// Runs a call: beginnings of speech that are found, in milliseconds.
fn beginnings(sent: &[f32], mic: &[f32], veto: bool) -> Result<Vec<u64>, Box<dyn std::error::Error>> {
    let model = SileroModel::load(&Runtime::load(&weight("onnxruntime"))?, &weight("silero-vad"))?;
    let (mut vad, ring, mut echo) =
        (Vad::new(model, VadSettings::default()), SentSound::default(), EchoVeto::default());
    let (mut events, mut heard) = (Vec::new(), Vec::new());
    for (n, window) in mic.as_chunks::<WINDOW>().0.iter().enumerate() {
        // Three samples for one: enough of an interpolation, the ring keeps what is below 7 kHz.
        let out: Vec<i16> = sent[n * WINDOW..(n + 1) * WINDOW]
            .iter()
            .flat_map(|sample| [(sample * 32_768.0) as i16; (MEDIA_HZ / HEARING_HZ) as usize])
            .collect();
        ring.push(&out);
        echo.push(window, &ring);
        vad.push(window, veto && echo.is_echo(), &mut events)?;
        for event in events.drain(..) {
            match event {
                SpeechEvent::Suspected { at } => heard.push(at / 16),
                // As after a turn that was dealt with.
                SpeechEvent::Paused { .. } => vad.take(),
                _ => {}
            }
        }
    }
    Ok(heard)
}

/// Speech, with silence before it, as long as `length`.
fn placed(speech: &[f32], at: usize, length: usize) -> Vec<f32> {
    let mut pcm = vec![0.0; at];
    pcm.extend(speech);
    pcm.resize(length, 0.0);
    pcm
}

#[test]
fn our_own_voice_in_the_microphone_is_nobody() -> Outcome {
    let sent = placed(&speech("two_cities.wav")[..16_000 * 12], 16_000, 16_000 * 14);
    for (delay, level) in [(30, -6.0), (120, -20.0), (350, -12.0), (580, -30.0)] {
        let mic = Room::new(delay, Some(level)).microphone(&sent);
        assert!(!beginnings(&sent, &mic, false)?.is_empty(), "without the veto it would be somebody");
        assert_eq!(beginnings(&sent, &mic, true)?, [0; 0], "{level} dB after {delay} ms");
    }
    Ok(())
}

#[test]
fn a_person_is_heard_over_the_echo() -> Outcome {
    let answer = speech("two_cities.wav");
    let person = speech("beckett.wav");
    let sent = placed(&answer[..16_000 * 8], 16_000, 16_000 * 10);
    for (delay, level) in [(30, -6.0), (250, -20.0)] {
        let mut mic = Room::new(delay, Some(level)).microphone(&sent);
        let voice = placed(&person[..16_000 * 2], 16_000 * 6, mic.len());
        let alone = beginnings(&vec![0.0; voice.len()], &voice, false)?;
        mic.iter_mut().zip(&voice).for_each(|(mic, voice)| *mic += voice);
        let found = beginnings(&sent, &mic, true)?;
        let late = found.first().ok_or("nobody")?.saturating_sub(alone[0]);
        assert!(found[0] >= 6_000 && late <= 200, "{found:?} instead of {alone:?}: {level} dB after {delay} ms");
    }
    Ok(())
}

#[test]
fn without_an_echo_nobody_is_kept_from_speaking() -> Outcome {
    let answer = speech("two_cities.wav");
    let person = speech("beckett.wav");
    let length = person.len() + 16_000;
    let voice = placed(&person, 8_000, length);
    let alone = beginnings(&vec![0.0; length], &voice, false)?;
    for begin in [1, 2, 4] {
        let sent = placed(&answer[..length - begin * 16_000], begin * 16_000, length);
        let mut mic = Room::new(0, None).microphone(&sent);
        mic.iter_mut().zip(&voice).for_each(|(mic, voice)| *mic += voice);
        let found = beginnings(&sent, &mic, true)?;
        let missed = alone.iter().filter(|at| found.iter().all(|found| found.abs_diff(**at) > 250)).count();
        assert!(missed == 0, "answer from {begin} s on: {found:?} instead of {alone:?}");
    }
    Ok(())
}
