//! From the bytes of a file to upright pixels, within limits that no file can exceed; and patches cut out of them.
//!
//! It knows nothing of faces. A file may come from anybody: sizes are checked before anything is decoded.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};

use super::error::PortraitError;

/// Photos of today's telephones have 3 to 12 MB.
pub const MAX_FILE_BYTES: u64 = 30_000_000;
/// 50 megapixels, 150 MB decoded.
pub const MAX_PIXELS: u64 = 50_000_000;
/// What decoding may allocate: a picture of [`MAX_PIXELS`] with four channels of 16 bits.
const MAX_ALLOC_BYTES: u64 = MAX_PIXELS * 8;
/// A photo is scaled down to this many pixels along its longer side: four times what a portrait shows.
const WORKING_SIDE: u32 = 2048;
/// What shows through a transparent picture.
const BEHIND: [u8; 3] = [172, 176, 180];

/// An upright photo.
#[derive(Clone, Debug)]
pub struct Photo {
    pub(super) pixels: RgbImage,
}

impl Photo {
    /// Decodes JPEG, PNG or WebP, turned as its EXIF says.
    pub fn decode(bytes: &[u8]) -> Result<Self, PortraitError> {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(PortraitError::FileTooLarge { bytes: bytes.len() as u64 });
        }
        let unreadable = |error: &dyn std::fmt::Display| PortraitError::NotAPicture { reason: error.to_string() };
        let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| unreadable(&error))?;
        if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
            return Err(unreadable(&"its first bytes are those of another format"));
        }
        if reader.format() == Some(ImageFormat::Jpeg) && !ends(bytes) {
            return Err(unreadable(&"it ends too early; was it sent whole?"));
        }
        let mut decoder = reader.into_decoder().map_err(|error| unreadable(&error))?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(PortraitError::TooManyPixels { width, height });
        }
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_ALLOC_BYTES);
        decoder.set_limits(limits).map_err(|error| unreadable(&error))?;
        // A damaged note about the orientation is no reason to refuse the picture.
        let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
        let mut decoded = DynamicImage::from_decoder(decoder).map_err(|error| unreadable(&error))?;
        if decoded.width().max(decoded.height()) > WORKING_SIDE {
            decoded = decoded.thumbnail(WORKING_SIDE, WORKING_SIDE);
        }
        decoded.apply_orientation(orientation);
        Ok(Self { pixels: opaque(decoded) })
    }

    /// Of pixels that are upright and few enough.
    pub fn of(pixels: RgbImage) -> Self {
        Self { pixels }
    }

    /// Red, green, blue; rows from the top.
    pub fn bytes(&self) -> &[u8] {
        self.pixels.as_raw()
    }

    pub fn size(&self) -> [f32; 2] {
        [self.pixels.width() as f32, self.pixels.height() as f32]
    }

    /// The photo turned clockwise by `quarters` times 90 degrees.
    #[must_use]
    pub fn turned(&self, quarters: usize) -> Self {
        use image::imageops::{rotate90, rotate180, rotate270};
        let pixels = match quarters % 4 {
            1 => rotate90(&self.pixels),
            2 => rotate180(&self.pixels),
            3 => rotate270(&self.pixels),
            _ => self.pixels.clone(),
        };
        Self { pixels }
    }

    /// A patch of `width` by `height` pixels, red, green, blue from 0 to 255 each, taken where `place` says.
    ///
    /// Outside the photo its border goes on. Each pixel is the mean of as many samples as it covers photo pixels.
    pub fn patch(&self, place: &Place, width: usize, height: usize) -> Vec<f32> {
        let fine = (place.scale().ceil() as usize).clamp(1, 8);
        let share = 1.0 / (fine * fine) as f32;
        let mut patch = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0.0; 3];
                for i in 0..fine * fine {
                    let part = |k: usize| (k as f32 + 0.5) / fine as f32;
                    let colour = self.at(place.map([x as f32 + part(i % fine), y as f32 + part(i / fine)]));
                    sum = std::array::from_fn(|k| sum[k] + colour[k]);
                }
                patch.extend(sum.map(|v| v * share));
            }
        }
        patch
    }

    /// As [`Photo::patch`], in bytes; a photo that is coarser than the patch is interpolated with cubics, which keep
    /// edges sharper.
    pub fn picture(&self, place: &Place, side: usize) -> Vec<u8> {
        let byte = |v: f32| (v + 0.5).clamp(0.0, 255.0) as u8;
        if place.scale() >= 1.0 {
            return self.patch(place, side, side).into_iter().map(byte).collect();
        }
        let at = |i: usize| self.cubic(place.map([(i % side) as f32 + 0.5, (i / side) as f32 + 0.5]));
        (0..side * side).flat_map(|i| at(i).map(byte)).collect()
    }

    /// The cubic of Catmull and Rom through four by four pixels.
    fn cubic(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        let (w, h) = self.pixels.dimensions();
        let weights = |t: f32| {
            let (t2, t3) = (t * t, t * t * t);
            [2.0 * t2 - t - t3, 2.0 - 5.0 * t2 + 3.0 * t3, t + 4.0 * t2 - 3.0 * t3, t3 - t2].map(|v| v / 2.0)
        };
        let (left, top) = ((x - 0.5).floor(), (y - 0.5).floor());
        let (across, down) = (weights(x - 0.5 - left), weights(y - 0.5 - top));
        let mut sum = [0.0; 3];
        for (j, wy) in down.iter().enumerate() {
            for (i, wx) in across.iter().enumerate() {
                let near = |v: f32, k: usize, n: u32| (v + k as f32 - 1.0).clamp(0.0, (n - 1) as f32) as u32;
                let pixel = self.pixels.get_pixel(near(left, i, w), near(top, j, h)).0;
                sum = std::array::from_fn(|k| sum[k] + wx * wy * f32::from(pixel[k]));
            }
        }
        sum
    }

    /// Bilinear; pixel centres lie at halves.
    fn at(&self, [x, y]: [f32; 2]) -> [f32; 3] {
        let (w, h) = self.pixels.dimensions();
        let x = (x - 0.5).clamp(0.0, (w - 1) as f32);
        let y = (y - 0.5).clamp(0.0, (h - 1) as f32);
        let (left, top) = (x as u32, y as u32);
        let (u, v) = (x - left as f32, y - top as f32);
        let pixel =
            |i: u32, j: u32| self.pixels.get_pixel((left + i).min(w - 1), (top + j).min(h - 1)).0.map(f32::from);
        let [a, b, c, d] = [pixel(0, 0), pixel(1, 0), pixel(0, 1), pixel(1, 1)];
        std::array::from_fn(|k| (a[k] * (1.0 - u) + b[k] * u) * (1.0 - v) + (c[k] * (1.0 - u) + d[k] * u) * v)
    }
}

