//! The sections of the settings that belong to no part of the server alone, with their defaults.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use signaling::CorsOrigins;
use tracing_subscriber::EnvFilter;

use crate::avatars::Wav2LipSettings;
use crate::dialogue::{Patience, TurnEnd};
use crate::engines::voices::Choice;
use crate::hearing::remote::OpenAiHearingSettings;
use crate::hearing::{Languages, UnknownLanguage};
use crate::video::VideoSettings;
use crate::voice::remote::{EdgeSettings, OpenAiVoiceSettings};

/// `[server]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Address and port of HTTP.
    pub listen: String,
    /// Calls at a time; more are told to come back (503).
    pub max_calls: usize,
    /// A call in which nobody speaks or types ends after this; 0: never.
    pub idle_timeout_seconds: u64,
    /// Longest call; 0: no limit.
    pub max_duration_seconds: u64,
    /// How long before such an end the client is warned.
    pub end_warning_seconds: u64,
    /// Threads that send frames; each carries many calls.
    pub media_threads: usize,
    /// Origins of web pages that may call; `["*"]`: all.
    pub cors_origins: Vec<String>,
    /// Environment variable with API keys, separated by commas; empty or unset: open to all.
    pub api_keys_env: String,
    /// Environment variable with the admin's key; empty or unset: a random one is made at every start.
    pub admin_key_env: String,
    /// How long calls get to say goodbye at shutdown.
    pub shutdown_seconds: u64,
}

impl ServerSettings {
    /// The pages that may call; the error is for the user.
    pub fn origins(&self) -> Result<CorsOrigins, String> {
        CorsOrigins::parse(&self.cors_origins).map_err(|error| format!("server.cors_origins: {error}"))
    }
}

/// `[models]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSettings {
    /// Folder of the weights; empty: `VISAVIS_MODELS`, else `~/.cache/visavis`.
    pub folder: PathBuf,
    /// How long a model that is not part of the default settings stays loaded unused; 0: for ever.
    pub keep_minutes: u64,
}

impl ModelSettings {
    pub fn keep(&self) -> Option<Duration> {
        (self.keep_minutes > 0).then(|| Duration::from_secs(self.keep_minutes.saturating_mul(60)))
    }
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self { folder: PathBuf::new(), keep_minutes: 10 }
    }
}

/// `[turn]`; a session's `turn_detection` goes before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TurnSettings {
    /// What ends a turn by default.
    pub end: TurnEndKind,
    pub silence_millis: u32,
    pub complete: f32,
    pub complete_millis: u32,
    /// The same after a statement.
    pub statement_millis: u32,
    pub unsure: f32,
    pub unsure_millis: u32,
    pub open_millis: u32,
    pub incomplete_millis: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnEndKind {
    /// Silence of a fixed length.
    Silence,
    /// Silence whose length depends on whether the thought is complete.
    Thought,
}

/// `[asr]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AsrSettings {
    /// Name of a weight in the store, or `auto`: the English one if that is the language, else the one for all.
    pub model: String,
    /// `en`, `zh`, ... or `auto`: each utterance has its own.
    pub language: String,
    /// What may be spoken with `auto`, the likeliest first; empty: anything.
    pub languages: Vec<String>,
    /// Names and jargon that people may say.
    pub hints: Vec<String>,
    /// A recogniser elsewhere, which is asked first.
    pub remote: Option<OpenAiHearingSettings>,
    /// Of text that somebody waits for; 0 chooses by the machine.
    pub threads: usize,
}

/// `[tts]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TtsSettings {
    /// Name of a voice.
    pub voice: String,
    /// Voices that step in, in this order, for a language that the voice does not speak, and when it fails.
    pub others: Vec<String>,
    /// Folder of Piper voices of the user's own; empty: `voices` in the folder of the weights.
    pub folder: String,
    /// 0.25 to 1.5.
    pub speed: f32,
    /// Of one voice; 0 chooses by the voice and the machine.
    pub threads: usize,
    /// The voice `edge`.
    pub edge: EdgeSettings,
    /// The voice `openai`.
    pub openai: OpenAiVoiceSettings,
}

/// `[avatar]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AvatarSettings {
    /// Who is seen unless a call asks for somebody else.
    pub name: String,
    /// Folder of the user's own avatars; empty: `avatars` in the folder of the weights.
    pub folder: String,
    /// Of avatars that follow the sound by Wav2Lip.
    pub wav2lip: Wav2LipSettings,
    /// Clients may send photos to be made portraits of.
    pub uploads: bool,
    /// Says in the stream (H.264 SEI) and on the page that a machine makes the face.
    pub mark: bool,
}

/// `[video]`; size and rate are the face's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PictureSettings {
    /// Ceiling of the rate control; a face at rest needs a fraction of it.
    pub bitrate_bps: u32,
    /// A key frame comes at least this often; 0: only when one is asked for.
    pub key_frame_seconds: u32,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// Filter as of `RUST_LOG`, which goes before it.
    pub filter: String,
    /// One JSON object a line instead of text.
    pub json: bool,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            max_calls: 4,
            idle_timeout_seconds: 300,
            max_duration_seconds: 3600,
            end_warning_seconds: 30,
            media_threads: 1,
            cors_origins: vec!["*".into()],
            api_keys_env: "VISAVIS_API_KEYS".into(),
            admin_key_env: "VISAVIS_ADMIN_KEY".into(),
            shutdown_seconds: 5,
        }
    }
}

impl Default for TurnSettings {
    fn default() -> Self {
        Self {
            end: TurnEndKind::Thought,
            silence_millis: 500,
            complete: 0.5,
            complete_millis: 200,
            statement_millis: 400,
            unsure: 0.1,
            unsure_millis: 600,
            open_millis: 1500,
            incomplete_millis: 1200,
        }
    }
}

