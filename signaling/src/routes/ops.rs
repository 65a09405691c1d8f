//! What operators ask: is it alive, can it take calls, how much does it do.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use crate::host::SessionHost;
use crate::status::Status;

/// Prometheus' text exposition format.
const METRICS_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok` or `unready`.
    status: &'static str,
    /// Why no call can be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Is the process alive?
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses((status = 200, description = "It answers", body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok", reason: None })
}

/// Can a call be taken now?
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses((status = 200, description = "Yes", body = Health),
        (status = 503, description = "No, and why", body = Health)))]
pub(super) async fn readyz<H: SessionHost>(State(app): State<App<H>>) -> (StatusCode, Json<Health>) {
    match app.host.readiness() {
        Ok(()) => (StatusCode::OK, Json(Health { status: "ok", reason: None })),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "unready", reason: Some(reason) })),
    }
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "Text format 0.0.4", content_type = "text/plain", body = String)))]
pub(super) async fn metrics<H: SessionHost>(State(app): State<App<H>>) -> ([(HeaderName, HeaderValue); 1], String) {
    ([(CONTENT_TYPE, METRICS_TYPE)], app.host.metrics_text())
}

/// State of the server
#[utoipa::path(get, path = "/api/status", tag = "operation",
    responses((status = 200, description = "Version, calls and engines", body = Status)))]
pub(super) async fn status<H: SessionHost>(State(app): State<App<H>>) -> Json<Status> {
    Json(app.host.status())
}
