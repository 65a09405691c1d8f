//! Takes calls: checks that there is room, answers the offer, wires a session and starts it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use signaling::events::{ErrorBody, Session, Voice};
use signaling::{
    Avatar, CallAnswer, CallCounts, CallOffer, Clip, HostError, News, OfferedModel, OfferedVoice, Origins, SPEECH_HZ,
    SessionHost, SpeechWanted, Status,
};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use super::codec::Codec;
use super::keeping::Begun;
use super::limits::LimitSettings;
use super::registry::Registry;
use super::settings::{CallSettings, check_face, check_voice, conversation, known_voice, no_such_face};
use super::task::Parts;
use super::view::{Persona, View};
use super::wiring::channels;
use crate::audio::from_media_rate;
use crate::avatars::{AvatarError, Clips, Listed, Look, NoClip};
use crate::clock;
use crate::config::live::Live;
use crate::config::{Config, SettingsFile, TurnEndKind};
use crate::engines::whole::{self, Manner, WholeError};
use crate::engines::{Engines, voices};
use crate::hearing::SentSound;
use crate::language::Provider;
use crate::log::LogFilter;
use crate::memory::{Conversation, valid_id};
use crate::peer::{MediaSender, Peer, PeerError};
use crate::playout::{Picture, Stage, StageHandle};

/// How long a client is asked to wait when the server is full.
const RETRY_AFTER_SECONDS: u64 = 10;

/// How long a client is asked to wait while others' photos, clips or texts are worked on.
const BUSY_SECONDS: u64 = 5;

/// Texts that are said at a time without a call.
const TEXTS: usize = 2;

/// How long a call waits for what was said before.
const MEMORY_PATIENCE: Duration = Duration::from_secs(2);

pub struct Host {
    pub(super) live: Live,
    /// Where the settings came from.
    pub(super) file: SettingsFile,
    pub(super) log: LogFilter,
    /// Pages that may use the server.
    pub(super) origins: Origins,
    /// Settings change one at a time.
    pub(super) changing: Mutex<()>,
    pub(super) engines: Arc<Engines>,
    registry: Arc<Registry>,
    started: Instant,
    /// Photos are worked on one at a time.
    photos: Semaphore,
    clips: Clips,
    texts: Semaphore,
}

impl Host {
    pub fn new(config: Config, file: SettingsFile, log: LogFilter, origins: Origins, engines: Arc<Engines>) -> Self {
        let registry = Arc::new(Registry::new(config.server.max_calls, engines.metrics.clone()));
        let clips = Clips::new(engines.avatars.clone());
        let (photos, texts) = (Semaphore::new(1), Semaphore::new(TEXTS));
        let (live, changing) = (Live::new(config), Mutex::new(()));
        Self { live, file, log, origins, changing, engines, registry, started: clock::now(), photos, clips, texts }
    }

    /// The settings that hold now.
    pub fn config(&self) -> Arc<Config> {
        self.live.now()
    }

    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    async fn stage(
        &self,
        media: MediaSender,
        look: Option<Look>,
        sent: SentSound,
        seed: u64,
    ) -> Result<(Stage, StageHandle), HostError> {
        let engines = self.engines.clone();
        let build = move || -> Result<_, HostError> {
            let picture = match look {
                Some(look) => {
                    let rest = engines.avatars.rest(&look).map_err(|error| no_such_face(&error))?;
                    Some(Picture::new(&rest, seed).map_err(internal)?)
                }
                None => None,
            };
            Stage::new(media, picture, sent, engines.metrics.clone()).map_err(internal)
        };
        tokio::task::spawn_blocking(build).await.map_err(internal)?
    }

    /// What was said before in the conversation whose id the host page gives.
    async fn begun(&self, config: &Config, session: &Session) -> Result<Begun, ErrorBody> {
        let memory = &config.memory;
        let id = conversation(session, memory.guessable_ids)?;
        let kept = id.zip(self.engines.memory.as_ref()).map(|(id, shelf)| shelf.take(id));
        let mut conversation = Conversation::default();
        if let Some(kept) = &kept {
            let loaded = tokio::time::timeout(MEMORY_PATIENCE, kept.load(clock::unix_seconds())).await;
            match loaded {
                Ok(Ok(loaded)) => conversation = loaded,
                // To talk without memory is better than not to talk.
                Ok(Err(error)) => self.engines.metrics.error("conversation_not_found_again", &error),
                Err(_) => self.engines.metrics.error("conversation_not_found_again", &"the store does not answer"),
            }
        }
        Ok(Begun { kept, conversation, budget: memory.history_tokens })
    }

