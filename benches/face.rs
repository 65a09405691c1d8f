//! What a face costs: to pose, draw, convert and encode a picture, by kind of face; what it sends; and calls at rest.
//!
//! `make bench-face`. On one thread, with nothing beside it. `PHOTO=picture.jpg` takes another portrait, `TEXT="..."` another
//! speech.

#[path = "shared/machine.rs"]
mod machine;
#[path = "shared/statistics.rs"]
#[allow(dead_code, unused_imports, reason = "not all of it is used, and its tests are built elsewhere")]
mod statistics;

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use statistics::percentile;
use visavis::avatars::{Avatars, Look};
use visavis::clock;
use visavis::config::Config;
use visavis::face::portrait::{self, Vision};
use visavis::face::{Face, Life, Lips, Mouth, Rgba, SoundLips};
use visavis::media::{Attention, I420, MEDIA_HZ, MediaTime, Speech, VIDEO_FPS, VIDEO_FRAME_TICKS};
use visavis::metrics::Metrics;
use visavis::models::Store;
use visavis::onnx::Runtime;
use visavis::playout::Picture;
use visavis::say;
use visavis::video::{H264Decoder, H264Encoder, VideoSettings, rgba_to_i420};

/// About ten seconds.
const TEXT: &str = "Hello, I am the face that you see. My lips close for every p, b and m, and they round for who, blue and \
                    you. People put up with my jokes because I move while I speak, and I look at you when you answer.";
/// Pictures of a face at rest (20 s).
const AT_REST: u64 = 500;
/// Calls that see the same face at rest, and for how many pictures (20 s).
const CALLS: usize = 100;

/// Milliseconds of each step of each picture, and what came of it.
#[derive(Default)]
struct Costs {
    pose: Vec<f64>,
    draw: Vec<f64>,
    convert: Vec<f64>,
    encode: Vec<f64>,
    bytes: usize,
    /// Of luma, in dB.
    psnr: Vec<f64>,
}

