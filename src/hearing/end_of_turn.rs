//! End of turn: how likely it is that a person who paused has said all they wanted to say, judged by the sound.
//!
//! The smart-turn model (version 3) hears intonation and the flow of words, in 23 languages. Voice activity says
//! when to ask it, and what follows from the answer is the dialogue's to decide. Not streaming: each judgement takes
//! the whole turn up to now, at most the last 8 s of it. Ask once, with 100 to 150 ms of silence at the end: the more
//! silence, the surer it is of an end, and after 500 ms it takes nearly everything for complete. Its weights are
//! 8 bits wide, so differences of a few hundredths mean nothing.
//! Model: input_features f32 [1, 80, 800] ([`LogMel`]) -> logits f32 [1, 1], which, despite the name, have been
//! through the sigmoid already. Source: pipecat-ai/smart-turn; the same steps are in pipecat's
//! LocalSmartTurnAnalyzerV3.

use std::path::Path;

use ndarray::Axis;
use ort::session::Session;
use ort::value::TensorRef;

use super::mel::{FRAMES, LogMel, MELS};
use crate::onnx::{OnnxError, Runtime};

const NAME: &str = "smart-turn";
const INPUT: &str = "input_features";
const OUTPUT: &str = "logits";

/// The model with its working memory: one for each thread that judges.
pub struct EndOfTurn {
    session: Session,
    mel: LogMel,
}

impl EndOfTurn {
    /// Opens the model; see [`Runtime::session`] for the thread to do it on.
    pub fn load(runtime: &Runtime, path: &Path, threads: usize) -> Result<Self, OnnxError> {
        let session = runtime.session(path, threads)?;
        let wanted = [MELS as i64, FRAMES as i64];
        let fits = session.inputs().iter().any(|input| {
            let shape = input.dtype().tensor_shape();
            input.name() == INPUT && shape.is_some_and(|shape| shape.len() == 3 && shape[1..] == wanted)
        });
        let reason = if !fits {
            format!("it has no input called {INPUT:?} of [1, {MELS}, {FRAMES}]")
        } else if session.outputs().iter().all(|output| output.name() != OUTPUT) {
            format!("it has no output called {OUTPUT:?}")
        } else {
            return Ok(Self { session, mel: LogMel::new() });
        };
        let reason = format!("{reason}, so it is not a smart-turn model of version 3");
        Err(OnnxError::Damaged { path: path.to_owned(), reason })
    }

    /// Judges nothing once, so that the first real judgement finds all memory in place.
    pub fn warm_up(&mut self) -> Result<(), OnnxError> {
        self.probability(&[]).map(drop)
    }

    /// Probability, 0..1, that the turn whose sound is `pcm` is complete.
    ///
    /// 16 kHz mono, -1..1, of any length: from shortly before the turn's first voice up to now, the silence so
    /// far included. Sound of nothing but silence has no turn in it, and a meaningless probability.
    pub fn probability(&mut self, pcm: &[f32]) -> Result<f32, OnnxError> {
        let features = self.mel.picture(pcm).map_err(|error| OnnxError::run(NAME, error))?;
        let features = features.insert_axis(Axis(0));
        let judge = |session: &mut Session| {
            let outputs = session.run(ort::inputs![INPUT => TensorRef::from_array_view(features)?])?;
            let (_, values) = outputs[OUTPUT].try_extract_tensor::<f32>()?;
            Ok::<_, ort::Error>(values.first().copied())
        };
        match judge(&mut self.session).map_err(|error| OnnxError::run(NAME, error))? {
            Some(probability) if (0.0..=1.0).contains(&probability) => Ok(probability),
            other => Err(OnnxError::run(NAME, format!("it gave {other:?} instead of a probability"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::weight;

    fn model() -> Result<EndOfTurn, OnnxError> {
        EndOfTurn::load(&Runtime::load(&weight("onnxruntime"))?, &weight("smart-turn"), 1)
    }

    /// The first `millis` of "Ever tried. Ever failed. No matter. ...", with real pauses between the sentences.
    fn recording(millis: usize) -> Result<Vec<f32>, hound::Error> {
        let mut wav = hound::WavReader::open(weight("beckett"))?;
        wav.samples::<i16>().take(millis * 16).map(|sample| Ok(f32::from(sample?) / 32_768.0)).collect()
    }

    #[test]
    fn a_finished_sentence_is_told_from_one_that_goes_on() -> Result<(), Box<dyn std::error::Error>> {
        let mut model = model()?;
        model.warm_up()?;
        // "Ever failed." ends at 2.78 s; its second word begins at 2.12 s.
        let finished = model.probability(&recording(2980)?)?;
        let goes_on = model.probability(&recording(2060)?)?;
        assert!(finished > 0.8, "finished {finished}, goes on {goes_on}");
        assert!(goes_on < 0.4, "finished {finished}, goes on {goes_on}");
        Ok(())
    }

    #[test]
    fn sound_of_any_length_is_judged_by_its_last_eight_seconds() -> Result<(), Box<dyn std::error::Error>> {
        let mut model = model()?;
        let sound = recording(9960)?;
        let last = model.probability(&sound[sound.len() - 8 * 16_000..])?;
        let twenty_seconds = [vec![0.5; 10 * 16_000], sound].concat();
        assert_eq!(model.probability(&twenty_seconds)?, last);
        assert_ne!(model.probability(&twenty_seconds[..12 * 16_000])?, last);
        // What there is not is silence before what there is.
        let nothing = model.probability(&[])?;
        for samples in [1, 8 * 16_000] {
            assert_eq!(model.probability(&vec![0.0; samples])?, nothing, "{samples} samples");
        }
        Ok(())
    }

    #[test]
    fn another_model_is_refused_by_name() -> Result<(), Box<dyn std::error::Error>> {
        let runtime = Runtime::load(&weight("onnxruntime"))?;
        for other in ["silero-vad", "piper-joe"] {
            let Err(error) = EndOfTurn::load(&runtime, &weight(other), 1) else { return Err("accepted".into()) };
            let told = error.to_string();
            assert!(told.contains("not a smart-turn model") && told.contains(other), "{told}");
        }
        Ok(())
    }
}
