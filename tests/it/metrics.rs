//! What a server tells of itself, as a real Prometheus takes it: names, rules and the dashboard.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::caller::Call;
use crate::server::{Server, weight};

/// Gauges that a call has while it is up.
const OF_A_CALL: &str = "visavis_call_frames_per_second{";
/// Of a call, too; they come with the other side's first report.
const REPORTED: &[&str] =
    &["visavis_call_round_trip_seconds", "visavis_call_loss_ratio", "visavis_call_jitter_seconds"];
/// Metrics that Prometheus makes itself.
const OWN: &[&str] = &["ALERTS", "up"];

fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/monitoring")
}

/// Runs promtool, which must find nothing to say against.
fn promtool(arguments: &[&str], input: &str) -> String {
    let mut child = Command::new("promtool")
        .args(arguments)
        .current_dir(monitoring())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is here: deploy/packages.sh test");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said
}

#[test]
fn the_rules_hold_and_each_alert_is_tested() {
    promtool(&["check", "config", "prometheus.yml"], "");
    promtool(&["check", "rules", "rules.yml"], "");
    promtool(&["test", "rules", "rules_test.yml"], "");
    let (rules, tests) = ("rules.yml", "rules_test.yml");
    let read = |name: &str| std::fs::read_to_string(monitoring().join(name)).unwrap();
    let (rules, tests) = (read(rules), read(tests));
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10);
    for alert in &alerts {
        assert_eq!(tests.matches(&format!("alertname=\"{alert}\"")).count(), 2, "{alert} is tested quiet and firing");
    }
    for field in ["summary:", "description: >-", "severity:"] {
        assert_eq!(rules.matches(field).count(), alerts.len(), "each alert has a {field}");
    }
}

/// All queries of the dashboard, with its variables filled in.
fn dashboard_queries(dashboard: &Value) -> Vec<String> {
    let filled = |query: &str| query.replace("$__rate_interval", "1m").replace("$instance", ".*");
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    let queries = targets.chain(annotations).map(|of| filled(of["expr"].as_str().unwrap()));
    let queries: Vec<_> = queries.collect();
    assert!(queries.iter().all(|query| !query.contains('$')), "{queries:#?}");
    queries
}

#[test]
fn the_dashboard_is_laid_out_without_overlap() {
    let text = std::fs::read_to_string(monitoring().join("grafana/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let (mut ids, mut cells) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is taken");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= 24, "{title}: 24 columns");
        let covered = (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y)));
        assert!(covered.into_iter().all(|cell| cells.insert(cell)), "{title} lies over another panel");
        if panel["type"] == "row" {
            continue;
        }
        assert!(!panel["description"].as_str().unwrap().is_empty(), "{title}");
        let targets = panel["targets"].as_array().unwrap();
        let letters: BTreeSet<_> = targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
        assert!(!targets.is_empty() && letters.len() == targets.len(), "{title}: queries have names of their own");
        let sources = targets.iter().chain([panel]).all(|of| of["datasource"]["uid"] == "${datasource}");
        assert!(sources, "{title}: the data source is chosen in the page");
    }
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<_> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "instance"]);
    for field in ["title", "uid", "schemaVersion", "time", "timepicker", "refresh"] {
        assert!(!dashboard[field].is_null(), "{field}");
    }
}

/// A Prometheus with our configuration, watching one server; ended with the test.
struct Prometheus {
    url: String,
    child: Child,
    folder: TempDir,
}

