//! Files, lists, frames, feeds and refreshes.

use super::*;

const HLS: &str = "application/vnd.apple.mpegurl";
const MEDIA_LIST: &str = fixture!("audio_en.m3u8");

#[tokio::test]
async fn a_file_is_known_by_its_type_and_named_by_the_server() {
    let file = page("/direct/talk?id=9", "audio/mpeg", [0xAA; 100_000])
        .header("Content-Length", "123456")
        .header("Content-Disposition", "attachment; filename*=UTF-8''talk%209.mp3");
    let site = Site::new([file]);
    let found = success(&site, "/direct/talk?id=9").await;
    assert_eq!(urls(&found), ["http://page.example/direct/talk?id=9"]);
    assert_eq!((found.title.as_str(), found.kind), ("talk 9", MediaKind::Audio));
    let candidate = &found.candidates[0];
    assert_eq!((candidate.size, candidate.container.as_deref()), (Some(123_456), Some("mp3")));
    assert_eq!(found.id, success(&site, "/direct/talk?id=9#t=1").await.id);
}

#[tokio::test]
async fn a_file_is_known_by_its_first_bytes_whatever_its_type_says() {
    for (content_type, bytes, container) in [
        ("application/octet-stream", b"ID3\x04 and so on".as_slice(), "mp3"),
        ("text/html", b"OggS\x00\x02", "ogg"),
        ("", b"\x00\x00\x00\x20ftypisom....", "mp4"),
        ("text/plain", b"\x1A\x45\xDF\xA3....webm", "webm"),
        ("video/mp4", b"RIFF....WAVEfmt ", "wav"),
        ("application/json", b"\xFF\xFB\x90\x64", "mp3"),
    ] {
        let found = success(&Site::new([page("/f", content_type, bytes)]), "/f").await;
        assert_eq!(found.candidates[0].container.as_deref(), Some(container), "{content_type}");
    }
    let by_name = success(&Site::new([page("/f.amr", "binary/octet-stream", b"????")]), "/f.amr").await;
    assert_eq!((by_name.title.as_str(), by_name.kind), ("f", MediaKind::Audio));
}

#[tokio::test]
async fn what_is_neither_media_nor_a_page_is_named() {
    for (content_type, body, word) in [
        ("image/jpeg", b"\xFF\xD8\xFF\xE0".as_slice(), "picture"),
        ("application/pdf", b"%PDF-1.7", "PDF"),
        ("application/json", b"{\"secret\": 1}", "JSON"),
        ("text/plain", b"secret", "plain text"),
        ("application/dash+xml", b"<?xml version='1.0'?><MPD/>", "DASH"),
        ("application/xml", b"<secret/>", "XML"),
        ("image/avif", b"\x00\x00\x00\x20ftypavif", "picture"),
        ("application/octet-stream", b"secret", "another kind"),
    ] {
        let error = failure(&Site::new([page("/f", content_type, body)]), "/f").await;
        assert_eq!(error.class, ErrorClass::NoMediaFound);
        assert!(error.message.contains(word) && !error.message.contains("secret"), "{}", error.message);
    }
}

#[tokio::test]
async fn text_served_as_media_is_read_whole() {
    let long = format!("<!doctype html>{}<audio src=a.mp3></audio>", " ".repeat(10_000));
    let site = Site::new([
        page("/p", "audio/mpeg", long),
        page(
            "/l",
            "application/octet-stream",
            MEDIA_LIST.replace("#EXTINF", &format!("#{}\n#EXTINF", "x".repeat(4000))),
        ),
    ]);
    assert_eq!(urls(&success(&site, "/p").await), ["http://page.example/a.mp3"]);
    assert_eq!(success(&site, "/l").await.duration_ms, Some(24_160));
}

