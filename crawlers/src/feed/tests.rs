use proptest::prelude::*;

use super::*;

const PODCAST: &str = include_str!("../../fixtures/generic/podcast.rss");

fn base() -> Url {
    Url::parse("https://slow.example/feed.xml").unwrap()
}

fn items(text: &str) -> Vec<FeedItem> {
    let text = text.replace("MEDIA_HOST", "media.example");
    feed_items(text.as_bytes(), &base()).unwrap()
}

#[test]
fn a_podcast_gives_its_episodes() {
    let items = items(PODCAST);
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].guid, "slow-2");
    assert_eq!(items[0].url.as_str(), "http://media.example/pod/2.mp3");
    assert_eq!(items[0].duration_ms, Some(1_865_000));
    assert_eq!(items[0].length, Some(29_800_000));
    assert_eq!(items[0].content_type.as_deref(), Some("audio/mpeg"));
    assert_eq!(items[0].author.as_deref(), Some("Slow Radio"));
    assert_eq!(items[0].published_at.unwrap().to_rfc3339(), "2026-11-02T06:00:00+00:00");
    assert_eq!((items[1].guid.as_str(), items[1].duration_ms), ("slow-1", Some(1_805_000)));
}

#[test]
fn the_newest_item_is_the_one_with_the_latest_date_wherever_it_stands() {
    let text =
        PODCAST.replace("MEDIA_HOST", "m.example").replace("26 Oct 2026", "26 Nov 2026").replace("Mon, 26", "26");
    assert_eq!(parse(text.as_bytes(), &base()).unwrap().newest().unwrap().guid, "slow-1");
    let undated = PODCAST.replace("MEDIA_HOST", "m.example").replace("pubDate", "x");
    assert_eq!(parse(undated.as_bytes(), &base()).unwrap().newest().unwrap().guid, "slow-2");
}

#[test]
fn atom_enclosures_media_content_and_transcripts_are_read() {
    let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><id>f</id><updated>2026-01-01T00:00:00Z</updated>
        <entry><title>One</title><id>e1</id><updated>2026-01-02T00:00:00Z</updated><author><name>Ann</name></author>
        <link href="/e/1"/><link rel="enclosure" type="audio/mpeg" length="9" href="/1.mp3"/></entry></feed>"#;
    let found = items(atom);
    assert_eq!(found[0].url.as_str(), "https://slow.example/1.mp3");
    assert_eq!(found[0].page_url.as_ref().unwrap().as_str(), "https://slow.example/e/1");
    assert_eq!((found[0].author.as_deref(), found[0].length), (Some("Ann"), Some(9)));

    let rss = r#"<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:podcast="https://podcastindex.org/namespace/1.0">
        <channel><title>C</title><item><title>T</title><media:group><media:content url="https://m.example/v.mp4" type="video/mp4" duration="61"/>
        <media:content url="https://m.example/a.mp3" type="audio/mpeg"/></media:group>
        <podcast:transcript url="https://m.example/t.vtt" type="text/vtt"/></item></channel></rss>"#;
    let found = items(rss);
    assert_eq!(found[0].url.as_str(), "https://m.example/a.mp3");
    assert_eq!(found[0].subtitles[0].format.as_deref(), Some("vtt"));
}

#[test]
fn items_without_media_are_left_out() {
    let text = r#"<rss version="2.0"><channel><title>Blog</title><item><title>words</title><link>https://x.example/</link></item>
        <item><title>picture</title><enclosure url="https://x.example/p.jpg" type="image/jpeg" length="1"/></item>
        <item><title>trap</title><enclosure url="file:///etc/passwd" type="audio/mpeg" length="1"/></item></channel></rss>"#;
    assert!(items(text).is_empty());
}

#[test]
fn a_cut_off_feed_or_a_bad_item_costs_only_that_item() {
    let cut = &PODCAST[..PODCAST.find("slow-1").unwrap()];
    assert_eq!(items(cut).iter().map(|item| item.guid.as_str()).collect::<Vec<_>>(), ["slow-2"]);
    let bad = PODCAST.replace("Ep 1: Wind", "<b>Ep 1 & </i>");
    assert_eq!(items(&bad).iter().map(|item| item.guid.as_str()).collect::<Vec<_>>(), ["slow-2"]);
}

#[test]
fn hostile_feeds_end_in_an_error() {
    let nested = format!("<rss version=\"2.0\"><channel>{}", "<itunes:category text=\"a\">".repeat(100_000));
    assert_eq!(feed_items(nested.as_bytes(), &base()).unwrap_err().class, ErrorClass::Unavailable);
    let number = PODCAST.replace("00:31:05", &"9".repeat(40)).replace("MEDIA_HOST", "m.example");
    assert_eq!(items(&number).len(), 1, "the other item is still read");
}

#[test]
fn itunes_tags_are_read_in_every_form() {
    let with = |duration: &str| {
        let text = PODCAST.replace("00:31:05", duration).replace("MEDIA_HOST", "m.example");
        feed_items(text.as_bytes(), &base()).unwrap().remove(0).duration_ms
    };
    assert_eq!(with("31:05"), Some(1_865_000));
    assert_eq!(with("<![CDATA[ 1865.5 ]]>"), Some(1_865_500));
    assert_eq!(with("half an hour"), None);
    let author =
        PODCAST.replace("<itunes:duration>1805", "<itunes:author>A &amp; B</itunes:author><itunes:duration>1805");
    assert_eq!(items(&author)[1].author.as_deref(), Some("A & B"));
}

#[test]
fn an_item_without_an_id_is_known_by_its_media() {
    let text = PODCAST.replace("<guid>slow-1</guid>", "").replace("pod/1.mp3", "pod/1.mp3?session=7");
    assert_eq!(items(&text)[1].guid, "http://media.example/pod/1.mp3");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = feed_items(&body, &base());
    }

    #[test]
    fn a_damaged_feed_is_read_or_refused(at in 0..1200_usize, patch in proptest::collection::vec(any::<u8>(), 0..12)) {
        let mut body = PODCAST.as_bytes().to_vec();
        let at = at.min(body.len());
        let end = (at + patch.len()).min(body.len());
        body.splice(at..end, patch);
        for item in feed_items(&body, &base()).unwrap_or_default() {
            prop_assert!(is_fetchable(&item.url));
        }
    }
}
