//! The server as its admin sees it: the calls, the news, and settings that change while it runs.
//!
//! A change is planned (`config`), proved against what the server has (voices, faces, the language model), written
//! down, and only then taken over; one at a time.

use std::net::IpAddr;

use futures::{Stream, StreamExt, stream};
use serde_json::Value;
use signaling::{Call, ChangeRefused, HostError, News, Operation, SettingWords, Settings};

use super::host::Host;
use crate::avatars::Look;
use crate::clock;
use crate::config::live::LIVE;
use crate::config::{Change, Refused, reference, shown};
use crate::language::LanguageModel;

impl Host {
    /// Reads the settings' file again.
    pub async fn reload(&self) {
        let _turn = self.changing.lock().await;
        let change = match self.file.again(&self.config()) {
            Ok(change) => self.take_over(change).await,
            Err(refused) => Err(refused),
        };
        match change {
            Ok(changed) => tracing::info!(?changed, "the settings were read again"),
            Err(refused) => tracing::error!(%refused, "the settings stay as they were"),
        }
    }

    /// Proves, keeps and uses new settings; gives the paths of what changed.
    async fn take_over(&self, change: Change) -> Result<Vec<String>, Refused> {
        let model = self.prove(&change).await?;
        self.file.keep(&change)?;
        let Change { config, changed, .. } = change;
        self.registry().set_limit(config.server.max_calls);
        self.log.set(&config.log.filter);
        if let Ok(origins) = config.server.origins() {
            self.origins.set(origins);
        }
        if let Some(model) = model {
            self.engines.set_language(model);
        }
        self.live.set(config);
        if !changed.is_empty() {
            self.engines.metrics.news.post(|| News::Config { changed: changed.clone() });
        }
        Ok(changed)
    }

    /// What a start with these settings would check; gives the language model if it is another one.
    async fn prove(&self, change: &Change) -> Result<Option<LanguageModel>, Refused> {
        let (engines, old, new) = (&self.engines, self.config(), &change.config);
        if new.tts.voice != old.tts.voice {
            let voice = &new.tts.voice;
            let loading = engines.voices.load(voice).ok_or_else(|| {
                let known: Vec<String> = engines.voices.list().iter().map(|listed| listed.name.to_string()).collect();
                let words = format!("tts.voice is \"{voice}\", which is not here; there are {}", known.join(", "));
                Refused::invalid("tts.voice", words)
            })?;
            let loading = loading.map_err(|error| Refused::invalid("tts.voice", error.to_string()))?;
            if let Ok(Err(error)) = loading.await {
                return Err(Refused::invalid("tts.voice", format!("the voice \"{voice}\" cannot be loaded: {error}")));
            }
        }
        if new.avatar.name != old.avatar.name {
            let (avatars, look) = (engines.avatars.clone(), Look::of(&new.avatar.name));
            let seen = tokio::task::spawn_blocking(move || avatars.rest(&look).map(drop)).await;
            let seen =
                seen.map_err(|_| Refused::invalid("avatar.name", "the face's thread ended while it was loading"))?;
            seen.map_err(|error| Refused::invalid("avatar.name", format!("avatar.name: {error}")))?;
        }
        if new.llm == old.llm {
            return Ok(None);
        }
        let language = engines.language();
        if new.llm.local_model().is_some_and(|model| language.local_model() != Some(&model)) {
            // Its weights are loaded by a process that is started with the server.
            return Err(Refused::NotLive(vec!["llm.model".into()]));
        }
        language.with(new.llm.clone()).map(Some).map_err(|error| {
            let path = change.changed.iter().find(|path| path.starts_with("llm."));
            Refused::Invalid { path: path.cloned(), reason: error.to_string() }
        })
    }

    fn settings(&self) -> Settings {
        let live = LIVE.iter().filter(|path| self.file.is_live(path)).map(|path| (*path).to_owned());
        let words = reference::words().into_iter().map(|(path, words)| SettingWords { path, words });
        Settings { config: shown(&self.config()), live: live.collect(), words: words.collect() }
    }
}

impl Operation for Host {
    fn calls(&self) -> Vec<Call> {
        self.registry().views().iter().map(|view| view.call()).collect()
    }

    async fn end_call(&self, id: &str) -> Result<(), HostError> {
        if self.registry().end(id).await { Ok(()) } else { Err(HostError::NotFound) }
    }

    fn news(&self) -> impl Stream<Item = News> + Send + use<> {
        let hello = News::Hello { version: env!("CARGO_PKG_VERSION").into(), now: clock::unix_seconds() };
        // What happens from now on, and not from the first look on.
        let news = self.engines.metrics.news.read();
        let end = self.registry().shutdown.clone().cancelled_owned();
        stream::once(async { hello }).chain(news).take_until(end)
    }

    fn config(&self) -> Settings {
        self.settings()
    }

    async fn change_config(&self, patch: Value) -> Result<Settings, ChangeRefused> {
        let _turn = self.changing.lock().await;
        let patch = patch.as_object().cloned().unwrap_or_default();
        let change = self.file.patched(&Host::config(self), &patch).map_err(told)?;
        let changed = self.take_over(change).await.map_err(told)?;
        tracing::info!(?changed, "an admin changed settings");
        Ok(self.settings())
    }

    fn wrong_key(&self, remote: Option<IpAddr>) {
        let from = remote.map_or("an address that is not known".to_owned(), |remote| remote.to_string());
        self.engines.metrics.error("admin_key", &format!("a wrong key came from {from}"));
    }
}

fn told(refused: Refused) -> ChangeRefused {
    let message = format!("{}.", refused.to_string().trim_end_matches('.'));
    match refused {
        Refused::Invalid { path, .. } => ChangeRefused::Invalid { param: path, message },
        Refused::NotLive(paths) => {
            ChangeRefused::NotLive { param: paths.into_iter().next().unwrap_or_default(), message }
        }
        Refused::NotKept(_) => ChangeRefused::NotKept(message),
    }
}
