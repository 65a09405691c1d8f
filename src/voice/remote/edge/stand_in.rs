//! A stand-in for Microsoft's service, for tests: TLS with a certificate made for it, the service's own checks of token
//! and headers by its own clock, and for each connection what a test wants it to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use futures::{SinkExt, StreamExt};
use reqwest::Url;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig, crypto::ring};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message, http};

use super::socket::Stream;
use super::token;
use crate::clock;

/// What it does on one connection.
#[derive(Clone)]
pub enum Act {
    /// Refuses the handshake with this status, no matter what was sent.
    Refuse(u16),
    /// Accepts, reads the request and does this.
    Answer(Vec<Step>),
}

#[derive(Clone)]
pub enum Step {
    Say(Message),
    /// Ends the connection politely, with a code and a reason.
    Close(u16, &'static str),
    /// Ends it without a word.
    Break,
    /// Does nothing until the client goes.
    Stall,
}

/// What came over one connection that was accepted.
#[derive(Clone, Debug)]
pub struct Heard {
    pub config: String,
    pub speech: String,
}

/// See the module's text.
pub struct StandIn {
    pub url: String,
    /// Trusts it and nobody else.
    pub tls: Arc<ClientConfig>,
    heard: Arc<Mutex<Vec<Heard>>>,
    /// Connections of which the client went away while the stand-in stalled.
    pub gone: mpsc::Receiver<()>,
    connections: Arc<Mutex<usize>>,
    _server: JoinSet<()>,
}

struct Server {
    acts: Mutex<VecDeque<Act>>,
    ahead_seconds: i64,
    heard: Arc<Mutex<Vec<Heard>>>,
    gone: mpsc::Sender<()>,
    connections: Arc<Mutex<usize>>,
    /// None: plain sockets.
    tls: Option<TlsAcceptor>,
}

impl StandIn {
    /// Its clock is `ahead_seconds` ahead of ours; `acts` are done in order, one a connection.
    pub async fn start(ahead_seconds: i64, acts: impl IntoIterator<Item = Act>) -> Self {
        Self::serving("wss", ahead_seconds, acts.into_iter().collect()).await
    }

    /// As a proxy nearby, without TLS.
    pub async fn plain(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::serving("ws", 0, acts.into_iter().collect()).await
    }

    async fn serving(scheme: &str, ahead_seconds: i64, acts: VecDeque<Act>) -> Self {
        let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let (der, key) = (certificate.cert.der().clone(), certificate.signing_key.serialize_der());
        let provider = Arc::new(ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![der.clone()], PrivateKeyDer::Pkcs8(key.into()))
            .expect("TLS");
        let mut roots = RootCertStore::empty();
        roots.add(der).expect("a root");
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (gone, gone_receiver) = mpsc::channel(64);
        let (heard, connections) = (Arc::<Mutex<Vec<Heard>>>::default(), Arc::<Mutex<usize>>::default());
        let server = Arc::new(Server {
            acts: Mutex::new(acts),
            ahead_seconds,
            heard: Arc::clone(&heard),
            gone,
            connections: Arc::clone(&connections),
            tls: (scheme == "wss").then(|| TlsAcceptor::from(Arc::new(server))),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let server = Arc::clone(&server);
                clients.spawn(async move { server.serve(tcp).await });
            }
        });
        let url = format!("{scheme}://localhost:{port}/consumer/edge/v1");
        Self { url, tls: Arc::new(client), heard, gone: gone_receiver, connections, _server: tasks }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("heard").clone()
    }

    pub fn connections(&self) -> usize {
        *self.connections.lock().expect("connections")
    }
}

impl Server {
    async fn serve(&self, tcp: TcpStream) {
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(tcp),
            Some(tls) => {
                let Ok(stream) = tls.accept(tcp).await else { return };
                Box::new(stream)
            }
        };
        *self.connections.lock().expect("connections") += 1;
        let mut steps = Vec::new();
        #[expect(clippy::result_large_err, reason = "the type of tungstenite's callback")]
        let check = |request: &Request, response: Response| {
            self.check(request)?;
            match self.acts.lock().expect("acts").pop_front() {
                Some(Act::Refuse(status)) => Err(self.refusal(status, "not now")),
                Some(Act::Answer(answer)) => {
                    steps = answer;
                    Ok(response)
                }
                None => Err(self.refusal(410, "the test has nothing more for you")),
            }
        };
        let Ok(mut socket) = accept_hdr_async(stream, check).await else { return };
        let Some(Ok(Message::Text(config))) = socket.next().await else { return };
        let Some(Ok(Message::Text(speech))) = socket.next().await else { return };
        let heard = Heard { config: config.to_string(), speech: speech.to_string() };
        self.heard.lock().expect("heard").push(heard);
        for step in steps {
            let sent = match step {
                Step::Say(message) => socket.send(message).await,
                Step::Close(code, reason) => {
                    socket.send(Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))).await
                }
                Step::Break => return,
                Step::Stall => {
                    while let Some(Ok(_)) = socket.next().await {}
                    let _ = self.gone.send(()).await;
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
        // Until the client has all and goes.
        while let Some(Ok(_)) = socket.next().await {}
    }

