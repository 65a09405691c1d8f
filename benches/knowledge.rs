//! What knowledge costs: to read a folder of pages, and to search it.
//!
//! `make bench-knowledge`; the pages are of invented words, half of them English, half Chinese. Each is asked by eight
//! words that stand beside each other in it: all of them are known, which is the most work.

#[path = "shared/machine.rs"]
mod machine;
#[path = "shared/statistics.rs"]
#[allow(dead_code, unused_imports, reason = "not all of it is used, and its tests are built elsewhere")]
mod statistics;

use std::fs;

use anyhow::{Context, ensure};
use statistics::percentile;
use visavis::clock;
use visavis::knowledge::{Knowledge, KnowledgeSettings};

/// Words of a page.
const WORDS: usize = 500;
const QUESTIONS: usize = 500;

fn main() -> anyhow::Result<()> {
    println!("{}\n", machine::machine());
    println!("| pages | read and searchable, ms | a question, ms: p50 | p95 | slowest |\n|---:|---:|---:|---:|---:|");
    for pages in [100, 1000, 5000] {
        let folder = tempfile::tempdir()?;
        let texts: Vec<String> = invented(pages).collect();
        for (number, text) in texts.iter().enumerate() {
            fs::write(folder.path().join(format!("{number}.md")), text)?;
        }
        let settings = KnowledgeSettings { folder: folder.path().to_owned(), ..KnowledgeSettings::default() };
        let start = clock::now();
        let knowledge = Knowledge::open(&settings)?.context("a folder is set")?;
        let read = start.elapsed().as_secs_f64() * 1000.0;
        ensure!(knowledge.pages() == pages, "{:?}", knowledge.left_out());
        let mut millis = Vec::new();
        for text in texts.iter().cycle().take(QUESTIONS) {
            let line = text.lines().nth(2).unwrap_or_default();
            // Chinese has no spaces.
            let question: String = match line.contains(' ') {
                true => line.split_inclusive(' ').take(8).collect(),
                false => line.chars().take(8).collect(),
            };
            let start = clock::now();
            let found = knowledge.find(&question, &[]);
            millis.push(start.elapsed().as_secs_f64() * 1000.0);
            ensure!(!found.is_empty(), "nothing is found for {question}");
        }
        let [median, p95, slowest] = [50, 95, 100].map(|percent| percentile(millis.clone(), percent));
        println!("| {pages} | {read:.0} | {median:.2} | {p95:.2} | {slowest:.2} |");
    }
    Ok(())
}

/// Words are as frequent as words are: the nth most frequent one has 1/n of the first one's share.
fn invented(pages: usize) -> impl Iterator<Item = String> {
    let mut state = 1u64;
    let mut dice = move |sides: usize| {
        // Knuth, MMIX.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % sides
    };
    (0..pages).map(move |page| {
        let mut text = format!("# Page {page}\n\n");
        for word in 0..WORDS {
            let rank = 20_000f64.powf(dice(1 << 20) as f64 / f64::from(1 << 20)) as usize;
            match page % 2 {
                0 => text.push_str(&format!("w{} ", rank * 7919 % 20_011)),
                _ => text.extend(char::from_u32(0x4e00 + (rank * 7919 % 5003) as u32)),
            }
            if word % 60 == 59 {
                text.push_str(if word % 120 == 119 { "\n\n## Part\n\n" } else { "\n\n" });
            }
        }
        text
    })
}
