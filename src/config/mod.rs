//! The one tree of settings: defaults in code, a TOML file over them, checked as a whole.
//!
//! `config.toml` in the repository names every setting with its default and says what it is for; a test holds it to
//! this tree, and docs/settings.md is made of it ([`reference`]). Some settings can be changed while the server runs
//! ([`live`]). Secrets are not settings: they come from the environment.

mod change;
mod edit;
pub mod live;
mod mask;
pub mod reference;
mod sections;
mod tree;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::hearing::VadSettings;
use crate::knowledge::KnowledgeSettings;
use crate::language::LanguageSettings;
use crate::memory::MemorySettings;
use crate::peer::PeerSettings;
use crate::tools::ToolSettings;
pub use change::{Change, Refused, SettingsFile, shown};
pub use sections::{
    AsrSettings, AvatarSettings, LogSettings, ModelSettings, PictureSettings, ServerSettings, TtsSettings, TurnEndKind,
    TurnSettings,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Language of what the server says of its own accord: `en` or `zh`.
    pub language: String,
    pub server: ServerSettings,
    pub models: ModelSettings,
    pub webrtc: PeerSettings,
    pub vad: VadSettings,
    pub turn: TurnSettings,
    pub asr: AsrSettings,
    pub llm: LanguageSettings,
    pub tools: ToolSettings,
    pub knowledge: KnowledgeSettings,
    pub memory: MemorySettings,
    pub tts: TtsSettings,
    pub avatar: AvatarSettings,
    pub video: PictureSettings,
    pub log: LogSettings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            language: "en".into(),
            server: ServerSettings::default(),
            models: ModelSettings::default(),
            webrtc: PeerSettings::default(),
            vad: VadSettings::default(),
            turn: TurnSettings::default(),
            asr: AsrSettings::default(),
            llm: LanguageSettings::default(),
            tools: ToolSettings::default(),
            knowledge: KnowledgeSettings::default(),
            memory: MemorySettings::default(),
            tts: TtsSettings::default(),
            avatar: AvatarSettings::default(),
            video: PictureSettings::default(),
            log: LogSettings::default(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration {path} cannot be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration {path} is not valid: {source}")]
    Parse { path: PathBuf, source: Box<toml::de::Error> },
    #[error("the configuration is not valid: {0}")]
    Invalid(String),
}

impl Config {
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        config.validate().map_err(ConfigError::Invalid)?;
        Ok(config)
    }

    /// The reason names the setting.
    pub fn validate(&self) -> Result<(), String> {
        if !matches!(self.language.as_str(), "en" | "zh") {
            return Err(format!("language is \"{}\": use \"en\" or \"zh\"", self.language));
        }
        if self.server.max_calls == 0 || self.server.media_threads == 0 {
            return Err("server.max_calls and server.media_threads must be at least 1".into());
        }
        if !(0.25..=1.5).contains(&self.tts.speed) {
            return Err(format!("tts.speed is {}: use 0.25 to 1.5", self.tts.speed));
        }
        if self.video.bitrate_bps < 50_000 {
            return Err(format!("video.bitrate_bps is {}: a face needs at least 50000", self.video.bitrate_bps));
        }
        self.server.origins()?;
        self.tts.edge.validate()?;
        self.tts.openai.validate()?;
        self.asr.validate()?;
        self.avatar.wav2lip.validate()?;
        self.vad.validate()?;
        self.turn.validate()?;
        self.llm.validate()?;
        self.tools.validate()?;
        self.knowledge.validate()?;
        self.memory.validate()?;
        self.webrtc.validate().map_err(|error| error.to_string())?;
        self.log.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings as `section.name`, commented ones too.
    fn names(text: &str) -> Vec<String> {
        let mut section = String::new();
        let mut names = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = format!("{name}.");
            } else if let Some((name, _)) = line.trim_start_matches("# ").split_once(" = ")
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            {
                names.push(format!("{section}{name}"));
            }
        }
        names
    }

    #[test]
    fn the_commented_file_holds_the_defaults() {
        let file: Config = toml::from_str(include_str!("../../config.toml")).unwrap();
        assert_eq!(file, Config::default());
    }

    #[test]
    fn the_commented_file_names_every_setting() {
        let written = names(include_str!("../../config.toml"));
        for name in names(&toml::to_string(&Config::default()).unwrap()) {
            assert!(written.contains(&name), "config.toml does not name {name}");
        }
    }

    #[test]
    fn unknown_and_impossible_settings_are_refused_by_name() {
        let unknown = toml::from_str::<Config>("[server]\nmax_cals = 3").unwrap_err().to_string();
        assert!(unknown.contains("max_cals"), "{unknown}");
        let mut config = Config::default();
        config.tts.speed = 9.0;
        assert!(config.validate().unwrap_err().to_string().contains("tts.speed"));
    }
}
