//! Stores the five-bit matrices (q5_0) of a GGUF language model in four bits (iq4_nl).
//!
//! llama.cpp computes iq4_nl with eight rows at a time and q5_0 with one: a prompt is read nearly twice as fast, and tokens
//! come a third faster. Only the layers' matrices are changed; what looks up and what chooses the words stays,
//! and so does everything else in the file. The scale of each block is the one of several with the least squared
//! error. Layout: magic, version, counts of tensors and of key-value pairs, the pairs, then for each tensor its name,
//! dims, type and offset, then the data, aligned. Source: ggml/docs/gguf.md.

use std::io::{BufReader, Read, Seek, SeekFrom, Write};

use half::f16;

use super::ConvertError;
use super::quantize::BLOCK;

const MAGIC: &[u8; 4] = b"GGUF";
const VERSION: u32 = 3;
/// Where no `general.alignment` says otherwise.
const ALIGNMENT: u64 = 32;
/// `ggml_type`s, and the bytes of a block: scale, fifth bits, nibbles; scale, nibbles.
const Q5_0: u32 = 6;
const Q5_0_BYTES: usize = 22;
const IQ4_NL: u32 = 20;
const IQ4_NL_BYTES: u64 = 18;
/// What the levels of iq4_nl stand for, times the scale: narrow steps for the small numbers, which are most.
const STEPS: [f32; 16] =
    [-127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0];
const MOST_DIMS: u32 = 4;
/// More than any model has; a bound on what a damaged file can ask for.
const MOST: u64 = 1 << 20;
const LONGEST_TEXT: u64 = 1 << 24;
/// Bytes of the input that are converted at once: whole blocks.
const CHUNK: usize = Q5_0_BYTES << 14;

struct Tensor {
    name: Vec<u8>,
    dims: Vec<u64>,
    kind: u32,
    offset: u64,
}

impl Tensor {
    fn is_changed(&self) -> bool {
        self.kind == Q5_0 && self.dims.len() == 2 && self.name.starts_with(b"blk.")
    }
}

/// Writes `input` to `output`. `on_tensor(done, of)` is called after each tensor.
pub fn four_bits<R: Read + Seek, W: Write>(
    mut input: R,
    mut output: W,
    mut on_tensor: impl FnMut(usize, usize),
) -> Result<(), ConvertError> {
    let end = input.seek(SeekFrom::End(0))?;
    input.seek(SeekFrom::Start(0))?;
    let mut head = Head { source: BufReader::new(input), kept: Vec::new(), alignment: ALIGNMENT };
    let tensors = head.read()?;
    let alignment = head.alignment;
    let data = head.source.stream_position()?.next_multiple_of(alignment);

    // Tensors follow one another; each ends where the next begins.
    let mut order: Vec<usize> = (0..tensors.len()).collect();
    order.sort_by_key(|&n| tensors[n].offset);
    let mut places = vec![(0, 0); tensors.len()];
    let mut offset = 0_u64;
    for (n, &index) in order.iter().enumerate() {
        let next = order.get(n + 1).map_or(end.saturating_sub(data), |&next| tensors[next].offset);
        let inside = data.checked_add(next).is_some_and(|next| next <= end);
        let room = next.checked_sub(tensors[index].offset).filter(|_| inside);
        let mut bytes = room.ok_or_else(|| damaged("a tensor lies outside of the file"))?;
        let mut written = bytes;
        if tensors[index].is_changed() {
            let numbers = tensors[index].dims.iter().try_fold(1_u64, |product, dim| product.checked_mul(*dim));
            let blocks = numbers.filter(|n| n.is_multiple_of(BLOCK as u64)).map(|n| n / BLOCK as u64);
            let blocks = blocks.filter(|blocks| *blocks <= bytes / Q5_0_BYTES as u64);
            let blocks = blocks.ok_or_else(|| damaged("a matrix does not have the size of its rows and columns"))?;
            bytes = blocks * Q5_0_BYTES as u64;
            written = blocks * IQ4_NL_BYTES;
        }
        places[index] = (offset, bytes);
        offset = (offset + written).next_multiple_of(alignment);
    }

    let Head { mut source, mut kept, .. } = head;
    for (tensor, (offset, _)) in tensors.iter().zip(&places) {
        kept.extend((tensor.name.len() as u64).to_le_bytes());
        kept.extend(&tensor.name);
        kept.extend((tensor.dims.len() as u32).to_le_bytes());
        tensor.dims.iter().for_each(|dim| kept.extend(dim.to_le_bytes()));
        let kind = if tensor.is_changed() { IQ4_NL } else { tensor.kind };
        kept.extend(kind.to_le_bytes());
        kept.extend(offset.to_le_bytes());
    }
    let mut at = kept.len() as u64;
    output.write_all(&kept)?;
    let first = at.next_multiple_of(alignment);
    for (done, &index) in order.iter().enumerate() {
        let (offset, bytes) = places[index];
        pad(&mut output, &mut at, first + offset)?;
        source.seek(SeekFrom::Start(data + tensors[index].offset))?;
        let mut rest = (&mut source).take(bytes);
        let mut chunk = Vec::with_capacity(CHUNK);
        while rest.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)? > 0 {
            if tensors[index].is_changed() {
                let mut four = Vec::with_capacity(chunk.len());
                chunk.as_chunks::<Q5_0_BYTES>().0.iter().for_each(|block| encode(&decode(block), &mut four));
                chunk = four;
            }
            at += chunk.len() as u64;
            output.write_all(&chunk)?;
            chunk.clear();
        }
        on_tensor(done + 1, tensors.len());
    }
    pad(&mut output, &mut at, first + offset)?;
    output.flush()?;
    Ok(())
}

