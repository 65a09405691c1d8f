//! Each local engine beside the Python package of its weights, by turns in one run: time to the first sound or token.
//!
//! `make bench-engines`; recognisers have `make bench-asr`. Ours as the server uses them: a voice gets the first clause of
//! an answer and tells it in parts; the packages get the whole sentence, as they take it. On one thread and on two.
//! Nothing else should run beside it. `COUNT=2` takes so many sentences.

mod contestants;
#[path = "../shared/machine.rs"]
mod machine;
#[path = "../shared/statistics.rs"]
#[allow(dead_code, unused_imports, reason = "not all of it is used, and its tests are built elsewhere")]
mod statistics;

use std::env;
use std::path::Path;

use anyhow::Context;

use contestants::{Contestant, Engine, Made};
use statistics::percentile;

/// Answers as the model gives them, each of more than one clause.
const SENTENCES: [&str; 8] = [
    "The capital of France is Paris, which lies on the river Seine in the north of the country.",
    "Bees make honey from the nectar of flowers, and they keep it in the cells of their hive for the winter.",
    "The largest ocean on Earth is the Pacific, and it covers about a third of the whole planet.",
    "If you leave the house at seven, you will be at the station early enough to buy a ticket and a coffee.",
    "Penguins live in the south, where it is cold, but some of them live near the equator too.",
    "Water freezes at zero degrees, and it boils at one hundred degrees, at least at the level of the sea.",
    "My favourite book is the one about the old man and the sea, because it is short and still has everything.",
    "To make good bread, you need flour, water, salt and yeast, and above all you need a lot of time.",
];

/// Questions that share no beginning but the template's.
const QUESTIONS: [&str; 8] = [
    "What is the capital of France, and on which river does it lie? Please tell me in two sentences.",
    "How do bees make honey, and why do they keep it? Please tell me in two sentences.",
    "Which is the largest ocean on Earth, and how large is it? Please tell me in two sentences.",
    "When should I leave the house to catch the train at eight? Please tell me in two sentences.",
    "Where do penguins live, and what do they eat there? Please tell me in two sentences.",
    "At which temperature does water freeze, and at which does it boil? Please tell me in two sentences.",
    "Who wrote the book about the old man and the sea, and when? Please tell me in two sentences.",
    "What do I need to bake a good bread, and how long does it take? Please tell me in two sentences.",
];

fn main() -> anyhow::Result<()> {
    let most = env::var("COUNT").ok().map_or(Ok(usize::MAX), |count| count.parse()).context("COUNT")?;
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("the target folder")?;
    let mut rows = Vec::new();
    for engine in Engine::ALL {
        let texts = if engine == Engine::Llm { QUESTIONS } else { SENTENCES };
        let texts: Vec<&str> = texts.into_iter().take(most.max(1)).collect();
        let mut contestants = Contestant::all(engine, target)?;
        for contestant in &mut contestants {
            contestant.make(texts[texts.len() - 1]).context("warming up")?;
        }
        let mut made: Vec<Vec<Made>> = contestants.iter().map(|_| Vec::new()).collect();
        for (number, text) in texts.iter().enumerate() {
            eprintln!("{engine:?}: {} of {}", number + 1, texts.len());
            // Nobody is always the first.
            for turn in 0..contestants.len() {
                let which = (number + turn) % contestants.len();
                made[which].push(contestants[which].make(text)?);
            }
        }
        rows.push((engine, contestants.iter().map(Contestant::name).zip(made).collect::<Vec<_>>()));
    }
    println!("{}\n", machine::machine());
    for (engine, contestants) in rows {
        print(engine, &contestants);
    }
    Ok(())
}

fn print(engine: Engine, contestants: &[(String, Vec<Made>)]) {
    let (last, rate) = match engine {
        Engine::Llm => ("whole answer", "tokens a second after the first"),
        Engine::Piper | Engine::Kokoro => ("whole sentence", "real-time factor"),
    };
    let first = if engine == Engine::Llm { "first token" } else { "first sound" };
    println!("| {engine:?} | {first}, p50 | p95 | {last}, p50 | {rate} |\n|---|---:|---:|---:|---:|");
    for (name, made) in contestants {
        let of = |time: fn(&Made) -> f64, percent| percentile(made.iter().map(time).collect(), percent) * 1000.0;
        let sum = |value: fn(&Made) -> f64| made.iter().map(value).sum::<f64>();
        let rate = match engine {
            Engine::Llm => format!("{:.1}", (sum(|m| m.made - 1.0)) / sum(|m| m.all - m.first)),
            Engine::Piper | Engine::Kokoro => format!("{:.2}", sum(|m| m.all) / sum(|m| m.made)),
        };
        let (p50, p95, all) = (of(|m| m.first, 50), of(|m| m.first, 95), of(|m| m.all, 50));
        println!("| {name} | {p50:.0} ms | {p95:.0} ms | {all:.0} ms | {rate} |");
    }
    println!();
}
