//! A mark in the stream that says a machine made the pictures, for whoever records or checks them.
//!
//! An SEI message `user_data_unregistered` (ITU-T H.264, D.1.7) before each key frame: a UUID that stands for this kind
//! of message, then text. Decoders skip it. The text names the source by IPTC's "digital source type", as C2PA does.

/// Stands for the text below.
const UUID: [u8; 16] = *b"\x9d\x2f\x5b\xc4\x71\x3e\x4a\x86\xb1\x6a\xe4\x58\xd3\x97\x2c\xf5";
const TEXT: &[u8] = b"visavis digitalSourceType=http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia";

/// NAL unit types.
const IDR_SLICE: u8 = 5;
const SEI: u8 = 6;
/// SEI payload type.
const USER_DATA_UNREGISTERED: u8 = 5;
/// `rbsp_stop_one_bit` and the zeros after it.
const STOP: u8 = 0x80;

/// The same access unit (Annex B) with the mark before its first IDR slice; without one nothing is added.
pub fn mark(h264: &mut Vec<u8>) {
    let unit = h264.windows(4).position(|window| window[..3] == [0, 0, 1] && window[3] & 0x1f == IDR_SLICE);
    let Some(unit) = unit else { return };
    // A start code may have one zero more.
    let at = if unit > 0 && h264[unit - 1] == 0 { unit - 1 } else { unit };
    let length = UUID.len() + TEXT.len();
    // Nothing in it needs emulation prevention: there are no two zeros in a row.
    let mut message = vec![0, 0, 0, 1, SEI, USER_DATA_UNREGISTERED, length as u8];
    message.extend(UUID);
    message.extend(TEXT);
    message.push(STOP);
    h264.splice(at..at, message);
}

const _: () = assert!(UUID.len() + TEXT.len() < 255, "a longer payload needs its size in several bytes");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_between_parameter_sets_and_the_key_frame() {
        let mut unit = vec![0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 0, 1, 0x65, 3, 4];
        mark(&mut unit);
        assert_eq!(unit[..13], [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0]);
        assert_eq!(unit[12..17], [0, 0, 0, 1, SEI]);
        assert_eq!(unit[unit.len() - 8..], [STOP, 0, 0, 0, 1, 0x65, 3, 4]);
        assert!(unit.windows(TEXT.len()).any(|window| window == TEXT));
    }

    #[test]
    fn other_pictures_are_left_as_they_are() {
        let unit = vec![0, 0, 0, 1, 0x41, 3, 4];
        let mut marked = unit.clone();
        mark(&mut marked);
        assert_eq!(marked, unit);
    }
}
