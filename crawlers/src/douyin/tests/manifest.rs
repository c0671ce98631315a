//! Every entry of the manifest that is Douyin's or TikHub's.

use serde_json::Value;

use super::*;
use crate::{ListRequest, MediaKind, Request, Settings, With, stub::Stub};

fn entries() -> Vec<Value> {
    let file: Value = serde_json::from_str(fixture!("manifest.json")).unwrap();
    let is_ours = |entry: &&Value| {
        entry["file"].as_str().is_some_and(|file| file.starts_with("douyin/") || file.starts_with("tikhub/"))
    };
    file["fixtures"].as_array().unwrap().iter().filter(is_ours).cloned().collect()
}

fn body(file: &str) -> String {
    std::fs::read_to_string(format!("{}/fixtures/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn with_key() -> crate::Crawlers {
    let mut settings: Settings = crate::stub::hasty();
    settings.tikhub.key = "paid".into();
    crate::Crawlers::new(settings).unwrap()
}

fn is_any(expected: &Value, class: ErrorClass) -> bool {
    expected["class"] == class.as_str()
        || expected["class_any"].as_array().is_some_and(|classes| classes.iter().any(|one| one == class.as_str()))
}

fn check(name: &str, expect: &Value, found: &Resolved) {
    let urls: Vec<_> = found.candidates.iter().map(|one| one.url.as_str()).collect();
    if let Some(any) = expect["media_url_contains_any"].as_array() {
        assert!(any.iter().any(|part| urls[0].contains(part.as_str().unwrap())), "{name}: {urls:?}");
    }
    for part in expect["media_url_must_not_contain"].as_array().into_iter().flatten() {
        assert!(!urls[0].contains(part.as_str().unwrap()), "{name}: {urls:?}");
    }
    for (field, value) in [
        ("kind", serde_json::to_value(found.kind).unwrap()),
        ("platform", found.platform.clone().into()),
        ("id", found.id.clone().into()),
        ("author", found.author.clone().into()),
        ("author_id", found.author_id.clone().into()),
        ("duration_ms", found.duration_ms.into()),
        ("desc", found.description.clone().into()),
        ("image_count", found.image_count.into()),
        ("audio_url", found.sound.as_ref().map(|sound| sound.url.to_string()).into()),
        ("music_is_original_sound", found.sound.as_ref().is_some_and(|sound| sound.is_original).into()),
    ] {
        if let Some(expected) = expect.get(field) {
            let expected: Value = match expected.as_str() {
                Some(text) => server::with_hosts(text).into(),
                None => expected.clone(),
            };
            assert_eq!(value, expected, "{field} of {name}");
        }
    }
}

#[tokio::test]
async fn posts_are_resolved_as_the_manifest_says() {
    let mut checked = 0;
    for entry in entries() {
        let (name, answers, expect) = (entry["file"].as_str().unwrap(), &entry["answers"], &entry["expect"]);
        let path = answers["path"].as_str().unwrap();
        let query = &answers["query"];
        let (only, id) = if path.contains("/aweme/detail/") {
            ("web_detail", query["aweme_id"].as_str().unwrap())
        } else if path.contains("slidesinfo") {
            ("slidesinfo", query["aweme_ids"].as_str().unwrap().trim_matches(['[', ']']))
        } else if let Some(id) = path.strip_prefix("/share/video/") {
            ("share_page", id.trim_end_matches('/'))
        } else if path.starts_with("/api/v1/") {
            ("tikhub", ID)
        } else {
            continue;
        };
        if expect["outcome"] == "retry_with_other_aid" {
            continue;
        }
        checked += 1;
        let mut entry = entry.clone();
        entry["answers"]["path"] = path.trim_end_matches('…').into();
        let server = Server::default().entry(&entry, &body(name));
        let stub = Stub::new(move |request: &Request| server.answer(request));
        let with = With { only: Some(only), ..stub.with() };
        let found = with_key().resolve(&video(id), with).await;
        match (expect["outcome"].as_str().unwrap(), found) {
            ("ok", Ok(found)) => check(name, expect, &found),
            ("strategy_failed", Err(error)) => {
                assert_eq!(endings(&error.attempts), [(only, Ending::Failed, Some(ErrorClass::Blocked))], "{name}");
            }
            ("error", Err(error)) => {
                assert!(is_any(expect, error.class), "{name}: {error:?}");
                if let Some(retryable) = expect["retryable"].as_bool() {
                    assert_eq!(error.retryable(), retryable, "{name}");
                }
            }
            (expected, found) => panic!("{name}: {expected}, but {found:?}"),
        }
        for request in stub.requests().iter().filter(|request| only == "tikhub" && request.url.host_str().is_some()) {
            assert_eq!(crate::stub::header(request, "Authorization"), Some("Bearer paid"));
        }
    }
    assert_eq!(checked, 17);
}

#[tokio::test]
async fn lists_are_read_as_the_manifest_says() {
    let mut checked = 0;
    for entry in entries() {
        let (name, expect) = (entry["file"].as_str().unwrap(), &entry["expect"]);
        let mut entry = entry.clone();
        let path = entry["answers"]["path"].as_str().unwrap().to_owned();
        let link = if path.contains("/mix/") {
            "https://www.douyin.com/collection/7600000000000008001"
        } else if path.contains("/aweme/post/") || path.contains("/aweme/favorite/") {
            entry["answers"]["path"] = "/aweme/v1/web/aweme/post/".into();
            "https://www.douyin.com/user/MS4wLjABAAAAinventedSecUid_chenguang_0001"
        } else {
            continue;
        };
        checked += 1;
        let asked_for = entry["answers"]["query"].clone();
        let cursor = match asked_for["max_cursor"].as_str() {
            Some("!=0") => Some("1793489200000".to_owned()),
            cursor => cursor.map(str::to_owned),
        };
        let server = Server::default().entry(&entry, &body(name));
        let stub = Stub::new(move |request: &Request| server.answer(request));
        let whole = somebody();
        let with = if name.ends_with("page2.json") { stub.as_whom(&whole) } else { stub.with() };
        let request = ListRequest { cursor, ..ListRequest::default() };
        let page = crawlers().list(link, &request, with).await;
        if expect["outcome"] == "ok" {
            let page = page.unwrap();
            let ids: Vec<_> = page.items.iter().map(|item| Value::from(item.id.as_str())).collect();
            assert_eq!(Value::from(ids), expect["ids"], "{name}");
            assert_eq!(page.next.is_some(), expect["has_more"], "{name}");
            assert!(page.next.is_none() || expect["next_cursor"] == page.next.unwrap(), "{name}");
        } else {
            let error = page.unwrap_err();
            assert!(is_any(expect, error.class) && !error.retryable(), "{name}: {error:?}");
        }
        for request in stub.requests().iter().filter(|request| request.url.path().starts_with("/aweme/")) {
            let sent: std::collections::HashMap<_, _> = request.url.query_pairs().collect();
            for (name, value) in asked_for.as_object().into_iter().flatten().filter(|(_, value)| *value != "!=0") {
                assert_eq!(sent.get(name.as_str()).map(AsRef::as_ref), value.as_str());
            }
        }
    }
    assert_eq!(checked, 5);
}

#[test]
fn pictures_end_as_a_clear_result() {
    let file: Value = serde_json::from_str(fixture!("douyin/detail_note_images.json")).unwrap();
    let Outcome::Found(found) = parse::resolved(&file["aweme_detail"], "ua") else { panic!("not found") };
    assert_eq!((found.kind, found.image_count, found.candidates.len()), (MediaKind::Images, 3, 0));
    assert!(found.silent.unwrap().contains("background music"));
    assert_eq!(found.page_url.as_str(), "https://www.douyin.com/note/7600000000000000104");
}

use crate::Outcome;
