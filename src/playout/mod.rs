//! Playout: the pure [`Timeline`] and the media threads that move each call's stage along it.

mod pool;
mod stage;
mod timeline;

pub use pool::{Beat, MediaPool};
pub use stage::{CLAUSES, Picture, Stage, StageHandle};
pub use timeline::{Due, Progress, Timeline};
