//! Answers in text come packed (gzip) to whoever can unpack them; media and live views never.

use async_compression::tokio::bufread::GzipEncoder;
use poem::{
    Body, Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};
use tokio::io::BufReader;

/// Whether the client of a request can unpack what is packed.
pub(super) fn is_wanted(request: &Request) -> bool {
    *request.method() != Method::HEAD && accepts(request.headers())
}

/// Packs an answer, if it is one that gets smaller.
pub(super) fn pack(response: Response) -> Response {
    let headers = response.headers();
    let is_part = response.status() != StatusCode::OK && !response.status().is_client_error();
    let is_done = headers.contains_key(header::CONTENT_ENCODING) || headers.contains_key(header::CONTENT_RANGE);
    if is_part || is_done || !response.content_type().is_some_and(is_text) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::ACCEPT_RANGES);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    // What is packed is no longer the same byte for byte.
    if let Some(tag) = parts.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok())
        && !tag.starts_with("W/")
        && let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}"))
    {
        parts.headers.insert(header::ETAG, weak);
    }
    let packed = GzipEncoder::new(BufReader::new(body.into_async_read()));
    Response::from_parts(parts, Body::from_async_read(packed))
}

fn accepts(headers: &HeaderMap) -> bool {
    let mut wanted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    wanted.any(|value| {
        value.split(',').any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            let quality = quality.trim().strip_prefix("q=").unwrap_or("1").parse().unwrap_or(0.0_f32);
            name.trim().eq_ignore_ascii_case("gzip") && quality > 0.0
        })
    })
}

fn is_text(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_view = kind == "text/event-stream";
    !is_view && (kind.starts_with("text/") || kind == "application/json" || kind.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_says_so_gets_it_packed() {
        for (value, wanted) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("deflate, br", false),
            ("gzip;q=x", false),
            ("", false),
        ] {
            let request = Request::builder().header("accept-encoding", value).finish();
            assert_eq!(is_wanted(&request), wanted, "{value}");
        }
        assert!(!is_wanted(&Request::builder().finish()));
    }

    #[test]
    fn texts_are_packed_and_views_and_media_not() {
        for (kind, packed) in [
            ("application/json; charset=utf-8", true),
            ("application/problem+json", true),
            ("text/vtt", true),
            ("text/event-stream", false),
            ("audio/mpeg", false),
            ("application/octet-stream", false),
        ] {
            let response = pack(Response::builder().content_type(kind).header("etag", "\"a\"").body("x"));
            assert_eq!(response.headers().contains_key("content-encoding"), packed, "{kind}");
            assert_eq!(response.header("etag").unwrap().starts_with("W/"), packed, "{kind}");
        }
        let part = Response::builder().status(StatusCode::PARTIAL_CONTENT).content_type("text/plain").body("x");
        assert!(!pack(part).headers().contains_key("content-encoding"));
    }
}
