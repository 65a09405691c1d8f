//! Every picture that is refused, with its reason; nothing may be stored then.

use image::{DynamicImage, imageops};

use super::*;

#[test]
fn a_picture_without_a_face_is_refused() {
    let grey = RgbImage::from_pixel(400, 300, image::Rgb([120, 130, 140]));
    assert!(matches!(refused(&png(&grey)), PortraitError::NoFace));
    // The astronaut's own rocket and suit.
    let rest = imageops::crop_imm(&decoded(ASTRONAUT), 0, 250, 512, 262).to_image();
    assert!(matches!(refused(&png(&rest)), PortraitError::NoFace));
}

#[test]
fn two_faces_are_refused() {
    let one = imageops::crop_imm(&decoded(ASTRONAUT), 100, 0, 256, 300).to_image();
    let mut two = RgbImage::new(512, 300);
    imageops::replace(&mut two, &one, 0, 0);
    imageops::replace(&mut two, &one, 256, 0);
    let error = refused(&png(&two));
    assert!(matches!(error, PortraitError::SeveralFaces { count: 2 }), "{error}");
}

#[test]
fn pictures_of_odd_sizes_have_no_face() {
    for (width, height) in [(1, 1), (1, 3000), (5000, 2)] {
        let error = refused(&png(&RgbImage::from_pixel(width, height, image::Rgb([90, 120, 60]))));
        assert!(matches!(error, PortraitError::NoFace), "{width}x{height}: {error}");
    }
}

#[test]
fn a_tiny_face_is_refused() {
    let small = imageops::thumbnail(&decoded(ASTRONAUT), 256, 256);
    let error = refused(&png(&small));
    assert!(matches!(error, PortraitError::TooSmall { pixels, .. } if pixels > 15.0 && pixels < 26.0), "{error}");
}

#[test]
fn a_face_that_is_cut_off_is_refused() {
    let astronaut = decoded(ASTRONAUT);
    for [x, y, width, height] in [[212, 0, 300, 300], [0, 0, 232, 300], [80, 0, 300, 168], [80, 100, 300, 300]] {
        let error = refused(&png(&imageops::crop_imm(&astronaut, x, y, width, height).to_image()));
        assert!(
            matches!(error, PortraitError::CutOff | PortraitError::NoFace | PortraitError::Hidden { .. }),
            "cut at {x}, {y}: {error}"
        );
    }
}

#[test]
fn a_face_turned_away_is_refused() {
    // As a turned head is seen: the far half of the face narrow, the near one wide.
    let astronaut = decoded(ASTRONAUT);
    let turned = RgbImage::from_fn(512, 512, |x, y| {
        let from = match x as f32 - 180.0 {
            d if d < -10.0 => 225.0 - 55.0 + (d + 10.0),
            d if d < 0.0 => 225.0 + d * (55.0 / 10.0),
            d if d < 100.0 => 225.0 + d * (55.0 / 100.0),
            d => 280.0 + (d - 100.0),
        };
        *astronaut.get_pixel((from.clamp(0.0, 511.0)) as u32, y)
    });
    let error = refused(&png(&turned));
    assert!(matches!(error, PortraitError::TurnedAway { degrees, .. } if degrees > 25.0), "{error}");
}

/// The astronaut with a box of one colour.
fn covered([left, top, right, bottom]: [u32; 4], colour: [u8; 3]) -> Vec<u8> {
    let mut picture = decoded(ASTRONAUT);
    for y in top..bottom {
        for x in left..right {
            picture.put_pixel(x, y, image::Rgb(colour));
        }
    }
    png(&picture)
}

#[test]
fn a_hidden_face_is_refused() {
    let hidden = [
        ("the eyes by a bar", [170, 85, 285, 115], [0, 0, 0]),
        ("the mouth by a bar", [190, 128, 262, 162], [10, 10, 10]),
        ("the lower half by a mask", [176, 118, 275, 190], [150, 190, 215]),
        ("one eye by a patch", [226, 84, 275, 116], [12, 10, 10]),
    ];
    for (what, place, colour) in hidden {
        let error = refused(&covered(place, colour));
        assert!(matches!(error, PortraitError::Hidden { .. } | PortraitError::NoFace), "{what}: {error}");
    }
}

#[test]
fn a_blurred_face_is_refused() {
    let error = refused(&png(&imageops::blur(&decoded(ASTRONAUT), 3.5)));
    assert!(matches!(error, PortraitError::Blurred), "{error}");
}

#[test]
fn shut_eyes_are_refused() {
    let asleep = drawn(&mut astronaut(), &Pose { lids: [1.0; 2], ..rest() });
    let asleep = DynamicImage::from(
        image::RgbaImage::from_raw(SIDE as u32, SIDE as u32, asleep.data).expect("of the picture's size"),
    );
    let error = refused(&png(&asleep.into_rgb8()));
    assert!(matches!(error, PortraitError::EyesShut | PortraitError::Hidden { .. }), "{error}");
}

#[test]
fn files_that_are_broken_too_large_or_no_pictures_are_refused() {
    assert!(matches!(refused(&ASTRONAUT[..ASTRONAUT.len() / 2]), PortraitError::NotAPicture { .. }));
    assert!(matches!(refused(b"<svg></svg>"), PortraitError::NotAPicture { .. }));
    assert!(matches!(refused(b""), PortraitError::NotAPicture { .. }));
    assert!(matches!(refused(b"GIF89a\x01\0\x01\0\0\0\0;"), PortraitError::NotAPicture { .. }));
    let error = refused(&vec![0; MAX_FILE_BYTES as usize + 1]);
    assert!(matches!(error, PortraitError::FileTooLarge { .. }), "{error}");
    // A header that promises 30000 by 30000 pixels, before anything is allocated for them.
    let mut bomb = png(&RgbImage::new(8, 8));
    bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let crc = crc(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&crc);
    assert!(matches!(refused(&bomb), PortraitError::TooManyPixels { width: 30_000, height: 30_000 }));
}

/// CRC-32 of a PNG chunk (ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
