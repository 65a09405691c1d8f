//! The networks of a Piper voice (VITS): symbols become ids, ids become sound, by the stretch.
//!
//! Whole model: input i64 [1, n], input_lengths i64 [1], scales f32 [3] (noise, length, noise of the rhythm), sid i64
//! [1] for several speakers -> output f32 [1, 1, 1, samples]. It is cut in two (see [`graph`]), so that a [`Run`] is
//! known in full after the smaller half, and its sound is made piece by piece, in any order. A model that cannot be
//! cut runs as a whole.

use std::ops::Range;
use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

use super::network::{Inside, Network, Run, Tongue};
use super::piper_config::{BEGIN, END, PAD, PiperConfig};
use super::timing::{self, Symbol, TimedSymbol};
use super::{VoiceError, VoiceStyle, graph};
use crate::onnx::{OnnxError, Runtime};

/// Hops beside a stretch that its sound depends on: the reach of the decoder's convolutions. What lies further away
/// changes nothing that 16 bits could hold.
const REACH: usize = 10;
/// At its common speed the sound comes this much before its lengths tell (models/lips/aligned.py).
const EARLY_SECONDS: f64 = 0.021;
/// See [`Network::longest_run`]; its memory is about 15 MB a second.
const LONGEST_RUN: usize = 160;

/// See the module's text.
#[derive(Debug)]
pub struct Piper {
    name: String,
    config: PiperConfig,
    sessions: Sessions,
}

#[derive(Debug)]
enum Sessions {
    Halves {
        plan: Session,
        decoder: Session,
        latent: String,
        durations: String,
        /// Samples of a hop; 0 until the first run.
        hop: usize,
    },
    Whole(Session),
}

