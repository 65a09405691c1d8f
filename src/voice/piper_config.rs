//! The settings file beside a Piper voice (`.onnx.json`): which symbols it knows, its rate and its scales.
//! Source: rhasspy/piper, TRAINING.md and the voices' own files; unknown keys are other tools' business.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::VoiceError;

#[derive(Debug, Deserialize)]
pub struct PiperConfig {
    pub audio: Audio,
    pub espeak: Espeak,
    #[serde(default)]
    pub inference: Inference,
    #[serde(default)]
    pub language: Language,
    #[serde(default)]
    pub dataset: String,
    #[serde(default = "one")]
    pub num_speakers: u32,
    /// Usually one character to one id; a voice may spell a symbol with several ids.
    pub phoneme_id_map: HashMap<String, Vec<i64>>,
}

#[derive(Debug, Deserialize)]
pub struct Audio {
    pub sample_rate: u32,
}

#[derive(Debug, Deserialize)]
pub struct Espeak {
    pub voice: String,
}

/// VITS scales: how varied the sound, how long, how varied the rhythm.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct Inference {
    pub noise_scale: f32,
    pub length_scale: f32,
    pub noise_w: f32,
}

impl Default for Inference {
    fn default() -> Self {
        Self { noise_scale: 0.667, length_scale: 1.0, noise_w: 0.8 }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Language {
    pub code: String,
}

fn one() -> u32 {
    1
}

impl PiperConfig {
    pub fn read(path: &Path) -> Result<Self, VoiceError> {
        let failed = |reason: String| VoiceError::Config { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let config: Self = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        if !(8_000..=48_000).contains(&config.audio.sample_rate) {
            return Err(failed(format!("a sample rate of {} Hz", config.audio.sample_rate)));
        }
        for symbol in [BEGIN, PAD, END] {
            if config.ids(symbol).is_empty() {
                return Err(failed(format!("it has no id for the symbol {symbol:?}")));
            }
        }
        Ok(config)
    }

    /// Ids of a symbol; none if the voice does not know it.
    pub fn ids(&self, symbol: char) -> &[i64] {
        let mut bytes = [0; 4];
        self.phoneme_id_map.get(symbol.encode_utf8(&mut bytes) as &str).map_or(&[], Vec::as_slice)
    }

    /// `en-US`, or what espeak-ng's voice says where the file names no language.
    pub fn language(&self) -> &str {
        if self.language.code.is_empty() { &self.espeak.voice } else { &self.language.code }
    }
}

/// Before a sentence.
pub const BEGIN: char = '^';
/// After the beginning and after every symbol.
pub const PAD: char = '_';
/// After a sentence.
pub const END: char = '$';
