//! Language models that are down, slow or break off: the person is told, and the next turn works.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::post;
use futures::StreamExt;
use futures::stream;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::caller::{Report, typed};
use crate::server::Server;

/// What a scripted chat server does with its n-th request. A fake, for these tests only.
#[derive(Clone, Copy)]
pub enum FakeMind {
    Answers(&'static str),
    /// Asks for a tool, by its name and arguments.
    Calls(&'static str, &'static str),
    BreaksOffAfter(&'static str),
    SaysNothing,
    Refuses,
}

fn delta(text: &str) -> Bytes {
    let chunk = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    Bytes::from(format!("data: {chunk}\n\n"))
}

fn answer(mind: FakeMind) -> Response {
    let body = match mind {
        FakeMind::Answers(text) => {
            let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
            Body::from_stream(stream::iter([delta(text), Bytes::from(end)]).map(Ok::<_, std::io::Error>))
        }
        FakeMind::Calls(name, arguments) => {
            let function = serde_json::json!({"name": name, "arguments": arguments});
            let calls = serde_json::json!([{"index": 0, "id": format!("call_{name}"), "function": function}]);
            let call =
                serde_json::json!({"choices": [{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": null}]});
            let end =
                "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n";
            let pieces = [Bytes::from(format!("data: {call}\n\n")), Bytes::from(end)];
            Body::from_stream(stream::iter(pieces).map(Ok::<_, std::io::Error>))
        }
        FakeMind::BreaksOffAfter(text) => {
            // A stream that waits lets the text before it go out.
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the fake mind breaks off"))
            });
            Body::from_stream(stream::iter([Ok(delta(text))]).chain(broken))
        }
        FakeMind::SaysNothing => Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>()),
        FakeMind::Refuses => {
            let words = r#"{"error":{"message":"no such model","type":"invalid_request_error","code":"model_not_found","param":null}}"#;
            return Response::builder()
                .status(404)
                .header("content-type", "application/json")
                .body(Body::from(words))
                .unwrap();
        }
    };
    Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
}

/// Serves the script, one request after the other, then its last line again and again.
pub async fn fake_mind(script: &'static [FakeMind], tasks: &mut JoinSet<()>) -> String {
    let count = Arc::new(AtomicUsize::new(0));
    let handler = move || {
        let n = count.fetch_add(1, Ordering::Relaxed).min(script.len() - 1);
        async move { answer(script[n]) }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/chat/completions", post(handler));
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

fn config(url: &str) -> String {
    format!("[llm]\nprovider = \"openai\"\nbase_url = \"{url}\"\nmodel = \"fake\"\nfirst_token_timeout_millis = 1500\n")
}

fn failed_with(report: &Report, words: &str) {
    let error = report.events("error").next().expect("an error event");
    assert_eq!(error["error"]["code"], "language_model_failed");
    let said = report.answers();
    assert!(said.iter().any(|answer| answer.contains("Sorry")), "it apologises aloud: {said:?}");
    assert!(report.audible_seconds() > 1.0, "the apology is heard");
    assert!(error["error"]["message"].as_str().unwrap().contains(words), "{error}");
}

#[tokio::test]
async fn a_model_that_is_down_is_told_in_words() {
    let server = Server::start(&config("http://127.0.0.1:9/v1"));
    let report = typed(&server, &["Hello?"]).await;
    failed_with(&report, "cannot be reached");
}

#[tokio::test]
async fn a_slow_model_a_refusal_and_a_broken_answer_harm_no_later_turn() {
    const SCRIPT: &[FakeMind] = &[
        FakeMind::SaysNothing,
        FakeMind::Refuses,
        FakeMind::BreaksOffAfter("The answer to your question is "),
        FakeMind::Answers("All is well again."),
    ];
    let mut tasks = JoinSet::new();
    let url = fake_mind(SCRIPT, &mut tasks).await;
    let server = Server::start(&config(&url));
    let report = typed(&server, &["One?", "Two?", "Three?", "Four?"]).await;
    failed_with(&report, "no word within 1500 ms");
    let errors: Vec<String> =
        report.events("error").map(|e| e["error"]["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[1].contains("no such model"), "{errors:?}");
    let said = report.answers();
    assert!(said[2].starts_with("The answer to your question is") && said[2].contains("ask me again"), "{said:?}");
    assert_eq!(said[3], "All is well again.");
}

/// The server's `visavis-llm`. Children belong to the thread that started them.
fn local_model(server: &Server) -> Option<i32> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", server.pid())).ok()?.flatten();
    let children = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let pids: Vec<String> =
        children.flat_map(|pids| pids.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    let named = |pid: &&String| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "visavis-llm")
    };
    pids.iter().find(named)?.parse().ok()
}

#[tokio::test]
async fn the_local_model_is_started_again_when_it_dies() {
    let server = Server::start("");
    let first = local_model(&server).expect("a visavis-llm process");
    // SAFETY: a signal to the server's child, found by name just before.
    unsafe { libc::kill(first, libc::SIGKILL) };
    let ready = async {
        loop {
            let ready = reqwest::get(format!("{}/readyz", server.url)).await.unwrap().status().is_success();
            if ready && local_model(&server).is_some_and(|pid| pid != first) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ready).await.expect("the model is up again");
    let report = typed(&server, &["What is the capital of France?"]).await;
    assert!(report.answers()[0].contains("Paris"), "{:?}", report.answers());
}

#[tokio::test]
async fn the_next_model_answers_for_one_that_is_down_refuses_or_says_nothing() {
    const ANSWER: &[FakeMind] = &[FakeMind::Answers("The other one knows it.")];
    let mut tasks = JoinSet::new();
    let other = fake_mind(ANSWER, &mut tasks).await;
    let refuses = fake_mind(&[FakeMind::Refuses], &mut tasks).await;
    let silent = fake_mind(&[FakeMind::SaysNothing], &mut tasks).await;
    for first in ["http://127.0.0.1:9/v1", &refuses, &silent] {
        let others = format!(
            "[[llm.others]]\nprovider = \"openai\"\nbase_url = \"{other}\"\nmodel = \"other\"\napi_key_env = \"\"\n"
        );
        let server = Server::start(&format!("{}{others}", config(first)));
        let report = typed(&server, &["Who knows it?"]).await;
        assert_eq!(report.answers(), ["The other one knows it."], "{first}");
        assert_eq!(report.events("error").next(), None, "{first}");
        let metrics = server.metrics().await;
        let counted = metrics.lines().any(|line| line.starts_with("visavis_language_failovers_total{"));
        assert!(counted, "{first}: {metrics}");
    }
}
