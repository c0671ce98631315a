//! Chinese in the script that was asked for, on real speech: what is stored stays as it was recognised.

use serde_json::Value;

use super::support::{Receiver, TestApp, sample_bytes};

const RAW: &str = "我晚上学习文件。";
const TRADITIONAL: &str = "我晚上學習文件。";

#[tokio::test(flavor = "multi_thread")]
async fn a_task_shows_its_words_in_the_script_that_it_was_made_with() {
    let (app, mut receiver) = (TestApp::start().await, Receiver::start().await);
    let options = "{\"zh\": \"hant\", \"word_timestamps\": true}";
    let fields = [("options", options), ("callback_url", receiver.url.as_str())];
    let (status, task) = app.upload("zh.wav", sample_bytes("zh-known-01.wav"), &fields).await;
    assert_eq!(status, 202, "{task}");
    let id = task["id"].as_i64().unwrap();
    let task = app.end(id).await;
    assert_eq!(task["result"]["text"], TRADITIONAL, "{task}");
    assert_eq!(receiver.next().await.body["data"]["result"]["text"], TRADITIONAL);

    let path = format!("/api/tasks/{id}/transcript");
    let words = |transcript: &Value| -> String {
        let words = transcript["segments"][0]["words"].as_array().unwrap();
        words.iter().map(|word| word["word"].as_str().unwrap()).collect()
    };
    for (query, text) in [("", TRADITIONAL), ("?zh=none", RAW), ("?zh=hans", RAW), ("?zh=hk", TRADITIONAL)] {
        let (_, transcript) = app.get(&format!("{path}{query}")).await;
        assert_eq!((transcript["text"].as_str(), transcript["segments"][0]["text"].as_str()), (Some(text), Some(text)));
        assert_eq!(words(&transcript).trim(), text, "{query}");
    }
    let srt = app.text(&format!("{path}?format=srt&zh=tw")).await;
    assert!(srt.starts_with("1\n00:00:0") && srt.ends_with(&format!("\n{TRADITIONAL}\n")), "{srt}");
    // With word times a cue can be cut between any two words.
    let cut = app.text(&format!("{path}?format=vtt&zh=tw&words=true&max_chars=8&max_lines=1")).await;
    assert!(cut.matches(" --> ").count() > 1 && cut.contains("<c>") && cut.contains("學"), "{cut}");
    let (_, stored) = app.app.services.queue.store().transcript_of(trawl::domain::TaskId(id)).await.unwrap().unwrap();
    assert_eq!((stored.text.as_str(), stored.segments[0].text.as_str()), (RAW, RAW));
    app.finish().await;
}
