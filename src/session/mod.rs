//! A call from offer to end: [`Host`] takes it, a task of its own runs it, [`Registry`] counts and ends it, and a view
//! shows it to whoever looks after the server.

mod codec;
mod host;
mod incoming;
mod keeping;
mod ledger;
mod limits;
mod operation;
mod outgoing;
mod question;
mod registry;
mod requests;
mod settings;
mod task;
mod tools;
mod view;
mod voicing;
mod wiring;

pub use host::Host;
pub use limits::LimitSettings;
pub use registry::Registry;

use crate::dialogue::{Ending, Event};
use crate::metrics::Metrics;

/// Logs and counts what happened in a conversation; what was said stays out of the log unless asked for.
fn report(event: &Event, metrics: &Metrics) {
    match event {
        Event::ReplyDone { turn, ending, usage, .. } => {
            let name = match ending {
                Ending::Completed => "completed",
                Ending::Interrupted => "interrupted",
                Ending::Cancelled => "cancelled",
                Ending::Failed { .. } => "failed",
            };
            metrics.answers.with_label_values(&[name]).inc();
            let tokens =
                [("input", usage.input_tokens), ("cached", usage.cached_tokens), ("output", usage.output_tokens)];
            for (kind, count) in tokens {
                metrics.tokens.with_label_values(&[kind]).inc_by(count.into());
            }
            tracing::info!(
                turn = turn.0,
                ending = name,
                input_tokens = usage.input_tokens,
                cached_tokens = usage.cached_tokens,
                output_tokens = usage.output_tokens,
                "answer made"
            );
        }
        Event::Error { code, message, .. } => tracing::info!(code, message, "told the client of an error"),
        Event::Transcribed { heard, .. } => tracing::debug!(seconds = heard.seconds, text = heard.text, "heard"),
        event => tracing::trace!(?event, "dialogue"),
    }
}
