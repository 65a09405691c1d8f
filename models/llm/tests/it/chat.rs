//! Answers: about the question, streamed and whole alike, quick for the next turn.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Running, client, content, request};

/// Long enough that processing it again would show.
const SYSTEM: &str = "You are a friendly companion in a live video conversation. You speak, so your answers are one \
    or two plain sentences, without lists, headings, code or emoji. You answer in the language of the person.";

#[tokio::test]
async fn an_english_question_is_answered() {
    let Some(server) = Running::shared() else { return };
    let body = request(&[("system", SYSTEM), ("user", "What is the capital of France?")], 40);
    let answer = server.chat(&body).await;
    assert!(content(&answer).contains("Paris"), "{answer}");
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], "test-model");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let usage = &answer["usage"];
    let tokens = |name: &str| usage[name].as_u64().expect("a count");
    assert_eq!(tokens("prompt_tokens") + tokens("completion_tokens"), tokens("total_tokens"));
}

#[tokio::test]
async fn a_chinese_answer_is_streamed_in_whole_characters() {
    let Some(server) = Running::shared() else { return };
    let mut body = request(&[("user", "中国的首都是哪里？请用中文回答，并加一个表情符号。")], 40);
    body["stream"] = json!(true);
    body["stream_options"] = json!({ "include_usage": true });
    let events = server.stream(&body).await;
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let chunks: Vec<Value> =
        events[..events.len() - 1].iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let text: String = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert!(text.contains("北京"), "{text}");
    assert!(!text.contains(char::REPLACEMENT_CHARACTER), "{text}");
    let [.., ending, usage] = chunks.as_slice() else { panic!("too few chunks: {chunks:?}") };
    assert_eq!(ending["choices"][0]["finish_reason"], "stop");
    assert_eq!(usage["choices"], json!([]));
    assert!(usage["usage"]["completion_tokens"].as_u64() > Some(0), "{usage}");

    body["stream"] = json!(false);
    assert_eq!(content(&server.chat(&body).await), text, "whole and streamed are the same answer");
}

#[tokio::test]
async fn the_next_turn_keeps_what_was_processed() {
    let Some(server) = Running::start(&[]) else { return };
    let first = server.chat(&request(&[("system", SYSTEM), ("user", "Name a city in Italy.")], 30)).await;
    let next = [
        ("system", SYSTEM),
        ("user", "Name a city in Italy."),
        ("assistant", content(&first)),
        ("user", "What should I eat there?"),
    ];
    let second = server.chat(&request(&next, 30)).await;
    let prompt = first["usage"]["prompt_tokens"].as_u64().expect("a count");
    let cached = |answer: &Value| answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64();
    assert_eq!(cached(&first), Some(0));
    assert!(cached(&second) >= Some(prompt), "{} after a prompt of {prompt}", second["usage"]);

    // Another conversation begins with the same system prompt and must not cost the first its place.
    let stranger = server.chat(&request(&[("system", SYSTEM), ("user", "Is the sky blue?")], 30)).await;
    assert!(cached(&stranger) > Some(30), "{}", stranger["usage"]);
    let mut third = next.to_vec();
    third.extend([("assistant", content(&second)), ("user", "Thank you!")]);
    let third = server.chat(&request(&third, 30)).await;
    assert!(cached(&third) > cached(&second), "{}", third["usage"]);
}

