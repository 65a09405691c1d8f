//! What Wav2Lip costs: a picture's mouth, by network and batch, and whether calls keep their pictures' pace with it.
//!
//! `make bench-wav2lip`. The networks are the published architecture with random weights, f32 and int8, which
//! models/wav2lip writes on the first run; `MODEL=file.onnx` takes one of your own instead. `PHOTO=` and `TEXT=` as with
//! `make bench-face`.

#[path = "shared/machine.rs"]
mod machine;
#[path = "shared/statistics.rs"]
#[allow(dead_code, unused_imports, reason = "not all of it is used, and its tests are built elsewhere")]
mod statistics;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use statistics::percentile;
use visavis::clock;
use visavis::config::Config;
use visavis::face::portrait::Vision;
use visavis::face::wav2lip::{self, Engine, Network, Observer, Options, Patch, Template, Wav2Lip, Window};
use visavis::face::{Face, Pose, Rgba};
use visavis::media::{MediaTime, VIDEO_FRAME_TICKS};
use visavis::models::Store;
use visavis::onnx::Runtime;
use visavis::say;

const TEXT: &str = "Hello, I am the face that you see. My lips close for every p, b and m, and they round for who, blue and \
                    you. People put up with my jokes because I move while I speak, and I look at you when you answer.";
/// Runs of each batch.
const RUNS: usize = 24;
/// Pictures of a played call (40 s), of a clause, and of the pause after it.
const PICTURES: u64 = 1000;
const CLAUSE: u64 = 62;
const PAUSE: u64 = 13;

struct Unobserved;

impl Observer for Unobserved {}

fn main() -> anyhow::Result<()> {
    let store = Store::open(None)?;
    let runtime = Runtime::load(&store.path("onnxruntime")?)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let networks = match env::var_os("MODEL") {
        Some(model) => vec![PathBuf::from(model)],
        None => published(root)?,
    };
    println!("{}\n", machine::machine());
    println!("| ms a picture, p50, one thread | batch 1 | 2 | 4 | 8 | file |\n|---|---:|---:|---:|---:|---:|");
    for path in &networks {
        let mut network = Network::open(&runtime, path, 1)?;
        let cells = [1, 2, 4, 8].map(|batch| cost(&mut network, batch)).into_iter().collect::<Result<Vec<_>, _>>()?;
        let cells: String = cells.iter().map(|millis| format!(" {millis:.1} |")).collect();
        let megabytes = std::fs::metadata(path)?.len() as f64 / 1e6;
        println!("| {} |{cells} {megabytes:.0} MB |", name(path));
    }

    let folder = tempfile::tempdir()?;
    let own = folder.path().join("photo");
    let photo = env::var("PHOTO").map_or_else(|_| root.join("tests/fixtures/astronaut.jpg"), Into::into);
    wav2lip::add(&mut Vision::load(&runtime)?, &photo, &own)?;
    let template = Arc::new(wav2lip::load(&own)?);
    let text = env::var("TEXT").unwrap_or_else(|_| TEXT.to_owned());
    let speaking = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sound = speaking.block_on(say::speech(&Config::default(), &store, text, 1.0))?.pcm.to_vec();
    drop(speaking);
    println!(
        "\n| played for {} s, clause by clause | pictures a second | inferred | interpolated | late | at rest | ms to draw, p50 (p95) | cores |",
        PICTURES / 25
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for path in &networks {
        for (threads, calls) in [(1, 1), (2, 1), (1, 2)] {
            let (model, library) = (path.clone(), runtime.clone());
            let options = Options { threads, ..Options::default() };
            let engine = Engine::start(options, Unobserved, move || Network::open(&library, &model, threads))?;
            let what = format!("{}, threads: {threads}, calls that speak at once: {calls}", name(path));
            play(&what, &template, &engine, &sound, calls);
        }
    }
    Ok(())
}

/// The published architecture with random weights, f32 and int8.
fn published(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = root.join("target/wav2lip");
    let script = root.join("models/wav2lip/make_published.py");
    let mut command = Command::new("python3");
    let done = command.arg(script).arg(&folder).status().context("python3, with its module venv: install it")?;
    ensure!(done.success(), "make_published.py failed: see its words above");
    Ok(vec![folder.join("published.onnx"), folder.join("published-int8.onnx")])
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn cost(network: &mut Network, batch: usize) -> anyhow::Result<f64> {
    let (window, face) = (Window::default(), Patch::default());
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let begun = clock::now();
        (0..batch).for_each(|_| network.push(&window, &face));
        network.run(|_, _| {})?;
        times.push(begun.elapsed().as_secs_f64() * 1000.0 / batch as f64);
    }
    Ok(percentile(times, 50))
}

/// Plays calls in real time, as a media thread does: a clause is laid when the one before it is heard to its end, a
/// picture is due every 40 ms.
fn play(what: &str, template: &Arc<Template>, engine: &Arc<Engine>, sound: &[i16], calls: usize) {
    let mut faces: Vec<Wav2Lip> = (0..calls).map(|_| Wav2Lip::new(template.clone(), engine.clone())).collect();
    let mut picture = Rgba::new(512, 512);
    let samples = (VIDEO_FRAME_TICKS * CLAUSE) as usize;
    let clauses: Vec<&[i16]> = sound.chunks_exact(samples).collect();
    let (begun, spent) = (clock::now(), processor_seconds());
    let mut times = Vec::new();
    for frame in 0..PICTURES {
        let due = begun + Duration::from_millis(40) * frame as u32;
        std::thread::sleep(due.saturating_duration_since(clock::now()));
        let at = |frame: u64| MediaTime(frame * VIDEO_FRAME_TICKS);
        if frame % (CLAUSE + PAUSE) == 0 {
            let clause = clauses[(frame / (CLAUSE + PAUSE)) as usize % clauses.len()];
            faces.iter_mut().for_each(|face| face.hear(at(frame + PAUSE), clause));
        }
        for face in &mut faces {
            let drawing = clock::now();
            face.draw(&Pose { at: at(frame), frame, ..Pose::default() }, &mut picture);
            times.push(drawing.elapsed().as_secs_f64() * 1000.0);
        }
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let cores = (processor_seconds() - spent) / elapsed;
    let sum = |of: fn(&wav2lip::Counters) -> u64| faces.iter().map(|face| of(&face.counters())).sum::<u64>();
    println!(
        "| {what} | {:.1} | {} | {} | {} | {} | {:.2} ({:.2}) | {cores:.2} |",
        PICTURES as f64 / elapsed,
        sum(|counters| counters.inferred),
        sum(|counters| counters.interpolated),
        sum(|counters| counters.late),
        sum(|counters| counters.resting),
        percentile(times.clone(), 50),
        percentile(times, 95),
    );
}

/// Processor time of this process so far: proc(5), utime and stime of /proc/self/stat, in hundredths of a second.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
