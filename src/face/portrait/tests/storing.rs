//! From the bytes of a file to a folder and back.

use image::imageops;

use super::super::store;
use super::*;

#[test]
fn a_photo_becomes_a_portrait_that_is_stored_and_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = add(&mut vision(), ASTRONAUT, "eileen", folder.path()).expect("stored");
    let advice = report.advice.as_slice();
    assert!(matches!(advice, [Advice::Small { scale }, Advice::Teeth] if *scale > 1.5 && *scale < 2.5), "{report:?}");
    let to = folder.path().join("eileen");
    let read = store::load(&to).expect("read");
    assert_eq!(read, found(ASTRONAUT));
    let [left, right] = read.marks.mesh.eyes();
    assert!((right[0] - left[0]) > 60.0 && left[1] > 0.3 * SIDE as f32 && left[1] < 0.5 * SIDE as f32, "{left:?}");
    let mut names: Vec<_> =
        std::fs::read_dir(&to).expect("the folder").map(|e| e.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["avatar.toml", "portrait.png"]);
    let again = add(&mut vision(), ASTRONAUT, "eileen", folder.path());
    assert!(matches!(again, Err(PortraitError::Taken { .. })), "overwritten");
}

#[test]
fn a_name_that_could_leave_the_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["", "..", "a/b", "a\\b", ".hidden", "a b", "\u{e9}", &"a".repeat(65)] {
        let added = add(&mut vision(), ASTRONAUT, name, folder.path());
        assert!(matches!(added, Err(PortraitError::Name { .. })), "{name}");
    }
}

/// A photo in which `turn` is what its EXIF says and its pixels need.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [
        b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".as_slice(),
        &[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0],
        &[0, 0, 0, 0],
    ]
    .concat();
    let length = (tiff.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &tiff, &jpeg[2..]].concat()
}

#[test]
fn photos_are_turned_as_their_exif_says_and_by_the_face_where_it_says_nothing() {
    let upright = found(ASTRONAUT).marks.mesh.eyes();
    let lying = imageops::rotate270(&decoded(ASTRONAUT));
    let noted = with_orientation(&encoded(&lying, ImageFormat::Jpeg), 6);
    for bytes in [noted, png(&lying), encoded(&decoded(ASTRONAUT), ImageFormat::WebP)] {
        let eyes = found(&bytes).marks.mesh.eyes();
        for (a, b) in eyes.iter().flatten().zip(upright.iter().flatten()) {
            assert!((a - b).abs() < 4.0, "{eyes:?} instead of {upright:?}");
        }
    }
}

#[test]
fn a_damaged_folder_is_refused_when_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("somebody");
    assert!(matches!(store::load(&to), Err(PortraitError::Read { .. })));
    store::save(&found(ASTRONAUT), "somebody", &to).expect("stored");
    let (toml, picture) = (to.join("avatar.toml"), to.join("portrait.png"));
    let text = std::fs::read_to_string(&toml).expect("read");
    let damages = [
        text[..text.len() / 2].to_owned(),
        text.replace("format = 1", "format = 2"),
        text.replace("\"portrait.png\"", "\"../../secret.png\""),
        text.replacen("[[", "[[9e9, 0.0, 0.0], [", 1),
        format!("{text}\nmore = 1\n"),
    ];
    for damage in damages {
        assert_ne!(damage, text);
        std::fs::write(&toml, &damage).expect("written");
        assert!(matches!(store::load(&to), Err(PortraitError::Damaged { .. })), "{}", &damage[..80.min(damage.len())]);
    }
    std::fs::write(&toml, &text).expect("written");
    store::load(&to).expect("whole again");
    std::fs::write(&picture, png(&RgbImage::new(64, 64))).expect("written");
    assert!(matches!(store::load(&to), Err(PortraitError::Damaged { .. })));
}
