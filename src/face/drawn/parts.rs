//! Finds the named groups of an SVG file and gives each as a drawing of its own.
//!
//! A group is named by its Inkscape label or by its id (what Figma exports). The file is read once, with a group of
//! our own around each part by which it is found again. Where something around a part clips or fades it, the file is
//! read once more with all other parts hidden, so whatever styles, gradients and parents say stays in force.

use std::collections::BTreeMap;
use std::ops::Range;

use resvg::usvg::roxmltree::{Document, Node, ParsingOptions};

use super::error::AvatarError;
use super::names::{part, plain};
use super::outside;
use super::texture::{Drawing, Texture};

const INKSCAPE: &str = "http://www.inkscape.org/namespaces/inkscape";

/// Elements, texts and attributes of a file, at most.
const MOST_NODES: u32 = 1_000_000;
/// Groups within groups, at most.
const DEEPEST: u16 = 64;

/// Elements that show something by themselves.
const DRAWN: &[&str] = &["path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "use"];
/// Elements whose content is drawn only where something refers to it.
const REFERRED: &[&str] =
    &["defs", "symbol", "clipPath", "mask", "pattern", "marker", "linearGradient", "radialGradient", "filter"];

/// One SVG file with the places of its parts.
pub struct Source<'a> {
    pub file: &'a str,
    text: &'a str,
    /// Width of its viewBox, if it has one: what its units are counted in.
    units: Option<f32>,
    /// In the order in which they are drawn.
    parts: Vec<(String, Range<usize>)>,
}

impl<'a> Source<'a> {
    /// `listed` tells the names that the character's `avatar.toml` adds.
    pub fn read(file: &'a str, text: &'a str, listed: impl Fn(&str) -> bool) -> Result<Self, AvatarError> {
        let broken = |reason: String| AvatarError::BrokenSvg { file: file.to_owned(), reason };
        // A reference to a DTD is common and never followed; one that is written out may define entities.
        let options = ParsingOptions { allow_dtd: true, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        if text.contains("<!ENTITY") {
            return Err(broken("it defines entities (<!ENTITY ...>)".into()));
        }
        let document = Document::parse_with_options(text, options).map_err(|e| broken(e.to_string()))?;
        let root = document.root_element();
        if root.tag_name().name() != "svg" {
            return Err(broken(format!("its root is <{}>", root.tag_name().name())));
        }
        let view = root.attribute("viewBox").unwrap_or_default();
        let units = view.split([' ', ',']).filter(|n| !n.is_empty()).nth(2).and_then(|n| n.parse().ok());
        let mut source = Self { file, text, units, parts: Vec::new() };
        outside::refuse(file, root)?;
        for child in root.children() {
            source.walk(child, &listed, 0)?;
        }
        Ok(source)
    }

    fn walk(&mut self, node: Node<'_, '_>, listed: &impl Fn(&str) -> bool, depth: u16) -> Result<(), AvatarError> {
        let element = node.tag_name().name();
        if !node.is_element() {
            return Ok(());
        }
        if depth > DEEPEST {
            let reason = format!("groups are nested more than {DEEPEST} deep");
            return Err(AvatarError::BrokenSvg { file: self.file.to_owned(), reason });
        }
        if REFERRED.contains(&element) || is_hidden(node) {
            return Ok(());
        }
        if let Some(name) = name_of(node, listed) {
            let mut within = node.descendants().skip(1).filter_map(|n| name_of(n, listed));
            if let Some(inner) = within.find(|inner| *inner != name) {
                return Err(AvatarError::Nested { inner, outer: name, file: self.file.to_owned() });
            }
            self.parts.push((name, node.range()));
            return Ok(());
        }
        if DRAWN.contains(&element) {
            let (line, element) = (outside::line(node), element.to_owned());
            return Err(AvatarError::Stray { file: self.file.to_owned(), line, element });
        }
        node.children().try_for_each(|child| self.walk(child, listed, depth + 1))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(name, _)| name.as_str())
    }

    /// Reads the drawing; its parts can be rasterised with [`Source::texture`].
    pub fn drawing(&self) -> Result<Drawing, AvatarError> {
        Drawing::parse(self.file, self.units, &self.wrapped(|part| format!("<g id=\"{}\">", mark(part))))
    }

    /// One part as pixels, by its place among [`Source::names`]; none if it shows nothing.
    pub fn texture(&self, drawing: &Drawing, part: usize) -> Result<Option<Texture>, AvatarError> {
        let id = mark(part);
        if !drawing.is_within_effects(&id) {
            return Ok(drawing.texture(Some(&id)));
        }
        let hidden = |other: usize| if other == part { "<g>" } else { "<g display=\"none\">" }.to_owned();
        Ok(Drawing::parse(self.file, self.units, &self.wrapped(hidden))?.texture(None))
    }

    /// The part that lies behind all others and does not move, as a picture: RGBA8, opaque. None if it shows nothing.
    pub fn still(&self, drawing: &Drawing, part: usize) -> Option<Vec<u8>> {
        drawing.still(&mark(part))
    }

    /// The text with a group around each part that begins as `opening` says.
    fn wrapped(&self, opening: impl Fn(usize) -> String) -> String {
        let mut text = String::with_capacity(self.text.len() + self.parts.len() * 32);
        let mut at = 0;
        for (part, (_, range)) in self.parts.iter().enumerate() {
            text.push_str(&self.text[at..range.start]);
            text.push_str(&opening(part));
            text.push_str(&self.text[range.clone()]);
            text.push_str("</g>");
            at = range.end;
        }
        text.push_str(&self.text[at..]);
        text
    }
}

/// The id of the group that is put around a part.
fn mark(part: usize) -> String {
    format!("visavis:part:{part}")
}

/// The parts of all files by name: in which file each is.
pub fn index<'s>(sources: &'s [Source<'s>]) -> Result<BTreeMap<&'s str, &'s Source<'s>>, AvatarError> {
    let mut found: BTreeMap<&str, &Source<'_>> = BTreeMap::new();
    for source in sources {
        for name in source.names() {
            if let Some(first) = found.insert(name, source) {
                let (first, second) = (first.file.to_owned(), source.file.to_owned());
                return Err(AvatarError::Twice { group: name.to_owned(), first, second });
            }
        }
    }
    Ok(found)
}

/// The name of a part: of a group, or of a lone shape, which some programs export without a group around it.
fn name_of(node: Node<'_, '_>, listed: &impl Fn(&str) -> bool) -> Option<String> {
    let element = node.tag_name().name();
    if element != "g" && !DRAWN.contains(&element) {
        return None;
    }
    let known = |name: &str| Some(plain(name)).filter(|name| part(name).is_some() || listed(name));
    node.attribute((INKSCAPE, "label")).and_then(known).or_else(|| node.attribute("id").and_then(known))
}

fn is_hidden(node: Node<'_, '_>) -> bool {
    let style = node.attribute("style").unwrap_or_default();
    node.attribute("display") == Some("none")
        || style
            .split(';')
            .any(|rule| rule.split_once(':').is_some_and(|(k, v)| (k.trim(), v.trim()) == ("display", "none")))
}
