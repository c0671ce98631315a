//! The files of the web page, as `scripts/web.sh build` made them: inside the binary, or in debug builds on the disk.

use poem::{
    Response,
    http::{HeaderMap, StatusCode, header},
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `web/dist` holds. There may be nothing.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
pub(super) struct Assets;

/// The names of packed copies that stand beside a file, the smallest first.
const PACKED: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The answer for a file; none when there is no such file.
pub(super) fn answer<A: RustEmbed>(name: &str, asked: &HeaderMap) -> Option<Response> {
    let plain = A::get(name).filter(|_| !name.contains("..") && !PACKED.iter().any(|(_, end)| name.ends_with(end)))?;
    let tag = tag(&plain);
    // A name under assets/ holds a hash of what is in it.
    let is_hashed = name.starts_with("assets/");
    let cache = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let response = Response::builder().header(header::CACHE_CONTROL, cache).header(header::ETAG, &tag);
    if is_known(asked, &tag) {
        return Some(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    let kind = match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    let response = response.content_type(kind);
    for (coding, end) in PACKED {
        if accepts(asked, coding)
            && let Some(packed) = A::get(&format!("{name}{end}"))
        {
            return Some(response.header(header::CONTENT_ENCODING, coding).body(packed.data.into_owned()));
        }
    }
    Some(response.body(plain.data.into_owned()))
}

/// A weak tag: the packed copies are not the same byte for byte.
fn tag(file: &EmbeddedFile) -> String {
    let hash: String = file.metadata.sha256_hash()[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("W/\"{hash}\"")
}

/// Whether who asks has what bears this tag.
pub(super) fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let mut tags = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.any(|value| value.split(',').any(|one| plain(one) == plain(tag) || one.trim() == "*"))
}

fn accepts(asked: &HeaderMap, coding: &str) -> bool {
    let mut wanted = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    wanted.any(|value| {
        value.split(',').any(|one| {
            let (name, quality) = one.split_once(';').unwrap_or((one, ""));
            let quality = quality.trim().strip_prefix("q=").unwrap_or("1").parse().unwrap_or(0.0_f32);
            name.trim().eq_ignore_ascii_case(coding) && quality > 0.0
        })
    })
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    #[derive(RustEmbed)]
    #[folder = "src/tests/fixtures/web"]
    struct Fixture;

    fn asked(headers: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    async fn body(response: Response) -> String {
        response.into_body().into_string().await.unwrap()
    }

    #[tokio::test]
    async fn a_file_goes_as_small_as_the_client_takes_it() {
        for (accepted, coding, text) in [
            ("gzip, deflate, br", Some("br"), "packed by brotli\n"),
            ("gzip, br;q=0", Some("gzip"), "packed by gzip\n"),
            ("identity", None, "export {}\n"),
        ] {
            let response =
                answer::<Fixture>("assets/a-1234.js", &asked(&[(header::ACCEPT_ENCODING, accepted)])).unwrap();
            assert_eq!(response.header("content-encoding"), coding, "{accepted}");
            assert_eq!(response.content_type(), Some("text/javascript; charset=utf-8"));
            assert_eq!(response.header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(body(response).await, text);
        }
    }

    #[tokio::test]
    async fn who_has_a_file_is_told_so() {
        let first = answer::<Fixture>("icon.svg", &HeaderMap::new()).unwrap();
        assert_eq!(first.header("cache-control"), Some("no-cache"));
        let tag = first.header("etag").unwrap().to_owned();
        let mut again = HeaderMap::new();
        again.insert(header::IF_NONE_MATCH, HeaderValue::from_str(&format!("\"x\", {tag}")).unwrap());
        let second = answer::<Fixture>("icon.svg", &again).unwrap();
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(body(second).await, "");
        assert!(answer::<Fixture>("icon.svg", &asked(&[(header::IF_NONE_MATCH, "\"other\"")])).unwrap().is_success());
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for name in ["assets/b.js", "assets/a-1234.js.gz", "../fixtures/web/icon.svg", "", "assets"] {
            assert!(answer::<Fixture>(name, &HeaderMap::new()).is_none(), "{name}");
        }
    }
}