    fn now(&self) -> u64 {
        clock::unix_seconds().saturating_add_signed(self.ahead_seconds)
    }

    #[expect(clippy::result_large_err, reason = "the type of tungstenite's callback")]
    fn check(&self, request: &Request) -> Result<(), ErrorResponse> {
        let url = Url::parse("wss://localhost").and_then(|base| base.join(&request.uri().to_string())).expect("a URL");
        let asked = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_hex = |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
        let muid = header("cookie").trim_start_matches("muid=").trim_end_matches(';');
        // A token holds while the five minutes change.
        let now = self.now();
        let tokens = [token::token(now), token::token(now.saturating_sub(60))];
        let checks = [
            url.path() == "/consumer/edge/v1",
            asked("TrustedClientToken").as_deref() == Some("6A5AA1D4EAFF4E9FB37E23D68491D6F4"),
            asked("Sec-MS-GEC").is_some_and(|token| tokens.contains(&token)),
            asked("Sec-MS-GEC-Version").is_some_and(|version| version.starts_with("1-143.")),
            asked("ConnectionId").is_some_and(|id| is_hex(&id)),
            header("user-agent").ends_with("Edg/143.0.0.0"),
            header("origin") == "chrome-extension://jdiccldimpdaibmpdkjnbmckianbfold",
            is_hex(muid) && muid.to_ascii_uppercase() == muid,
        ];
        if checks.contains(&false) { Err(self.refusal(403, "")) } else { Ok(()) }
    }

    fn refusal(&self, status: u16, reason: &str) -> ErrorResponse {
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.now()));
        let response = http::Response::builder().status(status).header("date", date);
        response.body((!reason.is_empty()).then(|| reason.to_owned())).expect("a response")
    }
}

/// A text message.
pub fn text(path: &str, body: &str) -> Step {
    let headers = format!("X-RequestId:0123\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}");
    Step::Say(Message::text(format!("{headers}\r\n\r\n{body}")))
}

/// A message of sound.
pub fn sound(mp3: &[u8]) -> Step {
    framed("X-RequestId:0123\r\nContent-Type:audio/mpeg\r\nX-StreamId:AB\r\nPath:audio\r\n", mp3)
}

fn framed(headers: &str, sound: &[u8]) -> Step {
    let length = (headers.len() as u16).to_be_bytes();
    Step::Say(Message::binary([&length, headers.as_bytes(), sound].concat()))
}

/// Word boundaries of (text, from, to) in milliseconds, each in a message of its own.
pub fn boundaries(words: &[(&str, u64, u64)]) -> Vec<Step> {
    let boundary = |&(word, from, to): &(&str, u64, u64)| {
        let text = serde_json::json!({"Text": word, "Length": word.len(), "BoundaryType": "WordBoundary"});
        let data = serde_json::json!({"Offset": from * 10_000, "Duration": (to - from) * 10_000, "text": text});
        text_of("audio.metadata", &serde_json::json!({"Metadata": [{"Type": "WordBoundary", "Data": data}]}))
    };
    words.iter().map(boundary).collect()
}

fn text_of(path: &str, body: &serde_json::Value) -> Step {
    text(path, &body.to_string())
}

/// What comes before sound.
pub fn start() -> Vec<Step> {
    vec![text("turn.start", "{\"context\":{}}"), text("response", "{\"context\":{}}")]
}

/// `mp3` in messages of odd sizes.
pub fn sounds(mp3: &[u8]) -> Vec<Step> {
    let sizes = [1, 700, 13, 2_048, 143, 145, 2, 999];
    let mut rest = mp3;
    let mut steps = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at(rest.len().min(*size));
        steps.push(sound(now));
        rest = later;
    }
    steps
}

/// What comes after it.
pub fn end() -> Vec<Step> {
    vec![framed("X-RequestId:0123\r\nX-StreamId:AB\r\nPath:audio\r\n", &[]), text("turn.end", "{}")]
}