#[tokio::test]
async fn keeping_changes_no_answer() {
    let Some(server) = Running::start(&[]) else { return };
    let body = request(&[("system", SYSTEM), ("user", "How many days does a week have?")], 30);
    let first = server.chat(&body).await;
    let again = server.chat(&body).await;
    assert!(again["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64() > Some(0));
    assert_eq!(content(&first), content(&again));
}

#[tokio::test]
async fn a_stop_text_ends_the_answer_and_is_not_part_of_it() {
    let Some(server) = Running::shared() else { return };
    let mut body = request(&[("user", "Count from 1 to 10, with commas.")], 60);
    body["stop"] = json!(["5"]);
    let answer = server.chat(&body).await;
    assert!(content(&answer).contains('4') && !content(&answer).contains('5'), "{answer}");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn an_answer_has_no_more_tokens_than_asked_for() {
    let Some(server) = Running::shared() else { return };
    let mut body = request(&[("user", "Tell me a long story.")], 3000);
    body["max_completion_tokens"] = json!(7);
    let answer = server.chat(&body).await;
    assert_eq!(answer["usage"]["completion_tokens"], 7);
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
}

#[tokio::test]
async fn a_seed_gives_the_same_answer_again() {
    let Some(server) = Running::start(&["--slots", "1"]) else { return };
    let mut body = request(&[("user", "Invent a name for a cat.")], 20);
    body["temperature"] = json!(1.5);
    body["frequency_penalty"] = json!(0.5);
    body["seed"] = json!(42);
    // The second and third start from the same kept prefix, so that they differ in nothing.
    server.chat(&body).await;
    let (second, third) = (server.chat(&body).await, server.chat(&body).await);
    assert_eq!(content(&second), content(&third));
}

#[tokio::test]
async fn content_may_come_in_text_parts() {
    let Some(server) = Running::shared() else { return };
    let parts = json!([{ "type": "text", "text": "What is the capital " }, { "type": "text", "text": "of France?" }]);
    let body = json!({
        "messages": [{ "role": "user", "content": parts }],
        "temperature": 0,
        "max_tokens": 30,
        "a_field_nobody_knows": true,
    });
    assert!(content(&server.chat(&body).await).contains("Paris"));
}

#[tokio::test]
async fn two_conversations_are_answered_at_the_same_time() {
    let Some(server) = Running::start(&["--slots", "2"]) else { return };
    let (france, japan) = (
        request(&[("user", "What is the capital of France?")], 30),
        request(&[("user", "What is the capital of Japan?")], 30),
    );
    let (france, japan) = tokio::join!(server.chat(&france), server.chat(&japan));
    assert!(content(&france).contains("Paris"), "{france}");
    assert!(content(&japan).contains("Tokyo"), "{japan}");
}

#[tokio::test]
async fn conversations_that_do_not_fit_together_give_way_to_the_newest() {
    let Some(server) = Running::start(&["--context", "256", "--slots", "3"]) else { return };
    for (country, capital) in [("France", "Paris"), ("Japan", "Tokyo"), ("Italy", "Rome"), ("Spain", "Madrid")] {
        // A different beginning each time, so that nothing is shared: four of them are more than 256 tokens.
        let system = format!("{country}. {SYSTEM} {SYSTEM}");
        let question = format!("What is the capital of {country}?");
        let answer = server.chat(&request(&[("system", &system), ("user", &question)], 30)).await;
        assert!(content(&answer).contains(capital), "{answer}");
    }
}

#[tokio::test]
async fn the_model_is_listed_and_the_server_well() {
    let Some(server) = Running::shared() else { return };
    let get = async |path: &str| {
        let response = client().get(format!("{}{path}", server.url)).send().await.expect("a response");
        assert_eq!(response.status(), StatusCode::OK);
        response.json::<Value>().await.expect("JSON")
    };
    assert_eq!(get("/health").await["status"], "ok");
    assert_eq!(get("/v1/models").await["data"][0]["id"], "test-model");
}

#[tokio::test]
async fn metrics_tell_what_was_done() {
    let Some(server) = Running::start(&["--slots", "2"]) else { return };
    let body = request(&[("system", SYSTEM), ("user", "What is the capital of France?")], 30);
    server.chat(&body).await;
    server.chat(&body).await;
    let mut wrong = body.clone();
    wrong["temperature"] = json!(9);
    assert_eq!(server.post(&wrong).await.status(), StatusCode::BAD_REQUEST);
    let response = client().get(format!("{}/metrics", server.url)).send().await.expect("a response");
    assert!(response.headers()["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/plain")));
    let text = response.text().await.expect("text");
    for line in [
        "visavis_llm_answers_total{end=\"stop\"} 2",
        "visavis_llm_refused_total{code=\"invalid_value\"} 1",
        "visavis_llm_first_token_seconds_count{prompt=\"kept\"} 1",
        "visavis_llm_first_token_seconds_count{prompt=\"new\"} 1",
        "visavis_llm_tokens_per_second_count 2",
        "visavis_llm_queue_depth 0",
        "visavis_llm_slots 2",
        "visavis_llm_slots_busy 0",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
    }
    let count = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a count");
        line.trim().parse::<u64>().expect("a number")
    };
    let (prompt, cached) = (count("visavis_llm_prompt_tokens_total "), count("visavis_llm_cached_tokens_total "));
    assert_eq!(cached, prompt / 2 - 1, "all but the last token of the second prompt");
    assert!(count("visavis_llm_completion_tokens_total ") > 2);
}
