//! MCP servers over streamable HTTP, against a stand-in.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::{StreamExt, stream};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinSet;

use super::*;

const TOOLS: usize = 6;

struct Desk {
    /// Answers 503 to everything.
    down: AtomicBool,
    /// Offers one more tool.
    grown: AtomicBool,
    sessions: Mutex<HashSet<String>>,
    begun: AtomicUsize,
    cancelled: Notify,
    /// To those who hold a stream of notifications open.
    news: broadcast::Sender<String>,
    listening: Notify,
}

struct StandIn {
    address: SocketAddr,
    desk: Arc<Desk>,
    _server: JoinSet<()>,
}

impl StandIn {
    async fn start(down: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk {
            down: down.into(),
            grown: false.into(),
            sessions: Mutex::default(),
            begun: 0.into(),
            cancelled: Notify::new(),
            news: broadcast::Sender::new(8),
            listening: Notify::new(),
        });
        let methods = post(message).get(notifications).delete(|| async { StatusCode::NO_CONTENT });
        let router = Router::new().route("/mcp", methods).with_state(Arc::clone(&desk));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, desk, _server: server }
    }

    fn settings(&self, more: &str) -> String {
        format!(
            "[[tools.mcp]]\nname = 'desk'\nurl = 'http://{}/mcp?key=s3cr3t-query'\n\
             headers = {{ Authorization = 'Bearer env:DESK_TOKEN' }}\n{more}\n",
            self.address
        )
    }

    async fn connected(&self, more: &str) -> Toolbox {
        let toolbox = open(&self.settings(more));
        until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
        toolbox
    }
}

fn event(message: &Value) -> Result<Event, Infallible> {
    Ok(Event::default().data(message.to_string()))
}

async fn notifications(State(desk): State<Arc<Desk>>) -> Response {
    if desk.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let news = desk.news.subscribe();
    desk.listening.notify_one();
    let events = stream::unfold(news, |mut news| async move {
        let message = news.recv().await.ok()?;
        Some((Ok::<_, Infallible>(Event::default().data(message)), news))
    });
    Sse::new(events).into_response()
}

async fn message(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    if desk.down.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if headers.get("authorization").is_none_or(|value| value != "Bearer correct-horse-battery") {
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")]).into_response();
    }
    let message: Value = serde_json::from_slice(&body).unwrap();
    let (id, method) = (message["id"].clone(), message["method"].as_str().unwrap_or_default());
    let result = |result: Value| json!({"jsonrpc": "2.0", "id": id, "result": result});
    if method == "initialize" {
        let session = format!("session-{}", desk.begun.fetch_add(1, Ordering::SeqCst));
        desk.sessions.lock().unwrap().insert(session.clone());
        let hello = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": {"name": "stand-in", "version": "1"},
        });
        return ([("mcp-session-id", session)], Json(result(hello))).into_response();
    }
    let session = headers.get("mcp-session-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !desk.sessions.lock().unwrap().contains(session) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match method {
        "notifications/cancelled" => {
            desk.cancelled.notify_one();
            StatusCode::ACCEPTED.into_response()
        }
        "tools/list" => {
            let mut names = vec!["echo", "stall", "break", "cut", "big", "nonsense"];
            names.extend(desk.grown.load(Ordering::SeqCst).then_some("fresh"));
            let tools: Vec<Value> =
                names.iter().map(|name| json!({"name": name, "inputSchema": {"type": "object"}})).collect();
            Json(result(json!({ "tools": tools }))).into_response()
        }
        "tools/call" => match message["params"]["name"].as_str().unwrap() {
            "stall" => std::future::pending().await,
            // A stream of events that ends before the one that is due.
            "break" => {
                let progress = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {
                    "level": "info", "data": "working on it"}});
                Sse::new(stream::iter([event(&progress)])).into_response()
            }
            "cut" => {
                let broken = std::io::Error::other("the stand-in breaks off");
                let chunks = stream::iter([Ok(Bytes::from_static(b"{\"jsonrpc\": ")), Err(broken)]);
                ([("content-type", "application/json")], Body::from_stream(chunks)).into_response()
            }
            "big" => {
                let text = "x".repeat(5 << 20);
                Json(result(json!({"content": [{"type": "text", "text": text}]}))).into_response()
            }
            "nonsense" => Json(result(json!({"colour": "blue"}))).into_response(),
            _ => {
                let text = message["params"]["arguments"].to_string();
                let answer = result(json!({"content": [{"type": "text", "text": text}]}));
                Sse::new(stream::iter([event(&answer)]).chain(stream::pending())).into_response()
            }
        },
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

