//! The web page itself, which finds everything else from where it stands.

use poem::{
    Request, Response, ResponseBuilder,
    http::{StatusCode, header},
};
use sha2::{Digest, Sha256};

use super::embedded::{Assets, is_known};
use crate::api::{edge::AskedPath, shape::Ready};

/// Only what comes from here; scripts get no way to make markup or scripts out of text.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; \
     font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types svelte-trusted-html trawl-worker";

const HTML: &str = "text/html; charset=utf-8";

/// What the page is written with, and what takes its place.
const BASE: &str = "<base href=\"./\">";

const NOTICE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<base href="./">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>trawl</title>
</head>
<body>
<h1>trawl</h1>
<p>Paste a link, get the words. <span lang="zh">粘贴链接，获得文字。</span></p>
<p>This is the daemon's API. The web page is not built into this version: scripts/web.sh build, then build trawl again.
<span lang="zh">这里是守护进程的 API；此版本未内置网页界面。</span></p>
<ul>
<li><a href="docs">Documentation / 文档</a></li>
<li><a href="openapi.json">OpenAPI</a></li>
<li><a href="api/tasks">Tasks / 任务</a></li>
<li><a href="api/info">About this daemon / 关于</a></li>
</ul>
</body>
</html>
"#;

/// The page below a base.
pub(in crate::api) struct Home {
    base: String,
}

impl Home {
    pub(in crate::api) fn new(base: &str) -> Self {
        Self { base: base.to_owned() }
    }

    /// The page for a request of any of its addresses.
    pub(super) fn answer(&self, request: &Request) -> Response {
        // The router has taken the base away from the address by now.
        let path = request.data::<AskedPath>().map_or(request.uri().path(), |asked| asked.0.as_str());
        let text = self.text(path);
        let tag = format!("W/\"{}\"", hex(&Sha256::digest(&text)[..12]));
        let response = builder().header(header::ETAG, &tag);
        match is_known(request.headers(), &tag) {
            true => response.status(StatusCode::NOT_MODIFIED).finish(),
            false => response.content_type(HTML).body(text),
        }
    }

    /// The page for who opens an address that is none: it says so.
    pub(in crate::api) fn lost(&self, path: &str) -> Response {
        builder().status(StatusCode::NOT_FOUND).content_type(HTML).extension(Ready).body(self.text(path))
    }

    /// The page as it finds everything from this path.
    fn text(&self, path: &str) -> String {
        let page = Assets::get("index.html");
        let page = page.as_ref().and_then(|file| std::str::from_utf8(&file.data).ok()).unwrap_or(NOTICE);
        page.replacen(BASE, &format!("<base href=\"{}\">", way_back(&self.base, path)), 1)
    }
}

fn builder() -> ResponseBuilder {
    Response::builder()
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::VARY, "Accept")
}

/// The way from a path back to the base: relative, so that it also holds behind a proxy that takes a part of the path away.
fn way_back(base: &str, path: &str) -> String {
    match path.strip_prefix(base).unwrap_or(path).strip_prefix('/') {
        Some(below) => match below.matches('/').count() {
            0 => "./".to_owned(),
            depth => "../".repeat(depth),
        },
        // The base without its slash.
        None => format!("{}/", base.rsplit('/').next().unwrap_or_default()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_as_long_as_the_path_is_deep() {
        for (base, path, way) in [
            ("", "/", "./"),
            ("", "/workflows", "./"),
            ("", "/tasks/7", "../"),
            ("", "/workflows/a%2Fb/edit", "../../"),
            ("/x", "/x/", "./"),
            ("/x", "/x", "x/"),
            ("/x/y", "/x/y", "y/"),
            ("/x", "/x/tasks/7", "../"),
        ] {
            assert_eq!(way_back(base, path), way, "{base} {path}");
        }
    }

    #[tokio::test]
    async fn the_page_says_where_it_stands_and_what_it_may_load() {
        let home = Home::new("/x");
        let request = Request::builder().uri_str("/x/tasks/7").finish();
        let response = home.answer(&request);
        assert_eq!(response.content_type(), Some("text/html; charset=utf-8"));
        assert!(
            response.header("content-security-policy").unwrap().starts_with("default-src 'none'; script-src 'self'")
        );
        let tag = response.header("etag").unwrap().to_owned();
        let text = response.into_body().into_string().await.unwrap();
        assert!(text.contains("<base href=\"../\">") && !text.contains(BASE), "{text}");
        let again = Request::builder().uri_str("/x/tasks/8").header("if-none-match", &tag).finish();
        assert_eq!(home.answer(&again).status(), StatusCode::NOT_MODIFIED);
        let elsewhere = Request::builder().uri_str("/x/").header("if-none-match", &tag).finish();
        assert_eq!(home.answer(&elsewhere).status(), StatusCode::OK);
    }

    #[test]
    fn the_notice_can_be_moved_as_the_page_can() {
        assert_eq!(NOTICE.matches(BASE).count(), 1);
    }
}
