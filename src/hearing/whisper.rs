//! Whisper through whisper.cpp (crate `whisper-rs`): ggml weights in, text out.
//!
//! The only file that knows the crate. Weights are shared, working memory is each recognizer's own. Two things
//! make it quick on a processor: greedy decoding, and an encoder window cut to the sound (`audio_ctx`) instead of
//! the full 30 s. In a cut window the decoder sometimes repeats itself. Two things keep it from that: it writes
//! timestamps, so that it knows where the sound ends, and flash attention stays off, because whisper.cpp pads
//! its keys to 256 positions and attends to what an earlier run left there. What repeats all the same is
//! recognized again in a wider window.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

use serde::{Deserialize, Serialize};
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError, WhisperState, get_lang_id,
    get_lang_str,
};

use super::asr::{AsrError, AsrRequest, Recognizer, Transcript};
use super::phantom::{self, Evidence};
use crate::media::HEARING_HZ;
use crate::threads;

/// Encoder positions of the full 30 s window; each stands for 20 ms.
const FULL_WINDOW: usize = 1500;
/// Samples for each encoder position.
const SAMPLES_A_POSITION: usize = 320;
/// Positions of silence after the sound, by which the decoder sees that it ends.
const MARGIN: usize = 64;
/// The tiny weights lose their place in windows below this; the larger ones need no such floor.
const LEAST_WINDOW_OF_TINY: usize = 384;
/// Decoder layers of the tiny weights.
const LAYERS_OF_TINY: c_int = 4;
/// Longest sound in one go: 30 s less a margin.
const LONGEST: usize = 29 * HEARING_HZ as usize;
/// Shorter sounds get silence after them: on less than a second the model makes words up.
const SHORTEST: usize = HEARING_HZ as usize;
/// Whisper writes Chinese in either script; text in one before it makes it stay with that one.
const SIMPLIFIED: &str = "以下是普通话的句子。";

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

/// The weights, shared by all recognizers.
#[derive(Clone)]
pub struct WhisperModel {
    context: Arc<WhisperContext>,
    name: Arc<str>,
    threads: usize,
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
        Ok(Self {
            context: Arc::new(context),
            name: format!("whisper.cpp {stem}").into(),
            threads: settings.threads.max(1),
        })
    }

    /// False for weights that only know English.
    pub fn is_multilingual(&self) -> bool {
        self.context.is_multilingual()
    }

    fn window(&self, samples: usize) -> usize {
        let tiny = self.context.model_n_text_layer() <= LAYERS_OF_TINY;
        window(samples, if tiny { LEAST_WINDOW_OF_TINY } else { 0 })
    }

    /// A recognizer with its own working memory.
    pub fn recognizer(&self) -> Result<WhisperRecognizer, AsrError> {
        let state = self.context.create_state().map_err(|error| AsrError::State { reason: error.to_string() })?;
        Ok(WhisperRecognizer { model: self.clone(), state, params: HashMap::new(), threads: self.threads })
    }
}

/// Parameters for one language, made once: each call of `set_language` leaks its string.
struct LanguageParams(FullParams<'static, 'static>);

// SAFETY: what keeps FullParams from being Send are its boxed callbacks, and none is ever set here; its raw
// pointers are to the leaked language and to whisper.cpp's static defaults.
unsafe impl Send for LanguageParams {}

/// See the module's text.
pub struct WhisperRecognizer {
    model: WhisperModel,
    state: WhisperState,
    params: HashMap<c_int, LanguageParams>,
    /// Of this run.
    threads: usize,
}

impl WhisperRecognizer {
    /// Runs once over silence, so that the first real sound finds all memory in place.
    pub fn warm_up(&mut self) -> Result<(), AsrError> {
        let request = AsrRequest {
            pcm: &[0.0; SHORTEST],
            language: Some("en"),
            prompt: None,
            awaited: true,
            cancelled: &AtomicBool::new(false),
        };
        self.transcribe(&request).map(drop)
    }

