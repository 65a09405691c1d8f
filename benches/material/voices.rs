//! Voices of machines, each thing that they say kept in a file: the library's own Piper voice, which speaks as the
//! server does, and espeak-ng's, run as a process.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use visavis::call::Recording;
use visavis::media::{Clause, MEDIA_HZ, TimedWord, TurnId};
use visavis::models::Store;
use visavis::onnx::Runtime;
use visavis::voice::{PhoneticVoice, Piper, VoiceStyle};

use super::{level, random};

/// The voice's weight.
const PIPER: &str = "piper-joe";

/// A sentence as it was spoken.
#[derive(Clone, Debug)]
pub struct Said {
    /// 48 kHz.
    pub pcm: Vec<i16>,
    /// Empty if the voice does not tell.
    pub words: Vec<TimedWord>,
}

pub struct Voices {
    folder: PathBuf,
    /// Loaded when something is said for the first time.
    piper: Option<PhoneticVoice<Piper>>,
}

impl Voices {
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { folder: folder.to_owned(), piper: None })
    }

    pub fn piper(&mut self, text: &str) -> anyhow::Result<Said> {
        let name = random::slug(&format!("{text} {PIPER}"));
        let (sound, words) = (self.folder.join(format!("{name}.wav")), self.folder.join(format!("{name}.json")));
        if let Ok(known) = std::fs::read(&words) {
            return Ok(Said { pcm: Recording::read(&sound)?.pcm, words: read_words(&known)? });
        }
        let said = self.speak(text)?;
        level::write(&sound, &said.pcm, MEDIA_HZ)?;
        // Written last: without it the sound is not taken for whole. A voice that did not tell is asked again.
        if !said.words.is_empty() {
            std::fs::write(&words, write_words(&said.words))?;
        }
        Ok(said)
    }

    fn speak(&mut self, text: &str) -> anyhow::Result<Said> {
        let voice = match &mut self.piper {
            Some(voice) => voice,
            none => {
                let store = Store::open(None)?;
                let runtime = Runtime::load(&store.path("onnxruntime")?)?;
                let files = store.files(PIPER)?;
                let [model, config] = files.as_slice() else { bail!("the weight {PIPER} is not two files") };
                none.insert(PhoneticVoice::new(Piper::load(&runtime, model, config, 1)?))
            }
        };
        let clause = Clause { turn: TurnId(1), index: 0, text: text.to_owned() };
        let speech = visavis::voice::whole(voice, &clause, &VoiceStyle::default())
            .with_context(|| format!("saying {text:?}"))?;
        if speech.pcm.is_empty() {
            bail!("the voice has nothing to say for {text:?}");
        }
        Ok(Said { pcm: speech.pcm, words: speech.words })
    }

    pub fn espeak(&self, voice: &str, text: &str) -> anyhow::Result<Vec<i16>> {
        let path = self.folder.join(format!("{}.wav", random::slug(&format!("{text} {voice}"))));
        if !path.is_file() {
            let output = Command::new("espeak-ng").args(["-v", voice, "-w"]).arg(&path).arg("--").arg(text).output();
            let output = output.context("running espeak-ng; `apt-get install espeak-ng` installs it")?;
            if !output.status.success() {
                bail!("espeak-ng failed at {text:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
            }
        }
        Ok(Recording::read(&path)?.pcm)
    }
}

fn write_words(words: &[TimedWord]) -> String {
    let numbers = |word: &TimedWord| json!([word.text.start, word.text.end, word.start, word.end]);
    Value::Array(words.iter().map(numbers).collect()).to_string()
}

fn read_words(bytes: &[u8]) -> anyhow::Result<Vec<TimedWord>> {
    let words: Vec<(usize, usize, u64, u64)> = serde_json::from_slice(bytes)?;
    Ok(words.into_iter().map(|(from, to, start, end)| TimedWord { text: from..to, start, end }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_cache() -> anyhow::Result<()> {
        let words =
            vec![TimedWord { text: 0..5, start: 10, end: 4_800 }, TimedWord { text: 6..12, start: 5_000, end: 9_000 }];
        assert_eq!(read_words(write_words(&words).as_bytes())?, words);
        Ok(())
    }

    #[test]
    fn espeak_says_something_and_its_file_is_kept() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let voices = Voices::open(folder.path())?;
        let first = voices.espeak("en-us+f3", "Okay.")?;
        assert!(first.len() > MEDIA_HZ as usize / 5 && first.iter().any(|one| one.unsigned_abs() > 1_000));
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
        assert_eq!(voices.espeak("en-us+f3", "Okay.")?, first);
        Ok(())
    }
}
