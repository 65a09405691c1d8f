//! RGBA to I420, BT.601 in limited range: what H.264 in WebRTC is taken for when nothing else is said.
//!
//! Arithmetic of 16 bits in plain loops over rows: the compiler turns it into vector code also where only SSE2 may
//! be used, which has no multiplication of 32 bits.

use crate::face::Area;
use crate::media::I420;

/// Converts what lies in `area` of a picture of `width` x `height` (both even), 4 bytes a pixel, rows without padding;
/// alpha is not looked at. Planes of another size are made to fit, and then all of it is converted. Panics if `rgba` is
/// shorter than the picture.
pub fn rgba_to_i420(rgba: &[u8], width: usize, height: usize, area: Area, out: &mut I420) {
    let mut area = area;
    if out.width != width || out.height != height {
        *out = I420::new(width, height);
        area = Area::whole((width, height));
    }
    // A chroma sample has a square of four pixels.
    let (left, right) = (area.left & !1, area.right.next_multiple_of(2).min(width));
    let (top, bottom) = (area.top & !1, area.bottom.next_multiple_of(2).min(height));
    if left >= right || top >= bottom {
        return;
    }
    let rgba = &rgba[..width * height * 4];
    for y in top..bottom {
        let row = y * width;
        luma_row(&rgba[(row + left) * 4..(row + right) * 4], &mut out.y[row + left..row + right]);
    }
    for y in top / 2..bottom / 2 {
        let (above, below) = rgba[y * width * 8..(y + 1) * width * 8].split_at(width * 4);
        let (pixels, samples) = (left * 4..right * 4, y * width / 2 + left / 2..y * width / 2 + right / 2);
        chroma_row(&above[pixels.clone()], &below[pixels], &mut out.u[samples.clone()], &mut out.v[samples]);
    }
}

/// Coefficients of ITU-R BT.601 for luma 16..235 and chroma 16..240, scaled by 2^8. The largest sum is 56228.
fn luma_row(pixels: &[u8], luma: &mut [u8]) {
    for (pixel, y) in pixels.as_chunks::<4>().0.iter().zip(luma) {
        let [r, g, b, _] = pixel.map(u16::from);
        *y = (((66 * r + 129 * g + 25 * b + 128) >> 8) + 16) as u8;
    }
}

/// Each chroma sample is the mean of a square of four pixels.
fn chroma_row(above: &[u8], below: &[u8], u: &mut [u8], v: &mut [u8]) {
    let squares = above.as_chunks::<8>().0.iter().zip(below.as_chunks::<8>().0);
    for ((above, below), (u, v)) in squares.zip(u.iter_mut().zip(v)) {
        let mean = |channel: usize| {
            let sum = u16::from(above[channel])
                + u16::from(above[channel + 4])
                + u16::from(below[channel])
                + u16::from(below[channel + 4]);
            ((sum + 2) >> 2) as i16
        };
        let (r, g, b) = (mean(0), mean(1), mean(2));
        *u = (((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128) as u8;
        *v = (((112 * r - 94 * g - 18 * b + 128) >> 8) + 128) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: f64 = 2.0;

    fn noise(count: usize) -> Vec<u8> {
        let mut state = 1u32;
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect()
    }

    /// BT.601 straight from its definition, in floating point.
    fn reference(rgb: [f64; 3]) -> [f64; 3] {
        let [r, g, b] = rgb.map(|channel| channel / 255.0);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        [16.0 + 219.0 * y, 128.0 + 224.0 * (b - y) / 1.772, 128.0 + 224.0 * (r - y) / 1.402]
    }

    #[test]
    fn every_sample_is_within_two_of_the_definition() {
        let (width, height) = (64, 48);
        let mut rgba = noise(width * height * 4);
        // Corners of the colour cube as well: each a square of four pixels.
        for corner in 0..8usize {
            for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                for channel in 0..3 {
                    rgba[(y * width + corner * 2 + x) * 4 + channel] = if corner >> channel & 1 == 1 { 255 } else { 0 };
                }
            }
        }
        let mut out = I420::new(2, 2);
        rgba_to_i420(&rgba, width, height, Area::whole((width, height)), &mut out);
        let at = |x: usize, y: usize| [0, 1, 2].map(|channel| f64::from(rgba[(y * width + x) * 4 + channel]));
        for y in 0..height {
            for x in 0..width {
                assert!((f64::from(out.y[y * width + x]) - reference(at(x, y))[0]).abs() <= TOLERANCE);
            }
        }
        for y in 0..height / 2 {
            for x in 0..width / 2 {
                let four = [at(2 * x, 2 * y), at(2 * x + 1, 2 * y), at(2 * x, 2 * y + 1), at(2 * x + 1, 2 * y + 1)];
                let mean = [0, 1, 2].map(|channel| four.iter().map(|pixel| pixel[channel]).sum::<f64>() / 4.0);
                let [_, u, v] = reference(mean);
                assert!((f64::from(out.u[y * width / 2 + x]) - u).abs() <= TOLERANCE);
                assert!((f64::from(out.v[y * width / 2 + x]) - v).abs() <= TOLERANCE);
            }
        }
    }

    #[test]
    fn an_area_changes_like_the_whole_and_nothing_else_does() {
        let (width, height) = (64, 48);
        let (old, new) = (noise(width * height * 4), noise(width * height * 4 + 64)[64..].to_vec());
        let whole = Area::whole((width, height));
        for area in [Area { left: 13, top: 7, right: 40, bottom: 31 }, Area { left: 1, top: 1, right: 64, bottom: 48 }]
        {
            let (left, right, top, bottom) =
                (area.left & !1, area.right.next_multiple_of(2), area.top & !1, area.bottom.next_multiple_of(2));
            let mut mixed = old.clone();
            for y in top..bottom {
                let row = (y * width + left) * 4..(y * width + right) * 4;
                mixed[row.clone()].copy_from_slice(&new[row]);
            }
            let (mut expected, mut out) = (I420::new(width, height), I420::new(width, height));
            rgba_to_i420(&mixed, width, height, whole, &mut expected);
            rgba_to_i420(&old, width, height, whole, &mut out);
            rgba_to_i420(&new, width, height, area, &mut out);
            assert!(out == expected);
            rgba_to_i420(&old, width, height, Area::default(), &mut out);
            assert!(out == expected);
        }
    }
}
