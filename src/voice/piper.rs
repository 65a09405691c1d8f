//! A Piper voice (VITS) through ONNX Runtime: text in, sound and timed phonemes out.
//!
//! The way of a clause: words ([`normalize`]), sentences and their punctuation, IPA ([`Phonemizer`]), the voice's
//! ids, one run of the model for each sentence, lengths of phonemes out of the model's inside ([`graph`]),
//! finished sound ([`sound`]). Model: input i64 [1, n], input_lengths i64 [1], scales f32 [3] (noise, length,
//! noise of the rhythm), sid i64 [1] for several speakers -> output f32 [1, 1, 1, samples].

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;
use unicode_normalization::UnicodeNormalization;

use super::phonemes::Phonemizer;
use super::piper_config::{BEGIN, END, PAD, PiperConfig};
use super::sentences::{Sentence, sentences};
use super::timing::{self, Symbol};
use super::{Voice, VoiceError, VoiceStyle, graph, normalize, primary_language, sound};
use crate::media::{Clause, MEDIA_HZ, Speech, TimedPhoneme};
use crate::onnx::{OnnxError, Runtime};

/// Silence after a sentence, and after a clause within one.
const SENTENCE_TAIL_MILLIS: usize = 180;
const CLAUSE_TAIL_MILLIS: usize = 80;
/// Symbols of one run: about 10 s of speech, which bounds its memory (about 15 MB a second).
const LONGEST_RUN: usize = 160;

/// See the module's text.
#[derive(Debug)]
pub struct PiperVoice {
    name: String,
    config: PiperConfig,
    session: Session,
    /// Output that holds each id's length, where the model could be made to give it.
    durations: Option<String>,
    phonemizer: Phonemizer,
}

