//! Microphones that send what nobody should answer, or hardly can be understood: noise, music, clipping, a speech
//! that never pauses.

use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use visavis::call::{CallOptions, CallReport, Utterance, run};

use crate::server::{Server, weight, word_error_rate};

/// Samples and their rate.
type Sound = (Vec<i16>, u32);

fn recording(name: &str) -> Sound {
    let mut reader = hound::WavReader::open(weight("test-speech").with_file_name(name)).unwrap();
    let rate = reader.spec().sample_rate;
    (reader.samples::<i16>().map(Result::unwrap).collect(), rate)
}

/// Says this and stays for a while.
async fn say(server: &Server, (pcm, rate): Sound, folder: &Path) -> CallReport {
    let path = folder.join("said.wav");
    let spec =
        hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    pcm.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
    writer.finalize().unwrap();
    let options = CallOptions {
        url: server.url.clone(),
        utterances: vec![Utterance::Spoken(path)],
        answer_timeout: std::time::Duration::from_secs(20),
        ..CallOptions::default()
    };
    run(options).await.unwrap()
}

#[tokio::test]
async fn noise_and_music_get_no_answer() {
    const RATE: u32 = 16_000;
    let server = Server::start("");
    let folder = tempfile::tempdir().unwrap();
    let mut dice = StdRng::seed_from_u64(3);
    let noise = (0..8 * RATE).map(|_| dice.random_range(-3000..3000));
    // A melody of plucked strings, eight notes of half a second, twice.
    let notes = [220.0, 261.6, 329.6, 440.0, 392.0, 329.6, 293.7, 261.6];
    let music = (0..8 * RATE).map(|n| {
        let time = f64::from(n) / f64::from(RATE);
        let (note, age) = (notes[(time * 2.0) as usize % notes.len()], time * 2.0 % 1.0);
        let string: f64 =
            (1..6).map(|k| (std::f64::consts::TAU * note * f64::from(k) * time).sin() / f64::from(k)).sum();
        (string * (-3.0 * age).exp() * 6000.0) as i16
    });
    let pcm: Vec<i16> = noise.chain(std::iter::repeat_n(0, RATE as usize)).chain(music).collect();
    let report = say(&server, (pcm, RATE), folder.path()).await;
    assert!(report.ended_by_server.is_none() && report.errors.is_empty(), "{report}");
    let heard: Vec<_> = report.turns[0].transcripts.iter().filter(|text| !text.is_empty()).collect();
    assert!(heard.is_empty() && report.turns[0].answers.is_empty(), "{report}");
}

#[tokio::test]
async fn a_clipped_microphone_is_still_understood() {
    let server = Server::start("[llm]\nmax_tokens = 10\n");
    let folder = tempfile::tempdir().unwrap();
    let (mut pcm, rate) = recording("beckett.wav");
    pcm.iter_mut().for_each(|sample| *sample = sample.saturating_mul(12));
    let report = say(&server, (pcm, rate), folder.path()).await;
    assert!(report.is_complete() && report.errors.is_empty(), "{report}");
    let heard = report.turns[0].transcripts.join(" ");
    let rate = word_error_rate("Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.", &heard);
    println!("clipped: word error rate {:.1} %: {heard}", 100.0 * rate);
    assert!(rate <= 0.35, "{report}");
}

#[tokio::test]
async fn a_speech_without_a_pause_is_transcribed_on_the_way_and_answered() {
    let server = Server::start("[llm]\nmax_tokens = 10\n");
    let folder = tempfile::tempdir().unwrap();
    // Silences become as short as those between words.
    let mut pcm = Vec::new();
    let mut quiet = 0;
    let (speech, rate) = recording("two_cities.wav");
    for window in speech.chunks(rate as usize / 100) {
        quiet = if window.iter().all(|sample| sample.abs() < 500) { quiet + 1 } else { 0 };
        if quiet <= 4 {
            pcm.extend_from_slice(window);
        }
    }
    let report = say(&server, (pcm, rate), folder.path()).await;
    println!("{report}");
    assert!(report.is_complete() && report.errors.is_empty(), "{report}");
    let turn = &report.turns[0];
    assert!(!turn.answers.is_empty(), "{report}");
    let words: usize = turn.transcripts.iter().map(|text| text.split_whitespace().count()).sum();
    assert!((100..140).contains(&words), "{words} of 119 words: {report}");
}
