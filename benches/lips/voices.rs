//! The server's own voices in this process: the same networks say the same texts, and tell when each phoneme is said.

use anyhow::{Context, bail};
use visavis::dialogue::clauses::ClauseSplitter;
use visavis::media::{Clause, Speech, TurnId};
use visavis::models::Store;
use visavis::onnx::Runtime;
use visavis::voice::{Kokoro, PhoneticVoice, Piper, Voice, VoiceStyle, whole};

/// Name of the network as in the server's default settings, language, and the voice of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    Chinese,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "Chinese",
        }
    }

    /// Of the server's defaults.
    pub fn voice(self) -> &'static str {
        match self {
            Self::English => "piper-joe",
            Self::Chinese => "kokoro/zm_yunxi",
        }
    }
}

pub struct Voices {
    english: PhoneticVoice<Piper>,
    chinese: PhoneticVoice<Kokoro>,
}

impl Voices {
    pub fn load() -> anyhow::Result<Self> {
        let store = Store::open(None)?;
        let runtime = Runtime::load(&store.path("onnxruntime")?)?;
        let files = store.files(Language::English.voice())?;
        let [model, config] = files.as_slice() else { bail!("the voice is not two files") };
        let english = PhoneticVoice::new(Piper::load(&runtime, model, config, 1)?);
        let voices = store.path("kokoro-voices")?;
        let folder = voices.parent().context("the folder of the voices")?;
        let chinese = PhoneticVoice::new(Kokoro::load(&runtime, &store.path("kokoro")?, folder, 1)?);
        Ok(Self { english, chinese })
    }

    /// A text as an answer is said, clause by clause.
    pub fn say(&mut self, language: Language, text: &str) -> anyhow::Result<Speech> {
        let speaker = language.voice().split_once('/').map_or("", |(_, speaker)| speaker);
        let style = VoiceStyle { speaker: speaker.into(), ..VoiceStyle::default() };
        let voice: &mut dyn Voice = match language {
            Language::English => &mut self.english,
            Language::Chinese => &mut self.chinese,
        };
        let mut splitter = ClauseSplitter::default();
        let mut clauses = splitter.push(text);
        clauses.extend(splitter.finish());
        let mut said: Option<Speech> = None;
        for (index, text) in clauses.into_iter().enumerate() {
            let clause = Clause { turn: TurnId(1), index: index as u32, text };
            let speech = whole(voice, &clause, &style).with_context(|| format!("saying {:?}", clause.text))?;
            match &mut said {
                Some(said) => said.extend(speech),
                None => said = Some(speech),
            }
        }
        said.filter(|said| !said.pcm.is_empty()).with_context(|| format!("the voice has nothing to say for {text:?}"))
    }
}