impl Piper {
    /// Opens the model and its settings file.
    pub fn load(runtime: &Runtime, model: &Path, config: &Path, threads: usize) -> Result<Self, VoiceError> {
        let config = PiperConfig::read(config)?;
        let bytes = std::fs::read(model).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => OnnxError::Missing { path: model.to_owned() },
            _ => OnnxError::Damaged { path: model.to_owned(), reason: error.to_string() },
        })?;
        let sessions = match graph::split(&bytes) {
            Some(halves) => {
                drop(bytes);
                let plan = runtime.session_from_bytes(&halves.plan, model, threads)?;
                let decoder = runtime.session_from_bytes(&halves.decoder, model, threads)?;
                Sessions::Halves { plan, decoder, latent: halves.latent, durations: halves.durations, hop: 0 }
            }
            None => {
                tracing::debug!(model = %model.display(), "the voice cannot be cut in two: it speaks a clause at a time");
                Sessions::Whole(runtime.session_from_bytes(&bytes, model, threads)?)
            }
        };
        let (Sessions::Halves { plan: first, .. } | Sessions::Whole(first)) = &sessions;
        for input in ["input", "input_lengths", "scales"] {
            if first.inputs().iter().all(|outlet| outlet.name() != input) {
                let reason = format!("it has no input called {input:?}, so it is not a Piper voice");
                return Err(OnnxError::Damaged { path: model.to_owned(), reason }.into());
            }
        }
        let name = format!("piper {}", if config.dataset.is_empty() { config.language() } else { &config.dataset });
        Ok(Self { name, config, sessions })
    }

    /// The model uncut.
    #[cfg(test)]
    pub fn uncut(runtime: &Runtime, model: &Path, config: &Path) -> Result<Self, VoiceError> {
        let mut piper = Self::load(runtime, model, config, 1)?;
        piper.sessions = Sessions::Whole(runtime.session(model, 1)?);
        Ok(piper)
    }

    fn read(&mut self, symbols: &[Symbol], style: &VoiceStyle) -> ort::Result<Run> {
        let mut ids: Vec<i64> = Vec::with_capacity(2 * symbols.len() + 3);
        // Index of the first id of each symbol; what follows up to the next one is its own, the padding included.
        let mut starts = Vec::with_capacity(symbols.len() + 2);
        let mark = |symbol| Symbol { symbol, word: None };
        let framed: Vec<Symbol> = [mark(BEGIN)].iter().chain(symbols).chain(&[mark(END)]).copied().collect();
        for &Symbol { symbol, .. } in &framed {
            starts.push(ids.len());
            ids.extend(self.config.ids(symbol));
            if symbol != END {
                ids.extend(self.config.ids(PAD));
            }
        }
        let inference = &self.config.inference;
        let scales = [inference.noise_scale, inference.length_scale / style.clamped_speed(), inference.noise_w];
        let (length, speaker) = ([ids.len() as i64], [0_i64]);
        let mut inputs = ort::inputs![
            "input" => TensorRef::from_array_view(([1, ids.len()], &ids[..]))?,
            "input_lengths" => TensorRef::from_array_view(([1usize], &length[..]))?,
            "scales" => TensorRef::from_array_view(([3usize], &scales[..]))?,
        ];
        let (Sessions::Halves { plan: first, .. } | Sessions::Whole(first)) = &self.sessions;
        if takes_speaker(first) {
            inputs.push((graph::SPEAKER.into(), TensorRef::from_array_view(([1usize], &speaker[..]))?.into()));
        }
        match &mut self.sessions {
            Sessions::Whole(session) => {
                let outputs = session.run(inputs)?;
                let pcm = outputs[0].try_extract_tensor::<f32>()?.1.to_vec();
                Ok(Run::whole(timing::spread(&framed, pcm.len()), pcm))
            }
            Sessions::Halves { plan, latent, durations, hop, .. } => {
                let outputs = plan.run(inputs)?;
                let durations = outputs[durations.as_str()].try_extract_tensor::<f32>()?.1.to_vec();
                let (shape, columns) = outputs[latent.as_str()].try_extract_tensor::<f32>()?;
                let hops = shape.last().copied().and_then(|hops| usize::try_from(hops).ok()).unwrap_or_default();
                if durations.len() != ids.len() || hops == 0 {
                    let (told, ids) = (durations.len(), ids.len());
                    return Err(ort::Error::new(format!("it told {told} lengths of {ids} ids, {hops} hops in all")));
                }
                let inside = Inside::Latent(columns.to_vec());
                let mut run = Run { symbols: Vec::new(), hops, hop: *hop, inside };
                drop(outputs);
                if run.hop == 0 {
                    run.hop = self.decode(&run, 0..1)?.len();
                    if let Sessions::Halves { hop, .. } = &mut self.sessions {
                        *hop = run.hop;
                    }
                }
                let ends = starts.iter().skip(1).copied().chain([ids.len()]);
                let timed = framed.iter().zip(&starts).zip(ends).map(|((&symbol, &start), end)| TimedSymbol {
                    symbol,
                    samples: f64::from(durations[start..end].iter().sum::<f32>()) * run.hop as f64,
                });
                run.symbols = timed.collect();
                // By whole hops, so that words still begin where the sound can be cut.
                let early = EARLY_SECONDS * f64::from(scales[1]) * f64::from(self.config.audio.sample_rate);
                timing::earlier(&mut run.symbols, (early / run.hop as f64).round() * run.hop as f64);
                Ok(run)
            }
        }
    }

    fn decode(&mut self, run: &Run, hops: Range<usize>) -> ort::Result<Vec<f32>> {
        let columns = match &run.inside {
            Inside::Sound(pcm) => return Ok(pcm.clone()),
            Inside::Latent(columns) => columns,
        };
        let Sessions::Halves { decoder, latent, .. } = &mut self.sessions else { return Ok(Vec::new()) };
        let part: Vec<f32> = columns.chunks(run.hops).flat_map(|channel| &channel[hops.clone()]).copied().collect();
        let channels = columns.len() / run.hops;
        let mut inputs = ort::inputs![
            latent.as_str() => TensorRef::from_array_view(([1, channels, hops.len()], &part[..]))?,
        ];
        let speaker = [0_i64];
        if takes_speaker(decoder) {
            inputs.push((graph::SPEAKER.into(), TensorRef::from_array_view(([1usize], &speaker[..]))?.into()));
        }
        let outputs = decoder.run(inputs)?;
        Ok(outputs[0].try_extract_tensor::<f32>()?.1.to_vec())
    }

    fn stretch(&mut self, run: &Run, hops: Range<usize>) -> ort::Result<Vec<f32>> {
        let around = hops.start.saturating_sub(REACH)..(hops.end + REACH).min(run.hops);
        let pcm = self.decode(run, around.clone())?;
        let start = (hops.start - around.start) * run.hop;
        Ok(pcm.get(start..start + hops.len() * run.hop).unwrap_or_default().to_vec())
    }
}

