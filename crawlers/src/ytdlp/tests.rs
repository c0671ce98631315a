//! yt-dlp's answers as the crawlers read them; the program itself is run by the daemon's tests.

pub(crate) mod program;

use proptest::{prelude::*, strategy::Strategy as Made};
use serde_json::{Value, json};

use self::program::Program;
use super::*;
use super::{failures::judge, formats::resolved, listing::page};
use crate::{
    Crawlers, Delivery, External, HasAudio, MediaKind, Real, Request, Response, Settings, SubtitleSource, Transport,
    TransportError, With, chain,
};

const SINGLE: &str = include_str!("../../fixtures/ytdlp/single.json");
const LOGIN: &str = include_str!("../../fixtures/ytdlp/stderr_login.txt");

fn link() -> Url {
    Url::parse("https://page.example/v/abc123").unwrap()
}

fn single() -> Value {
    serde_json::from_str(&SINGLE.replace("MEDIA_HOST", "media.example")).unwrap()
}

fn read(json: &Value) -> Result<Resolved, CrawlError> {
    resolved(json.to_string().as_bytes(), &link(), None)
}

fn urls(found: &Resolved) -> Vec<&str> {
    found.candidates.iter().map(|candidate| candidate.url.path()).collect()
}

/// Formats that differ from a plain one in these fields.
fn with_formats(formats: &[Value]) -> Value {
    let plain = |at: usize| json!({"url": format!("https://m.example/{at}"), "protocol": "https", "vcodec": "none", "acodec": "opus"});
    let formats = formats.iter().enumerate().map(|(at, fields)| {
        let mut format = plain(at);
        format.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        format
    });
    json!({"id": "1", "title": "T", "extractor_key": "Site", "formats": formats.collect::<Vec<_>>()})
}

#[test]
fn the_smallest_clear_sound_comes_first_then_what_has_pictures_and_sound() {
    let found = read(&single()).unwrap();
    assert_eq!(urls(&found), ["/y/139", "/y/140", "/y/18"], "a format without sound is no candidate");
    assert_eq!((found.title.as_str(), found.duration_ms), ("A talk", Some(754_000)));
    assert_eq!((found.platform.as_str(), found.id.as_str()), ("web", "example:abc123"));
    assert_eq!((found.author.as_deref(), found.author_id.as_deref()), (Some("Org"), Some("@org")));
    assert_eq!(found.published_at.unwrap().timestamp(), 1_793_000_000);
    assert_eq!(found.page_url.as_str(), "https://page.example.invalid/v/abc123");
    let first = &found.candidates[0];
    assert_eq!((first.size, first.bitrate, first.has_audio), (Some(4_600_000), Some(48_800), HasAudio::Yes));
    assert!(first.headers.contains(&("Referer".to_owned(), "https://page.example.invalid/".to_owned())));
    let tracks: Vec<_> = found.subtitles.iter().map(|one| (one.language.as_deref().unwrap(), one.source)).collect();
    assert_eq!(tracks, [("en", SubtitleSource::Human), ("en-orig", SubtitleSource::Asr)]);
    assert!(found.subtitles.iter().all(|one| one.format.as_deref() == Some("vtt")));
}

#[test]
fn thin_sound_is_taken_only_after_clear_sound_and_before_pictures() {
    let found = read(&with_formats(&[
        json!({"vcodec": "h264", "tbr": 90}),
        json!({"abr": 24}),
        json!({"abr": 128}),
        json!({"abr": null}),
        json!({"abr": 47.6}),
        json!({"abr": 32}),
    ]));
    assert_eq!(urls(&found.unwrap()), ["/4", "/2", "/5", "/1", "/3", "/0"]);
}

#[test]
fn pictures_are_weighed_in_bytes() {
    let mut info = with_formats(&[
        json!({"vcodec": "h264", "filesize": 900_000}),
        json!({"vcodec": "h264", "tbr": 100}),
        json!({"vcodec": "h264", "tbr": 50}),
    ]);
    assert_eq!(urls(&read(&info).unwrap()), ["/0", "/2", "/1"]);
    info["duration"] = json!(100);
    assert_eq!(urls(&read(&info).unwrap()), ["/2", "/0", "/1"]);
}

