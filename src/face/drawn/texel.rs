//! Arithmetic on pixels, the innermost of drawing: bilinear samples of premultiplied RGBA8 from a layer, laid over
//! one cell of the picture.
//!
//! Four pixels at a time with AVX2 where the machine has it, else in plain integers. Both give the same values to the
//! last bit (a test holds them together), so a picture does not depend on the machine.

use super::texture::{SIDE, Texture};

/// Side of a cell, in picture pixels.
pub const CELL: usize = 16;
/// Binary digits of a place after the point, and of those the ones by which samples are weighted.
pub const DIGITS: u32 = 16;
const WEIGHT: u32 = 6;

/// A place in a layer, x and y, in pixels with [`DIGITS`] binary digits after the point.
pub type Place = [i32; 2];

/// A layer as it is sampled. Samples beyond it take its edge.
#[derive(Clone, Copy)]
pub struct Texels<'t> {
    /// Exactly `height` rows of `stride` bytes.
    data: &'t [u8],
    stride: usize,
    /// The last place at which a sample and its neighbours to the right and below lie within.
    last: Place,
}

impl<'t> Texels<'t> {
    /// None if the texture has no two rows or columns.
    pub fn of(texture: &'t Texture) -> Option<Self> {
        let Texture { width, height, ref data, .. } = *texture;
        if width < 2 || height < 2 || data.len() != width * height * 4 || data.len() > 1 << 28 {
            return None;
        }
        let last = [width, height].map(|v| (((v - 1) << DIGITS) - 1).min(i32::MAX as usize) as i32);
        Some(Self { data, stride: width * 4, last })
    }
}

/// What becomes of the pixels below.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// Nothing of them shows.
    Hidden,
    /// They are opaque, and so is the result.
    Opaque,
    /// They may be clear.
    Clear,
}

/// Draws one cell, whose first pixel is `at` in `picture` (RGBA8, [`SIDE`] wide): its corners (upper left, upper
/// right, lower left, lower right) show the places `corners` of the layer.
pub fn lay_cell(texels: Texels<'_>, corners: [Place; 4], picture: &mut [u8], at: [usize; 2], below: Below) {
    let first = (at[1] * SIDE + at[0]) * 4;
    for row in 0..CELL as i32 {
        let Some(pixels) = picture.get_mut(first + row as usize * SIDE * 4..).and_then(|p| p.first_chunk_mut()) else {
            return;
        };
        // Corners are multiples of 2^13 (see [`super::warp`]), so nothing is lost by dividing first.
        let side = |a: usize, b: usize, k: usize| corners[a][k] + ((corners[b][k] - corners[a][k]) / CELL as i32) * row;
        let from = [side(0, 2, 0), side(0, 2, 1)];
        let step = [0, 1].map(|k| (side(1, 3, k) - from[k]) / CELL as i32);
        lay_row(texels, from, step, pixels, below);
    }
}

