//! Clients that leave, queues that fill, and the end of the process.

use std::time::Duration;

use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt as _};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Running, content, endless, exit_code, read_some_text, request};

/// An endless answer takes minutes; whatever ends within this did not wait for one.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_answer_ends_when_its_client_leaves() {
    let Some(server) = Running::start(&["--slots", "1"]) else { return };
    let stream = read_some_text(server.post(&endless()).await).await;
    drop(stream);
    let question = request(&[("user", "What is the capital of France?")], 30);
    let answer = tokio::time::timeout(SOON, server.chat(&question)).await.expect("the slot is free again");
    assert!(content(&answer).contains("Paris"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_is_not_streamed_ends_when_its_client_leaves() {
    let Some(server) = Running::start(&["--slots", "1"]) else { return };
    let mut body = endless();
    body["stream"] = json!(false);
    let left = tokio::time::timeout(Duration::from_secs(2), server.post(&body)).await;
    assert!(left.is_err(), "the answer is long");
    let question = request(&[("user", "What is the capital of France?")], 30);
    tokio::time::timeout(SOON, server.chat(&question)).await.expect("the slot is free again");
}

#[tokio::test]
async fn a_prompt_is_given_up_when_its_client_leaves() {
    let Some(server) = Running::start(&["--slots", "1"]) else { return };
    // Some 3500 tokens: many seconds of processing.
    let long = request(&[("user", &"one two three four five six ".repeat(580))], 5);
    let left = tokio::time::timeout(Duration::from_millis(300), server.post(&long)).await;
    assert!(left.is_err(), "the prompt is long");
    let question = request(&[("user", "What is the capital of France?")], 30);
    let answer = tokio::time::timeout(SOON, server.chat(&question)).await.expect("the slot is free again");
    assert!(content(&answer).contains("Paris"), "{answer}");
}

#[tokio::test]
async fn a_full_queue_refuses_and_says_when_to_come_back() {
    let Some(server) = Running::start(&["--slots", "1"]) else { return };
    let body = endless();
    // One is answered, sixteen wait; streams keep what they got while this test holds their responses.
    let mut posts: FuturesUnordered<_> = (0..24).map(|_| server.post(&body)).collect();
    let mut held = Vec::new();
    let mut refused = 0;
    while let Some(response) = posts.next().await {
        if response.status() == StatusCode::OK {
            held.push(response);
            continue;
        }
        refused += 1;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
        let error: Value = response.json().await.expect("JSON");
        assert_eq!(error["error"]["code"], "queue_full", "{error}");
    }
    assert!((1..=17).contains(&held.len()) && refused >= 7, "{} taken, {refused} refused", held.len());
    drop(held);
    // The server sees them leave one after the other, so this client does as it is told: it comes back.
    let question = request(&[("user", "Say yes.")], 5);
    let answered = async {
        while server.post(&question).await.status() == StatusCode::SERVICE_UNAVAILABLE {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(SOON, answered).await.expect("those who left have freed the queue");
}

#[tokio::test]
async fn answers_that_fill_the_memory_together_all_end() {
    let Some(server) = Running::start(&["--context", "256", "--slots", "3"]) else { return };
    let bodies: Vec<_> = (0..3)
        .map(|seed| {
            let mut body = endless();
            body["stream"] = json!(false);
            body["seed"] = json!(seed);
            body
        })
        .collect();
    for response in join_all(bodies.iter().map(|body| server.post(body))).await {
        assert!([StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE].contains(&response.status()));
    }
}

#[tokio::test]
async fn the_server_ends_with_its_parent() {
    let Some(mut server) = Running::start(&["--slots", "1"]) else { return };
    let _stream = read_some_text(server.post(&endless()).await).await;
    drop(server.stdin.take());
    assert_eq!(exit_code(&mut server.child), Some(0));
}

#[tokio::test]
async fn sigterm_lets_a_short_answer_end() {
    let Some(mut server) = Running::start(&[]) else { return };
    let mut body = request(&[("user", "What is the capital of France?")], 30);
    body["stream"] = json!(true);
    let response = server.post(&body).await;
    let pid = libc::pid_t::try_from(server.child.id()).expect("a process id");
    // SAFETY: kill touches no memory, and the child has not been waited for, so the id is still its own.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    let text = response.text().await.expect("the rest of the stream");
    assert!(text.contains("Paris") && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!(exit_code(&mut server.child), Some(0));
}
