//! Puts eyes and mouth together: pieces laid column by column, each column stretched and clipped on its own.
//!
//! Lids and lips are curves that are functions of x, so a piece in another pose is a shift and a stretch of each of
//! its columns. Places are in texture pixels from the picture's upper left corner; a pixel's centre lies at its half.

use super::texture::Texture;
use super::warp::Tiles;

/// How one column of a stage is filled from a texture.
#[derive(Clone, Copy, Debug, Default)]
pub struct Column {
    /// The column of the texture that is taken.
    pub from_x: f32,
    /// The height in the texture that is seen at height `y` is `add + times * y`.
    pub add: f32,
    pub times: f32,
    /// Nothing is laid above and below these.
    pub top: f32,
    pub bottom: f32,
}

impl Column {
    /// The column that shows at `to` what the texture has at `from`, stretched `by` a factor.
    pub fn anchored(from_x: f32, from: f32, to: f32, by: f32) -> Self {
        let times = 1.0 / by;
        Self { from_x, add: from - to * times, times, top: f32::MIN, bottom: f32::MAX }
    }

    /// The same within a clip.
    #[must_use]
    pub fn clipped(self, top: f32, bottom: f32) -> Self {
        Self { top, bottom, ..self }
    }
}

/// A texture that is put together anew for each pose; it covers a box that does not change.
#[derive(Clone, Debug)]
pub struct Stage {
    pub texture: Texture,
    /// What [`Stage::finish`] found in it.
    pub tiles: Tiles,
}

impl Stage {
    /// A clear stage over the box (left, top, right, bottom), in texture pixels.
    pub fn over(area: [f32; 4]) -> Self {
        let [left, top] = [area[0], area[1]].map(|v| v.floor() as i32 - 2);
        let [right, bottom] = [area[2], area[3]].map(|v| v.ceil() as i32 + 3);
        let (width, height) = ((right - left).max(4) as usize, (bottom - top).max(4) as usize);
        let texture = Texture { left, top, width, height, data: vec![0; width * height * 4], spans: Vec::new() };
        Self { tiles: Tiles::of(&texture), texture }
    }

    pub fn clear(&mut self) {
        self.texture.data.fill(0);
    }

    /// To be called when all is laid.
    pub fn finish(&mut self) {
        self.tiles.look_again(&self.texture);
    }

    /// The centres of its columns.
    pub fn columns(&self) -> impl Iterator<Item = f32> + use<> {
        let (left, width) = (self.texture.left, self.texture.width);
        (0..width).map(move |i| (left + i as i32) as f32 + 0.5)
    }

    /// Lays `texture` over what is there; `columns` has one entry for each column of the stage, `opacity` is 0 to 1.
    pub fn lay(&mut self, texture: &Texture, columns: &[Column], opacity: f32) {
        let opacity = (opacity.clamp(0.0, 1.0) * 256.0) as u64;
        if opacity == 0 {
            return;
        }
        let stage = &mut self.texture;
        for (i, column) in columns.iter().enumerate().take(stage.width).skip(1) {
            if i + 1 >= stage.width {
                break;
            }
            let sx = column.from_x - texture.left as f32 - 0.5;
            if !(sx >= 0.0 && sx < (texture.width - 1) as f32) {
                continue;
            }
            let (sx, right) = (sx as usize, (sx.fract() * 256.0) as u64);
            // The rows whose source lies within the texture, and the clip.
            let inverse = |s: f32| (s + 0.5 + texture.top as f32 - column.add) / column.times;
            let spans = [texture.spans[sx], texture.spans[sx + 1]];
            let shown = [spans[0][0].min(spans[1][0]) - 1.0, spans[0][1].max(spans[1][1])];
            let last = (texture.height - 1) as f32 - 0.01;
            let (a, b) = (inverse(shown[0].max(0.0)), inverse(shown[1].min(last)));
            let from = (a.min(b).max(column.top - 0.5) - stage.top as f32 - 0.5).ceil().max(1.0);
            let to =
                (a.max(b).min(column.bottom + 0.5) - stage.top as f32 - 0.5).floor().min(stage.height as f32 - 2.0);
            if from > to || from.is_nan() || to.is_nan() {
                continue;
            }
            let first = stage.top as f32 + from + 0.5;
            let whole = [column.top + 0.5, column.bottom - 0.5].map(|v| v - stage.top as f32 - 0.5);
            let fixed = |v: f32| (v.clamp(-16000.0, 16000.0) * 65536.0) as i32;
            let mut source = fixed(column.add + column.times * first - texture.top as f32 - 0.5);
            let (step, last) = (fixed(column.times), fixed(last));
            let (from, to) = (from as usize, to as usize);
            for row in from..=to {
                let s = source.clamp(0, last);
                source = source.wrapping_add(step);
                let at = ((s >> 16) as usize * texture.width + sx) * 4;
                let mut taken = bilinear(&texture.data, at, texture.width * 4, right, (s >> 8 & 0xff) as u64);
                let edge = row as f32;
                if opacity < 256 || edge < whole[0] || edge > whole[1] {
                    let covered = (edge - whole[0]).min(whole[1] - edge).min(0.0) + 1.0;
                    taken = ((taken * (covered.max(0.0) * opacity as f32) as u64) >> 8) & EVEN;
                }
                let to = (row * stage.width + i) * 4;
                let under = word(&stage.data, to);
                stage.data[to..to + 4].copy_from_slice(&over(taken, under).to_le_bytes());
            }
        }
    }
}

/// Every other byte: four channels, 16 bits each.
const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
/// One half in each lane.
const HALF: u64 = 0x0080_0080_0080_0080;

#[inline(always)]
fn word(data: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]])
}

/// Red and blue in the low half, green and alpha in the high half.
#[inline(always)]
fn lanes(pixel: u32) -> u64 {
    let pixel = u64::from(pixel);
    (pixel & 0x00ff_00ff) | (pixel >> 8 & 0x00ff_00ff) << 32
}

#[inline(always)]
fn bilinear(data: &[u8], at: usize, stride: usize, x: u64, y: u64) -> u64 {
    let row = |at: usize| {
        let (a, b) = (lanes(word(data, at)), lanes(word(data, at + 4)));
        ((a * (256 - x) + b * x + HALF) >> 8) & EVEN
    };
    ((row(at) * (256 - y) + row(at + stride) * y + HALF) >> 8) & EVEN
}

/// Premultiplied lanes over a premultiplied pixel.
#[inline(always)]
fn over(sample: u64, under: u32) -> u32 {
    let alpha = sample >> 48;
    let keep = 256 - alpha - (alpha >> 7);
    let sum = sample + ((lanes(under) * keep + HALF) >> 8 & EVEN);
    // Rounding of both parts may exceed 255 by one.
    let excess = (sum >> 8) & 0x0001_0001_0001_0001;
    let sum = (sum - excess) & EVEN;
    ((sum & 0x00ff_00ff) | (sum >> 32 & 0x00ff_00ff) << 8) as u32
}
