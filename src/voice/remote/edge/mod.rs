//! Microsoft's read-aloud service, that of the browser Edge: no key, many voices, word boundaries.
//!
//! One WebSocket for each piece of a clause (the service takes 4096 bytes at a time), MP3 and word boundaries back. The
//! service is meant for the browser; it may change or refuse at any time, so this voice wants another one behind it.

mod messages;
mod settings;
mod socket;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tests;
mod token;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::{SinkExt, StreamExt};
use reqwest::Url;
use rustls::ClientConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::limits::Watch;
use super::saying::Saying;
use super::sound::Coding;
use super::telling::{Listen, Memory, Placing, silent};
use super::text::{cleaned, is_sayable, pieces};
use super::{RemoteProblem, RemoteVoice};
use crate::clock;
use crate::media::Clause;
use crate::voice::{VoiceError, VoiceStyle, primary_language};
use messages::Incoming;
pub use settings::EdgeSettings;
use socket::{Refusal, Socket};

/// Bytes of text, escaped, that the service takes at a time.
const MOST_BYTES: usize = 4096;
/// By how much MP3 delays sound, 46 ms: 576 samples of an encoder's own (LAME's; others differ by a few ms) and the 529
/// of every decoder, at 24 kHz. The service's times are those of the sound before it was encoded.
const MP3_DELAY: u64 = (576 + 529) * 2;
/// The browser's own extension that reads aloud.
const ORIGIN: &str = "chrome-extension://jdiccldimpdaibmpdkjnbmckianbfold";

/// See the module's text. Calls share it.
#[derive(Debug)]
pub struct EdgeVoice {
    name: String,
    settings: EdgeSettings,
    url: Url,
    /// None: the address wants none.
    tls: Option<Arc<ClientConfig>>,
    memory: Mutex<Memory>,
    /// How far the service's clock is ahead of ours.
    skew_seconds: AtomicI64,
}

impl EdgeVoice {
    /// Connects to nothing yet. The settings are valid ([`EdgeSettings::validate`]), or this says why not.
    pub fn new(settings: EdgeSettings) -> Result<Self, VoiceError> {
        Self::with_tls(settings, socket::tls)
    }

    fn with_tls(
        settings: EdgeSettings,
        tls: impl Fn() -> Result<Arc<ClientConfig>, RemoteProblem>,
    ) -> Result<Self, VoiceError> {
        let name = format!("edge {}", settings.voice);
        let failed = |problem| VoiceError::Remote { voice: name.clone(), url: settings.base_url.clone(), problem };
        settings.validate().map_err(|reason| failed(RemoteProblem::Settings { reason }))?;
        let url = Url::parse(&settings.base_url);
        let url = url.map_err(|error| failed(RemoteProblem::Settings { reason: error.to_string() }))?;
        let tls = if url.scheme() == "wss" { Some(tls().map_err(failed)?) } else { None };
        Ok(Self { name, settings, url, tls, memory: Mutex::default(), skew_seconds: AtomicI64::new(0) })
    }

    /// Seconds since 1970 by the service's clock.
    fn now(&self) -> u64 {
        clock::unix_seconds().saturating_add_signed(self.skew_seconds.load(Ordering::Relaxed))
    }

    async fn say(
        &self,
        clause: &Clause,
        speed: f32,
        saying: &mut Saying<'_>,
        watch: &mut Watch<'_>,
        listen: Listen<'_>,
    ) -> Result<(), RemoteProblem> {
        for piece in pieces(&clause.text, MOST_BYTES, messages::size) {
            watch.ask();
            let mut socket = self.connect(watch).await?;
            let date = token::browser_date(self.now());
            let ssml = messages::ssml(&self.settings, speed, piece);
            for message in [messages::config(&date), messages::speech(&unique(), &date, &ssml)] {
                let sent = watch.wait(socket.send(Message::text(message))).await?;
                sent.map_err(|error| RemoteProblem::CutOff { reason: error.to_string() })?;
            }
            if !self.listen(&mut socket, saying, watch, listen).await? {
                return Ok(());
            }
        }
        saying.finish(listen)
    }

