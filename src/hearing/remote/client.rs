//! Any server that speaks OpenAI's `/v1/audio/transcriptions`. The connections of a recogniser are pooled.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Client, Response, Url, redirect};

use super::answer::{Answer, Event};
use super::limits::Watch;
use super::settings::OpenAiHearingSettings;
use super::sound::{self, Packed};
use super::stream::Events;
use super::{HearingProblem, Partly, RemoteRecognizer, RemoteRequest, refusal};
use crate::hearing::asr::{AsrError, Transcript};
use crate::hearing::hints;
use crate::hearing::languages::{Language, Languages};
use crate::hearing::phantom;
use crate::media::HEARING_HZ;

/// Bytes of an answer, and of the text of a stream.
const MOST_BYTES: usize = 1024 * 1024;
const MOST_TEXT: usize = 64 * 1024;
/// Sound whose loudest tenth of a second is below -60 dBFS is not sent: there is nothing to hear in it.
const SILENCE: f32 = 0.001;
/// Most of the hints, in quarters of a token as they are guessed here; models take 224 tokens.
const HINT_QUARTERS: usize = 600;

/// See the module's text. Calls share it.
#[derive(Debug)]
pub struct OpenAiRecognizer {
    name: String,
    settings: OpenAiHearingSettings,
    url: Url,
    http: Client,
}

/// What is asked for beside the sound.
#[derive(Clone, Debug, Default)]
struct Ask {
    language: Option<Language>,
    hints: String,
}

impl OpenAiRecognizer {
    /// Longest sound that is sent: as WAV it is 19 MB, and OpenAI takes 25.
    pub const MOST_SECONDS: usize = 600;

    /// Connects to nothing yet; key and headers come from the environment.
    pub fn new(settings: OpenAiHearingSettings) -> Result<Self, AsrError> {
        Self::with_environment(settings, |variable| std::env::var(variable).ok())
    }

    /// `environment`: the value of a variable.
    pub(super) fn with_environment(
        settings: OpenAiHearingSettings,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, AsrError> {
        let name = format!("openai {}", settings.model);
        let built = build(&settings, environment);
        let (url, http) = built.map_err(|problem| failed(&name, &settings, problem))?;
        Ok(Self { name, settings, url, http })
    }

    /// Asks, and asks again as the limits allow.
    async fn ask(
        &self,
        packed: &Packed,
        ask: &Ask,
        watch: &mut Watch<'_>,
        partly: Partly<'_>,
    ) -> Result<Answer, HearingProblem> {
        loop {
            watch.ask();
            match self.ask_once(packed, ask, watch, partly).await {
                Ok(answer) => return Ok(answer),
                Err(problem) => watch.again(problem).await?,
            }
        }
    }

    async fn ask_once(
        &self,
        packed: &Packed,
        ask: &Ask,
        watch: &mut Watch<'_>,
        partly: Partly<'_>,
    ) -> Result<Answer, HearingProblem> {
        let request = self.http.post(self.url.clone()).multipart(self.form(packed, ask)?);
        let answered = watch.wait(request.send()).await?;
        let response = answered.map_err(|error| HearingProblem::Unreachable { reason: chain(&error) })?;
        watch.answers();
        if !response.status().is_success() {
            return Err(refusal::refused(response, watch).await);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match kind.to_ascii_lowercase().starts_with("text/event-stream") {
            true => streamed(response, watch, partly).await,
            false => Answer::read(&whole(response, watch).await?),
        }
    }

    fn form(&self, packed: &Packed, ask: &Ask) -> Result<Form, HearingProblem> {
        let OpenAiHearingSettings { model, temperature, stream, fields, .. } = &self.settings;
        let length = packed.bytes.len() as u64;
        let file = Part::stream_with_length(Body::from(packed.bytes.clone()), length).file_name(packed.name);
        let file = file.mime_str(packed.kind).map_err(|error| HearingProblem::Packing { reason: error.to_string() })?;
        let mut form = Form::new().text("model", model.clone());
        form = form.text("response_format", if self.settings.is_verbose() { "verbose_json" } else { "json" });
        if let Some(language) = ask.language {
            // Whisper alone calls Javanese so.
            form = form.text("language", if language.code() == "jw" { "jv" } else { language.code() });
        }
        if !ask.hints.is_empty() {
            form = form.text("prompt", ask.hints.clone());
        }
        if let Some(temperature) = temperature {
            form = form.text("temperature", temperature.to_string());
        }
        if *stream {
            form = form.text("stream", "true");
        }
        for (name, value) in fields {
            form = form.text(name.clone(), value.clone());
        }
        Ok(form.part("file", file))
    }

    fn hints(&self, language: Option<Language>, request: &RemoteRequest<'_>) -> String {
        if !self.settings.hints {
            return String::new();
        }
        // About a quarter of a token for a Latin letter, and one or more for any other.
        let cost = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 4 }).sum();
        request.hints.prompt(language, request.languages.is_traditional(), HINT_QUARTERS, cost)
    }

