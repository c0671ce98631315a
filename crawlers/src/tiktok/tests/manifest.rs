//! Every entry of the manifest that is about TikTok ends as it says.

use serde_json::Value;

use super::site::{ID, answer, entries, is_solved, matches, platform, query};
use crate::{
    CrawlError, Crawlers, ListRequest, Request, Resolved, Response, Settings, SubtitleSource, With,
    stub::{Stub, hasty},
    tiktok::web,
};

#[tokio::test]
async fn every_entry_ends_as_the_manifest_says() {
    let mut checked = 0;
    for entry in entries() {
        let asked = &entry["answers"];
        let (host, path) = (asked["host"].as_str().unwrap_or("www.tiktok.com"), asked["path"].as_str().unwrap());
        let told = format!("{entry}");
        match path {
            // The captions' text is read where they are used.
            _ if path.starts_with("/tt/sub/") => continue,
            "/api/post/item_list/" => {
                let error = web::json(&answer(&entry)).unwrap_err().error();
                check_error(&error, &entry["expect"]);
            }
            "/oembed" => {
                let error = resolve(&entry, super::site::LINK, "oembed").await.unwrap_err();
                assert!(error.message.contains("exists"), "{told}");
            }
            "/api/creator/item_list/" | "/@weekly.wren" => check_list(&entry).await,
            _ => {
                let wanted =
                    ["itemId", "aweme_id"].iter().find_map(|name| asked["query"][*name].as_str()).unwrap_or(ID);
                let found = match path {
                    "/api/item/detail/" => resolve(&entry, &link(wanted), "item_detail").await,
                    "/aweme/v1/feed/" => resolve(&entry, &link(wanted), "app_feed").await,
                    _ => resolve(&entry, &format!("https://{host}{path}"), "page").await,
                };
                check(found, &entry, &told);
            }
        }
        checked += 1;
    }
    assert!(checked >= 20, "{checked}");
}

fn link(id: &str) -> String {
    format!("https://www.tiktok.com/@weekly.wren/video/{id}")
}

/// One way alone, on a day when TikTok answers with this entry where it fits.
async fn resolve(entry: &Value, link: &str, only: &str) -> Result<Resolved, CrawlError> {
    let settings = settings(entry);
    let stub = Stub::new(|request: &Request| today(entry, request));
    let with = With { only: Some(only), ..stub.with() };
    Crawlers::new(settings).unwrap().resolve(link, with).await
}

fn today(entry: &Value, request: &Request) -> Response {
    if matches(entry, request) && !is_solved(&entry["expect"]["set_cookie"], request) {
        return answer(entry);
    }
    platform(request)
}

/// Parameters that the entry wants absent are switched off.
fn settings(entry: &Value) -> Settings {
    let mut settings = hasty();
    let absent = entry["answers"]["query"].as_object().into_iter().flatten().filter(|(_, value)| *value == "absent");
    settings.tiktok.params = absent.map(|(name, _)| (name.clone(), String::new())).collect();
    settings
}

fn check(found: Result<Resolved, CrawlError>, entry: &Value, told: &str) {
    let expect = &entry["expect"];
    match expect["outcome"].as_str() {
        Some("error" | "strategy_failed") => check_error(&found.unwrap_err(), expect),
        Some("ok") => check_found(&found.unwrap_or_else(|error| panic!("{error:?} {told}")), expect),
        // A short link, the page of pictures, or the challenge: what is behind them is found.
        _ => {
            let found = found.unwrap_or_else(|error| panic!("{error:?} {told}"));
            assert!(expect["id"].is_null() || expect["id"] == found.id, "{told}");
        }
    }
}

fn check_error(error: &CrawlError, expect: &Value) {
    assert_eq!(error.class.as_str(), expect["class"], "{error:?}");
    if let Some(retryable) = expect["retryable"].as_bool() {
        assert_eq!(error.retryable(), retryable, "{error:?}");
    }
}

fn check_found(found: &Resolved, expect: &Value) {
    let told = serde_json::to_value(found).unwrap();
    assert_eq!(found.platform, "tiktok");
    for (name, key) in [("kind", "kind"), ("id", "id"), ("author", "author"), ("duration_ms", "duration_ms")] {
        assert!(expect[name].is_null() || told[key] == expect[name], "{name}: {told}");
    }
    assert!(expect["desc"].is_null() || told["description"] == expect["desc"], "{told}");
    if let Some(created) = expect["create_time"].as_i64() {
        assert_eq!(found.published_at.unwrap().timestamp(), created);
    }
    if let Some(count) = expect["image_count"].as_u64() {
        assert_eq!(found.image_count as u64, count);
    }
    if let Some(sound) = expect["audio_url"].as_str() {
        assert_eq!(found.sound.as_ref().unwrap().url.as_str(), sound.replace("MEDIA_HOST", "media.example"));
    }
    let first = found.candidates.first();
    let parts = |key: &str| expect[key].as_array().cloned().unwrap_or_default();
    let holds = |part: &Value| first.is_some_and(|one| one.url.as_str().contains(part.as_str().unwrap()));
    let any = parts("media_url_contains_any");
    assert!(any.is_empty() || any.iter().any(holds), "{first:?}");
    assert!(!parts("media_url_must_not_contain").iter().any(holds), "{first:?}");
    for (name, value) in expect["download_headers"].as_object().into_iter().flatten() {
        let sent = first.unwrap().headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert!(sent.is_some_and(|sent| sent.starts_with(value.as_str().unwrap())), "{name} {first:?}");
    }
    if let Some(language) = expect["subtitle"]["lang"].as_str() {
        let subtitle = &found.subtitles[0];
        assert_eq!(subtitle.language.as_deref(), Some(language));
        assert_eq!((subtitle.source, subtitle.format.as_deref()), (SubtitleSource::Asr, Some("webvtt")));
    }
}

async fn check_list(entry: &Value) {
    let cursor = entry["answers"]["query"]["cursor"].as_str().and_then(|cursor| cursor.parse::<u64>().ok());
    let request = ListRequest { cursor: cursor.map(|cursor| cursor.to_string()), ..ListRequest::default() };
    let stub = Stub::new(platform);
    let page =
        crate::stub::crawlers().list("https://www.tiktok.com/@weekly.wren", &request, stub.with()).await.unwrap();
    let expect = &entry["expect"];
    if expect["sec_uid"].is_string() {
        let asked = stub.requests();
        assert_eq!(query(asked.last().unwrap(), "secUid").as_deref(), expect["sec_uid"].as_str());
        assert_eq!(page.title.as_deref(), Some("Wren Plans"));
        return;
    }
    let ids: Vec<_> = page.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(serde_json::json!(ids), expect["ids"]);
    assert_eq!(page.next.is_some(), expect["has_more"] == true);
    assert!(
        expect["next_cursor"].is_null() || page.next == expect["next_cursor"].as_u64().map(|next| next.to_string())
    );
}
