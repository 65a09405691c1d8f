//! The weights, from the file that models/lips/train.py writes.
//!
//! Little endian: "LIPS", u32 version 1, u32 channels, then the layers in the order of [`Weights`]. A layer is for each
//! output an f32 scale, then for each output its i8 weights, then for each output an f32 bias.

use std::sync::{Arc, OnceLock};

use super::layers::Dense;
use super::{OUTPUTS, STEP, TAPS};
use crate::face::sound::SoundLipsError;

const FILE: &[u8] = include_bytes!("../../../../models/lips/lips.bin");

/// See the module's text.
#[derive(Debug)]
pub struct Weights {
    pub channels: usize,
    pub first: Dense,
    pub residual: [Dense; 3],
    /// Of the gated recurrent unit.
    pub input: Dense,
    pub recurrent: Dense,
    pub output: Dense,
}

impl Weights {
    /// Those that were trained for it.
    pub fn built_in() -> Result<Arc<Self>, SoundLipsError> {
        static READ: OnceLock<Arc<Weights>> = OnceLock::new();
        if let Some(weights) = READ.get() {
            return Ok(weights.clone());
        }
        let weights = Arc::new(Self::read(FILE)?);
        Ok(READ.get_or_init(|| weights).clone())
    }

    pub fn read(file: &[u8]) -> Result<Self, SoundLipsError> {
        let bad = |reason| SoundLipsError::Weights { reason };
        let mut bytes = file.strip_prefix(b"LIPS\x01\0\0\0").ok_or(bad("not a file of version 1"))?;
        let channels = word(&mut bytes).map(u32::from_le_bytes).ok_or(bad("it ends too early"))? as usize;
        if !(1..=1024).contains(&channels) {
            return Err(bad("no network has so many channels"));
        }
        let mut dense = |inputs, outputs| dense(&mut bytes, inputs, outputs).ok_or(bad("it ends too early"));
        let weights = Self {
            channels,
            first: dense(TAPS * STEP, channels)?,
            residual: [dense(3 * channels, channels)?, dense(3 * channels, channels)?, dense(3 * channels, channels)?],
            input: dense(channels, 3 * channels)?,
            recurrent: dense(channels, 3 * channels)?,
            output: dense(2 * channels, OUTPUTS)?,
        };
        if bytes.is_empty() { Ok(weights) } else { Err(bad("it goes on after the last layer")) }
    }
}

fn word(bytes: &mut &[u8]) -> Option<[u8; 4]> {
    let (word, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*word)
}

fn dense(bytes: &mut &[u8], inputs: usize, outputs: usize) -> Option<Dense> {
    let scales: Vec<f32> = (0..outputs).map(|_| word(bytes).map(f32::from_le_bytes)).collect::<Option<_>>()?;
    let (rows, rest) = bytes.split_at_checked(inputs * outputs)?;
    *bytes = rest;
    let mut columns = vec![0.0; inputs * outputs];
    for ((output, row), scale) in rows.chunks_exact(inputs).enumerate().zip(scales) {
        for (input, weight) in row.iter().enumerate() {
            columns[input * outputs + output] = f32::from(weight.cast_signed()) * scale;
        }
    }
    let bias = (0..outputs).map(|_| word(bytes).map(f32::from_le_bytes)).collect::<Option<_>>()?;
    Some(Dense { columns, bias })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_cut_or_goes_on_is_refused() {
        assert!(Weights::read(FILE).is_ok());
        for length in [0, 4, 8, 11, 12, 1000, FILE.len() - 1] {
            assert!(Weights::read(&FILE[..length]).is_err(), "{length}");
        }
        assert!(Weights::read(&[FILE, &[0]].concat()).is_err());
    }
}
