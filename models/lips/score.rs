//! How well the lips by sound agree with the lips by phoneme times, on speech that was not in the training.
//!
//! FOLDER holds what speak.rs and speak.py wrote; only names that begin with TEXT count.
//! Raw: the classes every 10 ms. Mouth: what [`Lips`] does with them, every 40 ms. Closed, narrow and open are a gap of
//! less than 0.05, less than 0.45 and more (1 is the widest).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use visavis::clock;
use visavis::face::sound::classes;
use visavis::face::{Lips, SoundLips};
use visavis::media::{MEDIA_HZ, MediaTime, TimedPhoneme};

const NAMES: [&str; 3] = ["closed", "narrow", "open"];
/// Ticks of 10 ms.
const CENTI: u64 = MEDIA_HZ as u64 / 100;

/// Agreement of some clips.
#[derive(Default)]
struct Score {
    seconds: f64,
    /// By right answer, then by what was told.
    raw: [[u64; 3]; 3],
    mouth: [[u64; 3]; 3],
    same_class: u64,
    classes: [[u64; classes::COUNT]; classes::COUNT],
    /// p, b, m of the reference; those within 40 ms of which the mouth was shut; those of which it stayed open where
    /// the reference's mouth was shut too.
    closures: u64,
    shut: u64,
    /// p, b, m told, and those further than 40 ms from a shut mouth of the reference.
    told: u64,
    false_shut: u64,
    gaps: Vec<[f32; 2]>,
}

/// `arguments`: FOLDER, and TEXT.
pub fn run(arguments: &[PathBuf]) -> anyhow::Result<()> {
    let folder = arguments.first().context("usage: lips score FOLDER [TEXT]")?;
    let prefix = arguments.get(1).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    files.sort();
    // Seconds a second of sound, of the quickest clip: the machine may have other things to do.
    let mut cost = f64::INFINITY;
    for wav in files.iter().filter(|path| path.extension().is_some_and(|e| e == "wav")) {
        let name = wav.file_stem().context("no name")?.to_string_lossy().into_owned();
        let voice = name.rsplit_once('-').map_or(name.as_str(), |(voice, _)| voice).to_owned();
        if !name.starts_with(&prefix) || !wav.with_extension("tsv").exists() {
            continue;
        }
        let language = if voice.starts_with('z') {
            "* Chinese"
        } else if voice.starts_with('e') {
            "* Spanish"
        } else {
            "* English"
        };
        let clip = Clip::read(wav)?;
        let start = clock::now();
        let told = SoundLips::of(&clip.pcm, clip.rate)?;
        cost = cost.min(start.elapsed().as_secs_f64() * f64::from(clip.rate) / clip.pcm.len() as f64);
        for group in [voice.as_str(), language, "* all"] {
            scores.entry(group.to_owned()).or_default().add(&clip, &told);
        }
    }
    for (name, score) in &scores {
        score.print(name);
    }
    if let Some(all) = scores.get("* all") {
        all.print_tables();
        println!("{:.1} us for 40 ms of sound", cost * 0.040 * 1e6);
    }
    Ok(())
}

struct Clip {
    rate: u32,
    pcm: Vec<i16>,
    /// Of the media clock.
    phonemes: Vec<TimedPhoneme>,
    sound: Vec<i16>,
}

impl Clip {
    fn read(wav: &Path) -> anyhow::Result<Self> {
        let mut reader = hound::WavReader::open(wav)?;
        // 22.05 kHz is read as 22 kHz.
        let rate = reader.spec().sample_rate / 1000 * 1000;
        let pcm: Vec<i16> = reader.samples().collect::<Result<_, _>>()?;
        let tick = |sample: &str| anyhow::Ok(sample.parse::<u64>()? * u64::from(MEDIA_HZ) / u64::from(rate));
        let row = |line: &str| {
            let [start, end, stressed, ipa] = line.split('\t').collect::<Vec<_>>()[..] else {
                bail!("four columns are wanted in {line:?}")
            };
            Ok(TimedPhoneme { ipa: ipa.into(), start: tick(start)?, end: tick(end)?, stressed: stressed == "1" })
        };
        let phonemes =
            fs::read_to_string(wav.with_extension("tsv"))?.lines().map(row).collect::<anyhow::Result<_>>()?;
        let ticks = pcm.len() as u64 * u64::from(MEDIA_HZ) / u64::from(rate);
        let sound = (0..ticks).map(|tick| pcm[(tick * u64::from(rate) / u64::from(MEDIA_HZ)) as usize]).collect();
        Ok(Self { rate, pcm, phonemes, sound })
    }
}