    /// One run of at most [`LONGEST`] samples.
    fn run(&mut self, pcm: &[f32], request: &AsrRequest<'_>, language: &mut Option<c_int>) -> Result<Run, AsrError> {
        let window = self.model.window(pcm.len());
        self.threads = if request.awaited { self.model.threads.min(1 + threads::idle_cores()) } else { 1 };
        let spoken = match *language {
            Some(known) => known,
            None => *language.insert(self.detect(pcm, window)?),
        };
        let prompt = self.prompt(spoken, request.prompt)?;
        let seconds = pcm.len() as f32 / HEARING_HZ as f32;
        let mut run = self.decode(pcm, window, spoken, &prompt, request.cancelled)?;
        let wider = (2 * window).min(FULL_WINDOW);
        if wider > window && phantom::is_runaway(&run.text, seconds) {
            tracing::debug!(
                window,
                text = run.text,
                "the decoder lost its place: recognized again with a wider window"
            );
            run = self.decode(pcm, wider, spoken, &prompt, request.cancelled)?;
        }
        let length = phantom::without_repetition(&run.text).len();
        run.text.truncate(length);
        Ok(run)
    }

    fn decode(
        &mut self,
        pcm: &[f32],
        window: usize,
        language: c_int,
        prompt: &[c_int],
        cancelled: &AtomicBool,
    ) -> Result<Run, AsrError> {
        // Speech has at most about six words a second; a decoder that writes more has lost its place.
        let most_tokens = 16 + pcm.len() * 16 / HEARING_HZ as usize;
        let mut params: FullParams<'_, '_> = self.params(language).clone();
        params.set_audio_ctx(window as c_int);
        params.set_max_tokens(most_tokens as c_int);
        if !prompt.is_empty() {
            params.set_tokens(prompt);
        }
        // SAFETY: the callback only reads the flag, which outlives this call, and the parameters end with it.
        unsafe {
            params.set_abort_callback(Some(is_cancelled));
            params.set_abort_callback_user_data(std::ptr::from_ref(cancelled).cast_mut().cast::<c_void>());
        }
        if let Err(error) = self.state.full(params, pcm) {
            return Err(match cancelled.load(Ordering::Relaxed) {
                true => AsrError::Cancelled,
                false => engine(error),
            });
        }
        let mut run = Run::default();
        let first_special = self.model.context.token_eot();
        for segment in self.state.as_iter() {
            run.text.push_str(&segment.to_str_lossy().map_err(engine)?);
            let tokens = (0..segment.n_tokens()).filter_map(|index| segment.get_token(index));
            let words = tokens.filter(|token| token.token_id() < first_special);
            run.probabilities.extend(words.map(|token| token.token_probability()));
        }
        Ok(run)
    }

    fn params(&mut self, language: c_int) -> &FullParams<'static, 'static> {
        let threads = self.threads as c_int;
        let params = self.params.entry(language).or_insert_with(|| {
            let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
            params.set_language(get_lang_str(language).or(Some("en")));
            params.set_no_context(true);
            params.set_no_timestamps(false);
            params.set_single_segment(true);
            params.set_suppress_blank(true);
            params.set_suppress_nst(true);
            params.set_temperature(0.0);
            params.set_temperature_inc(0.0);
            params.set_print_progress(false);
            params.set_print_realtime(false);
            params.set_print_special(false);
            params.set_print_timestamps(false);
            LanguageParams(params)
        });
        params.0.set_n_threads(threads);
        &params.0
    }

    /// The language of the sound; costs one more run of the encoder.
    fn detect(&mut self, pcm: &[f32], window: usize) -> Result<c_int, AsrError> {
        if !self.model.is_multilingual() {
            return Ok(ENGLISH);
        }
        // whisper.cpp keeps the window of the last run for detection. A run over the first 100 ms sets the window
        // and the spectrum, and ends before it encodes anything.
        let mut params = self.params(ENGLISH).clone();
        params.set_audio_ctx(window as c_int);
        params.set_duration_ms(100);
        self.state.full(params, pcm).map_err(engine)?;
        let (language, _) = self.state.lang_detect(0, self.threads).map_err(engine)?;
        Ok(language)
    }

