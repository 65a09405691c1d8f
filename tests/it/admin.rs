//! What an admin sees and does: calls, events, settings that change while the server runs.

use std::fs;
use std::process::Command;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use futures::{Stream, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::caller::Call;
use crate::server::Server;

/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

struct Admin {
    url: String,
    key: String,
}

impl Admin {
    /// By the line that the server printed.
    fn of(server: &Server) -> Self {
        let line = server.monitor.as_deref().expect("a line with the monitor's address");
        let (url, key) = line.split_once("/monitor#").unwrap();
        assert_eq!(url, server.url);
        assert_eq!(key.len(), 32);
        Self { url: url.to_owned(), key: key.to_owned() }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> reqwest::Response {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.url)).bearer_auth(&self.key);
        request.body(body.to_string()).send().await.unwrap()
    }

    async fn calls(&self) -> Vec<Value> {
        let text = self.ask(Method::GET, "/api/calls", &Value::Null).await.text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["data"].as_array().unwrap().clone()
    }

    async fn config(&self) -> Value {
        let text = self.ask(Method::GET, "/api/config", &Value::Null).await.text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    async fn patch(&self, patch: Value) -> (u16, Value) {
        let reply = self.ask(Method::PATCH, "/api/config", &patch).await;
        (reply.status().as_u16(), serde_json::from_str(&reply.text().await.unwrap()).unwrap())
    }

    async fn change(&self, patch: Value) {
        let (status, reply) = self.patch(patch).await;
        assert_eq!(status, 200, "{reply}");
    }

    async fn events(&self) -> Events {
        let reply = self.ask(Method::GET, "/api/events", &Value::Null).await;
        assert_eq!(reply.status(), 200);
        Events { bytes: Box::pin(reply.bytes_stream()), text: String::new() }
    }
}

struct Events {
    bytes: std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    text: String,
}

impl Events {
    /// `None` when the server has ended the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = field("event: ").zip(field("data: "));
                self.text = rest.to_owned();
                match found {
                    Some((name, data)) => return Some((name, serde_json::from_str(&data).unwrap())),
                    None => continue,
                }
            }
            self.text += std::str::from_utf8(&self.bytes.next().await?.ok()?).unwrap();
        }
    }

    async fn until(&mut self, wanted: &str) -> Value {
        self.matching(wanted, |_| true).await
    }

    async fn matching(&mut self, wanted: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.all_to(wanted, fits).await.pop().unwrap().1
    }

    /// All that comes up to this one.
    async fn all_to(&mut self, wanted: &str, fits: impl Fn(&Value) -> bool) -> Vec<(String, Value)> {
        let mut all: Vec<(String, Value)> = Vec::new();
        let found = async {
            while let Some(event) = self.next().await {
                all.push(event);
                if all.last().is_some_and(|(name, data)| name == wanted && fits(data)) {
                    return true;
                }
            }
            false
        };
        // Comments come all the time: the whole has a limit, not each wait.
        let found = tokio::time::timeout(PATIENCE, found).await;
        assert_eq!(found, Ok(true), "{wanted} never came; there were {all:?}");
        all
    }
}

