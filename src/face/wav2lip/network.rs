//! The network: mel steps and a face in, the same face with another mouth out. Which file it comes from is the
//! user's affair; the inputs are known by their shapes, so an export by anybody will do.
//!
//! Mel [n, 1, 80, 16]; faces [n, 6, 96, 96], first the face without its lower half, then the whole face; picture
//! [n, 3, 96, 96]; blue, green, red planes from 0 to 1. `n` may be any number or fixed.

use std::path::{Path, PathBuf};

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use super::error::Wav2LipError;
use super::hearing::Window;
use super::patch::{PIXELS, Patch, SIDE};
use crate::onnx::{OnnxError, Runtime};

const MEL: [i64; 3] = [1, 80, 16];
const FACES: [i64; 3] = [6, SIDE as i64, SIDE as i64];
const PICTURE: [i64; 3] = [3, SIDE as i64, SIDE as i64];
/// More frames at once take no less time each.
pub const MAX_BATCH: usize = 16;

pub struct Network {
    session: Session,
    mel: String,
    faces: String,
    picture: String,
    /// `n`, where it is fixed.
    fixed: Option<usize>,
    mels: Vec<f32>,
    pixels: Vec<f32>,
    /// Frames that wait to be run.
    count: usize,
    path: PathBuf,
}

impl Network {
    /// Opens the model file with `threads` threads and runs it once, which shows whether it works.
    pub fn open(runtime: &Runtime, path: &Path, threads: usize) -> Result<Self, Wav2LipError> {
        if !path.is_file() {
            return Err(Wav2LipError::NoModel { path: path.to_owned() });
        }
        let session = runtime.session(path, threads)?;
        let wrong = |found: String| Wav2LipError::WrongModel { path: path.to_owned(), found };
        let shapes = || wrong(described(session.inputs(), session.outputs()));
        let mel = shaped(session.inputs(), MEL).ok_or_else(shapes)?;
        let faces = shaped(session.inputs(), FACES).ok_or_else(shapes)?;
        let picture = shaped(session.outputs(), PICTURE).ok_or_else(shapes)?;
        if session.inputs().len() != 2 {
            return Err(shapes());
        }
        let fixed = match (mel.1, faces.1) {
            (Some(a), Some(b)) if a != b => return Err(shapes()),
            (a, b) => a.or(b),
        };
        if fixed.is_some_and(|n| n > MAX_BATCH) {
            return Err(wrong(format!("takes {} frames at once, more than {MAX_BATCH}", fixed.unwrap_or(0))));
        }
        let (mel, faces, picture) = (mel.0, faces.0, picture.0);
        let mut network = Self {
            session,
            mel,
            faces,
            picture,
            fixed,
            mels: Vec::new(),
            pixels: Vec::new(),
            count: 0,
            path: path.to_owned(),
        };
        network.push(&Window::default(), &Patch::default());
        network.run(|_, _| {})?;
        Ok(network)
    }

    /// Frames that one run takes at most.
    pub fn capacity(&self) -> usize {
        self.fixed.unwrap_or(MAX_BATCH)
    }

    /// Adds a frame to the next run; beyond [`Network::capacity`] it is left out.
    pub fn push(&mut self, mel: &Window, face: &Patch) {
        if self.count == self.capacity() {
            return;
        }
        if self.count == 0 {
            self.mels.clear();
            self.pixels.clear();
        }
        self.mels.extend_from_slice(mel.values());
        let plane = |channel: usize| face.pixels().map(move |pixel| f32::from(pixel[2 - channel]) / 255.0);
        for channel in 0..3 {
            self.pixels.extend(plane(channel).take(PIXELS / 2));
            self.pixels.resize(self.pixels.len() + PIXELS / 2, 0.0);
        }
        for channel in 0..3 {
            self.pixels.extend(plane(channel));
        }
        self.count += 1;
    }

    /// Runs what was added and hands each picture on, with its place in the order in which the frames were added.
    /// Whatever comes of it, the next run starts empty.
    pub fn run(&mut self, mut take: impl FnMut(usize, &Patch)) -> Result<(), Wav2LipError> {
        let count = std::mem::take(&mut self.count);
        let n = self.fixed.unwrap_or(count);
        let (one_mel, one_face) = (MEL.iter().product::<i64>() as usize, FACES.iter().product::<i64>() as usize);
        self.mels.resize(n * one_mel, 0.0);
        self.pixels.resize(n * one_face, 0.0);
        let failed = |error: ort::Error| OnnxError::run("wav2lip", error);
        let shape = |[a, b, c]: [i64; 3]| [n, a as usize, b as usize, c as usize];
        let mel = TensorRef::from_array_view((shape(MEL), &*self.mels)).map_err(failed)?;
        let faces = TensorRef::from_array_view((shape(FACES), &*self.pixels)).map_err(failed)?;
        let inputs = ort::inputs![self.mel.as_str() => mel, self.faces.as_str() => faces];
        let outputs = self.session.run(inputs).map_err(failed)?;
        let (_, values) = outputs[self.picture.as_str()].try_extract_tensor::<f32>().map_err(failed)?;
        let mut patch = Patch::default();
        if values.len() == n * 3 * PIXELS && values.iter().all(|v| v.is_finite()) {
            for (i, planes) in values.chunks_exact(3 * PIXELS).take(count).enumerate() {
                patch.fill(|at| {
                    [2, 1, 0].map(|channel| (planes[channel * PIXELS + at] * 255.0 + 0.5).clamp(0.0, 255.0) as u8)
                });
                take(i, &patch);
            }
            Ok(())
        } else {
            let found = format!("gave {} values for {n} frames, or some that are no numbers", values.len());
            Err(Wav2LipError::WrongModel { path: self.path.clone(), found })
        }
    }
}

/// The name and the first dimension of what has the shape `wanted` behind it; no first dimension if it is open.
fn shaped(outlets: &[Outlet], wanted: [i64; 3]) -> Option<(String, Option<usize>)> {
    outlets.iter().find_map(|outlet| match outlet.dtype() {
        ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } if shape.len() == 4 && shape[1..] == wanted => {
            Some((outlet.name().to_owned(), usize::try_from(shape[0]).ok().filter(|n| *n > 0)))
        }
        _ => None,
    })
}

fn described(inputs: &[Outlet], outputs: &[Outlet]) -> String {
    let list = |outlets: &[Outlet]| {
        let all: Vec<String> = outlets.iter().map(|o| format!("{} {}", o.name(), shape_of(o.dtype()))).collect();
        all.join(", ")
    };
    format!("takes {} and gives {}", list(inputs), list(outputs))
}

fn shape_of(value: &ValueType) -> String {
    let ValueType::Tensor { ty, shape, .. } = value else { return value.to_string() };
    let sides: Vec<String> = shape.iter().map(|n| if *n < 0 { "n".to_owned() } else { n.to_string() }).collect();
    format!("{ty} [{}]", sides.join(","))
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
