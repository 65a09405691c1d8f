//! What is said in a call, loaded before it begins: a line for each turn, with what is spoken over its answer.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::microphone::Recording;
use super::{CallOptions, Utterance};

pub(super) struct Line {
    pub(super) said: Said,
    pub(super) over: Option<Over>,
    /// How much of the answer is enough.
    pub(super) enough_ms: Option<f64>,
}

pub(super) enum Said {
    Spoken(String, Recording),
    Typed(String),
}

/// A recording that is spoken over an answer.
pub(super) struct Over {
    pub(super) name: String,
    pub(super) recording: Recording,
    pub(super) after_ms: f64,
}

/// The lines of `options`, in order.
pub(super) fn read(options: &CallOptions) -> anyhow::Result<VecDeque<Line>> {
    let mut lines = VecDeque::new();
    for utterance in &options.utterances {
        let line = |said| Line { said, over: None, enough_ms: None };
        match utterance {
            Utterance::Spoken(path) => {
                lines.push_back(line(Said::Spoken(path.display().to_string(), Recording::read(path)?)));
            }
            Utterance::Typed(text) => lines.push_back(line(Said::Typed(text.clone()))),
            Utterance::Over { recording, after } => {
                let line = lines.back_mut().context("nothing was said yet whose answer could be spoken over")?;
                if line.over.is_some() {
                    bail!("an answer is spoken over once at most: say something else before {}", recording.display());
                }
                line.over = Some(over(recording, *after)?);
            }
            Utterance::Enough { after } => {
                let line = lines.back_mut().context("nothing was said yet whose answer could be enough")?;
                line.enough_ms = Some(millis(*after));
            }
        }
    }
    if let (Some(path), Some(first)) = (&options.talk_over, lines.front_mut()) {
        first.over = Some(over(path, options.over_after)?);
    }
    Ok(lines)
}

fn over(path: &std::path::Path, after: Duration) -> anyhow::Result<Over> {
    let recording = Recording::read(path)?;
    Ok(Over { name: path.display().to_string(), recording, after_ms: millis(after) })
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The events by which a client types a question and asks for its answer.
pub(super) fn typed(text: &str) -> Vec<Value> {
    let content = json!([{ "type": "input_text", "text": text }]);
    let item = json!({ "type": "message", "role": "user", "content": content });
    vec![
        json!({ "type": "conversation.item.create", "item": item }),
        json!({ "type": "response.create", "event_id": "caller_response" }),
    ]
}

/// The events by which a client ends an answer; `making`: there is still something to be made of it.
pub(super) fn enough(making: bool) -> Vec<Value> {
    let cancel = making.then(|| json!({ "type": "response.cancel" }));
    cancel.into_iter().chain([json!({ "type": "output_audio_buffer.clear" })]).collect()
}
