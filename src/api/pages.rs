//! What a person sees in a browser: the first page and the documentation.

use poem::{
    Endpoint, Response, Route,
    endpoint::make_sync,
    get,
    http::{StatusCode, header},
};

/// The paths of the pages.
pub(super) const PATHS: [&str; 3] = ["/", "/docs", "/openapi.json"];

/// Swagger UI brings its script and its style inside its page; nothing may come from anywhere else.
const DOCS_POLICY: &str = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HOME: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>trawl</title>
</head>
<body>
<h1>trawl</h1>
<p>Paste a link, get the words. <span lang="zh">粘贴链接，获得文字。</span></p>
<p>This is the daemon's API. The web page is not built into this version.
<span lang="zh">这里是守护进程的 API；此版本未内置网页界面。</span></p>
<ul>
<li><a href="{base}/docs">Documentation / 文档</a></li>
<li><a href="{base}/openapi.json">OpenAPI</a></li>
<li><a href="{base}/api/tasks">Tasks / 任务</a></li>
<li><a href="{base}/api/info">About this daemon / 关于</a></li>
</ul>
</body>
</html>
"#;

/// Adds the pages.
pub(super) fn add(route: Route, base: &str, openapi: String, docs: String) -> Route {
    let home = HOME.replace("{base}", base);
    route
        .at("/", get(page("text/html; charset=utf-8", home, None)))
        .at("/docs", get(page("text/html; charset=utf-8", docs, Some(DOCS_POLICY))))
        .at("/openapi.json", get(page("application/json", openapi, None)))
}

fn page(kind: &'static str, text: String, policy: Option<&'static str>) -> impl Endpoint + 'static {
    let bytes = bytes::Bytes::from(text);
    make_sync(move |_| {
        let response = Response::builder().status(StatusCode::OK).content_type(kind);
        let response = match policy {
            Some(policy) => response.header(header::CONTENT_SECURITY_POLICY, policy),
            None => response,
        };
        response.header(header::CACHE_CONTROL, "no-cache").body(bytes.clone())
    })
}
