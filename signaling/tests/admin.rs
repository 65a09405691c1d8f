//! The routes for an admin, in front of an operation that is a few values.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, Response, StatusCode};
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tower::ServiceExt;
use visavis_signaling::{
    Call, CallState, ChangeRefused, HostError, News, Operation, SettingWords, Settings, SignalingSettings, admin_router,
};

const KEY: &str = "the-key-of-the-admin";

#[derive(Default)]
struct FakeOperation {
    wrong: AtomicUsize,
    patches: Mutex<Vec<Value>>,
}

fn call() -> Call {
    Call {
        id: "rtc_1".into(),
        state: CallState::Speaking,
        started_at: 1_756_310_470,
        seconds: 3,
        remote: Some("192.0.2.1:5000".into()),
        origin: None,
        user_agent: Some("Browser".into()),
        avatar: "man".into(),
        voice: "joe".into(),
        language: "en".into(),
        answers: 2,
        interruptions: 1,
        errors: 0,
        round_trip_ms: Some(12.5),
        loss: None,
        jitter_ms: None,
        frames_per_second: Some(25.0),
        late_frames: 0,
    }
}

impl Operation for FakeOperation {
    fn calls(&self) -> Vec<Call> {
        vec![call()]
    }

    async fn end_call(&self, id: &str) -> Result<(), HostError> {
        if id == "rtc_1" { Ok(()) } else { Err(HostError::NotFound) }
    }

    fn news(&self) -> impl Stream<Item = News> + Send + use<> {
        let hello = News::Hello { version: "1.0".into(), now: 7 };
        let ended = News::CallEnded { id: "rtc_1".into(), reason: "hung_up", seconds: 3 };
        stream::iter([hello, News::CallStarted { call: call() }, ended]).chain(stream::pending())
    }

    fn config(&self) -> Settings {
        let words = vec![SettingWords { path: "language".into(), words: "Of what the server says.".into() }];
        Settings { config: json!({"language": "en"}), live: vec!["language".into()], words }
    }

    async fn change_config(&self, patch: Value) -> Result<Settings, ChangeRefused> {
        self.patches.lock().unwrap().push(patch.clone());
        let refused = |name: &str| patch.get(name).is_some();
        if refused("invalid") {
            let message = "invalid is 9: use 1.".into();
            return Err(ChangeRefused::Invalid { param: Some("invalid".into()), message });
        }
        if refused("frozen") {
            return Err(ChangeRefused::NotLive { param: "frozen".into(), message: "Change it in the file.".into() });
        }
        if refused("lost") {
            return Err(ChangeRefused::NotKept("There is no file to write it to.".into()));
        }
        Ok(self.config())
    }

    fn wrong_key(&self, _: Option<IpAddr>) {
        self.wrong.fetch_add(1, Ordering::Relaxed);
    }
}

fn server() -> (Router, Arc<FakeOperation>) {
    let operation = Arc::new(FakeOperation::default());
    let settings = SignalingSettings::new(Arc::new(|| 0));
    (admin_router(operation.clone(), settings, KEY.into()), operation)
}

async fn ask(app: &Router, method: Method, path: &str, key: Option<&str>, body: &str) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
}

