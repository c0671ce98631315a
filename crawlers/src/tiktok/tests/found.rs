//! What a post's data becomes.

use serde_json::{Value, json};
use url::Url;

use super::site::{ID, SEC_UID, fixture};
use crate::{
    ErrorClass, HasAudio, MediaKind, Resolved,
    tiktok::{miss::Miss, parse, web::Access},
};

fn access() -> Access {
    Access { agent: "Mozilla/5.0 X".into(), chain_token: Some("token==".into()) }
}

/// The web's post, changed.
fn web(change: impl FnOnce(&mut Value)) -> Result<Resolved, Miss> {
    let mut body: Value = serde_json::from_str(&fixture("tiktok/item_detail.json")).unwrap();
    change(&mut body["itemInfo"]["itemStruct"]);
    parse::detail(&body, ID, &access())
}

/// The app's post, changed.
fn app(change: impl FnOnce(&mut Value)) -> Result<Resolved, Miss> {
    let mut body: Value = serde_json::from_str(&fixture("tiktok/app_feed.json")).unwrap();
    let post = &mut body["aweme_list"][0];
    change(post);
    parse::aweme(post, ID, &access())
}

fn without_streams(item: &mut Value) {
    item["video"] = json!({"playAddr": "", "bitrateInfo": []});
    item["music"] = Value::Null;
}

fn paths(found: &Resolved) -> Vec<&str> {
    found.candidates.iter().map(|one| one.url.path()).collect()
}

fn class(found: Result<Resolved, Miss>) -> ErrorClass {
    found.unwrap_err().error().class
}

#[test]
fn the_smallest_file_with_sound_comes_first_and_the_mark_last() {
    let found = web(|_| {}).unwrap();
    let expected = [
        "/tt/v16/a720/video/",
        "/tt/v16/a540/video/",
        "/tt/v16/7611111111111111111/play/",
        "/tt/v16/7611111111111111111/download-wm/",
        "/tt/music/7611111111111111111.mp3",
    ];
    assert_eq!(paths(&found), expected);
    let first = &found.candidates[0];
    assert_eq!((first.size, first.bitrate, first.has_audio), (Some(3_100_000), Some(520_000), HasAudio::Unknown));
    assert_eq!(first.expires_at.unwrap().timestamp(), 1_793_690_000);
    assert_eq!(first.mirrors[1].host_str(), Some("www.tiktok.com"), "what needs the site's cookie is the last mirror");
    assert!(found.candidates[3].watermark && !first.watermark);
    assert!(found.may_be_silent && found.silent.is_none());
    assert_eq!(
        (found.title.as_str(), found.author_id.as_deref()),
        ("How I plan my week in ten minutes #planning", Some(SEC_UID))
    );
}

#[test]
fn the_cookie_goes_where_it_is_asked_for_only() {
    let found = web(|_| {}).unwrap();
    for candidate in &found.candidates {
        let sent = candidate.headers.iter().any(|(name, value)| name == "Cookie" && value == "tt_chain_token=token==");
        for url in std::iter::once(&candidate.url).chain(&candidate.mirrors) {
            assert_eq!(sent, url.query().unwrap_or_default().contains("tk=tt_chain_token"), "{url}");
        }
        assert!(candidate.headers.contains(&("Referer".into(), "https://www.tiktok.com/".into())));
    }
    let body: Value = serde_json::from_str(&fixture("tiktok/item_detail.json")).unwrap();
    let found = parse::detail(&body, ID, &Access { chain_token: None, ..access() }).unwrap();
    let all = found.candidates.iter().flat_map(|one| std::iter::once(&one.url).chain(&one.mirrors));
    assert!(all.clone().count() > 3 && all.clone().all(|url: &Url| url.host_str() != Some("www.tiktok.com")));
}

