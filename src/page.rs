//! The page, built into the binary: nothing is read from disk or fetched at run time.

use axum::Router;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Assets;

/// Files whose names hold a hash of their content may be kept for ever.
const HASHED: &str = "assets/";

pub fn routes() -> Router {
    Router::new().fallback(file)
}

async fn file(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let Some(asset) = Assets::get(path) else {
        let words = match path {
            "index.html" => "The page is not in this build: run \"make build\".",
            _ => "There is nothing here. The page is at /, the interface is described at /docs.",
        };
        return (StatusCode::NOT_FOUND, words).into_response();
    };
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let keep = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = HeaderValue::from_str(kind.as_ref()).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static(keep))];
    (headers, asset.data).into_response()
}