impl Prometheus {
    /// Waits until it answers.
    async fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["prometheus.yml", "rules.yml"] {
            let text = std::fs::read_to_string(monitoring().join(file)).unwrap();
            // As shipped, but for the pace.
            let text = text.replace("_interval: 15s", "_interval: 1s");
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        std::fs::create_dir(folder.path().join("targets")).unwrap();
        std::fs::write(folder.path().join("targets/visavis.yml"), format!("- targets: [\"{target}\"]\n")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("prometheus")
            .current_dir(&folder)
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stderr(log)
            .spawn()
            .expect("prometheus is here: deploy/packages.sh test");
        let mut prometheus = Self { url: format!("http://127.0.0.1:{port}"), child, folder };
        prometheus.until("it is ready", async |of| of.get("/-/ready").await.is_some()).await;
        prometheus
    }

    async fn get(&self, path: &str) -> Option<String> {
        let answer = reqwest::get(format!("{}{path}", self.url)).await.ok()?;
        answer.status().is_success().then_some(())?;
        answer.text().await.ok()
    }

    async fn api(&self, path: &str) -> Value {
        let text = self.get(path).await.unwrap_or_else(|| panic!("{path} is not answered"));
        serde_json::from_str(&text).unwrap()
    }

    /// Asks again and again until it is so.
    async fn until(&mut self, what: &str, is_so: impl AsyncFn(&Self) -> bool) {
        let mut beat = tokio::time::interval(Duration::from_millis(100));
        let asking = async {
            loop {
                beat.tick().await;
                if let Ok(Some(status)) = self.child.try_wait() {
                    let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                    panic!("prometheus ended ({status}):\n{log}");
                }
                if is_so(&*self).await {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asking).await.unwrap_or_else(|_| panic!("never: {what}"));
    }

    /// The first value of a query, if it has any; panics if the query cannot be understood.
    async fn value(&self, query: &str) -> Option<f64> {
        let form = reqwest::Client::new().post(format!("{}/api/v1/query", self.url));
        let body: String = url_encoded("query", query);
        let answer = form.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn url_encoded(name: &str, value: &str) -> String {
    let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("{name}={encoded}")
}

/// Names of metrics in a query: words before a selector, a range or an operator, and not functions or labels.
fn names(query: &str) -> BTreeSet<String> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
    let quoted: Vec<&str> = query.split('"').step_by(2).collect();
    let plain = quoted.join("");
    let words = plain.split(|c| !is_of_name(c));
    let of_ours = |word: &&str| {
        ["visavis_", "visavis:", "process_"].iter().any(|prefix| word.starts_with(prefix)) || OWN.contains(word)
    };
    words.filter(of_ours).map(str::to_owned).collect()
}

fn without_suffix(name: &str) -> &str {
    let suffix = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
    suffix.unwrap_or(name)
}

/// Names that a server's metrics have, histograms without their suffixes.
fn told(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
}

#[tokio::test]
async fn a_real_prometheus_takes_metrics_rules_and_dashboard() {
    let server = Server::start("[llm]\nmax_tokens = 20\n");
    let mut prometheus = Prometheus::start(server.url.strip_prefix("http://").unwrap()).await;
    let up = async |of: &Prometheus| of.value("up{job=\"visavis\"}").await == Some(1.0);
    prometheus.until("the server is up", up).await;

    let mut call = Call::open(&server).await;
    call.speak(&weight("test-speech").with_file_name("beckett.wav")).await;
    call.until("an answer's sound", |event| event["type"] == "output_audio_buffer.started").await;
    call.until("its end", |event| event["type"] == "output_audio_buffer.stopped").await;
    let seen = async |of: &Prometheus| of.value("visavis_call_frames_per_second").await.is_some_and(|rate| rate > 10.0);
    prometheus.until("the call's pictures", seen).await;
    for name in REPORTED {
        prometheus.until(name, async |of: &Prometheus| of.value(name).await.is_some()).await;
    }
    let during = server.metrics().await;
    assert!(during.contains(OF_A_CALL), "{during}");
    assert!(during.contains("visavis_queue_capacity{queue=\"texts\"} 256"), "{during}");
    assert!(during.contains("visavis_child_processes{process=\"visavis-llm\"} 1"), "{during}");
    assert_eq!(promtool(&["check", "metrics"], &during), "");
    call.hang_up().await;
    call.close().await;

    let after = server.metrics().await;
    assert!(!after.contains("visavis_call_"), "gauges of a call that is over: {after}");
    assert_eq!(promtool(&["check", "metrics"], &after), "");
    for total in ["visavis_frames_sent_total", "visavis_audio_packets_sent_total", "visavis_voice_seconds_count"] {
        let value = after.lines().find_map(|line| line.strip_prefix(total)?.trim().parse::<f64>().ok());
        assert!(value.is_some_and(|value| value > 0.0), "{total}: {value:?}");
    }
    for engine in
        ["ears_packet", "transcribe", "audio_encode", "frame_draw", "frame_encode", "first_token", "language_answer"]
    {
        assert!(!after.contains(&format!("visavis_{engine}_seconds_count 0\n")), "{engine} was measured");
    }
    assert!(
        after.contains("visavis_http_requests_total{method=\"POST\",route=\"/v1/realtime/calls\",status=\"201\"} 1")
    );

    let rules = prometheus.api("/api/v1/rules").await;
    let groups = rules["data"]["groups"].as_array().unwrap();
    let rules: Vec<&Value> = groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() > 15, "{rules:?}");
    let evaluated = async |of: &Prometheus| {
        let rules = of.api("/api/v1/rules").await;
        let groups = rules["data"]["groups"].as_array().unwrap().iter();
        let mut rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
        rules.all(|rule| rule["health"] == "ok" && rule["lastError"].is_null())
    };
    prometheus.until("all rules are evaluated without an error", evaluated).await;

    let mut exist: BTreeSet<String> = told(&during).union(&told(&after)).cloned().collect();
    exist.extend(OWN.iter().map(|&name| name.to_owned()));
    let recorded = rules.iter().filter(|rule| rule["type"] == "recording");
    exist.extend(recorded.map(|rule| rule["name"].as_str().unwrap().to_owned()));
    let text = std::fs::read_to_string(monitoring().join("grafana/dashboard.json")).unwrap();
    let mut queries = dashboard_queries(&serde_json::from_str(&text).unwrap());
    queries.extend(rules.iter().map(|rule| rule["query"].as_str().unwrap().to_owned()));
    for query in &queries {
        prometheus.value(query).await;
        let used = names(query);
        assert!(!used.is_empty(), "{query} asks for nothing of ours");
        let unknown: Vec<_> = used.iter().filter(|name| !exist.contains(without_suffix(name))).collect();
        assert!(unknown.is_empty(), "{query} asks for {unknown:?}, which the server does not tell");
    }
}

#[test]
fn names_are_found_in_queries() {
    let query = "sum by (le, process_x) (rate(visavis_a_bucket{instance=~\"visavis_b\"}[1m])) / up and visavis:c:d > 2";
    assert_eq!(names(query).into_iter().collect::<Vec<_>>(), ["process_x", "up", "visavis:c:d", "visavis_a_bucket"]);
    assert_eq!(without_suffix("visavis_a_bucket"), "visavis_a");
}