    fn shown(&self, listed: Listed) -> Avatar {
        let Listed { name: id, kind, title: name, author, licence, built_in } = listed;
        let default = id == self.config().avatar.name;
        Avatar { id, object: "avatar", name, kind: kind.name().into(), author, licence, built_in, default }
    }

    /// How something is said without a call: by this voice alone, else by the configured ones.
    fn manner(&self, named: Option<Arc<str>>, speed: f32) -> Manner {
        let by = named.map_or_else(|| self.config().tts.choice(), |name| [name].into());
        Manner { by, speed, language: self.config().language.clone() }
    }

    /// What this server can do beyond calls.
    fn features(&self) -> Vec<String> {
        let (uploads, memory) = (self.config().avatar.uploads, self.engines.memory.is_some());
        let all = [("say", true), ("admin", true), ("uploads", uploads), ("memory", memory)];
        all.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned()).collect()
    }

    fn refused(&self, reason: &str) {
        self.engines.metrics.calls_refused.with_label_values(&[reason]).inc();
        self.engines.metrics.news.post(|| News::CallRefused { reason: reason.to_owned() });
    }
}

impl SessionHost for Host {
    async fn create_call(&self, offer: CallOffer) -> Result<CallAnswer, HostError> {
        if self.registry.shutdown.is_cancelled() {
            self.refused("shutting_down");
            return Err(HostError::ShuttingDown);
        }
        let Some(slot) = self.registry.slot() else {
            self.refused("full");
            return Err(HostError::Full { retry_after_seconds: RETRY_AFTER_SECONDS });
        };
        let config = self.config();
        let mut session = self.default_session();
        if let Some(patch) = &offer.session {
            session.apply(patch)?;
        }
        check_face(&self.engines.avatars, &session)?;
        check_voice(&self.engines.voices, &session)?;
        let settings = CallSettings::new(&config, &session)?;
        settings.prepare(&self.engines);
        let (peer, answer) = Peer::answer(&config.webrtc, &offer.sdp).await.map_err(|error| {
            self.refused(error.code());
            refusal(&error)
        })?;
        peer.watch(&self.engines.metrics.queues);
        let id = signaling::ids::call();
        let sent = SentSound::default();
        let look = peer.has_video().then(|| settings.look.clone());
        let (stage, handle) = self.stage(peer.media.clone(), look, sent.clone(), rand::random()).await?;
        let begun = self.begun(&config, &session).await?;
        let (senders, receivers) = channels(&self.engines.metrics.queues);
        let ear = self.engines.ears.open(settings.detection, sent, senders.ears.clone());
        let ear =
            ear.ok_or_else(|| HostError::Internal("the hearing thread is overloaded: try again in a moment".into()))?;
        let persona = Persona {
            avatar: settings.look.name.clone(),
            voice: session.audio.output.voice.name().to_owned(),
            language: settings.dialogue.language.clone(),
        };
        tracing::info!(call = %id, remote = ?offer.origin.remote, origin = offer.origin.origin, "call taken");
        let view = View::new(&id, offer.origin, persona, peer.meter(), self.engines.metrics.clone());
        let parts = Parts {
            view: Arc::new(view),
            codec: Codec::new(session, &id),
            limits: LimitSettings {
                idle: Duration::from_secs(config.server.idle_timeout_seconds),
                longest: Duration::from_secs(config.server.max_duration_seconds),
                warning: Duration::from_secs(config.server.end_warning_seconds),
            },
            engines: self.engines.clone(),
            model: self.engines.language(),
            begun,
            stop: CancellationToken::new(),
            shutdown: self.registry.shutdown.clone(),
            peer,
            stage,
            handle,
            ear,
            senders,
            receivers,
            settings,
        };
        self.registry.start(slot, parts);
        Ok(CallAnswer { call_id: id, sdp: answer })
    }

