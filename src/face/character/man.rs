//! The look of the man of about thirty: short dark brown hair, grey-blue eyes, a navy jumper over a shirt, before a
//! warm grey.

use super::look::{Beard, Clothes, Depths, EyeShape, FaceShape, Hair, LipShape, Look, Neck};
use super::palette::{Palette, hex};
use super::shape::Cubic;
use super::{shirt, short_hair};
use tiny_skia::Transform;

pub fn look() -> Look {
    Look {
        palette: palette(),
        face: FaceShape {
            outline: "M 256 92 C 314 92 346 138 346 206 C 346 250 346 286 330 312 C 315 335 288 354 256 354 C 224 354 197 335 182 312 C 166 286 166 250 166 206 C 166 138 198 92 256 92 Z",
            jaw: "M 168 276 C 182 322 222 351 256 351 C 290 351 330 322 344 276 L 348 364 L 164 364 Z",
            rim: [[345.0, 232.0], [343.0, 270.0], [329.0, 306.0]],
            // Broader and longer from its root on.
            nose: Transform::from_row(1.22, 0.0, 0.0, 1.1, -0.22 * 256.0, -0.1 * 196.0),
            chin: 10.0,
            blush: 0.22,
            beard: Some(Beard {
                jaw: "M 160 246 C 176 272 190 296 214 306 C 234 292 246 296 256 298 C 266 296 278 292 298 306 C 322 296 336 272 352 246 L 352 366 L 160 366 Z",
                lip: "M 226 303 C 234 291 246 291 256 294 C 266 291 278 291 286 303 C 278 308 234 308 226 303 Z",
                colour: hex(0x55444A),
                strength: 0.3,
            }),
        },
        eyes: EyeShape {
            large: 0.96,
            iris: 12.0,
            pupil: 5.3,
            upper: Cubic([[-25.0, 1.5], [-15.0, -15.5], [11.0, -16.5], [23.0, 6.0]]),
            lower: Cubic([[-25.0, 1.5], [-16.0, 13.5], [10.0, 15.0], [23.0, 6.0]]),
            crease: Cubic([[-27.0, -2.0], [-18.0, -21.5], [12.0, -22.5], [22.5, 0.0]]),
            line: 0.85,
            lower_line: 0.3,
            lashes: &[],
            brow: Cubic([[-34.0, -23.0], [-20.0, -33.0], [6.0, -30.5], [27.0, -26.5]]),
            brow_half: 5.0,
        },
        lips: LipShape { middle: 306.0, lift: 1.2, full: 0.9, wide: 1.06 },
        hair: Hair { back: short_hair::back, front: short_hair::front, shadows: short_hair::shadows },
        neck: Neck {
            outline: "M 200 280 L 312 280 C 310 328 311 358 318 376 C 332 394 356 404 372 412 L 372 470 L 140 470 L 140 412 C 156 404 180 394 194 376 C 201 358 202 328 200 280 Z",
            under_chin: "M 190 270 L 322 270 L 322 362 C 296 388 236 386 194 360 Z",
            right: "M 294 300 L 340 300 L 340 420 L 312 396 Z",
            left: "M 192 300 L 203 300 L 206 380 L 188 392 Z",
            wide: 10.0,
        },
        clothes: Clothes {
            behind: "M 194 384 C 198 366 210 352 224 348 L 288 348 C 302 352 314 366 318 384 L 312 396 L 200 396 Z",
            torso: "M 198 368 C 176 400 108 412 76 430 C 46 450 30 486 22 524 L 490 524 C 482 486 466 450 436 430 C 404 412 336 400 314 368 C 326 420 298 450 256 450 C 214 450 186 420 198 368 Z",
            rib: [
                &[
                    [205.0, 366.0],
                    [192.0, 414.0],
                    [220.0, 444.0],
                    [256.0, 451.0],
                    [292.0, 444.0],
                    [320.0, 414.0],
                    [307.0, 366.0],
                ],
                &[
                    [199.0, 367.0],
                    [180.0, 422.0],
                    [213.0, 456.0],
                    [256.0, 465.0],
                    [299.0, 456.0],
                    [332.0, 422.0],
                    [313.0, 367.0],
                ],
            ],
            shadows: &[],
            below: shirt::front,
            above: shirt::collar,
        },
        depths: Depths { back: 18.0, back_swing: 0.0, front_swing: 0.0, follow: 1.0 },
    }
}

fn palette() -> Palette {
    Palette {
        skin: hex(0xF1BD97),
        skin_light: hex(0xFFDFC2),
        skin_warm: hex(0xDF9470),
        skin_shade: hex(0xC07659),
        skin_deep: hex(0x85463C),
        blush: hex(0xE57F6A),
        lip_upper: hex(0xB0695A),
        lip_lower: hex(0xCC8570),
        lip_light: hex(0xF0BBA2),
        lip_line: hex(0x5E2A26),
        mouth_dark: hex(0x3C0D14),
        mouth_red: hex(0x7A2028),
        tongue: hex(0xCF6767),
        tongue_light: hex(0xE58A84),
        teeth: hex(0xFBF5EC),
        teeth_shade: hex(0xC9B3A8),
        sclera: hex(0xFBF6F1),
        sclera_shade: hex(0xA79A9F),
        iris_rim: hex(0x17242E),
        iris: hex(0x35586B),
        iris_light: hex(0x8FB3BD),
        lash: hex(0x211719),
        brow: hex(0x38261F),
        hair_dark: hex(0x17110F),
        hair: hex(0x33241C),
        hair_mid: hex(0x503728),
        hair_light: hex(0x9C7350),
        cloth_dark: hex(0x0E1B2B),
        cloth: hex(0x223D58),
        cloth_light: hex(0x345674),
        gold: hex(0xE8B65C),
        back_centre: hex(0xE2DACF),
        back: hex(0xBFB5A9),
        back_edge: hex(0x8A8078),
        cloth_shade: hex(0x172C42),
        cloth_bounce: hex(0x0E1B2B),
    }
}
