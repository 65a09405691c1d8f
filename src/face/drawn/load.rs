//! Reads a character's folder: the manifest, the drawings, each part as a texture, and how it moves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::changed::Changed;
use super::error::AvatarError;
use super::eye::Eye;
use super::manifest::{self, Manifest, Moves};
use super::mouth::Lips;
use super::names::{PARTS, Role, Site, part};
use super::parts::{Source, index};
use super::rig::{Motion, Skull};
use super::spring::Pendulum;
use super::texture::Texture;
use super::warp::{Grid, Tiles};
use super::{About, Art, Backdrop, Character, FRAME_SECONDS, Layer, Shown};

/// Bytes of a manifest and of one drawing.
const MANIFEST_BYTES: u64 = 64 << 10;
const DRAWING_BYTES: u64 = 8 << 20;

/// Reads the character in `folder`; takes some tenths of a second.
pub fn folder(folder: &Path) -> Result<Character, AvatarError> {
    let text = read(&folder.join("avatar.toml"), MANIFEST_BYTES)?;
    let manifest = Manifest::parse(&text)?;
    let mut drawings = Vec::with_capacity(manifest.files.len());
    for file in &manifest.files {
        drawings.push((file.as_str(), read(&folder.join(file), DRAWING_BYTES)?));
    }
    character(&manifest, &drawings)
}

/// The same from what was read: `drawings` are file names and their SVG, the rearmost first.
pub fn character(manifest: &Manifest, drawings: &[(&str, String)]) -> Result<Character, AvatarError> {
    let listed = |name: &str| manifest.layers.contains_key(name);
    let sources =
        drawings.iter().map(|(file, text)| Source::read(file, text, listed)).collect::<Result<Vec<_>, _>>()?;
    let found = index(&sources)?;
    if let Some(name) = manifest.layers.keys().find(|name| !found.contains_key(name.as_str())) {
        return Err(AvatarError::NotDrawn(name.clone()));
    }
    if let Some(missing) = PARTS.iter().find(|part| part.required && !found.contains_key(part.name)) {
        return Err(AvatarError::Missing { group: missing.name.into(), what: missing.what });
    }
    let mut loader = Loader::default();
    for source in &sources {
        let drawing = source.drawing()?;
        if loader.unit != 0.0 && (loader.unit - drawing.unit).abs() > 1e-3 * loader.unit {
            return Err(AvatarError::Sizes { file: source.file.to_owned() });
        }
        loader.unit = drawing.unit;
        for (part, name) in source.names().enumerate() {
            let empty = || AvatarError::Empty { group: name.to_owned() };
            if is_background(name) {
                loader.background = Some(source.still(&drawing, part).ok_or_else(empty)?);
                continue;
            }
            let texture = source.texture(&drawing, part)?;
            loader.part(manifest, name, texture.ok_or_else(empty)?)?;
        }
    }
    loader.finish(manifest)
}

