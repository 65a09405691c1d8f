//! The pages, built into the binary: nothing is read from disk or fetched at run time.
//!
//! A browser asks anew for what may change, and is told so in a few bytes if it has not (`ETag`); what has a hash in its
//! name it keeps. Text goes out compressed, each file once for all.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use signaling::{CorsOrigins, Origins};

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Assets;

/// Files whose names hold a hash of their content may be kept for ever.
const HASHED: &str = "assets/";
/// The pages by their paths.
const PAGES: [(&str, &str); 3] = [("", "index.html"), ("monitor", "monitor.html"), ("embed", EMBED)];
/// The page that other pages may show in a frame.
const EMBED: &str = "embed.html";
/// Below this, compression saves nothing.
const LEAST_COMPRESSED: usize = 1024;

struct Site {
    files: HashMap<String, File>,
    origins: Origins,
}

struct File {
    plain: Bytes,
    /// Made when it is first asked for; `None`: it would not be smaller.
    gzip: OnceLock<Option<Bytes>>,
    kind: HeaderValue,
    tag: HeaderValue,
}

/// `origins`: pages that may use this server; they may frame the one that is for it.
pub fn routes(origins: Origins) -> Router {
    site(Assets::iter().filter_map(|path| Some((path.to_string(), Assets::get(&path)?.data.into_owned()))), origins)
}

fn site(files: impl Iterator<Item = (String, Vec<u8>)>, origins: Origins) -> Router {
    let files = files.map(|(path, bytes)| (path.clone(), File::new(&path, bytes))).collect();
    let site = Arc::new(Site { files, origins });
    Router::new().fallback_service(get(file).with_state(site))
}

fn framed_by(origins: &CorsOrigins) -> HeaderValue {
    match origins {
        CorsOrigins::Any => HeaderValue::from_static("frame-ancestors *"),
        CorsOrigins::List(list) => {
            let list: Vec<&str> = list.iter().filter_map(|origin| origin.to_str().ok()).collect();
            HeaderValue::try_from(format!("frame-ancestors 'self' {}", list.join(" "))).unwrap_or(SELF)
        }
    }
}

const SELF: HeaderValue = HeaderValue::from_static("frame-ancestors 'self'");

async fn file(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let path = PAGES.iter().find(|(page, _)| *page == path).map_or(path, |(_, file)| file);
    let Some(file) = site.files.get(path) else {
        let words = match PAGES.iter().any(|(_, page)| *page == path) {
            true => "This page is not in this build: run \"make build\".",
            false => "There is nothing here. The page is at /, the interface is described at /docs.",
        };
        return (StatusCode::NOT_FOUND, words).into_response();
    };
    let keep = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut told = HeaderMap::from_iter([
        (CACHE_CONTROL, HeaderValue::from_static(keep)),
        (ETAG, file.tag.clone()),
        (VARY, HeaderValue::from_static("accept-encoding")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    ]);
    if path.ends_with(".html") {
        told.insert(CONTENT_SECURITY_POLICY, if path == EMBED { framed_by(&site.origins.now()) } else { SELF });
    } else {
        // Scripts that other pages load, and what those load.
        told.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        told.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    }
    if names(&headers, &IF_NONE_MATCH, |tag| tag == "*" || tag.as_bytes() == file.tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, told).into_response();
    }
    told.insert(CONTENT_TYPE, file.kind.clone());
    let takes_gzip = names(&headers, &ACCEPT_ENCODING, |name| {
        let (name, quality) = name.split_once(';').unwrap_or((name, ""));
        name.trim() == "gzip" && !matches!(quality.replace(' ', "").as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    });
    match file.gzip().filter(|_| takes_gzip) {
        Some(gzip) => {
            told.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            (told, gzip).into_response()
        }
        None => (told, file.plain.clone()).into_response(),
    }
}

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Whether one of the names in a header's list is so.
fn names(headers: &HeaderMap, header: &HeaderName, is_so: impl Fn(&str) -> bool) -> bool {
    let lists = headers.get_all(header).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|name| is_so(name.trim()))
}

impl File {
    fn new(path: &str, plain: Vec<u8>) -> Self {
        use sha2::{Digest, Sha256};
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        let charset = if kind.type_() == "text" { "; charset=utf-8" } else { "" };
        let kind = HeaderValue::try_from(format!("{kind}{charset}"));
        // Weak: the compressed form has the same one.
        let hash: String = Sha256::digest(&plain).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Self {
            plain: plain.into(),
            gzip: OnceLock::new(),
            kind: kind.unwrap_or(HeaderValue::from_static("application/octet-stream")),
            tag: HeaderValue::try_from(format!("W/\"{hash}\"")).unwrap_or(HeaderValue::from_static("W/\"\"")),
        }
    }