impl PiperVoice {
    /// Opens the model and its settings file, and starts espeak-ng.
    pub fn load(runtime: &Runtime, model: &Path, config: &Path, threads: usize) -> Result<Self, VoiceError> {
        let config = PiperConfig::read(config)?;
        let mut bytes = match std::fs::read(model) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(OnnxError::Missing { path: model.to_owned() }.into());
            }
            Err(error) => {
                return Err(OnnxError::Damaged { path: model.to_owned(), reason: error.to_string() }.into());
            }
        };
        let durations = graph::add_durations_output(&mut bytes);
        let session = runtime.session_from_bytes(&bytes, model, threads)?;
        for input in ["input", "input_lengths", "scales"] {
            if session.inputs().iter().all(|outlet| outlet.name() != input) {
                let reason = format!("it has no input called {input:?}, so it is not a Piper voice");
                return Err(OnnxError::Damaged { path: model.to_owned(), reason }.into());
            }
        }
        if durations.is_none() {
            tracing::debug!(model = %model.display(), "the voice does not tell the lengths of its phonemes: they are estimated");
        }
        let phonemizer = Phonemizer::start(&config.espeak.voice)?;
        let name = format!("piper {}", if config.dataset.is_empty() { config.language() } else { &config.dataset });
        Ok(Self { name, config, session, durations, phonemizer })
    }

    /// Speaks once into nothing, so that the first real clause finds all memory in place.
    pub fn warm_up(&mut self) -> Result<(), VoiceError> {
        let clause = Clause { turn: Default::default(), index: 0, text: "Hello there, how are you today?".to_owned() };
        self.speak(&clause, &VoiceStyle::default()).map(drop)
    }

    /// Characters of a sentence as the voice was trained on them: IPA and punctuation, decomposed (NFD).
    fn symbols(&mut self, sentence: &Sentence) -> Result<Vec<char>, VoiceError> {
        let mut symbols = Vec::new();
        for part in &sentence.parts {
            let ipa = self.phonemizer.phonemes(&part.text)?;
            if ipa.is_empty() {
                continue;
            }
            if !symbols.is_empty() {
                symbols.push(' ');
            }
            symbols.extend(ipa.nfd());
            symbols.extend(part.punctuation);
        }
        symbols.retain(|&symbol| !self.config.ids(symbol).is_empty());
        Ok(symbols)
    }

    /// The model's sound for `symbols`, with the length of each.
    fn run(&mut self, symbols: &[char], speed: f32) -> Result<(Vec<f32>, Vec<Symbol>), VoiceError> {
        let mut ids = Vec::with_capacity(2 * symbols.len() + 3);
        // Index of the first id of each symbol; what follows up to the next one is its own, the padding included.
        let mut starts = Vec::with_capacity(symbols.len() + 2);
        let framed: Vec<char> = std::iter::once(BEGIN).chain(symbols.iter().copied()).chain([END]).collect();
        for &symbol in &framed {
            starts.push(ids.len());
            ids.extend(self.config.ids(symbol));
            if symbol != END {
                ids.extend(self.config.ids(PAD));
            }
        }
        let inference = &self.config.inference;
        let scales = [inference.noise_scale, inference.length_scale / speed, inference.noise_w];
        let (pcm, durations) = self.infer(&ids, &scales).map_err(|error| OnnxError::run(&self.name, error))?;

        let total: f32 = durations.iter().sum();
        if durations.len() != ids.len() || total <= 0.0 {
            return Ok((pcm.clone(), timing::spread(&framed, pcm.len())));
        }
        // A hop of 256 samples in all known voices; this way it need not be known.
        let hop = pcm.len() as f64 / f64::from(total);
        let ends = starts.iter().skip(1).copied().chain([ids.len()]);
        let timed = framed.iter().zip(&starts).zip(ends).map(|((&symbol, &start), end)| Symbol {
            symbol,
            samples: f64::from(durations[start..end].iter().sum::<f32>()) * hop,
        });
        Ok((pcm, timed.collect()))
    }

    /// Sound and, if the model gives them, lengths of the ids in hops.
    fn infer(&mut self, ids: &[i64], scales: &[f32; 3]) -> ort::Result<(Vec<f32>, Vec<f32>)> {
        let length = [ids.len() as i64];
        let mut inputs = ort::inputs![
            "input" => TensorRef::from_array_view(([1, ids.len()], ids))?,
            "input_lengths" => TensorRef::from_array_view(([1usize], &length[..]))?,
            "scales" => TensorRef::from_array_view(([3usize], &scales[..]))?,
        ];
        let speaker = [0_i64];
        if self.config.num_speakers > 1 {
            inputs.push(("sid".into(), TensorRef::from_array_view(([1usize], &speaker[..]))?.into()));
        }
        let outputs = self.session.run(inputs)?;
        let (_, pcm) = outputs[0].try_extract_tensor::<f32>()?;
        let durations = match self.durations.as_deref().and_then(|name| outputs.get(name)) {
            Some(durations) => durations.try_extract_tensor::<f32>()?.1.to_vec(),
            None => Vec::new(),
        };
        Ok((pcm.to_vec(), durations))
    }

    /// Appends one run's sound and phonemes to the speech.
    fn append(&mut self, speech: &mut Speech, symbols: &[char], speed: f32, tail: usize) -> Result<(), VoiceError> {
        let (pcm, symbols) = self.run(symbols, speed)?;
        let rate = self.config.audio.sample_rate;
        let Some(trim) = sound::trim(&pcm, rate, tail) else { return Ok(()) };
        let before = speech.pcm.len() as u64;
        speech.pcm.extend(sound::finish(&pcm, rate, trim)?);
        let end = speech.pcm.len() as u64;
        let tick = |sample: u64| {
            let kept = sample.saturating_sub(trim.start as u64);
            (before + kept * u64::from(MEDIA_HZ) / u64::from(rate)).min(end)
        };
        for phoneme in timing::phonemes(&symbols, rate) {
            let (start, end) = (tick(phoneme.start), tick(phoneme.end));
            if end > start {
                speech.phonemes.push(TimedPhoneme { start, end, ..phoneme });
            }
        }
        // The tail may be longer than what the model gave.
        match speech.phonemes.last_mut() {
            Some(last) if last.ipa.is_empty() => last.end = end,
            Some(last) if last.end < end => {
                let start = last.end;
                speech.phonemes.push(TimedPhoneme { ipa: "".into(), start, end, stressed: false });
            }
            _ => {}
        }
        Ok(())
    }

    fn can_read(&self, text: &str) -> bool {
        const OTHER_SCRIPTS: &[&str] = &["ar", "el", "fa", "hi", "ja", "ka", "kk", "ko", "ne", "ru", "sr", "uk", "zh"];
        if OTHER_SCRIPTS.contains(&primary_language(self.config.language()).as_str()) {
            return true;
        }
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        let latin = text.chars().filter(|&c| is_latin(c)).count();
        letters == 0 || latin * 2 >= letters
    }
}

impl Voice for PiperVoice {
    fn name(&self) -> &str {
        &self.name
    }

    fn speaks(&self, language: &str) -> bool {
        primary_language(language) == primary_language(self.config.language())
    }

    fn speak(&mut self, clause: &Clause, style: &VoiceStyle) -> Result<Speech, VoiceError> {
        let mut speech = Speech {
            turn: clause.turn,
            clause: clause.index,
            text: clause.text.clone(),
            pcm: Vec::new(),
            phonemes: Vec::new(),
            words: Vec::new(),
        };
        let text = normalize::for_speech(&clause.text, self.config.language());
        if !self.can_read(&text) {
            return Err(VoiceError::Unspeakable { voice: self.name.clone(), text: clause.text.clone() });
        }
        for sentence in sentences(&text) {
            let symbols = self.symbols(&sentence)?;
            let tail = if sentence.is_complete() { SENTENCE_TAIL_MILLIS } else { CLAUSE_TAIL_MILLIS };
            let mut rest = symbols.as_slice();
            while rest.iter().any(|symbol| symbol.is_alphabetic()) {
                let (now, later) = rest.split_at(run_length(rest));
                let tail = if later.is_empty() { tail } else { CLAUSE_TAIL_MILLIS };
                self.append(&mut speech, now, style.clamped_speed(), tail)?;
                rest = later;
            }
        }
        Ok(speech)
    }
}

