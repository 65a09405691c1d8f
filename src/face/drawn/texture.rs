//! A part of a drawing as pixels: rasterised once, cropped to what it shows, never changed.

use resvg::usvg::{Group, ImageHrefResolver, Node, Options, Tree};
use tiny_skia::{Color, Pixmap, Transform};

use super::error::AvatarError;

/// Side of the picture in its own pixels.
pub const SIDE: usize = 512;
/// Texture pixels for one picture pixel: finer textures stay crisp when they are moved by fractions of a pixel.
pub const SCALE: f32 = 1.25;
/// Picture pixels around the picture that are rasterised too, for what moves into sight.
pub const BLEED: f32 = 40.0;
/// Largest and smallest side of a drawing, in its units.
const UNITS: std::ops::RangeInclusive<f32> = 16.0..=8192.0;

/// Premultiplied RGBA8 with at least one clear pixel around what it shows, but where the bleed ends.
#[derive(Clone, Debug)]
pub struct Texture {
    /// Place of the first pixel, in texture pixels from the picture's upper left corner.
    pub left: i32,
    pub top: i32,
    pub width: usize,
    pub height: usize,
    pub data: Vec<u8>,
    /// The rows of each column between which it shows anything, the last excluded; empty for a stage.
    pub spans: Vec<[f32; 2]>,
}

/// A drawing read as SVG.
pub struct Drawing {
    tree: Tree,
    /// Picture pixels for one pixel of the drawing, and for one of the units in which it was drawn.
    scale: f32,
    pub unit: f32,
}

impl Drawing {
    /// `units` is the width of the drawing as it was drawn, if that is not its width in pixels.
    pub fn parse(file: &str, units: Option<f32>, text: &str) -> Result<Self, AvatarError> {
        // Pictures are refused before; should one slip by, it is not read from the disk.
        let nothing =
            ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) };
        let tree = Tree::from_str(text, &Options { image_href_resolver: nothing, ..Options::default() })
            .map_err(|e| AvatarError::BrokenSvg { file: file.to_owned(), reason: e.to_string() })?;
        let (width, height) = (tree.size().width(), tree.size().height());
        if (width - height).abs() > 0.01 * width || !UNITS.contains(&width) {
            return Err(AvatarError::NotSquare { file: file.to_owned(), width, height });
        }
        let units = units.filter(|units| *units > 0.0).unwrap_or(width);
        Ok(Self { scale: SIDE as f32 / width, unit: SIDE as f32 / units, tree })
    }

    /// True if a group around the group `id` clips, fades or filters what is in it, so that `id` cannot be
    /// rasterised without it.
    pub fn is_within_effects(&self, id: &str) -> bool {
        fn way(group: &Group, id: &str) -> Option<bool> {
            if group.id() == id {
                return Some(false);
            }
            let groups = group.children().iter().filter_map(|node| match node {
                Node::Group(group) => Some(group),
                _ => None,
            });
            groups.into_iter().find_map(|inner| way(inner, id)).map(|effects| effects || group.should_isolate())
        }
        way(self.tree.root(), id).unwrap_or(false)
    }

    /// Rasterises the group `id`, which does not move, at the size of the picture: RGBA8, over black.
    pub fn still(&self, id: &str) -> Option<Vec<u8>> {
        let node = self.tree.node_by_id(id)?;
        let area = node.abs_layer_bounding_box()?;
        let mut pixmap = Pixmap::new(SIDE as u32, SIDE as u32)?;
        pixmap.fill(Color::BLACK);
        let place = Transform::from_scale(self.scale, self.scale).pre_concat(node.abs_transform());
        resvg::render_node(node, place.pre_translate(area.x(), area.y()), &mut pixmap.as_mut())?;
        Some(pixmap.take())
    }

    /// Rasterises the group `id`, which has no transform of its own, or all that is shown; none if that is nothing.
    pub fn texture(&self, id: Option<&str>) -> Option<Texture> {
        let side = ((SIDE as f32 + 2.0 * BLEED) * SCALE) as u32;
        let scale = self.scale * SCALE;
        let place = Transform::from_scale(scale, scale).post_translate(BLEED * SCALE, BLEED * SCALE);
        let Some(id) = id else {
            let mut pixmap = Pixmap::new(side, side)?;
            resvg::render(&self.tree, place, &mut pixmap.as_mut());
            return Texture::cropped(&pixmap, [0, 0]);
        };
        let node = self.tree.node_by_id(id)?;
        // Only the box that it covers; its filters may reach further, that is part of the box.
        let area = node.abs_layer_bounding_box()?;
        let shown = area.to_rect().transform(place)?;
        let low = |v: f32| (v.floor() - 2.0).clamp(0.0, side as f32) as u32;
        let high = |v: f32| (v.ceil() + 3.0).clamp(0.0, side as f32) as u32;
        let (left, top) = (low(shown.left()), low(shown.top()));
        let (right, bottom) = (high(shown.right()), high(shown.bottom()));
        let mut pixmap = Pixmap::new(right.checked_sub(left)?, bottom.checked_sub(top)?)?;
        let place = place.post_translate(-(left as f32), -(top as f32));
        // The renderer puts the box of a node at the origin, and leaves out what lies around the node.
        let place = place.pre_concat(node.abs_transform()).pre_translate(area.x(), area.y());
        resvg::render_node(node, place, &mut pixmap.as_mut())?;
        Texture::cropped(&pixmap, [left, top])
    }
}

