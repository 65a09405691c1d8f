//! The CORS headers that the browser clients of the protocol need.
//!
//! `*` never covers `Authorization`, so every header is named; and a client that cannot read `Location` has no
//! call id. No credentials: tokens travel in a header, cookies are not used.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, LINK, LOCATION};
use axum::http::{HeaderName, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::settings::CorsOrigins;

/// Answers `OPTIONS` on every route below it and adds the headers to every reply.
pub(crate) fn layer(origins: &CorsOrigins) -> CorsLayer {
    let origins = match origins {
        CorsOrigins::Any => AllowOrigin::any(),
        CorsOrigins::List(list) => AllowOrigin::list(list.iter().cloned()),
    };
    let named = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, ETAG, named("x-openai-agents-sdk")])
        .expose_headers([
            LOCATION,
            ETAG,
            LINK,
            named("accept-patch"),
            named("accept-post"),
            named("access-control-allow-methods"),
        ])
}
