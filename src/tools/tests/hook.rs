//! A webhook that stands in for a service: tells what it was sent, and fails in many ways.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Redirect, Response};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Bytes of the longest answer.
pub const BIG: usize = 10_000_000;

#[derive(Clone, Default)]
pub struct Seen {
    /// Of each request: method, path, query, headers (an object), body (text).
    pub requests: Arc<Mutex<Vec<Value>>>,
    pub arrived: Arc<Notify>,
    /// A request that was never answered was given up by its sender.
    pub given_up: Arc<Notify>,
}

pub struct Hook {
    pub address: SocketAddr,
    pub seen: Seen,
    _server: JoinSet<()>,
}

impl Hook {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Seen::default();
        let router = Router::new().fallback(answer).with_state(seen.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, seen, _server: server }
    }

    /// Settings of one webhook whose name is that of its path.
    pub fn webhook(&self, path: &str, more: &str) -> String {
        let name = path.trim_start_matches('/').split('?').next().unwrap();
        format!(
            "[[tools.webhook]]\nname = '{name}'\ndescription = 'd'\nurl = 'http://{}/{}'\n{more}\n",
            self.address,
            path.trim_start_matches('/')
        )
    }

    /// The last request.
    pub fn last(&self) -> Value {
        self.seen.requests.lock().unwrap().last().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.seen.requests.lock().unwrap().len()
    }
}

struct GivenUp(Arc<Notify>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

async fn answer(State(seen): State<Seen>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let headers: serde_json::Map<String, Value> =
        parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().into())).collect();
    let told = json!({
        "method": parts.method.as_str(),
        "path": parts.uri.path(),
        "query": parts.uri.query(),
        "headers": headers,
        "body": String::from_utf8(body.to_vec()).unwrap(),
    });
    seen.requests.lock().unwrap().push(told.clone());
    seen.arrived.notify_one();

    let json_type = [(CONTENT_TYPE, "application/json")];
    match parts.uri.path() {
        "/echo" => (json_type, told.to_string()).into_response(),
        "/text" => "sunny, 21 °C".into_response(),
        "/empty" => StatusCode::NO_CONTENT.into_response(),
        "/refuse" => {
            let page = format!("<h1>Closed</h1>\nyour key: {}", told["headers"]["authorization"]);
            (StatusCode::SERVICE_UNAVAILABLE, page).into_response()
        }
        "/leak" => told["headers"].to_string().into_response(),
        "/redirect" => Redirect::temporary("/text").into_response(),
        "/stall" => {
            let _given_up = GivenUp(seen.given_up);
            std::future::pending().await
        }
        "/drip" => {
            Body::from_stream(stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"one"))]).chain(stream::pending()))
                .into_response()
        }
        "/cut" => {
            let broken = std::io::Error::other("the stand-in breaks off");
            Body::from_stream(stream::iter([Ok(Bytes::from_static(b"half of an ans")), Err(broken)])).into_response()
        }
        "/rubbish" => vec![0xff, 0xfe, 0x00, 0x80, 0x41].into_response(),
        "/half-json" => (json_type, "{\"open\": ").into_response(),
        "/big" => {
            let chunk = Bytes::from("0123456789".repeat(1000));
            let chunks = stream::iter((0..BIG / chunk.len()).map(move |_| Ok::<_, Infallible>(chunk.clone())));
            Body::from_stream(chunks).into_response()
        }
        other => (StatusCode::NOT_FOUND, format!("nothing at {other}")).into_response(),
    }
}
