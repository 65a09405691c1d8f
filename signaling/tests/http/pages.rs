//! What web pages use beside calls: origins, conversations, voices, sound, clips and faces.

use super::*;

#[tokio::test]
async fn a_list_of_origins_lets_only_those_in() {
    let (app, _) =
        server_with(|settings| settings.origins = CorsOrigins::parse(&["https://a.example"]).unwrap().into());
    for (origin, allowed) in [("https://a.example", true), ("https://b.example", false)] {
        let reply = send(&app, request(Method::GET, "/healthz", &[("origin", origin)], Body::empty())).await;
        let echoed = reply.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(echoed, allowed.then_some(origin));
        assert!(names(&reply.headers, "vary").contains(&"origin".to_owned()));
    }
}

#[tokio::test]
async fn the_list_of_origins_can_change_while_the_server_runs() {
    let origins = Origins::from(CorsOrigins::Any);
    let (app, _) = server_with(|settings| settings.origins = origins.clone());
    let headers = [("origin", "https://b.example"), ("host", "here.example"), ("content-type", "application/sdp")];
    let call = async || send(&app, request(Method::POST, CALLS, &headers, OFFER)).await;
    assert_eq!(call().await.status, StatusCode::CREATED);
    origins.set(CorsOrigins::parse(&["https://a.example"]).unwrap());
    assert_eq!(call().await.error(StatusCode::FORBIDDEN).0, "origin_not_allowed");
    let read = send(&app, request(Method::GET, "/healthz", &headers[..1], Body::empty())).await;
    assert_eq!(read.headers.get("access-control-allow-origin"), None);
    origins.set(CorsOrigins::parse(&["https://a.example", "https://b.example"]).unwrap());
    assert_eq!(call().await.status, StatusCode::CREATED);
}

/// A server for the pages of `https://a.example`, reached as `here.example`.
fn listed_only() -> (Router, std::sync::Arc<FakeHost>) {
    server_with(|settings| settings.origins = CorsOrigins::parse(&["https://a.example"]).unwrap().into())
}

#[tokio::test]
async fn a_page_that_is_not_listed_is_refused_with_words_that_it_can_read() {
    let (app, host) = listed_only();
    for (method, path) in [
        (Method::POST, CALLS),
        (Method::POST, SECRETS),
        (Method::POST, "/v1/audio/speech"),
        (Method::POST, "/v1/avatars"),
        (Method::DELETE, "/v1/avatars/sent_1"),
        (Method::DELETE, "/v1/realtime/conversations/kept"),
    ] {
        for origin in ["https://b.example", "null", "https://a.example.evil", "https://a.example:444"] {
            let headers = [("origin", origin), ("host", "here.example"), ("content-type", "application/sdp")];
            let reply = send(&app, request(method.clone(), path, &headers, OFFER)).await;
            assert_eq!(reply.error(StatusCode::FORBIDDEN).0, "origin_not_allowed", "{path} {origin}");
            assert!(reply.text.contains("server.cors_origins") && reply.text.contains(origin), "{}", reply.text);
            assert_eq!(reply.headers["access-control-allow-origin"], origin);
        }
    }
    assert_eq!(host.offers(), 0);
    let preflight = [("origin", "https://b.example"), ("access-control-request-method", "POST")];
    let reply = send(&app, request(Method::OPTIONS, CALLS, &preflight, Body::empty())).await;
    assert_eq!(reply.headers["access-control-allow-origin"], "https://b.example", "so that the refusal can be read");
}

