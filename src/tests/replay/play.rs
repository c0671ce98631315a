//! Runs the module that a capture is for, over real HTTP, through the daemon's own guarded client.

use async_trait::async_trait;
use crawlers::{
    CrawlError, Crawlers, Dump, Dumped, External, ListRequest, Page, Real, Resolved, Settings, TransportError, With,
};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use trawl::{config::Config, crawl::Guarded, net::Net};

use super::{
    manifest::Capture,
    stub::{Seen, Stub},
};

/// A host of yt-dlp's, for captures of that program.
const EXTERNAL_HOST: &str = "page.example.invalid";

/// Hosts that are asked besides that of a capture: none of them is to be asked for real.
const HOSTS: [&str; 7] = [
    "www.douyin.com",
    "www.iesdouyin.com",
    "ttwid.bytedance.com",
    "www.tiktok.com",
    "m.tiktok.com",
    "api22-normal-c-alisg.tiktokv.com",
    "api.tikhub.io",
];

/// What came of a capture.
pub struct Played {
    pub result: Result<Made, CrawlError>,
    /// The requests that were made.
    pub seen: Vec<Seen>,
    /// The links that yt-dlp was asked for.
    pub handed_over: Vec<String>,
}

/// What a module makes.
pub enum Made {
    Post(Box<Resolved>),
    List(Page),
}

/// What to do to get a request such as the captured one.
enum Task {
    Resolve { link: String, only: Option<&'static str> },
    List { link: String, cursor: Option<String> },
}

/// Plays captures against a stub.
pub struct Player {
    settings: Settings,
    net: Net,
}

impl Player {
    pub fn new(stub: &Stub, captures: &[Capture]) -> Result<Self, String> {
        let mut config = Config::defaults();
        let hosts = captures.iter().map(|capture| capture.host.as_str()).chain(HOSTS);
        for host in hosts.filter(|host| !host.contains(':') && !host.is_empty()) {
            config.net.host_map.insert(host.to_owned(), format!("http://{}", stub.address));
        }
        config.net.allow_hosts = vec![stub.address.clone()];
        let net = Net::new(&config.net).map_err(|error| error.to_string())?;
        let mut settings = config.crawlers;
        settings.tikhub.key = "replay".to_owned();
        settings.ytdlp.hosts.push(EXTERNAL_HOST.to_owned());
        settings.pace.post_every = Duration::from_millis(1);
        settings.pace.list_every = Duration::from_millis(1);
        Ok(Self { settings, net })
    }

    /// How links are read.
    pub fn crawlers(&self) -> Result<Crawlers, String> {
        Crawlers::new(self.settings.clone())
    }

    /// Plays the capture at `index`.
    pub async fn play(&self, stub: &Stub, captures: &[Capture], index: usize) -> Result<Played, String> {
        let capture = &captures[index];
        stub.play(index);
        let external = Canned { capture, asked: Mutex::default() };
        let transport = Guarded(&self.net);
        // Fresh for each capture: nothing is remembered from the one before.
        let crawlers = self.crawlers()?;
        let mut with =
            With { transport: &transport, identity: None, external: Some(&external), chance: &Real, only: None };
        let result = match task(capture, captures)? {
            Task::Resolve { link, only } => {
                with.only = only;
                crawlers.resolve(&link, with).await.map(|post| Made::Post(Box::new(post)))
            }
            Task::List { link, cursor } => {
                let request = ListRequest { cursor, ..ListRequest::default() };
                crawlers.list(&link, &request, with).await.map(Made::List)
            }
        };
        let handed_over = external.asked.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Played { result, seen: stub.seen(), handed_over })
    }
}

