//! `[asr.remote]`: a server that speaks OpenAI's `/v1/audio/transcriptions`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::HearingLimits;
use crate::hearing::languages::Language;

/// How sound goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SoundForm {
    /// WAV to a server nearby, Opus to others.
    Auto,
    /// 16 bit, 256 kbit/s: every server takes it.
    Wav,
    /// Opus in Ogg, 24 kbit/s: a tenth of the bytes, and the same words.
    Ogg,
}

/// How the text comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerForm {
    /// `json` from models named `gpt-`, which have no other, `verbose_json` from others.
    Auto,
    /// The text alone.
    Json,
    /// With its language, and how sure the server is of each part.
    VerboseJson,
}

/// See the module's text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpenAiHearingSettings {
    /// The URL before `/audio/transcriptions`.
    pub base_url: String,
    pub model: String,
    /// Environment variable that holds the API key; empty: no key is sent.
    pub api_key_env: String,
    /// Further headers; a value `env:NAME` is taken from the environment variable NAME.
    pub headers: BTreeMap<String, String>,
    /// What stands after `?` in the URL, such as Azure's `api-version`.
    pub query: BTreeMap<String, String>,
    /// Further fields of the form, such as `"include[]" = "logprobs"`.
    pub fields: BTreeMap<String, String>,
    pub sound: SoundForm,
    pub response_format: AnswerForm,
    /// Text is taken as it is made, from servers that send it so.
    pub stream: bool,
    /// 0 to 1; left out: what the server holds right.
    pub temperature: Option<f32>,
    /// Names and jargon are sent along, as `prompt`.
    pub hints: bool,
    /// Languages that it is asked for, e.g. `["en", "zh"]`; empty: all.
    pub languages: Vec<String>,
    pub limits: HearingLimits,
}

impl Default for OpenAiHearingSettings {
    fn default() -> Self {
        Self {
            base_url: "https://api.openai.com/v1".into(),
            model: "gpt-4o-mini-transcribe".into(),
            api_key_env: "OPENAI_API_KEY".into(),
            headers: BTreeMap::new(),
            query: BTreeMap::new(),
            fields: BTreeMap::new(),
            sound: SoundForm::Auto,
            response_format: AnswerForm::Auto,
            stream: false,
            temperature: None,
            hints: true,
            languages: Vec::new(),
            limits: HearingLimits::default(),
        }
    }
}

impl OpenAiHearingSettings {
    /// `section`: where they stand in the configuration.
    pub fn validate(&self, section: &str) -> Result<(), String> {
        if self.url().is_none() {
            let url = &self.base_url;
            return Err(format!("{section}.base_url is \"{url}\": give a URL such as https://api.openai.com/v1"));
        }
        if self.model.is_empty() {
            return Err(format!("{section}.model must be given"));
        }
        if self.temperature.is_some_and(|temperature| !(0.0..=1.0).contains(&temperature)) {
            let temperature = self.temperature.unwrap_or_default();
            return Err(format!("{section}.temperature is {temperature}: use 0 to 1"));
        }
        if let Some(error) = self.languages.iter().find_map(|code| Language::of(code).err()) {
            return Err(format!("{section}.languages: {error}"));
        }
        self.limits.validate(&format!("{section}.limits"))
    }

    /// The whole address of a request; `None` if `base_url` is none.
    pub(super) fn url(&self) -> Option<Url> {
        let joined = format!("{}/audio/transcriptions", self.base_url.trim_end_matches('/'));
        let mut url = Url::parse(&joined).ok()?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() {
            return None;
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Some(url)
    }

    /// Whether sound goes out as Opus.
    pub(super) fn is_opus(&self) -> bool {
        match self.sound {
            SoundForm::Wav => false,
            SoundForm::Ogg => true,
            SoundForm::Auto => self.url().is_none_or(|url| !is_near(url.host_str().unwrap_or_default())),
        }
    }

    pub(super) fn is_verbose(&self) -> bool {
        match self.response_format {
            AnswerForm::Json => false,
            AnswerForm::VerboseJson => true,
            AnswerForm::Auto => !self.model.starts_with("gpt-"),
        }
    }
}

/// A host of this machine or its network: bytes cost less there than to encode them.
fn is_near(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => !host.contains('.') || host.ends_with(".local") || host.ends_with(".internal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base_url: &str) -> OpenAiHearingSettings {
        OpenAiHearingSettings { base_url: base_url.into(), ..OpenAiHearingSettings::default() }
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let default = OpenAiHearingSettings::default;
        assert_eq!(default().validate("asr.remote"), Ok(()));
        let limits = HearingLimits { retries: 99, ..HearingLimits::default() };
        let wrong = [
            ("base_url", at("api.openai.com")),
            ("base_url", at("mailto:a@b")),
            ("base_url", at("https://host/v1?api-version=1")),
            ("base_url", at("")),
            ("model", OpenAiHearingSettings { model: String::new(), ..default() }),
            ("temperature", OpenAiHearingSettings { temperature: Some(f32::NAN), ..default() }),
            ("languages", OpenAiHearingSettings { languages: vec!["tlh".into()], ..default() }),
            ("limits", OpenAiHearingSettings { limits, ..default() }),
        ];
        for (name, settings) in wrong {
            let refused = settings.validate("asr.remote");
            assert!(refused.is_err_and(|reason| reason.contains(&format!("asr.remote.{name}"))), "{name}");
        }
        assert!(toml::from_str::<OpenAiHearingSettings>("api_key = \"sk-...\"").is_err(), "keys are no settings");
        assert_eq!(toml::from_str::<OpenAiHearingSettings>("").ok(), Some(default()));
    }

    #[test]
    fn the_address_has_the_query() {
        let query = [("api-version".to_owned(), "2025-03-01 preview".to_owned())].into();
        let settings = OpenAiHearingSettings { query, ..at("https://x.azure.com/openai/deployments/w/") };
        let url = settings.url().map(String::from).unwrap_or_default();
        assert_eq!(url, "https://x.azure.com/openai/deployments/w/audio/transcriptions?api-version=2025-03-01+preview");
    }

    #[test]
    fn sound_is_packed_for_servers_that_are_far() {
        let near = ["http://localhost:8000/v1", "http://127.0.0.1/v1", "http://[::1]:9/v1", "http://192.168.1.7/v1"];
        let near = near.into_iter().chain(["http://whisper:8000/v1", "http://nas.local/v1", "http://[fd00::1]/v1"]);
        assert!(near.map(at).all(|settings| !settings.is_opus()));
        let far = ["https://api.openai.com/v1", "https://8.8.8.8/v1", "http://[2001:db8::1]/v1"];
        assert!(far.map(at).iter().all(OpenAiHearingSettings::is_opus));
        let always = OpenAiHearingSettings { sound: SoundForm::Ogg, ..at("http://localhost/v1") };
        let never = OpenAiHearingSettings { sound: SoundForm::Wav, ..at("https://api.openai.com/v1") };
        assert!(always.is_opus() && !never.is_opus());
    }

    #[test]
    fn how_sure_a_model_is_is_asked_of_those_that_say_it() {
        let is_verbose = |model: &str| OpenAiHearingSettings { model: model.into(), ..at("") }.is_verbose();
        assert!(is_verbose("whisper-1") && is_verbose("Systran/faster-whisper-small"));
        assert!(!is_verbose("gpt-4o-transcribe"));
    }
}
