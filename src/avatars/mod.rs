//! Who can be seen: the characters that are built in and the folders of the user's own, by name.
//!
//! An avatar is a folder with `avatar.toml`, whose `kind` says what draws it: a character's layers ([`face::drawn`]) or a
//! portrait ([`face::portrait`]) or footage with a mouth by Wav2Lip ([`face::wav2lip`]). One of the user's own goes before a built-in one of its name. What is loaded is shared
//! by all calls that see the same, as one [`Rest`]; what nobody sees goes when others come.

mod built_in;
mod cli;
mod clip;
mod clips;
mod look;
mod mouths;
mod sent;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use image::ImageFormat;
use serde::Deserialize;

use crate::face::portrait::{self, PortraitError};
use crate::face::{Face, Rgba, drawn, preview, wav2lip};
use crate::metrics::Metrics;
use crate::onnx::Runtime;
use crate::playout::Rest;
use crate::video::VideoSettings;
pub use cli::AvatarCommand;
pub use clips::{Clips, NoClip};
pub use look::Look;
use mouths::Mouths;
pub use mouths::Wav2LipSettings;

/// What describes an avatar in its folder.
const DESCRIPTION: &str = "avatar.toml";
/// Avatars that stay loaded though nobody sees them.
const IDLE_KEPT: usize = 4;
/// Longest description that is read; a portrait's holds a mesh.
const MOST_BYTES: u64 = 256 * 1024;

/// Why an avatar cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum AvatarError {
    #[error("there is no avatar \"{name}\"; there are {known}")]
    Unknown { name: String, known: String },
    #[error("{0}")]
    Look(String),
    #[error("the avatar \"{name}\": cannot read {}: {source}", path.display())]
    Read { name: String, path: PathBuf, source: std::io::Error },
    #[error("the avatar \"{name}\": avatar.toml: {reason}")]
    Description { name: String, reason: String },
    #[error("the avatar \"{name}\": {source}")]
    Drawn { name: String, source: drawn::AvatarError },
    #[error("the avatar \"{name}\": {source}")]
    Portrait { name: String, source: PortraitError },
    #[error("the avatar \"{name}\": {source}")]
    Wav2Lip { name: String, source: wav2lip::Wav2LipError },
    #[error(
        "the avatar \"{0}\" needs Wav2Lip's network: name its ONNX file as avatar.wav2lip.model (models/wav2lip/README.md \
         tells how to get one)"
    )]
    NoNetwork(String),
    #[error("the picture cannot be written: {0}")]
    Picture(#[from] image::ImageError),
    #[error("cannot make room for a portrait: {0}")]
    Room(std::io::Error),
}

/// What draws an avatar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Layers in SVG.
    #[default]
    Drawn,
    /// One photo.
    Portrait,
    /// A photo or a loop of video, and a network of the user's own.
    Wav2Lip,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Drawn => "drawn",
            Self::Portrait => "portrait",
            Self::Wav2Lip => "wav2lip",
        }
    }
}

/// An avatar as lists show it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// By which it is asked for.
    pub name: String,
    pub kind: Kind,
    /// As people read it.
    pub title: String,
    pub author: String,
    pub licence: String,
    pub built_in: bool,
}

/// Of `avatar.toml`, what every kind has.
#[derive(Debug, Default, Deserialize)]
struct Description {
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    name: String,
    #[serde(default)]
    author: String,
    #[serde(default)]
    licence: String,
}

/// See the module's text.
pub struct Avatars {
    folder: PathBuf,
    video: VideoSettings,
    metrics: Arc<Metrics>,
    runtime: Runtime,
    mouths: Mouths,
    loaded: Mutex<HashMap<Look, Arc<Rest>>>,
}

