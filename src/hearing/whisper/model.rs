//! The weights: what a file holds, and what its tokens are.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::path::Path;
use std::sync::{Arc, Once};

use whisper_rs::{WhisperContext, WhisperContextParameters};

use super::{WhisperRecognizer, WhisperSettings, engine};
use crate::hearing::asr::AsrError;
use crate::hearing::decoding::Rules;
use crate::hearing::hints::Hints;
use crate::hearing::languages::{Language, Languages};

/// Encoder positions of the full 30 s window; each stands for 20 ms.
pub(super) const FULL_WINDOW: usize = 1500;
/// Samples for each encoder position.
const SAMPLES_A_POSITION: usize = 320;
/// Positions of silence after the sound, by which the decoder sees that it ends.
pub(super) const MARGIN: usize = 64;
/// The tiny weights lose their place in windows below this; the larger ones need no such floor.
const LEAST_WINDOW_OF_TINY: usize = 384;
/// Encoder layers of the tiny weights.
const LAYERS_OF_TINY: c_int = 4;
/// Most tokens of hints. Each costs time, and the model takes 223 at most.
const HINT_TOKENS: usize = 64;
/// Tokens of a vocabulary for many languages that are no languages.
const OTHER_TOKENS: usize = 51_766;

/// The weights, shared by all recognizers.
#[derive(Clone)]
pub struct WhisperModel {
    pub(super) context: Arc<WhisperContext>,
    pub(super) rules: Arc<Rules>,
    pub(super) name: Arc<str>,
    pub(super) threads: usize,
}

impl WhisperModel {
    /// Reads a ggml file.
    pub fn load(path: &Path, settings: WhisperSettings) -> Result<Self, AsrError> {
        static LOGS: Once = Once::new();
        // SAFETY: `log` neither unwinds nor keeps the text.
        LOGS.call_once(|| unsafe { whisper_rs::set_log_callback(Some(log), std::ptr::null_mut()) });
        if !path.is_file() {
            return Err(AsrError::Missing { path: path.to_owned() });
        }
        let mut parameters = WhisperContextParameters::default();
        parameters.use_gpu(false).flash_attn(false);
        let context = WhisperContext::new_with_params(path, parameters)
            .map_err(|error| AsrError::Damaged { path: path.to_owned(), reason: error.to_string() })?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let text = |token: usize| context.token_to_bytes(token as c_int).ok();
        let rules = Rules::new(context.token_eot() as usize, context.token_beg() as usize, text);
        Ok(Self {
            rules: Arc::new(rules),
            context: Arc::new(context),
            name: format!("whisper.cpp {stem}").into(),
            threads: settings.threads.max(1),
        })
    }

    /// False for weights that only know English.
    pub fn is_multilingual(&self) -> bool {
        self.context.is_multilingual()
    }

    /// Whether these weights can hear what may be spoken.
    pub fn knows(&self, languages: &Languages) -> Result<(), AsrError> {
        match self.is_multilingual() || languages.may_be(Language::ENGLISH) {
            true => Ok(()),
            false => {
                Err(AsrError::EnglishOnly { recognizer: self.name.to_string(), language: languages.assumed().name() })
            }
        }
    }

    pub(super) fn window(&self, samples: usize) -> usize {
        let tiny = self.context.model_n_audio_layer() <= LAYERS_OF_TINY;
        window(samples, if tiny { LEAST_WINDOW_OF_TINY } else { 0 })
    }

    /// How many of [`Language`] the weights know.
    pub(super) fn languages(&self) -> usize {
        let tokens = usize::try_from(self.context.n_vocab()).unwrap_or(0);
        if self.is_multilingual() { tokens.saturating_sub(OTHER_TOKENS).min(Language::COUNT) } else { 0 }
    }

    /// What tells the decoder its task.
    pub(super) fn task(&self, language: Language) -> Vec<c_int> {
        let context = &self.context;
        match self.is_multilingual() {
            true => {
                vec![context.token_sot(), context.token_lang(language.index() as c_int), context.token_transcribe()]
            }
            false => vec![context.token_sot()],
        }
    }

    fn tokens(&self, text: &str) -> Result<Vec<c_int>, AsrError> {
        // whisper-rs panics on a NUL.
        let text: String = text.chars().filter(|c| *c != '\0').collect();
        if text.is_empty() { Ok(Vec::new()) } else { self.context.tokenize(&text, text.len() + 1).map_err(engine) }
    }

    pub(super) fn prompt(&self, language: Language, languages: &Languages, hints: &Hints) -> Result<Prompt, AsrError> {
        // What cannot be counted has no room.
        let cost = |text: &str| self.tokens(text).map_or(HINT_TOKENS + 1, |tokens| tokens.len());
        let text = hints.prompt(Some(language), languages.is_traditional(), HINT_TOKENS, cost);
        let mut tokens = self.tokens(&text)?;
        // Joined, the parts may be a few tokens more than they were apart.
        tokens.drain(..tokens.len().saturating_sub(HINT_TOKENS));
        if !tokens.is_empty() {
            tokens.insert(0, self.context.token_prev());
        }
        Ok(Prompt { text, hints: tokens, task: self.task(language) })
    }

    /// A recognizer with its own working memory.
    pub fn recognizer(&self) -> Result<WhisperRecognizer, AsrError> {
        let state = self.context.create_state().map_err(|error| AsrError::State { reason: error.to_string() })?;
        Ok(WhisperRecognizer { model: self.clone(), state, threads: self.threads, logits: Vec::new() })
    }
}

/// What the decoder is given before it writes.
pub struct Prompt {
    /// Of the hints.
    pub text: String,
    pub hints: Vec<c_int>,
    pub task: Vec<c_int>,
}

impl Prompt {
    pub(super) fn given(&self) -> Vec<c_int> {
        [self.hints.as_slice(), &self.task].concat()
    }
}

/// Encoder positions for `samples` of sound and the silence after it.
pub(super) fn window(samples: usize, least: usize) -> usize {
    (samples.div_ceil(SAMPLES_A_POSITION) + MARGIN).max(least).min(FULL_WINDOW)
}

/// whisper.cpp's and ggml's log lines: about their inside, and every failure is also returned.
unsafe extern "C" fn log(_level: c_uint, text: *const c_char, _user: *mut c_void) {
    if !text.is_null() {
        // SAFETY: the library gives a string that ends with NUL and outlives the call.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
        tracing::debug!(target: "whisper.cpp", "{}", text.trim());
    }
}