#[test]
fn sound_alone_is_best() {
    let found = web(|item| {
        item["video"]["bitrateInfo"][0]["PlayAddr"]["UrlList"] =
            json!(["https://v16.tiktok.com/x/media-audio-und-mp4a/?expire=1793690000"]);
    });
    let first = &found.unwrap().candidates[0];
    assert_eq!((first.has_audio, first.container.as_deref()), (HasAudio::Yes, Some("m4a")));
}

#[test]
fn a_song_never_stands_in_for_a_video() {
    for change in [
        |item: &mut Value| item["music"]["original"] = json!(false),
        |item: &mut Value| item["music"]["duration"] = json!(15),
    ] {
        assert!(!paths(&web(change).unwrap()).iter().any(|path| path.contains("music")));
    }
    let alone = web(|item| item["video"] = json!({"duration": 48})).unwrap();
    assert_eq!(paths(&alone), ["/tt/music/7611111111111111111.mp3"]);
}

#[test]
fn pictures_are_heard_only_when_their_sound_is_their_own() {
    let html = fixture("tiktok/photo_page.html");
    let data = crate::tiktok::html::script(&html, "__UNIVERSAL_DATA_FOR_REHYDRATION__").unwrap();
    let mut data: Value = serde_json::from_str(data).unwrap();
    let detail = &mut data["__DEFAULT_SCOPE__"]["webapp.video-detail"];
    let id = "7611111111111111113";
    let found = parse::detail(detail, id, &access()).unwrap();
    assert_eq!((found.kind, found.image_count, found.candidates.len()), (MediaKind::Images, 4, 0));
    assert!(found.silent.is_some() && !found.warnings.is_empty() && found.subtitles.is_empty());
    assert_eq!(found.page_url.path(), "/@weekly.wren/photo/7611111111111111113");
    assert_eq!(found.duration_ms, Some(60_000));
    detail["itemInfo"]["itemStruct"]["music"]["original"] = json!(true);
    let found = parse::detail(detail, id, &access()).unwrap();
    assert!(found.silent.is_none() && paths(&found) == ["/tt/music/7611111111111111113.mp3"]);
}

#[test]
fn more_than_anybody_needs_is_cut() {
    let found = web(|item| {
        let stream = |n| json!({"PlayAddr": {"DataSize": n, "UrlList": vec![format!("https://a.example/{n}"); 50]}});
        item["video"]["bitrateInfo"] = (0..20_000).map(stream).collect();
        let caption = |n| json!({"Url": format!("https://a.example/{n}.vtt"), "Source": "ASR"});
        item["video"]["subtitleInfos"] = (0..20_000).map(caption).collect();
        item["desc"] = json!("word ".repeat(100_000));
    });
    let found = found.unwrap();
    assert!(found.candidates.len() <= 50 && found.subtitles.len() <= 100);
    assert!(found.candidates.iter().all(|one| one.mirrors.len() < 10));
    assert_eq!((found.title.len(), found.description.unwrap().len()), (300, 20_000));
}

#[test]
fn a_muted_post_is_a_result() {
    let found = web(|item| item["itemMute"] = json!(true)).unwrap();
    assert!(found.silent.is_some() && found.warnings.len() == 1 && !found.candidates.is_empty());
    let found = web(|item| {
        without_streams(item);
        item["itemMute"] = json!(1);
    });
    assert!(found.unwrap().candidates.is_empty());
}

#[test]
fn flags_say_why_there_are_no_streams() {
    let flagged = |flag: &'static str| {
        move |item: &mut Value| {
            without_streams(item);
            item[flag] = json!(true);
        }
    };
    assert_eq!(class(web(flagged("isContentClassified"))), ErrorClass::LoginRequired);
    for flag in ["privateItem", "secret", "forFriend"] {
        assert_eq!(class(web(flagged(flag))), ErrorClass::Private, "{flag}");
        assert!(web(|item| item[flag] = json!(true)).is_ok(), "what is shown is not private: {flag}");
    }
    assert_eq!(class(web(without_streams)), ErrorClass::Blocked);
    assert_eq!(class(web(|item| item["takeDown"] = json!(1))), ErrorClass::NotFound);
    assert_eq!(class(web(|item| item["id"] = json!("7611111111111111112"))), ErrorClass::IdMismatch);
    assert_eq!(class(web(|item| *item = Value::Null)), ErrorClass::Blocked);
    assert_eq!(class(app(|post| post["status"]["is_delete"] = json!(true))), ErrorClass::NotFound);
}