    fn gzip(&self) -> Option<Bytes> {
        let compress = || {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(&self.plain).ok()?;
            gzip.finish().ok().map(Bytes::from)
        };
        let is_worth_it = |gzip: &Bytes| gzip.len() < self.plain.len() * 9 / 10;
        let gzip = self
            .gzip
            .get_or_init(|| if self.plain.len() < LEAST_COMPRESSED { None } else { compress().filter(is_worth_it) });
        gzip.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower_service::Service;

    use super::*;

    const SCRIPT: &str = "const face = 1;\n";

    fn pages(origins: CorsOrigins) -> Router {
        let files = [
            ("index.html", "<p>the call</p>".to_owned()),
            ("monitor.html", "<p>the monitor</p>".to_owned()),
            ("embed.html", "<p>the frame</p>".to_owned()),
            ("embed.js", SCRIPT.repeat(200)),
            ("assets/a-1f.js", SCRIPT.to_owned()),
        ];
        site(files.into_iter().map(|(path, text)| (path.to_owned(), text.into_bytes())), origins.into())
    }

    async fn ask(site: &Router, method: &str, path: &str, header: (&str, &str)) -> (StatusCode, HeaderMap, Vec<u8>) {
        let request = Request::builder().method(method).uri(path).header(header.0, header.1).body(Body::empty());
        let (head, body) = site.clone().call(request.unwrap()).await.unwrap().into_parts();
        (head.status, head.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn each_page_has_its_path_and_says_who_may_frame_it() {
        let listed = CorsOrigins::parse(&["https://a.example", "https://b.example"]).unwrap();
        for (origins, embed) in [
            (CorsOrigins::Any, "frame-ancestors *"),
            (listed, "frame-ancestors 'self' https://a.example https://b.example"),
        ] {
            let site = pages(origins);
            for (path, text, policy) in [
                ("/", "<p>the call</p>", "frame-ancestors 'self'"),
                ("/monitor", "<p>the monitor</p>", "frame-ancestors 'self'"),
                ("/monitor.html", "<p>the monitor</p>", "frame-ancestors 'self'"),
                ("/embed", "<p>the frame</p>", embed),
                ("/embed.html", "<p>the frame</p>", embed),
            ] {
                let (status, headers, body) = ask(&site, "GET", path, ("host", "here")).await;
                assert_eq!((status, body.as_slice()), (StatusCode::OK, text.as_bytes()), "{path}");
                assert_eq!(headers[CONTENT_SECURITY_POLICY], policy, "{path}");
                assert_eq!(headers[CONTENT_TYPE], "text/html; charset=utf-8");
                assert_eq!(
                    (&headers[CACHE_CONTROL], &headers[X_CONTENT_TYPE_OPTIONS]),
                    (&HeaderValue::from_static("no-cache"), &HeaderValue::from_static("nosniff"))
                );
            }
        }
    }

    #[tokio::test]
    async fn a_script_for_other_pages_may_be_loaded_by_them_and_is_not_sent_twice() {
        let site = pages(CorsOrigins::Any);
        let (_, headers, plain) = ask(&site, "GET", "/embed.js", ("host", "here")).await;
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!((headers.get(CONTENT_ENCODING), plain), (None, SCRIPT.repeat(200).into_bytes()));
        let tag = headers[ETAG].to_str().unwrap().to_owned();
        for tags in [tag.as_str(), &format!("\"other\", {tag}"), "*"] {
            let (status, headers, body) = ask(&site, "GET", "/embed.js", ("if-none-match", tags)).await;
            assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0), "{tags}");
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        }
        assert_eq!(ask(&site, "GET", "/embed.js", ("if-none-match", "\"other\"")).await.0, StatusCode::OK);
        let (_, headers, _) = ask(&site, "GET", "/assets/a-1f.js", ("host", "here")).await;
        assert!(headers[CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }

    #[tokio::test]
    async fn text_is_compressed_for_those_who_take_it() {
        let site = pages(CorsOrigins::Any);
        for (accepts, compressed) in
            [("gzip, deflate, br", true), ("br;q=1, gzip;q=0.5", true), ("gzip;q=0", false), ("identity", false)]
        {
            let (_, headers, body) = ask(&site, "GET", "/embed.js", ("accept-encoding", accepts)).await;
            assert_eq!(headers.get(CONTENT_ENCODING).is_some(), compressed, "{accepts}");
            let mut text = String::new();
            match compressed {
                true => drop(flate2::read::GzDecoder::new(&*body).read_to_string(&mut text).unwrap()),
                false => text = String::from_utf8(body).unwrap(),
            }
            assert_eq!(text, SCRIPT.repeat(200));
        }
        let small = ask(&site, "GET", "/assets/a-1f.js", ("accept-encoding", "gzip")).await;
        assert_eq!(small.1.get(CONTENT_ENCODING), None, "it would save nothing");
    }

    #[tokio::test]
    async fn what_is_not_there_is_told_and_only_reading_is_possible() {
        let site = pages(CorsOrigins::Any);
        let (status, headers, body) = ask(&site, "HEAD", "/embed.js", ("host", "here")).await;
        assert_eq!((status, body.len()), (StatusCode::OK, 0));
        assert_eq!(headers["content-length"], SCRIPT.repeat(200).len().to_string());
        assert_eq!(ask(&site, "GET", "/nothing", ("host", "here")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(ask(&site, "GET", "/../Cargo.toml", ("host", "here")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(ask(&site, "POST", "/", ("host", "here")).await.0, StatusCode::METHOD_NOT_ALLOWED);
        let empty = super::site(std::iter::empty(), CorsOrigins::Any.into());
        let (status, _, words) = ask(&empty, "GET", "/", ("host", "here")).await;
        assert!(status == StatusCode::NOT_FOUND && String::from_utf8(words).unwrap().contains("make build"));
    }
}
