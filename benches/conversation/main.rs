//! How a conversation feels, in numbers by the caller's clock, every model local: `make bench-conversation`.
//!
//! Calls a server as a person would who asks, hesitates, types, coughs, talks over the answer and has no headset, and
//! prints the tables of docs/benchmarks.md. One call for each section; `BENCH="plain typed" COUNT=10` runs a part,
//! `URL=http://...` calls a running server instead of starting one, `KEEP=1` keeps what was received. All that was
//! measured is in target/bench-conversation.json. Never run beside other work: it measures that too.

#![allow(dead_code, unused_imports, reason = "without a harness the tests of shared files are built and not called")]

#[path = "../shared/machine.rs"]
mod machine;
#[path = "../material/mod.rs"]
mod material;
mod outcomes;
mod sections;
#[path = "../../tests/it/server.rs"]
mod server;
#[path = "../shared/statistics.rs"]
mod statistics;
mod tables;
#[path = "../shared/words.rs"]
mod words;

use std::env;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;
use visavis::call::{CallOptions, CallReport, run};
use visavis::clock;

use material::Material;
use sections::{SECTIONS, Section, Talk};
use server::Server;

/// A section that was run.
pub struct Done {
    pub section: Section,
    pub talk: Talk,
    pub report: CallReport,
}

fn main() -> anyhow::Result<()> {
    let sections = wanted(&env::var("BENCH").unwrap_or_default())?;
    let most = match env::var("COUNT") {
        Ok(count) => count.parse().with_context(|| format!("COUNT={count} is not a number"))?,
        Err(_) => usize::MAX,
    };
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("the target folder")?;
    eprintln!("making the recordings in {}", target.join("bench-speech").display());
    let mut material = Material::open(target)?;
    let talks = sections.iter().map(|section| section.talk(&mut material, most)).collect::<anyhow::Result<Vec<_>>>()?;
    drop(material);
    let own;
    let url = match env::var("URL") {
        Ok(url) => url,
        Err(_) => {
            own = Server::start("");
            own.url.clone()
        }
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let mut all = Vec::new();
    for (section, talk) in sections.into_iter().zip(talks) {
        let began = clock::now();
        let keep = env::var_os("KEEP").map(|_| target.join("bench-conversation").join(section.name));
        let options = CallOptions { url: url.clone(), out: keep, ..talk.options.clone() };
        let report = runtime.block_on(run(options)).with_context(|| format!("the section {}", section.name))?;
        eprintln!("{}: {} turns in {:.0} s", section.name, report.turns.len(), began.elapsed().as_secs_f64());
        all.push(Done { section, talk, report });
    }
    println!("{}\n", machine::machine());
    tables::print(&all);
    let results: Vec<_> = all
        .iter()
        .map(|done| json!({ "section": done.section.name, "texts": done.talk.texts, "call": done.report }))
        .collect();
    let path = target.join("bench-conversation.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&json!({ "machine": machine::machine(), "sections": results }))?)?;
    eprintln!("\nall that was measured: {}", path.display());
    Ok(())
}

/// The sections of these names, all if there are none.
fn wanted(names: &str) -> anyhow::Result<Vec<Section>> {
    let mut chosen = Vec::new();
    for name in names.split_whitespace() {
        match SECTIONS.iter().find(|section| section.name == name) {
            Some(section) => chosen.push(*section),
            None => {
                let known: Vec<&str> = SECTIONS.iter().map(|section| section.name).collect();
                bail!("BENCH: there is no section {name:?}; there are {}", known.join(", "));
            }
        }
    }
    Ok(if chosen.is_empty() { SECTIONS.to_vec() } else { chosen })
}