    async fn hang_up(&self, call_id: &str) -> Result<(), HostError> {
        if self.registry.hang_up(call_id).await { Ok(()) } else { Err(HostError::NotFound) }
    }

    async fn forget(&self, conversation: &str) -> Result<(), HostError> {
        let Ok(id) = valid_id(conversation, self.config().memory.guessable_ids) else {
            // Nothing can be kept under it.
            return Ok(());
        };
        let Some(memory) = &self.engines.memory else { return Ok(()) };
        memory.delete(&id).await.map(drop).map_err(internal)
    }

    async fn avatars(&self) -> Result<Vec<Avatar>, HostError> {
        let avatars = self.engines.avatars.clone();
        let listed = tokio::task::spawn_blocking(move || avatars.list()).await.map_err(internal)?;
        Ok(listed.into_iter().map(|listed| self.shown(listed)).collect())
    }

    async fn avatar_picture(&self, id: &str) -> Result<Vec<u8>, HostError> {
        let (avatars, id) = (self.engines.avatars.clone(), id.to_owned());
        let drawn =
            move || if avatars.knows(&id) { avatars.picture(&id).map_err(internal) } else { Err(HostError::NoAvatar) };
        tokio::task::spawn_blocking(drawn).await.map_err(internal)?
    }

    async fn avatar_clip(&self, id: &str) -> Result<Clip, HostError> {
        let (avatars, name) = (self.engines.avatars.clone(), id.to_owned());
        if !tokio::task::spawn_blocking(move || avatars.knows(&name)).await.map_err(internal)? {
            return Err(HostError::NoAvatar);
        }
        match self.clips.of(id, &self.engines.voices, &self.manner(None, 1.0)).await {
            Ok(clip) => Ok(Clip { mp4: clip.mp4, tag: clip.tag }),
            Err(NoClip::Busy) => Err(HostError::Busy { retry_after_seconds: BUSY_SECONDS }),
            Err(error) => Err(internal(error)),
        }
    }

    fn voices(&self) -> Vec<OfferedVoice> {
        let offered = self.engines.voices.offered(&self.config().tts.choice()).into_iter();
        let voice = |listed: voices::Listed| OfferedVoice {
            object: "voice",
            name: listed.title(),
            languages: Some(listed.language).filter(|language| !language.is_empty()).into_iter().collect(),
            default: *listed.name == self.config().tts.voice,
            id: listed.name.to_string(),
        };
        offered.map(voice).collect()
    }

    fn models(&self) -> Vec<OfferedModel> {
        let created = clock::unix_seconds() - (clock::now() - self.started).as_secs();
        let mut models: Vec<OfferedModel> = Vec::new();
        for endpoint in self.config().llm.endpoints() {
            let owned_by = match endpoint.provider {
                Provider::Local => "local",
                Provider::OpenAi => "remote",
            };
            if models.iter().all(|model| model.id != endpoint.model) {
                models.push(OfferedModel { id: endpoint.model, object: "model", created, owned_by: owned_by.into() });
            }
        }
        models
    }

    async fn speak(&self, wanted: SpeechWanted) -> Result<Vec<i16>, HostError> {
        let voices = &self.engines.voices;
        let named = wanted.voice.map(|name| known_voice(voices, &name, "voice")).transpose()?.flatten();
        let Ok(_turn) = self.texts.try_acquire() else {
            return Err(HostError::Busy { retry_after_seconds: BUSY_SECONDS });
        };
        let said = whole::say(voices, &wanted.input, &self.manner(named, wanted.speed as f32)).await;
        let speech = said.map_err(|error| match error {
            WholeError::NothingToSay => {
                let message = "'input' has no words that can be spoken.";
                ErrorBody::invalid("invalid_value", message).with_param("input").into()
            }
            WholeError::Failed(reason) => HostError::Voice(reason),
            WholeError::Overloaded(_) => HostError::Busy { retry_after_seconds: BUSY_SECONDS },
        })?;
        let resample = move || from_media_rate(&speech.pcm, SPEECH_HZ);
        tokio::task::spawn_blocking(resample).await.map_err(internal)?.map_err(internal)
    }

