//! How long a person waits for the first words, over HTTP: from the request to its first and to its sixth piece of
//! text, with the conversation so far kept. `VISAVIS_TEST_LLM=model.gguf cargo bench -p visavis-llm --bench
//! first_token` prints a table; servers with other options are measured in turns, so that they share whatever else
//! the machine does.

#[expect(dead_code, reason = "shared with the tests, which use more of it")]
#[path = "../tests/it/support.rs"]
mod support;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use reqwest::Client;
use serde_json::{Value, json};

use support::{Running, client, request};

/// The system prompt of the media server, and two turns that lie in the slot already.
const SO_FAR: &[(&str, &str)] = &[
    (
        "system",
        "You are a friendly assistant in a live voice conversation. Answer in one or two short spoken sentences, in \
         the language of the question, without lists, markup or emoji.",
    ),
    ("user", "Hello, I would like to know a few things about the world."),
    ("assistant", "Sure, I am happy to help you with that. What would you like to know?"),
    ("user", "How many days are there in a week?"),
    ("assistant", "There are seven days in a week, from Monday to Sunday."),
];
/// 10 to 15 words each.
const QUESTIONS: &[&str] = &[
    "Can you tell me what the capital of France is called these days?",
    "What is the color of the sky on a clear day in the summer?",
    "Do you happen to know who wrote the play Romeo and Juliet?",
    "How many legs does a spider have, and how many does an ant have?",
    "I always forget this, what is the name of the largest ocean on earth?",
    "Which one of the eight planets is closest to the sun, do you know?",
    "What should I cook for dinner tonight if I only have rice and eggs?",
    "Could you please explain to me why the sea is salty but rivers are not?",
    "What would you recommend me to do on a rainy Sunday afternoon at home?",
    "How long does it take for the light of the sun to reach us?",
];
/// What a recogniser does not have yet when the person has just stopped: the last word and its mark.
const WORDS_TO_COME: usize = 1;
const PIECES: usize = 6;
const ROUNDS: usize = 2;
/// Each a server of its own.
const OPTIONS: &[&[&str]] = &[&["--threads-batch", "1"], &["--threads-batch", "2"]];
/// A busy core: so much of every period, at normal priority, as media threads do.
const PERIOD: Duration = Duration::from_millis(40);
const BUSY: Duration = Duration::from_millis(24);

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let servers: Option<Vec<_>> = OPTIONS.iter().map(|options| Running::start(options)).collect();
        let Some(servers) = servers else { return };
        println!("| options | read ahead | one core | first piece p50 / p95 | sixth piece p50 / p95 |");
        println!("|---|---|---|---:|---:|");
        for busy in [false, true] {
            let stop = AtomicBool::new(!busy);
            std::thread::scope(|threads| {
                threads.spawn(|| keep_a_core_busy(&stop));
                tokio::task::block_in_place(|| {
                    tokio::runtime::Handle::current()
                        .block_on(measure(&servers, if busy { "60 % busy" } else { "free" }));
                });
                stop.store(true, Ordering::Relaxed);
            });
        }
    });
}

async fn measure(servers: &[Running], core: &str) {
    let client = client();
    let mut times = vec![[Vec::new(), Vec::new()]; servers.len()];
    for question in QUESTIONS.iter().cycle().take(ROUNDS * QUESTIONS.len()) {
        for (server, times) in servers.iter().zip(&mut times) {
            for (ahead, times) in times.iter_mut().enumerate() {
                let begun = if ahead == 1 { begin(question) } else { "" };
                let mut body = request(&[SO_FAR, &[("user", begun)]].concat(), 1);
                body["read_ahead"] = json!(true);
                server.chat(&body).await;
                times.push(ask(&client, server, question).await);
            }
        }
    }
    for (options, times) in OPTIONS.iter().zip(times) {
        for (ahead, times) in ["the turns before", "the question but its last word"].iter().zip(times) {
            let [first, sixth] = [0, 1].map(|index| times.iter().map(|times| times[index]).collect::<Vec<_>>());
            let options = options.join(" ");
            println!("| {options} | {ahead} | {core} | {} | {} |", percentiles(first), percentiles(sixth));
        }
    }
}

fn begin(question: &str) -> &str {
    let spaces: Vec<_> = question.match_indices(' ').map(|(index, _)| index).collect();
    &question[..spaces[spaces.len() - WORDS_TO_COME]]
}

/// Milliseconds to the first and to the sixth piece of text.
async fn ask(client: &Client, server: &Running, question: &str) -> [f64; 2] {
    let mut body = request(&[SO_FAR, &[("user", question)]].concat(), PIECES + 1);
    body["stream"] = json!(true);
    body["ignore_eos"] = json!(true);
    let start = now();
    let response = client.post(format!("{}/v1/chat/completions", server.url)).json(&body).send().await;
    let mut stream = response.expect("an HTTP response").bytes_stream();
    let (mut text, mut times) = (String::new(), Vec::new());
    while let Some(bytes) = stream.next().await {
        text.push_str(&String::from_utf8_lossy(&bytes.expect("a piece of the stream")));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let json: Value = serde_json::from_str(event.trim_start_matches("data: ")).unwrap_or_default();
            if json["choices"][0]["delta"]["content"].as_str().is_some_and(|content| !content.is_empty()) {
                times.push(start.elapsed().as_secs_f64() * 1000.0);
            }
            text = rest.to_owned();
        }
    }
    [times[0], times[PIECES - 1]]
}

fn percentiles(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let at = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
    format!("{:.0} / {:.0} ms", at(50), at(95))
}

fn keep_a_core_busy(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let start = now();
        while start.elapsed() < BUSY {
            black_box(start);
        }
        std::thread::sleep(PERIOD.saturating_sub(start.elapsed()));
    }
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
    Instant::now()
}
