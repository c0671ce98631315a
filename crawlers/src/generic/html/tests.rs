mod hostile;

use proptest::prelude::*;

use super::*;
use crate::link::is_fetchable;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn read_page(html: &str) -> Findings {
    read(&html.replace("MEDIA_HOST", "media.example"), &url("https://site.example/dir/page?x=1#top"))
}

fn urls(findings: &Findings) -> Vec<&str> {
    findings.candidates.iter().map(|candidate| candidate.url.as_str()).collect()
}

#[test]
fn a_video_element_gives_sources_captions_and_title_relative_to_the_base() {
    let found = read_page(include_str!("../../../fixtures/generic/video_source.html"));
    assert_eq!(urls(&found), ["http://media.example/course/l3.mp4", "http://media.example/course/l3.webm"]);
    assert_eq!(found.subtitles.len(), 1);
    assert_eq!(found.subtitles[0].url.as_str(), "http://media.example/course/l3.vtt");
    assert_eq!(found.subtitles[0].language.as_deref(), Some("en"));
    assert_eq!(found.about.title.as_deref(), Some("Lecture 3"));
    assert!(!found.several, "two forms of one lecture");
}

#[test]
fn open_graph_is_unescaped() {
    let found = read_page(include_str!("../../../fixtures/generic/og_video.html"));
    assert_eq!(urls(&found), ["http://media.example/g/og.mp4?x=1&y=2"]);
    assert_eq!((found.about.title.as_deref(), found.strategy), (Some("Clip of the day"), "page.open_graph"));
}

#[test]
fn json_ld_describes_the_media() {
    let found = read_page(include_str!("../../../fixtures/generic/jsonld_video.html"));
    assert_eq!(urls(&found), ["http://media.example/g/bee.mp4"]);
    assert_eq!(found.about.title.as_deref(), Some("Interview with a beekeeper"));
    assert_eq!(found.about.duration_ms, Some(750_000));
    assert_eq!(found.about.author.as_deref(), Some("A. Apis"));
    assert_eq!(found.about.published_at.unwrap().to_rfc3339(), "2026-10-01T08:00:00+00:00");
    assert_eq!(found.embeds[0].url.as_str(), "http://media.example/embed/bee");
}

#[test]
fn a_known_player_is_recognised() {
    let found = read_page(include_str!("../../../fixtures/generic/youtube_iframe.html"));
    assert!(found.candidates.is_empty());
    let embed = Embed { url: url("https://www.youtube.com/embed/inventedVid1?rel=0"), player: Some("YouTube") };
    assert_eq!(found.embeds, [embed]);
    assert_eq!(known_player(&url("https://youtube.com.evil.example/embed/x")), None);
}

#[test]
fn nested_json_ld_is_found_and_a_broken_block_says_nothing() {
    let found = read_page(
        r#"<script type="application/ld+json">{"@type": "VideoObject", "contentUrl": }</script>
        <script type='application/ld+json'>{"@graph": [{"@type": ["WebPage"], "mainEntity": {"@type": "PodcastEpisode",
        "name": "Ep", "duration": "P0DT1H2M3S", "author": [{"name": "Ann"}],
        "associatedMedia": {"@type": "http://schema.org/AudioObject", "contentUrl": "/a.mp3"}}}]}</script>"#,
    );
    assert_eq!(urls(&found), ["https://site.example/a.mp3"]);
    assert_eq!((found.about.title.as_deref(), found.about.duration_ms), (Some("Ep"), Some(3_723_000)));
    assert_eq!(found.about.author.as_deref(), Some("Ann"));
}

#[test]
fn elements_that_cannot_be_fetched_are_passed_over() {
    let found = read_page(
        r#"<video src="blob:https://x/1" data-src="real.mp4"></video><video src="data:video/mp4;base64,AA"></video>
        <audio src=//cdn.example/stream?id=1></audio><video src="file:///etc/passwd"></video>
        <video src="https://u:p@x.example/v.mp4"></video><!-- <video src="comment.mp4"> -->"#,
    );
    assert_eq!(urls(&found), ["https://site.example/dir/real.mp4", "https://cdn.example/stream?id=1"]);
    assert!(found.several);
}

#[test]
fn forms_are_ordered_for_speech_and_decoration_comes_last() {
    let found = read_page(
        r#"<video autoplay muted loop src="hero.mp4"></video>
        <video controls><source src="t.m3u8"><source src="t.webm"><source src="t.mp4"><source src="t.m4a"></video>"#,
    );
    let names: Vec<_> = found.candidates.iter().map(|one| one.url.path().rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["t.m4a", "t.mp4", "t.webm", "t.m3u8", "hero.mp4"]);
    assert_eq!(found.candidates[3].delivery, Delivery::Hls);
}

