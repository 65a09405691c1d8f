//! Conversations that go on: the visitor comes back with the page's id, also after the server was restarted.

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::caller::Call;
use crate::server::Server;

const ID: &str = "7f9c1f0e-52ab-4bb0-9d2f-64f1c9c0a8e1";

/// A model that says something long, and remembers what it was asked. A fake, for these tests only.
#[derive(Clone, Default)]
struct Listening {
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Listening {
    async fn serve(&self, tasks: &mut JoinSet<()>) -> String {
        let asked = self.asked.clone();
        let handler = move |body: Bytes| {
            let asked = asked.clone();
            async move {
                let request: Value = serde_json::from_slice(&body).unwrap();
                let notes = request.to_string().contains("You keep the notes");
                asked.lock().unwrap().push(request);
                let text = if notes { "Their cat is called Tiger." } else { "I see." };
                let chunk = json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
                let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
                ([("content-type", "text/event-stream")], format!("data: {chunk}\n\ndata: {end}\n\ndata: [DONE]\n\n"))
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/chat/completions", post(handler));
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }

    fn last(&self) -> String {
        self.asked.lock().unwrap().last().expect("the model was asked").to_string()
    }

    /// It was asked for notes.
    fn summarised(&self) -> bool {
        self.asked.lock().unwrap().iter().any(|request| request.to_string().contains("You keep the notes"))
    }
}

fn config(mind: &str, memory: &str) -> String {
    format!("[llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"fake\"\n[memory]\n{memory}")
}

/// Says this in a call of the conversation, and gives the items that the call began with.
async fn said(server: &Server, id: &str, words: &[&str]) -> Vec<String> {
    let mut call = Call::open_with(server, &json!({"conversation_id": id})).await;
    for words in words {
        call.ask(words).await;
    }
    call.hang_up().await;
    let report = call.close().await;
    let past = report
        .events("conversation.item.added")
        .filter(|event| event["item"]["id"].as_str().is_some_and(|id| id.starts_with("past_")));
    past.map(|event| event["item"]["content"][0]["text"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn forget(server: &Server, id: &str) -> u16 {
    let url = format!("{}/v1/realtime/conversations/{id}", server.url);
    reqwest::Client::new().delete(url).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_visitor_who_comes_back_is_known_until_the_conversation_is_deleted() {
    let (mut tasks, mind, folder) = (JoinSet::new(), Listening::default(), tempfile::tempdir().unwrap());
    let url = mind.serve(&mut tasks).await;
    let settings = config(&url, &format!("file = \"{}\"\n", folder.path().join("kept.db").display()));
    let mut server = Server::start(&settings);
    assert_eq!(said(&server, ID, &["My cat is called Tiger."]).await, [""; 0]);
    assert!(server.terminate().success());
    let server = Server::start(&settings);
    assert_eq!(said(&server, ID, &["What is it called?"]).await, ["My cat is called Tiger.", "I see."]);
    assert!(mind.last().contains("My cat is called Tiger."), "{}", mind.last());
    assert_eq!(said(&server, "0a8e17f9-52ab-4bb0-9d2f-64f1c9c1f0e1", &["And mine?"]).await, [""; 0], "somebody else");
    assert!(!mind.last().contains("Tiger"), "{}", mind.last());
    assert_eq!(forget(&server, ID).await, 204);
    assert_eq!(forget(&server, ID).await, 204, "there is nothing left to delete");
    assert_eq!(said(&server, ID, &["And now?"]).await, [""; 0]);
    assert!(!mind.last().contains("Tiger"), "{}", mind.last());
}

#[tokio::test]
async fn a_long_conversation_goes_on_with_notes_in_place_of_its_beginning() {
    let (mut tasks, mind) = (JoinSet::new(), Listening::default());
    let url = mind.serve(&mut tasks).await;
    let server = Server::start(&config(&url, "store = \"memory\"\nhistory_tokens = 200\n"));
    let story = "My cat is called Tiger, and this is a long story about him. ".repeat(12);
    let mut call = Call::open(&server).await;
    call.ask(&story).await;
    call.ask("He came to us in the autumn, from a farm behind the hills.").await;
    let mut rest = 0;
    // The notes are made while answers are played.
    while !(mind.summarised() && mind.last().contains("Their cat is called Tiger.")) {
        assert!(rest < 6, "the beginning stays in the prompt: {}", mind.last());
        call.ask("Shall I go on?").await;
        rest += 1;
    }
    assert!(!mind.last().contains("this is a long story"), "{}", mind.last());
    assert!(server.metrics().await.contains("visavis_summaries_total 1"));
    call.close().await;
}

#[tokio::test]
async fn an_id_that_can_be_guessed_is_refused_with_words() {
    let server = Server::start("");
    for (id, words) in
        [(json!("anna"), "can be guessed"), (json!(5), "must be a text"), (json!("a b"), "may hold only")]
    {
        let refused = Call::refused_with(&server, &json!({"conversation_id": id})).await;
        assert!(refused.0 == 400 && refused.1.contains(words), "{refused:?}");
    }
}
