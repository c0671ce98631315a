//! A link becomes a summary that somebody is told: the design's first example, and the one that ships.

use serde_json::{Value, json};

use super::{ANOTHER, CLIP, SUMMARY, Scene, WORDS, assert_succeeded, given};

const STEPS: [&str; 6] = ["media", "notify", "source", "summary", "text", "text:extract"];

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_design() {
    let mut scene = Scene::set(&format!("callbacks.secret = \"{ANOTHER}\"")).await;
    assert_eq!(scene.store(given("summarise")).await, 2, "one of the same name ships");
    let params = json!({ "link": scene.page(CLIP), "callback_url": scene.receiver.url });
    let task = scene.run("transcribe-summarise", params).await;
    assert_eq!(task["result"], json!({ "summary": SUMMARY }));
    assert_succeeded(&task, &STEPS);
    assert_eq!(scene.told(&task, "notify").await, json!({ "title": "Boxes", "summary": SUMMARY }));
    let asked = scene.llm.asked();
    assert_eq!((asked.len(), asked[0].data(), &asked[0].body["model"]), (1, WORDS, &json!("large-1")));
    let system = asked[0].said_by("system")[0];
    assert!(system.contains("Summarise the transcript in five bullet points.") && !system.contains(WORDS), "{system}");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_that_ships() {
    let mut scene = Scene::set("").await;
    let link = scene.page(CLIP);
    let alone = scene.run("transcribe-summarise", json!({ "link": link, "length": "two points" })).await;
    let expected = json!({ "title": "Boxes", "language": "en", "text": WORDS, "summary": SUMMARY });
    assert_eq!(alone["result"], expected);
    assert_eq!(super::states(&alone)["notify"], "skipped", "{alone}");
    let told = scene
        .run("transcribe-summarise", json!({ "link": link, "language": "English", "callback_url": scene.receiver.url }))
        .await;
    assert_succeeded(&told, &STEPS);
    assert_eq!(scene.told(&told, "notify").await, json!({ "title": "Boxes", "summary": SUMMARY }));
    let asked = scene.llm.asked();
    assert_eq!(asked.iter().map(super::Asked::data).collect::<Vec<_>>(), [WORDS, WORDS]);
    assert!(asked[0].said_by("system")[0].contains("in two points"), "{:?}", asked[0]);
    assert!(asked[1].said_by("system")[0].contains("in English, in five to ten sentences"), "{:?}", asked[1]);
    scene.finish().await;
}

/// No words, nothing to ask: the summary is left out, and so is what would tell it.
#[tokio::test(flavor = "multi_thread")]
async fn silence_has_no_summary() {
    let scene = Scene::set("").await;
    let link = scene.page("silence.wav");
    let params = json!({ "link": link, "callback_url": scene.receiver.url });
    let task = scene.run("transcribe-summarise", params).await;
    assert_eq!((&task["result"]["text"], &task["result"]["summary"]), (&json!(""), &Value::Null), "{task}");
    let states = super::states(&task);
    assert_eq!((states["summary"], states["notify"]), ("skipped", "succeeded"), "{task}");
    assert_eq!(scene.llm.asked().len(), 0);
    let mut scene = scene;
    assert_eq!(scene.told(&task, "notify").await, json!({ "title": "Boxes", "summary": null }));
    scene.finish().await;
}