fn damaged(what: &str) -> ConvertError {
    ConvertError::Damaged(what.to_owned())
}

fn pad(output: &mut impl Write, at: &mut u64, to: u64) -> Result<(), ConvertError> {
    // Less than the alignment, which is bounded.
    output.write_all(&vec![0; (to - *at) as usize])?;
    *at = to;
    Ok(())
}

fn decode(block: &[u8; Q5_0_BYTES]) -> [f32; BLOCK] {
    let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
    let fifth = u32::from_le_bytes([block[2], block[3], block[4], block[5]]);
    std::array::from_fn(|n| {
        let nibbles = block[6 + n % 16];
        let low = if n < 16 { nibbles & 15 } else { nibbles >> 4 };
        scale * (f32::from(low | ((fifth >> n & 1) as u8) << 4) - 16.0)
    })
}

/// The block with the scale that errs least, of those around "the extreme becomes the first step". Errors count by the
/// square of the number, as llama.cpp has it: large numbers say most.
fn encode(values: &[f32; BLOCK], bytes: &mut Vec<u8>) {
    let extreme = values.iter().fold(0.0_f32, |max, &v| if v.abs() > max.abs() { v } else { max });
    let (mut scale, mut best) = (0.0, 0.0);
    if extreme != 0.0 {
        for nudge in -7..=7 {
            let inverse = (STEPS[0] + nudge as f32) / extreme;
            let (mut product, mut square) = (0.0, 0.0);
            for value in values {
                let step = STEPS[usize::from(nearest(value * inverse))];
                product += value * value * value * step;
                square += value * value * step * step;
            }
            // The scale with the least error for these levels is product / square.
            if square > 0.0 && product * product > best * square {
                (scale, best) = (product / square, product * product / square);
            }
        }
    }
    let scale = f16::from_f32(scale);
    let inverse = if scale.to_f32() == 0.0 { 0.0 } else { 1.0 / scale.to_f32() };
    let levels = values.map(|value| nearest(value * inverse));
    bytes.extend(scale.to_le_bytes());
    let (low, high) = levels.split_at(BLOCK / 2);
    bytes.extend(low.iter().zip(high).map(|(a, b)| a | b << 4));
}

