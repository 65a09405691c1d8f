//! `[llm]` of the configuration: the first endpoint, those that follow it, and what they have in common.
//!
//! Only what can be seen in the file is checked here; what stands in the environment is looked up when the client is
//! made, see `endpoint`.

use std::collections::BTreeMap;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::dialogue::LONGEST_ITEM;

/// What a request's body holds by our own doing.
const OWN_FIELDS: &[&str] = &[
    "model",
    "messages",
    "temperature",
    "max_tokens",
    "max_completion_tokens",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "n",
    "read_ahead",
];

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// `visavis-llm`, started and watched by this server.
    Local,
    /// Any server that speaks OpenAI's chat completions.
    OpenAi,
}

/// `[llm]` of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LanguageSettings {
    pub provider: Provider,
    /// With `openai`: the URL before `/chat/completions`.
    pub base_url: String,
    /// With `openai`: the model's name there. With `local`: the name of a weight in the store.
    pub model: String,
    /// Environment variable that holds the API key; empty: no key is sent.
    pub api_key_env: String,
    /// Header that carries the key: as a bearer's in `authorization`, plain in any other.
    pub key_header: String,
    /// How the server calls the limit of tokens: reasoning models of OpenAI want `max_completion_tokens`.
    pub max_tokens_field: String,
    pub system_prompt: String,
    /// What is said when a call begins; empty: nothing. A session's `greeting` goes before it.
    pub greeting: String,
    /// 0 (always the likeliest word) to 2.
    pub temperature: f32,
    /// Longest answer, in tokens.
    pub max_tokens: u32,
    /// Items of the conversation that are remembered.
    pub history_items: usize,
    pub first_token_timeout_millis: u64,
    pub total_timeout_millis: u64,
    /// With `local`: threads for the model; 0 chooses by the machine.
    pub threads: usize,
    /// With `local`: the context's length in tokens.
    pub context_tokens: u32,
    /// With `local`: answers made at the same time, and conversations whose processed prompt is kept.
    pub slots: u8,
    /// Further headers; a value `env:NAME` is taken from the environment.
    pub headers: BTreeMap<String, String>,
    /// Appended to the URL, such as Azure's `api-version`.
    pub query: BTreeMap<String, String>,
    /// Merged into the request's body.
    pub extra_body: toml::Table,
    /// Asked in this order when the first fails.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherEndpoint>,
}

/// One of `[[llm.others]]`. What is left out is as in `[llm]`, but for what names a server or opens it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherEndpoint {
    pub provider: Provider,
    #[serde(default)]
    pub base_url: String,
    pub model: String,
    #[serde(default)]
    pub api_key_env: String,
    #[serde(default = "authorization")]
    pub key_header: String,
    #[serde(default = "max_tokens")]
    pub max_tokens_field: String,
    pub temperature: Option<f32>,
    pub max_tokens: Option<u32>,
    pub first_token_timeout_millis: Option<u64>,
    pub total_timeout_millis: Option<u64>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    #[serde(default)]
    pub extra_body: toml::Table,
}

/// All that is set for one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointSettings {
    pub provider: Provider,
    pub base_url: String,
    pub model: String,
    pub api_key_env: String,
    pub key_header: String,
    pub max_tokens_field: String,
    pub temperature: f32,
    pub max_tokens: u32,
    pub first_token_timeout_millis: u64,
    pub total_timeout_millis: u64,
    pub headers: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    pub extra_body: toml::Table,
}

fn authorization() -> String {
    "authorization".into()
}

fn max_tokens() -> String {
    "max_tokens".into()
}

impl Default for LanguageSettings {
    fn default() -> Self {
        Self {
            provider: Provider::Local,
            base_url: "http://127.0.0.1:11434/v1".into(),
            model: "qwen-0.5b".into(),
            api_key_env: "OPENAI_API_KEY".into(),
            key_header: authorization(),
            max_tokens_field: max_tokens(),
            system_prompt: "You are a friendly assistant in a live voice conversation. Answer in one or two short \
                            spoken sentences, in the language of the question, without lists, markup or emoji."
                .into(),
            greeting: String::new(),
            temperature: 0.3,
            max_tokens: 200,
            history_items: 24,
            first_token_timeout_millis: 15_000,
            total_timeout_millis: 60_000,
            threads: 0,
            context_tokens: 4096,
            slots: 8,
            headers: BTreeMap::new(),
            query: BTreeMap::new(),
            extra_body: toml::Table::new(),
            others: Vec::new(),
        }
    }
}

impl LanguageSettings {
    /// All endpoints, in the order in which they are asked; at least one.
    pub fn endpoints(&self) -> Vec<EndpointSettings> {
        let first = EndpointSettings {
            provider: self.provider,
            base_url: self.base_url.clone(),
            model: self.model.clone(),
            api_key_env: self.api_key_env.clone(),
            key_header: self.key_header.clone(),
            max_tokens_field: self.max_tokens_field.clone(),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
            first_token_timeout_millis: self.first_token_timeout_millis,
            total_timeout_millis: self.total_timeout_millis,
            headers: self.headers.clone(),
            query: self.query.clone(),
            extra_body: self.extra_body.clone(),
        };
        let others = self.others.iter().cloned().map(|other| EndpointSettings {
            provider: other.provider,
            base_url: other.base_url,
            model: other.model,
            api_key_env: other.api_key_env,
            key_header: other.key_header,
            max_tokens_field: other.max_tokens_field,
            temperature: other.temperature.unwrap_or(self.temperature),
            max_tokens: other.max_tokens.unwrap_or(self.max_tokens),
            first_token_timeout_millis: other.first_token_timeout_millis.unwrap_or(self.first_token_timeout_millis),
            total_timeout_millis: other.total_timeout_millis.unwrap_or(self.total_timeout_millis),
            headers: other.headers,
            query: other.query,
            extra_body: other.extra_body,
        });
        std::iter::once(first).chain(others).collect()
    }

