//! What goes to yt-dlp and to other platforms, and what does not.

use super::*;
use url::Url;

use crate::{
    Crawler, Ending, Form, LinkKind, Visit, generic::Web, memory::Memory, pace::Pace, ytdlp::tests::program::Program,
};

const SINGLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/ytdlp/single.json"));

async fn with(program: &Program, site: &Site, link: &str) -> Result<Resolved, CrawlError> {
    let with = With { transport: site, identity: None, external: Some(program), chance: &Real, only: None };
    crawlers().resolve(link, with).await
}

fn knows() -> Program {
    Program::says(0, &SINGLE.replace("MEDIA_HOST", "media.example"), "")
}

fn knows_nothing() -> Program {
    Program::says(1, "null", "ERROR: Unsupported URL: x")
}

#[tokio::test]
async fn links_of_listed_hosts_go_over_at_once() {
    let (program, site) = (knows(), Site::new([]));
    for link in ["https://youtu.be/abc", "https://m.youtube.com/watch?v=abc"] {
        let found = with(&program, &site, link).await.unwrap();
        assert_eq!((found.id.as_str(), found.strategy.as_str()), ("example:abc123", "ytdlp"));
    }
    assert_eq!((site.asked(), program.asked().len()), (0, 2));
    let gone = Program::says(1, "", "ERROR: [youtube] abc: Private video. Sign in");
    assert_eq!(with(&gone, &site, "https://youtu.be/abc").await.unwrap_err().class, ErrorClass::Private);
}

#[tokio::test]
async fn without_the_program_the_page_is_tried_and_the_error_names_it() {
    let link = "https://vimeo.com/1";
    let error = resolve(link, &Site::new([page(link, HTML, "<p>words")])).await.unwrap_err();
    assert!(error.class == ErrorClass::NoMediaFound && error.message.contains("Vimeo"), "{}", error.message);
    assert!(error.message.contains("yt-dlp, which is not installed"), "{}", error.message);
    let error = failure(&Site::new([page("/a", HTML, "<p>words")]), "/a").await;
    assert!(error.message.contains("install yt-dlp"), "{}", error.message);
}

#[tokio::test]
async fn a_page_without_media_goes_over_with_its_story() {
    let site = Site::new([page("/article", HTML, fixture!("no_media.html"))]);
    let program = knows();
    let found = with(&program, &site, "http://page.example/article").await.unwrap();
    let story: Vec<_> = found.attempts.iter().map(|one| (one.strategy.as_str(), one.ending)).collect();
    assert_eq!(story, [("page", Ending::Failed), ("ytdlp", Ending::Found)]);
    assert_eq!(program.asked(), [("http://page.example/article".to_owned(), None)]);

    let error = with(&knows_nothing(), &site, "http://page.example/article").await.unwrap_err();
    assert_eq!((error.class, error.attempts.len()), (ErrorClass::NoMediaFound, 2));
    assert!(error.message.starts_with("No audio or video was found on the page"), "{}", error.message);
    let login = Program::says(1, "", "ERROR: [x] 1: This video is only available for registered users. Log in");
    let error = with(&login, &site, "http://page.example/article").await.unwrap_err();
    assert_eq!(error.class, ErrorClass::LoginRequired);
}

#[tokio::test]
async fn definite_answers_and_other_files_do_not_go_over() {
    let live = fixture!("audio_en.m3u8").replace("#EXT-X-ENDLIST", "").replace("#EXT-X-PLAYLIST-TYPE:VOD", "");
    let site = Site::new([
        page("/gone", HTML, "x").status(404),
        page("/picture", "image/jpeg", b"\xFF\xD8\xFF\xE0"),
        page("/live", HTML, "<video src=/l.m3u8></video>"),
        page("/l.m3u8", "application/vnd.apple.mpegurl", live),
        page("/guarded", HTML, "x").status(403),
    ]);
    let program = knows();
    for (path, class) in
        [("gone", ErrorClass::NotFound), ("picture", ErrorClass::NoMediaFound), ("live", ErrorClass::LiveNotSupported)]
    {
        let error = with(&program, &site, &format!("http://page.example/{path}")).await.unwrap_err();
        assert_eq!((error.class, program.asked().len()), (class, 0), "{path}");
    }
    with(&program, &site, "http://page.example/guarded").await.unwrap();
    assert_eq!(program.asked().len(), 1, "a refusal of ours may be no refusal of yt-dlp");
}

