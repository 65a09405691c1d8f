//! `edge` among the settings of voices.

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::super::RemoteLimits;

/// Settings of Microsoft's read-aloud service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeSettings {
    /// `wss` or, for a proxy nearby, `ws`; what the protocol adds comes after it.
    pub base_url: String,
    /// Short name of a voice, e.g. `zh-CN-XiaoxiaoNeural` or `en-US-EmmaMultilingualNeural`.
    pub voice: String,
    /// Faster or slower than the voice's own pace, -50 to 100; the session's speed comes on top.
    pub rate_percent: i32,
    /// Higher or lower than the voice, -100 to 100.
    pub pitch_hz: i32,
    /// Louder or softer than all voices are, -90 to 100. Applied here, after sound was brought to that loudness.
    pub volume_percent: i32,
    /// Languages that it is chosen for, e.g. `["zh", "en"]`; empty: that of the voice's name, and any if it is
    /// multilingual.
    pub languages: Vec<String>,
    /// Version of the browser that is named to the service, which refuses old ones.
    pub browser_version: String,
    pub limits: RemoteLimits,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            base_url: "wss://speech.platform.bing.com/consumer/speech/synthesize/readaloud/edge/v1".into(),
            voice: "zh-CN-XiaoxiaoNeural".into(),
            rate_percent: 0,
            pitch_hz: 0,
            volume_percent: 0,
            languages: Vec::new(),
            browser_version: "143.0.3650.75".into(),
            limits: RemoteLimits::default(),
        }
    }
}

impl EdgeSettings {
    pub fn validate(&self) -> Result<(), String> {
        let url = Url::parse(&self.base_url).ok().filter(|url| matches!(url.scheme(), "ws" | "wss") && url.has_host());
        if url.is_none() {
            return Err(format!("edge.base_url is \"{}\": give a URL that begins with wss://", self.base_url));
        }
        if self.parts().is_none() {
            let voice = &self.voice;
            return Err(format!("edge.voice is \"{voice}\": give a name such as zh-CN-XiaoxiaoNeural"));
        }
        let ranges = [
            ("rate_percent", self.rate_percent, -50..=100),
            ("pitch_hz", self.pitch_hz, -100..=100),
            ("volume_percent", self.volume_percent, -90..=100),
        ];
        for (name, value, range) in ranges {
            if !range.contains(&value) {
                return Err(format!("edge.{name} is {value}: use {} to {}", range.start(), range.end()));
            }
        }
        let version = &self.browser_version;
        if version.is_empty() || !version.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return Err(format!("edge.browser_version is \"{version}\": give a version such as 143.0.3650.75"));
        }
        self.limits.validate("edge.limits")
    }

    /// Whether it is to be chosen for `language`, a lower-case code without region.
    pub fn speaks(&self, language: &str) -> bool {
        if !self.languages.is_empty() {
            return self.languages.iter().any(|known| crate::voice::primary_language(known) == language);
        }
        self.voice.contains("Multilingual") || crate::voice::primary_language(&self.voice) == language
    }

    /// The voice as the service knows it.
    pub fn full_voice(&self) -> String {
        let (locale, name) = self.parts().unwrap_or_default();
        format!("Microsoft Server Speech Text to Speech Voice ({locale}, {name})")
    }

    /// `zh-CN` and `XiaoxiaoNeural`, `zh-CN-liaoning` and `XiaobeiNeural`.
    fn parts(&self) -> Option<(&str, &str)> {
        let (locale, name) = self.voice.rsplit_once('-')?;
        let plain = self.voice.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let language = locale.split_once('-')?.0;
        let is_language = (2..=3).contains(&language.len()) && language.chars().all(|c| c.is_ascii_lowercase());
        (plain && is_language && name.len() > 1).then_some((locale, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_voices_are_taken_apart() {
        let full = |voice: &str| EdgeSettings { voice: voice.into(), ..EdgeSettings::default() }.full_voice();
        assert!(full("zh-CN-XiaoxiaoNeural").ends_with("(zh-CN, XiaoxiaoNeural)"));
        assert!(full("zh-CN-liaoning-XiaobeiNeural").ends_with("(zh-CN-liaoning, XiaobeiNeural)"));
        assert!(full("fil-PH-AngeloNeural").ends_with("(fil-PH, AngeloNeural)"));
    }

    #[test]
    fn languages_are_those_of_the_name_or_those_set() {
        let settings = EdgeSettings::default();
        assert!(settings.speaks("zh") && !settings.speaks("en"));
        let many = EdgeSettings { voice: "en-US-EmmaMultilingualNeural".into(), ..EdgeSettings::default() };
        assert!(many.speaks("en") && many.speaks("de"));
        let set = EdgeSettings { languages: vec!["zh-TW".into(), "EN".into()], ..EdgeSettings::default() };
        assert!(set.speaks("zh") && set.speaks("en") && !set.speaks("de"));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert_eq!(EdgeSettings::default().validate(), Ok(()));
        let default = EdgeSettings::default;
        let wrong = [
            ("voice", EdgeSettings { voice: "zh-CN-X'/><break/>".into(), ..default() }),
            ("voice", EdgeSettings { voice: "Xiaoxiao".into(), ..default() }),
            ("base_url", EdgeSettings { base_url: "https://example.org".into(), ..default() }),
            ("pitch_hz", EdgeSettings { pitch_hz: 500, ..default() }),
            ("rate_percent", EdgeSettings { rate_percent: -100, ..default() }),
            ("volume_percent", EdgeSettings { volume_percent: -100, ..default() }),
            ("browser_version", EdgeSettings { browser_version: "1\r\nX: y".into(), ..default() }),
        ];
        for (name, settings) in wrong {
            assert!(settings.validate().is_err_and(|reason| reason.contains(name)), "{name}");
        }
        assert!(toml::from_str::<EdgeSettings>("voise = 1").is_err());
        assert_eq!(toml::from_str::<EdgeSettings>("").ok(), Some(default()));
    }
}