fn nearest(value: f32) -> u8 {
    let above = STEPS.iter().position(|step| *step >= value).unwrap_or(STEPS.len() - 1);
    let below = above.saturating_sub(1);
    (if value - STEPS[below] < STEPS[above] - value { below } else { above }) as u8
}

struct Head<R> {
    source: BufReader<R>,
    /// All that was read so far.
    kept: Vec<u8>,
    alignment: u64,
}

impl<R: Read> Head<R> {
    /// Reads everything before the data; the pairs stay in `kept`.
    fn read(&mut self) -> Result<Vec<Tensor>, ConvertError> {
        if self.bytes(4)? != MAGIC || self.u32()? != VERSION {
            return Err(damaged("it is no GGUF file of version 3"));
        }
        let (tensors, pairs) = (self.count()?, self.count()?);
        for _ in 0..pairs {
            let key = self.text()?;
            let kind = self.u32()?;
            let value = self.kept.len();
            self.value(kind)?;
            if key == b"general.alignment" {
                let bytes = self.kept.get(value..value + 4).and_then(|bytes| bytes.try_into().ok());
                let alignment = u64::from(bytes.map_or(0, u32::from_le_bytes));
                if !(8..=4096).contains(&alignment) {
                    return Err(damaged("its alignment is out of range"));
                }
                self.alignment = alignment;
            }
        }
        let pairs_end = self.kept.len();
        let mut found = Vec::new();
        for _ in 0..tensors {
            let name = self.text()?;
            let rank = self.u32()?;
            if rank > MOST_DIMS {
                return Err(damaged("a tensor has too many dimensions"));
            }
            let dims = (0..rank).map(|_| self.u64()).collect::<Result<_, _>>()?;
            found.push(Tensor { name, dims, kind: self.u32()?, offset: self.u64()? });
        }
        self.kept.truncate(pairs_end);
        Ok(found)
    }

    fn value(&mut self, kind: u32) -> Result<(), ConvertError> {
        const TEXT: u32 = 8;
        const LIST: u32 = 9;
        match kind {
            TEXT => self.text().map(drop),
            LIST => {
                let (kind, count) = (self.u32()?, self.count()?);
                if kind == LIST {
                    return Err(damaged("it has lists of lists"));
                }
                (0..count).try_for_each(|_| self.value(kind))
            }
            0 | 1 | 7 => self.bytes(1).map(drop),
            2 | 3 => self.bytes(2).map(drop),
            4..=6 => self.bytes(4).map(drop),
            10..=12 => self.bytes(8).map(drop),
            other => Err(damaged(&format!("it has values of an unknown type, {other}"))),
        }
    }

    fn bytes(&mut self, count: u64) -> Result<&[u8], ConvertError> {
        let start = self.kept.len();
        if self.source.by_ref().take(count).read_to_end(&mut self.kept)? as u64 != count {
            return Err(damaged("it ends too soon"));
        }
        Ok(&self.kept[start..])
    }

    fn u32(&mut self) -> Result<u32, ConvertError> {
        Ok(self.bytes(4)?.try_into().map_or(0, u32::from_le_bytes))
    }

    fn u64(&mut self) -> Result<u64, ConvertError> {
        Ok(self.bytes(8)?.try_into().map_or(0, u64::from_le_bytes))
    }

    fn count(&mut self) -> Result<u64, ConvertError> {
        let count = self.u64()?;
        if count > MOST { Err(damaged("it says that it has more than a million of something")) } else { Ok(count) }
    }

