//! Reading ahead: what was processed before the question is whole, and who goes first.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Running, content, request};

const SYSTEM: &str = "You are a friendly companion in a live video conversation. You speak, so your answers are one \
    or two plain sentences.";
/// Some 3500 tokens: many seconds of processing.
const LONG: usize = 580;
/// Whatever ends within this did not wait for a long prompt.
const SOON: Duration = Duration::from_secs(60);

fn ahead(messages: &[(&str, &str)]) -> Value {
    let mut body = request(messages, 1);
    body["read_ahead"] = json!(true);
    body
}

fn long() -> Value {
    ahead(&[("user", &"one two three four five six ".repeat(LONG))])
}

fn tokens(answer: &Value) -> u64 {
    answer["usage"]["prompt_tokens"].as_u64().expect("a count")
}

fn cached(answer: &Value) -> u64 {
    answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().expect("a count")
}

#[tokio::test]
async fn what_was_read_ahead_is_not_processed_again() {
    let Some(server) = Running::start(&[]) else { return };
    let begun = server.chat(&ahead(&[("system", SYSTEM), ("user", "What is the capital ")])).await;
    assert_eq!((content(&begun), &begun["choices"][0]["finish_reason"]), ("", &json!("stop")));
    assert_eq!((cached(&begun), &begun["usage"]["completion_tokens"]), (0, &json!(0)));
    let grown = server.chat(&ahead(&[("system", SYSTEM), ("user", "What is the capital of Fran")])).await;
    assert_eq!(cached(&grown), tokens(&begun), "{grown}");
    let answer = server.chat(&request(&[("system", SYSTEM), ("user", "What is the capital of France?")], 30)).await;
    // All but the last word, which has become another.
    assert!(cached(&answer) > tokens(&begun), "{} after {}", answer["usage"], grown["usage"]);
    assert!(content(&answer).contains("Paris"), "{answer}");
}

#[tokio::test]
async fn words_that_change_are_processed_again() {
    let Some(server) = Running::start(&[]) else { return };
    let heard = server.chat(&ahead(&[("system", SYSTEM), ("user", "What is the capital of France? I")])).await;
    let answer = server.chat(&request(&[("system", SYSTEM), ("user", "What is the capital of Italy?")], 30)).await;
    assert!((1..tokens(&heard)).contains(&cached(&answer)), "{}", answer["usage"]);
    assert!(content(&answer).contains("Rome"), "{answer}");
}

#[tokio::test]
async fn after_an_answer_all_of_it_is_read_up_to_the_next_message() {
    let Some(server) = Running::start(&[]) else { return };
    let question = [("system", SYSTEM), ("user", "Name a city in Italy.")];
    let first = server.chat(&request(&question, 30)).await;
    let heard = [question[0], question[1], ("assistant", content(&first))];
    let read = server.chat(&ahead(&heard)).await;
    assert!(cached(&read) >= tokens(&first) && cached(&read) < tokens(&read), "{}", read["usage"]);
    let next = [heard[0], heard[1], heard[2], ("user", "What should I eat there?")];
    let second = server.chat(&request(&next, 30)).await;
    assert_eq!(cached(&second), tokens(&read), "{}", second["usage"]);
}

#[tokio::test]
async fn what_lies_in_memory_is_not_read_again() {
    let Some(server) = Running::start(&[]) else { return };
    let body = ahead(&[("system", SYSTEM), ("user", "What is the")]);
    server.chat(&body).await;
    let again = server.chat(&body).await;
    assert_eq!(cached(&again), tokens(&again), "{again}");
}

#[tokio::test]
async fn an_answer_goes_first() {
    let Some(server) = Running::start(&["--slots", "1"]) else { return };
    let mut body = long();
    body["stream"] = json!(true);
    let reading = server.post(&body).await;
    assert_eq!(reading.status(), StatusCode::OK);
    let question = request(&[("user", "What is the capital of France?")], 30);
    tokio::select! {
        biased;
        read = reading.text() => {
            let read = read.expect("a whole stream");
            assert!(read.contains(r#""finish_reason":"length""#), "the question waited for: {read}");
        }
        answer = server.chat(&question) => assert!(content(&answer).contains("Paris"), "{answer}"),
    }
}

#[tokio::test]
async fn reading_ends_when_its_client_leaves() {
    let Some(server) = Running::start(&["--slots", "1"]) else { return };
    let left = tokio::time::timeout(Duration::from_millis(300), server.chat(&long())).await;
    assert!(left.is_err(), "the prompt is long");
    let next = ahead(&[("system", SYSTEM), ("user", "What is the")]);
    let read = tokio::time::timeout(SOON, server.chat(&next)).await.expect("nothing is read for the one that left");
    assert_eq!(read["choices"][0]["finish_reason"], "stop");
}
