//! What the face says without a model: the greeting, and texts that the page gives; and which model is asked.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::caller::Call;
use crate::minds::{FakeMind, fake_mind};
use crate::server::Server;

/// Nobody answers there.
const NO_MIND: &str = "[llm]\nprovider = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodel = \"fake\"\n";
const GREETING: &str = "Welcome to the shop.";

fn say(text: &str) -> String {
    let message = json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]});
    json!({"type": "response.create", "response": {"pre_generated_assistant_message": message}}).to_string()
}

fn update(session: Value) -> String {
    json!({"type": "session.update", "session": session}).to_string()
}

async fn until_heard(call: &mut Call) {
    call.until("the end of the sound", |event| event["type"] == "output_audio_buffer.stopped").await;
}

/// The text of an answer's item as the history has it.
async fn remembered(call: &mut Call, done: &Value) -> String {
    let item = &done["response"]["output"][0]["id"];
    call.send(json!({"type": "conversation.item.retrieve", "item_id": item}).to_string());
    let told = call.until("the item", |event| event["type"] == "conversation.item.retrieved").await;
    told["item"]["content"][0]["transcript"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_call_begins_with_the_greeting_which_the_page_may_replace() {
    let mut tasks = JoinSet::new();
    let mind = fake_mind(&[FakeMind::Answers("I am fine.")], &mut tasks).await;
    let server = Server::start(&format!(
        "[llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"fake\"\ngreeting = \"{GREETING}\"\n\
         [memory]\nstore = \"memory\"\n"
    ));
    assert_eq!(server.status().await["persona"]["greeting"], GREETING);
    let id = json!({"conversation_id": "7f9c1f0e-52ab-4bb0-9d2f-64f1c9c0a8e1"});
    for (session, greeting) in [
        (json!({}), Some(GREETING)),
        (json!({"greeting": "Hello, Anna."}), Some("Hello, Anna.")),
        (json!({"greeting": ""}), None),
        (id.clone(), Some(GREETING)),
        // It goes on.
        (id, None),
    ] {
        let mut call = Call::open_with(&server, &session).await;
        if greeting.is_some() {
            until_heard(&mut call).await;
        }
        call.ask("How are you?").await;
        call.hang_up().await;
        let report = call.close().await;
        assert_eq!(report.answers(), greeting.into_iter().chain(["I am fine."]).collect::<Vec<_>>(), "{session}");
        assert!(report.audible_seconds() > if greeting.is_some() { 1.0 } else { 0.3 });
    }
    let (status, words) = Call::refused_with(&server, &json!({"greeting": 7})).await;
    assert!(status == 400 && words.contains("session.greeting"), "{words}");
}

#[tokio::test]
async fn a_greeting_may_come_in_an_update_as_long_as_nothing_was_heard() {
    let server = Server::start(NO_MIND);
    let mut call = Call::open(&server).await;
    call.send(update(json!({"greeting": "Good morning."})));
    until_heard(&mut call).await;
    call.send(update(json!({"greeting": "Good evening."})));
    call.until("the update", |event| event["session"]["greeting"] == "Good evening.").await;
    call.send(say("That is all."));
    until_heard(&mut call).await;
    assert_eq!(call.close().await.answers(), ["Good morning.", "That is all."]);
}

#[tokio::test]
async fn a_text_is_said_word_for_word_and_remembered() {
    let server = Server::start(NO_MIND);
    assert!(server.status().await["features"].as_array().unwrap().contains(&json!("say")));
    let mut call = Call::open(&server).await;
    let text = "Your table is free now. Please follow me, it is number 4.";
    call.send(say(text));
    let done = call.until("the answer", |event| event["type"] == "response.done").await;
    assert_eq!(done["response"]["status"], "completed", "{done}");
    until_heard(&mut call).await;
    assert_eq!(remembered(&mut call, &done).await, text);
    let report = call.close().await;
    let words: Vec<&str> = report.events("visavis.word").filter_map(|event| event["word"].as_str()).collect();
    assert_eq!(words.join(" "), text);
    assert_eq!(report.events("error").next(), None);
    let deltas = report.events("response.output_audio_transcript.delta").filter_map(|event| event["delta"].as_str());
    assert_eq!(deltas.collect::<String>(), text);
    assert!(report.audible_seconds() > 2.0);
}

#[tokio::test]
async fn a_text_without_end_is_made_no_faster_than_it_is_heard_and_can_be_cut() {
    let server = Server::start(NO_MIND);
    let mut call = Call::open(&server).await;
    let text = "This sentence is one of very many. ".repeat(900);
    call.send(say(&text));
    call.until("its sound", |event| event["type"] == "visavis.word" && event["word"] == "many.").await;
    call.send(json!({"type": "output_audio_buffer.clear"}).to_string());
    let done = call.until("its end", |event| event["type"] == "response.done").await;
    assert_eq!(done["response"]["status"], "cancelled", "it was not made to the end ahead of its time");
    let heard = remembered(&mut call, &done).await;
    assert!(text.starts_with(&heard) && (10..200).contains(&heard.len()), "{heard:?}");
    for (text, code) in [("a ".repeat(16_001).as_str(), "string_above_max_length"), (" ", "empty_item")] {
        call.send(say(text));
        let error = call.until("an error", |event| event["type"] == "error").await;
        assert_eq!(error["error"]["code"], code);
    }
    call.send(say("All is well again."));
    until_heard(&mut call).await;
    call.close().await;
}

#[tokio::test]
async fn the_model_that_a_session_names_answers() {
    let mut tasks = JoinSet::new();
    let first = fake_mind(&[FakeMind::Answers("The first speaks.")], &mut tasks).await;
    let second = fake_mind(&[FakeMind::Answers("The second speaks.")], &mut tasks).await;
    let server = Server::start(&format!(
        "[llm]\nprovider = \"openai\"\nbase_url = \"{first}\"\nmodel = \"one\"\n\
         [[llm.others]]\nprovider = \"openai\"\nbase_url = \"{second}\"\nmodel = \"two\"\n"
    ));
    let mut call = Call::open_with(&server, &json!({"model": "gpt-realtime"})).await;
    call.ask("Who are you?").await;
    call.send(update(json!({"model": "two"})));
    call.ask("And now?").await;
    call.send(update(json!({"model": "one"})));
    call.ask("And now?").await;
    assert_eq!(call.close().await.answers(), ["The first speaks.", "The second speaks.", "The first speaks."]);
}
