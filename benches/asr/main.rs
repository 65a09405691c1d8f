//! Our recogniser beside faster-whisper, on the same weights and the same files, by turns in one run: words and time.
//!
//! `make bench-asr`. Ours as the server uses it: Whisper tiny.en as q8_0 through whisper.cpp, the window cut to the
//! sound. faster-whisper: the same weights as int8 through CTranslate2, its defaults. Nothing else should run beside
//! it. `COUNT=5` takes so many files of each kind.

#![allow(dead_code, unused_imports, reason = "without a harness the tests of shared files are built and not called")]

mod contestants;
#[path = "../shared/machine.rs"]
mod machine;
#[path = "../material/mod.rs"]
mod material;
#[path = "../shared/statistics.rs"]
mod statistics;
#[path = "../shared/words.rs"]
mod words;

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use visavis::audio::Resampler48to16;
use visavis::call::Recording;
use visavis::media::{HEARING_HZ, MEDIA_HZ};

use contestants::{Contestant, Recognised};
use material::random::Random;
use material::{Material, Spoken, level};
use statistics::percentile;
use words::WordErrors;

/// A quiet room around each recording, as much as the server keeps: noise of -65 dB.
const NOISE: f64 = 18.4;
const BEFORE: usize = MEDIA_HZ as usize * 300 / 1000;
const AFTER: usize = MEDIA_HZ as usize * 200 / 1000;
/// OpenMP's threads look for work for 200 ms after it is done, at the cost of whoever runs next.
const SETTLE: Duration = Duration::from_millis(250);
const KINDS: [&str; 3] = ["questions", "beckett", "two_cities"];

/// A file to be recognised.
pub struct Clip {
    kind: &'static str,
    text: String,
    pub path: PathBuf,
    /// 16 kHz, -1..1.
    pub pcm: Vec<f32>,
}

fn main() -> anyhow::Result<()> {
    let most = env::var("COUNT").ok().map_or(Ok(usize::MAX), |count| count.parse()).context("COUNT")?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("the target folder")?;
    let clips = clips(&target.join("bench-speech"), &mut Material::open(target)?, most)?;
    let mut contestants = contestants::all(target)?;
    for contestant in &mut contestants {
        contestant.recognise(&clips[0]).context("warming up")?;
    }
    let mut results: Vec<Vec<Recognised>> = contestants.iter().map(|_| Vec::new()).collect();
    for (number, clip) in clips.iter().enumerate() {
        eprint!("\r{} of {} files", number + 1, clips.len());
        // Nobody is always the first.
        for turn in 0..contestants.len() {
            let which = (number + turn) % contestants.len();
            std::thread::sleep(SETTLE);
            results[which].push(contestants[which].recognise(clip)?);
        }
    }
    eprintln!();
    println!("{}\n", machine::machine());
    print(&clips, &contestants, &results);
    let all: Vec<_> = contestants
        .iter()
        .zip(&results)
        .map(|(who, recognised)| {
            let files = clips.iter().zip(recognised);
            let files = files.map(|(clip, heard)| json!({"file": clip.path.file_name().map(|name| name.to_string_lossy().into_owned()), "text": clip.text, "heard": heard.text, "seconds": heard.seconds}));
            json!({"recogniser": who.name(), "files": files.collect::<Vec<_>>()})
        })
        .collect();
    let path = target.join("bench-asr.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&json!({"machine": machine::machine(), "recognisers": all}))?)?;
    eprintln!("\nall that was recognised: {}", path.display());
    Ok(())
}

fn clips(folder: &Path, material: &mut Material, most: usize) -> anyhow::Result<Vec<Clip>> {
    let folder = folder.join("asr");
    std::fs::create_dir_all(&folder)?;
    let recordings = material.recordings()?;
    let (beckett, two_cities) = recordings.split_at(1);
    let mut clips = Vec::new();
    for (kind, spoken) in KINDS.into_iter().zip([&material.questions(most)?, beckett, two_cities]) {
        for one in spoken.iter().take(most) {
            clips.push(clip(&folder, kind, one)?);
        }
    }
    Ok(clips)
}

fn clip(folder: &Path, kind: &'static str, spoken: &Spoken) -> anyhow::Result<Clip> {
    let recording = Recording::read(&spoken.path)?.pcm;
    let mut random = Random::new(&spoken.text);
    let mut pcm = vec![0; BEFORE];
    pcm.extend(recording);
    pcm.resize(pcm.len() + AFTER, 0);
    // Evenly spread samples have an RMS of their largest by the root of three.
    let largest = NOISE * 3f64.sqrt();
    pcm.iter_mut().for_each(|one| *one = one.saturating_add(random.within(-largest..largest).round() as i16));
    let mut heard = Vec::new();
    Resampler48to16::new()?.push(&pcm, &mut heard);
    // Both hear the same 16 bits.
    let sixteen: Vec<i16> = heard.iter().map(|one| (one.clamp(-1.0, 1.0) * 32_767.0) as i16).collect();
    let path = folder.join(spoken.path.file_name().context("a recording without a name")?);
    level::write(&path, &sixteen, HEARING_HZ)?;
    let pcm = sixteen.iter().map(|&one| f32::from(one) / 32_768.0).collect();
    Ok(Clip { kind, text: spoken.text.clone(), path, pcm })
}

fn print(clips: &[Clip], contestants: &[Contestant], results: &[Vec<Recognised>]) {
    let files = |kind| clips.iter().filter(|clip| clip.kind == kind).count();
    let seconds: f64 = clips.iter().map(|clip| clip.pcm.len() as f64 / f64::from(HEARING_HZ)).sum();
    println!(
        "| {} files, {seconds:.0} s of speech | {} | time for one file, p50 | p95 | for all |",
        clips.len(),
        KINDS.map(|kind| format!("word errors, {kind} ({})", files(kind))).join(" | ")
    );
    println!("|---|{}---:|---:|---:|", "---:|".repeat(KINDS.len()));
    for (who, recognised) in contestants.iter().zip(results) {
        let of = |kind| {
            let both = clips.iter().zip(recognised).filter(|(clip, _)| clip.kind == kind);
            let errors: WordErrors = both.map(|(clip, heard)| WordErrors::of(&clip.text, &heard.text)).sum();
            format!("{} of {} ({:.1} %)", errors.wrong, errors.words, errors.percent())
        };
        let times: Vec<f64> = recognised.iter().map(|one| one.seconds * 1000.0).collect();
        let (p50, p95, all) =
            (percentile(times.clone(), 50), percentile(times.clone(), 95), times.iter().sum::<f64>() / 1000.0);
        println!("| {} | {} | {p50:.0} ms | {p95:.0} ms | {all:.1} s |", who.name(), KINDS.map(of).join(" | "));
    }
    for (number, clip) in clips.iter().enumerate() {
        for (who, recognised) in contestants.iter().zip(results) {
            let heard = &recognised[number].text;
            if WordErrors::of(&clip.text, heard).wrong > 0 {
                eprintln!("{}: {:?} heard as {heard:?}", who.name(), clip.text);
            }
        }
    }
}
