//! What platforms offer and what becomes of it: mirrors, stale links, silence, subtitles. A workflow is given what a
//! crawler would have found; the rest of the road is the real one.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use trawl::store::NewMedia;

use super::support::{Reply, Site, TestApp, sample, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";
const FLOW: &str = r#"{
  "dsl": 1, "name": "offered", "params": { "found": { "type": "object" } },
  "steps": {
    "media": { "use": "download", "with": { "from": "${params.found}" } },
    "text": { "use": "transcribe", "with": { "media": "${steps.media.output}" } }
  },
  "output": { "text": "${steps.text.output.text}" }
}"#;

/// A model that is not here: what needs one waits for it.
const NO_MODEL: &str = "tiny";

struct Scene {
    app: TestApp,
    site: Site,
}

impl Scene {
    async fn set() -> Self {
        let scene = Self { app: TestApp::start().await, site: Site::start().await };
        let tx = scene.app.app.services.queue.store().begin().await.unwrap();
        tx.save_workflow("offered", serde_json::from_str(FLOW).unwrap(), "hash").await.unwrap();
        tx.commit().await.unwrap();
        scene.site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
        scene.site.put("/closed.mp4", Reply::Status(403, "Forbid_code 020200"));
        scene
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.site.url)
    }

    fn candidate(&self, paths: &[&str]) -> Value {
        let mirrors: Vec<String> = paths[1..].iter().map(|path| self.at(path)).collect();
        json!({ "url": self.at(paths[0]), "mirrors": mirrors, "delivery": "file", "has_audio": "unknown", "headers": [] })
    }

    /// Transcribes what was found of the post `id` to its end.
    async fn end(&self, id: &str, found: Value, options: Value) -> Value {
        let page_url = Some(self.at("/page"));
        let media = NewMedia { platform: "web".into(), platform_id: id.into(), page_url, ..NewMedia::default() };
        let tx = self.app.app.services.queue.store().begin().await.unwrap();
        let media = tx.upsert_media(media).await.unwrap();
        tx.commit().await.unwrap();
        let mut found = found;
        found["media_id"] = json!(media);
        let body = json!({ "link": self.at("/page"), "workflow": "offered", "params": { "found": found }, "options": options });
        let id = self.app.submit(body).await;
        self.app.end(id).await
    }

    async fn transcript(&self, task: &Value) -> Value {
        let (status, transcript) = self.app.get(&format!("/api/tasks/{}/transcript", task["id"])).await;
        assert_eq!(status, 200, "{task}");
        transcript
    }

    fn times_asked(&self, path: &str) -> usize {
        self.site.seen().iter().filter(|seen| *seen == path).count()
    }
}

/// What ffmpeg makes of its arguments.
fn made(name: &str, arguments: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error"]).args(arguments).arg(&path);
    assert!(ffmpeg.status().unwrap().success(), "{name}");
    std::fs::read(path).unwrap()
}

fn film() -> Vec<u8> {
    made("film.mp4", &["-f", "lavfi", "-i", "color=size=64x64:rate=5:duration=1"])
}

/// The clip with silence after it.
fn lengthened(seconds: &str) -> Vec<u8> {
    let clip = sample(CLIP);
    made("long.flac", &["-i", clip.to_str().unwrap(), "-af", "apad", "-t", seconds])
}

