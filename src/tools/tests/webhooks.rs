//! Webhooks against a stand-in.

use serde_json::Value;

use super::hook::{BIG, Hook};
use super::*;

const CITY: &str = r#"parameters = '''{"type": "object", "properties": {
    "city": {"type": "string"}, "days": {"type": "integer"}, "tags": {"type": "array"}, "dry": {"type": "boolean"}
}, "required": ["city"]}'''"#;

#[tokio::test]
async fn a_post_carries_the_call_and_its_headers() {
    let hook = Hook::start().await;
    let toolbox =
        open(&hook.webhook("/echo?v=2", &format!("{CITY}\nheaders = {{ Authorization = 'Bearer env:DESK_TOKEN' }}")));
    let tools = toolbox.list();
    assert_eq!((tools[0].name.as_str(), tools[0].description.as_str()), ("echo", "d"));
    assert_eq!(tools[0].parameters["required"], serde_json::json!(["city"]));

    call(&toolbox, "echo", r#"{"city": "Köln", "days": 2}"#).await.unwrap();
    let got = hook.last();
    assert_eq!(
        (got["method"].as_str(), got["path"].as_str(), got["query"].as_str()),
        (Some("POST"), Some("/echo"), Some("v=2"))
    );
    assert_eq!(
        json(got["body"].as_str().unwrap()),
        serde_json::json!({
            "tool": "echo",
            "arguments": {"city": "Köln", "days": 2},
            "call_id": "call_7",
            "conversation": "conv_3",
        })
    );
    let headers = &got["headers"];
    assert_eq!(headers["authorization"], "Bearer correct-horse-battery");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["accept-language"], "zh-CN");
    assert!(headers["webhook-id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!(headers.get("webhook-signature"), None);
}

#[tokio::test]
async fn a_signature_can_be_verified_from_what_arrived() {
    use base64::Engine;
    use hmac::{Hmac, KeyInit, Mac};

    let hook = Hook::start().await;
    let signed = "secret_env = 'DESK_SECRET'";
    let toolbox = open(
        &(hook.webhook("/echo", signed) + &hook.webhook("/text?v=2", &format!("{signed}\nmethod = 'GET'\n{CITY}"))),
    );
    for (tool, arguments, part) in [("echo", "{}", "body"), ("text", r#"{"city": "a&b"}"#, "query")] {
        call(&toolbox, tool, arguments).await.unwrap();
        let got = hook.last();
        let header = |name: &str| got["headers"][name].as_str().unwrap().to_owned();
        let content = got[part].as_str().unwrap();
        let encoding = base64::engine::general_purpose::STANDARD;
        let key = encoding.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{content}", header("webhook-id"), header("webhook-timestamp")).as_bytes());
        assert_eq!(header("webhook-signature"), format!("v1,{}", encoding.encode(mac.finalize().into_bytes())));
    }
}

#[tokio::test]
async fn a_get_has_its_arguments_in_the_query_and_nothing_else() {
    let hook = Hook::start().await;
    let toolbox = open(&hook.webhook("/echo?key=a", &format!("method = 'GET'\n{CITY}")));
    let arguments = r#"{"city": "New York", "days": 3, "tags": ["a", {"b": 1}], "dry": true, "none": null}"#;
    call(&toolbox, "echo", arguments).await.unwrap();
    let got = hook.last();
    assert_eq!((got["method"].as_str(), got["body"].as_str()), (Some("GET"), Some("")));
    let url = reqwest::Url::parse(&format!("http://h/?{}", got["query"].as_str().unwrap())).unwrap();
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    pairs.sort();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let due = [
        pair("city", "New York"),
        pair("days", "3"),
        pair("dry", "true"),
        pair("key", "a"),
        pair("tags", r#"["a",{"b":1}]"#),
    ];
    assert_eq!(pairs, due);
    assert!(!got.to_string().contains("conv_3"), "{got}");

    let long = format!(r#"{{"city": "{}"}}"#, "x".repeat(10_000));
    let error = call(&toolbox, "echo", &long).await.unwrap_err();
    assert_eq!(error.kind(), "arguments");
    assert_eq!(hook.count(), 1);
}

#[tokio::test]
async fn whatever_the_model_writes_stays_data() {
    let hook = Hook::start().await;
    let toolbox = open(&(hook.webhook("/echo", CITY) + &hook.webhook("/text", &format!("method = 'GET'\n{CITY}"))));
    for nonsense in [
        "x&admin=1#/../../etc/passwd",
        "http://169.254.169.254/latest/meta-data",
        "@127.0.0.1:1/?a=b",
        "a\r\nX-Admin: 1\r\n\r\nGET / HTTP/1.1",
        "'; DROP TABLE tickets; --",
        "$(reboot) `reboot` %00 %2e%2e%2f \u{0} \u{202e}",
        "<script>alert(1)</script>",
        "\"}, \"tool\": \"other\", {\"",
    ] {
        let arguments = serde_json::json!({ "city": nonsense }).to_string();
        call(&toolbox, "echo", &arguments).await.unwrap();
        let body = json(hook.last()["body"].as_str().unwrap());
        assert_eq!((&body["tool"], &body["arguments"]["city"]), (&Value::from("echo"), &Value::from(nonsense)));

        call(&toolbox, "text", &arguments).await.unwrap();
        let got = hook.last();
        assert_eq!(got["path"], "/text");
        assert_eq!(got["headers"].get("x-admin"), None);
        let url = reqwest::Url::parse(&format!("http://h/?{}", got["query"].as_str().unwrap())).unwrap();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs, [("city".to_owned(), nonsense.to_owned())]);
    }
    // Neither does an odd context.
    let odd =
        CallContext { call_id: "\r\nX: 1".into(), conversation: "\"\u{0}".into(), language: Some("a\r\nb".into()) };
    toolbox.call("echo", r#"{"city": "Bonn"}"#, odd).await.unwrap();
    assert_eq!(hook.last()["headers"].get("accept-language"), None);
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_never_sent() {
    let hook = Hook::start().await;
    let toolbox = open(&hook.webhook("/echo", CITY));
    let error = call(&toolbox, "echo", r#"{"city": 5}"#).await.unwrap_err();
    assert_eq!(
        error.for_model(),
        "Error: the arguments do not fit the tool's parameters: city: 5 is not of type \"string\". Correct them and \
         call it again."
    );
    assert_eq!(call(&toolbox, "echo", "not json").await.unwrap_err().kind(), "arguments");
    let unknown = call(&toolbox, "ecko", "{}").await.unwrap_err();
    assert_eq!(unknown.for_model(), "Error: there is no tool named \"ecko\". The tools are: echo.");
    assert_eq!(hook.count(), 0);
}

#[tokio::test]
async fn answers_are_text_of_bounded_length() {
    let hook = Hook::start().await;
    let paths = ["/text", "/empty", "/big"];
    let toolbox =
        open(&(String::from("[tools]\nmax_result_bytes = 1000\n") + &paths.map(|p| hook.webhook(p, "")).concat()));
    assert_eq!(call(&toolbox, "text", "").await.unwrap(), "sunny, 21 °C");
    assert!(call(&toolbox, "empty", "{}").await.unwrap().contains("without text"));
    let big = call(&toolbox, "big", "{}").await.unwrap();
    assert!(big.starts_with(&"0123456789".repeat(100)) && big.ends_with("longer than 1000 bytes.]"), "{big}");
    assert!(big.len() < 1100 && BIG > big.len());
}

#[tokio::test]
async fn failures_say_what_was_wrong_and_to_the_model_no_more_than_it_needs() {
    let hook = Hook::start().await;
    let paths = ["/refuse?key=s3cr3t-query", "/redirect", "/cut", "/rubbish", "/half-json", "/missing"];
    let more = "headers = { Authorization = 'Bearer env:DESK_TOKEN' }";
    let toolbox = open(&paths.map(|path| hook.webhook(path, more)).concat());
    let mut said = Vec::new();
    for name in ["refuse", "redirect", "cut", "rubbish", "half-json", "missing"] {
        let error = call(&toolbox, name, "{}").await.unwrap_err();
        assert!(!format!("{error} {}", error.for_model()).contains("correct-horse"), "{error}");
        said.push(format!("{}: {}", error.kind(), error.for_model()));
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    status: Error: the tool answered with the HTTP status 503, which means that it failed: <h1>Closed</h1> your key: "Bearer [hidden]"
    status: Error: the tool answered with the HTTP status 307, which means that it failed: it redirects, which is not followed: its url must be the final one
    cut_off: Error: the tool broke off. Nobody knows whether it did its work; do not repeat what must not happen twice.
    unreadable: Error: the tool's answer cannot be read. Say so, or do without it.
    unreadable: Error: the tool's answer cannot be read. Say so, or do without it.
    status: Error: the tool answered with the HTTP status 404, which means that it failed: nothing at /missing
    "#);
    assert_eq!(hook.count(), 6, "a redirect is not followed and nothing is sent twice");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named_without_its_key() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let toolbox = open(&format!(
        "[[tools.webhook]]\nname = 'w'\ndescription = 'd'\nurl = 'http://me:hunter22@{free}/w?key=s3cr3t-query'"
    ));
    let error = call(&toolbox, "w", "{}").await.unwrap_err();
    assert_eq!(error.kind(), "unreachable");
    let said = error.to_string();
    assert!(said.contains(&format!("http://{free}/w cannot be reached")) && said.contains("refused"), "{said}");
    assert!(!said.contains("hunter22") && !said.contains("s3cr3t"), "{said}");
    assert!(!error.for_model().contains("127.0.0.1"), "{}", error.for_model());
}

#[tokio::test]
async fn a_result_does_not_carry_our_key_into_the_transcript() {
    let hook = Hook::start().await;
    let toolbox = open(&hook.webhook("/leak", "headers = { Authorization = 'Bearer env:DESK_TOKEN' }"));
    let said = call(&toolbox, "leak", "{}").await.unwrap();
    assert!(said.contains("Bearer [hidden]") && !said.contains("correct-horse"), "{said}");
}

#[tokio::test]
async fn one_that_stalls_is_given_up_before_and_within_its_answer() {
    let hook = Hook::start().await;
    let toolbox = open(&["/stall", "/drip"].map(|path| hook.webhook(path, "timeout_millis = 100")).concat());
    for name in ["stall", "drip"] {
        let error = call(&toolbox, name, "{}").await.unwrap_err();
        assert_eq!(error, ToolError::Timeout { tool: name.into(), millis: 100 });
    }
    timeout(PATIENCE, hook.seen.given_up.notified()).await.expect("the connection is closed");
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_closed_and_counted() {
    let hook = Hook::start().await;
    let notes = Arc::new(Notes::default());
    let toolbox = Toolbox::open(&settings(&hook.webhook("/stall", "")), notes.clone(), &environment, PACE).unwrap();
    tokio::select! {
        _ = toolbox.call("stall", "{}", context()) => panic!("it never answers"),
        () = hook.seen.arrived.notified() => {}
    }
    timeout(PATIENCE, hook.seen.given_up.notified()).await.expect("the connection is closed");
    call(&toolbox, "invented by the model", "{}").await.unwrap_err();
    assert_eq!(*notes.0.lock().unwrap(), ["stall: dropped", ": unknown"]);
}

#[tokio::test]
async fn a_full_toolbox_says_so_at_once() {
    let hook = Hook::start().await;
    let toolbox =
        open(&(String::from("[tools]\nmax_calls = 1\n") + &hook.webhook("/stall", "") + &hook.webhook("/text", "")));
    let other = toolbox.clone();
    tokio::select! {
        _ = toolbox.call("stall", "{}", context()) => panic!("it never answers"),
        error = async {
            hook.seen.arrived.notified().await;
            call(&other, "text", "{}").await.unwrap_err()
        } => assert_eq!(error, ToolError::Busy { limit: 1 }),
    }
    assert_eq!(call(&toolbox, "text", "{}").await.unwrap(), "sunny, 21 °C", "the place is free again");
}
