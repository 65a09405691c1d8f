//! One server of chat completions: its address and key, how long it is waited for, how often it is asked again, and
//! whether it is to be left alone for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_openai::Client;
use async_openai::config::Config;
use async_openai::error::OpenAIError;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep, timeout_at};

use super::answer::Answer;
use super::chat::{Piece, Question};
use super::error::LanguageError;
use super::local::LocalServer;
use super::retry;
use super::settings::{EndpointSettings, Provider};
use super::transport::{Once, Problem, told};
use super::wire::{Chunk, Request};
use crate::breaker::Breaker;
use crate::clock;
use crate::metrics::Metrics;

/// What a setting's value begins with that names an environment variable.
const ENVIRONMENT: &str = "env:";
/// Tries after the first, where nobody else can be asked; time ends them sooner.
const MOST_RETRIES: u32 = 6;
/// The same where there is another endpoint, which a person waits for less than for a third try.
const RETRIES_BEFORE_OTHERS: u32 = 1;

/// Looks up an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// See the module's text.
pub struct Endpoint {
    /// In logs and metrics: the provider and the model.
    pub name: String,
    settings: EndpointSettings,
    local: Option<LocalServer>,
    /// The key's among them.
    headers: HeaderMap,
    query: Vec<(String, String)>,
    extra: Map<String, Value>,
    http: reqwest::Client,
    breaker: Mutex<Breaker>,
    metrics: Arc<Metrics>,
}

/// An answer whose first piece has come.
pub struct Begun {
    /// Empty only of a prompt that was read ahead.
    pub first: Option<Piece>,
    pub rest: Answer,
}

impl Endpoint {
    /// `http` must follow no redirects. `local` is the server to ask with [`Provider::Local`]. The error is for whoever
    /// wrote the settings.
    pub fn new(
        settings: EndpointSettings,
        local: Option<LocalServer>,
        http: reqwest::Client,
        environment: Environment<'_>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, String> {
        let provider = match settings.provider {
            Provider::Local => "local",
            Provider::OpenAi => "openai",
        };
        let name = format!("{provider}:{}", settings.model);
        let local = local.filter(|_| settings.provider == Provider::Local);
        let headers = headers(&settings, environment).map_err(|reason| format!("{name}: {reason}"))?;
        let query = settings.query.iter().map(|(name, value)| Ok((name.clone(), resolved(value, environment)?)));
        let query = query.collect::<Result<_, String>>().map_err(|reason| format!("{name}: {reason}"))?;
        let extra = settings.extra_body.iter().map(|(field, value)| {
            let value = json(value).map_err(|reason| format!("{name}: extra_body.{field} {reason}"))?;
            Ok((field.clone(), value))
        });
        let extra = extra.collect::<Result<_, String>>()?;
        metrics.endpoint(&name);
        Ok(Self { name, settings, local, headers, query, extra, http, breaker: Mutex::default(), metrics })
    }

    pub fn model(&self) -> &str {
        &self.settings.model
    }

    pub fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// From the question to the first token, and to the end.
    pub fn limits_millis(&self) -> (u64, u64) {
        (self.settings.first_token_timeout_millis, self.settings.total_timeout_millis)
    }

    /// The URL before `/chat/completions`.
    pub fn base_url(&self) -> Result<String, LanguageError> {
        match &self.local {
            Some(local) => local.base_url().map_err(|reason| LanguageError::LocalDown { reason }),
            None => Ok(self.settings.base_url.trim_end_matches('/').to_owned()),
        }
    }

