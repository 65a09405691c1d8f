//! A synthetic model of one layer through the whole converter, and broken copies of it.

use std::io::Cursor;

use super::*;

const STATE: usize = 64;
pub const VOCABULARY: &str = "a\nĠb\n<|endoftext|>\n<|0.00|>\n";

/// Writes `model.bin`; each variable's values count up from its place in the file.
struct Ct2 {
    bytes: Vec<u8>,
    count: u32,
}

impl Ct2 {
    fn string(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend((text.len() as u16 + 1).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.push(0);
    }

    fn variable(&mut self, name: &str, dims: &[usize]) {
        Self::string(&mut self.bytes, name);
        self.bytes.push(dims.len() as u8);
        dims.iter().for_each(|&dim| self.bytes.extend((dim as u32).to_le_bytes()));
        let values = dims.iter().product::<usize>();
        self.bytes.push(4);
        self.bytes.extend((values as u32 * 2).to_le_bytes());
        for n in 0..values {
            self.bytes.extend(half::f16::from_f32((n / STATE) as f32).to_le_bytes());
        }
        self.count += 1;
    }

    fn finish(self) -> Vec<u8> {
        let mut file = 6_u32.to_le_bytes().to_vec();
        Self::string(&mut file, "WhisperSpec");
        file.extend(3_u32.to_le_bytes());
        file.extend(self.count.to_le_bytes());
        file.extend(self.bytes);
        file.extend(0_u32.to_le_bytes());
        file
    }
}

pub fn model() -> Vec<u8> {
    let mut file = Ct2 { bytes: Vec::new(), count: 0 };
    let linear = |file: &mut Ct2, name: &str, outputs: usize, inputs: usize| {
        file.variable(&format!("{name}/weight"), &[outputs, inputs]);
        file.variable(&format!("{name}/bias"), &[outputs]);
    };
    let norm = |file: &mut Ct2, name: &str| {
        file.variable(&format!("{name}/gamma"), &[STATE]);
        file.variable(&format!("{name}/beta"), &[STATE]);
    };
    file.variable("decoder/embeddings/weight", &[4, STATE]);
    for (side, context) in [("encoder", 10), ("decoder", 5)] {
        file.variable(&format!("{side}/position_encodings/encodings"), &[context, STATE]);
        linear(&mut file, &format!("{side}/layer_0/self_attention/linear_0"), 3 * STATE, STATE);
        linear(&mut file, &format!("{side}/layer_0/self_attention/linear_1"), STATE, STATE);
        norm(&mut file, &format!("{side}/layer_0/self_attention/layer_norm"));
        linear(&mut file, &format!("{side}/layer_0/ffn/linear_0"), 4 * STATE, STATE);
        linear(&mut file, &format!("{side}/layer_0/ffn/linear_1"), STATE, 4 * STATE);
        norm(&mut file, &format!("{side}/layer_0/ffn/layer_norm"));
        norm(&mut file, &format!("{side}/layer_norm"));
    }
    linear(&mut file, "decoder/layer_0/attention/linear_0", STATE, STATE);
    linear(&mut file, "decoder/layer_0/attention/linear_1", 2 * STATE, STATE);
    linear(&mut file, "decoder/layer_0/attention/linear_2", STATE, STATE);
    norm(&mut file, "decoder/layer_0/attention/layer_norm");
    for (conv, inputs) in [("conv1", 80), ("conv2", STATE)] {
        file.variable(&format!("encoder/{conv}/weight"), &[STATE, inputs, 3]);
        file.variable(&format!("encoder/{conv}/bias"), &[STATE]);
    }
    file.finish()
}

fn convert(model: &[u8], format: Format) -> Result<Vec<u8>, ConvertError> {
    let mut output = Vec::new();
    whisper(Cursor::new(model), VOCABULARY, format, &mut output, |_, _| {})?;
    Ok(output)
}

/// Name, type, axes (innermost first) and data of every tensor of a ggml file.
fn tensors(file: &[u8]) -> Vec<(String, i32, Vec<usize>, &[u8])> {
    let int = |at: usize| i32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut at = 4 + 11 * 4 + 8 + 80 * 201 * 4;
    let tokens = int(at);
    at += 4;
    for _ in 0..tokens {
        at += 4 + int(at) as usize;
    }
    let mut found = Vec::new();
    while at < file.len() {
        let (rank, length, kind) = (int(at) as usize, int(at + 4) as usize, int(at + 8));
        let dims: Vec<usize> = (0..rank).map(|n| int(at + 12 + 4 * n) as usize).collect();
        at += 12 + 4 * rank;
        let name = String::from_utf8(file[at..at + length].to_vec()).unwrap();
        at += length;
        let values: usize = dims.iter().product();
        let bytes = match kind {
            0 => values * 4,
            1 => values * 2,
            8 => values / 32 * 34,
            7 => values / 32 * 24,
            other => panic!("type {other}"),
        };
        found.push((name, kind, dims, &file[at..at + bytes]));
        at += bytes;
    }
    found
}

#[test]
fn every_tensor_of_whisper_is_there_in_its_type() {
    let file = convert(&model(), Format::Q8_0).unwrap();
    assert_eq!(file[4 + 10 * 4..4 + 11 * 4], 2007_i32.to_le_bytes());
    let tensors = tensors(&file);
    assert_eq!(tensors.len(), 11 + 15 + 24, "11 outside the layers, 15 in an encoder layer, 24 in a decoder layer");
    for (name, kind, dims, _) in &tensors {
        let expected = match name.as_str() {
            "encoder.conv1.weight" | "encoder.conv2.weight" => 1,
            name if name.ends_with("positional_embedding") => 0,
            name if name.ends_with("weight") && dims.len() == 2 => 8,
            _ => 0,
        };
        assert_eq!(*kind, expected, "{name}");
    }
    let bias = tensors.iter().find(|(name, ..)| name == "encoder.conv1.bias").unwrap();
    assert_eq!(bias.2, [1, STATE]);
}

#[test]
fn stacked_projections_are_taken_apart_in_order() {
    let file = convert(&model(), Format::F16).unwrap();
    let tensors = tensors(&file);
    // A row's values are its row number, so the first value tells which rows a tensor got.
    for (name, first_row) in [
        ("encoder.blocks.0.attn.query.weight", 0),
        ("encoder.blocks.0.attn.key.weight", STATE),
        ("encoder.blocks.0.attn.value.weight", 2 * STATE),
        ("decoder.blocks.0.cross_attn.key.weight", 0),
        ("decoder.blocks.0.cross_attn.value.weight", STATE),
    ] {
        let (_, _, dims, data) = tensors.iter().find(|tensor| tensor.0 == name).unwrap();
        assert_eq!(*dims, [STATE, STATE]);
        assert_eq!(half::f16::from_le_bytes([data[0], data[1]]).to_f32(), first_row as f32, "{name}");
    }
    assert!(!tensors.iter().any(|(name, ..)| name.ends_with("key.bias")));
}

#[test]
fn a_file_cut_anywhere_gives_an_error() {
    let whole = model();
    // The last 4 bytes are the alias count, which is not needed.
    for length in (0..whole.len() - 4).step_by(9_973).chain(0..200) {
        assert!(convert(&whole[..length], Format::Q8_0).is_err(), "cut at {length}");
    }
}

#[test]
fn a_changed_byte_in_the_index_never_panics() {
    let whole = model();
    for at in (0..400).step_by(5) {
        for value in [0x00, 0xff] {
            let mut broken = whole.clone();
            broken[at] = value;
            let _ = convert(&broken, Format::Q5_1);
        }
    }
}

#[test]
fn a_variable_that_claims_more_than_the_file_has_is_refused_before_memory_is_taken() {
    let mut file = 6_u32.to_le_bytes().to_vec();
    Ct2::string(&mut file, "WhisperSpec");
    file.extend(3_u32.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    Ct2::string(&mut file, "decoder/embeddings/weight");
    file.push(2);
    file.extend(0x7fff_ffff_u32.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.push(4);
    file.extend(0xffff_fffe_u32.to_le_bytes());
    assert!(matches!(convert(&file, Format::F16), Err(ConvertError::Damaged(_))));
}
