//! The names that groups of a drawing go by, and what a group of that name does unless `avatar.toml` says otherwise.

use super::manifest::Moves;

/// What a name means.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub name: &'static str,
    /// What to draw in it, for messages.
    pub what: &'static str,
    pub required: bool,
    pub role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A layer that moves as a whole: how, and its depth in hundredths of the head's height.
    Layer(Moves, i8),
    /// A piece of the mouth or of an eye, put together before the head turns.
    Piece(Site),
    /// Filled once, never moves.
    Background,
}

/// Where pieces are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    /// Of the picture's left (0) or right (1).
    Eye(usize),
    Mouth,
}

const fn layer(name: &'static str, what: &'static str, moves: Moves, depth: i8) -> Part {
    Part { name, what, required: false, role: Role::Layer(moves, depth) }
}

const fn piece(name: &'static str, what: &'static str, required: bool, site: Site) -> Part {
    Part { name, what, required, role: Role::Piece(site) }
}

pub const PARTS: &[Part] = &[
    Part { name: "background", what: "what is behind", required: false, role: Role::Background },
    layer("hair-back", "hair behind head and shoulders", Moves::Head, -25),
    layer("body", "shoulders and clothes", Moves::Body, 0),
    layer("neck", "the neck", Moves::Body, 0),
    layer("ears", "both ears", Moves::Head, -2),
    layer("ear-left", "the picture's left ear", Moves::Head, -2),
    layer("ear-right", "the picture's right ear", Moves::Head, -2),
    layer("head", "the skull where the face does not cover it", Moves::Head, 0),
    Part {
        name: "face",
        what: "the skin of the face without eyes, brows, nose and mouth",
        required: true,
        role: Role::Layer(Moves::Face, 0),
    },
    layer("cheeks", "cheeks, if they are to stand out", Moves::Face, 1),
    layer("nose", "the nose with its shade", Moves::Face, 4),
    layer("brow-left", "the brow over the picture's left eye", Moves::BrowLeft, 1),
    layer("brow-right", "the brow over the picture's right eye", Moves::BrowRight, 1),
    layer("glasses", "glasses", Moves::Face, 3),
    layer("beard", "a beard", Moves::Face, 1),
    layer("hair-front", "hair before the face", Moves::Hair, 4),
    layer("earring-left", "the earring in the picture's left ear", Moves::Head, -1),
    layer("earring-right", "the earring in the picture's right ear", Moves::Head, -1),
    piece("eye-left-white", "the eyeball, in the shape of the opening between the lids", true, Site::Eye(0)),
    piece("eye-left-iris", "iris and pupil, looking straight ahead", true, Site::Eye(0)),
    piece("eye-left-shine", "reflections on the eye", false, Site::Eye(0)),
    piece("eye-left-shade", "shadow of the upper lid on the eyeball", false, Site::Eye(0)),
    piece("eye-left-lid", "the skin of the upper lid as it is when shut", false, Site::Eye(0)),
    piece("eye-left-crease", "the fold above the upper lid", false, Site::Eye(0)),
    piece("eye-left-lower", "rim and lashes of the lower lid", false, Site::Eye(0)),
    piece("eye-left-line", "the line of the upper lid's lashes", false, Site::Eye(0)),
    piece("eye-left-lashes", "single lashes of the upper lid", false, Site::Eye(0)),
    piece("eye-right-white", "the eyeball, in the shape of the opening between the lids", true, Site::Eye(1)),
    piece("eye-right-iris", "iris and pupil, looking straight ahead", true, Site::Eye(1)),
    piece("eye-right-shine", "reflections on the eye", false, Site::Eye(1)),
    piece("eye-right-shade", "shadow of the upper lid on the eyeball", false, Site::Eye(1)),
    piece("eye-right-lid", "the skin of the upper lid as it is when shut", false, Site::Eye(1)),
    piece("eye-right-crease", "the fold above the upper lid", false, Site::Eye(1)),
    piece("eye-right-lower", "rim and lashes of the lower lid", false, Site::Eye(1)),
    piece("eye-right-line", "the line of the upper lid's lashes", false, Site::Eye(1)),
    piece("eye-right-lashes", "single lashes of the upper lid", false, Site::Eye(1)),
    piece("mouth-shade", "shade of the lips on the skin", false, Site::Mouth),
    piece("mouth-inside", "the dark of the open mouth", true, Site::Mouth),
    piece("mouth-tongue", "the tongue, lying low", false, Site::Mouth),
    piece("mouth-teeth-lower", "the lower row of teeth", false, Site::Mouth),
    piece("mouth-teeth-upper", "the upper row of teeth", false, Site::Mouth),
    piece("mouth-lower-lip", "the lower lip of the shut mouth", true, Site::Mouth),
    piece("mouth-upper-lip", "the upper lip of the shut mouth", true, Site::Mouth),
    piece("mouth-line", "the line where the shut lips meet", false, Site::Mouth),
];

/// The part of that name, if it is one that every character may have.
pub fn part(name: &str) -> Option<&'static Part> {
    PARTS.iter().find(|part| part.name == name)
}

/// A name as designers may write it in the way it is known: "Eye left_White" is `eye-left-white`. Figma marks a name
/// that it has used before by a number at its end, which stays: two parts of one name are a mistake.
pub fn plain(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || c == '_' || c == '-').filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}