    fn prompt(&self, language: c_int, words: Option<&str>) -> Result<Vec<c_int>, AsrError> {
        let mut text = String::new();
        if self.model.is_multilingual() && get_lang_str(language) == Some("zh") {
            text.push_str(SIMPLIFIED);
        }
        // whisper-rs panics on a NUL.
        text.extend(words.unwrap_or_default().chars().filter(|c| *c != '\0'));
        if text.is_empty() {
            return Ok(Vec::new());
        }
        self.model.context.tokenize(&text, text.len() + 1).map_err(engine)
    }
}

impl Recognizer for WhisperRecognizer {
    fn name(&self) -> &str {
        &self.model.name
    }

    fn transcribe(&mut self, request: &AsrRequest<'_>) -> Result<Transcript, AsrError> {
        let mut language = request.language.map(language_id).transpose()?;
        if !self.model.is_multilingual() {
            language = Some(ENGLISH);
        }
        let mut text = String::new();
        for part in request.pcm.chunks(LONGEST) {
            if request.cancelled.load(Ordering::Relaxed) {
                return Err(AsrError::Cancelled);
            }
            let padded;
            let pcm = if part.len() < SHORTEST {
                padded = [part, &vec![0.0; SHORTEST - part.len()]].concat();
                &padded
            } else {
                part
            };
            let run = self.run(pcm, request, &mut language)?;
            let cleaned = phantom::clean(&run.text, &run.evidence(part));
            if !text.is_empty() && !cleaned.is_empty() {
                text.push(' ');
            }
            text.push_str(&cleaned);
        }
        let code = language.and_then(get_lang_str).unwrap_or("en");
        let seconds = request.pcm.len() as f32 / HEARING_HZ as f32;
        Ok(Transcript { text, language: code.to_owned(), seconds })
    }
}

/// What one run of the decoder gave.
#[derive(Debug, Default)]
struct Run {
    text: String,
    /// Of the words' tokens.
    probabilities: Vec<f32>,
}

impl Run {
    fn evidence(&self, pcm: &[f32]) -> Evidence {
        let logs: f32 = self.probabilities.iter().map(|probability| probability.max(1e-9).ln()).sum();
        Evidence {
            first_token: self.probabilities.first().copied().unwrap_or(0.0),
            tokens: (logs / self.probabilities.len().max(1) as f32).exp(),
            loudness: loudness(pcm),
        }
    }
}

/// whisper.cpp's number of English.
const ENGLISH: c_int = 0;

unsafe extern "C" fn is_cancelled(flag: *mut c_void) -> bool {
    // SAFETY: `decode` gives a pointer to a flag that lives until the run has ended.
    unsafe { &*flag.cast::<AtomicBool>() }.load(Ordering::Relaxed)
}

/// whisper.cpp's and ggml's log lines: about their inside, and every failure is also returned.
unsafe extern "C" fn log(_level: c_uint, text: *const c_char, _user: *mut c_void) {
    if !text.is_null() {
        // SAFETY: the library gives a string that ends with NUL and outlives the call.
        let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
        tracing::debug!(target: "whisper.cpp", "{}", text.trim());
    }
}

fn engine(error: WhisperError) -> AsrError {
    AsrError::Engine { reason: error.to_string() }
}

fn language_id(code: &str) -> Result<c_int, AsrError> {
    let primary = code.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    // whisper-rs panics on a NUL.
    let known = if primary.contains('\0') { None } else { get_lang_id(&primary) };
    known.ok_or_else(|| AsrError::UnknownLanguage { language: code.to_owned() })
}

/// Encoder positions for `samples` of sound and the silence after it.
fn window(samples: usize, least: usize) -> usize {
    (samples.div_ceil(SAMPLES_A_POSITION) + MARGIN).max(least).min(FULL_WINDOW)
}

