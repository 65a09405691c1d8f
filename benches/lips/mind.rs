//! A language model for the benchmark only: it says again what it is told, so that the server speaks known texts.

use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Serves OpenAI's chat completions as long as `tasks` lives; returns the URL before `/chat/completions`.
pub async fn serve(tasks: &mut JoinSet<()>) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    let router = Router::new().route("/v1/chat/completions", post(repeat));
    tasks.spawn(async move {
        // It ends with the benchmark; a server that fails before shows as answers that do not come.
        let _ = axum::serve(listener, router).await;
    });
    Ok(url)
}

async fn repeat(Json(asked): Json<Value>) -> Response {
    let mut messages = asked["messages"].as_array().into_iter().flatten();
    let last = messages.rfind(|message| message["role"] == "user").map(|message| &message["content"]);
    let text = match last {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    };
    let event = |delta: Value, reason: Value| {
        let chunk = json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": reason }] });
        Ok::<_, std::io::Error>(Bytes::from(format!("data: {chunk}\n\n")))
    };
    let events = [
        event(json!({ "content": text }), Value::Null),
        event(json!({}), json!("stop")),
        Ok(Bytes::from_static(b"data: [DONE]\n\n")),
    ];
    let mut response = Response::new(Body::from_stream(stream::iter(events)));
    response.headers_mut().insert("content-type", axum::http::HeaderValue::from_static("text/event-stream"));
    response
}