    /// Takes one answer; false if nobody listens any more.
    async fn listen(
        &self,
        socket: &mut Socket,
        saying: &mut Saying<'_>,
        watch: &mut Watch<'_>,
        listen: Listen<'_>,
    ) -> Result<bool, RemoteProblem> {
        loop {
            let incoming = loop {
                match watch.wait(socket.next()).await? {
                    Some(Ok(Message::Text(text))) => break messages::text(text.as_str())?,
                    Some(Ok(Message::Binary(bytes))) => break messages::binary(&bytes)?,
                    Some(Ok(Message::Close(frame))) => {
                        let reason = frame.map_or_else(String::new, |frame| format!("{} {}", frame.code, frame.reason));
                        return Err(closed(&reason));
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Err(error @ (Error::Protocol(_) | Error::Utf8(_) | Error::Capacity(_))))
                        if !is_reset(&error) =>
                    {
                        return Err(RemoteProblem::rubbish(error.to_string()));
                    }
                    Some(Err(error)) => return Err(closed(&error.to_string())),
                    None => return Err(closed("")),
                }
            };
            let wanted = match incoming {
                Incoming::Sound(bytes) => {
                    watch.sounds();
                    saying.bytes(&bytes, listen)?
                }
                Incoming::Words(words) => {
                    let mut wanted = true;
                    for word in words {
                        let [start, end] =
                            [word.ticks.start, word.ticks.end].map(|tick| tick.saturating_add(MP3_DELAY));
                        wanted &= saying.boundary(word.text, start..end, listen)?;
                    }
                    wanted
                }
                Incoming::End => return saying.answered(listen),
                Incoming::Other => true,
            };
            if !wanted {
                return Ok(false);
            }
        }
    }

    /// Opens a socket; if the service's clock is another than ours, once more with its time.
    async fn connect(&self, watch: &Watch<'_>) -> Result<Socket, RemoteProblem> {
        let first = watch.wait(socket::connect(&self.address(), &self.headers(), self.tls.as_ref())).await?;
        let (date, problem) = match first {
            Ok(socket) => return Ok(socket),
            Err(Refusal::Other(problem)) => return Err(problem),
            Err(Refusal::Forbidden { date, problem }) => (date, problem),
        };
        let Some(theirs) = date.as_deref().and_then(token::seconds_of) else { return Err(problem) };
        let ours = clock::unix_seconds();
        let skew = i64::try_from(i128::from(theirs) - i128::from(ours)).unwrap_or_default();
        self.skew_seconds.store(skew, Ordering::Relaxed);
        tracing::debug!(skew_seconds = skew, "the read-aloud service refused; asking again with its time");
        match watch.wait(socket::connect(&self.address(), &self.headers(), self.tls.as_ref())).await? {
            Ok(socket) => Ok(socket),
            Err(Refusal::Other(problem) | Refusal::Forbidden { problem, .. }) => Err(problem),
        }
    }

    fn address(&self) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("TrustedClientToken", token::TRUSTED_CLIENT)
            .append_pair("ConnectionId", &unique())
            .append_pair("Sec-MS-GEC", &token::token(self.now()))
            .append_pair("Sec-MS-GEC-Version", &format!("1-{}", self.settings.browser_version));
        url
    }

    fn headers(&self) -> [(&'static str, String); 6] {
        let version = self.settings.browser_version.split('.').next().unwrap_or_default();
        let agent = format!(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/{version}.0.0.0 Safari/537.36 Edg/{version}.0.0.0"
        );
        [
            ("user-agent", agent),
            ("origin", ORIGIN.into()),
            ("pragma", "no-cache".into()),
            ("cache-control", "no-cache".into()),
            ("accept-language", "en-US,en;q=0.9".into()),
            ("cookie", format!("muid={};", unique().to_ascii_uppercase())),
        ]
    }
}

#[async_trait]
impl RemoteVoice for EdgeVoice {
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
            let mut saying = Saying::new(clause, style, volume, Coding::Mp3, Placing::Told, &self.memory);
            match self.say(clause, style.clamped_speed(), &mut saying, &mut watch, listen).await {
                Ok(()) => return Ok(()),
                Err(problem) if saying.has_told() => return Err(failed(problem)),
                Err(problem) => watch.again(problem).await.map_err(failed)?,
            }
        }
    }
}

/// 32 hexadecimal digits that nobody else has.
fn unique() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The service ended the connection before the answer was whole.
fn closed(reason: &str) -> RemoteProblem {
    let reason: String = reason.chars().take(200).map(cleaned).collect();
    let said = reason.to_lowercase();
    let is_unknown = ["unsupported", "invalid", "not found", "unknown"].iter().any(|word| said.contains(word));
    match is_unknown && said.contains("voice") {
        true => RemoteProblem::UnknownVoice { reason },
        false => RemoteProblem::CutOff { reason: if reason.is_empty() { "closed".into() } else { reason } },
    }
}

/// The connection ended without a word.
fn is_reset(error: &Error) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(error, Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))
}
