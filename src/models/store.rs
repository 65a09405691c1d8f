//! The folder of weights as the server sees it: is a weight there and whole, and where. Fetches nothing.
//!
//! `<folder>/<weight>/<file>` beside a stamp; `<folder>/partial/` belongs to pulls and is never looked at here.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{File, Manifest, Set, Weight};
use super::stamp::Stamp;
use super::{ModelError, files};

/// What is known of a weight without (or, in [`Store::verify`], with) hashing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Ready,
    /// Ready, and a file of the user's own rather than the manifest's.
    Own,
    Missing(String),
    Damaged(String),
}

/// One weight for `visavis models list` and `verify`.
#[derive(Clone, Debug)]
pub struct Listed {
    pub name: String,
    pub job: String,
    pub licence: String,
    pub set: Set,
    pub bytes: u64,
    pub state: State,
}

/// How far to look at a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    /// Hash only what has changed since it was last hashed.
    Stamp,
    Hash,
}

#[derive(Clone, Debug)]
pub struct Store {
    pub(super) folder: PathBuf,
    pub(super) manifest: Manifest,
}

impl Store {
    /// `folder`, else `$VISAVIS_MODELS`, else `$XDG_CACHE_HOME/visavis`, else `~/.cache/visavis`.
    pub fn open(folder: Option<&Path>) -> Result<Self, ModelError> {
        let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = folder
            .map(Path::to_owned)
            .or_else(|| variable("VISAVIS_MODELS"))
            .or_else(|| variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("visavis")))
            .or_else(|| variable("HOME").map(|home| home.join(".cache/visavis")))
            .ok_or(ModelError::NoFolder)?;
        Ok(Self { folder, manifest: Manifest::built_in()? })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The weight's main file, known to be whole.
    pub fn path(&self, name: &str) -> Result<PathBuf, ModelError> {
        self.files(name)?.into_iter().next().ok_or_else(|| no_file(name))
    }

    /// As [`Store::path`]; a name that is a path to a file, with a separator in it, stands for that file as it is.
    pub fn find(&self, name: &str) -> Result<PathBuf, ModelError> {
        let path = Path::new(name);
        match path.components().count() > 1 {
            true if path.is_file() => Ok(path.to_owned()),
            true => Err(ModelError::Given {
                given: name.to_owned(),
                reason: "no such file: give the path of a file, or the name of a weight".to_owned(),
            }),
            false => self.path(name),
        }
    }

    /// All files of a weight in the manifest's order, known to be whole.
    pub fn files(&self, name: &str) -> Result<Vec<PathBuf>, ModelError> {
        let weight = self.manifest.weight(name)?;
        if weight.files.is_empty() {
            return Err(no_file(name));
        }
        let named = || name.to_owned();
        match self.state(weight, Check::Stamp)? {
            State::Ready | State::Own => {
                Ok(weight.files.iter().map(|file| self.folder_of(name).join(&file.name)).collect())
            }
            State::Missing(detail) => Err(ModelError::Missing { weight: named(), detail }),
            State::Damaged(detail) => Err(ModelError::Damaged { weight: named(), detail }),
        }
    }

    pub fn list(&self) -> Result<Vec<Listed>, ModelError> {
        self.manifest.weights.iter().map(|weight| self.listed(weight, Check::Stamp)).collect()
    }

    /// Hashes weights given by name or set; none given means every one that is there or should be.
    /// `each` hears of every weight as soon as it is done.
    pub fn verify(&self, names: &[String], mut each: impl FnMut(&Listed)) -> Result<(), ModelError> {
        let weights = match names {
            [] => self.manifest.weights.iter().filter(|w| w.set == Set::Default || self.begun(w)).collect(),
            names => self.manifest.select(names)?,
        };
        let mut bad = 0;
        for weight in weights {
            let listed = self.listed(weight, Check::Hash)?;
            bad += usize::from(!matches!(listed.state, State::Ready | State::Own));
            each(&listed);
        }
        if bad == 0 { Ok(()) } else { Err(ModelError::Verification(bad)) }
    }

    pub(super) fn folder_of(&self, weight: &str) -> PathBuf {
        self.folder.join(weight)
    }

    /// Where a pull keeps what is not finished.
    pub(super) fn partial(&self) -> PathBuf {
        self.folder.join("partial")
    }

    pub(super) fn is_ready(&self, weight: &Weight) -> Result<bool, ModelError> {
        Ok(matches!(self.state(weight, Check::Stamp)?, State::Ready | State::Own))
    }

    pub(super) fn file_is_ready(&self, weight: &Weight, file: &File) -> Result<bool, ModelError> {
        Ok(matches!(self.file_state(weight, file, Check::Stamp)?, State::Ready | State::Own))
    }

    fn begun(&self, weight: &Weight) -> bool {
        weight.files.iter().any(|file| self.folder_of(&weight.name).join(&file.name).exists())
    }

    fn listed(&self, weight: &Weight, check: Check) -> Result<Listed, ModelError> {
        Ok(Listed {
            name: weight.name.clone(),
            job: weight.job.clone(),
            licence: weight.licence.clone(),
            set: weight.set,
            bytes: weight.bytes(),
            state: self.state(weight, check)?,
        })
    }

    /// The worst state of its files.
    fn state(&self, weight: &Weight, check: Check) -> Result<State, ModelError> {
        let mut state = State::Ready;
        for file in &weight.files {
            match self.file_state(weight, file, check)? {
                State::Ready => {}
                State::Own => state = State::Own,
                bad => return Ok(bad),
            }
        }
        Ok(state)
    }

