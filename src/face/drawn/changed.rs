//! Which cells of the picture are to be drawn again.

use super::texel::CELL;
use super::texture::SIDE;
use crate::face::Area;

/// Cells along a side of the picture.
pub const CELLS: usize = SIDE / CELL;

/// A bit for each cell, a word for each row of cells.
#[derive(Clone, Debug)]
pub struct Changed([u32; CELLS]);

impl Changed {
    pub const NOTHING: Self = Self([0; CELLS]);
    pub const ALL: Self = Self([u32::MAX; CELLS]);

    pub fn mark(&mut self, column: usize, row: usize) {
        self.0[row] |= 1 << column;
    }

    pub fn has(&self, column: usize, row: usize) -> bool {
        self.0[row] >> column & 1 == 1
    }

    /// The smallest box of pixels that holds them all.
    pub fn area(&self) -> Area {
        let columns = self.0.iter().fold(0, |all, row| all | row);
        let marked = |row: &usize| self.0[*row] != 0;
        let (Some(top), Some(bottom)) = ((0..CELLS).find(marked), (0..CELLS).rev().find(marked)) else {
            return Area::default();
        };
        let (left, right) = (columns.trailing_zeros() as usize, CELLS - columns.leading_zeros() as usize);
        Area { left: left * CELL, top: top * CELL, right: right * CELL, bottom: (bottom + 1) * CELL }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_holds_all_marked_cells_and_no_more() {
        assert!(Changed::NOTHING.area().is_empty());
        assert_eq!(Changed::ALL.area(), Area { left: 0, top: 0, right: SIDE, bottom: SIDE });
        let mut changed = Changed::NOTHING;
        changed.mark(3, 7);
        changed.mark(31, 9);
        assert_eq!(changed.area(), Area { left: 48, top: 112, right: 512, bottom: 160 });
        assert!(changed.has(3, 7) && !changed.has(3, 9));
    }
}
