//! The character's colours, and colour arithmetic in linear light.

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

macro_rules! colours {
    ($($name:ident = $rgb:literal;)*) => {
        $(pub fn $name() -> Colour { hex($rgb) })*
    };
}

colours! {
    skin = 0xF7C7A3;
    skin_light = 0xFFE6CC;
    skin_warm = 0xE99A76;
    skin_shade = 0xC97A5E;
    skin_deep = 0x934A42;
    blush = 0xF07E6E;
    lip_upper = 0xBC5450;
    lip_lower = 0xDC7A70;
    lip_light = 0xFBC0B2;
    lip_line = 0x6E2428;
    mouth_dark = 0x3C0D14;
    mouth_red = 0x7A2028;
    tongue = 0xCF6767;
    tongue_light = 0xE58A84;
    teeth = 0xFBF5EC;
    teeth_shade = 0xC9B3A8;
    sclera = 0xFBF6F1;
    sclera_shade = 0xA79A9F;
    iris_rim = 0x2B1A14;
    iris = 0x7C4A20;
    iris_light = 0xD09A4E;
    lash = 0x26151A;
    brow = 0x56302A;
    hair_dark = 0x26131A;
    hair = 0x4B2723;
    hair_mid = 0x6E3A2A;
    hair_light = 0xB46A42;
    cloth_dark = 0xB49A88;
    cloth = 0xE9DCCB;
    cloth_light = 0xFBF4E8;
    gold = 0xE8B65C;
    back_centre = 0xB5D6D1;
    back = 0x83B5B4;
    back_edge = 0x4C8188;
    cloth_shade = 0xCDB7A3;
}
