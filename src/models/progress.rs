//! What a person sees while weights are pulled: one bar a weight on a terminal, plain lines elsewhere.

use std::io::IsTerminal;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

const BAR: &str = "{prefix:16} {bar:24} {bytes:>10} of {total_bytes:<10} {bytes_per_sec:>12} {wide_msg}";

/// The display of one weight.
pub struct Progress {
    name: String,
    bar: ProgressBar,
    /// Not a terminal: a line for each step instead of a bar.
    lines: bool,
}

impl Progress {
    /// `bytes` is what is still to be fetched.
    pub fn new(name: &str, bytes: u64) -> Self {
        let lines = !std::io::stderr().is_terminal();
        let target = if lines { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(bytes), target).with_style(style.progress_chars("=> "));
        bar.set_prefix(name.to_owned());
        Self { name: name.to_owned(), bar, lines }
    }

    /// Says what is being done now.
    pub fn step(&self, what: &str) {
        if self.lines {
            eprintln!("{}: {what}", self.name);
        }
        self.bar.set_message(what.to_owned());
        self.bar.tick();
    }

    pub fn position(&self) -> u64 {
        self.bar.position()
    }

    pub fn set_position(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    pub fn set_length(&self, bytes: u64) {
        self.bar.set_length(bytes);
    }

    /// Leaves one line that stays.
    pub fn done(self, bytes: u64) {
        self.bar.finish_and_clear();
        eprintln!("{}: ready, {}", self.name, HumanBytes(bytes));
    }
}

/// For a size in a sentence.
pub fn size(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}
