//! Voice activity: Silero VAD (v5/v6 ONNX) judges each window of 512 samples, [`SpeechGate`] makes events of it.
//!
//! One [`SileroModel`] serves all calls: a step takes about 0.15 ms, so a mutex around it costs less than a copy
//! of the model for each call. What is a call's own is the recurrent state, in [`Vad`].
//! Model: input [1, 64 + 512] f32 (the last 64 samples before the window, then the window), state [2, 1, 128],
//! sr i64 -> output [1, 1] probability, stateN. Source: snakers4/silero-vad.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ort::session::Session;
use ort::value::TensorRef;

use super::gate::{SpeechEvent, SpeechGate, VadSettings, WINDOW};
use crate::media::HEARING_HZ;
use crate::onnx::{OnnxError, Runtime};

/// Samples before a window that the model wants to see again.
const CONTEXT: usize = 64;
/// Length of the recurrent state, [2, 1, 128].
const STATE: usize = 256;
const NAME: &str = "Silero VAD";

/// The weights, shared by all calls.
#[derive(Clone, Debug)]
pub struct SileroModel {
    session: Arc<Mutex<Session>>,
}

impl SileroModel {
    pub fn load(runtime: &Runtime, path: &Path) -> Result<Self, OnnxError> {
        let session = runtime.session(path, 1)?;
        for (kind, names, wanted) in [
            ("input", session.inputs(), ["input", "state", "sr"].as_slice()),
            ("output", session.outputs(), ["output", "stateN"].as_slice()),
        ] {
            if let Some(absent) = wanted.iter().find(|name| names.iter().all(|outlet| outlet.name() != **name)) {
                let reason = format!("it has no {kind} called {absent:?}, so it is not a Silero VAD of version 5 or 6");
                return Err(OnnxError::Damaged { path: path.to_owned(), reason });
            }
        }
        Ok(Self { session: Arc::new(Mutex::new(session)) })
    }

    /// Probability of speech in `input` (context and window); `state` moves on.
    fn step(&self, input: &[f32], state: &mut [f32; STATE]) -> Result<f32, ort::Error> {
        let rate = [i64::from(HEARING_HZ)];
        let inputs = ort::inputs![
            "input" => TensorRef::from_array_view(([1, input.len()], input))?,
            "state" => TensorRef::from_array_view(([2usize, 1, 128], &state[..]))?,
            "sr" => TensorRef::from_array_view(([0usize; 0], &rate[..]))?,
        ];
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(inputs)?;
        let (_, probability) = outputs["output"].try_extract_tensor::<f32>()?;
        let (_, next) = outputs["stateN"].try_extract_tensor::<f32>()?;
        if next.len() != STATE {
            return Err(ort::Error::new(format!("its state has {} values instead of {STATE}", next.len())));
        }
        let probability = *probability.first().ok_or_else(|| ort::Error::new("it gave no probability"))?;
        state.copy_from_slice(next);
        Ok(probability)
    }
}

/// One call's voice activity.
#[derive(Clone, Debug)]
pub struct Vad {
    model: SileroModel,
    gate: SpeechGate,
    state: [f32; STATE],
    /// The last [`CONTEXT`] samples, then those of the window that is being filled.
    input: Vec<f32>,
}

impl Vad {
    pub fn new(model: SileroModel, settings: VadSettings) -> Self {
        Self { model, gate: SpeechGate::new(settings), state: [0.0; STATE], input: vec![0.0; CONTEXT] }
    }

    pub fn settings(&self) -> &VadSettings {
        self.gate.settings()
    }

    pub fn set_settings(&mut self, settings: VadSettings) {
        self.gate.set_settings(settings);
    }

    pub fn is_speech(&self) -> bool {
        self.gate.is_speech()
    }

    pub fn is_voiced(&self) -> bool {
        self.gate.is_voiced()
    }

    /// See [`SpeechGate::take`].
    pub fn take(&mut self) {
        self.gate.take();
    }

    /// Forgets what was heard, the model's memory of it included; the next sample is the one at `position`.
    pub fn reset(&mut self, position: u64) {
        self.gate.reset(position);
        self.state = [0.0; STATE];
        self.input.clear();
        self.input.resize(CONTEXT, 0.0);
    }

    /// Takes 16 kHz mono sound (-1..1) in pieces of any length and appends what was found. `vetoed`: see
    /// [`SpeechGate::push`].
    pub fn push(&mut self, pcm: &[f32], vetoed: bool, events: &mut Vec<SpeechEvent>) -> Result<(), OnnxError> {
        let mut rest = pcm;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(CONTEXT + WINDOW - self.input.len()));
            rest = later;
            self.input.extend_from_slice(now);
            if self.input.len() == CONTEXT + WINDOW {
                let probability = self.model.step(&self.input, &mut self.state);
                self.input.drain(..WINDOW);
                // A window that could not be judged still took its time.
                let probability = probability.map_err(|error| {
                    self.gate.skip();
                    OnnxError::run(NAME, error)
                })?;
                events.extend(self.gate.push(probability, vetoed));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::weight;

    fn model() -> Result<SileroModel, OnnxError> {
        SileroModel::load(&Runtime::load(&weight("onnxruntime"))?, &weight("silero-vad"))
    }

    fn recording() -> Result<Vec<f32>, hound::Error> {
        hound::WavReader::open(weight("beckett"))?.samples::<i16>().map(|s| Ok(f32::from(s?) / 32768.0)).collect()
    }

    #[test]
    fn a_recording_of_short_sentences_has_their_beginnings_and_ends() -> Result<(), Box<dyn std::error::Error>> {
        let mut vad = Vad::new(model()?, VadSettings::default());
        let mut events = Vec::new();
        vad.push(&recording()?, false, &mut events)?;
        vad.push(&vec![0.0; 16_000], false, &mut events)?;
        let starts = events.iter().filter(|event| matches!(event, SpeechEvent::Started { .. })).count();
        let pauses = events.iter().filter(|event| matches!(event, SpeechEvent::Paused { .. })).count();
        let resumptions = events.iter().filter(|event| matches!(event, SpeechEvent::Resumed { .. })).count();
        assert_eq!(starts, 1, "{events:?}");
        assert!((6..=14).contains(&pauses) && pauses == resumptions + 1, "{events:?}");
        Ok(())
    }

    #[test]
    fn any_chunking_gives_the_same_events() -> Result<(), Box<dyn std::error::Error>> {
        let (model, pcm) = (model()?, recording()?);
        let events = |chunk: usize| {
            let (mut vad, mut events) = (Vad::new(model.clone(), VadSettings::default()), Vec::new());
            pcm.chunks(chunk).try_for_each(|piece| vad.push(piece, false, &mut events))?;
            Ok::<_, OnnxError>(events)
        };
        let whole = events(pcm.len())?;
        assert!(!whole.is_empty());
        for chunk in [1, 320, 513, 7001] {
            assert_eq!(events(chunk)?, whole, "chunks of {chunk}");
        }
        Ok(())
    }

    #[test]
    fn another_model_is_refused_by_name() -> Result<(), Box<dyn std::error::Error>> {
        let runtime = Runtime::load(&weight("onnxruntime"))?;
        let Err(error) = SileroModel::load(&runtime, &weight("piper-joe")) else { return Err("accepted".into()) };
        assert!(error.to_string().contains("not a Silero VAD"), "{error}");
        Ok(())
    }
}
