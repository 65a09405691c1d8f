//! A video as telephones write it: pictures in their order, turned as the file says, at most 25 a second.

use super::*;

/// Written by models/wav2lip/make_test_video.py: twelve pictures in 30ths of a second, each 15 brighter than the last,
/// the left half 20 brighter than the right.
const TELEPHONE: &[u8] = include_bytes!("../../../tests/fixtures/wav2lip/telephone.mp4");
const HEVC: &[u8] = include_bytes!("../../../tests/fixtures/wav2lip/hevc.mp4");

type Seen = (Vec<(u32, u32)>, Vec<[u8; 3]>);

/// Size of the pictures, and the brightness of each in its corners: top left, top right, bottom left.
fn pictures(bytes: &[u8], most: usize) -> Result<Seen, String> {
    let (mut sizes, mut corners) = (Vec::new(), Vec::new());
    let video = Video::open(bytes)?;
    video.each(most, |number, picture| {
        assert_eq!(number, sizes.len() + 1);
        let (w, h) = picture.dimensions();
        sizes.push((w, h));
        corners.push([(4, 4), (w - 5, 4), (4, h - 5)].map(|(x, y)| picture.get_pixel(x, y).0[1]));
        true
    })?;
    Ok((sizes, corners))
}

#[test]
fn pictures_come_in_their_order_and_at_most_25_a_second() {
    let (sizes, corners) = pictures(TELEPHONE, 100).expect("decoded");
    // Of twelve at 30 a second two are left out.
    assert_eq!(sizes, [(96, 64); 10]);
    assert!(corners.is_sorted_by(|a, b| a[0] + 10 < b[0]), "{corners:?}");
    assert!(corners.iter().all(|c| c[0].abs_diff(c[1] + 20) < 6 && c[0].abs_diff(c[2]) < 6), "{corners:?}");
    assert!(corners[0][1].abs_diff(40) < 6 && corners[9][1].abs_diff(40 + 11 * 15) < 6, "{corners:?}");
    assert_eq!(Video::open(TELEPHONE).expect("opened").fps(), 25.0);
    assert_eq!(pictures(TELEPHONE, 3).expect("decoded").0.len(), 3);
}

#[test]
fn a_video_that_was_held_upright_is_upright() {
    // The matrix of the track header: a, b, u, c, d of a quarter of a turn clockwise in place of none.
    let one = [0, 1, 0, 0];
    let none = [0; 4];
    let upright: Vec<u8> = [one, none, none, none, one].concat();
    let minus = [0xff, 0xff, 0, 0];
    let turned: Vec<u8> = [none, one, none, minus, none].concat();
    let mut bytes = TELEPHONE.to_vec();
    let tkhd = bytes.windows(4).position(|w| w == b"tkhd").expect("a track header");
    let at = tkhd + bytes[tkhd..].windows(20).position(|w| w == upright).expect("its matrix");
    bytes[at..at + 20].copy_from_slice(&turned);
    let (sizes, corners) = pictures(&bytes, 1).expect("decoded");
    assert_eq!(sizes, [(64, 96)]);
    // What was left is on top.
    assert!(corners[0][0].abs_diff(corners[0][1]) < 6 && corners[0][0] > corners[0][2] + 10, "{corners:?}");
}

#[test]
fn what_cannot_be_read_is_told() {
    let hevc = Video::open(HEVC).err().expect("refused");
    assert!(hevc.contains("not H.264") && hevc.contains("convert"), "{hevc}");
    assert!(Video::open(&TELEPHONE[..40]).err().expect("refused").contains("no sound MP4"));
    // The pictures lie at the start of the file, what tells of them at its end.
    let mut cut = TELEPHONE.to_vec();
    let mdat = cut.windows(4).position(|w| w == b"mdat").expect("pictures");
    cut[mdat + 4..mdat + 200].fill(0xff);
    let error = pictures(&cut, 100).expect_err("damaged");
    assert!(error.contains("damaged") || error.contains("cannot be decoded"), "{error}");
}
