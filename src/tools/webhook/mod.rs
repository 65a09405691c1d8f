//! A tool that is one HTTP request.
//!
//! The operator declares the URL, so any address may be called, those of a private network too; what the model writes
//! stays data in the body or in the query, and can change neither address nor path. Redirects are not followed. Nothing
//! is sent twice: nobody knows whether a request that failed has done its work.

mod signature;

use std::time::Duration;

use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Request, Response, Url};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::secrets::{Environment, Secrets, place};
use super::settings::{Method, WebhookSettings};
use super::{CallContext, ToolError, text};
use crate::clock;
use signature::Key;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// Longest URL, in bytes; many servers take no more than 8 KiB of request line and headers.
const MAX_URL: usize = 6000;
/// Longest tag of a language (RFC 5646, 4.4.1).
const MAX_LANGUAGE: usize = 35;
/// So much of an error's body is read, in bytes.
const ERROR_BODY: usize = 2048;

pub(super) struct Webhook {
    name: String,
    url: Url,
    method: Method,
    headers: HeaderMap,
    key: Option<Key>,
    limit: Duration,
    max_result_bytes: usize,
    secrets: Secrets,
    http: Client,
}

impl Webhook {
    /// `settings` were validated. `http` follows no redirects.
    pub fn new(
        settings: &WebhookSettings,
        max_result_bytes: usize,
        http: Client,
        environment: Environment<'_>,
    ) -> Result<Self, ToolError> {
        let owner = format!("the webhook {}", settings.name);
        let invalid = |reason: String| ToolError::Setting { reason: format!("{owner}: {reason}") };
        let url = Url::parse(&settings.url).map_err(|error| invalid(error.to_string()))?;
        let mut secrets = Secrets::default();
        secrets.keep_url(&url);
        let headers = secrets.headers(&owner, &settings.headers, environment)?;
        let key = match settings.secret_env.as_str() {
            "" => None,
            variable => {
                let key = Key::parse(&secrets.read(&owner, variable, environment)?);
                Some(key.map_err(|reason| invalid(format!("the key in {variable} cannot be used: {reason}")))?)
            }
        };
        Ok(Self {
            name: settings.name.clone(),
            url,
            method: settings.method,
            headers,
            key,
            limit: Duration::from_millis(settings.timeout_millis),
            max_result_bytes,
            secrets,
            http,
        })
    }

