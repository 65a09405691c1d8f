//! The routes beside calls, with real engines: voices, speech, clips, and which pages may use them.

use reqwest::header::{CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, ORIGIN, RANGE};
use serde_json::{Value, json};

use crate::server::Server;

/// Nobody answers there.
const NO_MIND: &str = "[llm]\nprovider = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\nmodel = \"fake\"\n";

async fn json_at(server: &Server, path: &str) -> Value {
    let text = reqwest::get(format!("{}{path}", server.url)).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

async fn speak(server: &Server, wanted: Value) -> (u16, HeaderMap, Vec<u8>) {
    let url = format!("{}/v1/audio/speech", server.url);
    let request = reqwest::Client::new().post(url).header(CONTENT_TYPE, "application/json").body(wanted.to_string());
    let reply = request.send().await.unwrap();
    let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
    (status, headers, reply.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn what_a_page_may_offer_is_told() {
    let server = Server::start(NO_MIND);
    let voices = json_at(&server, "/v1/voices").await;
    let voices = voices["data"].as_array().unwrap();
    let voice =
        |id: &str| voices.iter().find(|voice| voice["id"] == id).unwrap_or_else(|| panic!("{id} is not listed"));
    let joe = json!({"id": "piper-joe", "object": "voice", "name": "Joe", "languages": ["en-US"], "default": true});
    assert_eq!(voice("piper-joe"), &joe);
    assert_eq!(voice("kokoro/zf_xiaobei")["languages"], json!(["zh"]));
    assert_eq!(voices.iter().filter(|voice| voice["default"] == true).count(), 1);
    let models = json_at(&server, "/v1/models").await;
    assert_eq!((&models["data"][0]["id"], models["data"].as_array().unwrap().len()), (&json!("fake"), 1));
    let status = server.status().await;
    assert_eq!(status["languages"], json!(["en"]));
    assert_eq!(status["conversation_days"], 30);
    for feature in ["say", "uploads", "memory"] {
        assert!(status["features"].as_array().unwrap().contains(&json!(feature)), "{status}");
    }
}

#[tokio::test]
async fn a_text_is_said_by_the_voice_that_is_named() {
    let server = Server::start(NO_MIND);
    for (wanted, least_seconds) in [
        (json!({"input": "The sky is blue. The grass is green."}), 1.5),
        (json!({"input": "Hello there.", "voice": "alloy", "model": "tts-1", "speed": 0.8}), 0.5),
        (json!({"input": "你好，很高兴认识你。", "voice": "kokoro/zf_xiaobei"}), 1.0),
    ] {
        let (status, headers, file) = speak(&server, wanted.clone()).await;
        assert_eq!(status, 200, "{wanted}: {}", String::from_utf8_lossy(&file));
        assert_eq!(headers[CONTENT_TYPE], "audio/wav");
        let mut sound = hound::WavReader::new(file.as_slice()).unwrap();
        assert_eq!((sound.spec().sample_rate, sound.spec().channels), (24_000, 1));
        let pcm: Vec<f64> = sound.samples::<i16>().map(|sample| f64::from(sample.unwrap())).collect();
        let seconds = pcm.len() as f64 / 24_000.0;
        let loudness = (pcm.iter().map(|sample| sample * sample).sum::<f64>() / pcm.len() as f64).sqrt();
        assert!(seconds > least_seconds && seconds < 10.0 && loudness > 300.0, "{wanted}: {seconds} s, {loudness}");
    }
    let (status, headers, pcm) = speak(&server, json!({"input": "Hello.", "response_format": "pcm"})).await;
    assert!(status == 200 && headers[CONTENT_TYPE] == "audio/pcm" && pcm.len() > 10_000);
    for (wanted, param, words) in [
        (json!({"input": "Hello.", "voice": "nobody"}), "voice", "piper-joe"),
        (json!({"input": "?!"}), "input", "no words"),
    ] {
        let (status, _, reply) = speak(&server, wanted).await;
        let reply: Value = serde_json::from_slice(&reply).unwrap();
        assert_eq!((status, &reply["error"]["param"]), (400, &json!(param)), "{reply}");
        assert!(reply["error"]["message"].as_str().unwrap().contains(words), "{reply}");
    }
    let long = json!({"input": "Once upon a time there was a fox. ".repeat(12)});
    let replies = tokio::join!(speak(&server, long.clone()), speak(&server, long.clone()), speak(&server, long));
    let statuses =
        [&replies.0, &replies.1, &replies.2].map(|(status, headers, _)| (*status, headers.get("retry-after")));
    let refused: Vec<_> = statuses.iter().filter(|(status, _)| *status == 503).collect();
    assert!(refused.len() == 1 && refused[0].1.is_some(), "{statuses:?}");
}

#[tokio::test]
async fn a_face_is_shown_in_a_clip_that_is_made_once() {
    let server = Server::start(NO_MIND);
    let (url, client) = (format!("{}/v1/avatars/woman/clip", server.url), reqwest::Client::new());
    let reply = client.get(&url).send().await.unwrap();
    assert_eq!((reply.status().as_u16(), &reply.headers()[CONTENT_TYPE]), (200, &"video/mp4".parse().unwrap()));
    let tag = reply.headers()[ETAG].clone();
    let file = reply.bytes().await.unwrap();
    let clip = re_mp4::Mp4::read_bytes(&file).unwrap();
    let tracks: Vec<_> = clip.tracks().values().collect();
    assert_eq!(tracks.len(), 1, "pictures without sound");
    let pictures = tracks[0].samples.len();
    assert!((50..=110).contains(&pictures), "{pictures} pictures at 25 a second");
    let at = |name: &[u8]| file.windows(4).position(|part| part == name).expect("a box of MP4");
    assert!(at(b"moov") < at(b"mdat"), "it plays before all of it is there");
    let again = client.get(&url).header(IF_NONE_MATCH, tag.clone()).send().await.unwrap();
    assert_eq!(again.status(), 304);
    let part = client.get(&url).header(RANGE, "bytes=0-99").send().await.unwrap();
    assert_eq!((part.status().as_u16(), &part.headers()[ETAG]), (206, &tag));
    assert_eq!(part.bytes().await.unwrap(), file[..100]);
    let nobody = client.get(format!("{}/v1/avatars/nobody/clip", server.url)).send().await.unwrap();
    assert_eq!(nobody.status(), 404);
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_where_a_list_says_so() {
    let server = Server::start(&format!("{NO_MIND}[server]\ncors_origins = [\"https://a.example\"]\n"));
    let (offer, client) = (crate::caller::offer().await, reqwest::Client::new());
    let call = async |origin: &str| {
        let request = client.post(format!("{}/v1/realtime/calls", server.url));
        let request = request.header(CONTENT_TYPE, "application/sdp").header(ORIGIN, origin);
        request.body(offer.clone()).send().await.unwrap()
    };
    let stranger = "https://b.example";
    for origin in ["https://a.example", server.url.as_str()] {
        assert_eq!(call(origin).await.status(), 201, "{origin}");
    }
    let reply = call(stranger).await;
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["access-control-allow-origin"]),
        (403, &stranger.parse().unwrap())
    );
    let words = reply.text().await.unwrap();
    assert!(words.contains("origin_not_allowed") && words.contains("server.cors_origins"), "{words}");
    // Whoever runs the server lets it in.
    let key = server.monitor.as_deref().unwrap().split_once('#').unwrap().1;
    let patch = format!(r#"{{"server": {{"cors_origins": ["{stranger}"]}}}}"#);
    let changed = client.patch(format!("{}/api/config", server.url)).bearer_auth(key).body(patch).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    assert_eq!(call(stranger).await.status(), 201);
    assert_eq!(call("https://a.example").await.status(), 403);
    let frame = client.get(format!("{}/embed", server.url)).send().await.unwrap();
    assert_eq!(frame.headers()["content-security-policy"], format!("frame-ancestors 'self' {stranger}"));
}
