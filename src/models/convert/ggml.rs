//! Writes whisper.cpp's model file: magic, 11 sizes, mel filters, token texts, tensors. Little endian.

use std::io::{BufWriter, Write};

use super::ConvertError;
use super::names::Shape;
use super::quantize::Format;

const MAGIC: u32 = 0x6767_6d6c;

pub struct Writer<W: Write> {
    output: BufWriter<W>,
    /// Reused for each tensor.
    encoded: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub fn new(output: W) -> Self {
        Self { output: BufWriter::with_capacity(1 << 20, output), encoded: Vec::new() }
    }

    pub fn header(&mut self, shape: &Shape, format: Format) -> Result<(), ConvertError> {
        self.output.write_all(&MAGIC.to_le_bytes())?;
        for size in [
            shape.vocabulary,
            shape.audio_context,
            shape.state,
            shape.heads,
            shape.audio_layers,
            shape.text_context,
            shape.state,
            shape.heads,
            shape.text_layers,
            shape.mels,
        ] {
            self.size(size)?;
        }
        self.int(format.file_type())
    }

    /// `filters` is `[mels, bins]`.
    pub fn mel_filters(&mut self, mels: usize, bins: usize, filters: &[f32]) -> Result<(), ConvertError> {
        self.size(mels)?;
        self.size(bins)?;
        for value in filters {
            self.output.write_all(&value.to_le_bytes())?;
        }
        Ok(())
    }

    pub fn tokens(&mut self, tokens: &[Vec<u8>]) -> Result<(), ConvertError> {
        self.size(tokens.len())?;
        for token in tokens {
            self.size(token.len())?;
            self.output.write_all(token)?;
        }
        Ok(())
    }

    /// `values` is row-major of shape `dims`; ggml lists the axes innermost first.
    pub fn tensor(&mut self, name: &str, dims: &[usize], values: &[f32], format: Format) -> Result<(), ConvertError> {
        let row = dims.last().copied().unwrap_or(0);
        if !format.fits(row) {
            return Err(ConvertError::Unsupported(format!("{name} has rows of {row}, which {format:?} cannot hold")));
        }
        self.size(dims.len())?;
        self.size(name.len())?;
        self.int(format.type_id())?;
        for &dim in dims.iter().rev() {
            self.size(dim)?;
        }
        self.output.write_all(name.as_bytes())?;
        self.encoded.clear();
        format.encode(values, &mut self.encoded);
        self.output.write_all(&self.encoded)?;
        Ok(())
    }

    pub fn finish(mut self) -> Result<(), ConvertError> {
        Ok(self.output.flush()?)
    }

    fn int(&mut self, value: i32) -> Result<(), ConvertError> {
        Ok(self.output.write_all(&value.to_le_bytes())?)
    }

    fn size(&mut self, value: usize) -> Result<(), ConvertError> {
        let value = i32::try_from(value)
            .map_err(|_| ConvertError::Unsupported(format!("a size of {value} does not fit the file format")))?;
        self.int(value)
    }
}