    async fn add_avatar(&self, photo: Vec<u8>) -> Result<Avatar, HostError> {
        if !self.config().avatar.uploads {
            return Err(HostError::NoUploads);
        }
        let Ok(_turn) = self.photos.try_acquire() else {
            return Err(HostError::Busy { retry_after_seconds: BUSY_SECONDS });
        };
        let avatars = self.engines.avatars.clone();
        let taken = tokio::task::spawn_blocking(move || avatars.take(&photo)).await.map_err(internal)?;
        match taken {
            Ok(listed) => Ok(self.shown(listed)),
            Err(AvatarError::Portrait { source, .. }) => Err(source
                .code()
                .map_or_else(|| internal(&source), |code| ErrorBody::invalid(code, format!("{source}.")).into())),
            Err(error) => Err(internal(error)),
        }
    }

    async fn remove_avatar(&self, id: &str) -> Result<(), HostError> {
        self.clips.forget(id);
        let (avatars, id) = (self.engines.avatars.clone(), id.to_owned());
        match tokio::task::spawn_blocking(move || avatars.forget(&id)).await.map_err(internal)? {
            Ok(true) => Ok(()),
            Ok(false) => Err(HostError::NoAvatar),
            Err(error) => Err(internal(error)),
        }
    }

    fn default_session(&self) -> Session {
        let config = self.config();
        let mut session = Session::new(signaling::ids::session(), config.llm.model.clone(), config.tts.voice.clone());
        session.instructions = config.llm.system_prompt.clone();
        if config.turn.end == TurnEndKind::Thought
            && let Some(detection) = &mut session.audio.input.turn_detection
        {
            detection.kind = "semantic_vad".into();
            detection.eagerness = Some("auto".into());
        }
        // As it stands in the file: 1.2, not 1.2000000476837158.
        session.audio.output.speed = (f64::from(config.tts.speed) * 1000.0).round() / 1000.0;
        session.audio.output.voice = Voice::Named(config.tts.voice.clone());
        let avatar = json!({
            "type": "video-avatar",
            "character": config.avatar.name,
            "mark": config.avatar.mark,
        });
        session.avatar = avatar.as_object().cloned();
        if config.server.max_duration_seconds > 0 {
            session.expires_at = Some(clock::unix_seconds() + config.server.max_duration_seconds);
        }
        session
    }

    fn status(&self) -> Status {
        let config = self.config();
        let engines = [
            ("asr", config.asr.weight(config.asr.speaks_english_alone()).to_owned()),
            ("llm", config.llm.model.clone()),
            ("tts", config.tts.voice.clone()),
        ];
        let languages = config.asr.languages(&config.language).map_or(Vec::new(), |all| all.codes());
        let memory = self.engines.memory.as_ref();
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            uptime_seconds: (clock::now() - self.started).as_secs(),
            calls: CallCounts {
                active: self.registry.active() as u64,
                limit: self.registry.limit() as u64,
                total: self.registry.total(),
            },
            engines: engines.into_iter().map(|(job, name)| (job.to_owned(), name)).collect(),
            features: self.features(),
            languages: languages.into_iter().map(str::to_owned).collect(),
            conversation_days: memory.map(|_| config.memory.days).filter(|days| *days > 0),
            persona: signaling::Persona { greeting: config.llm.greeting.clone() },
            extra: serde_json::Map::new(),
        }
    }

    fn readiness(&self) -> Result<(), String> {
        if self.registry.shutdown.is_cancelled() {
            return Err("the server is shutting down".into());
        }
        self.engines.language().ready()
    }

    fn metrics_text(&self) -> String {
        self.engines.metrics.text()
    }
}

fn internal(error: impl std::fmt::Display) -> HostError {
    HostError::Internal(error.to_string())
}

fn refusal(error: &PeerError) -> HostError {
    if error.is_client_fault() {
        ErrorBody::invalid(error.code(), error.to_string()).into()
    } else {
        HostError::Internal(error.to_string())
    }
}
