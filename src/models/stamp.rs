//! The `.ok` file in a weight's folder: what was hashed, and the size and time the file had then.
//!
//! A file of the same size and time is taken as unchanged, so that a start does not hash a gigabyte;
//! `visavis models verify` trusts only the hash.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::{ModelError, files};

const NAME: &str = ".ok";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub name: String,
    pub bytes: u64,
    /// Since 1970; whole nanoseconds.
    pub modified_nanos: u64,
    pub sha256: String,
    /// Given by the user: not the file that the manifest names.
    pub own: bool,
}

impl Entry {
    pub fn unchanged(&self, metadata: &Metadata) -> bool {
        self.bytes == metadata.len() && self.modified_nanos == modified_nanos(metadata)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub files: Vec<Entry>,
}

impl Stamp {
    /// No stamp and an unreadable one are the same: nothing is known.
    pub fn read(folder: &Path) -> Self {
        let text = fs::read(folder.join(NAME)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.files.iter().find(|entry| entry.name == name)
    }

    /// Notes that file `name` of `folder` has just been found to have this hash.
    pub fn record(folder: &Path, name: &str, sha256: &str, own: bool) -> Result<(), ModelError> {
        let file = folder.join(name);
        let metadata = fs::metadata(&file).map_err(ModelError::io("read", &file))?;
        let mut stamp = Self::read(folder);
        stamp.files.retain(|entry| entry.name != name);
        stamp.files.push(Entry {
            name: name.to_owned(),
            bytes: metadata.len(),
            modified_nanos: modified_nanos(&metadata),
            sha256: sha256.to_owned(),
            own,
        });
        let beside = folder.join(".ok.partial");
        let text = serde_json::to_vec_pretty(&stamp).map_err(|e| ModelError::io("write", &beside)(e.into()))?;
        fs::write(&beside, text).map_err(ModelError::io("write", &beside))?;
        files::put_in_place(&beside, &folder.join(NAME))
    }
}

fn modified_nanos(metadata: &Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |time| time.as_nanos() as u64)
}
