//! A stand-in for a server of transcriptions, for tests: for each request what a test wants it to do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Multipart, State};
use axum::http::{HeaderMap, Response, Uri};
use axum::routing::post;
use futures::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Whole,
    /// It goes on for ever, with nothing in it.
    Stall,
    /// The connection breaks.
    Break,
    /// There is not even a head.
    Mute,
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
    pub fn new(status: u16, kind: &'static str, body: &str) -> Self {
        // Odd sizes, so that nothing is cut where it would suit.
        let size = if body.len() < 10_000 { 17 } else { 4_099 };
        let chunks = body.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        Self { status, headers: vec![("content-type", kind)], chunks, end: End::Whole }
    }

    pub fn json(body: &str) -> Self {
        Self::new(200, "application/json", body)
    }

    /// Events of a stream, each as its data.
    pub fn events(data: &[&str]) -> Self {
        let body: String = data.iter().map(|data| format!("data: {data}\n\n")).collect();
        Self::new(200, "text/event-stream; charset=utf-8", &body)
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
#[derive(Clone, Debug, Default)]
pub struct Heard {
    pub fields: BTreeMap<String, String>,
    pub file: Vec<u8>,
    pub file_name: String,
    pub file_kind: String,
    pub headers: HeaderMap,
    pub query: String,
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
    asked: Notify,
    left: Arc<Notify>,
}

impl StandIn {
    /// `acts` are done in order, one a request.
    pub async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        let shared = Arc::new(Shared { acts: Mutex::new(acts.into_iter().collect()), ..Shared::default() });
        let router = Router::new().route("/v1/audio/transcriptions", post(answer)).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.expect("a server") });
        Self { url: format!("http://127.0.0.1:{port}/v1"), shared, _server: tasks }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().expect("heard").clone()
    }

    /// Returns when a request has come.
    pub async fn asked(&self) {
        self.shared.asked.notified().await;
    }

    /// Returns when a request was given up by who made it, before its answer was whole.
    pub async fn left(&self) {
        self.shared.left.notified().await;
    }
}

/// Tells when it is dropped: so is a body that nobody reads any more.
struct Leaving(Arc<Notify>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    mut form: Multipart,
) -> Response<Body> {
    let mut heard = Heard { headers, query: uri.query().unwrap_or_default().to_owned(), ..Heard::default() };
    while let Some(field) = form.next_field().await.expect("a field") {
        let name = field.name().expect("a name").to_owned();
        if name == "file" {
            heard.file_name = field.file_name().expect("a file's name").to_owned();
            heard.file_kind = field.content_type().expect("a file's kind").to_owned();
            heard.file = field.bytes().await.expect("a file").to_vec();
        } else {
            heard.fields.insert(name, field.text().await.expect("a text"));
        }
    }
    shared.heard.lock().expect("heard").push(heard);
    shared.asked.notify_one();
    let act = shared.acts.lock().expect("acts").pop_front();
    let act = act.unwrap_or_else(|| Act::new(410, "text/plain", "the test has nothing more for you"));
    let leaving = || Leaving(Arc::clone(&shared.left));
    if act.end == End::Mute {
        let _leaving = leaving();
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(act.status);
    for (name, value) in act.headers {
        response = response.header(name, value);
    }
    let chunks = stream::iter(act.chunks).map(Ok::<Bytes, std::io::Error>);
    let body = match act.end {
        End::Stall | End::Mute => {
            let leaving = leaving();
            let stall = stream::once(async move {
                let _leaving = leaving;
                std::future::pending().await
            });
            Body::from_stream(chunks.chain(stall))
        }
        End::Break => {
            let broken = stream::once(async {
                // What was sent before goes out first.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("broken"))
            });
            Body::from_stream(chunks.chain(broken))
        }
        End::Whole => Body::from_stream(chunks),
    };
    response.body(body).unwrap_or_else(|_: axum::http::Error| Response::new(Body::empty()))
}
