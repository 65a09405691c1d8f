//! The networks of a Piper voice: ids in, then the sound of any stretch of what they say.
//!
//! Whole model: input i64 [1, n], input_lengths i64 [1], scales f32 [3] (noise, length, noise of the rhythm), sid i64
//! [1] for several speakers -> output f32 [1, 1, 1, samples]. It is cut in two (see [`graph`]), so that a [`Run`] is
//! known in full after the smaller half, and its sound is made piece by piece, in any order. A model that cannot be
//! cut runs as a whole.

use std::ops::Range;
use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

use super::graph;
use crate::onnx::{OnnxError, Runtime};

/// Hops beside a stretch that its sound depends on: the reach of the decoder's convolutions. What lies further away
/// changes nothing that 16 bits could hold (measured on several voices).
const REACH: usize = 10;

/// See the module's text.
#[derive(Debug)]
pub struct PiperModel {
    network: Network,
    several_speakers: bool,
}

#[derive(Debug)]
enum Network {
    Halves { plan: Session, decoder: Session, latent: String, durations: String, hop: usize },
    Whole(Session),
}

/// What the model is about to say.
#[derive(Debug)]
pub struct Run {
    /// Length of each id in hops; empty if the model does not tell.
    pub durations: Vec<f32>,
    pub hops: usize,
    /// Samples of one hop.
    pub hop: usize,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    /// Channel by channel, `hops` values each.
    Latent(Vec<f32>),
    Sound(Vec<f32>),
}

impl PiperModel {
    pub fn load(runtime: &Runtime, path: &Path, several_speakers: bool, threads: usize) -> Result<Self, OnnxError> {
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => OnnxError::Missing { path: path.to_owned() },
            _ => OnnxError::Damaged { path: path.to_owned(), reason: error.to_string() },
        })?;
        let halves = graph::split(&bytes);
        let network = match halves {
            Some(halves) => {
                drop(bytes);
                let plan = runtime.session_from_bytes(&halves.plan, path, threads)?;
                let decoder = runtime.session_from_bytes(&halves.decoder, path, threads)?;
                Network::Halves { plan, decoder, latent: halves.latent, durations: halves.durations, hop: 0 }
            }
            None => {
                tracing::debug!(model = %path.display(), "the voice cannot be cut in two: it speaks a clause at a time");
                Network::Whole(runtime.session_from_bytes(&bytes, path, threads)?)
            }
        };
        let (Network::Halves { plan: first, .. } | Network::Whole(first)) = &network;
        for input in ["input", "input_lengths", "scales"] {
            if first.inputs().iter().all(|outlet| outlet.name() != input) {
                let reason = format!("it has no input called {input:?}, so it is not a Piper voice");
                return Err(OnnxError::Damaged { path: path.to_owned(), reason });
            }
        }
        Ok(Self { network, several_speakers })
    }

    /// The model uncut.
    #[cfg(test)]
    pub fn whole(runtime: &Runtime, path: &Path) -> Result<Self, OnnxError> {
        Ok(Self { network: Network::Whole(runtime.session(path, 1)?), several_speakers: false })
    }

    /// Reads what is to be said.
    pub fn run(&mut self, ids: &[i64], scales: &[f32; 3]) -> ort::Result<Run> {
        let (length, speaker) = ([ids.len() as i64], [0_i64]);
        let mut inputs = ort::inputs![
            "input" => TensorRef::from_array_view(([1, ids.len()], ids))?,
            "input_lengths" => TensorRef::from_array_view(([1usize], &length[..]))?,
            "scales" => TensorRef::from_array_view(([3usize], &scales[..]))?,
        ];
        let (Network::Halves { plan: first, .. } | Network::Whole(first)) = &self.network;
        if self.several_speakers && takes_speaker(first) {
            inputs.push((graph::SPEAKER.into(), TensorRef::from_array_view(([1usize], &speaker[..]))?.into()));
        }
        match &mut self.network {
            Network::Whole(session) => {
                let outputs = session.run(inputs)?;
                let pcm = outputs[0].try_extract_tensor::<f32>()?.1.to_vec();
                Ok(Run { durations: Vec::new(), hops: 1, hop: pcm.len(), inside: Inside::Sound(pcm) })
            }
            Network::Halves { plan, latent, durations, hop, .. } => {
                let outputs = plan.run(inputs)?;
                let durations = outputs[durations.as_str()].try_extract_tensor::<f32>()?.1.to_vec();
                let (shape, columns) = outputs[latent.as_str()].try_extract_tensor::<f32>()?;
                let hops = shape.last().copied().and_then(|hops| usize::try_from(hops).ok()).unwrap_or_default();
                let inside = Inside::Latent(columns.to_vec());
                let run = Run { durations, hops, hop: *hop, inside };
                drop(outputs);
                if *hop == 0 { self.with_hop(run) } else { Ok(run) }
            }
        }
    }

    /// The first run finds out how many samples a hop has.
    fn with_hop(&mut self, mut run: Run) -> ort::Result<Run> {
        let samples = self.decode(&run, 0..run.hops.min(1))?.len();
        if let Network::Halves { hop, .. } = &mut self.network {
            *hop = samples;
            run.hop = samples;
        }
        Ok(run)
    }

    /// The sound of these hops of a run, in full scale 1.
    pub fn sound(&mut self, run: &Run, hops: Range<usize>) -> ort::Result<Vec<f32>> {
        let around = hops.start.saturating_sub(REACH)..(hops.end + REACH).min(run.hops);
        let pcm = self.decode(run, around.clone())?;
        let start = (hops.start - around.start) * run.hop;
        Ok(pcm.get(start..start + hops.len() * run.hop).unwrap_or_default().to_vec())
    }

    fn decode(&mut self, run: &Run, hops: Range<usize>) -> ort::Result<Vec<f32>> {
        let columns = match &run.inside {
            Inside::Sound(pcm) => return Ok(pcm.clone()),
            Inside::Latent(columns) => columns,
        };
        let Network::Halves { decoder, latent, .. } = &mut self.network else { return Ok(Vec::new()) };
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
        let mut joe = PiperModel::load(&runtime, &weight("piper-joe"), false, 1)?;
        let ids: Vec<i64> = (0..60).map(|n| [0, 14 + n % 20, 0, 18 + n % 7][n as usize % 4]).collect();
        let run = joe.run(&ids, &[0.667, 1.0, 0.8])?;
        assert_eq!((run.durations.len(), run.hop), (60, 256));
        assert_eq!(run.durations.iter().sum::<f32>() as usize, run.hops);
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
}
