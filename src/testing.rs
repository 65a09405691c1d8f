//! Where tests find weights and recordings: in the store, as the server does. `make test` pulls them.

use std::path::PathBuf;

use crate::models::Store;

/// The file of a weight; `NAME-config` is a voice's description, `beckett` and `two-cities` are recordings.
pub fn weight(name: &str) -> PathBuf {
    let (weight, ending) = match name {
        "beckett" => ("test-speech", "beckett.wav"),
        "two-cities" => ("test-speech", "two_cities.wav"),
        name => name.strip_suffix("-config").map_or((name, ""), |name| (name, ".json")),
    };
    let store = Store::open(None).expect("the store of weights");
    let files = store.files(weight).unwrap_or_else(|error| panic!("{error}"));
    files.into_iter().find(|file| file.to_string_lossy().ends_with(ending)).expect("the file of the weight")
}
