//! Any server that speaks OpenAI's `/v1/audio/speech`: a request for each piece of a clause, sound back as it is made.
//!
//! No word times come with it; they are estimated from the sound. The connections of a voice are pooled.

mod refusal;
mod settings;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tests;

use std::sync::Mutex;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response, redirect};
use serde::Serialize;

use super::limits::Watch;
use super::saying::Saying;
use super::telling::{Listen, Memory, Placing, silent};
use super::text::{cleaned, is_sayable, pieces};
use super::{RemoteProblem, RemoteVoice};
use crate::media::Clause;
use crate::voice::{VoiceError, VoiceStyle, primary_language};
pub use settings::{OpenAiVoiceSettings, SoundFormat};

/// Characters of text that OpenAI takes at a time.
const MOST_CHARS: usize = 4096;
/// What `speed` may be there.
const SPEEDS: std::ops::RangeInclusive<f32> = 0.25..=4.0;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    voice: &'a str,
    input: String,
    response_format: &'static str,
    speed: f32,
    #[serde(skip_serializing_if = "str::is_empty")]
    instructions: &'a str,
}

/// See the module's text. Calls share it.
#[derive(Debug)]
pub struct OpenAiVoice {
    name: String,
    settings: OpenAiVoiceSettings,
    url: String,
    /// The whole header, marked as secret.
    key: Option<HeaderValue>,
    http: Client,
    memory: Mutex<Memory>,
}

impl OpenAiVoice {
    /// Connects to nothing yet; the key comes from the environment.
    pub fn new(settings: OpenAiVoiceSettings) -> Result<Self, VoiceError> {
        Self::with_keys(settings, |variable| std::env::var(variable).ok())
    }

    /// `keys`: what the environment holds.
    fn with_keys(settings: OpenAiVoiceSettings, keys: impl Fn(&str) -> Option<String>) -> Result<Self, VoiceError> {
        let name = format!("openai {} {}", settings.model, settings.voice);
        let failed = |problem| VoiceError::Remote { voice: name.clone(), url: settings.base_url.clone(), problem };
        settings.validate().map_err(|reason| failed(RemoteProblem::Settings { reason }))?;
        let variable = settings.api_key_env.as_str();
        let key = match variable {
            "" => None,
            variable => {
                let missing = || RemoteProblem::KeyMissing { variable: variable.into() };
                let key = keys(variable).filter(|key| !key.trim().is_empty());
                let key = key.ok_or_else(missing).map_err(failed)?;
                let header = HeaderValue::from_str(&format!("Bearer {}", key.trim()));
                let mut header = header.map_err(|_| failed(RemoteProblem::KeyUnusable(variable.into())))?;
                header.set_sensitive(true);
                Some(header)
            }
        };
        // A redirect could carry the text elsewhere; the address is to be set right.
        let http = Client::builder().redirect(redirect::Policy::none()).build();
        let http = http.map_err(|error| failed(RemoteProblem::Certificates { reason: chain(&error) }))?;
        let url = format!("{}/audio/speech", settings.base_url.trim_end_matches('/'));
        Ok(Self { name, settings, url, key, http, memory: Mutex::default() })
    }

    async fn say(
        &self,
        clause: &Clause,
        speed: f32,
        saying: &mut Saying<'_>,
        watch: &mut Watch<'_>,
        listen: Listen<'_>,
    ) -> Result<(), RemoteProblem> {
        for piece in pieces(&clause.text, MOST_CHARS, |_| 1) {
            watch.ask();
            let mut response = self.ask(piece, speed, watch).await?;
            loop {
                let chunk = watch.wait(response.chunk()).await?;
                let chunk = chunk.map_err(|error| RemoteProblem::CutOff { reason: chain(&error) })?;
                let Some(bytes) = chunk else { break };
                watch.sounds();
                if !saying.bytes(&bytes, listen)? {
                    return Ok(());
                }
            }
            if !saying.answered(listen)? {
                return Ok(());
            }
        }
        saying.finish(listen)
    }

    /// Asks for the sound of `piece`; what comes back is sound, by its own account.
    async fn ask(&self, piece: &str, speed: f32, watch: &Watch<'_>) -> Result<Response, RemoteProblem> {
        let OpenAiVoiceSettings { model, voice, response_format, instructions, .. } = &self.settings;
        let request = Request {
            model,
            voice,
            input: piece.chars().map(cleaned).collect(),
            response_format: response_format.name(),
            speed: (self.settings.speed * speed).clamp(*SPEEDS.start(), *SPEEDS.end()),
            instructions,
        };
        let mut builder = self.http.post(&self.url).json(&request);
        if let Some(key) = &self.key {
            builder = builder.header(AUTHORIZATION, key.clone());
        }
        let answered = watch.wait(builder.send()).await?;
        let response = answered.map_err(|error| RemoteProblem::Unreachable { reason: chain(&error) })?;
        if !response.status().is_success() {
            return Err(refusal::refused(response, watch).await);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        if kind.starts_with("text/") || kind.contains("json") || kind.contains("html") {
            let said = refusal::beginning(response, watch).await;
            return Err(RemoteProblem::rubbish(format!("{kind} instead of sound: {said}")));
        }
        Ok(response)
    }
}

#[async_trait]
impl RemoteVoice for OpenAiVoice {
    fn name(&self) -> &str {
        &self.name
    }

    fn speaks(&self, language: &str) -> bool {
        self.settings.speaks(&primary_language(language))
    }

    async fn speak(&self, clause: &Clause, style: &VoiceStyle, listen: Listen<'_>) -> Result<(), VoiceError> {
        if !is_sayable(&clause.text) {
            listen(silent(clause));
            return Ok(());
        }
        let failed =
            |problem| VoiceError::Remote { voice: self.name.clone(), url: self.settings.base_url.clone(), problem };
        let volume = 1.0 + self.settings.volume_percent as f32 / 100.0;
        let mut watch = Watch::start(&self.settings.limits);
        loop {
            let mut saying =
                Saying::new(clause, style, volume, self.settings.coding(), Placing::Estimated, &self.memory);
            match self.say(clause, style.clamped_speed(), &mut saying, &mut watch, listen).await {
                Ok(()) => return Ok(()),
                Err(problem) if saying.has_told() => return Err(failed(problem)),
                Err(problem) => watch.again(problem).await.map_err(failed)?,
            }
        }
    }
}

/// An error with what it comes from: reqwest's own words alone say little. Its address is left out: it is ours.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        next = error.source();
    }
    if text.is_empty() { error.to_string() } else { text }
}
