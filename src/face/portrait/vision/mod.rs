//! Finds the face in a photo: where it is ([`detector`]), its 468 points ([`mesh`]) and its irises ([`iris`]).
//!
//! The models are those of Google's MediaPipe (Apache-2.0), converted to ONNX. They say what they see; whether
//! that can be a portrait is for [`super::check`] to decide.

mod detector;
mod iris;
mod mesh;

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;

pub use detector::Found;
pub use iris::{Eye, LID};
pub use mesh::{Mesh, POINTS};

use super::error::PortraitError;
use super::photo::{Photo, Place};
use crate::onnx::{OnnxError, Runtime};

/// The three models; used once for each picture, so they are loaded when a picture comes.
#[derive(Debug)]
pub struct Vision {
    detector: Session,
    mesh: Session,
    iris: Session,
}

/// All that was seen of one face, in pixels of the photo.
#[derive(Clone, Debug)]
pub struct Sight {
    pub mesh: Mesh,
    /// The eyes at the left and at the right of the picture.
    pub eyes: [Eye; 2],
    /// Probability that the mesh lies on a face.
    pub certainty: f32,
    /// Mean distance between the mesh and that of the mirrored face, as a share of the distance between the eyes.
    pub doubt: f32,
}

impl Vision {
    /// The models are part of the program.
    pub fn load(runtime: &Runtime) -> Result<Self, OnnxError> {
        let open = |name: &str, model: &[u8]| runtime.session_from_bytes(model, Path::new(name), 1);
        Ok(Self {
            detector: open(
                "face_detection_short_range.onnx",
                include_bytes!("../../../../models/face/face_detection_short_range.onnx"),
            )?,
            mesh: open("face_landmark.onnx", include_bytes!("../../../../models/face/face_landmark.onnx"))?,
            iris: open("iris_landmark.onnx", include_bytes!("../../../../models/face/iris_landmark.onnx"))?,
        })
    }

    /// All faces, the largest first.
    pub fn faces(&mut self, photo: &Photo) -> Result<Vec<Found>, PortraitError> {
        detector::faces(&mut self.detector, photo)
    }

    /// The points of a face that was found.
    pub fn look(&mut self, photo: &Photo, found: &Found) -> Result<Sight, PortraitError> {
        // The second look starts from the points themselves, which fit the face better than the box does; several
        // looks from a little aside differ by a few pixels, their mean by less.
        let first = mesh::points(&mut self.mesh, photo, &found.place(), false)?;
        let place = first.mesh.place(1.4, 0.0);
        let mirrored = mesh::points(&mut self.mesh, photo, &place, true)?;
        let mut seen = vec![mesh::points(&mut self.mesh, photo, &place, false)?];
        for (grown, lower) in [(1.3, -0.07), (1.3, 0.07), (1.45, -0.07), (1.45, 0.07)] {
            seen.push(mesh::points(&mut self.mesh, photo, &first.mesh.place(grown, lower), false)?);
        }
        let certainty = seen[0].certainty.min(mirrored.certainty);
        let mesh = Mesh::mean(&seen);
        let doubt = mesh.distance_to_mirrored(&mirrored.mesh) / mesh.eye_distance();
        let eyes = iris::eyes(&mut self.iris, photo, &mesh)?;
        Ok(Sight { mesh, eyes, certainty, doubt })
    }
}

/// Runs a model of one picture; gives its outputs by name in the order asked for.
fn run<const N: usize>(
    session: &mut Session,
    model: &str,
    patch: &[f32],
    side: usize,
    outputs: [&str; N],
) -> Result<[Vec<f32>; N], OnnxError> {
    let failed = |error: ort::Error| OnnxError::run(model, error);
    let name = session.inputs().first().map(|input| input.name().to_owned()).unwrap_or_default();
    let tensor = TensorRef::from_array_view(([1, side, side, 3], patch)).map_err(failed)?;
    let given = session.run(ort::inputs![name.as_str() => tensor]).map_err(failed)?;
    let mut taken = std::array::from_fn(|_| Vec::new());
    for (name, into) in outputs.iter().zip(&mut taken) {
        let value = given.get(*name).ok_or_else(|| OnnxError::run(model, format!("it has no output {name:?}")))?;
        let (_, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
        *into = values.to_vec();
    }
    Ok(taken)
}

/// The pixels of `place` as a model wants them: `scale * v + shift` of a value from 0 to 1.
fn patch(photo: &Photo, place: &Place, side: usize, scale: f32, shift: f32) -> Vec<f32> {
    let mut patch = photo.patch(place, side, side);
    for value in &mut patch {
        *value = *value / 255.0 * scale + shift;
    }
    patch
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}
