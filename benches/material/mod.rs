//! What the benchmarks say into a microphone: voices of machines, recorded speech and synthesised noises, the same in
//! every run. Voices are cached under target/bench-speech, where the finished recordings lie too, to be listened to.
//!
//! ```text
//! texts -> voices (Piper, espeak-ng; cached) -> hesitation -> level -> recordings
//!                       random -> noises, hums ----------------^
//! ```

pub mod hesitation;
pub mod hums;
pub mod level;
pub mod noises;
pub mod random;
pub mod texts;
pub mod voices;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use visavis::call::Recording;
use visavis::media::MEDIA_HZ;
use visavis::models::Store;

use random::Random;
use texts::Texts;
use voices::Voices;

/// Length of a hesitation in seconds.
const HESITATION: std::ops::Range<f64> = 0.3..1.0;

/// A recording and what is said in it; the name of a noise.
#[derive(Clone, Debug)]
pub struct Spoken {
    pub path: PathBuf,
    pub text: String,
}

/// See the module's text.
pub struct Material {
    pub texts: Texts,
    voices: Voices,
    folder: PathBuf,
}

impl Material {
    /// `target`: the folder of all that is built.
    pub fn open(target: &Path) -> anyhow::Result<Self> {
        let folder = target.join("bench-speech");
        let texts = Texts::read().context("texts.toml")?;
        Ok(Self { texts, voices: Voices::open(&folder.join("voices"))?, folder })
    }

    pub fn questions(&mut self, count: usize) -> anyhow::Result<Vec<Spoken>> {
        let texts = self.texts.questions.clone();
        texts.iter().take(count).map(|text| self.piper("questions", text)).collect()
    }

    pub fn talk_overs(&mut self, count: usize) -> anyhow::Result<Vec<Spoken>> {
        let texts = self.texts.talk_overs.clone();
        texts.iter().take(count).map(|text| self.piper("talk-overs", text)).collect()
    }

    /// Sentences with a silence in them.
    pub fn hesitations(&mut self, count: usize) -> anyhow::Result<Vec<Spoken>> {
        let mut all = Vec::new();
        for marked in self.texts.hesitations.clone().iter().take(count) {
            let (text, at) = hesitation::unmark(marked)?;
            let said = self.voices.piper(&text)?;
            let seconds = HESITATION.start + Random::new(marked).unit() * (HESITATION.end - HESITATION.start);
            let pcm = hesitation::hesitate(&said, at as f64 / text.len() as f64, at, seconds);
            all.push(self.finished("hesitations", &text, pcm)?);
        }
        Ok(all)
    }

    /// Half noises, half signs of listening, by turns.
    pub fn interruptions(&mut self, count: usize) -> anyhow::Result<Vec<Spoken>> {
        let one = |index: usize| match index % 2 {
            0 => {
                let (name, pcm) = noises::noise(index / 2);
                self.finished("noises", &name, pcm)
            }
            _ => self.sign(index / 2),
        };
        (0..count).map(one).collect()
    }

    /// A hum, a word of Piper's, one of espeak-ng's, and a hum again.
    fn sign(&mut self, nth: usize) -> anyhow::Result<Spoken> {
        let (round, texts) = (nth / 4, &self.texts);
        match nth % 4 {
            1 => {
                let text = texts.signs[round % texts.signs.len()].clone();
                self.piper("signs", &text)
            }
            2 => {
                let voice = texts.espeak_voices[round % texts.espeak_voices.len()].clone();
                let text = texts.espeak_signs[round % texts.espeak_signs.len()].clone();
                let pcm = self.voices.espeak(&voice, &text)?;
                self.finished("signs", &format!("{text} {voice}"), pcm)
            }
            half => {
                let (name, pcm) = hums::hum(2 * round + usize::from(half == 3));
                self.finished("signs", &name, pcm)
            }
        }
    }

    /// Recorded speech, in pieces of one breath.
    pub fn recordings(&self) -> anyhow::Result<Vec<Spoken>> {
        let store = Store::open(None)?;
        let files = store.files("test-speech")?;
        let mut all = Vec::new();
        for recording in &self.texts.recordings {
            let Some(path) = files.iter().find(|path| path.ends_with(&recording.file)) else {
                bail!("the weight test-speech has no {}: run `visavis models pull test`", recording.file);
            };
            let pcm = Recording::read(path)?.pcm;
            for part in &recording.parts {
                let sample = |seconds: f64| ((seconds * f64::from(MEDIA_HZ)) as usize).min(pcm.len());
                let cut = pcm[sample(part.from)..sample(part.to)].to_vec();
                all.push(self.finished("recordings", &part.text, cut)?);
            }
        }
        Ok(all)
    }

    fn piper(&mut self, kind: &str, text: &str) -> anyhow::Result<Spoken> {
        let pcm = self.voices.piper(text)?.pcm;
        self.finished(kind, text, pcm)
    }

    /// Brings a sound to a microphone's level and writes it down.
    fn finished(&self, kind: &str, text: &str, mut pcm: Vec<i16>) -> anyhow::Result<Spoken> {
        let name = format!("{kind}: {text}");
        level::set_peak(&mut pcm, level::microphone_peak(&mut Random::new(&name)));
        let folder = self.folder.join(kind);
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}.wav", random::slug(text)));
        level::write(&path, &pcm, MEDIA_HZ)?;
        Ok(Spoken { path, text: text.to_owned() })
    }
}
