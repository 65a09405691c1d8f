//! Takes calls: checks that there is room, answers the offer, wires a session and starts it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use signaling::events::{ErrorBody, Session, Voice};
use signaling::{CallAnswer, CallCounts, CallOffer, HostError, SessionHost, Status};
use tokio_util::sync::CancellationToken;

use super::codec::Codec;
use super::keeping::{Begun, Kept};
use super::limits::LimitSettings;
use super::registry::Registry;
use super::settings::{CallSettings, check_voice, conversation};
use super::task::Parts;
use super::wiring::channels;
use crate::clock;
use crate::config::{Config, TurnEndKind};
use crate::engines::Engines;
use crate::hearing::SentSound;
use crate::memory::{Conversation, valid_id};
use crate::peer::{MediaSender, Peer, PeerError};
use crate::playout::{Picture, Stage, StageHandle};
use crate::video::VideoSettings;

/// How long a client is asked to wait when the server is full.
const RETRY_AFTER_SECONDS: u64 = 10;

/// How long a call waits for what was said before.
const MEMORY_PATIENCE: Duration = Duration::from_secs(2);

pub struct Host {
    config: Arc<Config>,
    engines: Arc<Engines>,
    registry: Arc<Registry>,
    started: Instant,
}

impl Host {
    pub fn new(config: Arc<Config>, engines: Arc<Engines>) -> Self {
        let registry = Arc::new(Registry::new(config.server.max_calls, engines.metrics.clone()));
        Self { config, engines, registry, started: clock::now() }
    }

    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    async fn stage(
        &self,
        media: MediaSender,
        with_picture: bool,
        sent: SentSound,
        seed: u64,
    ) -> Result<(Stage, StageHandle), HostError> {
        let engines = self.engines.clone();
        let picture = &self.config.video;
        let video = VideoSettings {
            bitrate_bps: picture.bitrate_bps,
            key_frame_seconds: picture.key_frame_seconds,
            ..VideoSettings::default()
        };
        let build = move || -> Result<_, String> {
            let face = Box::new(engines.face.clone());
            let picture = if with_picture {
                Some(Picture::new(face, &video, seed).map_err(|error| error.to_string())?)
            } else {
                None
            };
            Stage::new(media, picture, sent, engines.metrics.clone()).map_err(|error| error.to_string())
        };
        let built = tokio::task::spawn_blocking(build).await.map_err(|error| error.to_string());
        built.flatten().map_err(HostError::Internal)
    }

    /// What was said before in the conversation whose id the host page gives.
    async fn begun(&self, session: &Session) -> Result<Begun, ErrorBody> {
        let memory = &self.config.memory;
        let id = conversation(session, memory.guessable_ids)?;
        let kept = id.zip(self.engines.memory.clone()).map(|(id, store)| Kept { id, store });
        let mut conversation = Conversation::default();
        if let Some(Kept { id, store }) = &kept {
            let loaded = tokio::time::timeout(MEMORY_PATIENCE, store.load(id, clock::unix_seconds())).await;
            match loaded {
                Ok(Ok(loaded)) => conversation = loaded.unwrap_or_default(),
                // To talk without memory is better than not to talk.
                Ok(Err(error)) => self.engines.metrics.error("conversation_not_found_again", &error),
                Err(_) => self.engines.metrics.error("conversation_not_found_again", &"the store does not answer"),
            }
        }
        Ok(Begun { kept, conversation, budget: memory.history_tokens })
    }

