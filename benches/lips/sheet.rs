//! Pictures as they were received around some p, b and m, to be looked at: a row for each, a picture every 40 ms, framed
//! in red where the phoneme sounds and in green where it sounds 40 ms later, as the mouth leads.

use std::path::Path;

use anyhow::Context;
use image::{Rgb, RgbImage, imageops};
use visavis::media::I420;

use super::call::Received;
use super::closures::{Closure, LEAD};
use super::line::Line;

/// Pictures of a row, before and after the phoneme's start.
const BEFORE: usize = 4;
const AFTER: usize = 5;
/// What is shown of a picture: left, top, width, height.
const PART: [u32; 4] = [184, 262, 144, 112];

/// Writes the sheet.
pub fn write(path: &Path, shown: &[Closure], lines: &[(Line, Received)]) -> anyhow::Result<()> {
    let [_, _, width, height] = PART;
    let columns = (BEFORE + AFTER) as u32;
    let mut sheet = RgbImage::new(columns * width, shown.len() as u32 * height);
    for (row, closure) in shown.iter().enumerate() {
        let (line, received) = &lines[closure.line];
        // A line has a frame of each picture that was decoded and placed.
        let parts = received.pictures.iter().filter(|seen| seen.opening.is_some() && seen.clocks.is_some());
        let seen: Vec<_> = line.frames.iter().zip(parts).collect();
        let Some(first) = seen.iter().position(|(frame, _)| frame.seconds >= closure.start) else { continue };
        let from = first.saturating_sub(BEFORE);
        for (column, (shown, picture)) in seen[from..].iter().take(columns as usize).enumerate() {
            let Some(mut tile) = picture.part.clone() else { continue };
            let sounds = |at: f64| (closure.start..closure.end.max(closure.start + 0.040)).contains(&at);
            if sounds(shown.seconds + LEAD) {
                frame(&mut tile, 3, Rgb([40, 220, 60]));
            }
            if sounds(shown.seconds) {
                frame(&mut tile, 0, Rgb([230, 30, 30]));
            }
            imageops::replace(&mut sheet, &tile, i64::from(column as u32 * width), i64::from(row as u32 * height));
        }
    }
    sheet.save(path).with_context(|| format!("writing {}", path.display()))
}

fn frame(tile: &mut RgbImage, inset: u32, colour: Rgb<u8>) {
    let (width, height) = tile.dimensions();
    for (x, y, pixel) in tile.enumerate_pixels_mut() {
        let depth = x.min(y).min(width - 1 - x).min(height - 1 - y);
        if (inset..inset + 3).contains(&depth) {
            *pixel = colour;
        }
    }
}

/// What is around the mouth (BT.601, limited range).
pub fn part(picture: &I420) -> RgbImage {
    let [left, top, width, height] = PART;
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = ((left + x) as usize, (top + y) as usize);
        let chroma = y / 2 * (picture.width / 2) + x / 2;
        let luma = 1.164 * (f32::from(picture.y[y * picture.width + x]) - 16.0);
        let (u, v) = (f32::from(picture.u[chroma]) - 128.0, f32::from(picture.v[chroma]) - 128.0);
        Rgb([luma + 1.596 * v, luma - 0.392 * u - 0.813 * v, luma + 2.017 * u].map(|c| c.clamp(0.0, 255.0) as u8))
    })
}
