//! Every entry of the manifest for the generic web and for yt-dlp, as it is written there.

use serde_json::Value;

use super::*;
use crate::{hls, ytdlp::tests::program::Program};

const PAGE: &str = "http://page.example";

fn root() -> &'static std::path::Path {
    std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}

fn entries(folder: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("manifest.json")).unwrap().replace("MEDIA_HOST", "media.example");
    let manifest: Value = serde_json::from_str(&text).unwrap();
    let all = manifest["fixtures"].as_array().unwrap().clone();
    all.into_iter().filter(|entry| text_of(&entry["file"]).starts_with(folder)).collect()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn body(entry: &Value) -> String {
    let body = std::fs::read_to_string(root().join(text_of(&entry["file"]))).unwrap();
    body.replace("MEDIA_HOST", "media.example").replace("PAGE_HOST", "page.example")
}

#[tokio::test]
async fn the_generic_web() {
    let entries = entries("generic/");
    assert!(entries.len() >= 8);
    let site = Site::new(entries.iter().map(|entry| {
        let served = page(text_of(&entry["answers"]["path"]), text_of(&entry["headers"]["Content-Type"]), body(entry));
        served.status(u16::try_from(entry["status"].as_u64().unwrap()).unwrap())
    }));
    for entry in &entries {
        let (file, expect) = (text_of(&entry["file"]), &entry["expect"]);
        let link = format!("{PAGE}{}", text_of(&entry["answers"]["path"]));
        let program = Program::says(1, "null", "ERROR: Unsupported URL: x");
        let with = With { transport: &site, identity: None, external: Some(&program), chance: &Real, only: None };
        let result = crawlers().resolve(&link, with).await;
        match (text_of(&expect["outcome"]), text_of(&expect["kind"])) {
            ("error", _) => assert_eq!(result.unwrap_err().class.as_str(), text_of(&expect["class"]), "{file}"),
            ("handover", _) => assert_eq!(program.asked()[0].0, text_of(&expect["url"]), "{file}"),
            ("ok", "feed") => feed(entry),
            ("ok", "hls") => {
                let wanted =
                    ["audio_playlist", "fallback_variant"].map(|key| format!("{PAGE}{}", text_of(&expect[key])));
                assert_eq!(urls(&result.unwrap()), wanted, "{file}");
            }
            ("ok", _) => resolved(file, expect, &result.unwrap()),
            _ => media_playlist(entry),
        }
    }
}

fn resolved(file: &str, expect: &Value, found: &Resolved) {
    let first = found.candidates[0].url.as_str();
    let mut allowed = strings(&expect["media_any"]);
    allowed.extend(expect["media"].as_str());
    assert!(allowed.contains(&first), "{file}: {first}");
    assert_eq!(found.title, text_of(&expect["title"]), "{file}");
    assert!(expect["author"].is_null() || expect["author"].as_str() == found.author.as_deref(), "{file}");
    assert!(expect["duration_ms"].is_null() || expect["duration_ms"].as_u64() == found.duration_ms, "{file}");
    for caption in expect["captions"].as_array().into_iter().flatten() {
        let is_there = |one: &crate::Subtitle| {
            one.url.as_str() == text_of(&caption["url"]) && one.language.as_deref() == caption["lang"].as_str()
        };
        assert!(found.subtitles.iter().any(is_there), "{file}: {caption}");
    }
}

fn feed(entry: &Value) {
    let items = crate::feed_items(body(entry).as_bytes(), &PAGE.parse().unwrap()).unwrap();
    let wanted = entry["expect"]["items"].as_array().unwrap();
    assert_eq!(items.len(), wanted.len());
    for (item, wanted) in items.iter().zip(wanted) {
        assert_eq!((item.guid.as_str(), item.url.as_str()), (text_of(&wanted["guid"]), text_of(&wanted["media"])));
        assert_eq!(item.duration_ms.map(|ms| ms / 1000), wanted["duration_s"].as_u64());
    }
}

fn media_playlist(entry: &Value) {
    let expect = &entry["expect"];
    let Ok(hls::Playlist::Media(list)) = hls::parse(body(entry).as_bytes(), &PAGE.parse().unwrap()) else {
        panic!("{entry}");
    };
    assert_eq!(Some(list.segments.len() as u64), expect["segments"].as_u64());
    let seconds = list.duration_ms as f64 / 1000.0;
    assert!((seconds - expect["duration_s"].as_f64().unwrap()).abs() < 0.01, "{seconds}");
}

#[tokio::test]
async fn yt_dlp() {
    for entry in entries("ytdlp/") {
        let (file, expect) = (text_of(&entry["file"]), &entry["expect"]);
        let status = i32::try_from(entry["answers"]["exit_code"].as_i64().unwrap_or(0)).unwrap();
        let said = body(&entry);
        let (stdout, stderr) = if status == 0 { (said.as_str(), "") } else { ("", said.as_str()) };
        let program = Program::says(status, stdout, stderr);
        let with =
            With { transport: &Site::new([]), identity: None, external: Some(&program), chance: &Real, only: None };
        let result = crawlers().resolve("https://youtu.be/abc123", with).await;
        if expect["outcome"] == "error" {
            assert_eq!(result.unwrap_err().class.as_str(), text_of(&expect["class"]), "{file}");
            continue;
        }
        let found = result.unwrap();
        let choice = found.candidates[0].url.path().rsplit('/').next().unwrap();
        assert!(strings(&expect["audio_only_choice_any"]).contains(&choice), "{file}: {choice}");
        assert_eq!(
            (found.title.as_str(), found.duration_ms),
            (text_of(&expect["title"]), expect["duration_ms"].as_u64())
        );
        for (key, source) in
            [("human_subtitles", crate::SubtitleSource::Human), ("auto_subtitles", crate::SubtitleSource::Asr)]
        {
            let tracks = found.subtitles.iter().filter(|one| one.source == source);
            assert_eq!(tracks.filter_map(|one| one.language.as_deref()).collect::<Vec<_>>(), strings(&expect[key]));
        }
    }
}