impl Avatars {
    /// Those in `folder`, which need not be there, and the built-in ones.
    pub fn new(
        folder: PathBuf,
        video: VideoSettings,
        wav2lip: Wav2LipSettings,
        runtime: Runtime,
        metrics: Arc<Metrics>,
    ) -> Self {
        let mouths = Mouths::new(wav2lip, runtime.clone(), Arc::clone(&metrics));
        Self { folder, video, metrics, runtime, mouths, loaded: Mutex::default() }
    }

    /// All that can be asked for, the user's own first.
    pub fn list(&self) -> Vec<Listed> {
        list(&self.folder)
    }

    /// The face of this look at rest, of which every call's pictures begin. Reads files and draws, which takes some
    /// tenths of a second when it is asked for first: not for an async task.
    pub fn rest(&self, look: &Look) -> Result<Arc<Rest>, AvatarError> {
        if let Some(rest) = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(look) {
            return Ok(Arc::clone(rest));
        }
        let face = self.face(look)?;
        let rest = Rest::new(face, self.video.clone(), rand::random(), Arc::clone(&self.metrics));
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = Arc::clone(loaded.entry(look.clone()).or_insert(rest));
        let idle: Vec<Look> =
            loaded.iter().filter(|(_, rest)| Arc::strong_count(rest) == 1).map(|(look, _)| look.clone()).collect();
        for look in idle.iter().skip(IDLE_KEPT) {
            loaded.remove(look);
        }
        Ok(rest)
    }

    /// A face of this look for oneself.
    pub fn face(&self, look: &Look) -> Result<Box<dyn Face>, AvatarError> {
        open(&self.folder, look, &self.mouths)
    }

    /// That there is none of this name.
    pub fn unknown(&self, name: &str) -> AvatarError {
        unknown(&self.folder, name)
    }

    /// True if there is one of this name.
    pub fn knows(&self, name: &str) -> bool {
        let sent = sent::is_sent(name) && sent::folder(&self.folder).join(name).join(DESCRIPTION).exists();
        sent || self.list().iter().any(|listed| listed.name == name)
    }

    /// The face at rest, as PNG. Takes as long as [`Avatars::face`].
    pub fn picture(&self, name: &str) -> Result<Vec<u8>, AvatarError> {
        let mut face = self.face(&Look::of(name))?;
        let (width, height) = face.size();
        let mut picture = Rgba::new(width, height);
        face.draw(&preview::rest(), &mut picture);
        let mut png = std::io::Cursor::new(Vec::new());
        let colour = image::ExtendedColorType::Rgba8;
        image::write_buffer_with_format(
            &mut png,
            &picture.data,
            width as u32,
            height as u32,
            colour,
            ImageFormat::Png,
        )?;
        Ok(png.into_inner())
    }

    /// Makes a portrait of a photo that somebody sent, under a name that nobody guesses. Takes some seconds.
    pub fn take(&self, photo: &[u8]) -> Result<Listed, AvatarError> {
        let (name, folder) = (sent::name(), sent::folder(&self.folder));
        sent::make_room(&folder).map_err(AvatarError::Room)?;
        portrait_of(&self.runtime, photo, &name, &folder)
            .map_err(|source| AvatarError::Portrait { name: name.clone(), source })?;
        Ok(entry(&name, describe(&folder, &name)?, false))
    }

    /// Deletes a portrait that somebody sent; false if there is none of this name.
    pub fn forget(&self, name: &str) -> std::io::Result<bool> {
        let path = sent::folder(&self.folder).join(name);
        if !sent::is_sent(name) || !path.exists() {
            return Ok(false);
        }
        std::fs::remove_dir_all(path)?;
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).retain(|look, _| look.name != name);
        Ok(true)
    }
}

/// Makes a portrait of a photo in `folder`.
fn portrait_of(runtime: &Runtime, photo: &[u8], name: &str, folder: &Path) -> Result<portrait::Report, PortraitError> {
    portrait::add(&mut portrait::Vision::load(runtime)?, photo, name, folder)
}