    /// False while it is to be left alone.
    pub fn is_allowed(&self, now: std::time::Instant) -> bool {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).allows(now)
    }

    pub fn succeeded(&self) {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).succeeded();
    }

    /// Counts a failure, and leaves this endpoint alone if it was one too many.
    pub fn failed(&self, error: &LanguageError) {
        self.metrics.language_failures.with_label_values(&[&self.name]).inc();
        if !error.blames_server() {
            return;
        }
        let pause = self.breaker.lock().unwrap_or_else(PoisonError::into_inner).failed(clock::now());
        if let Some(pause) = pause {
            self.metrics.language_pauses.with_label_values(&[&self.name]).inc();
            tracing::warn!(endpoint = self.name, seconds = pause.as_secs(), "failed in a row: others are asked first");
        }
    }

    /// Asks, again if that may help, and waits for the first piece. `alone`: there is no other endpoint to ask.
    pub async fn begin(self: &Arc<Self>, question: &Question, alone: bool) -> Result<Begun, LanguageError> {
        let start = Instant::from_std(clock::now());
        let (first, total) = self.limits_millis();
        let deadline = start + Duration::from_millis(first.min(total));
        let most = if alone { MOST_RETRIES } else { RETRIES_BEFORE_OTHERS };
        let mut tries = 0;
        loop {
            let error = match self.open(question, false, start, deadline).await {
                Ok(answer) => return first_piece(answer).await,
                Err(error) => error,
            };
            tries += 1;
            let pause = retry::pause(tries, error.again(), rand::random());
            let is_in_time = Instant::from_std(clock::now()) + pause < deadline;
            if !error.may_pass() || tries > most || !is_in_time {
                return Err(error);
            }
            self.metrics.language_retries.with_label_values(&[&self.name]).inc();
            tracing::debug!(endpoint = self.name, %error, pause_millis = pause.as_millis(), "it is asked again");
            sleep(pause).await;
        }
    }

    /// Lets the server process a prompt.
    pub async fn read_ahead(self: &Arc<Self>, question: &Question) -> Result<Answer, LanguageError> {
        let start = Instant::from_std(clock::now());
        let (first, total) = self.limits_millis();
        self.open(question, true, start, start + Duration::from_millis(first.min(total))).await
    }

    /// One request.
    async fn open(
        self: &Arc<Self>,
        question: &Question,
        read_ahead: bool,
        start: Instant,
        deadline: Instant,
    ) -> Result<Answer, LanguageError> {
        let settings = &self.settings;
        let base = self.base_url()?;
        let url = shown(&base);
        let request = Request {
            model: &settings.model,
            max_tokens_field: &settings.max_tokens_field,
            max_tokens: question.max_tokens.unwrap_or(settings.max_tokens).min(settings.max_tokens),
            temperature: question.temperature.unwrap_or(settings.temperature),
            question,
            read_ahead,
            extra: &self.extra,
        };
        let address = Address { base, key: SecretString::default(), endpoint: self.clone() };
        let client = Client::build(self.http.clone(), address).with_http_service(Once(self.http.clone()));
        let chat = client.chat();
        let asked = chat.create_stream_byot::<_, Chunk>(request.body());
        match timeout_at(deadline, asked).await {
            Ok(Ok(chunks)) => Ok(Answer::new(chunks, self.clone(), url, start)),
            Ok(Err(error)) => Err(self.told(&url, error)),
            Err(_) => {
                let (first, total) = self.limits_millis();
                Err(LanguageError::FirstToken { url, millis: first.min(total) })
            }
        }
    }

    /// What the client library's error means.
    pub fn told(&self, url: &str, error: OpenAIError) -> LanguageError {
        let url = url.to_owned();
        let problem = match error {
            OpenAIError::Boxed(error) => match error.downcast::<Problem>() {
                Ok(problem) => *problem,
                Err(error) => Problem::Unreachable(error.to_string()),
            },
            OpenAIError::Reqwest(error) => Problem::Unreachable(error.without_url().to_string()),
            OpenAIError::StreamError(error) => {
                return LanguageError::CutOff { url, reason: told(&error.to_string()) };
            }
            OpenAIError::JSONDeserialize(error, text) => Problem::Rubbish(told(&format!("{error} in: {text}"))),
            other => Problem::Rubbish(told(&other.to_string())),
        };
        match problem {
            Problem::Unreachable(reason) => LanguageError::Unreachable { url, reason },
            Problem::Rubbish(reason) => LanguageError::Rubbish { url, reason },
            Problem::Refused { status, reason, again, spent } => {
                LanguageError::Refused { url, status, reason, again, spent }
            }
        }
    }
}

async fn first_piece(mut answer: Answer) -> Result<Begun, LanguageError> {
    match answer.next().await {
        Some(Ok(piece @ (Piece::Text(_) | Piece::Call(_)))) => Ok(Begun { first: Some(piece), rest: answer }),
        Some(Err(error)) => Err(error),
        // The count comes last.
        Some(Ok(Piece::Usage(_))) | None => {
            Err(LanguageError::Empty { url: answer.url().to_owned(), reason: answer.ending().to_owned() })
        }
    }
}

/// Where a request goes.
struct Address {
    base: String,
    /// Asked for by the trait and used by nobody: the headers hold what is sent.
    key: SecretString,
    endpoint: Arc<Endpoint>,
}