fn lay_row(texels: Texels<'_>, from: Place, step: Place, pixels: &mut [u8; CELL * 4], below: Below) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has AVX2.
        unsafe { avx2::lay_row(texels, from, step, pixels, below) };
        return;
    }
    plain::lay_row(texels, from, step, pixels, below);
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_add_epi32, _mm_and_si128, _mm_extract_epi32, _mm_loadl_epi64, _mm_loadu_si128,
        _mm_max_epi32, _mm_min_epi32, _mm_mullo_epi32, _mm_or_si128, _mm_set1_epi32, _mm_setr_epi32, _mm_setzero_si128,
        _mm_slli_epi32, _mm_srli_epi32, _mm_storeu_si128, _mm_sub_epi32, _mm_unpacklo_epi64, _mm256_add_epi16,
        _mm256_castsi256_si128, _mm256_cvtepu8_epi16, _mm256_cvtepu32_epi64, _mm256_maddubs_epi16, _mm256_mulhrs_epi16,
        _mm256_mullo_epi16, _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_set_m128i, _mm256_set1_epi16,
        _mm256_setr_epi8, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_sub_epi16,
    };

    use super::{Below, CELL, DIGITS, Place, Texels, WEIGHT};

    const FRACTION: i32 = (DIGITS - WEIGHT) as i32;
    const ONE: i32 = 1 << WEIGHT;

    #[target_feature(enable = "avx2")]
    pub fn lay_row(texels: Texels<'_>, from: Place, step: Place, pixels: &mut [u8; CELL * 4], below: Below) {
        let (zero, digits) = (_mm_setzero_si128(), _mm_set1_epi32(ONE - 1));
        let last = texels.last.map(|v| _mm_set1_epi32(v));
        let stride = _mm_set1_epi32(texels.stride as i32);
        let start = |k: usize| {
            let at = |n: i32| from[k].wrapping_add(step[k].wrapping_mul(n));
            _mm_setr_epi32(at(0), at(1), at(2), at(3))
        };
        let (mut x, mut y) = (start(0), start(1));
        let [dx, dy] = step.map(|v| _mm_set1_epi32(v.wrapping_mul(4)));
        let opaque = _mm_set1_epi32(if below == Below::Clear { 0 } else { i32::MIN >> 7 });
        for four in pixels.as_chunks_mut::<16>().0 {
            let px = _mm_min_epi32(_mm_max_epi32(x, zero), last[0]);
            let py = _mm_min_epi32(_mm_max_epi32(y, zero), last[1]);
            (x, y) = (_mm_add_epi32(x, dx), _mm_add_epi32(y, dy));
            let rows = _mm_mullo_epi32(_mm_srli_epi32::<{ DIGITS as i32 }>(py), stride);
            let at = _mm_add_epi32(rows, _mm_slli_epi32::<2>(_mm_srli_epi32::<{ DIGITS as i32 }>(px)));
            let fx = _mm_and_si128(_mm_srli_epi32::<FRACTION>(px), digits);
            let fy = _mm_and_si128(_mm_srli_epi32::<FRACTION>(py), digits);
            // Both weights of a pair as two bytes: 64 - fx below, fx above.
            let pair = _mm_add_epi32(_mm_sub_epi32(_mm_slli_epi32::<8>(fx), fx), _mm_set1_epi32(ONE));
            let (pair, fy) = (spread(pair), spread(_mm_slli_epi32::<{ 15 - WEIGHT as i32 }>(fy)));
            let (upper, lower) = pairs(texels, at);
            let (upper, lower) = (_mm256_maddubs_epi16(upper, pair), _mm256_maddubs_epi16(lower, pair));
            let sum = _mm256_add_epi16(upper, _mm256_mulhrs_epi16(_mm256_sub_epi16(lower, upper), fy));
            let mut out =
                _mm256_srli_epi16::<{ WEIGHT as i32 }>(_mm256_add_epi16(sum, _mm256_set1_epi16(ONE as i16 / 2)));
            if below != Below::Hidden {
                out = over(out, four);
            }
            let packed = _mm256_permute4x64_epi64::<0b_11_01_10_00>(_mm256_packus_epi16(out, out));
            let packed = _mm_or_si128(_mm256_castsi256_si128(packed), opaque);
            // SAFETY: `four` is 16 bytes.
            unsafe { _mm_storeu_si128(four.as_mut_ptr().cast(), packed) };
        }
    }

    /// The low half of each 32-bit lane four times: once for each channel of its pixel.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn spread(lanes: __m128i) -> __m256i {
        let low = _mm256_setr_epi8(
            0, 1, 0, 1, 0, 1, 0, 1, 8, 9, 8, 9, 8, 9, 8, 9, 0, 1, 0, 1, 0, 1, 0, 1, 8, 9, 8, 9, 8, 9, 8, 9,
        );
        _mm256_shuffle_epi8(_mm256_cvtepu32_epi64(lanes), low)
    }

    /// Of four places the pixel and its right neighbour, channel by channel side by side; then the same a row below.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn pairs(texels: Texels<'_>, at: __m128i) -> (__m256i, __m256i) {
        let at = [
            _mm_extract_epi32::<0>(at),
            _mm_extract_epi32::<1>(at),
            _mm_extract_epi32::<2>(at),
            _mm_extract_epi32::<3>(at),
        ];
        let row = |below: usize| {
            let two = |i: usize| {
                let at = at[i] as usize + below;
                debug_assert!(at + 8 <= texels.data.len());
                // SAFETY: places are within `Texels::last`, so 8 bytes from there and a row below lie in the data.
                unsafe { _mm_loadl_epi64(texels.data.as_ptr().add(at).cast()) }
            };
            let (first, second) = (_mm_unpacklo_epi64(two(0), two(1)), _mm_unpacklo_epi64(two(2), two(3)));
            let by_channel = _mm256_setr_epi8(
                0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15, 0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11,
                15,
            );
            _mm256_shuffle_epi8(_mm256_set_m128i(second, first), by_channel)
        };
        (row(0), row(texels.stride))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn over(sample: __m256i, under: &[u8; 16]) -> __m256i {
        let alphas = _mm256_setr_epi8(
            6, 7, 6, 7, 6, 7, 6, 7, 14, 15, 14, 15, 14, 15, 14, 15, 6, 7, 6, 7, 6, 7, 6, 7, 14, 15, 14, 15, 14, 15, 14,
            15,
        );
        let alpha = _mm256_shuffle_epi8(sample, alphas);
        let keep = _mm256_sub_epi16(_mm256_sub_epi16(_mm256_set1_epi16(256), alpha), _mm256_srli_epi16::<7>(alpha));
        // SAFETY: `under` is 16 bytes.
        let under = _mm256_cvtepu8_epi16(unsafe { _mm_loadu_si128(under.as_ptr().cast()) });
        let kept = _mm256_add_epi16(_mm256_mullo_epi16(under, keep), _mm256_set1_epi16(128));
        _mm256_add_epi16(sample, _mm256_srli_epi16::<8>(kept))
    }
}