/// Where the pixels of a patch lie in a photo: an origin and the steps to the next column and row, in photo pixels.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    origin: [f32; 2],
    right: [f32; 2],
    down: [f32; 2],
}

impl Place {
    /// A square of `side` photo pixels about `middle`, turned clockwise by `angle` radians, as `count` pixels a side.
    pub fn square(middle: [f32; 2], side: f32, angle: f32, count: usize) -> Self {
        let step = side / count as f32;
        let (sin, cos) = angle.sin_cos();
        let (right, down) = ([cos * step, sin * step], [-sin * step, cos * step]);
        let half = count as f32 / 2.0;
        Self { origin: std::array::from_fn(|k| middle[k] - half * (right[k] + down[k])), right, down }
    }

    /// The same seen in a mirror: its columns run from right to left.
    #[must_use]
    pub fn mirrored(&self, count: usize) -> Self {
        let origin = std::array::from_fn(|k| self.origin[k] + self.right[k] * count as f32);
        Self { origin, right: self.right.map(|v| -v), down: self.down }
    }

    /// From patch pixels to photo pixels.
    pub fn map(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        std::array::from_fn(|k| self.origin[k] + self.right[k] * x + self.down[k] * y)
    }

    /// From photo pixels to patch pixels.
    pub fn inverse(&self, at: [f32; 2]) -> [f32; 2] {
        let [dx, dy] = [at[0] - self.origin[0], at[1] - self.origin[1]];
        let det = self.right[0] * self.down[1] - self.right[1] * self.down[0];
        [(dx * self.down[1] - dy * self.down[0]) / det, (dy * self.right[0] - dx * self.right[1]) / det]
    }

    /// Photo pixels to a patch pixel, along a row.
    pub fn scale(&self) -> f32 {
        self.right[0].hypot(self.right[1])
    }
}

/// True if a JPEG has its end: without, the decoder would give grey for what is missing (ITU-T T.81, B.1).
///
/// Segments are skipped as they say, so the end of a thumbnail within one does not count; what cameras write after the
/// end is no matter.
fn ends(jpeg: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[first, second]) = jpeg.get(at..at + 2) {
        at += match (first, second) {
            (0xff, 0xd9) => return true,
            // Without a length: a stuffed zero, restarts, the beginning.
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => 2,
            (0xff, 0x02..=0xfe) => match jpeg.get(at + 2..at + 4) {
                Some(&[high, low]) => 2 + usize::from(u16::from_be_bytes([high, low])),
                _ => return false,
            },
            _ => 1,
        };
    }
    false
}

fn opaque(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0;
        let mix =
            |v: u8, under: u8| ((u32::from(v) * u32::from(a) + u32::from(under) * u32::from(255 - a)) / 255) as u8;
        image::Rgb([mix(r, BEHIND[0]), mix(g, BEHIND[1]), mix(b, BEHIND[2])])
    })
}