impl Config for Address {
    fn headers(&self) -> HeaderMap {
        self.endpoint.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        self.endpoint.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

fn headers(settings: &EndpointSettings, environment: Environment<'_>) -> Result<HeaderMap, String> {
    let name = |text: &str| {
        HeaderName::from_bytes(text.as_bytes()).map_err(|_| format!("\"{text}\" cannot be the name of a header"))
    };
    let secret = |text: &str| {
        HeaderValue::from_str(text).map(|mut value| {
            value.set_sensitive(true);
            value
        })
    };
    let mut headers = HeaderMap::new();
    for (header, value) in &settings.headers {
        let value = secret(&resolved(value, environment)?);
        let value = value.map_err(|_| format!("the value of the header {header} has characters that none may have"))?;
        headers.insert(name(header)?, value);
    }
    let key = if settings.api_key_env.is_empty() { None } else { environment(&settings.api_key_env) };
    if let Some(key) = key.filter(|key| !key.trim().is_empty() && settings.provider == Provider::OpenAi) {
        let header = name(&settings.key_header)?;
        let key = key.trim();
        let value = secret(&if header == AUTHORIZATION { format!("Bearer {key}") } else { key.to_owned() });
        let variable = &settings.api_key_env;
        headers.insert(header, value.map_err(|_| format!("{variable} cannot be a key: use printable ASCII"))?);
    }
    Ok(headers)
}

/// The value, or what the environment holds under its name.
fn resolved(value: &str, environment: Environment<'_>) -> Result<String, String> {
    match value.strip_prefix(ENVIRONMENT) {
        None => Ok(value.to_owned()),
        Some(name) => environment(name).ok_or_else(|| format!("the environment variable {name} is not set")),
    }
}

/// The same value in JSON, which has no dates and no infinity.
fn json(value: &toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) if !number.is_finite() => {
            return Err(format!("is {number}: JSON has no such number"));
        }
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(truth) => (*truth).into(),
        toml::Value::Datetime(date) => return Err(format!("is the date {date}: write it as a text")),
        toml::Value::Array(items) => items.iter().map(json).collect::<Result<_, _>>()?,
        toml::Value::Table(table) => {
            let fields = table.iter().map(|(name, value)| Ok((name.clone(), json(value)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
    })
}

/// The address without what may be a secret.
fn shown(base: &str) -> String {
    let Ok(mut url) = Url::parse(base) else { return base.to_owned() };
    if url.username().is_empty() && url.password().is_none() {
        return base.to_owned();
    }
    // These fail only for URLs that have no host.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::LanguageSettings;

    fn endpoint(text: &str) -> Result<Endpoint, String> {
        let settings: LanguageSettings = toml::from_str(text).unwrap();
        settings.validate()?;
        let environment = |name: &str| (name == "AZURE").then(|| "s3cret".to_owned());
        let [first] = settings.endpoints().try_into().unwrap();
        Endpoint::new(first, None, reqwest::Client::new(), &environment, Arc::new(Metrics::new()))
    }

    #[test]
    fn azure_is_asked_with_its_header_and_its_version() {
        let endpoint = endpoint(
            "provider = \"openai\"\nmodel = \"gpt\"\nbase_url = \"https://x.openai.azure.com/openai/deployments/gpt/\"\n\
             api_key_env = \"AZURE\"\nkey_header = \"api-key\"\nheaders = { x-team = \"a\", x-key = \"env:AZURE\" }\n\
             query = { api-version = \"2024-10-21\" }\nextra_body = { top_p = 0.5, user = { id = [1, true] } }\n",
        )
        .unwrap();
        let base = endpoint.base_url().unwrap();
        assert_eq!(endpoint.extra["user"], serde_json::json!({ "id": [1, true] }));
        let address = Address { base, key: SecretString::default(), endpoint: Arc::new(endpoint) };
        let url = address.url("/chat/completions");
        assert_eq!(url, "https://x.openai.azure.com/openai/deployments/gpt/chat/completions");
        assert_eq!(address.query(), [("api-version", "2024-10-21")]);
        let headers = address.headers();
        assert_eq!((&headers["api-key"], &headers["x-key"]), (&"s3cret".parse().unwrap(), &"s3cret".parse().unwrap()));
        assert!(!headers.contains_key(AUTHORIZATION) && !format!("{headers:?}").contains("s3cret"));
    }

    #[test]
    fn a_key_goes_as_a_bearer_s_and_only_to_those_that_have_one() {
        let with_key = endpoint("provider = \"openai\"\nmodel = \"m\"\napi_key_env = \"AZURE\"\n").unwrap();
        assert_eq!(with_key.headers[AUTHORIZATION], "Bearer s3cret");
        for none in
            ["provider = \"openai\"\napi_key_env = \"UNSET\"\n", "provider = \"local\"\napi_key_env = \"AZURE\"\n"]
        {
            assert!(endpoint(none).unwrap().headers.is_empty());
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_name() {
        let cases = [
            ("headers = { \"a b\" = \"c\" }\n", "\"a b\""),
            ("headers = { a = \"b\\nc\" }\n", "header a"),
            ("headers = { a = \"env:UNSET\" }\n", "UNSET"),
            ("query = { a = \"env:UNSET\" }\n", "UNSET"),
            ("extra_body = { since = 1979-05-27 }\n", "extra_body.since"),
            ("extra_body = { deep = { x = [inf] } }\n", "extra_body.deep"),
            ("extra_body = { messages = [] }\n", "`messages`"),
        ];
        for (text, named) in cases {
            let Err(reason) = endpoint(text) else { panic!("{text} was taken") };
            assert!(reason.contains(named), "{reason}");
        }
    }

    #[test]
    fn an_address_is_told_without_its_password() {
        assert_eq!(shown("http://127.0.0.1:9/v1"), "http://127.0.0.1:9/v1");
        assert_eq!(shown("https://me:secret@host.test/v1"), "https://host.test/v1");
    }
}
