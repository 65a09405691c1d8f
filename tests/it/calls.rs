//! Spoken and typed calls: what is heard, what is answered, and what comes back as sound and picture.

use std::path::Path;

use visavis::call::{CallOptions, CallReport, Utterance, run};

use crate::caller::{Call, typed};
use crate::server::{Server, weight, word_error_rate};

const BECKETT: &str = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.";
const TWO_CITIES: &str = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of \
    foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the \
    season of Darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had \
    nothing before us, we were all going direct to Heaven, we were all going direct the other way, in short, the period \
    was so far like the present period, that some of its noisiest authorities insisted on its being received, for good \
    or for evil, in the superlative degree of comparison only.";

async fn speak(server: &Server, recording: &Path, talk_over: Option<&Path>) -> CallReport {
    let options = CallOptions {
        url: server.url.clone(),
        utterances: vec![Utterance::Spoken(recording.to_owned())],
        talk_over: talk_over.map(Path::to_owned),
        ..CallOptions::default()
    };
    run(options).await.unwrap()
}

fn recording(name: &str) -> std::path::PathBuf {
    weight("test-speech").with_file_name(name)
}

/// The answer of a call came as an even picture and unbroken sound.
fn came_whole(report: &CallReport) {
    assert!(report.is_complete(), "{report}");
    assert!(report.errors.is_empty(), "{report}");
    assert_eq!(report.audio.gaps, 0, "{report}");
    assert_eq!(report.audio.lost, 0, "{report}");
    assert!((report.video.fps - 25.0).abs() <= 0.5, "{report}");
}

#[tokio::test]
async fn recordings_are_understood_and_answered() {
    // The answer's length is the model's choice, and no part of this test.
    let server = Server::start("[llm]\nmax_tokens = 40\n");
    for (name, text) in [("beckett.wav", BECKETT), ("two_cities.wav", TWO_CITIES)] {
        let report = speak(&server, &recording(name), None).await;
        came_whole(&report);
        let heard = report.turns[0].transcripts.join(" ");
        let rate = word_error_rate(text, &heard);
        println!("{name}: word error rate {:.1} %\n{report}", 100.0 * rate);
        assert!(rate <= 0.10, "word error rate {rate:.3}: {heard}");
        assert!(!report.turns[0].answers.is_empty(), "{report}");
    }
}

#[tokio::test]
async fn talking_over_an_answer_stops_it() {
    let server = Server::start("");
    let options = CallOptions {
        url: server.url.clone(),
        utterances: vec![Utterance::Typed("Count from one to thirty in words.".into())],
        talk_over: Some(recording("beckett.wav")),
        ..CallOptions::default()
    };
    let report = run(options).await.unwrap();
    println!("{report}");
    assert!(report.turns[0].interrupted >= 1, "{report}");
}

#[tokio::test]
async fn a_typed_question_is_answered_about_itself_aloud() {
    let server = Server::start("");
    let report = typed(&server, &["What is the capital of France?"]).await;
    assert!(report.answers()[0].contains("Paris"), "{:?}", report.answers());
    assert!(report.audible_seconds() > 0.8, "{} s", report.audible_seconds());
    assert!(report.pictures > 25);
}

#[tokio::test]
async fn two_calls_at_once_do_not_mix() {
    let server = Server::start("");
    let (mut first, mut second) = (Call::open(&server).await, Call::open(&server).await);
    tokio::join!(first.ask("What is the capital of France?"), second.ask("What is the capital of Italy?"));
    let (first, second) = (first.close().await, second.close().await);
    assert!(first.answers()[0].contains("Paris"), "{:?}", first.answers());
    assert!(second.answers()[0].contains("Rome"), "{:?}", second.answers());
}

#[tokio::test]
async fn speech_ends_when_its_packets_stay_away() {
    let server = Server::start("[llm]\nmax_tokens = 10\n[turn]\nend = \"silence\"\nsilence_millis = 900\n");
    let mut call = Call::open(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.wav");
    let mut reader = hound::WavReader::open(recording("two_cities.wav")).unwrap();
    let mut writer = hound::WavWriter::create(&cut, reader.spec()).unwrap();
    // In the middle of the first sentence.
    let rate = reader.spec().sample_rate as usize;
    reader.samples::<i16>().take(2 * rate).for_each(|sample| writer.write_sample(sample.unwrap()).unwrap());
    writer.finalize().unwrap();
    call.speak(&cut).await;
    let heard = "conversation.item.input_audio_transcription.completed";
    let event = call.until(heard, |event| event["type"] == heard).await;
    assert!(event["transcript"].as_str().unwrap().to_lowercase().contains("it was the best"), "{event}");
    call.close().await;
}
