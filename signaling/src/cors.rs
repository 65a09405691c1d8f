//! Which web pages may use the interface, and the CORS headers that the browser clients of the protocol need.
//!
//! A page of another origin that is not listed gets one reply to all that it wants done: 403 with words, which it may
//! read. What is only read needs no refusal, since the browser keeps it from such a page. Programs send no `Origin`:
//! they are a matter of tokens alone.
//!
//! `*` never covers `Authorization`, so every header is named; and a client that cannot read `Location` has no
//! call id. No credentials: tokens travel in a header, cookies are not used.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, IF_MATCH, LINK, LOCATION, ORIGIN, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::error::{ApiError, ErrorBody, clip};
use crate::settings::{CorsOrigins, Origins, SignalingSettings};

/// The host under which a reverse proxy was asked. A page cannot set it without a preflight, which does not allow it.
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Answers `OPTIONS` on every route below it and adds the headers to every reply.
pub(crate) fn layer(origins: &Origins) -> CorsLayer {
    let origins = origins.clone();
    // What `guard` says to a page that is not listed is meant for it.
    let shown = move |origin: &HeaderValue, request: &Parts| !reads(&request.method) || origins.now().hold(origin);
    let named = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(shown))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, ETAG, named("x-openai-agents-sdk")])
        .expose_headers([
            LOCATION,
            RETRY_AFTER,
            ETAG,
            LINK,
            named("accept-patch"),
            named("accept-post"),
            named("access-control-allow-methods"),
        ])
}

/// Refuses what a page that is not listed wants done.
pub(crate) async fn guard(State(settings): State<Arc<SignalingSettings>>, request: Request, next: Next) -> Response {
    match check(&request, &settings.origins.now()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(request: &Request, origins: &CorsOrigins) -> Result<(), ApiError> {
    let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
    if reads(request.method()) || origins.hold(origin) || is_own(origin, request) {
        return Ok(());
    }
    let shown = clip(&String::from_utf8_lossy(origin.as_bytes()), 256);
    let message = format!(
        "Pages of {shown} may not use this server; whoever runs it can add that origin to server.cors_origins."
    );
    Err(ApiError::new(StatusCode::FORBIDDEN, ErrorBody::invalid("origin_not_allowed", message)))
}

fn reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The page came from the host that is asked. The scheme may differ: a proxy before the server may speak HTTPS.
fn is_own(origin: &HeaderValue, request: &Request) -> bool {
    let Some((_, page)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else { return false };
    let header = |name| {
        let hosts = request.headers().get(name)?.to_str().ok()?;
        hosts.split(',').next().map(str::trim)
    };
    let asked = [header(FORWARDED_HOST), header(HOST), request.uri().authority().map(|host| host.as_str())];
    asked.into_iter().flatten().any(|host| without_port(host).eq_ignore_ascii_case(without_port(page)))
}

/// Without the port that a scheme has anyway.
fn without_port(host: &str) -> &str {
    host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host)
}