/// How many of `symbols` go into one run: all, or up to the last space that fits.
fn run_length(symbols: &[char]) -> usize {
    if symbols.len() <= LONGEST_RUN {
        return symbols.len();
    }
    let space = symbols[..LONGEST_RUN].iter().rposition(|&symbol| symbol == ' ');
    space.map_or(LONGEST_RUN, |at| at + 1)
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic()
        || matches!(c, '\u{AA}' | '\u{BA}' | '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' | '\u{FB00}'..='\u{FB06}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::TurnId;
    use crate::testing::weight;

    type Outcome = Result<(), VoiceError>;

    fn joe() -> Result<PiperVoice, VoiceError> {
        let runtime = Runtime::load(&weight("onnxruntime"))?;
        PiperVoice::load(&runtime, &weight("piper-joe"), &weight("piper-joe-config"), 1)
    }

    fn clause(text: &str) -> Clause {
        Clause { turn: TurnId(3), index: 1, text: text.to_owned() }
    }

    fn seconds(speech: &Speech) -> f32 {
        speech.pcm.len() as f32 / MEDIA_HZ as f32
    }

    #[test]
    fn a_sentence_has_sound_and_phonemes_that_fit_each_other() -> Outcome {
        let speech = joe()?.speak(&clause("Hello there! I'm choosing five blue toys."), &VoiceStyle::default())?;
        assert_eq!((speech.turn, speech.clause), (TurnId(3), 1));
        assert!((1.5..5.0).contains(&seconds(&speech)), "{} s", seconds(&speech));
        let peak = speech.pcm.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        assert!((3_000..29_200).contains(&peak), "peak {peak}");

        let said: Vec<&str> = speech.phonemes.iter().map(|p| &*p.ipa).filter(|ipa| !ipa.is_empty()).collect();
        assert_eq!(&said[..6], ["h", "ə", "l", "oʊ", "ð", "ɛ"]);
        for whole in ["aɪ", "tʃ", "uː", "ɔɪ"] {
            assert!(said.contains(&whole), "{whole} in {said:?}");
        }
        assert!(speech.phonemes.iter().any(|p| p.stressed));
        assert!(speech.phonemes.windows(2).all(|pair| pair[0].end <= pair[1].start), "{:?}", speech.phonemes);
        assert_eq!(speech.phonemes.last().map(|p| p.end), Some(speech.pcm.len() as u64));

        // Where the phonemes say it is quiet, it is: the pause after the last word.
        let Some(pause) = speech.phonemes.last() else { return Ok(()) };
        let tail = &speech.pcm[pause.end as usize - 4800..pause.end as usize];
        assert!(pause.ipa.is_empty() && tail.iter().all(|s| s.abs() < 600));
        Ok(())
    }

    #[test]
    fn speed_changes_the_length() -> Outcome {
        let mut joe = joe()?;
        let mut at = |speed| {
            let speech = joe.speak(&clause("This is a test of the speed of speech."), &VoiceStyle { speed })?;
            Ok::<_, VoiceError>(seconds(&speech))
        };
        let (slow, normal, fast) = (at(0.5)?, at(1.0)?, at(1.5)?);
        assert!(slow > 1.6 * normal && fast < 0.85 * normal, "{slow} {normal} {fast}");
        Ok(())
    }

    #[test]
    fn nothing_to_say_gives_no_sound_and_another_script_is_refused() -> Outcome {
        let mut joe = joe()?;
        for text in ["", "...", "😀 !!", "**"] {
            assert!(joe.speak(&clause(text), &VoiceStyle::default())?.pcm.is_empty(), "{text:?}");
        }
        let refused = joe.speak(&clause("法国的首都是巴黎。"), &VoiceStyle::default());
        assert!(matches!(refused, Err(VoiceError::Unspeakable { .. })));
        assert!(joe.speaks("en-GB") && joe.speaks("en") && !joe.speaks("zh"));
        Ok(())
    }

    #[test]
    fn a_voice_whose_lengths_are_hidden_still_moves_the_mouth() -> Outcome {
        let mut joe = joe()?;
        joe.durations = None;
        let speech = joe.speak(&clause("Hello there, my friend."), &VoiceStyle::default())?;
        assert!(speech.phonemes.len() > 10);
        assert_eq!(speech.phonemes.last().map(|p| p.end), Some(speech.pcm.len() as u64));
        Ok(())
    }

    #[test]
    fn a_settings_file_that_is_not_one_is_named() -> Outcome {
        let runtime = Runtime::load(&weight("onnxruntime"))?;
        let loaded = PiperVoice::load(&runtime, &weight("piper-joe"), &weight("beckett"), 1).map(drop);
        assert!(loaded.is_err_and(|error| error.to_string().contains("cannot be used")));
        Ok(())
    }
}