/// RMS of the loudest tenth of a second.
fn loudness(pcm: &[f32]) -> f32 {
    let energy = |chunk: &[f32]| chunk.iter().map(|s| s * s).sum::<f32>() / chunk.len() as f32;
    pcm.chunks(HEARING_HZ as usize / 10).map(energy).fold(0.0, f32::max).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::weight;

    type Outcome = Result<(), Box<dyn std::error::Error>>;

    fn recognizer(name: &str) -> Result<WhisperRecognizer, AsrError> {
        WhisperModel::load(&weight(name), WhisperSettings::default())?.recognizer()
    }

    /// "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."
    fn recording() -> Result<Vec<f32>, hound::Error> {
        hound::WavReader::open(weight("beckett"))?.samples::<i16>().map(|s| Ok(f32::from(s?) / 32768.0)).collect()
    }

    fn request<'a>(pcm: &'a [f32], language: Option<&'a str>, cancelled: &'a AtomicBool) -> AsrRequest<'a> {
        AsrRequest { pcm, language, prompt: None, awaited: true, cancelled }
    }

    #[test]
    fn a_recording_becomes_its_words_and_its_language_is_found() -> Outcome {
        let pcm = recording()?;
        for name in ["whisper-tiny-en", "whisper-base"] {
            let said = recognizer(name)?.transcribe(&request(&pcm, None, &AtomicBool::new(false)))?;
            let words = said.text.to_lowercase();
            for part in ["ever tried", "ever failed", "no matter", "try again", "fail again", "fail better"] {
                assert!(words.contains(part), "{name}: {part:?} in {words:?}");
            }
            assert_eq!(said.language, "en");
            assert!((said.seconds - 9.96).abs() < 0.01, "{said:?}");
        }
        Ok(())
    }

    #[test]
    fn silence_and_noise_have_no_words() -> Outcome {
        let mut recognizer = recognizer("whisper-tiny-en")?;
        let flag = AtomicBool::new(false);
        assert_eq!(recognizer.transcribe(&request(&[], None, &flag))?.text, "");
        assert_eq!(recognizer.transcribe(&request(&[0.0; 20_000], None, &flag))?.text, "");
        let mut seed = 1_u32;
        let hiss: Vec<f32> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as f32 / 65_536.0 * 0.002
        })
        .take(30_000)
        .collect();
        assert_eq!(recognizer.transcribe(&request(&hiss, None, &flag))?.text, "");
        Ok(())
    }

    #[test]
    fn work_that_nobody_wants_ends_early_and_the_next_is_done() -> Outcome {
        let (pcm, mut recognizer) = (recording()?, recognizer("whisper-tiny-en")?);
        // Set from the start, so what ends it must be looked at inside the run as well as before it.
        let cancelled = AtomicBool::new(true);
        let window = recognizer.model.window(pcm.len());
        let ended = recognizer.decode(&pcm, window, ENGLISH, &[], &cancelled).map(drop);
        assert!(matches!(ended, Err(AsrError::Cancelled)), "{ended:?}");
        let ended = recognizer.transcribe(&request(&pcm, None, &cancelled));
        assert!(matches!(ended, Err(AsrError::Cancelled)), "{ended:?}");
        assert!(!recognizer.transcribe(&request(&pcm, None, &AtomicBool::new(false)))?.text.is_empty());
        Ok(())
    }

    #[test]
    fn a_missing_or_damaged_file_and_an_unknown_language_are_named() -> Outcome {
        let missing = WhisperModel::load(Path::new("/nowhere/ggml.bin"), WhisperSettings::default()).map(drop);
        assert!(missing.is_err_and(|error| error.to_string().contains("/nowhere/ggml.bin is missing")));
        let damaged = WhisperModel::load(&weight("beckett"), WhisperSettings::default()).map(drop);
        assert!(damaged.is_err_and(|error| error.to_string().contains("visavis models verify")));
        for language in ["tlh", "e\0n", ""] {
            let unknown = language_id(language);
            assert!(matches!(unknown, Err(AsrError::UnknownLanguage { .. })), "{language:?}");
        }
        assert!(matches!((language_id("en-US"), language_id("ZH_cn")), (Ok(ENGLISH), Ok(1))));
        Ok(())
    }

    #[test]
    fn the_window_covers_the_sound_and_never_more_than_the_model_has() {
        assert_eq!(window(16_000, 0), 50 + MARGIN);
        assert_eq!(window(16_000, 384), 384);
        assert_eq!(window(LONGEST, 0), FULL_WINDOW);
    }
}
