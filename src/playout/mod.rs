//! Playout: the pure [`Timeline`] and the media threads that move each call's stage along it.

mod orders;
mod picture;
mod pool;
mod progress;
mod rest;
mod stage;
mod studio;
mod timeline;

pub use orders::{CLAUSES, StageHandle};
pub use picture::Picture;
pub use pool::{Beat, MediaPool};
pub use progress::{Moments, Progress};
pub use rest::Rest;
pub use stage::Stage;
pub use timeline::{Due, Laid, Timeline};
