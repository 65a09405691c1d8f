//! ggml's storage formats for a row of numbers. Blocks hold 32 numbers with one f16 scale (and offset).
//!
//! Byte layouts (ggml's `block_*` structures): q8_0 = scale, 32 i8; q5_0 = scale, u32 of fifth bits,
//! 16 bytes of nibbles; q5_1 = scale, minimum, u32 of fifth bits, 16 bytes of nibbles. Nibble byte `j` holds
//! number `j` low and number `j + 16` high.

use half::f16;
use serde::Deserialize;

/// Numbers in a block.
pub const BLOCK: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    F32,
    F16,
    Q8_0,
    Q5_0,
    Q5_1,
}

impl Format {
    /// `ggml_type`, as it stands before each tensor.
    pub fn type_id(self) -> i32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q5_0 => 6,
            Self::Q5_1 => 7,
            Self::Q8_0 => 8,
        }
    }

    /// `ggml_ftype` of the file, with the quantisation version in the thousands.
    pub fn file_type(self) -> i32 {
        const QUANTISATION_VERSION: i32 = 2 * 1000;
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8_0 => QUANTISATION_VERSION + 7,
            Self::Q5_0 => QUANTISATION_VERSION + 8,
            Self::Q5_1 => QUANTISATION_VERSION + 9,
        }
    }

    /// Whether rows of `length` numbers can be stored so.
    pub fn fits(self, length: usize) -> bool {
        matches!(self, Self::F32 | Self::F16) || length.is_multiple_of(BLOCK)
    }

    /// Appends `values`, whole rows of a length that [`fits`](Self::fits), to `bytes`.
    pub fn encode(self, values: &[f32], bytes: &mut Vec<u8>) {
        match self {
            Self::F32 => values.iter().for_each(|v| bytes.extend(v.to_le_bytes())),
            Self::F16 => values.iter().for_each(|&v| bytes.extend(f16::from_f32(v).to_le_bytes())),
            Self::Q8_0 => blocks(values).for_each(|block| q8_0(block, bytes)),
            Self::Q5_0 => blocks(values).for_each(|block| q5_0(block, bytes)),
            Self::Q5_1 => blocks(values).for_each(|block| q5_1(block, bytes)),
        }
    }
}

fn blocks(values: &[f32]) -> impl Iterator<Item = &[f32; BLOCK]> {
    values.as_chunks().0.iter()
}

/// One over `scale`, or zero for a block that is all zero.
fn inverse(scale: f32) -> f32 {
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

fn q8_0(block: &[f32; BLOCK], bytes: &mut Vec<u8>) {
    let largest = block.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    let scale = largest / 127.0;
    let inverse = inverse(scale);
    bytes.extend(f16::from_f32(scale).to_le_bytes());
    bytes.extend(block.iter().map(|v| (v * inverse).round() as i8 as u8));
}

/// Symmetric: the number of largest magnitude becomes -16, which makes the scale's sign its opposite.
fn q5_0(block: &[f32; BLOCK], bytes: &mut Vec<u8>) {
    let extreme = block.iter().fold(0.0_f32, |max, &v| if v.abs() > max.abs() { v } else { max });
    let scale = extreme / -16.0;
    let inverse = inverse(scale);
    bytes.extend(f16::from_f32(scale).to_le_bytes());
    pack_five_bits(block.map(|v| ((v * inverse + 16.5) as u8).min(31)), bytes);
}

fn q5_1(block: &[f32; BLOCK], bytes: &mut Vec<u8>) {
    let low = block.iter().copied().fold(f32::INFINITY, f32::min);
    let high = block.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scale = (high - low) / 31.0;
    let inverse = inverse(scale);
    bytes.extend(f16::from_f32(scale).to_le_bytes());
    bytes.extend(f16::from_f32(low).to_le_bytes());
    pack_five_bits(block.map(|v| (((v - low) * inverse + 0.5) as u8).min(31)), bytes);
}

fn pack_five_bits(levels: [u8; BLOCK], bytes: &mut Vec<u8>) {
    let fifth = levels.iter().enumerate().fold(0_u32, |bits, (n, level)| bits | u32::from(level >> 4) << n);
    bytes.extend(fifth.to_le_bytes());
    let (low, high) = levels.split_at(BLOCK / 2);
    bytes.extend(low.iter().zip(high).map(|(a, b)| (a & 15) | (b & 15) << 4));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> [f32; BLOCK] {
        std::array::from_fn(|n| n as f32 - 16.0)
    }

    fn encoded(format: Format, values: &[f32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        format.encode(values, &mut bytes);
        bytes
    }

    fn scale(bytes: &[u8]) -> f32 {
        f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
    }

    #[test]
    fn q8_0_maps_the_largest_magnitude_to_127() {
        let bytes = encoded(Format::Q8_0, &ramp());
        assert_eq!(bytes.len(), 34);
        assert_eq!(scale(&bytes), f16::from_f32(16.0 / 127.0).to_f32());
        assert_eq!(bytes[2] as i8, -127);
        assert_eq!(bytes[2 + 16] as i8, 0);
        assert_eq!(bytes[2 + 31] as i8, 119, "15 * 127 / 16 = 119.06");
    }

    #[test]
    fn q5_0_stores_a_ramp_of_32_steps_exactly() {
        let bytes = encoded(Format::Q5_0, &ramp());
        assert_eq!(bytes.len(), 22);
        assert_eq!(scale(&bytes), 1.0);
        assert_eq!(bytes[2..6], 0xffff_0000_u32.to_le_bytes(), "levels 16 to 31 have the fifth bit");
        assert_eq!(bytes[6], 0x00, "levels 0 and 16");
        assert_eq!(bytes[6 + 15], 0xff, "levels 15 and 31");
    }

    #[test]
    fn q5_1_stores_the_minimum_and_a_step() {
        let bytes = encoded(Format::Q5_1, &ramp());
        assert_eq!(bytes.len(), 24);
        assert_eq!(scale(&bytes), 1.0);
        assert_eq!(scale(&bytes[2..]), -16.0);
        assert_eq!(bytes[4..8], 0xffff_0000_u32.to_le_bytes());
        assert_eq!(bytes[8 + 1], 0x11, "levels 1 and 17");
    }

    #[test]
    fn a_block_of_zeros_stays_zero_and_odd_numbers_do_not_panic() {
        for format in [Format::Q8_0, Format::Q5_0, Format::Q5_1] {
            let bytes = encoded(format, &[0.0; BLOCK]);
            assert_eq!(scale(&bytes), 0.0, "{format:?}");
            encoded(format, &[f32::NAN; BLOCK]);
            encoded(format, &[f32::INFINITY; BLOCK]);
        }
    }
}
