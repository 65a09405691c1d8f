//! The look of the young woman: long chestnut hair, a cream jumper, a fine chain, before teal.

use super::look::{Clothes, Depths, EyeShape, FaceShape, Hair, LipShape, Look, Neck};
use super::palette::{Palette, hex};
use super::shape::Cubic;
use super::{body, long_hair};
use tiny_skia::Transform;

pub fn look() -> Look {
    Look {
        palette: palette(),
        face: FaceShape {
            outline: "M 256 92 C 312 92 344 138 344 206 C 344 250 333 286 306 315 C 290 332 272 340 256 340 C 240 340 222 332 206 315 C 179 286 168 250 168 206 C 168 138 200 92 256 92 Z",
            jaw: "M 176 276 C 196 318 230 338 256 338 C 282 338 316 318 336 276 L 340 350 L 172 350 Z",
            rim: [[343.0, 222.0], [338.0, 262.0], [320.0, 298.0]],
            nose: Transform::identity(),
            chin: 0.0,
            blush: 0.42,
            beard: None,
        },
        eyes: EyeShape {
            large: 1.11,
            iris: 14.0,
            pupil: 6.2,
            upper: Cubic([[-25.0, 1.0], [-15.0, -18.5], [11.0, -19.0], [23.0, 6.0]]),
            lower: Cubic([[-25.0, 1.0], [-16.0, 13.5], [10.0, 15.5], [23.0, 6.0]]),
            crease: Cubic([[-28.0, -1.5], [-18.0, -26.5], [12.0, -27.5], [22.5, 1.0]]),
            line: 1.9,
            lower_line: 0.42,
            lashes: &[(0.015, 8.0, 0.95), (0.10, 7.4, 0.72), (0.20, 6.2, 0.46), (0.32, 4.6, 0.2)],
            brow: Cubic([[-30.0, -24.5], [-19.0, -38.5], [4.0, -36.5], [23.5, -29.5]]),
            brow_half: 3.3,
        },
        lips: LipShape { middle: 301.0, lift: 0.0, full: 1.0, wide: 1.0 },
        hair: Hair { back: long_hair::back, front: long_hair::front, shadows: long_hair::shadows },
        neck: Neck {
            outline: "M 217 280 L 295 280 C 293 330 294 362 304 380 C 318 396 350 404 372 412 L 372 470 L 140 470 L 140 412 C 162 404 194 396 208 380 C 218 362 219 330 217 280 Z",
            under_chin: "M 196 270 L 316 270 L 308 352 C 292 374 240 372 206 348 Z",
            right: "M 280 300 L 330 300 L 330 420 L 300 396 Z",
            left: "M 206 300 L 216 300 L 218 380 L 200 392 Z",
            wide: 0.0,
        },
        clothes: Clothes {
            behind: "M 176 380 C 188 360 206 352 224 350 L 288 350 C 306 352 324 360 336 380 L 322 392 L 190 392 Z",
            torso: "M 186 374 C 168 402 120 414 90 432 C 62 450 48 484 40 524 L 472 524 C 464 484 450 450 422 432 C 392 414 344 402 326 374 C 322 426 296 448 256 448 C 216 448 190 426 186 374 Z",
            rib: [
                &[
                    [192.0, 372.0],
                    [198.0, 414.0],
                    [224.0, 442.0],
                    [256.0, 448.0],
                    [288.0, 442.0],
                    [314.0, 414.0],
                    [320.0, 372.0],
                ],
                &[
                    [178.0, 376.0],
                    [185.0, 422.0],
                    [216.0, 454.0],
                    [256.0, 462.0],
                    [296.0, 454.0],
                    [327.0, 422.0],
                    [334.0, 376.0],
                ],
            ],
            shadows: &[
                "M 130 380 L 200 380 L 204 432 C 180 440 140 436 120 424 Z",
                "M 392 380 L 312 380 L 308 440 C 332 450 376 446 402 430 Z",
            ],
            below: body::chain,
            above: |_, _| {},
        },
        depths: Depths { back: -34.0, back_swing: 1.15, front_swing: 1.0, follow: 0.0 },
    }
}

fn palette() -> Palette {
    Palette {
        skin: hex(0xF7C7A3),
        skin_light: hex(0xFFE6CC),
        skin_warm: hex(0xE99A76),
        skin_shade: hex(0xC97A5E),
        skin_deep: hex(0x934A42),
        blush: hex(0xF07E6E),
        lip_upper: hex(0xBC5450),
        lip_lower: hex(0xDC7A70),
        lip_light: hex(0xFBC0B2),
        lip_line: hex(0x6E2428),
        mouth_dark: hex(0x3C0D14),
        mouth_red: hex(0x7A2028),
        tongue: hex(0xCF6767),
        tongue_light: hex(0xE58A84),
        teeth: hex(0xFBF5EC),
        teeth_shade: hex(0xC9B3A8),
        sclera: hex(0xFBF6F1),
        sclera_shade: hex(0xA79A9F),
        iris_rim: hex(0x2B1A14),
        iris: hex(0x7C4A20),
        iris_light: hex(0xD09A4E),
        lash: hex(0x26151A),
        brow: hex(0x56302A),
        hair_dark: hex(0x26131A),
        hair: hex(0x4B2723),
        hair_mid: hex(0x6E3A2A),
        hair_light: hex(0xB46A42),
        cloth_dark: hex(0xB49A88),
        cloth: hex(0xE9DCCB),
        cloth_light: hex(0xFBF4E8),
        gold: hex(0xE8B65C),
        back_centre: hex(0xB5D6D1),
        back: hex(0x83B5B4),
        back_edge: hex(0x4C8188),
        cloth_shade: hex(0xCDB7A3),
        cloth_bounce: hex(0x934A42),
    }
}
