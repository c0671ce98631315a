//! What resolving costs in our own CPU time: typical answers out of `fixtures/`, from memory, again and again.
//!
//! Prints a JSON object: case → median milliseconds of CPU time for one resolve. `make bench` builds and runs it.

#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{collections::BTreeMap, fs, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use crawlers::{Crawlers, Real, Request, Response, Settings, Transport, TransportError, With};
use rustix::time::{ClockId, clock_gettime};

/// Resolves of each case.
const TIMES: usize = 300;
/// Real pages are this large where the fixtures are a few kilobytes.
const LARGE: usize = 300_000;

const DOUYIN: &str = "https://www.douyin.com/video/7600000000000000101";
const TIKTOK: &str = "https://www.tiktok.com/@weekly.wren/video/7611111111111111111";
const WEB: &str = "https://page.example/og";

/// Answers everything with one body.
struct Always {
    content_type: &'static str,
    body: Bytes,
}

#[async_trait]
impl Transport for Always {
    async fn fetch(&self, request: Request) -> Result<Response, TransportError> {
        let headers = [("Content-Type", self.content_type), ("Set-Cookie", "ttwid=1%7Cinvented; Path=/")];
        Ok(Response {
            url: request.url,
            status: 200,
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: self.body.clone(),
            truncated: false,
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (json, html) = ("application/json", "text/html; charset=utf-8");
    let page = fixture("tiktok/video_page.html")?;
    let og = fixture("generic/og_video.html")?;
    let cases = [
        ("douyin/detail_video", DOUYIN, Some("web_detail"), json, fixture("douyin/detail_video.json")?),
        ("douyin/slidesinfo_video", DOUYIN, Some("slidesinfo"), json, fixture("douyin/slidesinfo_video.json")?),
        ("tiktok/video_page, 300 kB", TIKTOK, Some("page"), html, with_data(&page)),
        ("tiktok/video_page", TIKTOK, Some("page"), html, page),
        ("tiktok/item_detail", TIKTOK, Some("item_detail"), json, fixture("tiktok/item_detail.json")?),
        ("generic/og_video, 300 kB", WEB, None, html, with_markup(&og)),
        ("generic/og_video", WEB, None, html, og),
    ];
    let mut settings = Settings::shipped();
    settings.pace.post_every = Duration::ZERO;
    let crawlers = Crawlers::new(settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut medians = BTreeMap::new();
    for (name, link, only, content_type, body) in cases {
        let world = Always { content_type, body: body.into() };
        let with = With { transport: &world, identity: None, external: None, chance: &Real, only };
        let mut costs = Vec::with_capacity(TIMES);
        for _ in 0..TIMES {
            let before = cpu_ms();
            let found = runtime.block_on(crawlers.resolve(link, with))?;
            costs.push(cpu_ms() - before);
            assert!(!found.candidates.is_empty(), "{name} has nothing to download");
        }
        costs.sort_by(f64::total_cmp);
        medians.insert(name, costs[TIMES / 2]);
    }
    println!("{}", serde_json::to_string(&medians)?);
    Ok(())
}

/// CPU time of the whole process so far.
fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn fixture(name: &str) -> std::io::Result<String> {
    let text = fs::read_to_string(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR")))?;
    Ok(text.replace("MEDIA_HOST", "media.example"))
}

/// The page with as much data around the post's as the real one has: in the same JSON, which is read whole.
fn with_data(page: &str) -> String {
    let scope = r#""__DEFAULT_SCOPE__":{"#;
    let entry = |at: usize| format!(r#""text-{at}":{{"key":"some words","n":{at},"list":[1,2,3]}},"#);
    let data: String = (0..).map(entry).scan(page.len(), grown).collect();
    page.replacen(scope, &format!("{scope}{data}"), 1)
}

/// The page with as much markup as a real one has.
fn with_markup(page: &str) -> String {
    let entry =
        |at: usize| format!("<div class=\"card\"><a href=\"/story/{at}\">Story <b>{at}</b></a><p>Words.</p></div>\n");
    let markup: String = (0..).map(entry).scan(page.len(), grown).collect();
    page.replacen("</body>", &format!("{markup}</body>"), 1)
}

/// Lets pieces pass until the whole is large.
fn grown(length: &mut usize, piece: String) -> Option<String> {
    *length += piece.len();
    (*length < LARGE).then_some(piece)
}