    fn refused(&self, reason: &str) {
        self.engines.metrics.calls_refused.with_label_values(&[reason]).inc();
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
        let mut session = self.default_session();
        let bad =
            |message: String, code: Option<String>| HostError::BadOffer { message, code: code.unwrap_or_default() };
        if let Some(patch) = &offer.session {
            session.apply(patch).map_err(|error| bad(error.message, error.code))?;
        }
        check_voice(&self.engines.voices, &session).map_err(|error| bad(error.message, error.code))?;
        let settings = CallSettings::new(&self.config, &session).map_err(|error| bad(error.message, error.code))?;
        settings.prepare(&self.engines);
        let (peer, answer) = Peer::answer(&self.config.webrtc, &offer.sdp).await.map_err(|error| {
            self.refused(error.code());
            refusal(&error)
        })?;
        let id = signaling::ids::call();
        let sent = SentSound::default();
        let (stage, handle) = self.stage(peer.media.clone(), peer.has_video(), sent.clone(), rand::random()).await?;
        let begun = self.begun(&session).await.map_err(|error| bad(error.message, error.code))?;
        let (senders, receivers) = channels();
        let ear = self.engines.ears.open(settings.detection, sent, senders.ears.clone());
        let ear =
            ear.ok_or_else(|| HostError::Internal("the hearing thread is overloaded: try again in a moment".into()))?;
        let parts = Parts {
            codec: Codec::new(session, &id),
            limits: LimitSettings {
                idle: Duration::from_secs(self.config.server.idle_timeout_seconds),
                longest: Duration::from_secs(self.config.server.max_duration_seconds),
                warning: Duration::from_secs(self.config.server.end_warning_seconds),
            },
            engines: self.engines.clone(),
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
        tracing::info!(call = %id, remote = ?offer.origin.remote, origin = offer.origin.origin, "call taken");
        self.registry.start(&id, slot, parts);
        Ok(CallAnswer { call_id: id, sdp: answer })
    }

    async fn hang_up(&self, call_id: &str) -> Result<(), HostError> {
        if self.registry.hang_up(call_id).await { Ok(()) } else { Err(HostError::NotFound) }
    }

    async fn forget(&self, conversation: &str) -> Result<(), HostError> {
        let Ok(id) = valid_id(conversation, self.config.memory.guessable_ids) else {
            return Err(HostError::NoConversation);
        };
        let Some(memory) = &self.engines.memory else { return Err(HostError::NoConversation) };
        match memory.delete(&id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(HostError::NoConversation),
            Err(error) => Err(HostError::Internal(error.to_string())),
        }
    }

    fn default_session(&self) -> Session {
        let mut session =
            Session::new(signaling::ids::session(), self.config.llm.model.clone(), self.config.tts.voice.clone());
        session.instructions = self.config.llm.system_prompt.clone();
        if self.config.turn.end == TurnEndKind::Thought
            && let Some(detection) = &mut session.audio.input.turn_detection
        {
            detection.kind = "semantic_vad".into();
            detection.eagerness = Some("auto".into());
        }
        session.audio.output.speed = f64::from(self.config.tts.speed);
        session.audio.output.voice = Voice::Named(self.config.tts.voice.clone());
        if self.config.server.max_duration_seconds > 0 {
            session.expires_at = Some(clock::unix_seconds() + self.config.server.max_duration_seconds);
        }
        session
    }

    fn status(&self) -> Status {
        let engines = [
            ("asr", self.config.asr.weight(self.config.asr.speaks_english_alone()).to_owned()),
            ("llm", self.config.llm.model.clone()),
            ("tts", self.config.tts.voice.clone()),
        ];
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            uptime_seconds: (clock::now() - self.started).as_secs(),
            calls: CallCounts {
                active: self.registry.active() as u64,
                limit: self.registry.limit() as u64,
                total: self.registry.total(),
            },
            engines: engines.into_iter().map(|(job, name)| (job.to_owned(), name)).collect(),
            extra: serde_json::Map::new(),
        }
    }

    fn readiness(&self) -> Result<(), String> {
        if self.registry.shutdown.is_cancelled() {
            return Err("the server is shutting down".into());
        }
        self.engines.language.ready()
    }

    fn metrics_text(&self) -> String {
        self.engines.metrics.text()
    }
}

fn refusal(error: &PeerError) -> HostError {
    if error.is_client_fault() {
        HostError::BadOffer { message: error.to_string(), code: error.code().into() }
    } else {
        HostError::Internal(error.to_string())
    }
}
