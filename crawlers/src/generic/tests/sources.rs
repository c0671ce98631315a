//! Feeds and lists to follow.

use super::*;
use crate::{ListRequest, Page, ytdlp::tests::program::Program};

const RSS: &str = "application/rss+xml; charset=utf-8";
const YOUTUBE: &str = r#"<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/" xmlns="http://www.w3.org/2005/Atom">
    <id>yt:channel:abc</id><title>Talks</title><published>2026-01-01T00:00:00+00:00</published>
    <entry><id>yt:video:vid1</id><yt:videoId>vid1</yt:videoId><title>One</title>
    <link rel="alternate" href="https://www.youtube.com/watch?v=vid1"/><published>2026-01-02T00:00:00+00:00</published>
    <media:group><media:content url="https://www.youtube.com/v/vid1?version=3" type="application/x-shockwave-flash"/></media:group></entry></feed>"#;

async fn list(link: &str, request: &ListRequest, site: &Site, program: Option<&Program>) -> Result<Page, CrawlError> {
    let external = program.map(|program| program as &dyn crate::External);
    crawlers().list(link, request, With { transport: site, identity: None, external, chance: &Real, only: None }).await
}

async fn first(link: &str, site: &Site, program: Option<&Program>) -> Result<Page, CrawlError> {
    list(link, &ListRequest::default(), site, program).await
}

fn playlist() -> Program {
    let entry = r#"{"_type": "url", "ie_key": "Youtube", "id": "v1", "title": "T", "url": "https://www.youtube.com/watch?v=v1"}"#;
    Program::says(0, &format!(r#"{{"_type": "playlist", "title": "L", "entries": [{entry}]}}"#), "")
}

#[tokio::test]
async fn a_feed_is_read_again_only_when_it_has_changed() {
    let feed = page("/feed.xml", RSS, fixture!("podcast.rss"));
    let site = Site::new([feed.header("ETag", "\"7\"").header("Last-Modified", "Mon, 02 Nov 2026 06:00:00 GMT")]);
    let link = "http://page.example/feed.xml";
    let found = first(link, &site, None).await.unwrap();
    assert_eq!(found.title.as_deref(), Some("Slow Radio"));
    let items: Vec<_> = found.items.iter().map(|item| (item.id.as_str(), item.link.as_str())).collect();
    assert_eq!(items, [("slow-2", "http://media.example/pod/2.mp3"), ("slow-1", "http://media.example/pod/1.mp3")]);
    assert_eq!((found.items[0].duration_ms, found.items[0].title.as_str()), (Some(1_865_000), "Ep 2: Rain"));
    assert_eq!((found.not_modified, found.next.as_deref()), (false, None));

    let again = ListRequest { etag: found.etag, last_modified: found.last_modified, cursor: None };
    let same = list(link, &again, &site, None).await.unwrap();
    assert!(same.not_modified && same.items.is_empty() && same.etag.as_deref() == Some("\"7\""));
    let stale = ListRequest { etag: Some("\"6\"".to_owned()), ..ListRequest::default() };
    assert_eq!(list(link, &stale, &site, None).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn a_channel_whose_id_is_known_is_followed_through_its_feed() {
    let feed = "https://www.youtube.com/feeds/videos.xml?channel_id=UCabc";
    let site = Site::new([page(feed, "text/xml", YOUTUBE)]);
    let program = playlist();
    let found = first("https://www.youtube.com/channel/UCabc", &site, Some(&program)).await.unwrap();
    let item = &found.items[0];
    assert_eq!((item.id.as_str(), item.link.as_str()), ("youtube:vid1", "https://www.youtube.com/watch?v=vid1"));
    assert_eq!((item.title.as_str(), program.asked().len()), ("One", 0));

    let broken = Site::new([page(feed, HTML, "x").status(500)]);
    let found = first("https://www.youtube.com/channel/UCabc", &broken, Some(&program)).await.unwrap();
    assert_eq!(found.items[0].id, "youtube:v1");
    assert_eq!(program.asked()[0].0, "https://www.youtube.com/channel/UCabc/videos");
    let error = first("https://www.youtube.com/channel/UCabc", &broken, None).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::SiteError);
}

#[tokio::test]
async fn other_lists_are_for_the_program() {
    let (site, program) = (Site::new([page("/list", HTML, "<p>a list")]), playlist());
    for link in ["https://www.youtube.com/@name", "https://vimeo.com/showcase/1", "http://page.example/list"] {
        assert_eq!(first(link, &site, Some(&program)).await.unwrap().title.as_deref(), Some("L"), "{link}");
    }
    let asked = program.asked();
    assert_eq!(asked[0], ("https://www.youtube.com/@name/videos".to_owned(), Some(50)));
    assert_eq!(site.asked(), 1);
    let next = ListRequest { cursor: Some("50".to_owned()), ..ListRequest::default() };
    assert!(list("https://vimeo.com/showcase/1", &next, &site, Some(&program)).await.unwrap().items.is_empty());
    assert_eq!(program.asked().pop().unwrap().1, Some(100));
    let error = first("http://page.example/list", &site, None).await.unwrap_err();
    assert!(error.class == ErrorClass::NoMediaFound && error.message.contains("yt-dlp"), "{}", error.message);
}

#[tokio::test]
async fn a_page_is_followed_through_the_feed_that_it_announces() {
    let link = "<link rel=alternate type=application/rss+xml href=/feed>";
    let site = Site::new([
        page("/", HTML, link).header("ETag", "\"page\""),
        page("/feed", RSS, fixture!("podcast.rss")).header("ETag", "\"feed\""),
    ]);
    let found = first("http://page.example/", &site, None).await.unwrap();
    assert_eq!((found.items.len(), found.etag), (2, None), "the feed may change while the page does not");
}

#[tokio::test]
async fn an_announced_feed_that_has_a_bad_day_is_waited_for() {
    let link = "<link rel=alternate type=application/rss+xml href=/feed>";
    for (status, expected) in [(500, Err(ErrorClass::SiteError)), (404, Ok(Some("L".to_owned())))] {
        let site = Site::new([page("/", HTML, link), page("/feed", HTML, "x").status(status)]);
        let found = first("http://page.example/", &site, Some(&playlist())).await;
        assert_eq!(found.map(|page| page.title).map_err(|error| error.class), expected);
    }
}

#[tokio::test]
async fn older_parts_of_a_feed_are_its_next_pages() {
    let next = |path: &str| {
        let link =
            format!(r#"<channel><atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="next" href="{path}"/>"#);
        fixture!("podcast.rss").replacen("<channel>", &link, 1)
    };
    let site = Site::new([
        page("/feed", RSS, next("/feed?page=2")),
        page("/feed?page=2", RSS, next("/feed?page=2")),
        page("/away", RSS, next("https://evil.example/feed")),
    ]);
    let found = first("http://page.example/feed", &site, None).await.unwrap();
    assert_eq!(found.next.as_deref(), Some("http://page.example/feed?page=2"));
    let older = ListRequest { cursor: found.next, ..ListRequest::default() };
    assert_eq!(list("http://page.example/feed", &older, &site, None).await.unwrap().next, None, "a circle ends");
    assert_eq!(first("http://page.example/away", &site, None).await.unwrap().next, None);
}
