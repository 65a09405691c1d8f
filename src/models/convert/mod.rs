//! Turns Whisper weights in CTranslate2 form (`model.bin` + its vocabulary) into one ggml file that
//! whisper.cpp reads, quantised on the way; and a language model's GGUF into one that is faster on a CPU ([`gguf`]).
//!
//! Runs once, at pull time. It holds one tensor in memory at a time and trusts nothing in its input: a
//! truncated or hostile file yields a [`ConvertError`], with no allocation beyond a few times the file's size.
//! The same input gives the same bytes on every machine, so that the manifest can pin the result's SHA-256.

mod ct2;
mod ggml;
pub mod gguf;
mod mel;
mod names;
mod quantize;
mod vocabulary;

use std::io::{Read, Seek, Write};

pub use mel::slaney_filters;
pub use quantize::Format;

use names::{Kind, Shape};

/// Samples of one STFT window at 16 kHz (25 ms), as Whisper was trained; the filters span half of it.
const N_FFT: usize = 400;
const SAMPLE_HZ: f64 = 16_000.0;
/// How the `model.bin` of every Whisper model begins.
pub const CTRANSLATE2_WHISPER: &[u8] = b"\x06\0\0\0\x0c\0WhisperSpec\0";

#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    #[error("the file to convert is damaged: {0}; fetch it again")]
    Damaged(String),
    #[error("these weights cannot be converted: {0}; take a float16 or float32 CTranslate2 export of a Whisper model")]
    Unsupported(String),
    #[error("the vocabulary does not fit the weights: {0}; take the one that came with model.bin")]
    Vocabulary(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Converts `model` and `vocabulary` (the text of `vocabulary.txt` or `vocabulary.json`) to a ggml file with matrices in `format`.
///
/// `on_tensor(done, of)` is called after each tensor.
pub fn whisper<R: Read + Seek, W: Write>(
    model: R,
    vocabulary: &str,
    format: Format,
    output: W,
    mut on_tensor: impl FnMut(usize, usize),
) -> Result<(), ConvertError> {
    let mut model = ct2::Reader::open(model)?;
    let shape = Shape::of(&mut model)?;
    let tokens = vocabulary::text_tokens(vocabulary, shape.vocabulary)?;

    let mut file = ggml::Writer::new(output);
    file.header(&shape, format)?;
    file.mel_filters(shape.mels, N_FFT / 2 + 1, &slaney_filters(SAMPLE_HZ, N_FFT, shape.mels))?;
    file.tokens(&tokens)?;

    let tensors = names::tensors(&shape);
    let count = tensors.len();
    for (done, tensor) in tensors.into_iter().enumerate() {
        let mut data = model.floats(&tensor.variable)?;
        if let Some(slice) = tensor.slice {
            data.keep_rows(slice.index, slice.of)?;
        }
        if data.dims != tensor.dims {
            return Err(ConvertError::Unsupported(format!(
                "{} has shape {:?} where Whisper has {:?}",
                tensor.variable, data.dims, tensor.dims
            )));
        }
        match tensor.kind {
            Kind::Matrix => file.tensor(&tensor.name, &data.dims, &data.values, format)?,
            Kind::Convolution => file.tensor(&tensor.name, &data.dims, &data.values, Format::F16)?,
            Kind::Exact => file.tensor(&tensor.name, &data.dims, &data.values, Format::F32)?,
            // whisper.cpp adds these over time, so it keeps them as columns.
            Kind::ConvolutionBias => {
                file.tensor(&tensor.name, &[data.dims[0], 1], &data.values, Format::F32)?;
            }
        }
        on_tensor(done + 1, count);
    }
    file.finish()?;
    Ok(())
}

#[cfg(test)]
pub mod tests;
