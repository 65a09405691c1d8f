//! A WebSocket to Microsoft's read-aloud service, over TLS (`wss`) or, to a proxy nearby, without (`ws`).

use std::sync::Arc;

use reqwest::Url;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, header};
use tokio_tungstenite::tungstenite::{Error, protocol::WebSocketConfig};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::super::RemoteProblem;
use super::super::text::cleaned;

/// Messages of the service have a few kilobytes.
const LONGEST_MESSAGE: usize = 1 << 20;
const READ_BUFFER: usize = 16 << 10;
/// Of what a refusal says.
const REASON_CHARS: usize = 160;

/// TCP, with TLS or without.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub type Socket = WebSocketStream<Box<dyn Stream>>;

/// Why there is no socket.
#[derive(Debug)]
pub enum Refusal {
    /// Status 403, and the date of the refusal: the token may be of another time.
    Forbidden {
        date: Option<String>,
        problem: RemoteProblem,
    },
    Other(RemoteProblem),
}

/// TLS that trusts what the system trusts.
pub fn tls() -> Result<Arc<ClientConfig>, RemoteProblem> {
    let wrong = |error: rustls::Error| RemoteProblem::Certificates { reason: error.to_string() };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_platform_verifier()
        .map_err(wrong)?;
    Ok(Arc::new(config.with_no_client_auth()))
}

/// Opens one. `headers` go with the request; without `tls` it is a plain one.
pub async fn connect(
    url: &Url,
    headers: &[(&'static str, String)],
    tls: Option<&Arc<ClientConfig>>,
) -> Result<Socket, Refusal> {
    let unreachable =
        |error: &dyn std::fmt::Display| Refusal::Other(RemoteProblem::Unreachable { reason: error.to_string() });
    let host = url.host_str().unwrap_or_default();
    let port = url.port().unwrap_or(if tls.is_some() { 443 } else { 80 });
    // Brackets are of the URL, not of the address.
    let host = host.trim_matches(['[', ']']);
    let mut request = url.as_str().into_client_request().map_err(|error| unreachable(&error))?;
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).map_err(|error| unreachable(&error))?;
        request.headers_mut().insert(HeaderName::from_static(name), value);
    }
    let tcp = TcpStream::connect((host, port)).await.map_err(|error| unreachable(&error))?;
    tcp.set_nodelay(true).map_err(|error| unreachable(&error))?;
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(tcp),
        Some(tls) => {
            let name = ServerName::try_from(host.to_owned()).map_err(|error| unreachable(&error))?;
            let connected = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await;
            Box::new(connected.map_err(|error| unreachable(&error))?)
        }
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE));
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => {
            let body = response.body().as_deref().unwrap_or_default();
            let said: String = String::from_utf8_lossy(body).chars().take(REASON_CHARS).map(cleaned).collect();
            let reason = match said.trim() {
                "" => response.status().canonical_reason().unwrap_or("no reason given").to_owned(),
                said => said.to_owned(),
            };
            let status = response.status().as_u16();
            let problem = RemoteProblem::Refused { status, reason, again_millis: None };
            let date = response.headers().get(header::DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
            Err(if status == 403 { Refusal::Forbidden { date, problem } } else { Refusal::Other(problem) })
        }
        Err(error @ (Error::Protocol(_) | Error::Utf8(_) | Error::Capacity(_) | Error::HttpFormat(_))) => {
            Err(Refusal::Other(RemoteProblem::rubbish(format!("no WebSocket: {error}"))))
        }
        Err(error) => Err(unreachable(&error)),
    }
}
