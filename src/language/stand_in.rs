//! A stand-in for servers of chat completions, for tests: it does with its n-th request what a script says, its last
//! line again and again, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// What it does with one request. Texts are what stands after `data: ` in each event.
#[derive(Clone, Debug)]
pub enum Line {
    /// Streams these events and closes the connection properly.
    Streams(Vec<String>),
    /// Streams these and breaks the connection.
    BreaksAfter(Vec<String>),
    /// Streams these and then nothing, for ever.
    StallsAfter(Vec<String>),
    /// Takes the request and never answers.
    SaysNothing,
    Refuses {
        status: u16,
        header: Option<(&'static str, String)>,
        body: &'static str,
    },
    /// This body under this content type.
    Sends(&'static str, &'static str),
    /// Comments without an end.
    NeverEnds,
}

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Value,
}

/// See the module's text. Ends when dropped.
pub struct StandIn {
    /// The URL before `/chat/completions`.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Resolves when a client has left a stalling answer.
    pub left: Option<oneshot::Receiver<()>>,
    _tasks: JoinSet<()>,
}

struct Script {
    lines: Vec<Line>,
    asked: Arc<Mutex<Vec<Asked>>>,
    leaving: Mutex<Option<oneshot::Sender<()>>>,
}

impl StandIn {
    pub async fn start(lines: Vec<Line>) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (leaving, left) = oneshot::channel();
        let script = Arc::new(Script { lines, asked: asked.clone(), leaving: Mutex::new(Some(leaving)) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().fallback(reply).with_state(script);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, asked, left: Some(left), _tasks: tasks }
    }

    /// All that it was asked, oldest first.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn reply(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let line = {
        let mut asked = script.asked.lock().unwrap();
        asked.push(Asked {
            uri: parts.uri,
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        });
        script.lines[asked.len().min(script.lines.len()) - 1].clone()
    };
    let events = |texts: Vec<String>| stream::iter(texts).map(|text| Ok(Bytes::from(format!("data: {text}\n\n"))));
    let body = match line {
        Line::Streams(texts) => Body::from_stream(events(texts)),
        Line::BreaksAfter(texts) => {
            // A stream that waits lets what stands before it go out.
            let broken = stream::once(async {
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the stand-in breaks off"))
            });
            Body::from_stream(events(texts).chain(broken))
        }
        Line::StallsAfter(texts) => {
            let leaving = script.leaving.lock().unwrap().take();
            let stalled = stream::once(async move {
                let _told_when_dropped = leaving;
                std::future::pending().await
            });
            Body::from_stream(events(texts).chain(stalled))
        }
        Line::SaysNothing => std::future::pending().await,
        Line::Refuses { status, header, body } => {
            let mut response = Response::builder().status(status).header("content-type", "application/json");
            if let Some((name, value)) = header {
                response = response.header(name, value);
            }
            return response.body(Body::from(body)).unwrap();
        }
        Line::Sends(kind, body) => {
            return Response::builder().header("content-type", kind).body(Body::from(body)).unwrap();
        }
        Line::NeverEnds => {
            let comment = Bytes::from(vec![b':'; 1 << 16]);
            Body::from_stream(stream::repeat(comment).map(Ok::<_, std::io::Error>))
        }
    };
    Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
}

/// An event with text.
pub fn text(text: &str) -> String {
    json!({ "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }] }).to_string()
}

/// An event with parts of tool calls.
pub fn calls(deltas: Value) -> String {
    json!({ "choices": [{ "index": 0, "delta": { "tool_calls": deltas }, "finish_reason": null }] }).to_string()
}

/// The event that ends an answer.
pub fn end(reason: &str) -> String {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] }).to_string()
}

/// All events of an answer with this text.
pub fn says(words: &str) -> Line {
    Line::Streams(vec![text(words), end("stop"), "[DONE]".to_owned()])
}

/// A refusal in OpenAI's form.
pub fn refuses(status: u16) -> Line {
    Line::Refuses { status, header: None, body: r#"{"error":{"message":"not today","type":"t","code":null}}"# }
}