    /// Dropping the future closes the connection.
    pub async fn call(&self, arguments: Map<String, Value>, context: &CallContext) -> Result<String, ToolError> {
        let id = format!("msg_{:032x}", rand::random::<u128>());
        let request = self.request(arguments, context, &id, clock::unix_seconds())?;
        match timeout(self.limit, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => {
                let millis = u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX);
                Err(ToolError::Timeout { tool: self.name.clone(), millis })
            }
        }
    }

    fn request(
        &self,
        arguments: Map<String, Value>,
        context: &CallContext,
        id: &str,
        timestamp: u64,
    ) -> Result<Request, ToolError> {
        let mut request = match self.method {
            Method::Post => {
                let body = json!({
                    "tool": self.name,
                    "arguments": arguments,
                    "call_id": context.call_id,
                    "conversation": context.conversation,
                });
                let mut request = Request::new(reqwest::Method::POST, self.url.clone());
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *request.body_mut() = Some(body.to_string().into());
                request
            }
            Method::Get => Request::new(reqwest::Method::GET, self.with_query(&arguments)?),
        };
        let signature = self.key.as_ref().map(|key| {
            let body = request.body().and_then(reqwest::Body::as_bytes);
            key.sign(id, timestamp, body.unwrap_or_else(|| request.url().query().unwrap_or_default().as_bytes()))
        });

        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/plain;q=0.9, */*;q=0.1"));
        if let Some(language) = context.language.as_deref().and_then(language) {
            headers.insert(ACCEPT_LANGUAGE, language);
        }
        headers.extend(self.headers.clone());
        headers.insert(TIMESTAMP, timestamp.into());
        for (name, value) in [(ID, Some(id)), (SIGNATURE, signature.as_deref())] {
            // Hexadecimal and base64: always fit for a header.
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(name, value);
            }
        }
        Ok(request)
    }

    /// Each argument as `name=value` after what the URL's own query holds; a list or an object as JSON, `null` not at
    /// all.
    fn with_query(&self, arguments: &Map<String, Value>) -> Result<Url, ToolError> {
        let mut url = self.url.clone();
        let given = arguments.iter().filter(|(_, value)| !value.is_null());
        if given.clone().next().is_some() {
            let mut query = url.query_pairs_mut();
            for (name, value) in given {
                match value {
                    Value::String(text) => query.append_pair(name, text),
                    other => query.append_pair(name, &other.to_string()),
                };
            }
        }
        if url.as_str().len() > MAX_URL {
            let reason = format!("together they are too long for a URL of {MAX_URL} bytes");
            return Err(ToolError::Arguments { tool: self.name.clone(), reason });
        }
        Ok(url)
    }

    async fn exchange(&self, request: Request) -> Result<String, ToolError> {
        let mut response = self.http.execute(request).await.map_err(|error| self.broken(error))?;
        let status = response.status();
        if !status.is_success() {
            // What can be had of it: the status says enough.
            let body = match read(&mut response, ERROR_BODY).await {
                Ok((body, _)) => String::from_utf8_lossy(&body).into_owned(),
                Err(_) => String::new(),
            };
            let mut beginning = text::beginning(&self.secrets.hide(&body));
            if status.is_redirection() {
                beginning = "it redirects, which is not followed: its url must be the final one".into();
            }
            return Err(ToolError::Status { tool: self.name.clone(), status: status.as_u16(), beginning });
        }
        let is_json = response.headers().get(CONTENT_TYPE).is_some_and(is_json);
        let (body, more) = read(&mut response, self.max_result_bytes).await.map_err(|error| self.broken(error))?;
        let said = utf8(&body, more).map_err(|reason| self.unreadable(reason))?;
        if is_json
            && !more
            && !said.trim().is_empty()
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(said)
        {
            return Err(self.unreadable(format!("it is called JSON, and is none: {error}")));
        }
        Ok(text::result(&self.secrets.hide(said), self.max_result_bytes, more))
    }

    fn unreadable(&self, reason: String) -> ToolError {
        ToolError::Unreadable { tool: self.name.clone(), reason }
    }

    fn broken(&self, error: reqwest::Error) -> ToolError {
        // Once there was a connection, nobody knows how far the request came.
        let begun = !error.is_connect();
        let reason = self.secrets.hide(&text::causes(&error.without_url()));
        match begun {
            true => ToolError::CutOff { tool: self.name.clone(), reason },
            false => ToolError::Unreachable { tool: self.name.clone(), place: place(&self.url), reason },
        }
    }
}

/// At most `limit` bytes of the body, and whether there was more.
async fn read(response: &mut Response, limit: usize) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = limit - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body, true));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, false))
}

/// A character that was cut at the end is left away.
fn utf8(body: &[u8], cut: bool) -> Result<&str, String> {
    match std::str::from_utf8(body) {
        Ok(text) => Ok(text),
        Err(error) if cut && error.error_len().is_none() => {
            Ok(std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default())
        }
        Err(error) => Err(format!("byte {} is not UTF-8", error.valid_up_to())),
    }
}

/// `application/json`, `application/problem+json; charset=utf-8`, ...
fn is_json(content_type: &HeaderValue) -> bool {
    let kind = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    kind.ends_with("/json") || kind.ends_with("+json")
}

fn language(tag: &str) -> Option<HeaderValue> {
    let is_tag = (1..=MAX_LANGUAGE).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_tag.then(|| HeaderValue::from_str(tag).ok()).flatten()
}
