//! `avatar.toml`: who drew the character, which files it has, and how its layers move. FORMAT.md is its manual.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::AvatarError;
use super::names::plain;

/// The version of the format that this code reads.
const FORMAT: u32 = 1;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u32,
    /// As people read it.
    pub name: String,
    #[serde(default)]
    pub author: String,
    /// An SPDX expression or a sentence.
    #[serde(default)]
    pub licence: String,
    /// SVG files within the folder, the rearmost first.
    #[serde(default = "one_file")]
    pub files: Vec<String>,
    #[serde(default)]
    pub background: Background,
    pub head: Head,
    #[serde(default)]
    pub mouth: Mouth,
    #[serde(default)]
    pub eyes: Eyes,
    #[serde(default)]
    pub layers: BTreeMap<String, Layer>,
}

/// What is behind a character: `"drawn"`, `"none"` or a colour such as `"#20304a"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Hash)]
#[serde(try_from = "String")]
pub enum Background {
    /// The group `background`; black where it is missing or clear.
    #[default]
    Drawn,
    /// Transparent: pictures with premultiplied alpha.
    None,
    Colour([u8; 3]),
}

impl TryFrom<String> for Background {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let hex = |digits: &str| u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 6);
        match text.as_str() {
            "drawn" => Ok(Self::Drawn),
            "none" => Ok(Self::None),
            _ => match text.strip_prefix('#').and_then(hex) {
                Some(rgb) => Ok(Self::Colour([(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8])),
                None => {
                    Err(format!("background \"{text}\" is neither \"drawn\", \"none\" nor a colour like \"#20304a\""))
                }
            },
        }
    }
}

/// The head as a ball: all in units of the drawing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub centre: [f32; 2],
    /// Half width and half height from crown to chin.
    pub radii: [f32; 2],
    /// Where the head sits on the neck and tilts about; below the centre, about at the chin, when not given.
    pub pivot: Option<[f32; 2]>,
    /// How much the face bulges towards the viewer: 1 as a human head, 0 flat.
    #[serde(default = "one")]
    pub bulge: f32,
}

/// Factors on how far the mouth goes; 1 is for a human mouth.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mouth {
    /// Gap of the lips.
    pub open: f32,
    /// Drop of the chin.
    pub jaw: f32,
    /// Change of width.
    pub width: f32,
    /// Lift of the corners.
    pub smile: f32,
    /// How much pursed lips become a ring: 1 as human lips, 0 for a muzzle, which has none.
    pub ring: f32,
}

impl Default for Mouth {
    fn default() -> Self {
        Self { open: 1.0, jaw: 1.0, width: 1.0, smile: 1.0, ring: 1.0 }
    }
}

/// Factors on how far the eyes go.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Eyes {
    /// Way of the iris.
    pub gaze: f32,
    /// Where shut lids meet: 0 at the upper rim of the opening, 1 at the lower.
    pub meet: f32,
    /// Rise and fall of the brows.
    pub brows: f32,
    /// How far the lids of the calm face are shut beyond what was drawn.
    pub rest: f32,
}

impl Default for Eyes {
    fn default() -> Self {
        Self { gaze: 1.0, meet: 0.8, brows: 1.0, rest: 0.0 }
    }
}

/// What a layer moves with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moves {
    /// With nothing.
    Still,
    /// With breath and, higher up, with the neck.
    Body,
    /// With the head, as a flat sheet at its depth.
    Head,
    /// With the head, bent over its upper half; hangs straight below it.
    Hair,
    /// With the head, bent over its ball; gives way to jaw and cheeks.
    Face,
    BrowLeft,
    BrowRight,
}

/// What may be said of one layer; what is not said is as the name implies.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    pub moves: Option<Moves>,
    /// Units of the drawing before (or, below 0, behind) the surface that it moves with.
    pub depth: Option<f32>,
    /// How far its lower end swings with the hair: 1 as loose long hair.
    pub sway: Option<f32>,
    /// How freely it hangs when the head tilts: 0 fixed, 1 a plumb line.
    pub hang: Option<f32>,
    /// Height from which it swings, in units of the drawing; its upper end when not given.
    pub root: Option<f32>,
    /// A swing of its own, instead of the hair's.
    pub spring: Option<Spring>,
}

