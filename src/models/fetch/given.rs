//! What a user gives with `--from NAME=URL_OR_PATH`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::{FetchError, http};
use crate::models::ModelError;
use crate::models::progress::Progress;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Url(String),
    Path(PathBuf),
}

/// One `--from`: a weight, perhaps one file of it, and where it is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub weight: String,
    /// After the slash in `NAME/FILE=...`; needed where a weight has several files.
    pub file: Option<String>,
    source: Source,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, source) = text
            .split_once('=')
            .filter(|(name, source)| !name.is_empty() && !source.is_empty())
            .ok_or_else(|| format!("{text:?} is not NAME=URL_OR_PATH, such as whisper-base=/media/usb/model.bin"))?;
        let (weight, file) = match name.split_once('/') {
            Some((weight, file)) => (weight, Some(file.to_owned())),
            None => (name, None),
        };
        let source = if source.starts_with("http://") || source.starts_with("https://") {
            Source::Url(source.to_owned())
        } else if source.contains("://") {
            return Err(format!("{source:?}: only http, https and paths are known"));
        } else {
            Source::Path(source.into())
        };
        Ok(Self { weight: weight.to_owned(), file, source })
    }
}

impl Given {
    pub fn describe(&self) -> String {
        match &self.source {
            Source::Url(url) => url.clone(),
            Source::Path(path) => path.display().to_string(),
        }
    }

    /// A finished local copy or the file itself; `folder` keeps what a broken download has got so far.
    pub fn fetch(&self, folder: &Path, progress: &Progress) -> Result<Local, FetchError> {
        match &self.source {
            Source::Path(path) if path.is_file() => Ok(Local { path: path.clone(), downloaded: false }),
            Source::Path(path) => Err(FetchError::Local(ModelError::Given {
                given: path.display().to_string(),
                reason: "no such file: give the path of a file".to_owned(),
            })),
            Source::Url(url) => {
                let name: String = Sha256::digest(url).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
                let path = folder.join(format!("url-{name}"));
                progress.step(url);
                http::download(url, &path, progress)?;
                Ok(Local { path, downloaded: true })
            }
        }
    }
}

/// Where a given file lies now.
pub struct Local {
    pub path: PathBuf,
    /// Ours to move or remove; otherwise it is the user's and is copied.
    pub downloaded: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_files_and_sources_are_told_apart() {
        let given: Given = "piper-joe/en_US-joe-medium.onnx=https://host/a=b".parse().unwrap();
        assert_eq!((given.weight.as_str(), given.file.as_deref()), ("piper-joe", Some("en_US-joe-medium.onnx")));
        assert_eq!(given.source, Source::Url("https://host/a=b".to_owned()));
        let given: Given = "qwen-0.5b=../q.gguf".parse().unwrap();
        assert_eq!((given.weight.as_str(), given.file), ("qwen-0.5b", None));
        for wrong in ["whisper-base", "=x", "a=", "a=ftp://host/x"] {
            assert!(wrong.parse::<Given>().is_err(), "{wrong}");
        }
    }
}
