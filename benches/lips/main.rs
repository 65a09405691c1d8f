//! Whether lips fit the words, measured on sound and pictures as a client receives them: `make bench-lips`.
//!
//! A server with the default settings says known texts, English and Chinese, in one call; its language model is a
//! stand-in that repeats what it is told, all else is real. Pictures are decoded and the mouth is measured in pixels
//! (`opening`); both tracks are brought to one clock by their sender reports (`clocks`). When p, b and m sound is found
//! in the received sound: the voice says the same in this process, with the times of its phonemes, and that is laid over
//! what was received (`align`), then moved to where the sound itself has its vowels and stops (`lag`).
//!
//! ```text
//! server ==RTP==> call -> ear, opening -> line -> closures, follows, shift -> tables
//!                            voices -> align, lag --^
//! ```
//!
//! `COUNT=6` says so many texts of each language. `MINUTES=60` instead keeps one call open for so long and says a text
//! in each minute. `SHEET=pbm.png` writes pictures around some p, b and m. All that was measured is in
//! target/bench-lips.json. Takes about ten minutes.

#![allow(dead_code, unused_imports, reason = "without a harness the tests of shared files are built and not called")]

#[path = "../shared/machine.rs"]
mod machine;
#[path = "measures.rs"]
mod measures;
mod mind;
#[path = "../../tests/it/server.rs"]
mod server;
#[path = "../shared/statistics.rs"]
mod statistics;

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio::task::JoinSet;
use visavis::clock;
use visavis::media::Speech;

use measures::call::{Call, Received};
use measures::drift::{self, Minute};
use measures::line::Line;
use measures::voices::{Language, Voices};
use measures::{sheet, tables, texts};
use server::Server;

/// Between two texts the face comes to rest.
const PAUSE: Duration = Duration::from_millis(900);
/// Texts that are said twice in this process, to see how well one is found in the other.
const CHECKED: usize = 4;

fn main() -> anyhow::Result<()> {
    let number = |name: &str| match env::var(name) {
        Ok(text) => text.parse::<usize>().map(Some).with_context(|| format!("{name}={text} is not a number")),
        Err(_) => Ok(None),
    };
    let (count, minutes) = (number("COUNT")?.unwrap_or(usize::MAX), number("MINUTES")?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let mind = mind::serve(&mut tasks).await?;
        let config = format!(
            "[server]\nidle_timeout_seconds = 0\nmax_duration_seconds = 0\n\
             [llm]\nprovider = \"openai\"\nbase_url = \"{mind}\"\nmodel = \"repeats\"\n"
        );
        let server = Server::start(&config);
        println!("{}\n", machine::machine());
        match minutes {
            Some(minutes) => long_call(&server.url, minutes).await,
            None => both_languages(&server.url, count).await,
        }
    })
}

/// Says all texts and prints the tables.
async fn both_languages(url: &str, count: usize) -> anyhow::Result<()> {
    let mut voices = Voices::load()?;
    let sheet = env::var_os("SHEET").map(PathBuf::from);
    let mut call = Call::open(url, sheet.is_some()).await?;
    let mut lines: Vec<(Line, Received)> = Vec::new();
    for language in Language::ALL {
        for text in texts::of(language, count) {
            let received = call.say(text).await?;
            let said;
            (voices, said) = beside(&mut call, voices, language, text).await?;
            let line = Line::new(language, &said, &received).with_context(|| format!("{text:?}"))?;
            eprintln!("{:4.1} s, {:.1} dB off: {text}", line.sounding.end - line.sounding.start, line.distance);
            lines.push((line, received));
            call.watch_until(clock::now() + PAUSE).await?;
        }
    }
    call.close().await?;
    let mut found = Vec::new();
    for language in Language::ALL {
        found.push((language, tables::found_again(&mut voices, language, texts::of(language, CHECKED))?));
    }
    tables::print(&lines, &found);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("the target folder")?;
    let path = target.join("bench-lips.json");
    let all: Vec<_> = lines.iter().map(|(line, _)| line.json()).collect();
    std::fs::write(&path, serde_json::to_vec(&json!({ "machine": machine::machine(), "lines": all }))?)?;
    eprintln!("\nall that was measured: {}", path.display());
    if let Some(path) = sheet {
        sheet::write(&path, &tables::to_be_shown(&lines), &lines)?;
        eprintln!("{}", path.display());
    }
    Ok(())
}

/// The voice says it on a thread of its own while the call goes on.
async fn beside(
    call: &mut Call,
    mut voices: Voices,
    language: Language,
    text: &'static str,
) -> anyhow::Result<(Voices, Speech)> {
    let speaking = tokio::task::spawn_blocking(move || {
        let said = voices.say(language, text);
        (voices, said)
    });
    tokio::select! {
        done = speaking => {
            let (voices, said) = done?;
            Ok((voices, said?))
        }
        ended = call.watch() => Err(ended),
    }
}

/// One call of so many minutes.
async fn long_call(url: &str, minutes: usize) -> anyhow::Result<()> {
    let mut voices = Voices::load()?;
    let mut call = Call::open(url, false).await?;
    let begun = clock::now();
    let mut all: Vec<Minute> = Vec::new();
    let mut texts = texts::by_turns();
    for minute in 0..=minutes {
        call.watch_until(begun + Duration::from_secs(60 * minute as u64)).await?;
        // One text of each language.
        for (language, text) in texts.by_ref().take(2) {
            let received = call.say(text).await?;
            let said;
            (voices, said) = beside(&mut call, voices, language, text).await?;
            // One text that cannot be found in what came does not end an hour.
            match Line::new(language, &said, &received).with_context(|| format!("{text:?}")) {
                Ok(line) => {
                    let measured = Minute::of(minute, line, &received);
                    eprintln!("{measured}");
                    all.push(measured);
                }
                Err(error) => eprintln!("minute {minute}: {error:#}"),
            }
        }
    }
    call.close().await?;
    drift::print(&all);
    Ok(())
}