impl TurnSettings {
    /// How turns end by default; with a protocol's `eagerness` (low, medium, high, auto) by the thought.
    pub fn end(&self, eagerness: Option<&str>) -> TurnEnd {
        match self.end {
            TurnEndKind::Silence => TurnEnd::Silence { millis: self.silence_millis },
            TurnEndKind::Thought => self.thought(eagerness),
        }
    }

    /// Low eagerness waits twice as long for the rest of a thought, high half as long.
    pub fn thought(&self, eagerness: Option<&str>) -> TurnEnd {
        let scaled = |millis: u32| match eagerness {
            Some("low") => millis.saturating_mul(2),
            Some("high") => (millis / 2).max(self.complete_millis),
            _ => millis,
        };
        TurnEnd::Thought(Patience {
            complete: self.complete,
            complete_millis: self.complete_millis,
            statement_millis: scaled(self.statement_millis),
            unsure: self.unsure,
            unsure_millis: scaled(self.unsure_millis),
            open_millis: scaled(self.open_millis),
            incomplete_millis: scaled(self.incomplete_millis),
        })
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if !(0.0..=1.0).contains(&self.unsure) || !(self.unsure..=1.0).contains(&self.complete) {
            let (unsure, complete) = (self.unsure, self.complete);
            return Err(format!("turn.unsure <= turn.complete must lie between 0 and 1, not {unsure} and {complete}"));
        }
        let longest = [
            self.silence_millis,
            self.complete_millis,
            self.statement_millis,
            self.unsure_millis,
            self.open_millis,
            self.incomplete_millis,
        ];
        match longest.iter().find(|millis| **millis > 10_000) {
            Some(millis) => Err(format!("the milliseconds of [turn] must be at most 10000, not {millis}")),
            None => Ok(()),
        }
    }
}

impl Default for AsrSettings {
    fn default() -> Self {
        Self {
            model: "auto".into(),
            language: "en".into(),
            languages: Vec::new(),
            hints: Vec::new(),
            remote: None,
            threads: 0,
        }
    }
}

impl AsrSettings {
    /// The weight for calls that know English alone, and for others.
    pub fn weight(&self, english_alone: bool) -> &str {
        match (self.model.as_str(), english_alone) {
            ("auto", true) => "whisper-tiny-en",
            ("auto", false) => "whisper-base",
            (name, _) => name,
        }
    }

    /// What may be spoken; `likeliest`: the language of what is too short to tell.
    pub fn languages(&self, likeliest: &str) -> Result<Languages, UnknownLanguage> {
        Languages::configured(&self.language, &self.languages, likeliest)
    }

    pub fn speaks_english_alone(&self) -> bool {
        self.languages("en").is_ok_and(|languages| languages.is_english_alone())
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        self.languages("en").map_err(|error| format!("asr.language or asr.languages: {error}"))?;
        self.remote.as_ref().map_or(Ok(()), |remote| remote.validate("asr.remote"))
    }
}

impl Default for TtsSettings {
    fn default() -> Self {
        Self {
            voice: "piper-joe".into(),
            // A man in each language, as far as there is one.
            others: ["zm_yunxi", "am_michael", "em_alex", "ff_siwis", "im_nicola", "pm_alex", "hm_omega"]
                .map(|voice| format!("kokoro/{voice}"))
                .to_vec(),
            folder: String::new(),
            speed: 1.0,
            threads: 0,
            edge: EdgeSettings::default(),
            openai: OpenAiVoiceSettings::default(),
        }
    }
}

impl TtsSettings {
    /// The voices in the order in which they are asked.
    pub fn choice(&self) -> Choice {
        std::iter::once(&self.voice).chain(&self.others).map(|name| name.as_str().into()).collect()
    }

    /// Threads of a voice that can use `most`.
    pub fn threads(&self, most: usize) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(most)),
            threads => threads,
        }
    }

    /// Where voices of the user's own lie; `models`: the folder of the weights.
    pub fn folder(&self, models: &Path) -> PathBuf {
        if self.folder.is_empty() { models.join("voices") } else { PathBuf::from(&self.folder) }
    }
}

impl Default for AvatarSettings {
    fn default() -> Self {
        // As the default voice.
        Self {
            name: "man".into(),
            folder: String::new(),
            wav2lip: Wav2LipSettings::default(),
            uploads: true,
            mark: true,
        }
    }
}

impl AvatarSettings {
    /// Where the user's own avatars are, given the folder of the weights.
    pub fn folder(&self, weights: &Path) -> PathBuf {
        if self.folder.is_empty() { weights.join("avatars") } else { PathBuf::from(&self.folder) }
    }
}

impl PictureSettings {
    /// The encoder's settings; `mark`: see [`AvatarSettings::mark`].
    pub fn encoder(&self, mark: bool) -> VideoSettings {
        let Self { bitrate_bps, key_frame_seconds } = *self;
        VideoSettings { bitrate_bps, key_frame_seconds, mark, ..VideoSettings::default() }
    }
}

impl Default for PictureSettings {
    fn default() -> Self {
        Self { bitrate_bps: 800_000, key_frame_seconds: 10 }
    }
}

impl LogSettings {
    pub(super) fn validate(&self) -> Result<(), String> {
        EnvFilter::try_new(&self.filter).map(drop).map_err(|error| {
            format!("log.filter is \"{}\": {error}; write it as \"info\" or \"warn,visavis=debug\"", self.filter)
        })
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { filter: "info,webrtc=error,rtc=error,ort=warn,whisper_rs=warn,rmcp=off".into(), json: false }
    }
}