#[tokio::test]
async fn listed_pages_the_servers_own_and_programs_may_call() {
    let (app, _) = listed_only();
    for headers in [
        vec![("origin", "https://a.example"), ("host", "here.example")],
        vec![("origin", "http://here.example"), ("host", "here.example")],
        vec![("origin", "https://here.example"), ("host", "here.example:443")],
        vec![("origin", "https://HERE.example:8443"), ("host", "here.example:8443")],
        vec![
            ("origin", "https://here.example"),
            ("host", "10.0.0.1:8080"),
            ("x-forwarded-host", "here.example, proxy"),
        ],
        vec![("host", "here.example")],
    ] {
        let headers = [headers, vec![("content-type", "application/sdp")]].concat();
        let reply = send(&app, request(Method::POST, CALLS, &headers, OFFER)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{headers:?}: {}", reply.text);
    }
}

#[tokio::test]
async fn errors_are_readable_by_a_page_that_is_listed() {
    let (app, host) = listed_only();
    host.refuse(HostError::Full { retry_after_seconds: 9 });
    let headers = [("origin", "https://a.example"), ("content-type", "application/sdp")];
    let reply = send(&app, request(Method::POST, CALLS, &headers, OFFER)).await;
    assert_eq!(reply.error(StatusCode::SERVICE_UNAVAILABLE).0, "server_full");
    assert_eq!(reply.headers["access-control-allow-origin"], "https://a.example");
    assert!(names(&reply.headers, "access-control-expose-headers").contains(&"retry-after".to_owned()));
}

#[tokio::test]
async fn a_conversation_is_deleted_whether_there_is_one_or_not() {
    let (app, host) = server();
    for path in ["/v1/realtime/conversations/kept", "/v1/realtime/conversations/%ff"] {
        let reply = send(&app, request(Method::DELETE, path, &[], Body::empty())).await;
        assert_eq!((reply.status, reply.text.as_str()), (StatusCode::NO_CONTENT, ""));
    }
    assert_eq!(host.forgotten(), ["kept"]);
}

#[tokio::test]
async fn the_reason_of_a_refusal_keeps_its_code_and_its_field() {
    let (app, host) = server();
    host.refuse(ErrorBody::invalid("invalid_value", "No such voice.").with_param("session.audio.output.voice").into());
    let reply = post(&app, CALLS, "application/sdp", OFFER).await;
    let expected = ("invalid_value".to_owned(), json!("session.audio.output.voice"));
    assert_eq!(reply.error(StatusCode::BAD_REQUEST), expected);
}

#[tokio::test]
async fn voices_and_models_are_listed() {
    let (app, _) = server();
    let voice = json!({"id": "joe", "object": "voice", "name": "Joe", "languages": ["en-US"], "default": true});
    assert_eq!(get(&app, "/v1/voices").await.json(), json!({"object": "list", "data": [voice]}));
    let model = json!({"id": "m", "object": "model", "created": FakeHost::NOW, "owned_by": "local"});
    assert_eq!(get(&app, "/v1/models").await.json(), json!({"object": "list", "data": [model]}));
    let (app, _) = server_with(|settings| settings.api_keys = vec!["sk-right".into()]);
    for path in ["/v1/voices", "/v1/models"] {
        assert_eq!(get(&app, path).await.error(StatusCode::UNAUTHORIZED).0, "invalid_api_key");
    }
}

const SPEECH: &str = "/v1/audio/speech";

#[tokio::test]
async fn a_text_comes_back_as_sound() {
    let (app, host) = server();
    let reply = app
        .clone()
        .oneshot(request(
            Method::POST,
            SPEECH,
            &[("content-type", "application/json")],
            json!({"model": "tts-1", "input": "Hello.", "voice": "joe", "speed": 1.5}).to_string(),
        ))
        .await
        .unwrap();
    assert_eq!(reply.headers()[CONTENT_TYPE], "audio/wav");
    let file = to_bytes(reply.into_body(), usize::MAX).await.unwrap();
    assert_eq!((&file[..4], &file[8..16], file.len()), (&b"RIFF"[..], &b"WAVEfmt "[..], 50));
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!((number(4), number(24), number(28), number(40)), (42, 24_000, 48_000, 6));
    assert_eq!(file[44..], [1, 0, 254, 255, 44, 1]);
    let wanted = SpeechWanted { input: "Hello.".into(), voice: Some("joe".into()), speed: 1.5 };
    assert_eq!(host.last_speech(), wanted);

    let raw = json!({"input": "好", "response_format": "pcm", "voice": {"id": "joe"}});
    let reply = app
        .oneshot(request(Method::POST, SPEECH, &[("content-type", "application/json")], raw.to_string()))
        .await
        .unwrap();
    assert_eq!(reply.headers()[CONTENT_TYPE], "audio/pcm");
    assert_eq!(to_bytes(reply.into_body(), usize::MAX).await.unwrap()[..], [1, 0, 254, 255, 44, 1]);
    assert_eq!(host.last_speech(), SpeechWanted { input: "好".into(), speed: 1.0, ..wanted });
}

#[tokio::test]
async fn a_text_that_cannot_be_said_is_refused_by_its_field() {
    let (app, host) = server();
    let long = json!({"input": "é".repeat(4097)}).to_string();
    for (body, code, param) in [
        ("{", "invalid_json", Value::Null),
        ("{}", "missing_required_parameter", json!("input")),
        (r#"{"input":" \n"}"#, "invalid_value", json!("input")),
        (r#"{"input":7}"#, "invalid_value", json!("input")),
        (r#"{"input":"a","speed":9}"#, "invalid_value", json!("speed")),
        (r#"{"input":"a","response_format":"mp3"}"#, "invalid_value", json!("response_format")),
        (r#"{"input":"a","voice":7}"#, "invalid_value", json!("voice")),
        (long.as_str(), "string_above_max_length", json!("input")),
    ] {
        let reply = post(&app, SPEECH, "application/json", body.to_owned()).await;
        assert_eq!(reply.error(StatusCode::BAD_REQUEST), (code.into(), param), "{}", reply.text);
    }
    let most = json!({"input": "é".repeat(4096)}).to_string();
    assert_eq!(
        send(&app, request(Method::POST, SPEECH, &[("content-type", "application/json")], most)).await.status,
        StatusCode::OK
    );
    let reply = post(&app, SPEECH, "text/plain", "{}").await;
    assert_eq!(reply.error(StatusCode::UNSUPPORTED_MEDIA_TYPE).0, "unsupported_media_type");
    host.refuse(HostError::Busy { retry_after_seconds: 5 });
    let reply = post(&app, SPEECH, "application/json", r#"{"input":"a"}"#).await;
    assert_eq!(reply.error(StatusCode::SERVICE_UNAVAILABLE).0, "busy");
    assert_eq!(reply.headers[RETRY_AFTER], "5");
    host.refuse(HostError::Voice("espeak-ng is not installed.".into()));
    let reply = post(&app, SPEECH, "application/json", r#"{"input":"a"}"#).await;
    assert_eq!(reply.error(StatusCode::INTERNAL_SERVER_ERROR).0, "voice_failed");
    assert!(reply.text.contains("espeak-ng"), "{}", reply.text);
}

#[tokio::test]
async fn a_clip_is_sent_whole_in_parts_or_not_at_all() {
    let (app, _) = server();
    const CLIP: &str = "/v1/avatars/woman/clip";
    let whole = get(&app, CLIP).await;
    assert_eq!((whole.status, whole.text.as_str()), (StatusCode::OK, "a clip"));
    assert_eq!(whole.headers[CONTENT_TYPE], "video/mp4");
    assert_eq!(
        (&whole.headers["etag"], &whole.headers["accept-ranges"]),
        (&"\"abc1\"".parse().unwrap(), &"bytes".parse().unwrap())
    );
    let part = send(&app, request(Method::GET, CLIP, &[("range", "bytes=2-")], Body::empty())).await;
    assert_eq!((part.status, part.text.as_str()), (StatusCode::PARTIAL_CONTENT, "clip"));
    assert_eq!(part.headers["content-range"], "bytes 2-5/6");
    for tags in ["\"abc1\"", "\"other\", W/\"abc1\"", "*"] {
        let same = send(&app, request(Method::GET, CLIP, &[("if-none-match", tags)], Body::empty())).await;
        assert_eq!((same.status, same.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{tags}");
    }
    let other = send(&app, request(Method::GET, CLIP, &[("if-none-match", "\"abc\"")], Body::empty())).await;
    assert_eq!(other.status, StatusCode::OK);
    let head = send(&app, request(Method::HEAD, CLIP, &[], Body::empty())).await;
    assert_eq!(
        (head.status, head.text.as_str(), head.headers["content-length"].to_str().unwrap()),
        (StatusCode::OK, "", "6")
    );
    assert_eq!(get(&app, "/v1/avatars/nobody/clip").await.error(StatusCode::NOT_FOUND).0, "avatar_not_found");
}

#[tokio::test]
async fn faces_are_listed_shown_made_of_photos_and_deleted() {
    let (app, _) = server();
    let listed = get(&app, "/v1/avatars").await.json();
    assert_eq!((&listed["object"], &listed["data"][0]["id"]), (&json!("list"), &json!("woman")));
    let picture = get(&app, "/v1/avatars/woman/picture").await;
    assert_eq!((picture.status, picture.headers[CONTENT_TYPE].as_bytes()), (StatusCode::OK, &b"image/png"[..]));
    assert_eq!(get(&app, "/v1/avatars/nobody/picture").await.error(StatusCode::NOT_FOUND).0, "avatar_not_found");

    let made = post(&app, "/v1/avatars", "image/jpeg", "a face").await;
    assert_eq!((made.status, &made.json()["id"]), (StatusCode::CREATED, &json!("sent_1")));
    let refused = post(&app, "/v1/avatars", "image/jpeg", "a landscape").await;
    assert_eq!(refused.error(StatusCode::BAD_REQUEST).0, "no_face");
    let large = post(&app, "/v1/avatars", "image/jpeg", vec![0; 20 * 1024 * 1024 + 1]).await;
    assert_eq!(large.error(StatusCode::PAYLOAD_TOO_LARGE).0, "body_too_large");

    let delete = |id: &str| request(Method::DELETE, &format!("/v1/avatars/{id}"), &[], Body::empty());
    assert_eq!(send(&app, delete("sent_1")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(send(&app, delete("woman")).await.error(StatusCode::NOT_FOUND).0, "avatar_not_found");
}