#[test]
fn open_graph_types_decide() {
    let found = read_page(
        r#"<meta name=og:video content="https://x.example/player.swf"><meta name=og:video:type content=application/x-shockwave-flash>
        <meta property=og:video:url content="https://x.example/embed/1"><meta property=og:video:secure_url content="https://x.example/embed/2">
        <meta property=og:video:type content="text/html"><meta content="https://x.example/sound" property="og:audio">
        <meta property="og:audio:type" content="audio/mpeg"><meta property=og:audio content="https://x.example/page">"#,
    );
    assert_eq!(urls(&found), ["https://x.example/sound"]);
    assert_eq!(found.embeds[0].url.as_str(), "https://x.example/embed/2");
}

#[test]
fn twitter_cards_and_player_scripts_are_read() {
    let card = read_page(
        r#"<meta name="twitter:player:stream" content="https://x.example/s"><meta name="twitter:player:stream:content_type" content="video/mp4; codecs=x">"#,
    );
    assert_eq!((urls(&card), card.strategy), (vec!["https://x.example/s"], "page.twitter_card"));
    let script = read_page(
        r#"<script>jwplayer("p").setup({image: "p.jpg", "file":"https:\/\/x.example\/v\u002Fa.mp4?a=1\u0026b=2", profile: "x.mp4",
        sources: [{src: '//x.example/v/a.m3u8', type: "x"}]});</script>"#,
    );
    assert_eq!(urls(&script), ["https://x.example/v/a.mp4?a=1&b=2", "https://x.example/v/a.m3u8"]);
}

#[test]
fn only_links_to_one_file_count() {
    assert_eq!(urls(&read_page("<a href='talk.mp3'>1</a><a href=talk.ogg>2</a><a href=x.html>3</a>")).len(), 2);
    assert!(read_page("<a href='talk.mp3'>1</a><a href=other.mp3>2</a>").candidates.is_empty());
    assert_eq!(urls(&read_page("<a href='talk.mp3'>1</a><audio src=x.mp3>")), ["https://site.example/dir/x.mp3"]);
}

#[test]
fn feeds_and_refreshes_are_noted() {
    let found = read_page(
        r#"<link rel="alternate" type="application/rss+xml" href="/feed"><link rel=stylesheet href=x.css>
        <META HTTP-EQUIV="Refresh" CONTENT="0; URL='/next'">"#,
    );
    assert_eq!(found.feeds, [url("https://site.example/feed")]);
    assert_eq!(found.refresh, Some(url("https://site.example/next")));
    assert_eq!(refresh_target("5"), None);
    assert_eq!(refresh_target("5;https://x.example/"), Some("https://x.example/"));
}

#[test]
fn media_is_asked_for_as_a_browser_would() {
    let referer = |media: &str| {
        let page = format!("<audio src='{media}'></audio>");
        read_page(&page).candidates[0].headers.first().map(|(name, value)| format!("{name}: {value}"))
    };
    assert_eq!(referer("a.mp3").as_deref(), Some("Referer: https://site.example/dir/page?x=1"));
    assert_eq!(referer("https://cdn.example/a.mp3").as_deref(), Some("Referer: https://site.example/"));
    assert_eq!(referer("http://cdn.example/a.mp3"), None);
}

#[test]
fn text_is_decoded_as_the_page_says() {
    assert_eq!(decode(b"\xbd\xb2\xd7\xf9", Some("text/html; charset=GBK")), "讲座");
    assert_eq!(decode(b"<meta charset='gb2312'>\xbd\xb2\xd7\xf9", Some("text/html")), "<meta charset='gb2312'>讲座");
    assert_eq!(decode("é".as_bytes(), None), "é");
    assert_eq!(decode(b"\xEF\xBB\xBFx", Some("text/html; charset=latin1")), "x");
}

proptest! {
    #[test]
    fn any_text_is_read(html in ".{0,300}") {
        read_page(&html);
    }

    #[test]
    fn any_bytes_are_decoded(body in proptest::collection::vec(any::<u8>(), 0..300), kind in ".{0,30}") {
        read_page(&decode(&body, Some(&kind)));
    }

    #[test]
    fn pieces_of_markup_lead_only_to_fetchable_urls(pieces in proptest::collection::vec(prop_oneof![
        Just("<video "), Just("<source src="), Just("<meta property=og:video content="), Just("<iframe src="), Just("<base href="),
        Just("\"http://a.example/x.mp4\""), Just("'//u:p@h/x.mp3'"), Just("file:///x.mp4"), Just("javascript:1.mp4"), Just(">"), Just("</"),
        Just("<script>file:\""), Just("\\u002F"), Just("<script type=ld+json>{\"@type\":\"VideoObject\",\"contentUrl\":\""), Just("\"}"), Just("é&#x2f;&amp"), Just("="),
    ], 0..30)) {
        let found = read_page(&pieces.concat());
        prop_assert!(found.candidates.iter().all(|one| is_fetchable(&one.url)));
        prop_assert!(found.embeds.iter().all(|one| is_fetchable(&one.url)));
    }
}