fn main() -> anyhow::Result<()> {
    let config = Config::default();
    let store = Store::open(None)?;
    let folder = tempfile::tempdir()?;
    let metrics = Arc::new(Metrics::new());
    let settings = config.video.encoder(config.avatar.mark);
    let runtime = Runtime::load(&store.path("onnxruntime")?)?;
    let avatars = Avatars::new(
        folder.path().to_owned(),
        settings.clone(),
        config.avatar.wav2lip.clone(),
        runtime.clone(),
        metrics,
    );
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/astronaut.jpg");
    let photo = env::var("PHOTO").map_or(default, Into::into);
    let begun = clock::now();
    let bytes = std::fs::read(&photo).with_context(|| photo.display().to_string())?;
    portrait::add(&mut Vision::load(&runtime)?, &bytes, "portrait", folder.path())?;
    let added = begun.elapsed();

    let text = env::var("TEXT").unwrap_or_else(|_| TEXT.to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let speech = runtime.block_on(say::speech(&config, &store, text, 1.0))?;
    drop(runtime);

    println!("{}\n", machine::machine());
    println!(
        "| a picture of 512x512, ms, p50 (p95) | pose | draw | convert | draw and convert | encode | pictures a second of one core |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let mut streams = Vec::new();
    for name in ["woman", "man", "mascot", "portrait"] {
        for (state, speech) in [("at rest", None), ("speaking", Some(&speech))] {
            let mut face = avatars.face(&Look::of(name))?;
            let costs = costs(&mut *face, speech, &settings)?;
            print(&format!("{name}, {state}"), &costs);
            streams.push((name, state, costs));
        }
    }
    println!("\n| what is sent | bits a second | of ten seconds | PSNR, mean | worst |\n|---|---:|---:|---:|---:|");
    for (name, state, costs) in &streams {
        let seconds = costs.encode.len() as f64 / f64::from(VIDEO_FPS);
        let rate = costs.bytes as f64 / seconds;
        let mean = costs.psnr.iter().sum::<f64>() / costs.psnr.len() as f64;
        let worst = costs.psnr.iter().copied().fold(f64::INFINITY, f64::min);
        let (kilobits, megabytes) = (rate * 8.0 / 1000.0, rate * 10.0 / 1e6);
        println!("| {name}, {state} | {kilobits:.0} kbit/s | {megabytes:.2} MB | {mean:.1} dB | {worst:.1} dB |");
    }
    println!("\nA portrait is made of its photo in {:.1} s.", added.as_secs_f64());
    println!("Lips from sound: {:.0} us per 40 ms.\n", lips_from_sound(&speech)?);
    together(&avatars)
}

fn print(name: &str, costs: &Costs) {
    let both: Vec<f64> = costs.draw.iter().zip(&costs.convert).map(|(draw, convert)| draw + convert).collect();
    let cell = |times: &[f64]| format!("{:.2} ({:.2})", percentile(times.to_vec(), 50), percentile(times.to_vec(), 95));
    let all: f64 =
        [&costs.pose, &costs.draw, &costs.convert, &costs.encode].iter().map(|times| times.iter().sum::<f64>()).sum();
    let (pose, draw, convert, encode) =
        (cell(&costs.pose), cell(&costs.draw), cell(&costs.convert), cell(&costs.encode));
    let pictures = costs.pose.len() as f64 / all * 1000.0;
    println!("| {name} | {pose} | {draw} | {convert} | {} | {encode} | {pictures:.0} |", cell(&both));
}

/// Microseconds for a picture's time of sound, p50.
fn lips_from_sound(speech: &Speech) -> anyhow::Result<f64> {
    let mut lips = SoundLips::new(MEDIA_HZ)?;
    let times = speech.pcm.chunks_exact(VIDEO_FRAME_TICKS as usize).map(|pcm| {
        let begun = clock::now();
        lips.push(pcm);
        millis(begun) * 1000.0
    });
    Ok(percentile(times.collect(), 50))
}

fn millis(since: std::time::Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn costs(face: &mut dyn Face, speech: Option<&Speech>, settings: &VideoSettings) -> anyhow::Result<Costs> {
    let (width, height) = face.size();
    let (mut life, mut lips) = (Life::new(7), Lips::new());
    let mut encoder = H264Encoder::new(&VideoSettings { width, height, ..settings.clone() })?;
    let mut decoder = H264Decoder::new()?;
    let (mut rgba, mut i420) = (Rgba::new(width, height), I420::new(2, 2));
    let (pictures, attention) = match speech {
        Some(speech) => {
            lips.say(MediaTime::ZERO, &speech.phonemes, &speech.pcm);
            (speech.pcm.len() as u64 / VIDEO_FRAME_TICKS, Attention::Speaking)
        }
        None => (AT_REST, Attention::Idle),
    };
    let mut costs = Costs::default();
    for n in 0..pictures {
        let at = MediaTime(n * VIDEO_FRAME_TICKS);
        let begun = clock::now();
        let mouth = if speech.is_some() { lips.mouth_at(at) } else { Mouth::REST };
        let pose = life.pose_at(at, attention, mouth);
        costs.pose.push(millis(begun));
        let begun = clock::now();
        let area = face.redraw(&pose, &mut rgba);
        costs.draw.push(millis(begun));
        let begun = clock::now();
        rgba_to_i420(&rgba.data, width, height, area, &mut i420);
        costs.convert.push(millis(begun));
        let begun = clock::now();
        let encoded = encoder.encode(&i420, false)?.context("a picture was skipped")?;
        costs.encode.push(millis(begun));
        costs.bytes += encoded.h264.len();
        let seen = decoder.decode(&encoded.h264)?.context("a picture cannot be decoded")?;
        let errors = seen.y.iter().zip(&i420.y).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
        let mean = errors.sum::<f64>() / i420.y.len() as f64;
        costs.psnr.push(10.0 * (255.0_f64.powi(2) / mean.max(1e-9)).log10());
    }
    Ok(costs)
}

/// Many calls that see one face at rest, moved on as media threads do.
fn together(avatars: &Avatars) -> anyhow::Result<()> {
    let rest = avatars.rest(&Look::of("woman"))?;
    let mut calls = (0..CALLS as u64).map(|seed| Picture::new(&rest, seed)).collect::<Result<Vec<_>, _>>()?;
    let mut spent = Duration::ZERO;
    let (settled, end) = (250, 250 + AT_REST);
    let mut bytes = 0;
    for n in 0..end {
        for call in &mut calls {
            let begun = clock::now();
            let seen = call.next(MediaTime(n * VIDEO_FRAME_TICKS), Attention::Idle, false)?;
            if n >= settled {
                spent += begun.elapsed();
                bytes += seen.map_or(0, |(picture, _)| picture.h264.len());
            }
        }
    }
    let seconds = AT_REST as f64 / f64::from(VIDEO_FPS);
    let share = spent.as_secs_f64() / seconds * 100.0;
    let kilobits = bytes as f64 * 8.0 / 1000.0 / seconds / CALLS as f64;
    println!(
        "{CALLS} calls at rest that see one face: {share:.1} % of a core for all their pictures, {kilobits:.0} kbit/s each."
    );
    Ok(())
}