    async fn hear(&self, request: &RemoteRequest<'_>, partly: Partly<'_>) -> Result<Transcript, HearingProblem> {
        let RemoteRequest { pcm, languages, .. } = *request;
        let seconds = pcm.len() as f32 / HEARING_HZ as f32;
        let loudness = phantom::loudness(pcm);
        if loudness < SILENCE {
            return Ok(Transcript { text: String::new(), language: languages.assumed().code().to_owned(), seconds });
        }
        let mut watch = Watch::start(&self.settings.limits);
        let packed = watch.wait(self.pack(pcm)).await??;
        let language = languages.settled(seconds);
        let mut ask = Ask { language, hints: self.hints(language, request) };
        let mut answer = self.ask(&packed, &ask, &mut watch, partly).await?;
        if ask.language.is_none() && answer.language().is_some_and(|language| !languages.may_be(language)) {
            // It heard a language that is not spoken here.
            ask = Ask { language: Some(languages.assumed()), hints: self.hints(Some(languages.assumed()), request) };
            answer = self.ask(&packed, &ask, &mut watch, partly).await?;
        }
        let mut text = answer.said(loudness);
        if hints::echoes(&text, &ask.hints) {
            let plain = Ask { hints: String::new(), ..ask.clone() };
            let plain = self.ask(&packed, &plain, &mut watch, partly).await?.said(loudness);
            text = if hints::may_be(&text, &plain) { text } else { plain };
        }
        let heard = answer.language().filter(|language| languages.may_be(*language));
        let language = ask.language.or(heard).unwrap_or_else(|| languages.of_text(&text));
        let text = languages.written(language, text);
        Ok(Transcript { text, language: language.code().to_owned(), seconds })
    }

    async fn pack(&self, pcm: &[f32]) -> Result<Packed, HearingProblem> {
        if pcm.len() > Self::MOST_SECONDS * HEARING_HZ as usize {
            let seconds = (pcm.len() / HEARING_HZ as usize) as u64;
            return Err(HearingProblem::TooLong { seconds, most: Self::MOST_SECONDS as u64 });
        }
        if !self.settings.is_opus() {
            return Ok(sound::wav(pcm));
        }
        // Some milliseconds for each second of sound: too long for a thread that others wait for.
        let pcm: Arc<[f32]> = pcm.into();
        let packed = tokio::task::spawn_blocking(move || sound::ogg(&pcm)).await;
        packed.map_err(|error| HearingProblem::Packing { reason: error.to_string() })?
    }
}

#[async_trait]
impl RemoteRecognizer for OpenAiRecognizer {
    fn name(&self) -> &str {
        &self.name
    }

    fn hears(&self, languages: &Languages) -> bool {
        let known = &self.settings.languages;
        let may_be = |code: &String| Language::of(code).is_ok_and(|language| languages.may_be(language));
        known.is_empty() || known.iter().any(may_be)
    }

    async fn transcribe(&self, request: &RemoteRequest<'_>, partly: Partly<'_>) -> Result<Transcript, AsrError> {
        self.hear(request, partly).await.map_err(|problem| failed(&self.name, &self.settings, problem))
    }
}