fn warns(task: &Value, words: &str) -> bool {
    task["warnings"].as_array().unwrap().iter().any(|warning| warning.as_str().unwrap().contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_link_makes_way_for_the_next() {
    let scene = Scene::set().await;
    scene.site.page("/login.mp4", "<!doctype html><title>Log in</title>");
    scene.site.file("/empty.mp4", "video/mp4", Vec::new());
    scene.site.file("/film.mp4", "video/mp4", film());
    scene.site.file("/short.flac", "audio/flac", sample_bytes(CLIP));
    scene.site.file("/whole.flac", "audio/flac", lengthened("8"));
    let candidates = [
        scene.candidate(&["/closed.mp4", "/login.mp4", "/empty.mp4"]),
        scene.candidate(&["/film.mp4", "/never.mp4"]),
        scene.candidate(&["/short.flac", "/whole.flac"]),
        scene.candidate(&["/never.flac"]),
    ];
    let found = json!({ "candidates": candidates, "duration_ms": 8_000, "warnings": ["odd"] });
    let task = scene.end("1", found, json!({})).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    assert!(warns(&task, "odd") && !warns(&task, "ends after"), "{task}");
    let asked = ["/closed.mp4", "/login.mp4", "/empty.mp4", "/film.mp4", "/short.flac", "/whole.flac"];
    assert_eq!(scene.site.seen(), asked);

    // Too short is better than nothing.
    let candidates = [scene.candidate(&["/short.flac", "/closed.mp4"])];
    let task = scene.end("2", json!({ "candidates": candidates, "duration_ms": 8_000 }), json!({})).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    assert!(warns(&task, "though the site says that it lasts 8 s"), "{task}");
    scene.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stale_links_are_looked_up_again_once() {
    let scene = Scene::set().await;
    scene.site.page("/page", "<audio src='clip.flac'></audio>");
    let (_, resolved) = scene.app.post("/api/resolve", json!({ "link": scene.at("/page") })).await;
    let id = resolved["id"].as_str().unwrap();
    let closed = [scene.candidate(&["/closed.mp4", "/gone.mp4"])];

    let an_hour_ago = Utc::now() - TimeDelta::hours(1);
    let mut expired = scene.candidate(&["/closed.mp4"]);
    expired["expires_at"] = json!(an_hour_ago);
    let mut hidden = scene.candidate(&["/closed.mp4"]);
    hidden["headers"] = json!([["Cookie", "(hidden)"]]);
    for found in [
        json!({ "candidates": closed, "resolved_at": an_hour_ago }),
        json!({ "candidates": [expired] }),
        json!({ "candidates": [hidden] }),
    ] {
        let task = scene.end(id, found, json!({})).await;
        assert_eq!(task["result"]["text"], WORDS, "{task}");
    }
    assert_eq!((scene.times_asked("/page"), scene.times_asked("/closed.mp4")), (4, 0));

    let task = scene.end(id, json!({ "candidates": closed, "resolved_at": Utc::now() }), json!({})).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    assert_eq!((scene.times_asked("/page"), scene.times_asked("/closed.mp4")), (5, 1));

    // The page shows something else now: the post is not to be had, and nobody asks again and again.
    let task = scene.end("another", json!({ "candidates": closed }), json!({})).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("source_forbidden")), "{task}");
    assert_eq!((scene.times_asked("/page"), scene.times_asked("/closed.mp4")), (6, 2));
    scene.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_of_a_post_is_a_result_and_needs_no_engine() {
    let scene = Scene::set().await;
    scene.site.file("/film.mp4", "video/mp4", film());
    let sound = json!({ "url": scene.at("/clip.flac"), "title": "a song", "is_original": false, "duration_ms": null });
    let pictures =
        json!({ "candidates": [], "silent": "The post is pictures with music.", "sound": sound, "duration_ms": 9_000 });
    let mute = json!({ "candidates": [scene.candidate(&["/film.mp4"])], "may_be_silent": true, "sound": sound, "duration_ms": 1_000 });
    let cases = [("a", &pictures, "pictures with music", 9.0), ("b", &mute, "no sound", 1.0)];
    for (id, found, why, duration) in cases {
        let task = scene.end(id, found.clone(), json!({ "model": NO_MODEL })).await;
        assert_eq!((&task["status"], &task["result"]["text"]), (&json!("completed"), &json!("")), "{task}");
        assert!(warns(&task, why), "{task}");
        assert_eq!(scene.transcript(&task).await["duration"], duration);

        let task = scene.end(id, found.clone(), json!({ "background_music": true })).await;
        assert_eq!(task["result"]["text"], WORDS, "{task}");
        assert!(warns(&task, "background_music"), "{task}");
    }
    let mut elsewhere = mute;
    elsewhere["may_be_silent"] = json!(false);
    let task = scene.end("c", elsewhere, json!({ "background_music": true })).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("no_audio")), "{task}");
    scene.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subtitles_stand_for_recognition_as_far_as_that_is_wanted() {
    let scene = Scene::set().await;
    scene.site.file("/film.mp4", "video/mp4", film());
    scene.site.file("/zh.vtt", "text/vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n我们学习。\n".as_bytes().to_vec());
    scene.site.file("/page.vtt", "text/html", b"<html>".to_vec());
    let subtitles = json!([
        { "url": scene.at("/page.vtt"), "language": "cmn-Hans-CN", "source": "human" },
        { "url": scene.at("/mt.vtt"), "language": "eng-US", "source": "machine_translation" },
        { "url": scene.at("/zh.vtt"), "language": "cmn-Hans-CN", "source": "asr" },
    ]);
    let found = |path: &str, silent: bool| json!({ "candidates": [scene.candidate(&[path])], "subtitles": subtitles, "may_be_silent": silent });
    let (good, dead, mute) = (found("/clip.flac", false), found("/gone.flac", false), found("/film.mp4", true));
    for (found, wish, expected, why) in [
        (&good, "prefer", "我們學習。", None),
        (&dead, "prefer", "我們學習。", Some("The media cannot be had: ")),
        (&dead, "fallback", "我們學習。", Some("The media cannot be had: ")),
        (&mute, "fallback", "我們學習。", Some("no sound")),
    ] {
        let options = json!({ "use_platform_subtitles": wish, "zh": "hant", "model": NO_MODEL });
        let task = scene.end("post", found.clone(), options).await;
        assert_eq!(task["result"]["text"], expected, "{wish}: {task}");
        assert!(warns(&task, "the platform's own subtitles"), "{task}");
        assert!(why.is_none_or(|why| warns(&task, why)), "{task}");
        let transcript = scene.transcript(&task).await;
        assert_eq!((&transcript["engine"], &transcript["model"]), (&json!("platform"), &json!("asr")));
        assert_eq!((&transcript["language"], &transcript["segments"][0]["start"]), (&json!("zh"), &json!(1.0)));
    }
    assert!(scene.times_asked("/page.vtt") > 0 && scene.times_asked("/mt.vtt") == 0);

    let before = scene.times_asked("/zh.vtt");
    for (wish, asked) in [("fallback", 1), ("never", 1)] {
        let task = scene.end("post", good.clone(), json!({ "use_platform_subtitles": wish })).await;
        assert_eq!(task["result"]["text"], WORDS, "{wish}: {task}");
        assert_eq!(scene.times_asked("/zh.vtt") - before, asked, "{wish}");
    }
    let task = scene.end("post", dead, json!({})).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("source_not_found")), "{task}");
    scene.app.finish().await;
}