/// A chat server that answers always the same and shows what it was asked.
async fn listening_mind(tasks: &mut JoinSet<()>) -> (String, mpsc::Receiver<Value>) {
    let (asked, questions) = mpsc::channel(64);
    let handler = move |Json(question): Json<Value>| {
        asked.try_send(question).unwrap();
        async {
            let words = json!({"choices": [{"index": 0, "delta": {"content": "All is well."}, "finish_reason": null}]});
            let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
            let body = Body::from(format!("data: {words}\n\ndata: {end}\n\ndata: [DONE]\n\n"));
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/chat/completions", post(handler));
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, questions)
}

fn config(url: &str) -> String {
    format!(
        "# Of this house.\n[llm]\nprovider = \"openai\"\nbase_url = \"{url}\"\nmodel = \"first\" # the small one\n\
         api_key_env = \"\"\nheaders = {{ x-team = \"a-secret\" }}\n\n[server]\nmax_calls = 1 # for a start\n"
    )
}

/// The last question that is no reading ahead.
fn asked(questions: &mut mpsc::Receiver<Value>) -> Value {
    let mut last = None;
    while let Ok(question) = questions.try_recv() {
        last = Some(question);
    }
    last.expect("the model was asked")
}

#[tokio::test]
async fn calls_are_seen_as_they_are_and_ended() {
    let mut tasks = JoinSet::new();
    let (url, _questions) = listening_mind(&mut tasks).await;
    let server = Server::start(&config(&url));
    let admin = Admin::of(&server);
    let mut events = admin.events().await;
    let hello = events.until("hello").await;
    assert_eq!(hello["version"], env!("CARGO_PKG_VERSION"));
    assert!(admin.calls().await.is_empty());

    let mut call = Call::open(&server).await;
    let started = events.until("call.started").await;
    let id = started["call"]["id"].clone();
    let listed = admin.calls().await;
    assert_eq!((listed.len(), &listed[0]["id"]), (1, &id));
    let seen = &listed[0];
    assert_eq!(
        (&seen["avatar"], &seen["voice"], &seen["language"]),
        (&json!("man"), &json!("piper-joe"), &json!("en"))
    );
    assert!(seen["remote"].as_str().unwrap().starts_with("127.0.0.1:"), "{seen}");
    events.matching("call.changed", |changed| changed["state"] == "listening").await;

    call.ask("Is all well?").await;
    let told = events.all_to("call.changed", |changed| changed["state"] == "listening").await;
    let changed = told.iter().filter(|(name, data)| name == "call.changed" && data["id"] == id);
    let states: Vec<&str> = changed.map(|(_, data)| data["state"].as_str().unwrap()).collect();
    assert!(states[0] == "thinking" && states.contains(&"speaking"), "{states:?}");
    let answer = told.iter().find(|(name, _)| name == "answer").map(|(_, data)| data).expect("how long it took");
    assert_eq!(answer["id"], id);
    assert!(answer["latency"]["first_token_ms"].is_i64(), "{answer}");

    // The other side reports every second or so.
    let measured = async {
        loop {
            let seen = admin.calls().await.remove(0);
            if !seen["round_trip_ms"].is_null() && !seen["frames_per_second"].is_null() {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let seen = tokio::time::timeout(PATIENCE, measured).await.expect("reports of the other side");
    assert_eq!((&seen["answers"], &seen["errors"], &seen["loss"]), (&json!(1), &json!(0), &json!(0.0)), "{seen}");
    assert!(seen["round_trip_ms"].as_f64().unwrap() < 500.0, "{seen}");
    assert!((5.0..=30.0).contains(&seen["frames_per_second"].as_f64().unwrap()), "{seen}");

    let path = format!("/api/calls/{}", id.as_str().unwrap());
    assert_eq!(admin.ask(Method::DELETE, &path, &Value::Null).await.status(), 204);
    call.until_ended().await;
    let ended = events.until("call.ended").await;
    assert_eq!((&ended["id"], &ended["reason"]), (&id, &json!("hung_up")));
    assert!(admin.calls().await.is_empty());
    let again = admin.ask(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(again.status(), 404);
    assert!(again.text().await.unwrap().contains("call_not_found"));
    call.close().await;
}

#[tokio::test]
async fn settings_change_for_the_next_call_and_stay() {
    let mut tasks = JoinSet::new();
    let (url, mut questions) = listening_mind(&mut tasks).await;
    let mut server = Server::start(&config(&url));
    let admin = Admin::of(&server);
    let mut events = admin.events().await;
    let before = fs::read_to_string(server.config()).unwrap();

    let mut first = Call::open(&server).await;
    assert_eq!(Call::refused_with(&server, &json!({})).await.0, 503, "one call at a time");
    assert_eq!(events.until("call.refused").await["reason"], "full");
    admin
        .change(json!({
            "llm": {"model": "second", "system_prompt": "You sell boats.", "temperature": 0.9},
            "tts": {"voice": "kokoro/af_heart", "speed": 1.2}, "avatar": {"name": "woman"}, "server": {"max_calls": 2},
        }))
        .await;
    let changed = events.until("config").await;
    let paths = [
        "avatar.name",
        "llm.model",
        "llm.system_prompt",
        "llm.temperature",
        "server.max_calls",
        "tts.speed",
        "tts.voice",
    ];
    assert_eq!(changed["changed"], json!(paths));

    let second = {
        let mut call = Call::open(&server).await;
        let created = call.report.events("session.created").next().unwrap()["session"].clone();
        assert_eq!((&created["instructions"], &created["model"]), (&json!("You sell boats."), &json!("second")));
        assert_eq!(created["audio"]["output"]["voice"], "kokoro/af_heart");
        assert!((created["audio"]["output"]["speed"].as_f64().unwrap() - 1.2).abs() < 1e-6, "{created}");
        assert_eq!(created["avatar"]["character"], "woman");
        call.ask("Who are you?").await;
        call
    };
    let question = asked(&mut questions);
    assert_eq!(question["model"], "second");
    assert!((question["temperature"].as_f64().unwrap() - 0.9).abs() < 1e-6, "{question}");
    assert!(question["messages"][0].to_string().contains("You sell boats."), "{question}");
    first.ask("And you?").await;
    let question = asked(&mut questions);
    assert_eq!(question["model"], "first", "the call was up before");
    assert_eq!(
        admin.calls().await.iter().map(|call| call["avatar"].as_str().unwrap()).collect::<Vec<_>>(),
        ["man", "woman"]
    );

    let file = fs::read_to_string(server.config()).unwrap();
    for kept in ["# Of this house.\n[llm]", "model = \"second\" # the small one", "max_calls = 2 # for a start"] {
        assert!(file.contains(kept), "{file}");
    }
    // Fewer again, while two are up.
    admin
        .change(json!({"server": {"max_calls": 1}, "tts": {"voice": null, "speed": null}, "avatar": {"name": null}}))
        .await;
    second.close().await;
    events.until("call.ended").await;
    assert_eq!(Call::refused_with(&server, &json!({})).await.0, 503, "the other one is still up");
    admin.change(json!({"llm": {"model": "first", "system_prompt": null, "temperature": null}})).await;
    let file: Value = toml::from_str(&fs::read_to_string(server.config()).unwrap()).unwrap();
    let mut expected: Value = toml::from_str(&before).unwrap();
    expected["tts"] = json!({});
    expected["avatar"] = json!({});
    assert_eq!(file, expected);
    first.close().await;
    // Events do not hold the end of the server up.
    let end = tokio::time::Instant::now();
    assert!(tokio::task::spawn_blocking(move || server.terminate()).await.unwrap().success());
    assert!(end.elapsed() < Duration::from_secs(5), "{:?}", end.elapsed());
    while events.next().await.is_some() {}
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut tasks = JoinSet::new();
    let (url, _questions) = listening_mind(&mut tasks).await;
    let server = Server::start(&config(&url));
    let admin = Admin::of(&server);
    let (before, shown) = (fs::read_to_string(server.config()).unwrap(), admin.config().await);
    assert_eq!(shown["config"]["llm"]["headers"]["x-team"], "********");
    assert!(!shown.to_string().contains("a-secret") && !shown.to_string().contains(&admin.key));
    for (patch, code, param, word) in [
        (json!({"tts": {"voice": "nobody"}}), "invalid_value", "tts.voice", "piper-joe"),
        (json!({"avatar": {"name": "nobody"}, "language": "zh"}), "invalid_value", "avatar.name", "mascot"),
        (json!({"asr": {"language": "xx"}}), "invalid_value", "asr.language", "xx"),
        (json!({"tts": {"speed": 7}, "language": "zh"}), "invalid_value", "tts.speed", "1.5"),
        (json!({"tts": {"sped": 1}}), "invalid_value", "tts.sped", "sped"),
        (json!({"llm": {"temperature": "hot"}}), "invalid_value", "llm.temperature", "string"),
        (
            json!({"llm": {"headers": {"x-key": "env:NOWHERE_SET"}}}),
            "invalid_value",
            "llm.headers.x-key",
            "NOWHERE_SET",
        ),
        (
            json!({"server": {"max_calls": 3}, "video": {"bitrate_bps": 1_000_000}}),
            "not_live",
            "video.bitrate_bps",
            "restart",
        ),
        // Its weights are not loaded.
        (json!({"llm": {"provider": "local", "model": "qwen-0.5b"}}), "not_live", "llm.model", "restart"),
        // RUST_LOG is set for this test.
        (json!({"log": {"filter": "warn"}}), "not_live", "log.filter", "RUST_LOG"),
    ] {
        let (status, reply) = admin.patch(patch.clone()).await;
        let error = &reply["error"];
        assert_eq!((status, &error["code"], &error["param"]), (400, &json!(code), &json!(param)), "{patch}: {reply}");
        assert!(error["message"].as_str().unwrap().contains(word), "{reply}");
    }
    assert_eq!(fs::read_to_string(server.config()).unwrap(), before);
    assert_eq!(admin.config().await, shown);
    let words = shown["words"].as_array().unwrap().iter().find(|words| words["path"] == "vad.threshold").unwrap();
    assert!(words["words"].as_str().unwrap().contains("Probability of speech"));
    assert!(!shown["live"].as_array().unwrap().contains(&json!("log.filter")));
    // What was shown may be sent back as it is.
    admin.change(shown["config"].clone()).await;
    assert_eq!(fs::read_to_string(server.config()).unwrap(), before);
    fs::remove_file(server.config()).unwrap();
    let (status, reply) = admin.patch(json!({"language": "zh"})).await;
    assert_eq!((status, &reply["error"]["code"]), (409, &json!("not_kept")), "{reply}");
    assert_eq!(admin.config().await, shown);
}

#[tokio::test]
async fn a_file_that_was_written_is_read_again_on_sighup() {
    let mut tasks = JoinSet::new();
    let (url, _questions) = listening_mind(&mut tasks).await;
    let server = Server::start_with(&config(&url), |command| {
        command.env_remove("RUST_LOG").env("VISAVIS_ADMIN_KEY", "known");
    });
    assert_eq!(server.monitor, None, "a key that was given is not shown");
    let admin = Admin { url: server.url.clone(), key: "known".into() };
    let mut events = admin.events().await;
    let hangup = || {
        // SAFETY: a signal to a child that has not been waited for.
        unsafe { libc::kill(server.pid() as i32, libc::SIGHUP) };
    };
    let good = format!("language = \"zh\"\n{}[log]\nfilter = \"error\"\n", config(&url));
    fs::write(server.config(), &good).unwrap();
    hangup();
    assert_eq!(events.until("config").await["changed"], json!(["language", "log.filter"]));
    assert_eq!(admin.config().await["config"]["language"], "zh");
    // Neither a file that is wrong nor one that takes a restart changes anything, however much of it would do.
    for bad in ["language = \"en\"\n[tts]\nspeed = 9.0\n", "language = \"en\"\n[server]\nmedia_threads = 2\n"] {
        fs::write(server.config(), bad).unwrap();
        hangup();
    }
    fs::write(server.config(), good.replace("max_calls = 1", "max_calls = 3")).unwrap();
    hangup();
    assert_eq!(events.until("config").await["changed"], json!(["server.max_calls"]));
    assert_eq!(server.status().await["calls"]["limit"], 3);
}

#[tokio::test]
async fn only_the_admins_key_opens() {
    let server =
        Server::start_with("[llm]\nprovider = \"openai\"\nmodel = \"none\"\napi_key_env = \"\"\n", |command| {
            command.env("VISAVIS_API_KEYS", "an-api-key");
        });
    let admin = Admin::of(&server);
    let secret: Value = {
        let made = reqwest::Client::new().post(format!("{}/v1/realtime/client_secrets", server.url));
        let made = made.bearer_auth("an-api-key").header("content-type", "application/json").body("{}");
        serde_json::from_str(&made.send().await.unwrap().text().await.unwrap()).unwrap()
    };
    for wrong in ["", "an-api-key", secret["value"].as_str().unwrap(), &admin.key[..31]] {
        let stranger = Admin { url: admin.url.clone(), key: wrong.to_owned() };
        for path in ["/api/calls", "/api/events", "/api/config"] {
            let refused = stranger.ask(Method::GET, path, &Value::Null).await;
            assert_eq!(refused.status(), 401, "{wrong} {path}");
            assert!(refused.text().await.unwrap().contains("invalid_admin_key"));
        }
    }
    let metrics = server.metrics().await;
    assert!(metrics.contains("visavis_errors_total{kind=\"admin_key\"} 9"), "an empty key is none: {metrics}");
    assert!(admin.calls().await.is_empty());
}

#[test]
fn the_program_prints_its_settings() {
    let printed = Command::new(env!("CARGO_BIN_EXE_visavis")).arg("settings").output().unwrap();
    assert!(printed.status.success());
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), fs::read_to_string(docs).unwrap());
}
