//! What can go wrong with a weight, each with the command or step that mends it.

use std::io;
use std::path::PathBuf;

use super::convert::ConvertError;

#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("no weight or set is called {name:?}; there are: {known}")]
    Unknown { name: String, known: String },
    #[error(r#"weight "{weight}" is missing ({detail}): run "visavis models pull {weight}""#)]
    Missing { weight: String, detail: String },
    #[error(r#"weight "{weight}" is damaged ({detail}): run "visavis models pull {weight}""#)]
    Damaged { weight: String, detail: String },
    #[error(r#"weight "{weight}" exists for Linux on x86_64 and aarch64, and this machine is {arch}: run visavis on one of those"#)]
    Platform { weight: String, arch: &'static str },
    #[error("no folder for the weights: set VISAVIS_MODELS to one, or HOME")]
    NoFolder,
    #[error("models/manifest.toml is invalid: {0}")]
    Manifest(String),
    /// `said` is empty or starts a new line: the words of the tool that failed.
    #[error(
        r#"weight "{weight}": {reason}; then run "visavis models pull {weight}" again, which goes on where it stopped{said}"#
    )]
    Fetch { weight: String, reason: String, said: String },
    #[error(
        r#"weight "{weight}": {source_name} is not what the manifest asks for (SHA-256 {found}, expected {expected}). What was fetched is thrown away: run "visavis models pull {weight}" again; if it stays so, the source has changed: give the file yourself with --from"#
    )]
    WrongHash { weight: String, source_name: String, found: String, expected: String },
    #[error(
        "{given}: SHA-256 {found} is not that of weight \"{weight}\" ({expected}). To use a file of your own on purpose, add --own"
    )]
    NotTheWeight { weight: String, given: String, found: String, expected: String },
    #[error("{given}: {reason}")]
    Given { given: String, reason: String },
    #[error(r#"weight "{weight}" cannot be converted: {error}"#)]
    Convert { weight: String, error: ConvertError },
    #[error(
        r#"the disk of {path} is full: make room (weight "{weight}" is not finished), then run "visavis models pull {weight}" again"#
    )]
    DiskFull { weight: String, path: PathBuf },
    #[error("cannot {action} {path}: {error}")]
    Io { action: &'static str, path: PathBuf, error: io::Error },
    #[error("{0} of the weights looked at are missing or damaged (see above)")]
    Verification(usize),
}

impl ModelError {
    /// An [`io::Error`] with what was tried and where.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { action, path, error }
    }

    /// Says which weight was being pulled where the error itself could not know.
    pub(super) fn while_pulling(self, weight: &str) -> Self {
        match self {
            Self::Io { path, error, .. } if error.kind() == io::ErrorKind::StorageFull => {
                Self::DiskFull { weight: weight.to_owned(), path }
            }
            other => other,
        }
    }
}
