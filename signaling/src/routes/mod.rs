//! The routes: which path leads where, and what the paths beside them answer.
//!
//! The router takes all of `/v1` and `/api` and sets no fallback, so the server can merge its pages beside it
//! and give the rest of the world a fallback of its own.

mod admin;
mod avatars;
mod calls;
mod conversations;
mod docs;
mod models;
mod ops;
mod secrets;
mod speech;
mod voices;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{any, delete, get, post};

pub use admin::admin_router;
pub use docs::openapi_json;

use crate::cors;
use crate::error::{ApiError, ErrorBody, clip};
use crate::host::SessionHost;
use crate::secret_store::SecretStore;
use crate::settings::SignalingSettings;

/// What every handler shares.
struct App<H> {
    host: Arc<H>,
    settings: Arc<SignalingSettings>,
    secrets: Arc<SecretStore>,
}

impl<H> Clone for App<H> {
    fn clone(&self) -> Self {
        Self { host: self.host.clone(), settings: self.settings.clone(), secrets: self.secrets.clone() }
    }
}

/// All routes of the contract. Serve with `into_make_service_with_connect_info::<SocketAddr>()` so that calls
/// know where they came from.
pub fn router<H: SessionHost>(host: Arc<H>, settings: SignalingSettings) -> Router {
    let cors = cors::layer(&settings.origins);
    let secrets = Arc::new(SecretStore::new(settings.client_secret_capacity));
    let settings = Arc::new(settings);
    Router::new()
        .route("/v1/realtime/calls", post(calls::create::<H>))
        .route("/v1/realtime/calls/{call_id}", delete(calls::delete::<H>))
        .route("/v1/realtime/calls/{call_id}/hangup", post(calls::hang_up::<H>))
        .route("/v1/realtime/calls/{call_id}/accept", any(calls::telephony_only))
        .route("/v1/realtime/calls/{call_id}/reject", any(calls::telephony_only))
        .route("/v1/realtime/calls/{call_id}/refer", any(calls::telephony_only))
        .route("/v1/realtime/conversations/{conversation_id}", delete(conversations::delete::<H>))
        .route("/v1/realtime/client_secrets", post(secrets::create::<H>))
        .route("/v1/audio/speech", post(speech::create::<H>))
        .route("/v1/voices", get(voices::list::<H>))
        .route("/v1/models", get(models::list::<H>))
        .route("/v1/avatars", get(avatars::list::<H>).post(avatars::create::<H>))
        .route("/v1/avatars/{id}", delete(avatars::delete::<H>))
        .route("/v1/avatars/{id}/picture", get(avatars::picture::<H>))
        .route("/v1/avatars/{id}/clip", get(avatars::clip::<H>))
        .route("/api/status", get(ops::status::<H>))
        .route("/healthz", get(ops::healthz))
        .route("/readyz", get(ops::readyz::<H>))
        .route("/metrics", get(ops::metrics::<H>))
        .route("/openapi.json", get(docs::openapi))
        .route("/docs", get(docs::page))
        .method_not_allowed_fallback(method_not_allowed)
        .route("/v1", any(unknown_path))
        .route("/v1/", any(unknown_path))
        .route("/v1/{*rest}", any(unknown_path))
        .route("/api", any(unknown_path))
        .route("/api/", any(unknown_path))
        .route("/api/{*rest}", any(unknown_path))
        // Bodies are read by `body::read`, which has a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(settings.clone(), cors::guard))
        .layer(cors)
        .with_state(App { host, settings, secrets })
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!("There is nothing at {}; /docs lists what there is.", clip(uri.path(), 128)))
}

/// The `Allow` header is added by the router.
async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    let message =
        format!("{} cannot be used on {}; see the header Allow.", clip(method.as_str(), 16), clip(uri.path(), 128));
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, ErrorBody::invalid("method_not_allowed", message))
}
