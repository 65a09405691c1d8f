//! Voices elsewhere that fail at any moment of a clause: the next voice goes on, and no word is lost or said twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::post;
use futures::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::caller::{Call, Report, typed};
use crate::minds::{FakeMind, fake_mind};
use crate::server::Server;

const ANSWER: &str =
    "It is Paris, the old city of light and of love. It lies on the long river Seine, far from the sea.";
const ANSWERS: &[FakeMind] = &[FakeMind::Answers(ANSWER)];

/// What a scripted server of speech does with its n-th request. A fake, for these tests only.
#[derive(Clone, Copy)]
enum FakeVoice {
    Speaks,
    BreaksOff,
    Stalls,
    Refuses,
    Rubbish,
}

/// Seconds of a hum at 24 kHz, in pieces of 0.1 s.
fn hum(seconds: f32) -> impl Iterator<Item = Bytes> {
    let sample = |n: usize| (f32::sin(n as f32 * 0.06) * (0.6 + 0.4 * f32::sin(n as f32 * 0.001)) * 8000.0) as i16;
    (0..(seconds * 10.0) as usize)
        .map(move |piece| (piece * 2400..(piece + 1) * 2400).flat_map(|n| sample(n).to_le_bytes()).collect())
}

fn speech(voice: FakeVoice) -> Response {
    let whole = stream::iter(hum(2.5).map(Ok::<_, std::io::Error>));
    let half = || stream::iter(hum(1.4).map(Ok::<_, std::io::Error>));
    let body = match voice {
        FakeVoice::Speaks => Body::from_stream(whole),
        FakeVoice::BreaksOff => {
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the fake voice breaks off"))
            });
            Body::from_stream(half().chain(broken))
        }
        FakeVoice::Stalls => Body::from_stream(half().chain(stream::pending())),
        FakeVoice::Refuses => return Response::builder().status(500).body(Body::from("out of order")).unwrap(),
        FakeVoice::Rubbish => {
            return Response::builder().header("content-type", "text/html").body(Body::from("<html>")).unwrap();
        }
    };
    Response::builder().header("content-type", "audio/pcm").body(body).unwrap()
}

async fn fake_voice(script: &'static [FakeVoice], tasks: &mut JoinSet<()>) -> String {
    let count = Arc::new(AtomicUsize::new(0));
    let handler = move || {
        let n = count.fetch_add(1, Ordering::Relaxed).min(script.len() - 1);
        async move { speech(script[n]) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/audio/speech", post(handler));
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// A question to a server whose first voice follows the script and whose second one is local, and how often that one had
/// to step in.
async fn answered_by(script: &'static [FakeVoice]) -> (Report, f64) {
    let mut tasks = JoinSet::new();
    let (mind, voice) = (fake_mind(ANSWERS, &mut tasks).await, fake_voice(script, &mut tasks).await);
    let server = Server::start(&format!(
        "[llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"fake\"\n\
         [tts]\nvoice = \"openai\"\nothers = [\"piper-joe\"]\n\
         [tts.openai]\nbase_url = \"{voice}\"\napi_key_env = \"\"\n\
         [tts.openai.limits]\nretries = 0\nstall_timeout_millis = 700\n"
    ));
    let report = typed(&server, &["Where is the Eiffel Tower?"]).await;
    let metrics = server.metrics().await;
    let count = metrics.lines().find_map(|line| line.strip_prefix("visavis_voice_failovers_total "));
    (report, count.and_then(|count| count.parse().ok()).unwrap_or(0.0))
}

fn said_once(report: &Report) {
    assert_eq!(report.answers(), [ANSWER]);
    let words: Vec<&str> = report.events("visavis.word").filter_map(|event| event["word"].as_str()).collect();
    assert_eq!(words.join(" "), ANSWER, "each word is heard once, in order");
    assert!(report.audible_seconds() > 3.0, "{} s", report.audible_seconds());
    assert_eq!(report.events("error").next(), None, "somebody spoke for it");
}

#[tokio::test]
async fn a_remote_voice_speaks_alone_while_it_can() {
    let (report, failovers) = answered_by(&[FakeVoice::Speaks]).await;
    said_once(&report);
    assert_eq!(failovers, 0.0);
}

#[tokio::test]
async fn a_voice_that_refuses_breaks_off_or_stalls_is_replaced_in_mid_clause() {
    for script in [
        &[FakeVoice::Refuses][..],
        &[FakeVoice::Rubbish],
        &[FakeVoice::BreaksOff],
        &[FakeVoice::Stalls],
        &[FakeVoice::Speaks, FakeVoice::BreaksOff],
    ] {
        let (report, failovers) = answered_by(script).await;
        said_once(&report);
        assert!(failovers >= 1.0, "{failovers}");
    }
}

#[tokio::test]
async fn without_another_voice_the_person_is_told_why_there_is_no_sound() {
    let mut tasks = JoinSet::new();
    let (mind, voice) = (fake_mind(ANSWERS, &mut tasks).await, fake_voice(&[FakeVoice::Refuses], &mut tasks).await);
    let server = Server::start(&format!(
        "[llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"fake\"\n\
         [tts]\nvoice = \"openai\"\nothers = []\n\
         [tts.openai]\nbase_url = \"{voice}\"\napi_key_env = \"\"\n[tts.openai.limits]\nretries = 0\n"
    ));
    let mut call = Call::open(&server).await;
    call.ask_for_text("Where is the Eiffel Tower?").await;
    let report = call.close().await;
    assert_eq!(report.answers(), [ANSWER], "the words are there");
    let error = report.events("error").next().expect("an error event");
    assert_eq!(error["error"]["code"], "voice_failed");
    assert!(error["error"]["message"].as_str().unwrap().contains("500"), "{error}");
}
