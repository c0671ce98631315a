//! `transcribe` and `subtitle` on media that are here.

use serde_json::{Value, json};

use super::NOWHERE;
use crate::support::{TestApp, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

#[tokio::test(flavor = "multi_thread")]
async fn media_that_are_here_become_words_and_subtitles() {
    let app = TestApp::start().await;
    let (_, first) = app.upload("a.flac", sample_bytes(CLIP), &[]).await;
    let first = app.end(first["id"].as_i64().unwrap()).await;
    let media = format!("media:{}", first["media"]["id"]);
    let steps = json!({
        "text": { "use": "transcribe", "with": { "media": "${params.given}", "word_timestamps": true } },
        "lines": { "use": "subtitle", "with": { "segments": "${steps.text.output.segments}", "format": "srt" } },
        "whole": { "use": "subtitle", "with": { "transcript": "${steps.text.output}", "format": "vtt", "words": true } },
        "named": { "use": "subtitle", "with": { "transcript": media, "format": "txt" } },
    });
    let output = json!({
        "text": "${steps.text.output.text}", "srt": "${steps.lines.output}", "vtt": "${steps.whole.output}",
        "txt": "${steps.named.output.text}",
    });
    super::save(app.app.services.queue.store(), "here", steps, output).await;
    let body = json!({ "link": NOWHERE, "workflow": "here", "params": { "given": media } });
    let task = app.end(app.submit(body).await).await;
    assert_eq!(task["status"], "completed", "{task}");
    let result = &task["result"];
    assert_eq!((&result["text"], &result["txt"]), (&json!(WORDS), &json!(format!("{WORDS}\n"))));
    assert!(
        result["srt"]["text"].as_str().unwrap().contains("-->")
            && result["srt"]["text"].as_str().unwrap().contains(WORDS)
    );
    assert!(result["vtt"]["text"].as_str().unwrap().matches('<').count() > 2, "no times of words: {result}");
    for kind in ["srt", "vtt"] {
        let path = result[kind]["file"].as_str().unwrap();
        assert_eq!(app.text(path).await, result[kind]["text"].as_str().unwrap());
    }
    let path = result["srt"]["file"].as_str().unwrap();
    for wrong in [path.replace("srt", "vtt"), path.replace("lines", "text"), path.replace(".srt", "")] {
        assert_eq!(app.get(&wrong).await.0, 404, "{wrong}");
    }
    // The task keeps the media's file as long as it is there itself.
    assert_eq!(app.delete(&format!("/api/tasks/{}", first["id"])).await, 204);
    let body = json!({ "link": NOWHERE, "workflow": "here", "params": { "given": media } });
    assert_eq!(app.end(app.submit(body).await).await["status"], "completed");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_from_anywhere_are_laid_out_and_nonsense_is_refused() {
    let app = TestApp::start().await;
    let segments = json!([{ "start": 0, "end": 1.5, "text": "我们的软件" }, { "start": 2, "end": 3, "text": "很好" }]);
    let made = app
        .run_step(json!({ "use": "subtitle", "with": { "segments": segments, "zh": "hant", "format": "tsv" } }))
        .await;
    assert!(made["text"].as_str().unwrap().contains("0\t1500\t我們的軟件"), "{made}");
    for (with, code) in [
        (json!({ "segments": segments, "format": "doc" }), "invalid_value"),
        (json!({ "segments": segments, "max_chars": 3 }), "invalid_value"),
        (json!({ "segments": segments, "zh": "x" }), "invalid_value"),
        (json!({ "segments": [{ "text": "no times" }] }), "invalid_workflow"),
        (json!({}), "invalid_workflow"),
        (json!({ "transcript": 7 }), "not_found"),
        (json!({ "transcript": "media:7" }), "not_found"),
    ] {
        let error = app.fail_step(json!({ "use": "subtitle", "with": with })).await;
        assert_eq!(error["code"], code, "{with}: {error}");
    }
    for (media, code) in [
        (json!("media:7"), "source_not_found"),
        (json!("upload:x"), "source_not_found"),
        (json!("https://a.example"), "invalid_workflow"),
        (Value::Null, "invalid_workflow"),
    ] {
        let error = app.fail_step(json!({ "use": "transcribe", "with": { "media": media } })).await;
        assert_eq!(error["code"], code, "{media}: {error}");
    }
    app.finish().await;
}
