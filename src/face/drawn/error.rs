//! What can be wrong with a character's folder, in the words of whoever drew it.

use std::path::PathBuf;

/// Each message says what was found and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum AvatarError {
    #[error("cannot read {}: {source}; a character is a folder with avatar.toml and its SVG files", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} is {size} bytes, at most {limit} are read; simplify paths and remove embedded pictures", path.display())]
    TooLarge { path: PathBuf, size: u64, limit: u64 },
    #[error("avatar.toml: {0}")]
    Manifest(String),
    #[error("{file} is no SVG that can be read: {reason}; export it again as plain SVG")]
    BrokenSvg { file: String, reason: String },
    #[error(
        "{file}: the drawing is {width} by {height}; make it square (the viewBox too), between 16 and 8192 units a side"
    )]
    NotSquare { file: String, width: f32, height: f32 },
    #[error("{file} is not as large as the drawings before it; give all files the same viewBox and size")]
    Sizes { file: String },
    #[error("{file}, line {line}: <{element}> is not supported; {advice}")]
    Unsupported { file: String, line: u32, element: String, advice: &'static str },
    #[error("the group `{group}` is missing ({what}); draw it in a group or layer of that name")]
    Missing { group: String, what: &'static str },
    #[error("the group `{group}` is there twice, in {first} and in {second}; merge the two or rename one")]
    Twice { group: String, first: String, second: String },
    #[error("the group `{inner}` lies within the group `{outer}` in {file}; move it out, parts do not nest")]
    Nested { inner: String, outer: String, file: String },
    #[error("the group `{group}` shows nothing in the picture; draw something in it, make it visible, or remove it")]
    Empty { group: String },
    #[error(
        "{file}, line {line}: <{element}> is drawn outside of every part; move it into a part's group, or name its group under [layers] in avatar.toml"
    )]
    Stray { file: String, line: u32, element: String },
    #[error("avatar.toml has [layers.{0}], but no SVG file has a group of that name")]
    NotDrawn(String),
    #[error("`{group}` cannot be used: {reason}")]
    Unusable { group: String, reason: &'static str },
}
