//! For whoever runs the server: the calls and their end, what happens as it happens, and the settings.
//!
//! A router of its own, to be merged with the other one: every path asks for the admin's key, and no page of another
//! origin gets at it, for no CORS header is sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use futures::{Stream, StreamExt};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::method_not_allowed;
use crate::admin_key::{AdminKey, Refused};
use crate::body;
use crate::error::{ApiError, ErrorReply, clip};
use crate::host::HostError;
use crate::operation::{Call, News, Operation, Settings};
use crate::settings::SignalingSettings;

/// Readers of the events at one time.
const MOST_READERS: usize = 16;
/// How long one is asked to wait when there are as many.
const RETRY_AFTER_SECONDS: u64 = 15;
/// So often a comment keeps proxies from closing a stream in which nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) struct Admin<O> {
    host: Arc<O>,
    settings: Arc<SignalingSettings>,
    key: Arc<AdminKey>,
    readers: Arc<Semaphore>,
}

impl<O> Clone for Admin<O> {
    fn clone(&self) -> Self {
        let Self { host, settings, key, readers } = self;
        Self { host: host.clone(), settings: settings.clone(), key: key.clone(), readers: readers.clone() }
    }
}

/// The routes for an admin, who has this key.
pub fn admin_router<O: Operation>(host: Arc<O>, settings: SignalingSettings, key: String) -> Router {
    let admin = Admin {
        host,
        settings: Arc::new(settings),
        key: Arc::new(AdminKey::new(key)),
        readers: Arc::new(Semaphore::new(MOST_READERS)),
    };
    Router::new()
        .route("/api/calls", get(calls::<O>))
        .route("/api/calls/{call_id}", delete(end::<O>))
        .route("/api/events", get(events::<O>))
        .route("/api/config", get(config::<O>).patch(change::<O>))
        .method_not_allowed_fallback(method_not_allowed)
        .route_layer(from_fn_with_state(admin.clone(), guard::<O>))
        .with_state(admin)
}

async fn guard<O: Operation>(State(admin): State<Admin<O>>, request: Request, next: Next) -> Response {
    let remote = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    match admin.key.check(request.headers(), remote, (admin.settings.clock)()) {
        Ok(()) => {
            let mut response = next.run(request).await;
            response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            response
        }
        Err(refused) => {
            if refused == Refused::Wrong {
                admin.host.wrong_key(remote);
            }
            ApiError::from(refused).into_response()
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Calls {
    /// Always `list`.
    object: &'static str,
    /// The oldest first.
    data: Vec<Call>,
}

/// The calls that are up
#[utoipa::path(
    get, path = "/api/calls", tag = "operation",
    responses((status = 200, description = "Who is seen and heard in each, and how well", body = Calls),
        (status = 401, description = "Not the admin's key", body = ErrorReply),
        (status = 429, description = "Too many wrong keys came from this address", body = ErrorReply)),
    security(("admin" = [])),
)]
pub(super) async fn calls<O: Operation>(State(admin): State<Admin<O>>) -> Json<Calls> {
    Json(Calls { object: "list", data: admin.host.calls() })
}

/// End somebody's call
#[utoipa::path(
    delete, path = "/api/calls/{call_id}", tag = "operation",
    params(("call_id" = String, Path, description = "As the list has it")),
    responses((status = 204, description = "The call has ended"),
        (status = 401, description = "Not the admin's key", body = ErrorReply),
        (status = 404, description = "There is no such call", body = ErrorReply)),
    security(("admin" = [])),
)]
pub(super) async fn end<O: Operation>(
    State(admin): State<Admin<O>>,
    call_id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    // A path that cannot be decoded names no call.
    let Path(call_id) = call_id.map_err(|_| HostError::NotFound)?;
    admin.host.end_call(&call_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What happens, as it happens
///
/// Server-sent events, each with a name and JSON: `hello` first, then `call.started`, `call.changed`, `call.ended`,
/// `call.refused`, `answer`, `barge_in`, `error`, `config`, and `lagged` for a reader that was too slow. At most 16 may
/// read at a time.
#[utoipa::path(
    get, path = "/api/events", tag = "operation",
    responses(
        (status = 200, description = "Events until either side ends", content_type = "text/event-stream", body = String),
        (status = 401, description = "Not the admin's key", body = ErrorReply),
        (status = 503, description = "Too many read already", body = ErrorReply,
            headers(("Retry-After" = u64, description = "Seconds")))),
    security(("admin" = [])),
)]
pub(super) async fn events<O: Operation>(State(admin): State<Admin<O>>) -> Result<Response, ApiError> {
    let Ok(place) = admin.readers.try_acquire_owned() else {
        let message = format!("{MOST_READERS} readers have the events open already; close one.");
        return Err(ApiError::unavailable("too_many_readers", message, RETRY_AFTER_SECONDS));
    };
    let events = written(admin.host.news()).inspect(move |_| {
        // Held as long as the stream is.
        let _ = &place;
    });
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    // Proxies that gather replies must not gather this one.
    let at_once = [(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))];
    Ok((at_once, events).into_response())
}

fn written(news: impl Stream<Item = News> + Send) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    news.filter_map(async |news| {
        // All of it can be written as JSON.
        let event = Event::default().event(news.name()).json_data(&news).ok()?;
        Some(Ok(event))
    })
}

/// The settings
#[utoipa::path(
    get, path = "/api/config", tag = "operation",
    responses((status = 200, description = "All settings, and which can be changed now", body = Settings),
        (status = 401, description = "Not the admin's key", body = ErrorReply)),
    security(("admin" = [])),
)]
pub(super) async fn config<O: Operation>(State(admin): State<Admin<O>>) -> Json<Settings> {
    Json(admin.host.config())
}

/// Change settings while the server runs
///
/// The body is a JSON merge patch (RFC 7396) of `config`: what it names is changed, `null` takes a setting back to its
/// default. All of it is checked as at the start and written to the configuration file, or nothing happens. New calls
/// begin with it; those that are up stay as they are.
#[utoipa::path(
    patch, path = "/api/config", tag = "operation",
    request_body(content = Object, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The settings as they are now", body = Settings),
        (status = 400, description = "`invalid_value`: it would not do, `param` says where; `not_live`: that takes a \
            restart", body = ErrorReply),
        (status = 401, description = "Not the admin's key", body = ErrorReply),
        (status = 409, description = "`not_kept`: it could not be written to the file", body = ErrorReply)),
    security(("admin" = [])),
)]
pub(super) async fn change<O: Operation>(
    State(admin): State<Admin<O>>,
    headers: HeaderMap,
    request: axum::body::Body,
) -> Result<Json<Settings>, ApiError> {
    let bytes = body::read(&headers, request, &admin.settings).await?;
    let patch: Value = serde_json::from_slice(&bytes).map_err(|error| {
        ApiError::bad_request("invalid_json", format!("The body is not JSON: {}.", clip(&error.to_string(), 256)))
    })?;
    if !patch.is_object() {
        let message = "The body must be a JSON object that holds the settings to change, such as \
                       {\"llm\":{\"temperature\":0.5}}.";
        return Err(ApiError::bad_request("invalid_value", message));
    }
    Ok(Json(admin.host.change_config(patch).await?))
}
