//! Refuses what a drawing must not have: what leads out of its file, runs, or is not drawn from shapes.
//!
//! The renderer would pass over most of it in silence; a designer would miss it, and nothing but the files that
//! `avatar.toml` lists may ever be read.

use std::collections::HashMap;

use resvg::usvg::roxmltree::Node;

use super::error::AvatarError;

/// Elements that are refused, and what to do instead.
const REFUSED: &[(&str, &str)] = &[
    ("text", "turn the text into paths"),
    ("image", "draw it as vectors; embedded and linked pictures are not read"),
    ("feImage", "use a gradient or a blur; linked pictures are not read"),
    ("foreignObject", "draw it as vectors"),
    ("svg", "a drawing within the drawing must be a plain group"),
    ("script", "remove it; a drawing is never run"),
];
/// What to do about a link out of the file.
const LINKED: &str = "nothing outside of the file is read; copy what it refers to into the drawing";
/// Uses within uses, at most, and elements that they may come to.
const DEEPEST_USE: u8 = 8;
const MOST_ELEMENTS: usize = 200_000;

/// Looks at all of a file, from its root down.
pub fn refuse<'d>(file: &str, root: Node<'d, 'd>) -> Result<(), AvatarError> {
    let unsupported = |node: Node<'_, '_>, element: &str, advice| {
        Err(AvatarError::Unsupported { file: file.to_owned(), line: line(node), element: element.to_owned(), advice })
    };
    for node in root.descendants().filter(|node| node.is_element()) {
        let element = node.tag_name().name();
        if let Some((_, advice)) = REFUSED.iter().find(|(refused, _)| *refused == element && node != root) {
            return unsupported(node, element, advice);
        }
        for attribute in node.attributes() {
            let value = attribute.value();
            let links = attribute.name() == "href" && element != "a" && !value.starts_with('#');
            if links || leads_out(value) {
                return unsupported(node, &format!("{element} {}", attribute.name()), LINKED);
            }
        }
        if element == "style" && node.text().is_some_and(|text| text.contains("@import") || leads_out(text)) {
            return unsupported(node, element, LINKED);
        }
    }
    let mut copies = Copies { by_id: HashMap::new(), elements: 0 };
    copies.by_id.extend(root.descendants().filter_map(|node| node.attribute("id").map(|id| (id, node))));
    copies.count(root, 0);
    if copies.elements > MOST_ELEMENTS {
        let reason = format!("with all copies (<use>) it has more than {MOST_ELEMENTS} elements");
        return Err(AvatarError::BrokenSvg { file: file.to_owned(), reason });
    }
    Ok(())
}

/// True if a style refers to anything but an element of the same file.
fn leads_out(style: &str) -> bool {
    style.split("url(").skip(1).any(|target| !target.trim_start_matches([' ', '"', '\'']).starts_with('#'))
}

/// Counts elements as they are drawn: each copy anew.
struct Copies<'d> {
    by_id: HashMap<&'d str, Node<'d, 'd>>,
    elements: usize,
}

impl<'d> Copies<'d> {
    /// Stops soon after there are too many.
    fn count(&mut self, node: Node<'d, 'd>, depth: u8) {
        for inner in node.descendants().filter(Node::is_element) {
            self.elements += 1;
            if self.elements > MOST_ELEMENTS {
                return;
            }
            let target = inner.attributes().find(|a| a.name() == "href").and_then(|a| a.value().strip_prefix('#'));
            let Some(copied) =
                target.filter(|_| inner.tag_name().name() == "use").and_then(|id| self.by_id.get(id).copied())
            else {
                continue;
            };
            if depth < DEEPEST_USE {
                self.count(copied, depth + 1);
            } else {
                self.elements = MOST_ELEMENTS + 1;
            }
        }
    }
}

/// The line of a file on which an element begins.
pub fn line(node: Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}
