//! Streams an answer from the first endpoint that gives one.
//!
//! Stands between the dialogue's prompt and its tokens. An endpoint that fails before its first piece is followed by
//! the next; what is under way stays where it is, and its failure is the answer's, for what was said stands. Those
//! that failed often of late come last. Dropping the stream closes the connection, which ends the generation.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};

use super::chat::{Piece, Question};
use super::endpoint::{Begun, Endpoint};
use super::{LanguageError, LanguageSettings, LocalServer};
use crate::clock;
use crate::metrics::Metrics;

/// A server that does not take a connection within this is not reached.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);

/// The configured models. Cheap to clone; connections are pooled.
#[derive(Clone)]
pub struct LanguageModel(Arc<Shared>);

struct Shared {
    settings: LanguageSettings,
    local: Option<LocalServer>,
    /// The weight that it serves.
    local_model: Option<String>,
    /// In the order in which they are asked; at least one.
    endpoints: Vec<Arc<Endpoint>>,
    metrics: Arc<Metrics>,
}

impl LanguageModel {
    /// `local` is the server that is asked as the local one. Keys are taken from the environment now.
    pub fn new(
        settings: LanguageSettings,
        local: Option<LocalServer>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, LanguageError> {
        let local_model = settings.local_model();
        Self::made(settings, local, local_model, metrics)
    }

    /// The same with other settings, of which the local server's stay as they are.
    pub fn with(&self, settings: LanguageSettings) -> Result<Self, LanguageError> {
        let Shared { local, local_model, metrics, .. } = &*self.0;
        Self::made(settings, local.clone(), local_model.clone(), metrics.clone())
    }

    /// The weight that the local server serves, if there is one.
    pub fn local_model(&self) -> Option<&String> {
        self.0.local_model.as_ref()
    }

    fn made(
        settings: LanguageSettings,
        local: Option<LocalServer>,
        local_model: Option<String>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, LanguageError> {
        let client = || {
            let redirect = reqwest::redirect::Policy::none();
            reqwest::Client::builder().connect_timeout(CONNECT_LIMIT).redirect(redirect)
        };
        let build = |client: reqwest::ClientBuilder| {
            client.build().map_err(|error| LanguageError::Settings(format!("no HTTP client can be made: {error}")))
        };
        // A machine's proxy is not for what runs beside us.
        let (remote, beside) = (build(client())?, build(client().no_proxy())?);
        let environment = |name: &str| std::env::var(name).ok();
        let endpoints = settings.endpoints().into_iter().map(|endpoint| {
            let is_local = endpoint.provider == super::Provider::Local;
            let http = if is_local { beside.clone() } else { remote.clone() };
            Endpoint::new(endpoint, local.clone(), http, &environment, metrics.clone())
                .map(Arc::new)
                .map_err(|reason| LanguageError::Settings(format!("llm, {reason}")))
        });
        let endpoints = endpoints.collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Shared { settings, local, local_model, endpoints, metrics })))
    }

    pub fn settings(&self) -> &LanguageSettings {
        &self.0.settings
    }

    /// Whether an answer could be asked for now; the reason if not.
    pub fn ready(&self) -> Result<(), String> {
        let mut result = Ok(());
        for endpoint in &self.0.endpoints {
            match endpoint.base_url() {
                Ok(_) => return Ok(()),
                Err(error) => result = Err(error.to_string()),
            }
        }
        result
    }

    /// Asks for an answer. The stream ends after the last piece or the first error.
    pub fn answer(&self, question: Question) -> impl Stream<Item = Result<Piece, LanguageError>> + Send + use<> {
        let model = self.clone();
        stream::once(async move { model.begin(question).await }).flat_map(|begun| match begun {
            Ok(Begun { first, rest }) => {
                let rest = stream::unfold(rest, |mut rest| async move { Some((rest.next().await?, rest)) });
                stream::iter(first.map(Ok)).chain(rest).left_stream()
            }
            Err(error) => stream::once(async move { Err(error) }).right_stream(),
        })
    }

    async fn begin(&self, question: Question) -> Result<Begun, LanguageError> {
        let (endpoints, allowed) = self.order(question.model.as_deref());
        let mut failed = None;
        for (index, endpoint) in endpoints.iter().enumerate() {
            if let Some(error) = &failed {
                self.0.metrics.language_failovers.with_label_values(&[&endpoint.name]).inc();
                tracing::warn!(%error, next = endpoint.name, "a language model failed; the next one is asked");
            }
            // What is left alone is hardly worth being in a hurry for.
            let is_last = index + 1 >= allowed;
            match endpoint.begin(&question, is_last).await {
                Ok(begun) => return Ok(begun),
                Err(error) => {
                    endpoint.failed(&error);
                    failed = Some(error);
                }
            }
        }
        Err(failed.unwrap_or_else(|| LanguageError::Settings("llm: there is no endpoint".to_owned())))
    }

    /// The endpoints as they are to be asked now, that of `model` first, and how many of them are not to be left alone.
    fn order(&self, model: Option<&str>) -> (Vec<Arc<Endpoint>>, usize) {
        let now = clock::now();
        let mut endpoints = self.0.endpoints.clone();
        if let Some(index) = endpoints.iter().position(|endpoint| Some(endpoint.model()) == model) {
            endpoints[..=index].rotate_right(1);
        }
        let (mut allowed, others): (Vec<_>, Vec<_>) =
            endpoints.into_iter().partition(|endpoint| endpoint.is_allowed(now));
        let count = allowed.len();
        allowed.extend(others);
        (allowed, count)
    }

    /// Lets the local server, which keeps processed prompts, process what is known of the next one, so that the answer
    /// to it begins sooner; nothing happens where another server would be asked. The last message may be the person's,
    /// unfinished: of what was read, all counts that the next prompt begins with too, its tools among it. Answers go
    /// first, whoever asks for them. Dropping this ends it, as is due when more is known: of two for one conversation
    /// the later takes up what the earlier has read.
    pub async fn read_ahead(&self, question: impl Into<Question>) {
        let question = question.into();
        let first = self.order(question.model.as_deref()).0.into_iter().next();
        let Some(endpoint) = first.filter(|first| first.is_local()) else { return };
        let error = match endpoint.read_ahead(&question).await {
            Ok(mut answer) => loop {
                match answer.next().await {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break error,
                    None => return,
                }
            },
            Err(error) => error,
        };
        tracing::debug!(%error, "the prompt was not read ahead");
    }
}
