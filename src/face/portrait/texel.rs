//! Arithmetic on pixels, the innermost of drawing: bilinear samples of premultiplied RGBA8, and their blending.
//!
//! On x86-64 in the registers of SSE2, which every such machine has; elsewhere four channels at once in a 64-bit
//! word. Both give the same values to the last bit (a test holds them together where both exist).

#[cfg(target_arch = "x86_64")]
pub use sse2::{lay, sample};
#[cfg(not(target_arch = "x86_64"))]
pub use words::{lay, sample};

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi16, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_mullo_epi16, _mm_packus_epi16,
        _mm_set1_epi16, _mm_setzero_si128, _mm_shuffle_epi32, _mm_shufflehi_epi16, _mm_shufflelo_epi16, _mm_srli_epi16,
        _mm_sub_epi16, _mm_unpacklo_epi8, _mm_unpacklo_epi64,
    };

    /// One pixel, 16 bits a channel.
    #[derive(Clone, Copy)]
    pub struct Sample(__m128i);

    /// The mean of four neighbouring pixels, two and two as words in memory order, weighted by the fractions (0 to
    /// 255 of 256) by which the place lies right of and below the first.
    #[inline(always)]
    pub fn sample(upper: u64, lower: u64, right: i32, below: i32) -> Sample {
        // SAFETY: SSE2 belongs to x86-64; it is never absent.
        Sample(unsafe { bilinear(upper, lower, right as i16, below as i16) })
    }

    /// Lays two samples over two opaque pixels; `OPAQUE` ones replace them.
    #[inline(always)]
    pub fn lay<const OPAQUE: bool>(first: Sample, second: Sample, under: u64) -> u64 {
        // SAFETY: as above.
        unsafe { laid::<OPAQUE>(first.0, second.0, under) }
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn laid<const OPAQUE: bool>(first: __m128i, second: __m128i, under: u64) -> u64 {
        let sample = _mm_unpacklo_epi64(first, second);
        let out = if OPAQUE { sample } else { over(sample, under) };
        _mm_cvtsi128_si64(_mm_packus_epi16(out, out)) as u64
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn widened(word: u64) -> __m128i {
        _mm_unpacklo_epi8(_mm_cvtsi64_si128(word as i64), _mm_setzero_si128())
    }

    /// Each lane divided by 256, rounded.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn high_byte(sum: __m128i) -> __m128i {
        _mm_srli_epi16::<8>(_mm_add_epi16(sum, _mm_set1_epi16(128)))
    }

    /// The sample in the lower four lanes.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn bilinear(upper: u64, lower: u64, x: i16, y: i16) -> __m128i {
        let up = _mm_mullo_epi16(widened(upper), _mm_set1_epi16(256 - y));
        let low = _mm_mullo_epi16(widened(lower), _mm_set1_epi16(y));
        let column = high_byte(_mm_add_epi16(up, low));
        let weights = _mm_unpacklo_epi64(_mm_set1_epi16(256 - x), _mm_set1_epi16(x));
        let parts = _mm_mullo_epi16(column, weights);
        high_byte(_mm_add_epi16(parts, _mm_shuffle_epi32::<0b_01_00_11_10>(parts)))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn over(sample: __m128i, under: u64) -> __m128i {
        let alpha = _mm_shufflehi_epi16::<0xff>(_mm_shufflelo_epi16::<0xff>(sample));
        let keep = _mm_sub_epi16(_mm_sub_epi16(_mm_set1_epi16(256), alpha), _mm_srli_epi16::<7>(alpha));
        _mm_add_epi16(sample, high_byte(_mm_mullo_epi16(widened(under), keep)))
    }
}

