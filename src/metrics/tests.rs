//! The rules that all metrics keep, and that the docs name each of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::*;

/// Labels whose values come from the code, the settings, or the calls that are up.
const LABELS: &[&str] = &[
    "architecture",
    "call",
    "endpoint",
    "kind",
    "method",
    "mouth",
    "outcome",
    "ending",
    "process",
    "profile",
    "question",
    "queue",
    "reason",
    "route",
    "server",
    "status",
    "step",
    "version",
];

#[test]
fn names_keep_the_conventions_of_prometheus() {
    for Family { name, kind, labels, help } in Metrics::new().families() {
        let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        assert!(name.split('_').all(word), "{name}: words in lower case");
        assert!(name.starts_with("visavis_") || name.starts_with("process_"), "{name}: whose it is comes first");
        assert_eq!(*kind == "counter", name.ends_with("_total"), "{name}: counters, and no others, are totals");
        let abbreviated = ["ms", "millis", "milliseconds", "us", "minutes", "kb", "mb", "percent"];
        assert!(!name.split('_').any(|word| abbreviated.contains(&word)), "{name}: base units");
        assert!(*kind != "histogram" || name.ends_with("_seconds"), "{name}: what is measured is time");
        assert!(help.len() > 10 && !help.ends_with('.'), "{name}: {help:?}");
        let unknown: Vec<_> = labels.iter().filter(|label| !LABELS.contains(&label.as_str())).collect();
        assert!(unknown.is_empty(), "{name}: are the values of {unknown:?} bounded? Then add it to LABELS");
    }
}

/// What follows `before` in the sources, up to the next quotation mark.
fn told(before: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("metrics/tests.rs") {
                let text: String = std::fs::read_to_string(&path).unwrap().split_whitespace().collect();
                found.extend(text.split(before).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
    }
    found
}

/// Without its first zero, the first of something is no increase.
#[test]
fn errors_and_queues_are_there_before_they_happen() {
    let known = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    let mut errors = told("metrics.error(\"");
    errors.extend(told("metrics.errors.with_label_values(&[\""));
    assert_eq!(errors, known(ERRORS), "ERRORS names each kind");
    let mut dropped = told("queues.dropped(\"");
    dropped.extend(told("queues.dropped_many(\""));
    dropped.extend(told("Worker::start(\"").into_iter().filter(|name| name != "counting"));
    assert_eq!(dropped, known(queues::DROPPING), "DROPPING names each queue that drops");
    let mut watched = told("watch_thread(\"");
    watched.extend(told(".watch_channel(\""));
    watched.extend(told("queues.watch(\""));
    watched.extend(told("Worker::start(\"").into_iter().filter(|name| name != "counting"));
    assert_eq!(watched, known(queues::QUEUES), "QUEUES names each queue");
}

#[test]
fn text_holds_known_values_before_anything_happened() {
    let text = Metrics::new().text();
    for line in [
        "visavis_errors_total{kind=\"voice\"} 0",
        "visavis_dropped_total{queue=\"ears\"} 0",
        "visavis_queue_depth{queue=\"texts\"} 0",
        "visavis_calls_refused_total{reason=\"full\"} 0",
        "# TYPE process_resident_memory_bytes gauge",
    ] {
        assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
    }
}

/// The table of docs/metrics.md.
fn table(metrics: &Metrics) -> String {
    let mut table = "| Name | Type | Labels | What it says |\n|---|---|---|---|\n".to_owned();
    for Family { name, kind, labels, help } in metrics.families() {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        writeln!(table, "| `{name}` | {kind} | {} | {help} |", labels.join(", ")).unwrap();
    }
    table
}

/// With `WRITE_DOCS=1` it writes the table.
#[test]
fn the_docs_list_every_metric() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let docs = std::fs::read_to_string(&path).unwrap();
    let begin = docs.find("| Name | Type |").expect("the table");
    let end = docs[begin..].find("\n\n").map_or(docs.len(), |end| begin + end + 1);
    let written = format!("{}{}{}", &docs[..begin], table(&Metrics::new()), &docs[end..]);
    if std::env::var_os("WRITE_DOCS").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    assert_eq!(docs, written, "`WRITE_DOCS=1 cargo test --lib metrics` writes docs/metrics.md anew");
}
