//! `openai` among the settings of voices.

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::super::RemoteLimits;
use super::super::sound::Coding;
use crate::voice::primary_language;

/// How sound comes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SoundFormat {
    /// Plain samples of `pcm_hz`: the first sound soonest, 384 kbit/s.
    Pcm,
    /// Opus in Ogg: the least of bytes.
    Opus,
    Mp3,
}

impl SoundFormat {
    /// As `response_format` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcm => "pcm",
            Self::Opus => "opus",
            Self::Mp3 => "mp3",
        }
    }
}

/// Settings of an OpenAI-compatible server of speech.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiVoiceSettings {
    /// The URL before `/audio/speech`.
    pub base_url: String,
    pub model: String,
    pub voice: String,
    /// Environment variable that holds the API key; empty: no key is sent.
    pub api_key_env: String,
    pub response_format: SoundFormat,
    /// Samples a second of `pcm`, if the server's differ from OpenAI's 24000.
    pub pcm_hz: u32,
    /// The voice's own pace, 0.25 to 4; the session's speed comes on top.
    pub speed: f32,
    /// How to say it, for models that take instructions; empty: nothing is sent.
    pub instructions: String,
    /// Louder or softer than all voices are, -90 to 100. Applied here, after sound was brought to that loudness.
    pub volume_percent: i32,
    /// Languages that it is chosen for, e.g. `["en", "zh"]`; empty: all.
    pub languages: Vec<String>,
    pub limits: RemoteLimits,
}

impl Default for OpenAiVoiceSettings {
    fn default() -> Self {
        Self {
            base_url: "https://api.openai.com/v1".into(),
            model: "gpt-4o-mini-tts".into(),
            voice: "alloy".into(),
            api_key_env: "OPENAI_API_KEY".into(),
            response_format: SoundFormat::Pcm,
            pcm_hz: 24_000,
            speed: 1.0,
            instructions: String::new(),
            volume_percent: 0,
            languages: Vec::new(),
            limits: RemoteLimits::default(),
        }
    }
}

impl OpenAiVoiceSettings {
    pub fn validate(&self) -> Result<(), String> {
        let url = Url::parse(&self.base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none_or(|url| !url.has_host() || url.cannot_be_a_base()) {
            let url = &self.base_url;
            return Err(format!("openai.base_url is \"{url}\": give a URL such as https://api.openai.com/v1"));
        }
        if self.model.is_empty() || self.voice.is_empty() {
            return Err("openai.model and openai.voice must be given".into());
        }
        if !(0.25..=4.0).contains(&self.speed) {
            return Err(format!("openai.speed is {}: use 0.25 to 4", self.speed));
        }
        if !(8_000..=96_000).contains(&self.pcm_hz) {
            return Err(format!("openai.pcm_hz is {}: use 8000 to 96000", self.pcm_hz));
        }
        if !(-90..=100).contains(&self.volume_percent) {
            return Err(format!("openai.volume_percent is {}: use -90 to 100", self.volume_percent));
        }
        self.limits.validate("openai.limits")
    }

    /// Whether it is to be chosen for `language`, a lower-case code without region.
    pub fn speaks(&self, language: &str) -> bool {
        self.languages.is_empty() || self.languages.iter().any(|known| primary_language(known) == language)
    }

    pub(super) fn coding(&self) -> Coding {
        match self.response_format {
            SoundFormat::Pcm => Coding::Pcm { rate_hz: self.pcm_hz },
            SoundFormat::Opus => Coding::Opus,
            SoundFormat::Mp3 => Coding::Mp3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let default = OpenAiVoiceSettings::default;
        assert_eq!(default().validate(), Ok(()));
        let wrong = [
            ("base_url", OpenAiVoiceSettings { base_url: "api.openai.com".into(), ..default() }),
            ("base_url", OpenAiVoiceSettings { base_url: "mailto:a@b".into(), ..default() }),
            ("voice", OpenAiVoiceSettings { voice: String::new(), ..default() }),
            ("speed", OpenAiVoiceSettings { speed: f32::NAN, ..default() }),
            ("pcm_hz", OpenAiVoiceSettings { pcm_hz: 1, ..default() }),
            ("volume_percent", OpenAiVoiceSettings { volume_percent: 500, ..default() }),
        ];
        for (name, settings) in wrong {
            assert!(settings.validate().is_err_and(|reason| reason.contains(name)), "{name}");
        }
        assert!(toml::from_str::<OpenAiVoiceSettings>("api_key = \"sk-...\"").is_err(), "keys are no settings");
        assert_eq!(toml::from_str::<OpenAiVoiceSettings>("").ok(), Some(default()));
    }

    #[test]
    fn it_speaks_all_languages_or_those_set() {
        assert!(OpenAiVoiceSettings::default().speaks("fi"));
        let set = OpenAiVoiceSettings { languages: vec!["en-US".into()], ..OpenAiVoiceSettings::default() };
        assert!(set.speaks("en") && !set.speaks("zh"));
    }
}
