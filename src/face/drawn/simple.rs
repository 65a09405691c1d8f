//! A character of plain shapes for tests: every part has a colour of its own, so pictures can be counted.

use std::fmt::Write as _;

/// Its manifest, without `[layers]`.
pub const MANIFEST: &str = "format = 1\nname = \"Plain\"\n[head]\ncentre = [256, 256]\nradii = [120, 150]\n";

/// Colours that nothing else has.
pub const IRIS: [u8; 3] = [255, 0, 0];
pub const INSIDE: [u8; 3] = [0, 255, 0];
pub const WHITE: [u8; 3] = [0, 0, 255];
pub const NOSE: [u8; 3] = [255, 0, 255];
pub const BACK: [u8; 3] = [0, 255, 255];
const SKIN: [u8; 3] = [128, 100, 80];
const LIP: [u8; 3] = [200, 120, 40];

/// Its parts by name: what is in the group.
pub fn parts() -> Vec<(&'static str, String)> {
    let path = |d: &str, colour: [u8; 3]| {
        let [r, g, b] = colour;
        format!("<path d=\"{d}\" fill=\"rgb({r},{g},{b})\"/>")
    };
    let eye = |x: i32| format!("M{} 200Q{x} 170 {} 200Q{x} 226 {} 200Z", x - 30, x + 30, x - 30);
    let iris = |x: i32| format!("M{} 200a12 12 0 0 1 24 0a12 12 0 0 1 -24 0Z", x - 12);
    vec![
        ("background", path("M-50 -50H562V562H-50Z", [40, 40, 40])),
        ("hair-back", path("M236 60H276V110H236Z", BACK)),
        ("face", path("M256 110A120 150 0 0 1 256 410A120 150 0 0 1 256 110Z", SKIN)),
        ("nose", path("M246 230H266V260H246Z", NOSE)),
        ("eye-left-white", path(&eye(206), WHITE)),
        ("eye-left-iris", path(&iris(206), IRIS)),
        ("eye-right-white", path(&eye(306), WHITE)),
        ("eye-right-iris", path(&iris(306), IRIS)),
        ("mouth-inside", path("M210 290H302V350H210Z", INSIDE)),
        ("mouth-lower-lip", path("M220 314Q256 322 292 314Q256 344 220 314Z", LIP)),
        ("mouth-upper-lip", path("M220 314Q256 298 292 314Q256 324 220 314Z", LIP)),
    ]
}

/// A drawing of these parts.
pub fn svg(parts: &[(&str, String)]) -> String {
    let mut text = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 512 512\">".to_owned();
    for (name, content) in parts {
        let _ = write!(text, "\n<g id=\"{name}\">{content}</g>");
    }
    text + "\n</svg>"
}