async fn json_of(response: Response<Body>) -> Value {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[track_caller]
fn code(error: &Value) -> &str {
    for field in ["message", "type", "code", "param"] {
        assert!(error["error"].get(field).is_some(), "{field} is missing in {error}");
    }
    error["error"]["code"].as_str().unwrap()
}

#[tokio::test]
async fn nothing_is_shown_or_done_without_the_key() {
    let (app, operation) = server();
    let routes = [
        (Method::GET, "/api/calls"),
        (Method::DELETE, "/api/calls/rtc_1"),
        (Method::GET, "/api/events"),
        (Method::GET, "/api/config"),
        (Method::PATCH, "/api/config"),
    ];
    for (method, path) in &routes {
        for key in [None, Some("wrong")] {
            let response = ask(&app, method.clone(), path, key, "{}").await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
            assert_eq!(response.headers()["www-authenticate"], "Bearer");
            assert_eq!(code(&json_of(response).await), "invalid_admin_key");
        }
    }
    assert_eq!(operation.wrong.load(Ordering::Relaxed), routes.len(), "a missing key is no try");
    assert!(operation.patches.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_guesses_has_to_wait_and_others_have_not() {
    let (app, _) = server();
    let from = async |address: &str, key: &str| {
        let request = Request::get("/api/calls").header("authorization", format!("Bearer {key}"));
        let mut request = request.body(Body::empty()).unwrap();
        let address: SocketAddr = address.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(address));
        app.clone().oneshot(request).await.unwrap()
    };
    for _ in 0..10 {
        assert_eq!(from("192.0.2.1:1", "guess").await.status(), StatusCode::UNAUTHORIZED);
    }
    let waits = from("192.0.2.1:2", KEY).await;
    assert_eq!(
        (waits.status(), &waits.headers()["retry-after"]),
        (StatusCode::TOO_MANY_REQUESTS, &"60".parse().unwrap())
    );
    assert_eq!(code(&json_of(waits).await), "too_many_tries");
    assert_eq!(from("192.0.2.2:1", KEY).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn calls_are_listed_and_ended() {
    let (app, _) = server();
    let listed = ask(&app, Method::GET, "/api/calls", Some(KEY), "").await;
    assert_eq!(listed.headers()["cache-control"], "no-store");
    let listed = json_of(listed).await;
    assert_eq!((&listed["object"], listed["data"].as_array().unwrap().len()), (&json!("list"), 1));
    let call = &listed["data"][0];
    assert_eq!((&call["state"], &call["round_trip_ms"]), (&json!("speaking"), &json!(12.5)));
    assert!(call.as_object().unwrap().contains_key("loss") && call["loss"].is_null());
    let ended = ask(&app, Method::DELETE, "/api/calls/rtc_1", Some(KEY), "").await;
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    for path in ["/api/calls/rtc_2", "/api/calls/%ff"] {
        let unknown = ask(&app, Method::DELETE, path, Some(KEY), "").await;
        assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
        assert_eq!(code(&json_of(unknown).await), "call_not_found");
    }
}

#[tokio::test]
async fn events_are_named_and_come_at_once() {
    let (app, _) = server();
    let response = ask(&app, Method::GET, "/api/events", Some(KEY), "").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    let mut text = String::new();
    while text.matches("\n\n").count() < 3 {
        text += std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap();
    }
    let mut events = text.split("\n\n");
    assert_eq!(events.next(), Some("event: hello\ndata: {\"version\":\"1.0\",\"now\":7}"));
    let started = events.next().unwrap();
    assert!(started.starts_with("event: call.started\ndata: {\"call\":{\"id\":\"rtc_1\""), "{started}");
    let ended = "event: call.ended\ndata: {\"id\":\"rtc_1\",\"reason\":\"hung_up\",\"seconds\":3}";
    assert_eq!(events.next(), Some(ended));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_is_kept_open_by_comments() {
    let (app, _) = server();
    let mut body = ask(&app, Method::GET, "/api/events", Some(KEY), "").await.into_body().into_data_stream();
    let begun = tokio::time::Instant::now();
    loop {
        let chunk = body.next().await.unwrap().unwrap();
        if chunk.starts_with(b":") {
            break;
        }
    }
    assert_eq!(begun.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn readers_are_limited_and_a_place_is_given_back() {
    let (app, _) = server();
    let mut readers = Vec::new();
    for _ in 0..16 {
        let reader = ask(&app, Method::GET, "/api/events", Some(KEY), "").await;
        assert_eq!(reader.status(), StatusCode::OK);
        readers.push(reader);
    }
    let refused = ask(&app, Method::GET, "/api/events", Some(KEY), "").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(code(&json_of(refused).await), "too_many_readers");
    drop(readers.pop());
    assert_eq!(ask(&app, Method::GET, "/api/events", Some(KEY), "").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn settings_are_changed_or_refused_with_the_setting_at_fault() {
    let (app, operation) = server();
    let patch = async |body: &str| {
        let response = ask(&app, Method::PATCH, "/api/config", Some(KEY), body).await;
        (response.status().as_u16(), json_of(response).await)
    };
    let (status, changed) = patch("{\"language\":\"zh\"}").await;
    assert_eq!((status, &changed["live"]), (200, &json!(["language"])));
    assert_eq!(operation.patches.lock().unwrap().pop(), Some(json!({"language": "zh"})));
    for (body, status, name, param) in [
        ("{\"invalid\":9}", 400, "invalid_value", json!("invalid")),
        ("{\"frozen\":1}", 400, "not_live", json!("frozen")),
        ("{\"lost\":1}", 409, "not_kept", Value::Null),
        ("[1]", 400, "invalid_value", Value::Null),
        ("{", 400, "invalid_json", Value::Null),
    ] {
        let (given, error) = patch(body).await;
        assert_eq!((given, code(&error), &error["error"]["param"]), (status, name, &param), "{error}");
    }
    let too_large = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000));
    assert_eq!(patch(&too_large).await.0, 413);
}

#[tokio::test]
async fn other_methods_are_told_what_there_is() {
    let (app, _) = server();
    let refused = ask(&app, Method::POST, "/api/config", Some(KEY), "").await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(code(&json_of(refused).await), "method_not_allowed");
}
