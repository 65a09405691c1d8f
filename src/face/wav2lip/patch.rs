//! The small square picture of a face that the network takes and gives.

/// Pixels a side.
pub const SIDE: usize = 96;
pub const PIXELS: usize = SIDE * SIDE;

/// Red, green, blue; rows from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch(Box<[u8]>);

impl Default for Patch {
    /// Black.
    fn default() -> Self {
        Self(vec![0; PIXELS * 3].into())
    }
}

impl Patch {
    pub fn pixels(&self) -> impl Iterator<Item = [u8; 3]> + '_ {
        self.0.chunks_exact(3).map(|p| [p[0], p[1], p[2]])
    }

    pub fn at(&self, pixel: usize) -> [u8; 3] {
        let at = pixel * 3;
        [self.0[at], self.0[at + 1], self.0[at + 2]]
    }

    /// Sets each pixel by its number.
    pub fn fill(&mut self, mut colour: impl FnMut(usize) -> [u8; 3]) {
        for (at, pixel) in self.0.chunks_exact_mut(3).enumerate() {
            pixel.copy_from_slice(&colour(at));
        }
    }

    pub fn copy_from(&mut self, other: &Self) {
        self.0.copy_from_slice(&other.0);
    }

    /// Becomes what lies between `a` (at 0) and `b` (at 256).
    pub fn mix(&mut self, a: &Self, b: &Self, share: u16) {
        for ((to, a), b) in self.0.iter_mut().zip(&a.0).zip(&b.0) {
            *to = ((u32::from(*a) * u32::from(256 - share) + u32::from(*b) * u32::from(share) + 128) >> 8) as u8;
        }
    }
}
