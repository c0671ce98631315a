//! Captures of what platforms answer, played against the modules over real HTTP on loopback.
//!
//! `make crawler-fixtures DIR=… VECTORS=…` does the same for any folder (`main.rs`).

mod judge;
mod links;
mod manifest;
mod play;
mod post;
mod stub;
mod suite;

use std::path::Path;

use serde_json::json;

#[tokio::test]
async fn every_capture_and_every_link_comes_to_what_the_manifest_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crawlers/fixtures");
    let verdicts = suite::run(Some(&folder), Some(&folder.join("abogus_vectors.json"))).await.unwrap();
    let fallen: Vec<_> = verdicts
        .iter()
        .filter(|verdict| !verdict.shortfalls.is_empty())
        .map(|verdict| (&verdict.entry, &verdict.shortfalls))
        .collect();
    assert!(verdicts.len() > 90, "{} verdicts", verdicts.len());
    assert!(fallen.is_empty(), "{fallen:#?}");
}

#[tokio::test]
async fn an_entry_that_cannot_be_played_leaves_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let short = |path: &str, location: &str| {
        json!({
            "answers": { "host": "v.douyin.com", "path": path, "query": { "n": 1, "m": ["a", 2] } },
            "status": 302,
            "headers": { "Location": location, "Content-Length": 0, "Set-Cookie": ["a=1", "b=2"] },
            "expect": { "id": "7600000000000000101" },
        })
    };
    let post = "https://www.douyin.com/video/7600000000000000101";
    let list = json!({
        "file": "list.json",
        "answers": { "path": "/api/creator/item_list/", "query": { "secUid": "MS4wLjABAAAAinvented" } },
        "expect": { "outcome": "ok", "ids": ["7611111111111111111"] },
    });
    let entries = json!({ "fixtures": [
        short("/abcd1/", post),
        short("/abcd2/", "https://www.douyin.com/"),
        { "file": "gone.json", "answers": {}, "status": 200, "expect": {} },
        { "name": "no status", "answers": { "path": 7 } },
        "no entry",
        list,
    ] });
    std::fs::write(folder.path().join("manifest.json"), entries.to_string()).unwrap();
    let posts = json!({ "itemList": [{ "id": "7611111111111111111" }] });
    std::fs::write(folder.path().join("list.json"), posts.to_string()).unwrap();
    let mut verdicts = suite::run(Some(folder.path()), None).await.unwrap();
    verdicts.sort_by(|one, other| one.entry.cmp(&other.entry));
    let fallen: Vec<_> = verdicts.iter().map(|one| (one.entry.as_str(), one.shortfalls.is_empty())).collect();
    let expected = [
        ("entry 5", false),
        ("gone.json", false),
        ("list.json", true),
        ("no status", false),
        ("v.douyin.com/abcd1/", true),
        ("v.douyin.com/abcd2/", false),
    ];
    assert_eq!(fallen, expected, "{verdicts:#?}");
    assert!(suite::run(Some(&folder.path().join("nowhere")), None).await.unwrap_err().contains("manifest.json"));
}