#[test]
fn what_comes_from_tiktok_is_nobodys_captions_and_may_be_silent() {
    let mut info = single();
    info["extractor_key"] = json!("TikTok");
    let found = resolved(info.to_string().as_bytes(), &link(), Some(("tiktok", "abc123"))).unwrap();
    assert!(found.may_be_silent && found.subtitles[0].source == SubtitleSource::Unknown);
    assert!(!read(&single()).unwrap().may_be_silent);
}

#[test]
fn dubbed_protected_and_unreachable_forms_are_left_out() {
    let found = read(&with_formats(&[
        json!({"abr": 50, "language": "de", "language_preference": -1}),
        json!({"abr": 64, "language": "zh", "language_preference": 10}),
        json!({"abr": 51, "has_drm": true}),
        json!({"abr": 52, "protocol": "rtmp"}),
        json!({"abr": 53, "url": "file:///etc/passwd"}),
        json!({"abr": 70, "protocol": "m3u8_native"}),
        json!({"protocol": "mhtml", "acodec": "none"}),
        json!({"abr": 71, "protocol": "http_dash_segments", "manifest_url": "https://m.example/main.mpd"}),
        json!({"abr": 72, "protocol": "http_dash_segments", "fragments": [{"path": "x"}]}),
    ]))
    .unwrap();
    assert_eq!(urls(&found), ["/1", "/5", "/main.mpd"]);
    assert_eq!([1, 2].map(|at| found.candidates[at].delivery), [Delivery::Hls, Delivery::Dash]);
    assert_eq!(found.kind, MediaKind::Audio);
    let error = read(&with_formats(&[json!({"has_drm": true})])).unwrap_err();
    assert!(error.class == ErrorClass::Unavailable && error.message.contains("DRM"));
}

#[test]
fn cookies_go_only_to_the_hosts_that_they_are_for() {
    let jar = "a=1; Domain=.m.example; Path=/; Secure; Expires=99; b=2; Domain=other.example; c=3; d=4; Domain=example";
    let found = read(&with_formats(&[json!({"cookies": jar, "http_headers": {
        "Referer": "https://p.example/", "Host": "evil.example", "Cookie": "x=y", "Bad\r\nName": "v", "X-Bad": "a\r\nb",
    }})]));
    let headers = found.unwrap().candidates.remove(0).headers;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(headers, [pair("Referer", "https://p.example/"), pair("Cookie", "a=1; d=4")]);
}

#[test]
fn what_a_machine_translated_is_not_offered() {
    let mut info = single();
    info["subtitles"]["live_chat"] = json!([{"url": "https://m.example/chat", "ext": "json"}]);
    info["automatic_captions"] = json!({
        "en": [{"url": "https://m.example/t?lang=en", "ext": "vtt"}],
        "fr": [{"url": "https://m.example/t?lang=en&tlang=fr", "ext": "vtt"}],
    });
    let found = read(&info).unwrap();
    let tracks: Vec<_> = found.subtitles.iter().map(|one| (one.language.as_deref().unwrap(), one.source)).collect();
    assert_eq!(tracks, [("en", SubtitleSource::Human), ("en", SubtitleSource::Asr)]);
}

#[test]
fn a_list_gives_its_first_item_that_is_there() {
    let list = json!({"_type": "playlist", "entries": [null, single()]});
    let found = read(&list).unwrap();
    assert_eq!((found.title.as_str(), found.warnings.len()), ("A talk", 1));
    let error = read(&json!({"_type": "playlist", "entries": [null]})).unwrap_err();
    assert_eq!(error.class, ErrorClass::NoMediaFound);
}

#[test]
fn what_is_live_or_another_post_or_no_json_is_refused() {
    for (key, value) in [("is_live", json!(true)), ("live_status", json!("is_upcoming"))] {
        let mut info = single();
        info[key] = value;
        assert_eq!(read(&info).unwrap_err().class, ErrorClass::LiveNotSupported);
    }
    let json = single().to_string();
    let other = resolved(json.as_bytes(), &link(), Some(("tiktok", "7"))).unwrap_err();
    assert_eq!(other.class, ErrorClass::IdMismatch);
    let same = resolved(json.as_bytes(), &link(), Some(("tiktok", "abc123"))).unwrap();
    assert_eq!((same.platform.as_str(), same.id.as_str()), ("tiktok", "abc123"));
    assert_eq!(resolved(b"{", &link(), None).unwrap_err().class, ErrorClass::SiteError);
    assert_eq!(resolved(b"[1]", &link(), None).unwrap_err().class, ErrorClass::NoMediaFound);
}

