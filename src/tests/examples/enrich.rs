//! Media that are here get chapters, keywords and a mood, and somebody is told: the design's fourth example, and the one
//! that ships.

use serde_json::{Value, json};

use super::{ANOTHER, Asked, Scene, assert_succeeded, given, states};
use crate::{
    kinds::python,
    support::{root, sample_bytes},
};

const CLIP: &str = "zh-new-19.mp3";
const WORDS: &str = "你现在学习音乐。你喜欢蓝色的汽车。";

/// Brings the clip here and returns `media:<id>`.
async fn bring(scene: &Scene) -> String {
    let (status, task) = scene.app.upload("a.mp3", sample_bytes(CLIP), &[]).await;
    assert_eq!(status, 202, "{task}");
    let task = scene.app.end(task["id"].as_i64().unwrap()).await;
    format!("media:{}", task["media"]["id"])
}

/// The question whose instructions hold these words.
fn question<'a>(asked: &'a [Asked], words: &str) -> &'a Asked {
    asked.iter().find(|one| one.said_by("system")[0].contains(words)).unwrap_or_else(|| panic!("{words}: {asked:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_design() {
    let script = root().join("workflows/components/sentiment/sentiment.py");
    let exec = format!("exec.sentiment.argv = [{:?}, {:?}]", python(), script.display().to_string());
    let mut scene = Scene::set(&format!("callbacks.secret = \"{ANOTHER}\"\n{exec}")).await;
    assert_eq!(scene.store(given("enrich")).await, 2, "one of the same name ships");
    let media = bring(&scene).await;
    let task = scene.run("enrich", json!({ "media": media, "callback_url": scene.receiver.url })).await;
    assert_succeeded(&task, &["chapters", "keywords", "notify", "sentiment", "text", "text:extract"]);
    let told = scene.told(&task, "notify").await;
    let expected =
        json!({ "chapters": [{ "title": "All of it" }], "keywords": ["music", "car"], "sentiment": "positive" });
    assert_eq!(told, expected);
    let asked = scene.llm.asked();
    assert_eq!(asked.len(), 2);
    for (words, model) in [("Return chapters.", "large-1"), ("Return at most 12 keywords.", "small-1")] {
        let asked = question(&asked, words);
        assert_eq!((asked.data(), &asked.body["model"]), (WORDS, &json!(model)));
        let form = &asked.body["response_format"];
        assert_eq!((&form["type"], &form["json_schema"]["schema"]["type"]), (&json!("json_schema"), &json!("object")));
    }
    scene.finish().await;
}

/// Nobody has declared the program: the mood is unknown, and everything else is told.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_program_the_mood_is_unknown() {
    let mut scene = Scene::set("").await;
    scene.store(given("enrich")).await;
    let media = bring(&scene).await;
    let task = scene.run("enrich", json!({ "media": media, "callback_url": scene.receiver.url })).await;
    assert_eq!(states(&task)["sentiment"], "failed", "{task}");
    let told = scene.told(&task, "notify").await;
    assert_eq!((&told["sentiment"], &told["keywords"][0]), (&json!("unknown"), &json!("music")), "{told}");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_that_ships() {
    let mut scene = Scene::set("").await;
    let media = bring(&scene).await;
    let task = scene.run("enrich", json!({ "media": media, "callback_url": scene.receiver.url })).await;
    assert_succeeded(&task, &["chapters", "keywords", "notify", "sentiment", "text", "text:extract"]);
    let told = scene.told(&task, "notify").await;
    assert_eq!((&told["language"], &told["keywords"]), (&json!("zh"), &json!(["music", "car"])), "{told}");
    assert_eq!((&told["chapters"][0]["title"], &told["sentiment"]["label"]), (&json!("All of it"), &json!("positive")));
    let result: Value = task["result"].clone();
    for part in ["chapters", "keywords", "sentiment"] {
        assert_eq!(result[part], told[part], "{part}");
    }
    let asked = scene.llm.asked();
    assert_eq!(asked.len(), 3);
    for words in ["Name the keywords", "Judge the mood"] {
        assert_eq!(question(&asked, words).data(), WORDS);
    }
    // Chapters are made of lines with their times.
    assert!(question(&asked, "Divide the transcript").data().starts_with('['), "{asked:?}");
    scene.finish().await;
}