impl Network for Piper {
    fn name(&self) -> &str {
        &self.name
    }

    fn rate(&self) -> u32 {
        self.config.audio.sample_rate
    }

    fn tongue(&self, _style: &VoiceStyle) -> Tongue<'_> {
        Tongue { language: self.config.language(), espeak: &self.config.espeak.voice, pinyin: false }
    }

    fn spelt(&self, mut symbols: Vec<Symbol>, _language: &str) -> Vec<Symbol> {
        symbols.retain(|symbol| !self.config.ids(symbol.symbol).is_empty());
        symbols
    }

    fn longest_run(&self) -> usize {
        LONGEST_RUN
    }

    fn run(&mut self, symbols: &[Symbol], style: &VoiceStyle) -> Result<Run, OnnxError> {
        self.read(symbols, style).map_err(|error| OnnxError::run(&self.name, error))
    }

    fn sound(&mut self, run: &Run, hops: Range<usize>) -> Result<Vec<f32>, OnnxError> {
        self.stretch(run, hops).map_err(|error| OnnxError::run(&self.name, error))
    }
}

fn takes_speaker(session: &Session) -> bool {
    session.inputs().iter().any(|input| input.name() == graph::SPEAKER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::weight;

    #[test]
    fn any_stretch_sounds_as_in_the_whole() -> Result<(), Box<dyn std::error::Error>> {
        let runtime = Runtime::load(&weight("onnxruntime"))?;
        let mut joe = Piper::load(&runtime, &weight("piper-joe"), &weight("piper-joe-config"), 1)?;
        let symbols: Vec<Symbol> =
            "həlˈoʊ ðɛɹ, maɪ fɹˈɛnd.".chars().map(|symbol| Symbol { symbol, word: None }).collect();
        let run = joe.run(&symbols, &VoiceStyle::default())?;
        assert_eq!((run.symbols.len(), run.hop), (symbols.len() + 2, 256));
        assert_eq!(run.symbols.iter().map(|symbol| symbol.samples as usize).sum::<usize>(), run.hops * run.hop);
        let whole = joe.sound(&run, 0..run.hops)?;
        assert_eq!(whole.len(), run.hops * run.hop);
        let mut worst = 0.0_f32;
        for start in (0..run.hops).step_by(13) {
            let hops = start..(start + 13).min(run.hops);
            let part = joe.sound(&run, hops.clone())?;
            let same = &whole[hops.start * run.hop..hops.end * run.hop];
            assert_eq!(part.len(), same.len());
            worst = part.iter().zip(same).map(|(a, b)| (a - b).abs()).fold(worst, f32::max);
        }
        assert!(worst < 1e-4, "{worst}");
        Ok(())
    }

    #[test]
    fn a_settings_file_that_is_not_one_is_named() -> Result<(), Box<dyn std::error::Error>> {
        let runtime = Runtime::load(&weight("onnxruntime"))?;
        let loaded = Piper::load(&runtime, &weight("piper-joe"), &weight("beckett"), 1).map(drop);
        assert!(loaded.is_err_and(|error| error.to_string().contains("cannot be used")));
        Ok(())
    }
}