#[test]
fn complaints_become_classes_with_a_hint_and_without_their_words() {
    for (complaint, class) in [
        (LOGIN, ErrorClass::LoginRequired),
        ("ERROR: Unsupported URL: https://a.example/secret", ErrorClass::NoMediaFound),
        ("ERROR: [youtube] x: Private video. Sign in if you've been granted access", ErrorClass::Private),
        ("ERROR: [youtube] x: Video unavailable", ErrorClass::NotFound),
        (
            "ERROR: [youtube] x: Video unavailable. The uploader has not made this video available in your country",
            ErrorClass::RegionBlocked,
        ),
        ("ERROR: [youtube] x: Sign in to confirm your age. This video may be inappropriate", ErrorClass::LoginRequired),
        ("ERROR: [youtube] x: Sign in to confirm you’re not a bot.", ErrorClass::Blocked),
        ("ERROR: [x] 1: Unable to download JSON metadata: HTTP Error 404: Not Found", ErrorClass::SiteError),
        ("ERROR: [x] 1: Unable to download webpage: HTTP Error 404: Not Found", ErrorClass::NotFound),
        ("ERROR: [x] 1: Unable to download webpage: HTTP Error 429: Too Many Requests", ErrorClass::RateLimited),
        ("ERROR: [x] 1: Unable to download webpage: HTTP Error 403: Forbidden", ErrorClass::Blocked),
        ("ERROR: [x] 1: Unable to download webpage: HTTP Error 503: x", ErrorClass::SiteError),
        ("ERROR: [tiktok] 7: Your IP address is blocked from accessing this post", ErrorClass::Blocked),
        ("ERROR: [youtube] x: This live event will begin in 3 hours.", ErrorClass::LiveNotSupported),
        ("ERROR: [x] 1: This video is DRM protected", ErrorClass::Unavailable),
        ("ERROR: [Douyin] 7: Fresh cookies (not necessarily logged in) are needed", ErrorClass::Blocked),
        ("ERROR: [x] 1: Unable to extract title; please report this issue on the tracker", ErrorClass::SiteError),
        ("Traceback (most recent call last): secret", ErrorClass::SiteError),
        ("", ErrorClass::SiteError),
    ] {
        let error = judge(Some(1), complaint);
        assert_eq!(error.class, class, "{complaint}");
        assert!(!error.message.contains("secret") && error.message.ends_with('.'), "{}", error.message);
    }
    assert!(judge(Some(2), "usage: yt-dlp [OPTIONS]").message.contains("arguments"));
    assert_eq!(judge(None, "WARNING: cookies\nERROR: HTTP Error 404").class, ErrorClass::NotFound);
}

#[test]
fn a_flat_list_gives_a_page_and_the_way_to_the_next() {
    let entry = |at: usize| {
        json!({"_type": "url", "id": format!("v{at}"), "ie_key": "Youtube", "title": format!("T{at}"),
        "url": format!("https://www.youtube.com/watch?v=v{at}"), "duration": 61.0})
    };
    let mut entries: Vec<Value> = (0..listing::PAGE).map(entry).collect();
    entries[1] = Value::Null;
    entries[2]["title"] = json!("[Private video]");
    entries[3]["live_status"] = json!("is_live");
    entries[4] = entry(0);
    let list = json!({"_type": "playlist", "title": "Talks", "entries": entries});
    let first = page(list.to_string().as_bytes(), 0, None).unwrap();
    assert_eq!((first.title.as_deref(), first.next.as_deref()), (Some("Talks"), Some("50")));
    assert_eq!(first.items.len(), listing::PAGE - 3, "neither what failed nor what is live nor what comes twice");
    let item = &first.items[0];
    assert_eq!((item.platform.as_str(), item.id.as_str()), ("web", "youtube:v0"));
    assert_eq!((item.link.as_str(), item.duration_ms), ("https://www.youtube.com/watch?v=v0", Some(61_000)));
    assert!(!first.items[1].available && first.items[2].available);

    let second = page(list.to_string().as_bytes(), listing::offset(Some("49")), None).unwrap();
    assert_eq!((second.items.len(), second.next), (1, None));
    assert_eq!(page(list.to_string().as_bytes(), 0, Some("tiktok")).unwrap().items[0].id, "v0");
    let error = page(SINGLE.as_bytes(), 0, None).unwrap_err();
    assert!(error.class == ErrorClass::NoMediaFound && error.message.contains("one item"));
}

