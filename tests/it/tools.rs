//! Tools in a call: the server's own are run and the answer goes on, the client's are asked of the client.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::caller::{Call, typed};
use crate::minds::{FakeMind, fake_mind};
use crate::server::Server;

/// A webhook that gives the weather and remembers what it was asked. A stand-in, for these tests only.
async fn weather(tasks: &mut JoinSet<()>) -> (String, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let remembered = asked.clone();
    let handler = move |_headers: HeaderMap, body: Bytes| {
        remembered.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
        async { "It rains, 12 degrees." }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/weather", listener.local_addr().unwrap());
    let router = Router::new().route("/weather", post(handler));
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, asked)
}

fn config(mind: &str, webhook: &str) -> String {
    format!(
        "[llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"fake\"\n\
         [[tools.webhook]]\nname = \"weather\"\ndescription = \"The weather of a town.\"\nurl = \"{webhook}\"\n\
         parameters = '{{\"type\": \"object\", \"properties\": {{\"town\": {{\"type\": \"string\"}}}}, \"required\": [\"town\"]}}'\n"
    )
}

#[tokio::test]
async fn a_webhook_is_called_and_the_answer_goes_on_with_what_it_gave() {
    const SCRIPT: &[FakeMind] =
        &[FakeMind::Calls("weather", r#"{"town": "Rome"}"#), FakeMind::Answers("It rains in Rome, at twelve degrees.")];
    let mut tasks = JoinSet::new();
    let (mind, (webhook, asked)) = (fake_mind(SCRIPT, &mut tasks).await, weather(&mut tasks).await);
    let server = Server::start(&config(&mind, &webhook));
    let report = typed(&server, &["How is the weather in Rome?"]).await;
    let answers = report.answers();
    assert_eq!(answers.len(), 1, "one answer: {answers:?}");
    assert!(answers[0].ends_with("It rains in Rome, at twelve degrees."), "{answers:?}");
    assert!(answers[0].len() > "It rains in Rome, at twelve degrees.".len(), "the wait is bridged: {answers:?}");
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!((&asked[0]["tool"], &asked[0]["arguments"]), (&json!("weather"), &json!({"town": "Rome"})));
    assert!(report.audible_seconds() > 2.0);
    assert_eq!(report.events("error").next(), None);
    assert!(server.metrics().await.contains("visavis_tool_calls_total{outcome=\"ok\"} 1"));
}

#[tokio::test]
async fn a_call_that_cannot_be_made_is_told_to_the_model_and_the_call_goes_on() {
    const SCRIPT: &[FakeMind] = &[
        FakeMind::Calls("weather", r#"{"city": 3}"#),
        FakeMind::Calls("teleport", "{}"),
        FakeMind::Answers("I cannot find that out."),
    ];
    let mut tasks = JoinSet::new();
    let (mind, (webhook, asked)) = (fake_mind(SCRIPT, &mut tasks).await, weather(&mut tasks).await);
    let server = Server::start(&config(&mind, &webhook));
    let report = typed(&server, &["How is the weather in Rome?"]).await;
    assert!(report.answers()[0].ends_with("I cannot find that out."), "{:?}", report.answers());
    assert!(asked.lock().unwrap().is_empty(), "arguments that do not fit the schema are not sent");
}

#[tokio::test]
async fn the_clients_tool_is_run_by_the_client_and_its_result_is_answered() {
    const SCRIPT: &[FakeMind] =
        &[FakeMind::Calls("open_door", r#"{"which": "front"}"#), FakeMind::Answers("It is open.")];
    let mut tasks = JoinSet::new();
    let (mind, (webhook, asked)) = (fake_mind(SCRIPT, &mut tasks).await, weather(&mut tasks).await);
    let server = Server::start(&config(&mind, &webhook));
    let mut call = Call::open(&server).await;
    let tool = json!({"type": "function", "name": "open_door", "description": "Opens a door.",
        "parameters": {"type": "object", "properties": {"which": {"type": "string"}}}});
    call.send(json!({"type": "session.update", "session": {"type": "realtime", "tools": [tool]}}).to_string());
    let done = call.ask_for_text("Open the front door, please.").await;
    let asked_for = &done["response"]["output"][1];
    assert_eq!(asked_for["type"], "function_call", "{done}");
    assert_eq!((&asked_for["name"], &asked_for["status"]), (&json!("open_door"), &json!("completed")));
    assert_eq!(asked_for["arguments"], r#"{"which": "front"}"#);
    let result = json!({"type": "function_call_output", "call_id": asked_for["call_id"], "output": "opened"});
    call.send(json!({"type": "conversation.item.create", "item": result}).to_string());
    call.send(json!({"type": "response.create"}).to_string());
    let done = call.until("the second answer", |event| event["type"] == "response.done").await;
    assert_eq!(done["response"]["status"], "completed");
    let report = call.close().await;
    assert_eq!(report.answers().last().map(String::as_str), Some("It is open."));
    // The client runs the tool when its item is completed, which is said once.
    let completed = report.events("response.output_item.done").filter(|event| event["item"]["type"] == "function_call");
    assert_eq!(completed.count(), 1);
    let early = ["response.output_item.added", "conversation.item.added", "conversation.item.done"];
    for kind in early {
        for event in report.events(kind).filter(|event| event["item"]["type"] == "function_call") {
            assert_eq!(event["item"]["status"], "in_progress", "{event}");
        }
    }
    assert!(asked.lock().unwrap().is_empty());
}
