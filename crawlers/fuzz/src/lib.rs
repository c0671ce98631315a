//! What the targets share: a network and a yt-dlp that say the fuzzer's bytes whatever they are asked, and what must hold
//! of every result.

use std::{cell::LazyCell, sync::LazyLock, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use crawlers::{
    Chance, CrawlError, Crawlers, Dump, Dumped, External, ListRequest, Page, Request, Resolved, Response, Settings,
    Transport, TransportError, With,
};
use tokio::runtime::{Builder, Runtime};
use url::Url;

thread_local! {
    static RUNTIME: LazyCell<Runtime> =
        LazyCell::new(|| Builder::new_current_thread().build().expect("a runtime needs only memory"));
}

/// The shipped settings, without pauses and with a key for everything.
static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let mut settings = Settings::shipped();
    settings.pace.post_every = Duration::ZERO;
    settings.pace.list_every = Duration::ZERO;
    settings.tikhub.key = "key".to_owned();
    settings
});

/// What the world says this time. Each has crawlers of its own, which remember nothing of what was said before.
pub struct World {
    body: Bytes,
    status: u16,
    content_type: &'static str,
    crawlers: Crawlers,
}

impl World {
    /// One that answers each request with these bytes, as well as they could be wished for: status 200, and a cookie.
    pub fn new(body: &[u8]) -> Self {
        let crawlers = Crawlers::new(SETTINGS.clone()).expect("the shipped settings are right");
        Self { body: Bytes::copy_from_slice(body), status: 200, content_type: "text/html", crawlers }
    }

    /// The same world, which says so of its bytes.
    pub fn of_type(self, content_type: &'static str) -> Self {
        Self { content_type, ..self }
    }

    /// The same world, in which yt-dlp ends with this status.
    pub fn ending(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Resolves a link, with one strategy where one is named, and looks at the result.
    pub fn resolve(&self, link: &str, only: Option<&str>) {
        let found = RUNTIME.with(|runtime| runtime.block_on(self.crawlers.resolve(link, self.with(only))));
        match found {
            Ok(found) => check(&found),
            Err(error) => check_error(&error),
        }
    }

    /// Lists a source, and looks at its page.
    pub fn list(&self, link: &str, cursor: Option<&str>) {
        let request = ListRequest { cursor: cursor.map(str::to_owned), ..ListRequest::default() };
        let page = RUNTIME.with(|runtime| runtime.block_on(self.crawlers.list(link, &request, self.with(None))));
        match page {
            Ok(page) => check_page(&page),
            Err(error) => check_error(&error),
        }
    }

    fn with<'a>(&'a self, only: Option<&'a str>) -> With<'a> {
        With { transport: self, identity: None, external: Some(self), chance: &Still, only }
    }
}

/// The same clock and the same dice for every run, so that a crash happens again.
struct Still;

impl Chance for Still {
    fn now_ms(&self) -> u64 {
        1_793_600_000_000
    }

    fn below(&self, limit: u64) -> u64 {
        limit / 2
    }
}

#[async_trait]
impl Transport for World {
    async fn fetch(&self, request: Request) -> Result<Response, TransportError> {
        assert!(is_plain(&request.url), "a request for {}", request.url);
        let read = request.body_limit(Some(self.content_type)).min(self.body.len());
        let headers = [("Content-Type", self.content_type), ("Set-Cookie", "ttwid=1%7Cinvented; Path=/; Secure")];
        Ok(Response {
            url: request.url,
            status: 200,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: self.body.slice(..read),
            truncated: read < self.body.len(),
        })
    }
}

#[async_trait]
impl External for World {
    async fn dump(&self, _dump: Dump<'_>) -> Result<Dumped, TransportError> {
        let failed = self.status != 200;
        let stderr = if failed { String::from_utf8_lossy(&self.body).into_owned() } else { String::new() };
        let stdout = if failed { Bytes::new() } else { self.body.clone() };
        Ok(Dumped { status: Some(i32::from(failed)), stdout, stderr })
    }
}

/// What every result keeps to, whatever was read.
fn check(found: &Resolved) {
    assert!(!found.title.trim().is_empty(), "no title");
    assert!(!found.id.is_empty() && !found.strategy.is_empty(), "no id or no strategy");
    assert!(!found.candidates.is_empty() || found.silent.is_some(), "nothing to download and no reason");
    for candidate in &found.candidates {
        assert!(is_plain(&candidate.url) && candidate.mirrors.iter().all(is_plain), "{}", candidate.url);
        check_headers(&candidate.headers);
    }
    for subtitle in &found.subtitles {
        assert!(is_plain(&subtitle.url), "{}", subtitle.url);
        check_headers(&subtitle.headers);
    }
    assert!(found.sound.as_ref().is_none_or(|sound| is_plain(&sound.url)), "a sound nowhere");
    assert!(found.cover_url.as_ref().is_none_or(is_plain), "a cover nowhere");
}

/// A header with a line break in it would be two.
fn check_headers(headers: &[(String, String)]) {
    for (name, value) in headers {
        assert!(!name.is_empty() && !format!("{name}{value}").contains(['\r', '\n', '\0']), "{name:?}: {value:?}");
    }
}

fn check_page(page: &Page) {
    for item in &page.items {
        assert!(!item.id.is_empty() && !item.title.trim().is_empty(), "{item:?}");
        assert!(Url::parse(&item.link).is_ok_and(|link| is_plain(&link)), "{item:?}");
    }
}

fn check_error(error: &CrawlError) {
    assert!(!error.message.is_empty(), "an error without words");
}

/// To be called when a target begins. The crawlers contain the panics of feed-rs, so these alone are no finding; libFuzzer's
/// own hook would end the process at once.
pub fn let_feed_rs_panic() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.location().is_some_and(|place| place.file().contains("/feed-rs-")) {
            hook(info);
        }
    }));
}

/// Whether a URL may be passed to a transport.
pub fn is_plain(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some_and(|host| !host.is_empty())
        && url.username().is_empty()
        && url.password().is_none()
}