#[test]
fn lists_in_lists_are_one_list() {
    let video = |id: &str| json!({"_type": "url", "id": id, "title": id, "url": format!("https://v.example/{id}"), "ie_key": "V"});
    let tab = |videos: &[&str]| json!({"_type": "playlist", "entries": videos.iter().map(|id| video(id)).collect::<Vec<_>>()});
    let list = json!({"_type": "playlist", "entries": [tab(&["a", "b"]), tab(&["c"])]});
    let found = page(list.to_string().as_bytes(), 0, None).unwrap();
    assert_eq!(found.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["v:a", "v:b", "v:c"]);
}

/// No request is expected.
struct Nowhere;

#[async_trait]
impl Transport for Nowhere {
    async fn fetch(&self, request: Request) -> Result<Response, TransportError> {
        panic!("{}", request.url)
    }
}

struct Post(Url);

impl HasPage for Post {
    fn page(&self) -> &Url {
        &self.0
    }

    fn post(&self) -> (&'static str, &str) {
        ("tiktok", "abc123")
    }
}

async fn hand_over(external: Option<&dyn External>) -> Result<Resolved, CrawlError> {
    let crawlers = Crawlers::new(Settings::shipped()).unwrap();
    let visit = crawlers.visit(With { transport: &Nowhere, identity: None, external, chance: &Real, only: None });
    chain::run("tiktok", &[&HandOver], &[NAME.to_owned()], &Post(link()), &visit).await
}

#[tokio::test]
async fn a_post_is_handed_over_where_the_program_is_installed() {
    let program = Program::says(0, &SINGLE.replace("MEDIA_HOST", "media.example"), "");
    let found = hand_over(Some(&program)).await.unwrap();
    assert_eq!((found.platform.as_str(), found.strategy.as_str(), found.attempts.len()), ("tiktok", "ytdlp", 1));
    assert_eq!(program.asked(), [(link().to_string(), None)]);

    let error = hand_over(None).await.unwrap_err();
    assert!(error.attempts[0].message.as_deref().unwrap().starts_with("yt-dlp is not at hand"));

    let gone = hand_over(Some(&Program::says(1, "null", "ERROR: Video unavailable"))).await.unwrap_err();
    assert_eq!((gone.class, gone.attempts[0].ending), (ErrorClass::NotFound, crate::Ending::Failed));
    let unknown = hand_over(Some(&Program::says(1, "", "ERROR: Unsupported URL: x"))).await.unwrap_err();
    assert_eq!((unknown.class, unknown.attempts[0].ending), (ErrorClass::NoMediaFound, crate::Ending::Failed));
}

/// Any JSON of the shapes that yt-dlp uses, with wrong types everywhere.
fn any_json() -> impl Made<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(https://m\\.example/[a-z]|none|playlist|url|m3u8|is_live|[a-z\\PC]{0,6})".prop_map(Value::from),
    ];
    let keys = "(_type|entries|formats|url|id|title|vcodec|acodec|abr|tbr|protocol|duration|timestamp|upload_date|subtitles|automatic_captions|http_headers|cookies|ext|is_live|language|language_preference|filesize)";
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(keys, inner, 0..12)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_answer_is_read_or_refused(json in any_json(), offset in 0..100_usize) {
        if let Ok(found) = read(&json) {
            prop_assert!(!found.candidates.is_empty() && !found.title.is_empty());
            prop_assert!(found.candidates.iter().all(|one| crate::link::is_fetchable(&one.url)));
        }
        if let Ok(found) = page(json.to_string().as_bytes(), offset, None) {
            prop_assert!(found.items.iter().all(|item| !item.title.is_empty() && !item.id.is_empty()));
        }
    }

    #[test]
    fn any_complaint_is_judged(text in "(ERROR: )?\\PC{0,80}") {
        prop_assert!(!judge(Some(1), &text).message.is_empty());
    }
}
