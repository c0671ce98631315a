//! From a link to a summary that somebody is called back with: real recognition, and a language model's server that speaks
//! OpenAI's wire format.

use serde_json::{Value, json};

use super::support::{LlmServer, Receiver, Say, Site, TestApp, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

fn workflow() -> Value {
    json!({
        "dsl": 1, "name": "retell",
        "params": { "link": { "type": "url" }, "hook": { "type": "url" } },
        "steps": {
            "source": { "use": "resolve", "with": { "link": "${params.link}" } },
            "media": { "use": "download", "with": { "from": "${steps.source.output}" } },
            "text": { "use": "transcribe", "with": { "media": "${steps.media.output}" } },
            "summary": {
                "use": "llm",
                "with": { "prompt": "summary", "variables": { "language": "English" }, "input": "${steps.text.output.text}" },
                "retry": { "max": 2, "first": "1ms", "on": ["rate_limited", "unavailable"] },
            },
            "chapters": {
                "use": "llm",
                "with": {
                    "prompt": "chapters", "segments": "${steps.text.output.segments}", "api_key": "${secrets.llm}",
                },
            },
            "quiet": {
                "use": "llm",
                "with": { "system": "Say it.", "input": "${steps.text.output.text}", "api_key": "${secrets.llm}" },
            },
            "tell": {
                "use": "callback",
                "with": { "url": "${params.hook}", "data": {
                    "summary": "${steps.summary.output.text}", "chapters": "${steps.chapters.output.json.chapters}",
                } },
            },
        },
        "output": { "summary": "${steps.summary.output.text}", "usage": "${steps.summary.output.usage}", "quiet": "${steps.quiet.output.text}" },
    })
}

/// Answers the chapters when it is asked for them, and says no the first time that it is asked for a summary.
async fn server() -> LlmServer {
    let refused = std::sync::atomic::AtomicBool::new(false);
    LlmServer::answering(move |asked| {
        if asked.body.get("response_format").is_some() {
            return Say::json(&json!({ "chapters": [{ "start": 7, "title": "Music", "summary": "A box." }] }));
        }
        if asked.authorization.as_deref() == Some("Bearer sk-versteckt") {
            return Say::text("Your key is sk-versteckt.");
        }
        match refused.swap(true, std::sync::atomic::Ordering::SeqCst) {
            false => Say::Error(429, "patience", "rate_limit_exceeded", Some("0")),
            true => Say::text("There is music near a long box."),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_becomes_a_summary_and_a_callback() {
    let (site, server, mut receiver) = (Site::start().await, server().await, Receiver::start().await);
    let settings = format!("llm.base_url = \"{}\"\nllm.model = \"stub\"\nllm.api_key = \"sk-geheim\"", server.url);
    let app = TestApp::with(&settings).await;
    let store = app.app.services.queue.store();
    let tx = store.begin().await.unwrap();
    tx.save_workflow("retell", workflow(), "0").await.unwrap();
    tx.commit().await.unwrap();

    app.app.services.secrets.set("llm", "sk-versteckt", &["127.0.0.1".to_owned()]).await.unwrap();

    let link = site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let id = app.submit(json!({ "link": link, "workflow": "retell", "params": { "hook": receiver.url } })).await;
    let task = app.end(id).await;
    assert_eq!(task["status"], "completed", "{task}");
    let summary = "There is music near a long box.";
    assert_eq!(task["result"]["summary"], summary);
    assert_eq!(task["result"]["usage"], json!({ "input_tokens": 100, "output_tokens": 10, "requests": 1 }));
    assert_eq!(task["result"]["quiet"], "Your key is ***.");
    let callback = receiver.next().await;
    assert!(callback.verified);
    let told = &callback.body["data"]["data"];
    assert_eq!(told["summary"], summary, "{told}");
    // The model's time was made up; the chapter begins where the only segment does.
    let (_, transcript) = app.get(&format!("/api/tasks/{id}/transcript")).await;
    assert_eq!(told["chapters"][0]["start"], transcript["segments"][0]["start"], "{told}");

    let events = app.listen(&format!("/api/tasks/{id}/events"), |_| false).await;
    let words = events.iter().filter(|event| event.kind == "llm");
    let heard: String = words.clone().map(|event| event.data["text"].as_str().unwrap()).collect();
    assert_eq!(heard, summary);
    assert!(words.clone().all(|event| event.data["step"] == "summary" && event.data["parts"] == 1));
    let seen = format!("{events:?} {task}");
    assert!(!seen.contains("sk-geheim") && !seen.contains("sk-versteckt"));

    let asked = server.asked();
    let of_summary = |key: &String| key.ends_with("/summary");
    let summaries: Vec<_> = asked.iter().filter(|one| one.idempotency_key.as_ref().is_some_and(of_summary)).collect();
    let key = format!("{id}/summary");
    assert!(summaries.iter().all(|one| one.idempotency_key.as_deref() == Some(key.as_str())), "{summaries:?}");
    assert_eq!((summaries.len(), summaries[1].data()), (2, WORDS));
    assert_eq!(summaries[0].authorization.as_deref(), Some("Bearer sk-geheim"));
    let chapters = asked.iter().find(|one| one.body.get("response_format").is_some()).unwrap();
    assert_eq!(chapters.authorization.as_deref(), Some("Bearer sk-versteckt"));
    app.finish().await;
}