/// A damped pendulum.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spring {
    /// Swings a second, 0.3 to 5.
    pub hz: f32,
    /// 0 swings for ever, 1 not at all; 0.05 to 1.
    pub damping: f32,
}

fn one() -> f32 {
    1.0
}

fn one_file() -> Vec<String> {
    vec!["avatar.svg".into()]
}

impl Manifest {
    pub fn parse(text: &str) -> Result<Self, AvatarError> {
        let mut manifest: Self = toml::from_str(text).map_err(|e| AvatarError::Manifest(e.to_string()))?;
        manifest.layers = manifest.layers.into_iter().map(|(name, layer)| (plain(&name), layer)).collect();
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), AvatarError> {
        let wrong = |what: String| Err(AvatarError::Manifest(what));
        if self.format != FORMAT {
            return wrong(format!("format = {} is not known; this version reads format = {FORMAT}", self.format));
        }
        if self.files.is_empty() || self.files.len() > 32 {
            return wrong("files must list 1 to 32 SVG files".into());
        }
        if let Some(name) = self.files.iter().find(|name| !is_plain(name)) {
            return wrong(format!("files: \"{name}\" must be a plain file name within the folder, ending in .svg"));
        }
        let numbers = [
            ("head.centre", self.head.centre[0], -8192.0..=8192.0),
            ("head.centre", self.head.centre[1], -8192.0..=8192.0),
            ("head.radii", self.head.radii[0], 1.0..=8192.0),
            ("head.radii", self.head.radii[1], 1.0..=8192.0),
            ("head.bulge", self.head.bulge, 0.0..=2.0),
            ("mouth.open", self.mouth.open, 0.0..=3.0),
            ("mouth.jaw", self.mouth.jaw, 0.0..=3.0),
            ("mouth.width", self.mouth.width, 0.0..=2.0),
            ("mouth.smile", self.mouth.smile, 0.0..=3.0),
            ("mouth.ring", self.mouth.ring, 0.0..=1.0),
            ("eyes.gaze", self.eyes.gaze, 0.0..=3.0),
            ("eyes.meet", self.eyes.meet, 0.0..=1.0),
            ("eyes.brows", self.eyes.brows, 0.0..=3.0),
            ("eyes.rest", self.eyes.rest, 0.0..=0.6),
        ];
        for (key, value, range) in numbers {
            within(key, value, range)?;
        }
        for v in self.head.pivot.into_iter().flatten() {
            within("head.pivot", v, -8192.0..=8192.0)?;
        }
        for (name, layer) in &self.layers {
            let key = |field: &str| format!("layers.{name}.{field}");
            within(&key("depth"), layer.depth.unwrap_or(0.0), -2048.0..=2048.0)?;
            within(&key("sway"), layer.sway.unwrap_or(0.0), -3.0..=3.0)?;
            within(&key("hang"), layer.hang.unwrap_or(0.0), 0.0..=1.0)?;
            within(&key("root"), layer.root.unwrap_or(0.0), -8192.0..=8192.0)?;
            if let Some(spring) = layer.spring {
                within(&key("spring.hz"), spring.hz, 0.3..=5.0)?;
                within(&key("spring.damping"), spring.damping, 0.05..=1.0)?;
            }
        }
        Ok(())
    }
}

fn within(key: &str, value: f32, range: std::ops::RangeInclusive<f32>) -> Result<(), AvatarError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = range.into_inner();
    Err(AvatarError::Manifest(format!("{key} = {value} must lie between {low} and {high}")))
}

/// A name that cannot lead out of the folder.
fn is_plain(name: &str) -> bool {
    name.ends_with(".svg") && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}