fn failed(name: &str, settings: &OpenAiHearingSettings, problem: HearingProblem) -> AsrError {
    AsrError::Remote { recognizer: name.to_owned(), url: settings.base_url.clone(), problem }
}

fn build(
    settings: &OpenAiHearingSettings,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<(Url, Client), HearingProblem> {
    settings.validate("asr.remote").map_err(|reason| HearingProblem::Settings { reason })?;
    let unusable = || HearingProblem::Settings { reason: format!("no URL: {}", settings.base_url) };
    let url = settings.url().ok_or_else(unusable)?;
    let secret = |variable: &str| {
        let value = environment(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        value.ok_or_else(|| HearingProblem::KeyMissing { variable: variable.to_owned() })
    };
    let mut headers = HeaderMap::new();
    if !settings.api_key_env.is_empty() {
        let key = format!("Bearer {}", secret(&settings.api_key_env)?);
        headers.insert(AUTHORIZATION, header(&key, &settings.api_key_env)?);
    }
    for (name, value) in &settings.headers {
        let known = HeaderName::from_bytes(name.as_bytes());
        let known = known.map_err(|_| HearingProblem::HeaderUnusable(name.clone()))?;
        let value = match value.strip_prefix("env:") {
            Some(variable) => header(&secret(variable)?, variable)?,
            None => header(value, name)?,
        };
        headers.insert(known, value);
    }
    // A redirect could carry the sound elsewhere; the address is to be set right.
    let http = Client::builder().redirect(redirect::Policy::none()).default_headers(headers).build();
    let http = http.map_err(|error| HearingProblem::Certificates { reason: chain(&error) })?;
    Ok((url, http))
}

/// Marked as secret, whatever it is; `named`: what it is called in an error.
fn header(value: &str, named: &str) -> Result<HeaderValue, HearingProblem> {
    let mut header = HeaderValue::from_str(value).map_err(|_| HearingProblem::HeaderUnusable(named.to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}

/// The whole body, if it is not too long.
async fn whole(mut response: Response, watch: &Watch<'_>) -> Result<Vec<u8>, HearingProblem> {
    let mut body = Vec::new();
    while let Some(bytes) = next(&mut response, watch).await? {
        body.extend_from_slice(&bytes);
        if body.len() > MOST_BYTES {
            return Err(HearingProblem::rubbish(format!("an answer of more than {MOST_BYTES} bytes")));
        }
    }
    Ok(body)
}

/// Text as it is made.
async fn streamed(mut response: Response, watch: &Watch<'_>, partly: Partly<'_>) -> Result<Answer, HearingProblem> {
    let (mut events, mut done, mut text) = (Events::default(), Vec::new(), String::new());
    let mut has_segments = false;
    while let Some(bytes) = next(&mut response, watch).await? {
        events.push(&bytes, &mut done)?;
        for data in done.drain(..) {
            match Event::read(&data)? {
                Event::Delta(delta) => text.push_str(&delta),
                Event::Segment(segment) => {
                    has_segments = true;
                    text.push_str(&segment);
                }
                Event::Done(_) => return Answer::read(&data),
                Event::Other => continue,
            }
            if text.len() > MOST_TEXT {
                return Err(HearingProblem::rubbish(format!("a text of more than {MOST_TEXT} bytes")));
            }
            partly(text.trim());
        }
    }
    match has_segments {
        true => Ok(Answer::of_text(text)),
        false => Err(HearingProblem::CutOff { reason: "the stream ended without its last event".to_owned() }),
    }
}

async fn next(response: &mut Response, watch: &Watch<'_>) -> Result<Option<Bytes>, HearingProblem> {
    let chunk = watch.wait(response.chunk()).await?;
    chunk.map_err(|error| HearingProblem::CutOff { reason: chain(&error) })
}

/// An error with what it comes from: reqwest's own words alone say little. Its address is left out: it is ours.
fn chain(error: &reqwest::Error) -> String {
    let sources = std::iter::successors(std::error::Error::source(error), |error| error.source());
    let text = sources.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if text.is_empty() { error.to_string() } else { text }
}
