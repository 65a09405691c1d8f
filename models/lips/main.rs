//! The parts of the lips' recipe (README.md beside this file) that need the server's own code: `lips speak`, `lips
//! features` and `lips score`, each described where it stands.

mod features;
mod score;
mod speak;

use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (first, rest) = arguments.split_first().map_or((None, &[][..]), |(first, rest)| (first.to_str(), rest));
    match first {
        Some("speak") => speak::run(rest),
        Some("features") => features::run(rest),
        Some("score") => score::run(rest),
        _ => anyhow::bail!("usage: lips speak|features|score ..."),
    }
}
