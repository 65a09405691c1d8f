//! One connection with an MCP server, from the greeting to its end: the tools are listed, and listed anew when that is
//! due.
//!
//! The crate `rmcp` speaks the protocol. Why a connection ended is what the caller gets; whether and when the next one
//! is tried is not decided here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rmcp::ClientHandler;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, ProtocolVersion, SubscriptionFilter};
use rmcp::service::{
    ClientCacheConfig, ClientInitializeError, ClientLifecycleMode, NotificationContext, RoleClient, ServiceError,
    Subscription, serve_client_with_lifecycle_and_ct,
};
use rmcp::transport::IntoTransport;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::route::{Connection, HttpError};
use super::{Server, listing};
use crate::clock;
use crate::tools::text;

/// From the start of a program to the end of the handshake; `npx` and `uvx` fetch packages in it.
const CONNECT_LIMIT: Duration = Duration::from_secs(60);
/// How long a connection may take to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// The two ways to begin: with a handshake, as nearly all servers have it, or by `server/discover` as of 2026-07-28.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    Initialize,
    Discover,
}

/// How a connection ended.
pub struct Ended {
    pub reason: String,
    /// How long tools could be called over it; `None`: never.
    pub lasted: Option<Duration>,
    /// The server was there, and refused the beginning.
    pub refused: bool,
    /// The other side closed the connection, not we.
    pub closed: bool,
}

impl Ended {
    pub fn early(reason: String, refused: bool) -> Self {
        Self { reason, lasted: None, refused, closed: false }
    }
}

impl Server {
    /// Until the connection ends, or the server is stopped.
    pub async fn converse<T, E, A>(&self, transport: T, beginning: Beginning) -> Ended
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let look = Arc::new(Notify::new());
        let end = CancellationToken::new();
        let client = Client { look: Arc::clone(&look) };
        let greeting = serve_client_with_lifecycle_and_ct(client, transport, beginning.lifecycle(), end.clone());
        let service = tokio::select! {
            greeted = timeout(CONNECT_LIMIT, greeting) => match greeted {
                Ok(Ok(service)) => service,
                Ok(Err(error)) if error.is_authorization_required() => {
                    let hint = "it wants to know who we are: give it a header such as Authorization";
                    return Ended::early(hint.into(), false);
                }
                Ok(Err(error)) => {
                    let closed = matches!(error, ClientInitializeError::ConnectionClosed(_));
                    let (reason, refused) = ungreeted(&error);
                    return Ended { closed, ..Ended::early(reason, refused) };
                }
                Err(_) => return Ended::early(format!("no greeting within {} s", CONNECT_LIMIT.as_secs()), false),
            },
            () = self.stop.cancelled() => return Ended::early("it was stopped".into(), false),
        };
        let connection = Arc::new(Connection {
            server: self.settings.name.clone(),
            place: self.link.place.clone(),
            peer: service.peer().clone(),
            limit: Duration::from_millis(self.settings.timeout_millis),
            max_result_bytes: self.max_result_bytes,
            secrets: self.link.secrets.clone(),
            look: Arc::clone(&look),
        });
        // A list that is asked for anew must be new.
        connection.peer.set_response_cache_config(ClientCacheConfig::disabled()).await;

        let closed = service.waiting();
        tokio::pin!(closed);
        let (mut since, mut over) = (None, false);
        let (reason, closed_by_it) = tokio::select! {
            failed = self.keep(&connection, beginning, &mut since) => failed,
            _ = &mut closed => {
                over = true;
                ("it closed the connection".to_owned(), true)
            }
            () = self.stop.cancelled() => ("it was stopped".to_owned(), false),
        };
        end.cancel();
        if !over {
            let _ = timeout(CLOSE_LIMIT, closed).await;
        }
        let lasted = since.map(|since| clock::now().saturating_duration_since(since));
        Ended { reason, lasted, refused: false, closed: closed_by_it }
    }

    /// Lists the tools, now and whenever it is due, until that fails: the reason, and whether the connection is closed.
    async fn keep(
        &self,
        connection: &Arc<Connection>,
        beginning: Beginning,
        since: &mut Option<Instant>,
    ) -> (String, bool) {
        let mut news = match beginning {
            Beginning::Initialize => None,
            Beginning::Discover => self.subscribe(connection).await,
        };
        loop {
            let offers = match timeout(connection.limit, listing::list(connection, &self.settings.allow)).await {
                Ok(Ok(offers)) => offers,
                Ok(Err(error)) => {
                    let closed = matches!(error, ServiceError::TransportClosed);
                    let reason = match &error {
                        ServiceError::TransportSend(error) => text::causes(error.error.as_ref()),
                        other => text::causes(other),
                    };
                    return (format!("it does not list its tools: {reason}"), closed);
                }
                Err(_) => {
                    return (format!("it did not list its tools within {} ms", connection.limit.as_millis()), false);
                }
            };
            let tools = offers.len();
            if since.is_none() {
                *since = Some(clock::now());
                tracing::info!(server = self.settings.name, place = self.link.place, tools, "MCP server connected");
            }
            self.shelf.put(self.index, offers);
            self.observer.server(&self.settings.name, Some(tools));
            sleep(self.pace.relist).await;
            tokio::select! {
                () = connection.look.notified() => {}
                () = changed(&mut news) => {}
            }
        }
    }

    /// Servers as of 2026-07-28 tell of changes only whom has asked.
    async fn subscribe(&self, connection: &Arc<Connection>) -> Option<Subscription> {
        let filter = SubscriptionFilter::builder().tools_list_changed().build();
        match timeout(connection.limit, connection.peer.listen(filter)).await {
            Ok(Ok(subscription)) => Some(subscription),
            Ok(Err(error)) => {
                tracing::debug!(server = self.settings.name, %error, "the MCP server does not tell of changes");
                None
            }
            Err(_) => None,
        }
    }
}

/// Why there was no greeting, and whether the server was there at all.
fn ungreeted(error: &ClientInitializeError) -> (String, bool) {
    let ClientInitializeError::TransportError { error, .. } = error else {
        return (text::causes(error), true);
    };
    let there = match error.error.downcast_ref::<HttpError>() {
        Some(HttpError::Client(cause)) => !cause.is_connect(),
        _ => true,
    };
    (text::causes(error.error.as_ref()), there)
}

/// Waits for the next change; for ever if there is nobody to tell of it.
async fn changed(news: &mut Option<Subscription>) {
    if let Some(subscription) = news
        && let Ok(Some(_)) = subscription.next().await
    {
        return;
    }
    *news = None;
    std::future::pending().await
}

impl Beginning {
    fn lifecycle(self) -> ClientLifecycleMode {
        match self {
            Self::Initialize => ClientLifecycleMode::Initialize,
            Self::Discover => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] },
        }
    }
}

/// Our side of the protocol: it offers the server nothing, and listens for one notification.
struct Client {
    look: Arc<Notify>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let ourselves = Implementation::new("visavis", env!("CARGO_PKG_VERSION"));
        ClientConfig::new(ClientCapabilities::default(), ourselves)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.look.notify_one();
    }
}