mod plain {
    use super::{Below, CELL, DIGITS, Place, Texels, WEIGHT};

    const ONE: i32 = 1 << WEIGHT;

    pub fn lay_row(texels: Texels<'_>, from: Place, step: Place, pixels: &mut [u8; CELL * 4], below: Below) {
        let Texels { data, stride, last } = texels;
        for (n, pixel) in pixels.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let [x, y] = [0, 1].map(|k| from[k].wrapping_add(step[k].wrapping_mul(n as i32)).clamp(0, last[k]));
            let at = (y >> DIGITS) as usize * stride + (x >> DIGITS) as usize * 4;
            let [fx, fy] = [x, y].map(|v| (v >> (DIGITS - WEIGHT)) & (ONE - 1));
            let sample: [i32; 4] = std::array::from_fn(|c| {
                let row = |at: usize| i32::from(data[at]) * (ONE - fx) + i32::from(data[at + 4]) * fx;
                let (upper, lower) = (row(at + c), row(at + c + stride));
                (upper + (((lower - upper) * fy + ONE / 2) >> WEIGHT) + ONE / 2) >> WEIGHT
            });
            let keep = 256 - sample[3] - (sample[3] >> 7);
            for (under, over) in pixel.iter_mut().zip(sample) {
                let kept = if below == Below::Hidden { 0 } else { (i32::from(*under) * keep + 128) >> 8 };
                *under = (over + kept).min(255) as u8;
            }
            if below != Below::Clear {
                pixel[3] = 255;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::noise::Dice;

    fn texture(width: usize, height: usize, pixel: impl FnMut(usize) -> [u8; 4]) -> Texture {
        let data = (0..width * height).flat_map(pixel).collect();
        Texture { left: 0, top: 0, width, height, data, spans: Vec::new() }
    }

    #[test]
    fn blending_stays_within_a_level_and_a_half_of_exact_arithmetic() {
        for alpha in 0..=255_u8 {
            for value in [0_u16, 1, 100, 128, 254, 255] {
                let colour = (value * u16::from(alpha) / 255) as u8;
                let layer = texture(4, 4, |_| [colour, colour, colour, alpha]);
                let texels = Texels::of(&layer).expect("it has rows");
                for under in [0_u8, 1, 99, 200, 255] {
                    let mut pixels = [under; CELL * 4];
                    pixels.iter_mut().skip(3).step_by(4).for_each(|a| *a = 255);
                    lay_row(texels, [77 << 10, 40 << 10], [1 << 12, 0], &mut pixels, Below::Clear);
                    let exact = f32::from(colour) + f32::from(under) * f32::from(255 - alpha) / 255.0;
                    for pixel in pixels.as_chunks::<4>().0 {
                        let off = (f32::from(pixel[0]) - exact).abs();
                        assert!(off <= 1.5 && pixel[3] >= 254, "{alpha} {value} {under}: {pixel:?} for {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn both_ways_of_computing_agree_on_any_pixels_and_places_also_far_outside() {
        let mut dice = Dice::new(9);
        let mut bytes = move || dice.word().to_le_bytes();
        for _ in 0..2_000 {
            // Premultiplied: no channel above alpha.
            let layer = texture(2 + usize::from(bytes()[0] % 9), 2 + usize::from(bytes()[0] % 9), |_| {
                let [r, g, b, a, ..] = bytes();
                [r.min(a), g.min(a), b.min(a), a]
            });
            let texels = Texels::of(&layer).expect("it has rows");
            let mut number = || {
                let b = bytes();
                i32::from_le_bytes([b[0], b[1], b[2], b[3]]) >> (8 + b[4] % 16)
            };
            let (from, step) = ([number(), number()], [number() >> 4, number() >> 4]);
            let under: [u8; CELL * 4] = std::array::from_fn(|_| number() as u8);
            for below in [Below::Hidden, Below::Opaque, Below::Clear] {
                let (mut fast, mut slow) = (under, under);
                lay_row(texels, from, step, &mut fast, below);
                plain::lay_row(texels, from, step, &mut slow, below);
                assert_eq!(fast, slow);
            }
        }
    }
}
