//! Playout: the pure [`Timeline`] and the media threads that move each call's stage along it.

mod orders;
mod pool;
mod progress;
mod stage;
mod timeline;

pub use orders::{CLAUSES, StageHandle};
pub use pool::{Beat, MediaPool};
pub use progress::{Moments, Progress};
pub use stage::{Picture, Stage};
pub use timeline::{Due, Laid, Timeline};
