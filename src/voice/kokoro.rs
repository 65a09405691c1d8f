//! Kokoro (StyleTTS 2) through ONNX Runtime: one network, many voices and languages.
//!
//! Model: tokens i64 [1, n] with a 0 at both ends, style f32 [1, 256], speed f32 [1] -> audio f32 at 24 kHz. A voice is a
//! file of 510 styles, one for each number of tokens. How long each token lasts is the result of its only `Round`
//! node, in hops of 600 samples; it is made an output when the model is loaded. Its decoder normalises over the whole
//! sentence, so it cannot be cut in time: a sentence is made as a whole. Source: hexgrad/Kokoro-82M.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ort::session::Session;
use ort::value::TensorRef;

use super::kokoro_symbols::{PAD, sounds, spelt, token};
use super::network::{Inside, Network, Run, Tongue};
use super::timing::{self, Symbol, TimedSymbol};
use super::{VoiceError, VoiceStyle, graph};
use crate::onnx::{OnnxError, Runtime};

const RATE: u32 = 24_000;
/// Values of a style, and styles of a voice.
const STYLE: usize = 256;
const STYLES: usize = 510;
/// See [`Network::longest_run`]; fewer tokens than there are styles.
const LONGEST_RUN: usize = 180;
/// At speed 1 the sound comes this much before its lengths tell: vowels, stops and hisses of fifteen voices lie 52 to
/// 63 ms early, as much at a sentence's end as at its beginning, and less the faster it is said (models/lips/aligned.py).
const EARLY_SECONDS: f64 = 0.058;

/// See the module's text.
pub struct Kokoro {
    session: Session,
    durations: Option<String>,
    /// Folder of the voices' files.
    voices: PathBuf,
    /// Those that were read.
    styles: HashMap<String, Vec<f32>>,
}

/// Languages by the first letter of a voice's name: tag, and espeak-ng's name.
const LANGUAGES: &[(char, &str, &str)] = &[
    ('a', "en-US", "en-us"),
    ('b', "en-GB", "en-gb"),
    ('e', "es", "es"),
    ('f', "fr", "fr-fr"),
    ('h', "hi", "hi"),
    ('i', "it", "it"),
    ('p', "pt-BR", "pt-br"),
    ('z', "zh", "en-us"),
];

/// Language tag and espeak-ng's name for a voice such as `zf_xiaobei`; `None` for languages that cannot be read here.
pub fn tongue(speaker: &str) -> Option<Tongue<'static>> {
    let first = speaker.chars().next()?;
    let (_, language, espeak) = LANGUAGES.iter().find(|(letter, ..)| *letter == first)?;
    Some(Tongue { language, espeak, pinyin: *language == "zh" })
}

impl Kokoro {
    /// `voices`: folder of files `NAME.bin`, f32 little endian [510, 1, 256].
    pub fn load(runtime: &Runtime, model: &Path, voices: &Path, threads: usize) -> Result<Self, VoiceError> {
        let mut bytes = std::fs::read(model).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => OnnxError::Missing { path: model.to_owned() },
            _ => OnnxError::Damaged { path: model.to_owned(), reason: error.to_string() },
        })?;
        let durations = graph::show(&mut bytes, "Round");
        let session = runtime.session_from_bytes(&bytes, model, threads)?;
        for input in ["tokens", "style", "speed"] {
            if session.inputs().iter().all(|outlet| outlet.name() != input) {
                let reason = format!("it has no input called {input:?}, so it is not Kokoro");
                return Err(OnnxError::Damaged { path: model.to_owned(), reason }.into());
            }
        }
        Ok(Self { session, durations, voices: voices.to_owned(), styles: HashMap::new() })
    }

    fn styles(&mut self, speaker: &str) -> Result<&[f32], OnnxError> {
        if !self.styles.contains_key(speaker) {
            let path = self.voices.join(format!("{speaker}.bin"));
            let bytes = std::fs::read(&path).map_err(|_| OnnxError::Missing { path: path.clone() })?;
            let styles: Vec<f32> = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            if styles.len() != STYLE * STYLES || styles.iter().any(|value| !value.is_finite()) {
                let reason = format!("it does not hold {STYLES} styles of {STYLE} numbers");
                return Err(OnnxError::Damaged { path, reason });
            }
            self.styles.insert(speaker.to_owned(), styles);
        }
        Ok(&self.styles[speaker])
    }

    fn speak(&mut self, symbols: &[Symbol], style: &[f32], speed: f32) -> ort::Result<Run> {
        let mark = Symbol { symbol: PAD, word: None };
        let framed: Vec<Symbol> = [mark].iter().chain(symbols).chain(&[mark]).copied().collect();
        let tokens: Vec<i64> = framed.iter().map(|symbol| token(symbol.symbol).unwrap_or(0)).collect();
        let speed = [speed];
        let inputs = ort::inputs![
            "tokens" => TensorRef::from_array_view(([1, tokens.len()], &tokens[..]))?,
            "style" => TensorRef::from_array_view(([1, STYLE], style))?,
            "speed" => TensorRef::from_array_view(([1usize], &speed[..]))?,
        ];
        let outputs = self.session.run(inputs)?;
        let pcm = outputs[0].try_extract_tensor::<f32>()?.1.to_vec();
        let durations = self.durations.as_deref().and_then(|name| outputs.get(name));
        let durations: Vec<f32> = match durations {
            Some(durations) => durations.try_extract_tensor::<f32>()?.1.to_vec(),
            None => Vec::new(),
        };
        let total = durations.iter().sum::<f32>();
        if durations.len() != framed.len() || total <= 0.0 {
            let timed = timing::spread(&framed, pcm.len());
            return Ok(Run::whole(timed.into_iter().flat_map(sounds).collect(), pcm));
        }
        let hop = pcm.len() as f64 / f64::from(total);
        let timed = framed.iter().zip(&durations);
        let timed = timed.map(|(&symbol, &hops)| TimedSymbol { symbol, samples: f64::from(hops) * hop });
        let mut timed: Vec<TimedSymbol> = timed.flat_map(sounds).collect();
        timing::earlier(&mut timed, EARLY_SECONDS / f64::from(speed[0]) * f64::from(RATE));
        Ok(Run::whole(timed, pcm))
    }
}

impl Network for Kokoro {
    fn name(&self) -> &str {
        "kokoro"
    }

    fn rate(&self) -> u32 {
        RATE
    }

    fn tongue(&self, style: &VoiceStyle) -> Tongue<'_> {
        tongue(&style.speaker).unwrap_or(Tongue { language: "en-US", espeak: "en-us", pinyin: false })
    }

    fn spelt(&self, symbols: Vec<Symbol>, language: &str) -> Vec<Symbol> {
        spelt(symbols, language)
    }

    fn longest_run(&self) -> usize {
        LONGEST_RUN
    }

    fn run(&mut self, symbols: &[Symbol], style: &VoiceStyle) -> Result<Run, OnnxError> {
        let row = symbols.len().min(STYLES - 1) * STYLE;
        let row = self.styles(&style.speaker)?[row..row + STYLE].to_vec();
        self.speak(symbols, &row, style.clamped_speed()).map_err(|error| OnnxError::run("Kokoro", error))
    }

    fn sound(&mut self, run: &Run, _hops: Range<usize>) -> Result<Vec<f32>, OnnxError> {
        match &run.inside {
            Inside::Sound(pcm) | Inside::Latent(pcm) => Ok(pcm.clone()),
        }
    }
}
