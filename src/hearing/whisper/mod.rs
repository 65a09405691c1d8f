//! Whisper through whisper.cpp (crate `whisper-rs`): ggml weights in, text out.
//!
//! The only folder that knows the crate. Weights are shared, working memory is each recognizer's own. The sound is
//! encoded once, then the decoder is asked as often as need be: for the language and whether anybody speaks (its first
//! token), for the text, and again without hints where it wrote nothing else. Which token may follow which is known to
//! [`super::decoding`].
//!
//! Two things make it quick on a processor: greedy decoding, and an encoder window cut to the sound (`audio_ctx`)
//! instead of the full 30 s. In a cut window the decoder sometimes repeats itself. Two things keep it from that: it
//! writes timestamps, so that it knows where the sound ends, and flash attention stays off, because whisper.cpp pads
//! its keys to 256 positions and attends to what an earlier run left there. What repeats all the same is recognized
//! again in a wider window.

mod model;
#[cfg(test)]
mod tests;

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use whisper_rs::{FullParams, SamplingStrategy, WhisperError, WhisperState};

use super::asr::{AsrError, AsrRequest, Recognizer, Transcript};
use super::decoding::{self, STEPS_A_SECOND, Written};
use super::hints::{self, Hints};
use super::languages::{Language, Languages};
use super::phantom::{self, Evidence};
use crate::media::HEARING_HZ;
use crate::threads;
use model::FULL_WINDOW;
pub use model::WhisperModel;

/// Longest sound in one go: 30 s less a margin.
const LONGEST: usize = 29 * HEARING_HZ as usize;
/// Shorter sounds get silence after them: on less than a second the model makes words up.
const SHORTEST: usize = HEARING_HZ as usize;

/// How the engine runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WhisperSettings {
    /// Most threads of a recognition that somebody waits for, if so many cores are idle; others take one. They wait
    /// for each other by spinning, so more than one are faster only while each has a core to itself.
    pub threads: usize,
}

impl Default for WhisperSettings {
    fn default() -> Self {
        Self { threads: 2 }
    }
}

/// See the module's text.
pub struct WhisperRecognizer {
    model: WhisperModel,
    state: WhisperState,
    /// Of this run.
    threads: usize,
    /// Of the decoder's last step.
    logits: Vec<f32>,
}

impl WhisperRecognizer {
    /// Runs once over silence, so that the first real sound finds all memory in place.
    pub fn warm_up(&mut self) -> Result<(), AsrError> {
        let request = AsrRequest {
            pcm: &[0.0; SHORTEST],
            languages: &Languages::any(Language::ENGLISH),
            hints: &Hints::default(),
            awaited: true,
            cancelled: &AtomicBool::new(false),
        };
        self.transcribe(&request).map(drop)
    }

    /// One run of at most [`LONGEST`] samples, of which the first `spoken` are the request's and the rest silence.
    fn run(
        &mut self,
        pcm: &[f32],
        spoken: usize,
        request: &AsrRequest<'_>,
        language: &mut Option<Language>,
    ) -> Result<Run, AsrError> {
        let window = self.model.window(pcm.len());
        let cancelled = request.cancelled;
        self.threads = if request.awaited { self.model.threads.min(1 + threads::idle_cores()) } else { 1 };
        self.encode(pcm, window, cancelled)?;
        let first = self.listen()?;
        let language = *language.get_or_insert_with(|| match self.model.is_multilingual() {
            true => request.languages.choose(spoken as f32 / HEARING_HZ as f32, &first.languages),
            false => Language::ENGLISH,
        });
        let prompt = self.model.prompt(language, request.languages, request.hints)?;
        let mut run = self.decode(prompt.given(), prompt.hints.is_empty(), pcm.len(), cancelled)?;
        let wider = (2 * window).min(FULL_WINDOW);
        if wider > window && phantom::is_runaway(&run.text, pcm.len() as f32 / HEARING_HZ as f32) {
            tracing::debug!(
                window,
                text = run.text,
                "the decoder lost its place: recognized again with a wider window"
            );
            self.encode(pcm, wider, cancelled)?;
            run = self.decode(prompt.given(), false, pcm.len(), cancelled)?;
        }
        if hints::echoes(&run.text, &prompt.text) {
            let mut plain = self.decode(prompt.task.clone(), false, pcm.len(), cancelled)?;
            plain.no_speech = first.no_speech;
            let heard = phantom::clean(&plain.text, &plain.evidence(&pcm[..spoken]));
            if !hints::may_be(&run.text, &heard) {
                tracing::debug!(text = run.text, plain = plain.text, "the decoder wrote its hints");
                run = plain;
            }
        }
        run.no_speech = first.no_speech;
        let length = phantom::without_repetition(&run.text).len();
        run.text.truncate(length);
        Ok(run)
    }