/// The avatars in a folder, then the built-in ones that have no namesake there.
fn list(folder: &Path) -> Vec<Listed> {
    let mut listed = Vec::new();
    let names = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    for name in names.filter(|name| is_name(name)) {
        // What cannot be read is told when it is asked for.
        if let Ok(description) = describe(folder, &name) {
            listed.push(entry(&name, description, false));
        }
    }
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    for (name, manifest, _) in built_in::ALL {
        let is_new = listed.iter().all(|listed| listed.name != name);
        if let Some(description) = is_new.then(|| toml::from_str(manifest).unwrap_or_default()) {
            listed.push(entry(name, description, true));
        }
    }
    listed
}

fn entry(name: &str, description: Description, built_in: bool) -> Listed {
    let Description { kind, name: title, author, licence } = description;
    Listed { name: name.to_owned(), kind, title, author, licence, built_in }
}

/// Letters that stand for nothing in a path.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

fn describe(folder: &Path, name: &str) -> Result<Description, AvatarError> {
    let path = folder.join(name).join(DESCRIPTION);
    let read = |source| AvatarError::Read { name: name.to_owned(), path: path.clone(), source };
    let length = std::fs::metadata(&path).map_err(read)?.len();
    let refuse = |reason: String| AvatarError::Description { name: name.to_owned(), reason };
    if length > MOST_BYTES {
        return Err(refuse(format!("it has {length} bytes, at most {MOST_BYTES} are read")));
    }
    let text = std::fs::read_to_string(&path).map_err(read)?;
    toml::from_str(&text).map_err(|error| refuse(error.message().to_owned()))
}

/// Loads what draws this look.
fn open(folder: &Path, look: &Look, mouths: &Mouths) -> Result<Box<dyn Face>, AvatarError> {
    let name = look.name.as_str();
    let sent = sent::folder(folder);
    let folder = if sent::is_sent(name) { &sent } else { folder };
    let own = folder.join(name);
    if is_name(name) && own.join(DESCRIPTION).exists() {
        if sent::is_sent(name) {
            sent::used(folder, name);
        }
        let kind = describe(folder, name)?.kind;
        if kind != Kind::Drawn && look.background.is_some() {
            return Err(AvatarError::Look(format!("\"{name}\" has a background of its own, as a picture has")));
        }
        return match kind {
            Kind::Drawn => {
                let drawn = drawn::Character::load(&own);
                dressed(drawn.map_err(|source| AvatarError::Drawn { name: name.to_owned(), source })?, look)
            }
            Kind::Portrait => {
                let portrait = portrait::Portrait::load(&own);
                Ok(Box::new(portrait.map_err(|source| AvatarError::Portrait { name: name.to_owned(), source })?))
            }
            Kind::Wav2Lip => {
                let failed = |source| AvatarError::Wav2Lip { name: name.to_owned(), source };
                let engine = mouths.engine().map_err(failed)?;
                let engine = engine.ok_or_else(|| AvatarError::NoNetwork(name.to_owned()))?;
                let template = wav2lip::load(&own).map_err(failed)?;
                Ok(Box::new(wav2lip::Wav2Lip::new(Arc::new(template), engine)))
            }
        };
    }
    match built_in::ALL.iter().find(|(built_in, ..)| *built_in == name) {
        Some((_, manifest, drawing)) => {
            let drawn = drawn::Character::from_texts(manifest, &[("avatar.svg", drawing)]);
            dressed(drawn.map_err(|source| AvatarError::Drawn { name: name.to_owned(), source })?, look)
        }
        None => Err(unknown(folder, name)),
    }
}

fn unknown(folder: &Path, name: &str) -> AvatarError {
    let known = list(folder).into_iter().map(|listed| listed.name).collect::<Vec<_>>().join(", ");
    AvatarError::Unknown { name: name.to_owned(), known }
}

fn dressed(mut character: drawn::Character, look: &Look) -> Result<Box<dyn Face>, AvatarError> {
    if let Some(background) = look.background {
        character.set_background(background);
    }
    Ok(Box::new(character))
}