#[test]
fn older_pages_name_the_author_differently() {
    let found = web(|item| {
        item["author"] = json!("weekly.wren");
        item["authorSecId"] = json!("MS4w");
        item["createTime"] = json!(1_793_510_000);
        item["desc"] = json!("");
        item["contents"] = json!([]);
        item["video"]["playAddr"] = json!([{"src": "http://v16-webapp.tiktok.com/x/?a=1"}]);
        item["video"]["bitrateInfo"] = Value::Null;
    });
    let found = found.unwrap();
    assert_eq!((found.author.as_deref(), found.author_id.as_deref()), (Some("weekly.wren"), Some("MS4w")));
    assert_eq!((found.title, found.description), (format!("tiktok {ID}"), None));
    assert_eq!(found.candidates[0].url.scheme(), "https", "the platform's own hosts all serve https");
}

#[test]
fn the_app_says_the_same_in_other_words() {
    let found = app(|_| {}).unwrap();
    let streams: Vec<_> = paths(&found).into_iter().take(3).collect();
    assert_eq!(streams, ["/tt/app/q111/video.mp4", "/tt/app/r111/video.mp4", "/tt/app/p111/video.mp4"]);
    assert!(found.candidates.iter().any(|one| one.watermark && one.url.path().contains("wm111")));
    assert_eq!(found.candidates[0].mirrors[1].path(), "/aweme/v1/play/", "which only leads to the others");
    assert_eq!(found.duration_ms, Some(48_000));
    let pictures = app(|post| {
        post["image_post_info"] = json!({"images": [{}, {}]});
        post["music"]["is_original_sound"] = json!(false);
    });
    let pictures = pictures.unwrap();
    assert_eq!((pictures.kind, pictures.image_count, pictures.candidates.len()), (MediaKind::Images, 2, 0));
    let heard = app(|post| {
        post["image_post_info"] = json!({"images": [{}, {}]});
        post["music"].as_object_mut().unwrap().remove("duration");
    });
    let heard = heard.unwrap();
    assert_eq!((heard.candidates.len(), heard.duration_ms), (1, None), "how long the sound is need not be known");
}

#[test]
fn captions_say_who_wrote_them() {
    use crate::SubtitleSource::{Asr, Human, MachineTranslation};
    let found = web(|item| {
        item["video"]["claInfo"]["captionInfos"].as_array_mut().unwrap().extend([
            json!({"url": "https://a.example/de.vtt", "languageCode": "deu-DE", "isAutoGen": true, "isOriginalCaption": false}),
            json!({"urlList": ["https://a.example/fr.json"], "language": "fr", "isOriginalCaption": true, "captionFormat": "creator_caption"}),
            json!({"url": "https://a.example/en.vtt", "languageCode": "eng-US", "isAutoGen": true}),
            json!({"url": "https://a.example/it.vtt", "languageCode": "ita-IT", "isAutoGen": true}),
            json!({"url": "https://a.example/x.vtt", "isAutoGen": true}),
        ]);
    });
    let found = found.unwrap();
    let told: Vec<_> = found.subtitles.iter().map(|one| (one.language.as_deref().unwrap_or("?"), one.source)).collect();
    assert_eq!(
        told[..4],
        [("eng-US", Asr), ("spa-ES", MachineTranslation), ("deu-DE", MachineTranslation), ("fr", Human)]
    );
    assert_eq!(told[4..], [("eng-US", Asr), ("ita-IT", MachineTranslation), ("?", Asr)], "no flag");
    assert_eq!(found.subtitles[0].expires_at.unwrap().timestamp(), 1_793_690_000);
    assert!(found.subtitles[0].headers.iter().any(|(name, _)| name == "Referer"));
}