    /// Sets the window and encodes the sound; then the decoder can be asked.
    fn encode(&mut self, pcm: &[f32], window: usize, cancelled: &AtomicBool) -> Result<(), AsrError> {
        // whisper.cpp keeps the window of the last full run. One over the first 100 ms sets the window and the
        // spectrum, and ends before it encodes anything.
        let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        params.set_n_threads(self.threads as c_int);
        params.set_audio_ctx(window as c_int);
        params.set_duration_ms(100);
        self.state.full(params, pcm).map_err(engine)?;
        self.state.encode(0, self.threads).map_err(engine)?;
        wanted(cancelled)
    }

    /// Asks the decoder for its first token.
    fn listen(&mut self) -> Result<First, AsrError> {
        self.step(&[self.model.context.token_sot()], 0)?;
        let context = &self.model.context;
        let nobody = decoding::shares(&self.logits, std::iter::once(context.token_nosp() as usize));
        let languages = (0..self.model.languages()).map(|index| context.token_lang(index as c_int) as usize);
        let languages = decoding::shares(&self.logits, languages);
        Ok(First { no_speech: nobody.first().copied().unwrap_or(0.0), languages })
    }

    /// Lets the decoder write, after it was `given` tokens, of which it has the first already if it `listened` last.
    fn decode(
        &mut self,
        given: Vec<c_int>,
        listened: bool,
        samples: usize,
        cancelled: &AtomicBool,
    ) -> Result<Run, AsrError> {
        let known = usize::from(listened);
        if let Some((last, before)) = given.split_last().filter(|_| known < given.len()) {
            // whisper-rs gives the logits of a step of one token alone.
            if known < before.len() {
                self.step(&before[known..], known)?;
            }
            self.step(&[*last], before.len())?;
        }
        // Speech has at most about six words a second; a decoder that writes more has lost its place.
        let room = usize::try_from(self.model.context.n_text_ctx()).unwrap_or(0) / 2;
        let most_tokens = (16 + samples * 16 / HEARING_HZ as usize).min(room);
        let steps = samples * STEPS_A_SECOND / HEARING_HZ as usize;
        let (mut run, mut written, mut bytes) = (Run::default(), Written::default(), Vec::new());
        for past in given.len()..given.len() + most_tokens {
            wanted(cancelled)?;
            let Some(picked) = self.model.rules.pick(&mut self.logits, &written) else { break };
            if self.model.rules.is_text(picked.token) {
                bytes.extend(self.model.context.token_to_bytes(picked.token as c_int).map_err(engine)?);
                run.probabilities.push(picked.probability);
            }
            if self.model.rules.note(picked.token, steps, &mut written) {
                break;
            }
            self.step(&[picked.token as c_int], past)?;
        }
        run.text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(run)
    }

    fn step(&mut self, tokens: &[c_int], past: usize) -> Result<(), AsrError> {
        self.state.decode(tokens, past, self.threads).map_err(engine)?;
        let logits = self.state.get_logits().map_err(engine)?;
        self.logits.clear();
        self.logits.extend_from_slice(logits);
        Ok(())
    }
}

impl Recognizer for WhisperRecognizer {
    fn name(&self) -> &str {
        &self.model.name
    }

    fn transcribe(&mut self, request: &AsrRequest<'_>) -> Result<Transcript, AsrError> {
        self.model.knows(request.languages)?;
        let mut language = None;
        let mut text = String::new();
        for part in request.pcm.chunks(LONGEST) {
            wanted(request.cancelled)?;
            let padded;
            let pcm = if part.len() < SHORTEST {
                padded = [part, &vec![0.0; SHORTEST - part.len()]].concat();
                &padded
            } else {
                part
            };
            let run = self.run(pcm, part.len(), request, &mut language)?;
            let cleaned = phantom::clean(&run.text, &run.evidence(part));
            if !text.is_empty() && !cleaned.is_empty() {
                text.push(' ');
            }
            text.push_str(&cleaned);
        }
        let language = language.unwrap_or_else(|| request.languages.assumed());
        let text = request.languages.written(language, text);
        let language = language.code().to_owned();
        let seconds = request.pcm.len() as f32 / HEARING_HZ as f32;
        Ok(Transcript { text, language, seconds })
    }
}

/// What the decoder says before it writes.
struct First {
    /// Probability that nobody speaks.
    no_speech: f32,
    /// Of each language that the weights know.
    languages: Vec<f32>,
}

/// What one run of the decoder gave.
#[derive(Debug, Default)]
struct Run {
    text: String,
    /// Of the words' tokens.
    probabilities: Vec<f32>,
    no_speech: f32,
}

impl Run {
    fn evidence(&self, pcm: &[f32]) -> Evidence {
        let logs: f32 = self.probabilities.iter().map(|probability| probability.max(1e-9).ln()).sum();
        Evidence {
            first_token: self.probabilities.first().copied().unwrap_or(0.0),
            tokens: (logs / self.probabilities.len().max(1) as f32).exp(),
            no_speech: self.no_speech,
            loudness: phantom::loudness(pcm),
        }
    }
}

fn wanted(cancelled: &AtomicBool) -> Result<(), AsrError> {
    if cancelled.load(Ordering::Relaxed) { Err(AsrError::Cancelled) } else { Ok(()) }
}

fn engine(error: WhisperError) -> AsrError {
    AsrError::Engine { reason: error.to_string() }
}