#[tokio::test]
async fn plain_lists_lead_to_their_first_entry() {
    let mp3 = || page("/s/1.mp3", "audio/mpeg", b"ID3");
    for (content_type, body) in [
        ("audio/x-scpls", "[playlist]\nNumberOfEntries=1\nFile1=http://page.example/s/1.mp3\nTitle1=x\n"),
        ("audio/x-mpegurl", "#EXTM3U\n#EXTINF:5,title\n/s/1.mp3\n"),
        ("audio/x-mpegurl", "# a comment\nfile:///etc/passwd\nhttp://page.example/s/1.mp3\n"),
    ] {
        let found = success(&Site::new([page("/list", content_type, body), mp3()]), "/list").await;
        assert_eq!(urls(&found), ["http://page.example/s/1.mp3"], "{body}");
    }
    let own = Site::new([page("/list", "audio/x-mpegurl", "#EXTM3U\n/list")]);
    assert_eq!(failure(&own, "/list").await.class, ErrorClass::NoMediaFound);
}

#[tokio::test]
async fn streams_of_a_page_are_followed_to_what_can_be_played() {
    let site = Site::new([
        page("/p", HTML, "<title>T</title><video><source src=/m.m3u8><source src=/v.mp4></video>"),
        page("/m.m3u8", HLS, fixture!("master.m3u8")),
        page("/audio_en.m3u8", HLS, MEDIA_LIST),
    ]);
    let found = success(&site, "/p").await;
    let wanted = ["http://page.example/v.mp4", "http://page.example/audio_en.m3u8", "http://page.example/v360.m3u8"];
    assert_eq!(urls(&found), wanted);
    assert_eq!(found.duration_ms, Some(24_160));
    assert_eq!(found.candidates[1].headers, [("Referer".to_owned(), "http://page.example/p".to_owned())]);
}

#[tokio::test]
async fn a_live_stream_on_a_page_is_refused_as_live() {
    let live = MEDIA_LIST.replace("#EXT-X-ENDLIST", "").replace("#EXT-X-PLAYLIST-TYPE:VOD", "");
    let site = Site::new([page("/p", HTML, "<video src=/l.m3u8></video>"), page("/l.m3u8", HLS, live)]);
    assert_eq!(failure(&site, "/p").await.class, ErrorClass::LiveNotSupported);
    assert_eq!(failure(&site, "/l.m3u8").await.class, ErrorClass::LiveNotSupported);
}

#[tokio::test]
async fn frames_are_followed_one_level_deep() {
    let site = Site::new([
        page(
            "/p",
            HTML,
            "<title>Outer</title><iframe src=https://www.google.com/maps></iframe><iframe src=/player></iframe>",
        ),
        page("/player", HTML, "<audio src=a.mp3></audio>"),
        page("/deep", HTML, "<iframe src=/p></iframe>"),
    ]);
    let found = success(&site, "/p").await;
    assert_eq!((urls(&found), found.title.as_str()), (vec!["http://page.example/a.mp3"], "Outer"));
    assert_eq!((found.page_url.path(), found.strategy.as_str()), ("/p", "page.embed/page.elements"));
    assert_eq!(failure(&site, "/deep").await.class, ErrorClass::NoMediaFound);
}

#[tokio::test]
async fn a_feed_answers_only_for_the_pages_of_its_items_and_its_home() {
    let link = "<link rel=alternate type=application/rss+xml href=/feed>";
    let feed = fixture!("podcast.rss").replace("https://slow.example.invalid", "http://page.example/");
    let feed =
        feed.replace("<title>Ep 1: Wind</title>", "<title>Ep 1: Wind</title><link>http://page.example/ep1/</link>");
    let pages = ["/", "/ep1", "/about"].map(|path| page(path, HTML, link));
    let site = Site::new(pages.into_iter().chain([page("/feed", "text/xml", feed)]));
    assert_eq!(success(&site, "/ep1").await.title, "Ep 1: Wind");
    assert_eq!(success(&site, "/").await.title, "Ep 2: Rain");
    assert_eq!(failure(&site, "/about").await.class, ErrorClass::NoMediaFound);
}