#[tokio::test]
async fn players_of_other_sites_are_asked_by_their_own_address() {
    let site = Site::new([
        page("/talk", HTML, fixture!("youtube_iframe.html")),
        page("/own", HTML, "<iframe src=https://www.youtube.com/embed/x></iframe><audio src=a.mp3></audio>"),
    ]);
    let program = knows();
    let found = with(&program, &site, "http://page.example/talk").await.unwrap();
    assert_eq!(found.title, "A talk");
    assert_eq!(program.asked(), [("https://www.youtube.com/embed/inventedVid1?rel=0".to_owned(), None)]);
    assert_eq!(urls(&with(&program, &site, "http://page.example/own").await.unwrap()), ["http://page.example/a.mp3"]);

    let program = knows_nothing();
    let error = with(&program, &site, "http://page.example/talk").await.unwrap_err();
    assert_eq!((error.class, program.asked().len()), (ErrorClass::NoMediaFound, 1), "the page is not tried on top");
}

#[tokio::test]
async fn a_page_described_elsewhere_plays_what_the_description_shows() {
    let link = "<link rel=alternate type=application/json+oembed href=/oembed>";
    let described = r#"{"title": "Described", "author_name": "Ann", "html": "<iframe src=\"/player\"></iframe>"}"#;
    let site = Site::new([
        page("/p", HTML, link),
        page("/oembed", "application/json", described),
        page("/player", HTML, "<audio src=a.mp3></audio>"),
        page("/circle", HTML, link.replace("/oembed", "/own")),
        page("/own", "application/json", r#"{"html": "<iframe src=\"/circle\"></iframe>"}"#),
    ]);
    let found = success(&site, "/p").await;
    assert_eq!((urls(&found), found.title.as_str()), (vec!["http://page.example/a.mp3"], "Described"));
    assert_eq!(found.author.as_deref(), Some("Ann"));
    assert_eq!(failure(&site, "/circle").await.class, ErrorClass::NoMediaFound);
}

/// A platform with posts at `posts.example`.
struct Posts;

#[async_trait::async_trait]
impl Crawler for Posts {
    fn name(&self) -> &'static str {
        "posts"
    }

    fn read(&self, link: &Url) -> Option<Form> {
        (link.host_str() == Some("posts.example")).then(|| Form { kind: LinkKind::Post, parts: Vec::new() })
    }

    async fn resolve(&self, link: &Url, _visit: &Visit<'_>) -> Result<Resolved, CrawlError> {
        Ok(Resolved::new("posts", "7", MediaKind::Video, link.clone()))
    }
}

#[tokio::test]
async fn a_platforms_player_is_resolved_by_its_platform() {
    let quote = "<blockquote class=posts-embed cite=https://posts.example/7></blockquote><iframe src=/x></iframe>";
    let (site, settings) = (Site::new([page("/p", HTML, quote)]), Settings::shipped());
    let (memory, pace) = (Memory::default(), Pace::new(&settings.pace));
    let with = With { transport: &site, identity: None, external: None, chance: &Real, only: None };
    let platforms: [Box<dyn Crawler>; 2] = [Box::new(Posts), Box::new(Web)];
    let visit = Visit::new(with, &settings, &memory, &pace).among(&platforms);
    let found = Web.resolve(&Url::parse("http://page.example/p").unwrap(), &visit).await.unwrap();
    assert_eq!((found.platform.as_str(), found.id.as_str()), ("posts", "7"));
    assert_eq!(found.page_url.as_str(), "https://posts.example/7");
}
