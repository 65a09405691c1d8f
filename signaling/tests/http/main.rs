//! The routes as a client sees them, in front of a host that has no media.

#[path = "../fake_host/mod.rs"]
mod fake_host;
mod pages;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use axum::http::{Method, Request, StatusCode};
use fake_host::{FakeHost, server, server_with};
use serde_json::{Value, json};
use tower::ServiceExt;
use visavis_signaling::events::{ErrorBody, Modality, Session, SessionPatch};
use visavis_signaling::{CorsOrigins, HostError, Origins, SpeechWanted};

const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
const CALLS: &str = "/v1/realtime/calls";
const SECRETS: &str = "/v1/realtime/client_secrets";

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code of the protocol's error form, all of whose fields must be there.
    #[track_caller]
    fn error(&self, status: StatusCode) -> (String, Value) {
        assert_eq!(self.status, status, "{}", self.text);
        let error = &self.json()["error"];
        for field in ["message", "type", "code", "param"] {
            assert!(error.get(field).is_some(), "{field} is missing in {error}");
        }
        assert!(error["message"].as_str().unwrap().len() > 10, "{error}");
        (error["code"].as_str().unwrap().to_owned(), error["param"].clone())
    }
}

async fn send(app: &Router, request: Request<Body>) -> Reply {
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Reply { status: head.status, headers: head.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

async fn get(app: &Router, path: &str) -> Reply {
    send(app, request(Method::GET, path, &[], Body::empty())).await
}

async fn post(app: &Router, path: &str, content_type: &str, body: impl Into<Body>) -> Reply {
    send(app, request(Method::POST, path, &[("content-type", content_type)], body)).await
}

async fn post_form(app: &Router, parts: &[(&str, &str)]) -> Reply {
    post(app, CALLS, "multipart/form-data; boundary=XX", form(parts)).await
}

/// A form as browsers make it: each part with these extra headers.
fn form(parts: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (head, content) in parts {
        body += &format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n");
    }
    body + "--XX--\r\n"
}

#[tokio::test]
async fn a_raw_offer_is_answered_with_201_location_and_sdp() {
    let (app, host) = server();
    for content_type in ["application/sdp", "application/sdp; charset=utf-8", "Application/SDP;x=y"] {
        let reply = post(&app, CALLS, content_type, OFFER).await;
        assert_eq!(reply.status, StatusCode::CREATED);
        assert_eq!(reply.headers[CONTENT_TYPE], "application/sdp");
        assert_eq!(reply.headers[LOCATION], "/v1/realtime/calls/rtc_fake");
        assert_eq!(reply.text, FakeHost::ANSWER);
    }
    let offer = host.last_offer();
    assert_eq!(offer.sdp, OFFER);
    assert_eq!(offer.session, None);
}

#[tokio::test]
async fn the_host_learns_where_an_offer_came_from() {
    let (app, host) = server();
    let headers = [
        ("content-type", "application/sdp"),
        ("origin", "https://a.example"),
        ("user-agent", "agent/1"),
        ("x-openai-agents-sdk", "openai-agents-sdk.0.20.0"),
    ];
    let mut request = request(Method::POST, CALLS, &headers, OFFER);
    let remote: std::net::SocketAddr = "192.0.2.1:4000".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(remote));
    assert_eq!(send(&app, request).await.status, StatusCode::CREATED);
    let origin = host.last_offer().origin;
    assert_eq!(origin.remote, Some(remote));
    assert_eq!(origin.origin.as_deref(), Some("https://a.example"));
    assert_eq!(origin.user_agent.as_deref(), Some("agent/1"));
    assert_eq!(origin.sdk.as_deref(), Some("openai-agents-sdk.0.20.0"));
}

#[tokio::test]
async fn a_form_may_have_parts_with_and_without_a_content_type() {
    let (app, host) = server();
    let session = r#"{"type":"realtime","model":"m","output_modalities":["text"]}"#;
    let browser = post_form(&app, &[("name=\"sdp\"", OFFER), ("name=\"session\"", session)]).await;
    assert_eq!(browser.status, StatusCode::CREATED, "{}", browser.text);
    let offer = host.last_offer();
    assert_eq!(offer.sdp, OFFER);
    assert_eq!(offer.session, Some(SessionPatch::parse(session.as_bytes()).unwrap()));

    let sdk = post_form(
        &app,
        &[
            ("name=\"sdp\"\r\nContent-Type: application/sdp", OFFER),
            ("name=\"session\"; filename=\"blob\"\r\nContent-Type: application/json", session),
            ("name=\"other\"", "ignored"),
        ],
    )
    .await;
    assert_eq!(sdk.status, StatusCode::CREATED, "{}", sdk.text);
    assert!(host.last_offer().session.is_some());
}

#[tokio::test]
async fn a_bad_form_is_400_and_says_which_part() {
    let (app, host) = server();
    let reply = post_form(&app, &[("name=\"session\"", "{}")]).await;
    assert_eq!(reply.error(StatusCode::BAD_REQUEST), ("missing_required_parameter".into(), json!("sdp")));
    let reply = post_form(&app, &[("name=\"sdp\"", OFFER), ("name=\"sdp\"", OFFER)]).await;
    assert_eq!(reply.error(StatusCode::BAD_REQUEST).0, "invalid_multipart");
    let whole = form(&[("name=\"sdp\"", OFFER)]);
    let cut = whole[..whole.len() - 12].to_owned();
    for (content_type, body) in [
        ("multipart/form-data", whole),
        ("multipart/form-data; boundary=XX", cut),
        ("multipart/form-data; boundary=XX", "nonsense".into()),
        ("multipart/form-data; boundary=XX", "--XX\r\nContent-Disposition: \u{1}\r\n\r\nx\r\n--XX--".into()),
    ] {
        let reply = post(&app, CALLS, content_type, body.clone()).await;
        assert!(reply.error(StatusCode::BAD_REQUEST).0.starts_with("invalid_multipart"), "{body}: {}", reply.text);
    }
    assert_eq!(host.offers(), 0);
}

#[tokio::test]
async fn a_bad_session_is_400_and_names_the_field() {
    let (app, host) = server();
    for (session, code, param) in [
        ("{", "invalid_json", "session"),
        ("[]", "invalid_value", "session"),
        (r#"{"type":"transcription"}"#, "invalid_value", "session.type"),
        (r#"{"audio":{"output":{"speed":9}}}"#, "invalid_value", "session.audio.output.speed"),
    ] {
        let reply = post_form(&app, &[("name=\"sdp\"", OFFER), ("name=\"session\"", session)]).await;
        assert_eq!(reply.error(StatusCode::BAD_REQUEST), (code.into(), json!(param)));
    }
    assert_eq!(host.offers(), 0, "no call is begun for a session that cannot be");
}

#[tokio::test]
async fn an_offer_that_is_empty_or_no_text_is_400() {
    let (app, _) = server();
    for body in [Body::empty(), Body::from(" \r\n"), Body::from(vec![0xff, 0xfe, 0x00])] {
        let reply = post(&app, CALLS, "application/sdp", body).await;
        assert_eq!(reply.error(StatusCode::BAD_REQUEST), ("invalid_sdp".into(), json!("sdp")));
    }
}

#[tokio::test]
async fn another_content_type_is_415_and_a_large_body_413() {
    let (app, host) = server();
    for headers in [vec![], vec![("content-type", "application/json")], vec![("content-type", "text/plain")]] {
        let reply = send(&app, request(Method::POST, CALLS, &headers, OFFER)).await;
        assert_eq!(reply.error(StatusCode::UNSUPPORTED_MEDIA_TYPE).0, "unsupported_media_type");
        assert_eq!(reply.headers["accept-post"], "application/sdp, multipart/form-data");
    }
    let large = "x".repeat(64 * 1024 + 1);
    for content_type in ["application/sdp", "multipart/form-data; boundary=XX"] {
        let announced = [("content-type", content_type), ("content-length", "65537")];
        let reply = send(&app, request(Method::POST, CALLS, &announced, large.clone())).await;
        assert_eq!(reply.error(StatusCode::PAYLOAD_TOO_LARGE).0, "body_too_large");
        let reply = post(&app, CALLS, content_type, large.clone()).await;
        assert_eq!(reply.error(StatusCode::PAYLOAD_TOO_LARGE).0, "body_too_large");
    }
    let reply = post(&app, SECRETS, "application/json", large).await;
    assert_eq!(reply.error(StatusCode::PAYLOAD_TOO_LARGE).0, "body_too_large");
    assert_eq!(host.offers(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_408() {
    let (app, _) = server();
    let never = Body::new(fake_host::NeverBody);
    let reply = post(&app, CALLS, "application/sdp", never).await;
    assert_eq!(reply.error(StatusCode::REQUEST_TIMEOUT).0, "request_timeout");
}

#[tokio::test]
async fn what_the_host_refuses_becomes_the_right_status() {
    let cases = [
        (ErrorBody::invalid("no_h264", "The offer has no H.264.").into(), StatusCode::BAD_REQUEST, "no_h264", None),
        (HostError::Full { retry_after_seconds: 17 }, StatusCode::SERVICE_UNAVAILABLE, "server_full", Some("17")),
        (HostError::ShuttingDown, StatusCode::SERVICE_UNAVAILABLE, "shutting_down", Some("5")),
        (HostError::Internal("secret detail".into()), StatusCode::INTERNAL_SERVER_ERROR, "internal_error", None),
    ];
    for (error, status, code, retry_after) in cases {
        let (app, host) = server();
        host.refuse(error);
        let reply = post(&app, CALLS, "application/sdp", OFFER).await;
        assert_eq!(reply.error(status).0, code);
        assert_eq!(reply.headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap()), retry_after);
        assert!(!reply.text.contains("secret detail"));
    }
}

#[tokio::test]
async fn a_call_ends_by_hangup_and_by_delete_and_only_once() {
    for (method, path) in
        [(Method::POST, "/v1/realtime/calls/rtc_fake/hangup"), (Method::DELETE, "/v1/realtime/calls/rtc_fake")]
    {
        let (app, _) = server();
        let end = || request(method.clone(), path, &[], Body::empty());
        assert_eq!(send(&app, end()).await.error(StatusCode::NOT_FOUND).0, "call_not_found");
        post(&app, CALLS, "application/sdp", OFFER).await;
        assert_eq!(send(&app, end()).await.status, StatusCode::OK);
        assert_eq!(send(&app, end()).await.error(StatusCode::NOT_FOUND).0, "call_not_found");
    }
    let (app, _) = server();
    let undecodable = request(Method::DELETE, "/v1/realtime/calls/%ff", &[], Body::empty());
    assert_eq!(send(&app, undecodable).await.error(StatusCode::NOT_FOUND).0, "call_not_found");
}

#[tokio::test]
async fn a_client_secret_has_the_form_that_browsers_need() {
    let (app, _) = server();
    let reply = post(&app, SECRETS, "application/json", "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert_eq!(reply.headers["cache-control"], "no-store");
    let json = reply.json();
    assert!(json["value"].as_str().unwrap().starts_with("ek_"));
    assert_eq!(json["expires_at"], FakeHost::NOW + 600);
    assert_eq!(json["session"]["type"], "realtime");
    assert_eq!(json["session"]["object"], "realtime.session");
    assert!(json["session"]["id"].as_str().unwrap().starts_with("sess_"));

    let wanted = json!({"expires_after": {"anchor": "created_at", "seconds": 60},
        "session": {"type": "realtime", "model": "m", "audio": {"output": {"voice": "marin"}}}});
    let json = post(&app, SECRETS, "application/json", wanted.to_string()).await.json();
    assert_eq!(json["expires_at"], FakeHost::NOW + 60);
    assert_eq!(json["session"]["audio"]["output"]["voice"], "marin");
}

#[tokio::test]
async fn a_bad_request_for_a_secret_says_why() {
    let (app, _) = server();
    for (body, code, param) in [
        ("{", "invalid_json", Value::Null),
        ("[]", "invalid_value", Value::Null),
        (r#"{"expires_after":{"seconds":9}}"#, "invalid_value", json!("expires_after.seconds")),
        (r#"{"expires_after":{"seconds":7201}}"#, "invalid_value", json!("expires_after.seconds")),
        (r#"{"expires_after":{"seconds":"x"}}"#, "invalid_value", json!("expires_after.seconds")),
        (r#"{"expires_after":{"anchor":"birth"}}"#, "invalid_value", json!("expires_after.anchor")),
        (r#"{"session":{"type":"transcription"}}"#, "invalid_value", json!("session.type")),
        (r#"{"session":{"instructions":1}}"#, "invalid_value", json!("session.instructions")),
    ] {
        let reply = post(&app, SECRETS, "application/json", body).await;
        assert_eq!(reply.error(StatusCode::BAD_REQUEST), (code.into(), param), "{body}");
    }
    let reply = post(&app, SECRETS, "text/plain", "{}").await;
    assert_eq!(reply.error(StatusCode::UNSUPPORTED_MEDIA_TYPE).0, "unsupported_media_type");
}

async fn secret(app: &Router, headers: &[(&str, &str)], body: Value) -> String {
    let mut headers = headers.to_vec();
    headers.push(("content-type", "application/json"));
    let reply = send(app, request(Method::POST, SECRETS, &headers, body.to_string())).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()["value"].as_str().unwrap().to_owned()
}

async fn call_with(app: &Router, token: &str, body: Vec<(&str, &str)>) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "multipart/form-data; boundary=XX")];
    send(app, request(Method::POST, CALLS, &headers, form(&body))).await
}

#[tokio::test]
async fn the_session_of_a_secret_applies_to_calls_that_use_it_and_the_call_may_change_it() {
    let (app, host) = server();
    let stored = json!({"session": {"instructions": "Be brief.", "output_modalities": ["text"]}});
    let token = secret(&app, &[], stored).await;
    let given = r#"{"output_modalities":["audio"],"model":"m"}"#;
    let reply = call_with(&app, &token, vec![("name=sdp", OFFER), ("name=session", given)]).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    let mut session = Session::new("sess_1", "avatar", "x");
    session.apply(&host.last_offer().session.unwrap()).unwrap();
    assert_eq!(session.instructions, "Be brief.");
    assert_eq!(session.model, "m");
    assert_eq!(session.output_modalities, [Modality::Audio]);
}

#[tokio::test]
async fn without_keys_every_token_is_accepted() {
    let (app, _) = server();
    for token in ["ek_unknown", "anything", ""] {
        assert_eq!(call_with(&app, token, vec![("name=sdp", OFFER)]).await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn with_keys_only_a_key_or_a_living_secret_may_call() {
    let (app, host) = server_with(|settings| settings.api_keys = vec!["sk-right".into(), "sk-other".into()]);
    let offer = || vec![("name=sdp", OFFER)];
    for (token, code) in [
        ("sk-wrong", "invalid_api_key"),
        ("sk-righ", "invalid_api_key"),
        ("sk-rightt", "invalid_api_key"),
        ("", "invalid_api_key"),
        ("ek_unknown", "client_secret_expired"),
    ] {
        let reply = call_with(&app, token, offer()).await;
        assert_eq!(reply.error(StatusCode::UNAUTHORIZED).0, code, "{token}");
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
        assert_eq!(reply.json()["error"]["type"], "authentication_error");
    }
    let reply = post(&app, CALLS, "application/sdp", OFFER).await;
    assert_eq!(reply.error(StatusCode::UNAUTHORIZED).0, "invalid_api_key");
    assert_eq!(host.offers(), 0);

    assert_eq!(call_with(&app, "sk-other", offer()).await.status, StatusCode::CREATED);
    let token = secret(&app, &[("authorization", "bearer sk-right")], json!({})).await;
    assert_eq!(call_with(&app, &token, offer()).await.status, StatusCode::CREATED);

    let renewal = request(Method::POST, SECRETS, &[("authorization", &format!("Bearer {token}"))], Body::empty());
    assert_eq!(send(&app, renewal).await.error(StatusCode::UNAUTHORIZED).0, "invalid_api_key");
    let hang_up = request(Method::DELETE, "/v1/realtime/calls/rtc_fake", &[], Body::empty());
    assert_eq!(send(&app, hang_up).await.error(StatusCode::UNAUTHORIZED).0, "invalid_api_key");

    host.advance_seconds(600);
    let reply = call_with(&app, &token, offer()).await;
    assert!(reply.error(StatusCode::UNAUTHORIZED).0 == "client_secret_expired" && reply.text.contains("expired"));
}

#[tokio::test]
async fn secrets_are_bounded_and_the_refusal_says_when_to_come_back() {
    let (app, host) = server_with(|settings| settings.client_secret_capacity = 1);
    secret(&app, &[], json!({"expires_after": {"seconds": 30}})).await;
    host.advance_seconds(10);
    let reply = post(&app, SECRETS, "application/json", "").await;
    assert_eq!(reply.error(StatusCode::SERVICE_UNAVAILABLE).0, "too_many_client_secrets");
    assert_eq!(reply.headers[RETRY_AFTER], "20");
    host.advance_seconds(20);
    secret(&app, &[], json!({})).await;
}

#[tokio::test]
async fn operators_get_health_readiness_metrics_and_status() {
    let (app, host) = server();
    assert_eq!(get(&app, "/healthz").await.status, StatusCode::OK);
    assert_eq!(get(&app, "/readyz").await.status, StatusCode::OK);
    host.unready("The voice is still loading.");
    let reply = get(&app, "/readyz").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.json(), json!({"status": "unready", "reason": "The voice is still loading."}));
    assert_eq!(get(&app, "/healthz").await.status, StatusCode::OK, "alive is not ready");

    let metrics = get(&app, "/metrics").await;
    assert!(metrics.headers[CONTENT_TYPE].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    assert_eq!(metrics.text, "fake_calls 0\n");

    let status = get(&app, "/api/status").await.json();
    assert_eq!(status["calls"], json!({"active": 0, "limit": 4, "total": 0}));
    assert_eq!(status["engines"]["asr"], "fake");
    assert_eq!(status["memory_mib"], 12);
    assert_eq!(status["features"], json!(["say"]));
    assert_eq!(status["languages"], json!(["en", "zh"]));
    assert_eq!((&status["conversation_days"], &status["persona"]["greeting"]), (&json!(30), &json!("Hello!")));
    assert!(status["version"].is_string() && status["uptime_seconds"].is_u64());
}

#[tokio::test]
async fn unknown_paths_are_404_in_json_but_only_below_v1_and_api() {
    let (app, _) = server();
    let app = app.fallback(|| async { "the page" });
    for path in [
        "/v1",
        "/v1/",
        "/v1/realtime",
        "/v1/realtime/calls/",
        "/v1/x/y",
        "/api",
        "/api/nothing",
        "/v1/realtime/calls/x/y/z",
    ] {
        assert_eq!(get(&app, path).await.error(StatusCode::NOT_FOUND).0, "not_found", "{path}");
    }
    for action in ["accept", "reject", "refer"] {
        let reply = post(&app, &format!("/v1/realtime/calls/rtc_fake/{action}"), "application/json", "{}").await;
        assert_eq!(reply.error(StatusCode::NOT_FOUND).0, "not_found");
        assert!(reply.text.contains("SIP"));
    }
    assert_eq!(get(&app, "/").await.text, "the page");
    assert_eq!(get(&app, "/assets/app.js").await.text, "the page");
}

#[tokio::test]
async fn a_wrong_method_is_405_with_allow() {
    let (app, _) = server();
    for (method, path, allowed) in [
        (Method::GET, CALLS, "POST"),
        (Method::PUT, SECRETS, "POST"),
        (Method::GET, "/v1/realtime/calls/rtc_fake", "DELETE"),
        (Method::PATCH, "/v1/realtime/calls/rtc_fake/hangup", "POST"),
        (Method::POST, "/api/status", "GET,HEAD"),
        (Method::DELETE, "/healthz", "GET,HEAD"),
    ] {
        let reply = send(&app, request(method, path, &[], Body::empty())).await;
        assert_eq!(reply.error(StatusCode::METHOD_NOT_ALLOWED).0, "method_not_allowed");
        assert_eq!(reply.headers[ALLOW], allowed, "{path}");
    }
}

/// The names in a comma-separated header, in lower case.
fn names(headers: &HeaderMap, name: &str) -> Vec<String> {
    let value = headers.get(name).unwrap_or_else(|| panic!("{name} is missing")).to_str().unwrap();
    value.split(',').map(|part| part.trim().to_lowercase()).collect()
}

#[tokio::test]
async fn every_route_answers_a_preflight_with_all_names() {
    let (app, _) = server();
    let preflight = [
        ("origin", "https://a.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,x-openai-agents-sdk"),
    ];
    for path in
        [CALLS, SECRETS, "/v1/realtime/calls/x", "/v1/realtime/calls/x/hangup", "/api/status", "/v1/none", "/healthz"]
    {
        let reply = send(&app, request(Method::OPTIONS, path, &preflight, Body::empty())).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.status);
        assert_eq!(reply.headers["access-control-allow-origin"], "https://a.example");
        assert_eq!(
            names(&reply.headers, "access-control-allow-headers"),
            ["authorization", "content-type", "if-match", "etag", "x-openai-agents-sdk"]
        );
        assert_eq!(
            names(&reply.headers, "access-control-allow-methods"),
            ["get", "post", "patch", "delete", "options"]
        );
    }
    let bare = send(&app, request(Method::OPTIONS, CALLS, &[], Body::empty())).await;
    assert!(bare.status.is_success(), "OPTIONS without CORS headers is answered too");
}

#[tokio::test]
async fn replies_good_and_bad_expose_what_clients_read() {
    let (app, _) = server();
    for content_type in ["application/sdp", "text/plain"] {
        let headers = [("content-type", content_type), ("origin", "https://a.example")];
        let reply = send(&app, request(Method::POST, CALLS, &headers, OFFER)).await;
        assert_eq!(reply.headers["access-control-allow-origin"], "https://a.example");
        assert_eq!(
            names(&reply.headers, "access-control-expose-headers"),
            ["location", "retry-after", "etag", "link", "accept-patch", "accept-post", "access-control-allow-methods"]
        );
    }
}

#[tokio::test]
async fn the_description_names_every_route_and_the_page_needs_nothing_from_outside() {
    let (app, _) = server();
    let description = get(&app, "/openapi.json").await.json();
    assert!(description["openapi"].as_str().unwrap().starts_with("3."));
    let page = get(&app, "/docs").await;
    assert!(page.headers[CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    for path in [
        CALLS,
        SECRETS,
        "/v1/realtime/calls/{call_id}",
        "/v1/realtime/calls/{call_id}/hangup",
        "/v1/realtime/conversations/{conversation_id}",
        "/v1/audio/speech",
        "/v1/voices",
        "/v1/models",
        "/v1/avatars/{id}/clip",
        "/api/status",
        "/healthz",
        "/readyz",
        "/metrics",
    ] {
        assert!(description["paths"].get(path).is_some(), "{path} is not described");
        assert!(page.text.contains(path), "{path} is not on the page");
    }
    let offer = &description["paths"][CALLS]["post"]["requestBody"]["content"];
    assert!(offer.get("application/sdp").is_some() && offer.get("multipart/form-data").is_some(), "{offer}");
    for name in ["ErrorReply", "SecretReply", "Session", "Status"] {
        assert!(page.text.contains(&format!("id='{name}'")), "the type {name} is not on the page");
    }
    for outside in ["src=", "http://", "https://", "@import", "url("] {
        assert!(!page.text.contains(outside), "the page has {outside}");
    }
}

#[tokio::test]
async fn the_token_may_stand_after_any_spelling_of_bearer_only() {
    let (app, _) = server_with(|settings| settings.api_keys = vec!["sk-right".into()]);
    for (value, status) in [
        ("BEARER sk-right", StatusCode::CREATED),
        ("Basic sk-right", StatusCode::UNAUTHORIZED),
        ("sk-right", StatusCode::UNAUTHORIZED),
    ] {
        let headers = [(AUTHORIZATION.as_str(), value), ("content-type", "application/sdp")];
        assert_eq!(send(&app, request(Method::POST, CALLS, &headers, OFFER)).await.status, status, "{value}");
    }
}