impl Texture {
    /// From pixels the first of which is at `corner` of the picture with its bleed.
    fn cropped(pixmap: &Pixmap, corner: [u32; 2]) -> Option<Self> {
        let (width, height) = (pixmap.width() as usize, pixmap.height() as usize);
        let shows = |x: usize, y: usize| pixmap.data()[(y * width + x) * 4 + 3] > 1;
        let row = |y: &usize| (0..width).any(|x| shows(x, *y));
        let (top, bottom) = ((0..height).find(row)?, (0..height).rev().find(row)?);
        let column = |x: &usize| (top..=bottom).any(|y| shows(*x, y));
        let (left, right) = ((0..width).find(column)?, (0..width).rev().find(column)?);
        // One clear pixel on each side, two on the far ones: samples are taken in fours.
        let (left, top) = (left.saturating_sub(1), top.saturating_sub(1));
        let (right, bottom) = ((right + 3).min(width), (bottom + 3).min(height));
        if right - left < 2 || bottom - top < 2 {
            return None;
        }
        let mut data = Vec::with_capacity((right - left) * (bottom - top) * 4);
        for y in top..bottom {
            data.extend_from_slice(&pixmap.data()[(y * width + left) * 4..(y * width + right) * 4]);
        }
        let (bleed, wide) = ((BLEED * SCALE) as i32, right - left);
        let spans = (0..wide)
            .map(|x| {
                let shown = |y: &usize| data[(y * wide + x) * 4 + 3] > 0;
                let rows = 0..bottom - top;
                match (rows.clone().find(shown), rows.rev().find(shown)) {
                    (Some(first), Some(last)) => [first as f32, last as f32 + 1.0],
                    _ => [0.0, 0.0],
                }
            })
            .collect();
        Some(Self {
            left: (left as u32 + corner[0]) as i32 - bleed,
            top: (top as u32 + corner[1]) as i32 - bleed,
            width: right - left,
            height: bottom - top,
            data,
            spans,
        })
    }

    /// The box that it covers, in picture pixels: left, top, right, bottom.
    pub fn bounds(&self) -> [f32; 4] {
        let (right, bottom) = (self.left + self.width as i32, self.top + self.height as i32);
        [self.left, self.top, right, bottom].map(|v| v as f32 / SCALE)
    }

    /// Opacity at a pixel counted from the texture's own corner.
    fn alpha(&self, x: usize, y: usize) -> f32 {
        f32::from(self.data[(y * self.width + x) * 4 + 3]) / 255.0
    }

    /// Where the part begins and ends in column `x` (in texture pixels from the picture's left), as heights in
    /// texture pixels from the picture's top: where it is half as opaque as can be. None where it is fainter.
    pub fn edges(&self, x: i32) -> Option<[f32; 2]> {
        let x = usize::try_from(x - self.left).ok().filter(|x| *x < self.width)?;
        let solid = |y: &usize| self.alpha(x, *y) >= 0.5;
        let (first, last) = ((0..self.height).find(solid)?, (0..self.height).rev().find(solid)?);
        // The part of the pixel before the first solid one that is covered moves the edge by as much.
        let before = if first > 0 { self.alpha(x, first - 1) } else { 0.0 };
        let after = if last + 1 < self.height { self.alpha(x, last + 1) } else { 0.0 };
        Some([(self.top + first as i32) as f32 - before, (self.top + last as i32 + 1) as f32 + after])
    }
}
