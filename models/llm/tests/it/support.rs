//! Starting the executable, and a small client: JSON in, JSON or server-sent events out.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;

use futures::StreamExt as _;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

/// A machine's proxy settings must not come between a test and its own server.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("an HTTP client")
}

/// The model under test, if there is one.
pub fn model() -> Option<PathBuf> {
    let Some(path) = env::var_os("VISAVIS_TEST_LLM").map(PathBuf::from) else {
        eprintln!("left out: VISAVIS_TEST_LLM names no GGUF file");
        return None;
    };
    assert!(path.is_file(), "VISAVIS_TEST_LLM is {}, which is no file: run `make test`", path.display());
    Some(path)
}

/// Runs the executable to its end.
pub fn run(arguments: &[&str]) -> Output {
    let output = command().args(arguments).stdin(Stdio::null()).output();
    output.expect("the executable starts")
}

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visavis-llm"));
    command.env_remove("RUST_LOG");
    command
}

/// A running server. It ends with the test process, because that holds its stdin.
pub struct Running {
    pub child: Child,
    pub url: String,
    /// Dropping it tells the server that its parent is gone.
    pub stdin: Option<ChildStdin>,
}

impl Running {
    /// Starts a server and waits for its ready line. `None` without a model.
    pub fn start(options: &[&str]) -> Option<Self> {
        let model = model()?;
        let mut child = command()
            .arg("--model")
            .arg(model)
            .args(["--listen", "127.0.0.1:0", "--alias", "test-model", "--exit-with-parent"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the executable starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        stdout.read_line(&mut line).expect("stdout is readable");
        let url = line.trim().strip_prefix("visavis-llm listening on ").expect("the ready line").to_owned();
        let stdin = child.stdin.take();
        Some(Self { child, url, stdin })
    }

    /// One server for all tests that need nothing special. `None` without a model.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Running>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[])).as_ref()
    }

    /// Sends a chat request; the response's body is not read yet.
    pub async fn post(&self, body: &Value) -> Response {
        let request = client().post(format!("{}/v1/chat/completions", self.url)).json(body);
        request.send().await.expect("an HTTP response")
    }

    /// The JSON answer to a chat request that must go well.
    pub async fn chat(&self, body: &Value) -> Value {
        let response = self.post(body).await;
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// All `data:` payloads of a streamed answer.
    pub async fn stream(&self, body: &Value) -> Vec<String> {
        let response = self.post(body).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let text = response.text().await.expect("a whole stream");
        text.lines().filter_map(|line| line.strip_prefix("data: ")).map(ToOwned::to_owned).collect()
    }
}

/// Reads a streamed response until it has brought some text of the answer.
pub async fn read_some_text(response: Response) -> impl Sized {
    let mut stream = response.bytes_stream();
    let mut seen = String::new();
    while let Some(bytes) = stream.next().await {
        seen.push_str(&String::from_utf8_lossy(&bytes.expect("a piece of the stream")));
        if seen.matches("\"content\":").count() > 2 {
            break;
        }
    }
    stream
}

/// A request for a greedy answer to `messages`, each a role and a text.
pub fn request(messages: &[(&str, &str)], max_tokens: usize) -> Value {
    let messages: Vec<Value> =
        messages.iter().map(|(role, content)| json!({ "role": role, "content": content })).collect();
    json!({ "model": "test-model", "messages": messages, "temperature": 0, "max_tokens": max_tokens })
}

/// A request whose answer takes far longer than any test.
pub fn endless() -> Value {
    let mut body = request(&[("user", "Count from one to one thousand in words, one number per line.")], 3000);
    body["stream"] = json!(true);
    body["ignore_eos"] = json!(true);
    body
}

/// The text of an answer.
pub fn content(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().expect("content")
}

/// All that a stopped process has written.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits for the end of a child and returns its exit code.
pub fn exit_code(child: &mut Child) -> Option<i32> {
    if let Some(mut stderr) = child.stderr.take() {
        let mut rest = String::new();
        drop(stderr.read_to_string(&mut rest));
    }
    child.wait().expect("the child can be waited for").code()
}
