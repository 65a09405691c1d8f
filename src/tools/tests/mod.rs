//! The toolbox against stand-ins on this machine: a webhook, an MCP server over pipes and one over HTTP, which also
//! refuse, stall, break off and talk rubbish.

mod hook;
mod program;
mod remote;
mod webhooks;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::*;

/// Environment of all tests; nothing of the real one but the path.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("DESK_TOKEN", "correct-horse-battery"),
    ("DESK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("WEAK_SECRET", "whsec_c2hvcnQ="),
];
/// Waits as short as they can be, so that tests end soon.
const PACE: Pace =
    Pace { first: Duration::from_millis(10), longest: Duration::from_millis(40), relist: Duration::from_millis(5) };
/// A test that waits that long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

fn environment(name: &str) -> Option<String> {
    let set = ENVIRONMENT.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
    set.or_else(|| (name == "PATH").then(|| std::env::var(name).ok()).flatten())
}

#[derive(Deserialize)]
struct Written {
    tools: ToolSettings,
}

/// Settings as an operator writes them.
fn settings(toml: &str) -> ToolSettings {
    toml::from_str::<Written>(toml).unwrap().tools
}

fn open(toml: &str) -> Toolbox {
    try_open(toml).unwrap()
}

fn try_open(toml: &str) -> Result<Toolbox, ToolError> {
    Toolbox::open(&settings(toml), Arc::new(()), &environment, PACE)
}

fn context() -> CallContext {
    CallContext { call_id: "call_7".into(), conversation: "conv_3".into(), language: Some("zh-CN".into()) }
}

async fn call(toolbox: &Toolbox, name: &str, arguments: &str) -> Result<String, ToolError> {
    timeout(PATIENCE, toolbox.call(name, arguments, context())).await.expect("a call ends")
}

fn names(toolbox: &Toolbox) -> Vec<String> {
    toolbox.list().into_iter().map(|tool| tool.name).collect()
}

/// Waits for a state of the toolbox.
async fn until(toolbox: &Toolbox, state: impl Fn(&Toolbox) -> bool) {
    let mut changes = toolbox.changes();
    let reached = async {
        while !state(toolbox) {
            changes.changed().await.unwrap();
        }
    };
    assert!(timeout(PATIENCE, reached).await.is_ok(), "{:?} {:?}", names(toolbox), toolbox.servers());
}

/// Remembers what it was told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl ToolObserver for Notes {
    fn called(&self, report: &CallReport<'_>) {
        self.0.lock().unwrap().push(format!("{}: {}", report.tool, report.outcome));
    }

    fn server(&self, server: &str, tools: Option<usize>) {
        self.0.lock().unwrap().push(format!("{server}: {tools:?}"));
    }
}

#[tokio::test]
async fn without_settings_there_are_no_tools_and_calls_say_so() {
    let toolbox = Toolbox::start(&ToolSettings::default()).await.unwrap();
    assert_eq!(toolbox.list(), []);
    let error = call(&toolbox, "weather", "{}").await.unwrap_err();
    assert_eq!(error.kind(), "unknown");
    assert!(error.for_model().contains("Do without"), "{}", error.for_model());
}

#[test]
fn the_examples_of_the_commented_file_are_valid() {
    let file = include_str!("../../../config.toml");
    let (_, examples) = file.split_once("\n# [[tools.webhook]]").unwrap();
    let (examples, _) = examples.split_once("\n[").unwrap();
    let plain = |line: &str| line.trim_start_matches("# ").trim_start_matches("or belongs").to_owned() + "\n";
    let toml: String =
        examples.lines().map(plain).filter(|line| !line.contains(" to a server of") && line.trim() != "#").collect();
    let settings = settings(&format!("[[tools.webhook]]{toml}"));
    settings.validate().unwrap();
    assert_eq!((settings.webhook.len(), settings.mcp.len()), (1, 2));
    assert_eq!(settings.webhook[0].parameters["properties"]["summary"]["type"], "string");
}

#[test]
fn parameters_are_a_table_or_a_string_of_json() {
    let as_text = r#"
        [[tools.webhook]]
        name = "weather"
        parameters = '{"type": "object", "properties": {"days": {"type": "integer"}}}'
    "#;
    let as_table = r#"
        [[tools.webhook]]
        name = "weather"
        [tools.webhook.parameters]
        type = "object"
        properties.days.type = "integer"
    "#;
    assert_eq!(settings(as_text), settings(as_table));
    let broken = toml::from_str::<Written>(&as_text.replace("{\"type\"", "{")).err().unwrap().to_string();
    assert!(broken.contains("not of JSON"), "{broken}");
}

#[tokio::test]
async fn what_cannot_work_is_refused_at_the_start_with_the_reason() {
    let webhook =
        |more: &str| format!("[[tools.webhook]]\nname = 'w'\ndescription = 'd'\nurl = 'http://127.0.0.1:9/w'\n{more}");
    let server = |more: &str| format!("[[tools.mcp]]\nname = 's'\n{more}");
    let cases = [
        ("[tools]\nmax_calls = 0".into(), "max_calls"),
        ("[tools]\nmax_result_bytes = 5".into(), "max_result_bytes"),
        (webhook("").replace("'w'", "'has space'"), "has space"),
        (webhook("").replace("'d'", "''"), "description"),
        (webhook("").replace("http:", "ftp:"), "http://"),
        (webhook("").replace("http://127.0.0.1:9/w", "nowhere"), "url"),
        (webhook("timeout_millis = 0"), "timeout_millis"),
        (webhook("") + &webhook(""), "rename"),
        (webhook("headers = { 'a b' = 'c' }"), "header"),
        (webhook("headers = { Host = 'c' }"), "Host"),
        (webhook("headers = { A = 'env:NOT_SET' }"), "NOT_SET"),
        (webhook("headers = { A = \"b\\nc\" }"), "HTTP does not allow"),
        (webhook("secret_env = 'NOT_SET'"), "NOT_SET"),
        (webhook("secret_env = 'WEAK_SECRET'"), "openssl"),
        (webhook("parameters = '[]'"), "object"),
        (webhook("parameters = '{\"type\": \"string\"}'"), "object"),
        (webhook("parameters = '{\"properties\": {\"a\": {\"type\": 5}}}'"), "schema"),
        (webhook("parameters = '{\"$ref\": \"http://127.0.0.1:9/schema\"}'"), "schema"),
        (server(""), "either a command or a url"),
        (server("command = 'a'\nurl = 'http://127.0.0.1:9'"), "either a command or a url"),
        (server("command = 'a'\nheaders = { A = 'b' }"), "env"),
        (server("command = 'a'\nenv = { 'A=B' = 'c' }"), "A=B"),
        (server("url = 'http://127.0.0.1:9'\nargs = ['a']"), "headers"),
        (server("url = 'http://127.0.0.1:9'\nheaders = { Accept = 'a' }"), "Accept"),
        (server("command = 'a'").replace("'s'", "'über'"), "letters"),
    ];
    for (toml, word) in cases {
        let refused = try_open(&toml).err().unwrap_or_else(|| panic!("not refused: {toml}")).to_string();
        assert!(refused.contains(word), "{toml}\n{refused}");
    }
    assert!(toml::from_str::<Written>("[tools]\nmax_cals = 3").is_err());
    assert!(toml::from_str::<Written>(&webhook("methd = 'GET'")).is_err());
    assert!(toml::from_str::<Written>(&webhook("method = 'PATCH'")).is_err());
}

/// The value of a JSON text.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