impl Score {
    fn add(&mut self, clip: &Clip, told: &[TimedPhoneme]) {
        let end = clip.sound.len() as u64;
        self.seconds += end as f64 / f64::from(MEDIA_HZ);
        let (right, heard) = (classes::spans(&clip.phonemes), classes::spans(told));
        for at in (CENTI / 2..end).step_by(CENTI as usize) {
            let [right, heard] = [&right, &heard].map(|spans| classes::at(spans, at as f64).class);
            self.raw[classes::opening(right)][classes::opening(heard)] += 1;
            self.classes[right][heard] += 1;
            self.same_class += u64::from(right == heard);
        }
        // A second before the sound, so that every clip begins from rest.
        let zero = MediaTime(u64::from(MEDIA_HZ));
        let mouths = |phonemes: &[TimedPhoneme]| {
            let mut lips = Lips::new();
            lips.say(zero, phonemes, &clip.sound);
            (0..end / CENTI).map(|centi| lips.mouth_at(zero + centi * CENTI)).collect::<Vec<_>>()
        };
        let (right_mouth, heard_mouth) = (mouths(&clip.phonemes), mouths(told));
        for (right, heard) in right_mouth.iter().zip(&heard_mouth).step_by(4) {
            self.mouth[opening(right.open)][opening(heard.open)] += 1;
            self.gaps.push([right.open, heard.open]);
        }
        let shut_near = |mouths: &[visavis::face::Mouth], start: f64, end: f64| {
            let first = (start / CENTI as f64 - 4.0).max(0.0) as usize;
            let last = ((end / CENTI as f64 + 4.0) as usize).min(mouths.len());
            mouths[first.min(last)..last].iter().any(|mouth| mouth.is_closed())
        };
        for span in right.iter().filter(|span| span.class == classes::CLOSED) {
            self.closures += 1;
            self.shut += u64::from(shut_near(&heard_mouth, span.start, span.end));
        }
        for span in heard.iter().filter(|span| span.class == classes::CLOSED) {
            self.told += 1;
            self.false_shut += u64::from(!shut_near(&right_mouth, span.start, span.end));
        }
    }

    fn print(&self, name: &str) {
        let raw: u64 = self.raw.iter().flatten().sum();
        println!(
            "{name:<22} {:5.0} s  raw 3: {:4.1} %  raw 16: {:4.1} %  mouth 3: {:4.1} %  gap r {:.2}  pbm shut {:4.1} % of {}  false {:4.1} % of {}",
            self.seconds,
            share(&self.raw),
            100.0 * self.same_class as f64 / raw as f64,
            share(&self.mouth),
            correlation(&self.gaps),
            100.0 * self.shut as f64 / self.closures as f64,
            self.closures,
            100.0 * self.false_shut as f64 / self.told as f64,
            self.told,
        );
    }

    fn print_tables(&self) {
        for (title, table) in [("raw", &self.raw), ("mouth", &self.mouth)] {
            println!("{title}, rows are right, % of the row");
            for (name, row) in NAMES.iter().zip(table) {
                let sum: u64 = row.iter().sum();
                let cells: String = row.iter().map(|n| format!("{:8.1}", 100.0 * *n as f64 / sum as f64)).collect();
                println!("{name:>8} {cells}   ({sum})");
            }
        }
        let mut gaps = [0_u32; 20];
        self.gaps.iter().for_each(|[right, _]| gaps[((right * 20.0) as usize).min(19)] += 1);
        println!("gaps of the right mouth, by twentieths: {gaps:?}");
        println!("classes, rows are right, % of the row: {}", classes::IPA.map(|ipa| format!("{ipa:>4}")).concat());
        for (ipa, row) in classes::IPA.iter().zip(&self.classes) {
            let sum: u64 = row.iter().sum();
            let cells: String = row.iter().map(|n| format!("{:4.0}", 100.0 * *n as f64 / sum.max(1) as f64)).collect();
            println!("{ipa:>38} {cells}   ({sum})");
        }
    }
}

fn opening(gap: f32) -> usize {
    usize::from(gap >= 0.05) + usize::from(gap >= 0.45)
}

fn share(table: &[[u64; 3]; 3]) -> f64 {
    let sum: u64 = table.iter().flatten().sum();
    100.0 * (0..3).map(|i| table[i][i]).sum::<u64>() as f64 / sum as f64
}

fn correlation(pairs: &[[f32; 2]]) -> f64 {
    let n = pairs.len() as f64;
    let mean = |i: usize| pairs.iter().map(|pair| f64::from(pair[i])).sum::<f64>() / n;
    let (a, b) = (mean(0), mean(1));
    let sum =
        |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|[x, y]| f(f64::from(*x) - a, f64::from(*y) - b)).sum::<f64>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
}