    /// The weight that `visavis-llm` is to serve, if any endpoint is the local one.
    pub fn local_model(&self) -> Option<String> {
        self.endpoints().into_iter().find(|endpoint| endpoint.provider == Provider::Local).map(|local| local.model)
    }

    pub fn validate(&self) -> Result<(), String> {
        if self.history_items < 2 || self.context_tokens < 512 {
            return Err("llm: history_items must be at least 2, context_tokens 512".into());
        }
        if !(1..=64).contains(&self.slots) {
            return Err(format!("llm.slots is {}: use 1 to 64", self.slots));
        }
        if self.greeting.len() > LONGEST_ITEM {
            return Err(format!("llm.greeting has {} bytes: use at most {LONGEST_ITEM}", self.greeting.len()));
        }
        let endpoints = self.endpoints();
        if endpoints.iter().filter(|endpoint| endpoint.provider == Provider::Local).count() > 1 {
            return Err("llm.others: only one endpoint may be \"local\", because one such server is started".into());
        }
        endpoints.iter().enumerate().try_for_each(|(index, endpoint)| {
            let place = if index == 0 { "llm".to_owned() } else { format!("llm.others, number {index}") };
            endpoint.validate().map_err(|reason| format!("{place}: {reason}"))
        })
    }
}

impl EndpointSettings {
    /// The reason names the setting and begins in lower case.
    fn validate(&self) -> Result<(), String> {
        if !(0.0..=2.0).contains(&self.temperature) {
            return Err(format!("temperature is {}: use 0 to 2", self.temperature));
        }
        if self.max_tokens == 0 {
            return Err("max_tokens must be at least 1".into());
        }
        if self.first_token_timeout_millis == 0 || self.total_timeout_millis == 0 {
            return Err("timeouts must be more than 0 milliseconds".into());
        }
        if self.model.is_empty() {
            return Err("model must be given".into());
        }
        let url = Url::parse(&self.base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if self.provider == Provider::OpenAi
            && url.is_none_or(|url| !url.has_host() || url.query().is_some() || url.fragment().is_some())
        {
            let url = &self.base_url;
            return Err(format!("base_url is \"{url}\": give a URL such as http://127.0.0.1:11434/v1, without ? or #"));
        }
        if !["max_tokens", "max_completion_tokens"].contains(&self.max_tokens_field.as_str()) {
            let field = &self.max_tokens_field;
            return Err(format!("max_tokens_field is \"{field}\": use \"max_tokens\" or \"max_completion_tokens\""));
        }
        if let Some(own) = OWN_FIELDS.iter().find(|own| self.extra_body.contains_key(**own)) {
            return Err(format!("extra_body sets `{own}`, which visavis sets itself: leave it out there"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> LanguageSettings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn others_take_from_the_first_what_is_no_ones_address_or_key() {
        let settings = settings(
            "provider = \"openai\"\nbase_url = \"https://one.test/v1\"\nmodel = \"one\"\ntemperature = 0.9\n\
             [headers]\nx-team = \"a\"\n\
             [[others]]\nprovider = \"openai\"\nbase_url = \"https://two.test/v1\"\nmodel = \"two\"\nmax_tokens = 50\n\
             [[others]]\nprovider = \"local\"\nmodel = \"qwen-0.5b\"\n",
        );
        assert_eq!(settings.validate(), Ok(()));
        assert_eq!(settings.local_model().as_deref(), Some("qwen-0.5b"));
        let [one, two, three] = settings.endpoints().try_into().unwrap();
        assert_eq!((one.api_key_env.as_str(), two.api_key_env.as_str()), ("OPENAI_API_KEY", ""));
        assert_eq!((two.temperature, two.max_tokens, three.max_tokens), (0.9, 50, 200));
        assert!(two.headers.is_empty() && one.headers.contains_key("x-team"));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name_and_place() {
        let local = "[[others]]\nprovider = \"local\"\nmodel = \"x\"\n";
        let cases = [
            ("temperature = 3.0\n", "llm: temperature"),
            ("max_tokens = 0\n", "max_tokens"),
            ("slots = 0\n", "slots"),
            ("total_timeout_millis = 0\n", "timeouts"),
            ("provider = \"openai\"\nbase_url = \"one.test\"\n", "base_url"),
            ("provider = \"openai\"\nbase_url = \"https://one.test/v1?key=1\"\n", "base_url"),
            ("max_tokens_field = \"tokens\"\n", "max_tokens_field"),
            ("[extra_body]\nstream = false\n", "`stream`"),
            (local, "only one endpoint"),
            ("[[others]]\nprovider = \"openai\"\nmodel = \"x\"\n", "llm.others, number 1: base_url"),
        ];
        for (text, named) in cases {
            let reason = settings(text).validate().unwrap_err();
            assert!(reason.contains(named), "{text} gave: {reason}");
        }
        assert!(toml::from_str::<LanguageSettings>("[[others]]\nmodel = \"x\"\napi_key = \"y\"\n").is_err());
    }
}