fn task(capture: &Capture, captures: &[Capture]) -> Result<Task, String> {
    let resolve = |link: String, only| Ok(Task::Resolve { link, only });
    let id = |fallback: &str| {
        let expected = capture.expect["id"].as_str().map(str::to_owned);
        capture.id().or(expected).unwrap_or_else(|| fallback.to_owned())
    };
    let path = capture.asked.path.as_str();
    let word =
        if path.contains("/note/") || capture.asked.query.contains_key("request_source") { "note" } else { "video" };
    let douyin = |only| resolve(format!("https://www.douyin.com/{word}/{}", id("7600000000000000101")), Some(only));
    let tiktok = |only| resolve(format!("https://www.tiktok.com/@_/video/{}", id("7611111111111111111")), Some(only));
    let query = |name: &str| capture.asked.query.get(name).cloned();
    let list = |link: String, name: &str, first: &str| Ok(Task::List { link, cursor: cursor(query(name), first) });
    if capture.asked.command.is_some() {
        return resolve(format!("https://{EXTERNAL_HOST}/v/abc123"), None);
    }
    match capture.host.as_str() {
        "www.douyin.com" if path.contains("/aweme/detail") => douyin("web_detail"),
        "www.douyin.com" if path.contains("/mix/") => {
            list(format!("https://www.douyin.com/collection/{}", id("7600000000000008001")), "cursor", "0")
        }
        "www.douyin.com" if path.contains("/music/aweme") => {
            list(format!("https://www.douyin.com/music/{}", id("7600000000000005001")), "cursor", "0")
        }
        "www.douyin.com" if path.starts_with("/aweme/v1/web/") => list(person(&query), "max_cursor", "0"),
        "www.iesdouyin.com" if path.contains("slidesinfo") => douyin("slidesinfo"),
        "www.iesdouyin.com" => douyin("share_page"),
        "ttwid.bytedance.com" => douyin("web_detail"),
        "www.tiktok.com" if path.starts_with("/api/item/detail") => tiktok("item_detail"),
        "www.tiktok.com" if path.starts_with("/oembed") => tiktok("oembed"),
        "www.tiktok.com" if path.starts_with("/api/collection/") => {
            list(format!("https://www.tiktok.com/@_/collection/{}", id("7611111111111118001")), "cursor", "0")
        }
        "www.tiktok.com" if path.starts_with("/api/mix/") => {
            list(format!("https://www.tiktok.com/@_/playlist/{}", id("7611111111111118001")), "cursor", "0")
        }
        "www.tiktok.com" if path.starts_with("/api/") => {
            list(format!("https://www.tiktok.com/{}", user_of(capture, captures)), "cursor", "now in ms")
        }
        "www.tiktok.com" if path.contains("/video/") || path.contains("/photo/") => {
            resolve(capture.url()?.into(), Some("page"))
        }
        "www.tiktok.com" if path.starts_with("/embed/@") => {
            list(format!("https://www.tiktok.com/{}", path.trim_start_matches("/embed/")), "cursor", "")
        }
        "www.tiktok.com" if path.starts_with("/@") => list(capture.url()?.into(), "cursor", ""),
        host if host.ends_with("tiktokv.com") && !path.starts_with("/share/") => tiktok("app_feed"),
        "api.tikhub.io" if path.contains("tiktok") => tiktok("tikhub"),
        "api.tikhub.io" if path.contains("user_post") => list(person(&query), "max_cursor", "0"),
        "api.tikhub.io" if path.contains("mix_post") => {
            list(format!("https://www.douyin.com/collection/{}", id("7600000000000008001")), "cursor", "0")
        }
        "api.tikhub.io" => douyin("tikhub"),
        _ if capture.expect["kind"] == "feed" => list(capture.url()?.into(), "cursor", ""),
        _ => resolve(capture.url()?.into(), None),
    }
}

/// The link of the person on Douyin to whom a captured list belongs.
fn person(query: &dyn Fn(&str) -> Option<String>) -> String {
    let sec_uid = query("sec_user_id").unwrap_or_else(|| "MS4wLjABAAAAreplay".to_owned());
    format!("https://www.douyin.com/user/{sec_uid}")
}

/// A captured cursor; the first page has none.
fn cursor(captured: Option<String>, first: &str) -> Option<String> {
    let captured = captured.filter(|cursor| cursor != first)?;
    // Any other than the first.
    Some(if captured.starts_with("!=") { "1793489200000".to_owned() } else { captured })
}

/// The path of the user to whom a captured list belongs: the one whose page tells the list's id, else one that the stub
/// knows.
fn user_of(capture: &Capture, captures: &[Capture]) -> String {
    let wanted = capture.asked.query.get("secUid");
    let mut pages = captures.iter().filter(|other| other.expect.get("sec_uid").is_some());
    let page = pages.find(|other| wanted.is_none() || other.expect["sec_uid"].as_str() == wanted.map(String::as_str));
    page.map_or_else(|| "@replay".to_owned(), |page| page.asked.path.trim_start_matches('/').to_owned())
}

/// yt-dlp with a captured answer.
struct Canned<'a> {
    capture: &'a Capture,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl External for Canned<'_> {
    async fn dump(&self, dump: Dump<'_>) -> Result<Dumped, TransportError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(dump.link.as_str().to_owned());
        let failed = self.capture.asked.exit_code != 0;
        let unasked = self.capture.asked.command.is_none();
        let text = || String::from_utf8_lossy(&self.capture.body).into_owned();
        Ok(match (unasked, failed) {
            (true, _) => Dumped {
                status: Some(1),
                stdout: Default::default(),
                stderr: format!("ERROR: Unsupported URL: {}", dump.link),
            },
            (false, true) => {
                Dumped { status: Some(self.capture.asked.exit_code), stdout: Default::default(), stderr: text() }
            }
            (false, false) => {
                Dumped { status: Some(0), stdout: self.capture.body.clone().into(), stderr: String::new() }
            }
        })
    }
}
