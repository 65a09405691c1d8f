//! What the training reads: log-mel bands and the right answers of every clip of a set, by the server's own code.
//!
//! FOLDER holds what speak.rs and speak.py wrote. For each clip: u32 steps, u32 length of
//! its name, the name, i16 bands (hundredths of a decibel, two frames a step), u8 class and u8 stress of each step.
//! A folder called `train` is read at five speeds, which moves pitch and formants too.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use visavis::face::sound::{BANDS, FIRST_TICKS, Mel, STEP_TICKS, classes};
use visavis::media::{MEDIA_HZ, TimedPhoneme};

const SPEEDS: [f32; 5] = [1.0, 0.86, 0.93, 1.08, 1.16];

/// `arguments`: FOLDER, and the file to write.
pub fn run(arguments: &[PathBuf]) -> anyhow::Result<()> {
    let [folder, out] = arguments else { bail!("usage: lips features FOLDER OUT") };
    let speeds = if folder.ends_with("train") { &SPEEDS[..] } else { &SPEEDS[..1] };
    let mut out = std::io::BufWriter::new(fs::File::create(out)?);
    for wav in clips(folder)? {
        let mut reader = hound::WavReader::open(&wav)?;
        let rate = reader.spec().sample_rate as f32;
        let pcm: Vec<i16> = reader.samples().collect::<Result<_, _>>()?;
        let spans = classes::spans(&phonemes(&wav.with_extension("tsv"))?);
        let name = wav.file_stem().context("no name")?.to_string_lossy().into_owned();
        for speed in speeds {
            let rate = (rate * speed / 1000.0).round() as u32 * 1000;
            if rate < 8000 {
                continue;
            }
            let mut frames: Vec<i16> = Vec::new();
            Mel::new(rate)?.push(&pcm, &mut |frame| frames.extend(frame.map(|level| (level * 100.0) as i16)));
            let steps = frames.len() / (2 * BANDS);
            frames.truncate(steps * 2 * BANDS);
            let middle = |step: usize| (step as u64 * STEP_TICKS + FIRST_TICKS) as f64;
            let answer = |step| classes::at(&spans, middle(step) * f64::from(rate) / f64::from(MEDIA_HZ));
            out.write_all(&(steps as u32).to_le_bytes())?;
            out.write_all(&(name.len() as u32).to_le_bytes())?;
            out.write_all(name.as_bytes())?;
            out.write_all(&frames.iter().flat_map(|level| level.to_le_bytes()).collect::<Vec<u8>>())?;
            out.write_all(&(0..steps).map(|step| answer(step).class as u8).collect::<Vec<u8>>())?;
            out.write_all(&(0..steps).map(|step| u8::from(answer(step).stressed)).collect::<Vec<u8>>())?;
        }
    }
    Ok(out.flush()?)
}

/// The sounds of a folder that have their phonemes, by name.
fn clips(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<PathBuf>>>()?;
    let mut clips: Vec<PathBuf> = files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "wav") && path.with_extension("tsv").exists())
        .collect();
    clips.sort();
    Ok(clips)
}

/// Times in samples of the clip.
fn phonemes(table: &Path) -> anyhow::Result<Vec<TimedPhoneme>> {
    let row = |line: &str| {
        let [start, end, stressed, ipa] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("{}: four columns are wanted in {line:?}", table.display())
        };
        Ok(TimedPhoneme { ipa: ipa.into(), start: start.parse()?, end: end.parse()?, stressed: stressed == "1" })
    };
    fs::read_to_string(table)?.lines().map(row).collect()
}
