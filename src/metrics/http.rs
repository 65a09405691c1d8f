//! Counts and times HTTP requests by their route's template, so that no address makes a line of its own.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use super::Metrics;
use crate::clock;

/// The route of files of the page, and of what is not there.
const PAGE: &str = "page";

/// A layer for the whole router.
pub async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or(PAGE, MatchedPath::as_str).to_owned();
    let method = name(request.method());
    let start = clock::now();
    let response = next.run(request).await;
    metrics.http_requests.with_label_values(&[&*route, method, response.status().as_str()]).inc();
    metrics.http_seconds.with_label_values(&[&*route]).observe((clock::now() - start).as_secs_f64());
    response
}

/// Anybody can invent a method.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
