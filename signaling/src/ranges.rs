//! A part of a reply: `Range` of one stretch of bytes (RFC 9110 section 14), without which some browsers play no video.

use axum::body::Bytes;
use axum::http::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// What the request wants of these bytes; all of them where it does not say so clearly.
pub(crate) fn part(headers: &HeaderMap, whole: Bytes) -> Response {
    let whole_length = whole.len();
    let accepts = (ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let wanted = headers.get(RANGE).and_then(|range| stretch(range.to_str().ok()?, whole_length));
    let told = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("bytes */*"));
    match wanted {
        None => ([accepts], whole).into_response(),
        Some((first, last)) if first <= last && first < whole_length => {
            let range = told(format!("bytes {first}-{last}/{whole_length}"));
            (StatusCode::PARTIAL_CONTENT, [accepts, (CONTENT_RANGE, range)], whole.slice(first..=last)).into_response()
        }
        Some(_) => {
            let length = told(format!("bytes */{whole_length}"));
            (StatusCode::RANGE_NOT_SATISFIABLE, [accepts, (CONTENT_RANGE, length)]).into_response()
        }
    }
}

/// First and last byte of `bytes=1-2`, `bytes=1-` or `bytes=-2`; `None` for any other form.
fn stretch(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let end = length.saturating_sub(1);
    match (first.trim(), last.trim()) {
        ("", last) => Some(match number(last)? {
            0 => (length, end),
            count => (length.saturating_sub(count), end),
        }),
        (first, "") => Some((number(first)?, end)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, last.min(end)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stretch_is_cut_out_and_anything_else_gives_the_whole() {
        for (range, status, length) in [
            ("bytes=0-1", 206, 2),
            ("bytes=2-", 206, 8),
            ("bytes=-3", 206, 3),
            ("bytes=5-99", 206, 5),
            ("bytes=-99", 206, 10),
            ("bytes=10-", 416, 0),
            ("bytes=-0", 416, 0),
            ("bytes=4-2", 200, 10),
            ("bytes=0-1,4-5", 200, 10),
            ("lines=0-1", 200, 10),
            ("bytes=a-b", 200, 10),
        ] {
            let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_static(range))]);
            let reply = part(&headers, Bytes::from_static(b"0123456789"));
            assert_eq!(reply.status().as_u16(), status, "{range}");
            let told = axum::body::HttpBody::size_hint(reply.body()).exact();
            assert_eq!(told, Some(length), "{range}");
            assert_eq!(reply.headers().contains_key(CONTENT_RANGE), status != 200, "{range}");
        }
        let empty = part(&HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=0-"))]), Bytes::new());
        assert_eq!(empty.status().as_u16(), 416);
    }
}
