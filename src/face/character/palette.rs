//! The colours that a character is painted with, and colour arithmetic in linear light.

/// Linear red, green, blue and straight alpha, each 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colour(pub [f32; 4]);

impl Colour {
    pub const CLEAR: Self = Self([0.0; 4]);

    /// The same colour with this opacity.
    pub fn a(self, alpha: f32) -> Self {
        let [r, g, b, _] = self.0;
        Self([r, g, b, alpha])
    }

    /// From `self` (0) to `other` (1); the colour of the more opaque weighs more.
    pub fn mix(self, other: Self, t: f32) -> Self {
        let (wa, wb) = (self.0[3] * (1.0 - t), other.0[3] * t);
        let alpha = wa + wb;
        if alpha <= 0.0 {
            return Self::CLEAR;
        }
        let mut mixed: [f32; 4] = std::array::from_fn(|i| (self.0[i] * wa + other.0[i] * wb) / alpha);
        mixed[3] = alpha;
        Self(mixed)
    }

    /// For the drawing of moving parts, in sRGB.
    pub fn skia(self) -> tiny_skia::Color {
        let [r, g, b, a] = self.0;
        let unit = |v: f32| to_srgb(v).clamp(0.0, 1.0);
        tiny_skia::Color::from_rgba(unit(r), unit(g), unit(b), a.clamp(0.0, 1.0))
            .unwrap_or(tiny_skia::Color::TRANSPARENT)
    }
}

/// An opaque colour from 0xRRGGBB in sRGB.
pub fn hex(rgb: u32) -> Colour {
    let channel = |shift: u32| {
        let v = ((rgb >> shift) & 0xff) as f32 / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    Colour([channel(16), channel(8), channel(0), 1.0])
}

/// Linear to sRGB, 0 to 1.
pub fn to_srgb(v: f32) -> f32 {
    if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 }
}

/// Every colour of a character; which they are is said by its look.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    pub skin: Colour,
    pub skin_light: Colour,
    pub skin_warm: Colour,
    pub skin_shade: Colour,
    pub skin_deep: Colour,
    pub blush: Colour,
    pub lip_upper: Colour,
    pub lip_lower: Colour,
    pub lip_light: Colour,
    pub lip_line: Colour,
    pub mouth_dark: Colour,
    pub mouth_red: Colour,
    pub tongue: Colour,
    pub tongue_light: Colour,
    pub teeth: Colour,
    pub teeth_shade: Colour,
    pub sclera: Colour,
    pub sclera_shade: Colour,
    pub iris_rim: Colour,
    pub iris: Colour,
    pub iris_light: Colour,
    pub lash: Colour,
    pub brow: Colour,
    pub hair_dark: Colour,
    pub hair: Colour,
    pub hair_mid: Colour,
    pub hair_light: Colour,
    pub cloth_dark: Colour,
    pub cloth: Colour,
    pub cloth_light: Colour,
    pub gold: Colour,
    pub back_centre: Colour,
    pub back: Colour,
    pub back_edge: Colour,
    pub cloth_shade: Colour,
    /// What the head throws back on cloth in its shadow.
    pub cloth_bounce: Colour,
}
