//! The weights: which there are, where they come from, whether they are whole, and where they lie.
//!
//! The server only asks [`Store::path`] and [`Store::files`], which cost milliseconds and touch no network;
//! all fetching is in `visavis models pull` ([`ModelsCommand`]). What exists is said by `models/manifest.toml`,
//! compiled into the binary.

mod cli;
mod convert;
mod error;
mod fetch;
mod files;
mod manifest;
mod progress;
mod pull;
mod stamp;
mod store;

pub use cli::ModelsCommand;
pub use convert::slaney_filters;
pub use error::ModelError;
pub use fetch::Given;
pub use manifest::Set;
pub use store::{Listed, State, Store};
