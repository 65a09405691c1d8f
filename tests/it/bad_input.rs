//! Nonsense over HTTP and over the data channel: a clear error each time, and the call goes on.

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::caller::{Call, Script, offer, talk};
use crate::minds::{FakeMind, fake_mind};
use crate::server::{Server, command, command_at, refusal};

async fn post(server: &Server, kind: &str, body: impl Into<reqwest::Body>) -> Response {
    let request = Client::new().post(format!("{}/v1/realtime/calls", server.url)).header("content-type", kind);
    request.body(body).send().await.unwrap()
}

/// The protocol's error of a refused request.
async fn error(response: Response, status: StatusCode, code: &str) -> String {
    assert_eq!(response.status(), status);
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["error"]["code"], code, "{body}");
    body["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn broken_offers_are_refused_with_words_and_take_no_place() {
    let server = Server::start("[server]\nmax_calls = 1\n");
    error(post(&server, "application/sdp", "hello").await, StatusCode::BAD_REQUEST, "invalid_sdp").await;
    let offer = offer().await;
    let without_h264: String = offer.replace("H264/90000", "VP8/90000");
    let message = error(post(&server, "application/sdp", without_h264).await, StatusCode::BAD_REQUEST, "no_h264").await;
    assert!(message.contains("H.264"), "{message}");
    let without_opus: String = offer.replace("opus/48000", "G722/8000");
    error(post(&server, "application/sdp", without_opus).await, StatusCode::BAD_REQUEST, "no_opus").await;
    let huge = post(&server, "application/sdp", "v=0\r\n".repeat(100_000)).await;
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(post(&server, "text/plain", "v=0").await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let unknown = reqwest::get(format!("{}/v1/nothing", server.url)).await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert!(unknown.text().await.unwrap().contains("\"error\""));
    let wrong = Client::new().request(Method::PUT, format!("{}/v1/realtime/calls", server.url)).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(server.status().await["calls"]["active"], 0);
}

#[tokio::test]
async fn a_full_server_says_when_to_come_back() {
    let server = Server::start("[server]\nmax_calls = 1\n");
    let script = Script::default().offer(format!("{}/v1/realtime/calls", server.url));
    let report = talk(&server, script).await;
    let refused = &report.refusals[0];
    assert_eq!(refused.status, 503);
    assert!(refused.retry_after.is_some());
    assert!(refused.body.contains("server_full"), "{}", refused.body);
}

#[tokio::test]
async fn nonsense_on_the_data_channel_is_answered_by_errors_and_the_call_goes_on() {
    let server = Server::start("");
    let huge = "x".repeat(60_000);
    let script = Script::default()
        .send("not json at all")
        .send("[1, 2, 3]")
        .send(r#"{"type": "response.create", "response": {"instructions": "\ud800 alone"}}"#)
        .send(json!({"type": "no.such.event", "event_id": "mine_1"}).to_string())
        .send(json!({"type": "response.cancel", "event_id": "mine_2"}).to_string())
        .send(json!({"type": "conversation.item.create", "event_id": "mine_3", "item": {"type": "message", "role": "user", "content": "no list"}}).to_string())
        .send(json!({"type": "session.update", "event_id": "mine_4", "session": {"type": "realtime", "audio": {"output": {"speed": 99}}}}).to_string())
        .send(json!({"type": "conversation.item.create", "event_id": "mine_5", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": huge}]}}).to_string())
        .ask("What is the capital of France?");
    let report = talk(&server, script).await;
    let errors: Vec<&Value> = report.events("error").collect();
    assert_eq!(errors.len(), 8, "{errors:#?}");
    for n in 1..=5 {
        let id = format!("mine_{n}");
        assert!(errors.iter().any(|event| event["error"]["event_id"] == id.as_str()), "an error names {id}");
    }
    assert!(report.answers().last().unwrap().contains("Paris"), "{:?}", report.answers());
}

/// Each of these is the model's answer to a question of its own; the last one shows that the call still works.
#[tokio::test]
async fn answers_that_nobody_would_give_are_spoken_or_told_and_harm_no_later_one() {
    let word = "pneumono".repeat(250);
    let odd = [
        word.as_str(),
        "...!?!;;--**__~~``",
        "\u{1f389}\u{1f600}\u{1f469}\u{200d}\u{1f680}",
        "Hello 你好 Привет مرحبا שלום नमस्ते こんにちは, all of you.",
        "A\u{0}B\u{7}C\u{1b}[31m red\u{202e} back \u{fffd}\u{feff} end.",
        "<speak><break time=\"600s\"/><audio src=\"http://127.0.0.1:9/x\"/></speak> $(touch /tmp/x) '; DROP TABLE a;--",
        "```rust\nfn main() {}\n```\n| a | b |\n|---|---|\n| 1 | 2 |\n- one\n- two\n[link](http://a.example/x?y=z)",
        "All is well again.",
    ];
    let script: Vec<FakeMind> = odd.iter().map(|text| FakeMind::Answers(String::leak((*text).to_owned()))).collect();
    let mut tasks = JoinSet::new();
    let mind = fake_mind(Vec::leak(script), &mut tasks).await;
    let server = Server::start(&format!("[llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"fake\"\n"));
    let mut call = Call::open(&server).await;
    for (number, text) in odd.iter().enumerate() {
        let told = call.report.events("error").count();
        call.ask_for_text("And?").await;
        let told = call.report.events("error").count() - told;
        let silent = number == 1 || number == 2;
        assert_eq!(told, usize::from(silent), "{text:?}: {:?}", call.report.events("error").last());
        if !silent {
            let over = |event: &Value| event["type"] == "output_audio_buffer.stopped";
            let heard = call.report.audible_seconds();
            call.until("its end", over).await;
            let heard = call.report.audible_seconds() - heard;
            assert!(heard > 0.3, "{number}: {heard} s of {text:?}");
        }
    }
    let report = call.close().await;
    assert_eq!(report.answers().len(), odd.len(), "{:?}", report.answers());
    assert_eq!(report.answers().last().unwrap(), "All is well again.");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_where_an_item_ends_and_can_be_stopped() {
    let words: String = (0..10_000).map(|n| format!("word{n} ")).collect();
    let script = vec![FakeMind::Answers(words.leak()), FakeMind::Answers("All is well again.")];
    let mut tasks = JoinSet::new();
    let mind = fake_mind(Vec::leak(script), &mut tasks).await;
    let server = Server::start(&format!("[llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"fake\"\n"));
    let mut call = Call::open(&server).await;
    call.send(
        json!({"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}}).to_string(),
    );
    let done = call.ask_for_text("Go on and on.").await;
    assert_eq!(done["response"]["status"], "completed", "{done}");
    let errors: Vec<&Value> = call.report.events("error").collect();
    assert!(errors.len() == 1 && errors[0]["error"]["code"] == "answer_too_long", "{errors:?}");
    let text = done["response"]["output"][0]["content"][0]["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("word0 word1 ") && (31_900..=32_000).contains(&text.len()), "{}", text.len());
    call.send(
        json!({"type": "session.update", "session": {"type": "realtime", "output_modalities": ["audio"]}}).to_string(),
    );
    call.ask("And now?").await;
    assert_eq!(call.close().await.answers(), ["All is well again."]);
}

#[test]
fn a_missing_weight_is_named_with_the_command_that_mends_it() {
    let folder = TempDir::new().unwrap();
    let mut start = command("", &folder);
    start.env("VISAVIS_MODELS", folder.path());
    let (status, words) = refusal(start);
    assert!(!status.success());
    assert!(words.contains("is missing") && words.contains("visavis models pull"), "{words}");
    assert!(!words.contains("panicked"), "{words}");
}

#[test]
fn a_port_in_use_is_said_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = TempDir::new().unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, words) = refusal(command_at(&address, "", &folder));
    assert!(!status.success());
    let last = words.lines().last().unwrap();
    assert!(last.contains(&address) && last.contains("--listen"), "{words}");
}

#[test]
fn a_wrong_setting_is_named() {
    let folder = TempDir::new().unwrap();
    let (status, words) = refusal(command("[vad]\nthreshhold = 0.4\n", &folder));
    assert!(!status.success());
    assert!(words.contains("threshhold"), "{words}");
}