fn read(path: &Path, limit: u64) -> Result<String, AvatarError> {
    let failed = |source| AvatarError::Read { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > limit {
        return Err(AvatarError::TooLarge { path: path.to_owned(), size, limit });
    }
    std::fs::read_to_string(path).map_err(failed)
}

/// What has been rasterised so far.
#[derive(Default)]
struct Loader<'n> {
    unit: f32,
    /// As a picture, RGBA8.
    background: Option<Vec<u8>>,
    /// In drawing order; a site stands where its first piece does.
    order: Vec<Planned>,
    sites: BTreeSet<usize>,
    pieces: [BTreeMap<&'n str, Texture>; 3],
}

enum Planned {
    Layer(Box<(String, Texture, Moves, f32)>),
    Site(Site),
}

impl<'n> Loader<'n> {
    fn part(&mut self, manifest: &Manifest, name: &'n str, texture: Texture) -> Result<(), AvatarError> {
        let own = manifest.layers.get(name);
        match part(name).map(|part| part.role) {
            Some(Role::Piece(site)) => {
                if own.is_some() {
                    let reason = "pieces of eyes and mouth have no settings of their own; remove it from [layers]";
                    return Err(AvatarError::Unusable { group: name.to_owned(), reason });
                }
                self.pieces[slot(site)].insert(name, texture);
                if self.sites.insert(slot(site)) {
                    self.order.push(Planned::Site(site));
                }
            }
            role => {
                let (moves, depth) = match role {
                    Some(Role::Layer(moves, depth)) => (moves, f32::from(depth) / 50.0 * manifest.head.radii[1]),
                    _ => (Moves::Head, 0.0),
                };
                let moves = own.and_then(|own| own.moves).unwrap_or(moves);
                let depth = own.and_then(|own| own.depth).unwrap_or(depth) * self.unit;
                self.order.push(Planned::Layer(Box::new((name.to_owned(), texture, moves, depth))));
            }
        }
        Ok(())
    }

    fn finish(self, manifest: &Manifest) -> Result<Character, AvatarError> {
        let Self { unit, background, order, pieces: [left, right, mouth], .. } = self;
        let lips = Lips::new(mouth, manifest.mouth)?;
        let eyes = [Eye::new(0, left, manifest.eyes)?, Eye::new(1, right, manifest.eyes)?];
        let skull = skull(manifest, unit, lips.middle());
        let mut layers = Vec::with_capacity(order.len());
        let mut grids = Vec::with_capacity(order.len());
        let mut pendulums = Vec::with_capacity(order.len());
        for planned in order {
            let (layer, pendulum) = match planned {
                Planned::Site(site) => (site_layer(site, &eyes, &lips), None),
                Planned::Layer(planned) => {
                    let (name, texture, moves, depth) = *planned;
                    let own = manifest.layers.get(&name).cloned().unwrap_or_default();
                    let motion = motion(&texture, &own, moves, depth, unit);
                    let tiles = Tiles::of(&texture);
                    let pendulum = own.spring.map(Pendulum::new);
                    (Layer { shown: Shown::Texture(texture, tiles), motion }, pendulum)
                }
            };
            grids.push(Grid::of(layer.shown.pixels(&eyes, &lips).0));
            layers.push(layer);
            pendulums.push(pendulum);
        }
        let Manifest { name, author, licence, .. } = manifest.clone();
        let about = About { name, author, licence };
        let backdrop = Arc::new(Backdrop::new(manifest.background, background.as_deref()));
        let art = Art { skull, layers, about, drawn: background };
        Ok(Character {
            art: Arc::new(art),
            backdrop,
            eyes,
            lips,
            grids,
            pendulums,
            changed: Changed::ALL,
            holds: false,
            seconds: FRAME_SECONDS,
        })
    }
}

fn slot(site: Site) -> usize {
    match site {
        Site::Eye(i) => i,
        Site::Mouth => 2,
    }
}

fn skull(manifest: &Manifest, unit: f32, mouth: [f32; 2]) -> Skull {
    let head = &manifest.head;
    let (centre, radii) = (head.centre.map(|v| v * unit), head.radii.map(|v| v * unit));
    let pivot = head.pivot.map_or([centre[0], centre[1] + 0.95 * radii[1]], |p| p.map(|v| v * unit));
    let (jaw, brows) = (manifest.mouth.jaw, manifest.eyes.brows);
    Skull { centre, radii, pivot, bulge: head.bulge, mouth, jaw, brows }
}

fn site_layer(site: Site, eyes: &[Eye; 2], lips: &Lips) -> Layer {
    let (shown, stage) = match site {
        Site::Eye(i) => (Shown::Eye(i), &eyes[i].stage),
        Site::Mouth => (Shown::Mouth, &lips.stage),
    };
    let motion = motion(&stage.texture, &manifest::Layer::default(), Moves::Face, 0.0, 1.0);
    Layer { shown, motion }
}

fn motion(texture: &Texture, own: &manifest::Layer, moves: Moves, depth: f32, unit: f32) -> Motion {
    let [left, top, right, bottom] = texture.bounds();
    let root = own.root.map_or(top, |root| root * unit);
    Motion {
        moves,
        depth,
        sway: own.sway.unwrap_or(0.0),
        hang: own.hang.unwrap_or(0.0),
        root,
        span: (bottom - root).max(8.0),
        ends: [left, right],
    }
}

fn is_background(name: &str) -> bool {
    part(name).is_some_and(|part| part.role == Role::Background)
}
