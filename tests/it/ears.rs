//! A recogniser elsewhere that fails in every way: this machine hears the same words, and the call goes on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::post;
use futures::{StreamExt, stream};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::caller::Call;
use crate::minds::{FakeMind, fake_mind};
use crate::server::{Server, weight, word_error_rate};

/// What is said in the recording.
const SAID: &str = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.";

/// What a scripted server does with its n-th utterance. A fake, for these tests only.
#[derive(Clone, Copy)]
enum FakeEar {
    Hears(&'static str),
    Refuses,
    Stalls,
    CutsOff,
    Rubbish,
}

fn heard(ear: FakeEar) -> Response {
    let answer = Response::builder().header("content-type", "application/json");
    match ear {
        FakeEar::Hears(text) => answer.body(Body::from(json!({"text": text}).to_string())).unwrap(),
        FakeEar::Refuses => {
            answer.status(401).body(Body::from(r#"{"error":{"message":"no such key","type":"x"}}"#)).unwrap()
        }
        FakeEar::Stalls => answer.body(Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>())).unwrap(),
        FakeEar::CutsOff => {
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the fake ear breaks off"))
            });
            answer
                .body(Body::from_stream(stream::iter([Ok(Bytes::from("{\"text\": \"What is"))]).chain(broken)))
                .unwrap()
        }
        FakeEar::Rubbish => answer.body(Body::from("<html>Welcome!</html>")).unwrap(),
    }
}

/// One spoken question to a server with this recogniser elsewhere: what was heard, how often it was asked, and how often
/// this machine had to step in.
async fn heard_by(ear: FakeEar) -> (String, usize, f64) {
    let mut tasks = JoinSet::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let handler = move |_sound: Bytes| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move { heard(ear) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/audio/transcriptions", post(handler));
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let mind = fake_mind(&[FakeMind::Answers("It is Paris.")], &mut tasks).await;
    let server = Server::start(&format!(
        "[llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"fake\"\n\
         [asr.remote]\nbase_url = \"{url}\"\nmodel = \"fake\"\napi_key_env = \"\"\n\
         [asr.remote.limits]\nfirst_byte_timeout_millis = 700\nstall_timeout_millis = 700\nretries = 0\n"
    ));
    // Its pauses end no turn.
    let patient = json!({"type": "server_vad", "silence_duration_ms": 2000});
    let mut call = Call::open_with(&server, &json!({"audio": {"input": {"turn_detection": patient}}})).await;
    call.speak(&weight("test-speech").with_file_name("beckett.wav")).await;
    let kind = "conversation.item.input_audio_transcription.completed";
    let event = call.until("the transcript", |event| event["type"] == kind).await;
    let text = event["transcript"].as_str().unwrap().to_owned();
    call.until("the answer's sound", |event| event["type"] == "output_audio_buffer.stopped").await;
    let report = call.close().await;
    assert_eq!(report.events("error").next(), None, "this machine heard it");
    assert_eq!(report.answers(), ["It is Paris."]);
    let metrics = server.metrics().await;
    let count = metrics.lines().find_map(|line| line.strip_prefix("visavis_hearing_failovers_total "));
    (text, asked.load(Ordering::Relaxed), count.and_then(|count| count.parse().ok()).unwrap_or(0.0))
}

#[tokio::test]
async fn what_the_recogniser_elsewhere_hears_is_the_transcript() {
    let (text, asked, failovers) = heard_by(FakeEar::Hears("What is the capital of Freedonia?")).await;
    // A long speech goes there in pieces.
    assert_eq!(text.replace("What is the capital of Freedonia?", "").trim(), "");
    assert!(text.starts_with("What"), "{text}");
    assert!(asked >= 1 && failovers == 0.0, "{asked} {failovers}");
}

#[tokio::test]
async fn one_that_refuses_stalls_breaks_off_or_talks_rubbish_costs_no_word() {
    for ear in [FakeEar::Refuses, FakeEar::Stalls, FakeEar::CutsOff, FakeEar::Rubbish] {
        let (text, asked, failovers) = heard_by(ear).await;
        assert!(word_error_rate(SAID, &text) <= 0.15, "{text}");
        assert!(asked >= 1 && failovers >= 1.0, "{asked} {failovers}");
    }
}

/// The recording of a voice that says this.
fn spoken(voice: &str, text: &str, folder: &Path) -> PathBuf {
    let file = folder.join("spoken.wav");
    let mut say = Command::new(env!("CARGO_BIN_EXE_visavis"));
    say.args(["say", "--voice", voice, "--out"]).arg(&file).arg(text);
    assert!(say.status().unwrap().success());
    file
}

#[tokio::test]
async fn english_and_chinese_are_both_understood_in_one_call() {
    const SAID: &[(&str, &str)] = &[
        ("piper-joe", "How far is it from here to the moon?"),
        ("kokoro/zm_yunxi", "请问从这里到火车站怎么走？"),
        ("piper-joe", "And what is the best way to get to the airport?"),
    ];
    let (mut tasks, folder) = (JoinSet::new(), tempfile::tempdir().unwrap());
    let mind = fake_mind(&[FakeMind::Answers("OK.")], &mut tasks).await;
    let server = Server::start(&format!(
        "[llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"fake\"\n\
         [asr]\nlanguage = \"auto\"\nlanguages = [\"en\", \"zh\"]\n"
    ));
    let mut call = Call::open(&server).await;
    for (voice, text) in SAID {
        call.speak(&spoken(voice, text, folder.path())).await;
        let kind = "conversation.item.input_audio_transcription.completed";
        let event = call.until("the transcript", |event| event["type"] == kind).await;
        let heard = event["transcript"].as_str().unwrap();
        // Chinese is compared character by character.
        let apart = |text: &str| text.chars().flat_map(|c| if c.is_ascii() { vec![c] } else { vec![c, ' '] }).collect();
        let (expected, heard): (String, String) = (apart(text), apart(heard));
        assert!(word_error_rate(&expected, &heard) <= 0.15, "{text}: {heard}");
        call.until("the answer's sound", |event| event["type"] == "output_audio_buffer.stopped").await;
    }
    call.close().await;
}
