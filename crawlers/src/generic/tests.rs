//! The whole way from a pasted link to media, over the fixtures and a real server on loopback.

// Before the modules that use it.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/generic/", $name))
    };
}

mod hand_over;
mod manifest;
mod pages;
mod server;
mod site;
mod sources;
mod statuses;

use crate::{CrawlError, Crawlers, Delivery, ErrorClass, MediaKind, Real, Resolved, Settings, Transport, With};
use site::{Site, page};

const HTML: &str = "text/html; charset=utf-8";

fn crawlers() -> Crawlers {
    Crawlers::new(Settings::shipped()).unwrap()
}

async fn resolve(pasted: &str, transport: &dyn Transport) -> Result<Resolved, CrawlError> {
    let with = With { transport, identity: None, external: None, chance: &Real, only: None };
    crawlers().resolve(pasted, with).await
}

async fn failure(site: &Site, path: &str) -> CrawlError {
    resolve(&format!("http://page.example{path}"), site).await.unwrap_err()
}

async fn success(site: &Site, path: &str) -> Resolved {
    resolve(&format!("http://page.example{path}"), site).await.unwrap()
}

fn urls(found: &Resolved) -> Vec<&str> {
    found.candidates.iter().map(|candidate| candidate.url.as_str()).collect()
}

#[test]
fn every_crawler_keeps_the_contract() {
    let crawlers = crawlers();
    let all: Vec<_> = crawlers.all().collect();
    let mut names: Vec<_> = all.iter().map(|crawler| crawler.name()).collect();
    assert_eq!(names.last(), Some(&"web"), "the generic module claims everything, so it is asked last");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all.len());
    let last = all.last().unwrap();
    for link in
        ["http://example.com/", "https://douyin.com.evil.example/video/7600000000000000101", "http://127.0.0.1:9/a"]
    {
        assert!(last.claims(&link.parse().unwrap()), "{link}");
    }
    for link in ["ftp://example.com/", "file:///etc/passwd", "https://user@example.com/", "data:text/html,x"] {
        assert!(all.iter().all(|crawler| !crawler.claims(&link.parse().unwrap())), "{link}");
    }
}

#[test]
fn the_classes_use_the_words_of_the_fixtures() {
    for class in ErrorClass::ALL {
        assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
    }
}

#[tokio::test]
async fn open_graph_json_ld_and_elements_resolve_as_the_fixtures_say() {
    let site = Site::new([
        page("/og", HTML, fixture!("og_video.html")),
        page("/bee", HTML, fixture!("jsonld_video.html")),
        page("/lecture3", HTML, fixture!("video_source.html")),
    ]);
    let found = resolve("Watch this: http://page.example/og!", &site).await.unwrap();
    assert_eq!(urls(&found), ["http://media.example/g/og.mp4?x=1&y=2"]);
    assert_eq!(
        (found.title.as_str(), found.platform.as_str(), found.kind),
        ("Clip of the day", "web", MediaKind::Video)
    );
    assert_eq!(found.page_url.as_str(), "http://page.example/og");

    let found = success(&site, "/bee").await;
    assert_eq!(urls(&found), ["http://media.example/g/bee.mp4"]);
    assert_eq!((found.title.as_str(), found.duration_ms), ("Interview with a beekeeper", Some(750_000)));
    assert_eq!(found.author.as_deref(), Some("A. Apis"));

    let found = success(&site, "/lecture3").await;
    assert_eq!(urls(&found), ["http://media.example/course/l3.mp4", "http://media.example/course/l3.webm"]);
    assert_eq!(found.subtitles[0].format.as_deref(), Some("vtt"));
    assert_eq!(found, serde_json::from_value(serde_json::to_value(&found).unwrap()).unwrap());
    assert_eq!(site.asked(), 3, "one request per page");
}

#[tokio::test]
async fn a_feed_gives_its_newest_item() {
    let site = Site::new([page("/feed.xml", "application/rss+xml; charset=utf-8", fixture!("podcast.rss"))]);
    let found = success(&site, "/feed.xml").await;
    assert_eq!(urls(&found), ["http://media.example/pod/2.mp3"]);
    assert_eq!((found.title.as_str(), found.duration_ms), ("Ep 2: Rain", Some(1_865_000)));
    assert_eq!((found.kind, found.author.as_deref()), (MediaKind::Audio, Some("Slow Radio")));
    assert_eq!(found.candidates[0].size, Some(29_800_000));
    assert_eq!(found.warnings.len(), 1);
}

#[tokio::test]
async fn a_master_playlist_leads_to_its_audio_rendition() {
    let hls = "application/vnd.apple.mpegurl";
    let site = Site::new([
        page("/hls/master.m3u8", hls, fixture!("master.m3u8")),
        page("/hls/audio_en.m3u8", hls, fixture!("audio_en.m3u8")),
    ]);
    let found = success(&site, "/hls/master.m3u8").await;
    assert_eq!(urls(&found), ["http://page.example/hls/audio_en.m3u8", "http://page.example/hls/v360.m3u8"]);
    assert_eq!(found.candidates[0].delivery, Delivery::Hls);
    assert_eq!((found.duration_ms, found.kind, found.strategy.as_str()), (Some(24_160), MediaKind::Audio, "hls"));
}

#[tokio::test]
async fn pages_without_media_say_what_they_have_instead() {
    let site = Site::new([
        page("/article", HTML, fixture!("no_media.html")),
        page("/talk", HTML, fixture!("youtube_iframe.html")),
    ]);
    let error = failure(&site, "/article").await;
    assert_eq!(error.class, ErrorClass::NoMediaFound);
    assert!(!error.message.contains("words") && !error.retryable());
    let error = failure(&site, "/talk").await;
    assert_eq!(error.class, ErrorClass::NoMediaFound);
    assert!(error.message.contains("YouTube") && !error.message.contains("inventedVid1"), "{}", error.message);
}
