//! Where tests find weights: the store, as the server does.

use std::path::PathBuf;

use crate::models::Store;

/// The file of a weight; `NAME-config` is a voice's description. Tests need the weights: `make test` pulls them.
pub fn weight(name: &str) -> PathBuf {
    let store = Store::open(None).expect("the store of weights");
    let (name, suffix) = name.strip_suffix("-config").map_or((name, ""), |name| (name, ".json"));
    let files = store.files(name).unwrap_or_else(|error| panic!("{error}"));
    files.into_iter().find(|file| file.to_string_lossy().ends_with(suffix)).expect("the file of the weight")
}
