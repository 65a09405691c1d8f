//! A stand-in for an OpenAI-compatible server, for tests: for each request what a test wants it to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Json, State};
use axum::http::{HeaderMap, Response};
use axum::routing::post;
use futures::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Whole,
    /// It goes on for ever, with nothing in it.
    Stall,
    /// The connection breaks.
    Break,
}

/// One response.
#[derive(Clone)]
pub struct Act {
    pub status: u16,
    pub headers: Vec<(&'static str, &'static str)>,
    pub chunks: Vec<Bytes>,
    pub end: End,
}

impl Act {
    /// Sound in chunks of odd sizes.
    pub fn sound(kind: &'static str, bytes: &[u8]) -> Self {
        let sizes = [1, 2_001, 3, 777, 4_096, 17, 1_025];
        let mut rest = bytes;
        let mut chunks = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(rest.len().min(*size));
            chunks.push(Bytes::copy_from_slice(now));
            rest = later;
        }
        Self { status: 200, headers: vec![("content-type", kind)], chunks, end: End::Whole }
    }

    pub fn error(status: u16, kind: &'static str, body: &str) -> Self {
        let chunks = vec![Bytes::copy_from_slice(body.as_bytes())];
        Self { status, headers: vec![("content-type", kind)], chunks, end: End::Whole }
    }

    pub fn ending(self, end: End) -> Self {
        Self { end, ..self }
    }

    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub body: serde_json::Value,
    pub key: Option<String>,
}

/// See the module's text.
pub struct StandIn {
    pub url: String,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    acts: Mutex<VecDeque<Act>>,
    heard: Mutex<Vec<Heard>>,
}

impl StandIn {
    /// `acts` are done in order, one a request.
    pub async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        let shared = Arc::new(Shared { acts: Mutex::new(acts.into_iter().collect()), heard: Mutex::default() });
        let router = Router::new().route("/v1/audio/speech", post(answer)).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.expect("a server") });
        Self { url: format!("http://127.0.0.1:{port}/v1"), shared, _server: tasks }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().expect("heard").clone()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(body): Json<serde_json::Value>,
) -> Response<Body> {
    let key = headers.get("authorization").and_then(|key| key.to_str().ok()).map(str::to_owned);
    shared.heard.lock().expect("heard").push(Heard { body, key });
    let act = shared.acts.lock().expect("acts").pop_front();
    let act = act.unwrap_or_else(|| Act::error(410, "text/plain", "the test has nothing more for you"));
    let mut response = Response::builder().status(act.status);
    for (name, value) in act.headers {
        response = response.header(name, value);
    }
    let chunks = stream::iter(act.chunks).map(Ok::<Bytes, std::io::Error>);
    let body = match act.end {
        End::Whole => Body::from_stream(chunks),
        End::Stall => Body::from_stream(chunks.chain(stream::pending())),
        End::Break => {
            let broken = stream::once(async {
                // What was sent before goes out first.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("broken"))
            });
            Body::from_stream(chunks.chain(broken))
        }
    };
    response.body(body).unwrap_or_else(|_: axum::http::Error| Response::new(Body::empty()))
}