    fn file_state(&self, weight: &Weight, file: &File, check: Check) -> Result<State, ModelError> {
        let folder = self.folder_of(&weight.name);
        let path = folder.join(&file.name);
        let Ok(metadata) = fs::metadata(&path) else {
            return Ok(State::Missing(format!("no file {}", path.display())));
        };
        let stamp = Stamp::read(&folder);
        let entry = stamp.entry(&file.name);
        let own = entry.filter(|entry| entry.own);
        let sound = || if own.is_some() { State::Own } else { State::Ready };
        let (bytes, sha256) = own.map_or((file.bytes, &file.sha256), |entry| (entry.bytes, &entry.sha256));

        if metadata.len() != bytes {
            let detail = format!("{} has {} bytes instead of {bytes}", path.display(), metadata.len());
            return Ok(State::Damaged(detail));
        }
        let known = entry.is_some_and(|entry| entry.sha256 == *sha256 && entry.unchanged(&metadata));
        if known && check == Check::Stamp {
            return Ok(sound());
        }
        let found = files::sha256(&path)?;
        if found != *sha256 {
            return Ok(State::Damaged(format!("{} has SHA-256 {found} instead of {sha256}", path.display())));
        }
        if !known {
            // A folder that cannot be written, as in a container, costs only the hashing at each start.
            if let Err(error) = Stamp::record(&folder, &file.name, sha256, own.is_some()) {
                tracing::debug!(%error, "stamp not written");
            }
        }
        Ok(sound())
    }
}

pub(super) fn no_file(weight: &str) -> ModelError {
    ModelError::Platform { weight: weight.to_owned(), arch: env::consts::ARCH }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        [packages.letters]
        registry = "pip"
        version = "1"
        bytes = 1
        [[weights]]
        name = "abc"
        job = "test"
        licence = "MIT"
        set = "default"
        files = [
            { name = "abc.bin", bytes = 3, sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", parts = ["letters:a"] },
        ]
    "#;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let manifest = Manifest::parse(MANIFEST, "x86_64").unwrap();
        let store = Store { folder: folder.path().to_owned(), manifest };
        fs::create_dir(store.folder_of("abc")).unwrap();
        (folder, store)
    }

    #[test]
    fn a_missing_weight_names_the_command_that_mends_it() {
        let (_folder, store) = store();
        let text = store.path("abc").unwrap_err().to_string();
        assert!(text.starts_with(r#"weight "abc" is missing"#), "{text}");
        assert!(text.ends_with(r#"run "visavis models pull abc""#), "{text}");
    }

    #[test]
    fn a_path_is_taken_as_it_is_and_a_name_is_looked_up() {
        let (folder, store) = store();
        let own = folder.path().join("my.bin");
        fs::write(&own, "anything").unwrap();
        assert_eq!(store.find(&own.display().to_string()).unwrap(), own);
        let missing = store.find("models/none.bin").unwrap_err().to_string();
        assert!(missing.contains("models/none.bin") && missing.contains("no such file"), "{missing}");
        assert!(store.find("abc").unwrap_err().to_string().contains("visavis models pull abc"));
        fs::write(store.folder_of("abc").join("abc.bin"), "abc").unwrap();
        assert_eq!(store.find("abc").unwrap(), store.path("abc").unwrap());
    }

    #[test]
    fn a_file_put_there_by_hand_is_taken_if_its_hash_is_right() {
        let (_folder, store) = store();
        fs::write(store.folder_of("abc").join("abc.bin"), "abc").unwrap();
        assert_eq!(store.path("abc").unwrap(), store.folder_of("abc").join("abc.bin"));
        assert_eq!(Stamp::read(&store.folder_of("abc")).files.len(), 1, "and is not hashed again");
    }

    #[test]
    fn a_changed_file_is_damaged_whether_or_not_its_size_changed() {
        let (_folder, store) = store();
        let file = store.folder_of("abc").join("abc.bin");
        fs::write(&file, "abc").unwrap();
        store.path("abc").unwrap();
        for content in ["abd", "ab", ""] {
            fs::write(&file, content).unwrap();
            let text = store.path("abc").unwrap_err().to_string();
            assert!(text.starts_with(r#"weight "abc" is damaged"#), "{text}");
        }
    }

    #[test]
    fn damage_behind_an_unchanged_time_is_found_by_verify() {
        let (_folder, store) = store();
        let file = store.folder_of("abc").join("abc.bin");
        fs::write(&file, "abc").unwrap();
        store.path("abc").unwrap();
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, "abd").unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
        assert!(store.path("abc").is_ok(), "the start trusts size and time");
        assert!(matches!(store.verify(&[], |_| {}), Err(ModelError::Verification(1))));
    }

    #[test]
    fn a_file_of_ones_own_is_whole_while_it_stays_as_it_was_given() {
        let (_folder, store) = store();
        let folder = store.folder_of("abc");
        fs::write(folder.join("abc.bin"), "my own").unwrap();
        let hash = files::sha256(&folder.join("abc.bin")).unwrap();
        Stamp::record(&folder, "abc.bin", &hash, true).unwrap();
        assert_eq!(store.list().unwrap()[0].state, State::Own);
        fs::write(folder.join("abc.bin"), "my 0wn").unwrap();
        assert!(matches!(store.path("abc"), Err(ModelError::Damaged { .. })));
    }
}