/// The same in plain 64-bit words: red and blue in the low half, green and alpha in the high half, 16 bits each.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod words {
    /// Every other byte.
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    /// One half in each lane.
    const HALF: u64 = 0x0080_0080_0080_0080;

    /// One pixel, 16 bits a channel.
    #[derive(Clone, Copy)]
    pub struct Sample(u64);

    pub fn sample(upper: u64, lower: u64, right: i32, below: i32) -> Sample {
        Sample(bilinear(upper, lower, right as u64, below as u64))
    }

    pub fn lay<const OPAQUE: bool>(first: Sample, second: Sample, under: u64) -> u64 {
        let one = |sample: Sample, under: u32| pack(if OPAQUE { sample.0 } else { over(sample.0, under) });
        u64::from(one(first, under as u32)) | u64::from(one(second, (under >> 32) as u32)) << 32
    }

    fn bilinear(upper: u64, lower: u64, x: u64, y: u64) -> u64 {
        let column =
            |shift: u32| (((upper >> shift & EVEN) * (256 - y) + (lower >> shift & EVEN) * y + HALF) >> 8) & EVEN;
        let (even, odd) = (column(0), column(8));
        let left = (even & 0xffff_ffff) | odd << 32;
        let right = even >> 32 | (odd & 0xffff_ffff_0000_0000);
        ((left * (256 - x) + right * x + HALF) >> 8) & EVEN
    }

    fn over(sample: u64, under: u32) -> u64 {
        let alpha = sample >> 48;
        let keep = 256 - alpha - (alpha >> 7);
        let under = u64::from(under);
        let under = (under & 0x00ff_00ff) | (under >> 8 & 0x00ff_00ff) << 32;
        let sum = sample + ((under * keep + HALF) >> 8 & EVEN);
        // Rounding of both parts may exceed 255 by one.
        let excess = (sum >> 8) & 0x0001_0001_0001_0001;
        (sum - excess) & EVEN
    }

    fn pack(lanes: u64) -> u32 {
        ((lanes & 0x00ff_00ff) | (lanes >> 32 & 0x00ff_00ff) << 8) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::noise::Dice;

    #[test]
    fn blending_stays_within_a_level_and_a_half_of_exact_arithmetic() {
        for alpha in 0..=255u64 {
            for value in [0u64, 1, 100, 128, 254, 255] {
                let colour = value * alpha / 255;
                let pixel = colour | colour << 8 | colour << 16 | alpha << 24;
                let over = sample(pixel | pixel << 32, pixel | pixel << 32, 77, 200);
                for under in [0u8, 1, 99, 200, 255] {
                    let below = u64::from(u32::from_le_bytes([under, under, under, 255]));
                    let out = lay::<false>(over, over, below | below << 32).to_le_bytes();
                    let exact = colour as f32 + f32::from(under) * (255 - alpha) as f32 / 255.0;
                    assert!((f32::from(out[0]) - exact).abs() <= 1.5, "{alpha} {value} {under}: {out:?} for {exact}");
                    assert_eq!(out[..4], out[4..]);
                    assert!(out[3] >= 254);
                }
            }
        }
    }

    #[test]
    fn both_ways_of_computing_agree_on_any_pixels() {
        let mut dice = Dice::new(9);
        for _ in 0..20_000 {
            // Premultiplied: no channel above alpha.
            let mut word = || {
                let bytes = dice.word().to_le_bytes();
                u64::from_le_bytes(std::array::from_fn(|i| bytes[i].min(bytes[i | 3])))
            };
            let [a, b, c, d] = std::array::from_fn(|_| word());
            let [x, y, z, w, ..] = dice.word().to_le_bytes().map(i32::from);
            let under = a.rotate_left(13) | 0xff00_0000_ff00_0000;
            let (fast, plain) =
                ((sample(a, b, x, y), sample(c, d, z, w)), (words::sample(a, b, x, y), words::sample(c, d, z, w)));
            assert_eq!(lay::<true>(fast.0, fast.1, under), words::lay::<true>(plain.0, plain.1, under));
            assert_eq!(lay::<false>(fast.0, fast.1, under), words::lay::<false>(plain.0, plain.1, under));
        }
    }
}