#[tokio::test]
async fn its_tools_are_listed_and_called() {
    let stand_in = StandIn::start(false).await;
    let toolbox = stand_in.connected("").await;
    let arguments = r#"{"text":"你好 & \"more\"\r\n"}"#;
    assert_eq!(call(&toolbox, "echo", arguments).await.unwrap(), arguments);
}

#[tokio::test]
async fn one_that_is_down_at_first_is_connected_when_it_is_up() {
    let stand_in = StandIn::start(true).await;
    let toolbox = open(&stand_in.settings(""));
    let waiting = |toolbox: &Toolbox| toolbox.servers()[0].tools.clone().err();
    until(&toolbox, |toolbox| waiting(toolbox).is_some_and(|reason| reason.contains("503"))).await;
    assert_eq!(toolbox.list(), []);
    stand_in.desk.down.store(false, Ordering::SeqCst);
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
}

#[tokio::test]
async fn one_that_goes_down_takes_its_tools_along_and_brings_them_back() {
    let stand_in = StandIn::start(false).await;
    let toolbox = stand_in.connected("").await;
    stand_in.desk.down.store(true, Ordering::SeqCst);
    let error = call(&toolbox, "echo", "{}").await.unwrap_err();
    assert_eq!(error.kind(), "unreachable");
    let said = format!("{error} {}", error.for_model());
    assert!(said.contains("503") && !said.contains("s3cr3t") && !said.contains("correct-horse"), "{said}");
    until(&toolbox, |toolbox| toolbox.list().is_empty()).await;
    assert_eq!(call(&toolbox, "echo", "{}").await.unwrap_err().kind(), "down");
    stand_in.desk.down.store(false, Ordering::SeqCst);
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS).await;
    assert_eq!(call(&toolbox, "echo", "{}").await.unwrap(), "{}");
}

#[tokio::test]
async fn a_list_that_changes_is_asked_for_anew() {
    let stand_in = StandIn::start(false).await;
    let toolbox = stand_in.connected("").await;
    timeout(PATIENCE, stand_in.desk.listening.notified()).await.expect("it listens");
    stand_in.desk.grown.store(true, Ordering::SeqCst);
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
    stand_in.desk.news.send(changed.to_string()).unwrap();
    until(&toolbox, |toolbox| toolbox.list().len() == TOOLS + 1).await;
}

#[tokio::test]
async fn a_session_that_it_forgot_is_begun_again() {
    let stand_in = StandIn::start(false).await;
    let toolbox = stand_in.connected("").await;
    stand_in.desk.sessions.lock().unwrap().clear();
    assert_eq!(call(&toolbox, "echo", "{}").await.unwrap(), "{}");
    assert_eq!(stand_in.desk.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn calls_that_stall_break_off_or_make_no_sense_end_with_the_reason() {
    let stand_in = StandIn::start(false).await;
    let toolbox = stand_in.connected("timeout_millis = 2000").await;
    for (tool, kind) in [("break", "lost"), ("cut", "lost"), ("nonsense", "protocol"), ("big", "protocol")] {
        let error = call(&toolbox, tool, "{}").await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert_eq!(call(&toolbox, "stall", "{}").await.unwrap_err().kind(), "timeout");
    timeout(PATIENCE, stand_in.desk.cancelled.notified()).await.expect("it is told that nobody waits");
    assert_eq!(call(&toolbox, "echo", "{}").await.unwrap(), "{}");
}

#[tokio::test]
async fn one_that_wants_to_know_who_we_are_is_named() {
    let stand_in = StandIn::start(false).await;
    let toolbox = open(&stand_in.settings("").replace("Bearer env", "Basic env"));
    let reason = |toolbox: &Toolbox| toolbox.servers()[0].tools.clone().err().unwrap_or_default();
    until(&toolbox, |toolbox| reason(toolbox).contains("Authorization")).await;
}