#[tokio::test]
async fn refreshes_are_followed_twice_and_never_in_a_circle() {
    let to = |target: &str| format!("<meta http-equiv=refresh content='0; url={target}'>");
    let site = Site::new([
        page("/1", HTML, to("/2")),
        page("/2", HTML, "<p>").header("Refresh", "0; url=/3"),
        page("/3", HTML, "<audio src=a.mp3>"),
        page("/a", HTML, to("/b")),
        page("/b", HTML, to("/a")),
    ]);
    assert_eq!(urls(&success(&site, "/1").await), ["http://page.example/a.mp3"]);
    assert_eq!(failure(&site, "/a").await.class, ErrorClass::NoMediaFound);
}

#[tokio::test]
async fn addresses_in_pages_that_are_no_web_links_are_never_asked_for() {
    let trap = "<iframe src=file:///etc/passwd></iframe><iframe src='http://a:b@x.example/'></iframe>
        <link rel=alternate type=application/rss+xml href=ftp://x/feed><meta http-equiv=refresh content='0;url=gopher://x/'>";
    let site = Site::new([page("/p", HTML, trap)]);
    assert_eq!(failure(&site, "/p").await.class, ErrorClass::NoMediaFound);
    assert_eq!(site.asked(), 1);
}

/// A site on which every page leads to new pages in every way that is followed.
#[derive(Default)]
struct Maze(std::sync::atomic::AtomicUsize);

#[async_trait::async_trait]
impl crate::Transport for Maze {
    async fn fetch(&self, request: crate::Request) -> Result<crate::Response, crate::TransportError> {
        let at = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let frames: String = (0..5).map(|n| format!("<iframe src=/f{at}.{n}></iframe>")).collect();
        let feeds: String =
            (0..5).map(|n| format!("<link rel=alternate type=application/rss+xml href=/r{at}.{n}>")).collect();
        let body = format!("<html>{frames}{feeds}<meta http-equiv=refresh content='0;url=/n{at}'>").into();
        let headers = vec![("content-type".to_owned(), HTML.to_owned())];
        Ok(crate::Response { url: request.url, status: 200, headers, body, truncated: false })
    }
}

#[tokio::test]
async fn a_maze_costs_a_bounded_number_of_requests() {
    let maze = Maze::default();
    assert_eq!(resolve("http://page.example/", &maze).await.unwrap_err().class, ErrorClass::NoMediaFound);
    assert!(maze.0.into_inner() <= 12);
}

#[tokio::test]
async fn dash_manifests_are_taken_by_themselves_and_from_pages() {
    let mpd = |inside: &str| {
        format!(
            "<?xml version='1.0'?><MPD mediaPresentationDuration='PT9.5S'><Period><AdaptationSet mimeType='audio/mp4'>\
             <Representation id='a' bandwidth='64000'>{inside}</Representation></AdaptationSet></Period></MPD>"
        )
    };
    let site = Site::new([
        page("/list.mpd", "application/dash+xml", mpd("<SegmentTemplate duration='5' media='$Number$.m4s'/>")),
        page("/file.mpd", "text/xml", mpd("<BaseURL>a.mp4</BaseURL>")),
        page("/p", HTML, "<title>T</title><video><source src=/list.mpd type=application/dash+xml></video>"),
    ]);
    for (path, url, delivery) in [
        ("/list.mpd", "http://page.example/list.mpd", Delivery::Dash),
        ("/file.mpd", "http://page.example/a.mp4", Delivery::File),
        ("/p", "http://page.example/list.mpd", Delivery::Dash),
    ] {
        let found = success(&site, path).await;
        assert_eq!((urls(&found), found.candidates[0].delivery), (vec![url], delivery), "{path}");
        assert_eq!((found.duration_ms, found.kind), (Some(9_500), MediaKind::Audio), "{path}");
    }
    let dynamic = mpd("").replace("<MPD", "<MPD type='dynamic'");
    let site = Site::new([page("/live.mpd", "application/dash+xml", dynamic)]);
    assert_eq!(failure(&site, "/live.mpd").await.class, ErrorClass::LiveNotSupported);
}
