//! What a call costs and how fast it answers, measured from the caller's end with every model local.
//!
//! `make bench`: ten questions, spoken by the server's own voice from a file, in one call; then memory of all
//! processes, and fifty calls one after the other. Prints the tables of docs/benchmarks.md.

#![allow(dead_code, unused_imports, reason = "without a harness the tests of shared files are built and not called")]

#[path = "shared/machine.rs"]
mod machine;
#[path = "../tests/it/server.rs"]
mod server;
#[path = "shared/statistics.rs"]
mod statistics;

use std::path::{Path, PathBuf};

use machine::machine;
use server::{Server, weight, word_error_rate};
use statistics::percentile;
use visavis::call::{CallOptions, CallReport, Utterance, run};
use visavis::media::{Clause, MEDIA_HZ, TurnId};
use visavis::models::Store;
use visavis::onnx::Runtime;
use visavis::voice::{PhoneticVoice, Piper, VoiceStyle};

const QUESTIONS: &[&str] = &[
    "What is the capital of France?",
    "How many days are there in a week?",
    "What color is the sky on a clear day?",
    "Who wrote Romeo and Juliet?",
    "What do bees make?",
    "How many legs does a spider have?",
    "What is the largest ocean on earth?",
    "Can you tell me a short joke?",
    "What is the opposite of cold?",
    "Which planet is closest to the sun?",
];

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        println!("{}\n", machine());
        let folder = tempfile::tempdir().unwrap();
        let questions = speak_questions(folder.path());
        let server = Server::start("");
        conversation(&server, &questions).await;
        many_calls(&server).await;
    });
}

/// Each question as a recording with a second of silence around it.
fn speak_questions(folder: &Path) -> Vec<PathBuf> {
    let onnx = Runtime::load(&weight("onnxruntime")).unwrap();
    let files = Store::open(None).unwrap().files("piper-joe").unwrap();
    let mut voice = PhoneticVoice::new(Piper::load(&onnx, &files[0], &files[1], 1).unwrap());
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: MEDIA_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let record = |(index, text): (usize, &&str)| {
        let clause = Clause { turn: TurnId(1), index: 0, text: (*text).to_owned() };
        let speech = visavis::voice::whole(&mut voice, &clause, &VoiceStyle::default()).unwrap();
        let path = folder.join(format!("{index}.wav"));
        let mut file = hound::WavWriter::create(&path, spec).unwrap();
        let silence = vec![0i16; MEDIA_HZ as usize];
        silence.iter().chain(&speech.pcm).chain(&silence).for_each(|sample| file.write_sample(*sample).unwrap());
        file.finalize().unwrap();
        path
    };
    QUESTIONS.iter().enumerate().map(record).collect()
}

async fn conversation(server: &Server, questions: &[PathBuf]) {
    let utterances = questions.iter().cloned().map(Utterance::Spoken).collect();
    let report = run(CallOptions { url: server.url.clone(), utterances, ..CallOptions::default() }).await.unwrap();
    println!("| question as heard | answer | text after | first sound after |\n|---|---|---:|---:|");
    let (mut texts, mut sounds) = (Vec::new(), Vec::new());
    for turn in &report.turns {
        let cell = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), |millis| format!("{millis:.0} ms"));
        let (heard, said) = (turn.transcripts.join(" "), turn.answers.join(" "));
        println!("| {heard} | {said} | {} | {} |", cell(turn.transcribed_after_ms), cell(turn.first_sound_after_ms));
        texts.extend(turn.transcribed_after_ms);
        sounds.extend(turn.first_sound_after_ms);
    }
    let heard: String = report.turns.iter().flat_map(|turn| turn.transcripts.clone()).collect::<Vec<_>>().join(" ");
    println!("\n| | p50 | p95 |\n|---|---:|---:|");
    println!(
        "| end of speech to its text | {:.0} ms | {:.0} ms |",
        percentile(texts.clone(), 50),
        percentile(texts, 95)
    );
    println!(
        "| end of speech to first sound of the answer | {:.0} ms | {:.0} ms |",
        percentile(sounds.clone(), 50),
        percentile(sounds, 95)
    );
    println!("\nword error rate {:.1} %", 100.0 * word_error_rate(&QUESTIONS.join(" "), &heard));
    print_media(&report);
}

fn print_media(report: &CallReport) {
    let (video, audio) = (&report.video, &report.audio);
    println!(
        "picture: {:.2} frames/s, gap at arrival p50 {:.0} ms, p95 {:.0} ms, longest {:.0} ms, {:.0} kbit/s",
        video.fps, video.gap_p50_ms, video.gap_p95_ms, video.gap_max_ms, video.kilobits_per_second
    );
    println!("sound: {:.0} s, {} packets lost, {} gaps in RTP time", audio.seconds, audio.lost, audio.gaps);
}

/// Memory of the server and the processes that it started, in MB: resident, and each shared page counted once.
fn memory(pid: u32) -> (f64, f64) {
    let mut pids = vec![pid.to_string()];
    let mut next = 0;
    while next < pids.len() {
        let threads = std::fs::read_dir(format!("/proc/{}/task", pids[next])).into_iter().flatten().flatten();
        let children = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
        let found: Vec<String> =
            children.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
        pids.extend(found);
        next += 1;
    }
    let sum = |key: &str| {
        let rollups = pids.iter().filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok());
        let kilobytes = rollups.filter_map(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix(key).map(str::to_owned))?;
            line.trim().trim_end_matches(" kB").parse::<f64>().ok()
        });
        kilobytes.sum::<f64>() / 1000.0
    };
    (sum("Rss:"), sum("Pss:"))
}

/// Memory of the server process alone, in MB.
fn own_memory(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kilobytes =
        text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1000.0
}

async fn many_calls(server: &Server) {
    let ask = || CallOptions {
        url: server.url.clone(),
        utterances: vec![Utterance::Typed("What do bees make?".into())],
        hang_up_at_first_sound: true,
        ..CallOptions::default()
    };
    let (mut tenth, mut connected, mut pictures) = (0.0, Vec::new(), Vec::new());
    for call in 1..=50 {
        let report = run(ask()).await.unwrap();
        connected.extend(report.connected_ms);
        pictures.extend(report.first_picture_ms);
        if call == 10 {
            tenth = own_memory(server.pid());
        }
    }
    let last = own_memory(server.pid());
    let (resident, shared_once) = memory(server.pid());
    println!("\n| 50 calls one after the other | |\n|---|---:|");
    println!("| offer to connected, p50 | {:.0} ms |", percentile(connected, 50));
    println!("| offer to first picture, p50 | {:.0} ms |", percentile(pictures, 50));
    println!("| memory of the server after the 10th call | {tenth:.0} MB |");
    println!("| memory of the server after the 50th call | {last:.0} MB ({:+.1} %) |", 100.0 * (last / tenth - 1.0));
    println!("| all processes, resident | {resident:.0} MB |");
    println!("| all processes, shared pages counted once | {shared_once:.0} MB |");
}