    fn text(&mut self) -> Result<Vec<u8>, ConvertError> {
        let length = self.u64()?;
        if length > LONGEST_TEXT {
            return Err(damaged("it has a text that is too long"));
        }
        self.bytes(length).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::quantize::Format;
    use super::*;

    fn text(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }

    /// Two matrices of 64 numbers in five bits, one of them looked up, and a bias.
    fn file() -> Vec<u8> {
        let ramp: [f32; BLOCK] = std::array::from_fn(|n| n as f32 - 16.0);
        let mut matrix = Vec::new();
        Format::Q5_0.encode(&[ramp, ramp.map(|v| -0.5 * v)].concat(), &mut matrix);
        let mut file = MAGIC.to_vec();
        file.extend(VERSION.to_le_bytes());
        file.extend([3_u64, 2].map(u64::to_le_bytes).concat());
        text(&mut file, "general.name");
        file.extend(8_u32.to_le_bytes());
        text(&mut file, "a model");
        text(&mut file, "some.list");
        file.extend([9_u32, 4].map(u32::to_le_bytes).concat());
        file.extend(2_u64.to_le_bytes());
        file.extend([7_u32, 8].map(u32::to_le_bytes).concat());
        for (name, dims, kind, offset) in [
            ("blk.0.up.weight", [32_u64, 2].as_slice(), 6_u32, 0_u64),
            ("token_embd.weight", &[32, 2], 6, 64),
            ("blk.0.bias", &[2], 0, 128),
        ] {
            text(&mut file, name);
            file.extend((dims.len() as u32).to_le_bytes());
            dims.iter().for_each(|dim| file.extend(dim.to_le_bytes()));
            file.extend(kind.to_le_bytes());
            file.extend(offset.to_le_bytes());
        }
        file.resize(file.len().next_multiple_of(32), 0);
        let data = file.len();
        file.extend(&matrix);
        file.resize(data + 64, 0);
        file.extend(&matrix);
        file.resize(data + 128, 0);
        file.extend([1.5_f32, -2.5].map(f32::to_le_bytes).concat());
        file
    }

    fn converted(file: &[u8]) -> Result<Vec<u8>, ConvertError> {
        let mut output = Vec::new();
        four_bits(Cursor::new(file), &mut output, |_, _| {})?;
        Ok(output)
    }

    #[test]
    fn only_a_layers_matrix_is_changed_and_hardly() {
        let output = converted(&file()).unwrap();
        let mut head = Head { source: BufReader::new(Cursor::new(&output)), kept: Vec::new(), alignment: ALIGNMENT };
        let tensors = head.read().unwrap();
        let data = head.source.stream_position().unwrap().next_multiple_of(32) as usize;
        let kinds: Vec<_> = tensors.iter().map(|tensor| (tensor.kind, tensor.offset)).collect();
        assert_eq!(kinds, [(20, 0), (6, 64), (0, 128)]);
        assert_eq!(head.kept, file()[..head.kept.len()], "the pairs are as they were");

        let block = &output[data..data + 18];
        let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
        for n in 0..BLOCK {
            let nibbles = block[2 + n % 16];
            let level = if n < 16 { nibbles & 15 } else { nibbles >> 4 };
            let value = scale * STEPS[usize::from(level)];
            let error = value - (n as f32 - 16.0);
            assert!(error.abs() <= 2.0, "{value} for {}", n as f32 - 16.0);
        }
        let original = file();
        assert_eq!(output[data + 64..data + 64 + 44], original[original.len() - 8 - 64..][..44]);
        assert_eq!(output[data + 128..data + 136], original[original.len() - 8..]);
    }

    #[test]
    fn numbers_on_the_steps_stay_exact_and_nothing_stays_nothing() {
        let values: [f32; BLOCK] = std::array::from_fn(|n| 0.25 * STEPS[n % 16]);
        let mut bytes = Vec::new();
        encode(&values, &mut bytes);
        assert_eq!(f16::from_le_bytes([bytes[0], bytes[1]]).to_f32(), 0.25);
        assert_eq!(bytes[2..], std::array::from_fn::<u8, 16, _>(|n| n as u8 * 17));
        bytes.clear();
        encode(&[0.0; BLOCK], &mut bytes);
        assert_eq!(bytes[..2], [0; 2], "a scale of zero");
    }

    #[test]
    fn a_file_that_ends_anywhere_is_damaged_and_never_a_panic() {
        let whole = file();
        for length in 0..whole.len() - 8 {
            assert!(converted(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
        }
        for at in 0..250 {
            let mut file = whole.clone();
            file[at] ^= 0xff;
            let _ = converted(&file);
        }
    }
}
