//! Nonsense over HTTP and over the data channel: a clear error each time, and the call goes on.

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::caller::{Script, offer, talk};
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
        .send(json!({"type": "no.such.event", "event_id": "mine_1"}).to_string())
        .send(json!({"type": "response.cancel", "event_id": "mine_2"}).to_string())
        .send(json!({"type": "conversation.item.create", "event_id": "mine_3", "item": {"type": "message", "role": "user", "content": "no list"}}).to_string())
        .send(json!({"type": "session.update", "event_id": "mine_4", "session": {"type": "realtime", "audio": {"output": {"speed": 99}}}}).to_string())
        .send(json!({"type": "conversation.item.create", "event_id": "mine_5", "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": huge}]}}).to_string())
        .ask("What is the capital of France?");
    let report = talk(&server, script).await;
    let errors: Vec<&Value> = report.events("error").collect();
    assert_eq!(errors.len(), 7, "{errors:#?}");
    for n in 1..=5 {
        let id = format!("mine_{n}");
        assert!(errors.iter().any(|event| event["error"]["event_id"] == id.as_str()), "an error names {id}");
    }
    assert!(report.answers().last().unwrap().contains("Paris"), "{:?}", report.answers());
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
