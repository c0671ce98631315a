//! Words in another language, where they are not in it already: the design's second example, and subtitles that ship.

use serde_json::{Value, json};

use super::{CLIP, Scene, WORDS, assert_succeeded, given, states};

/// A subtitle's file, which must have times and say these words.
async fn assert_file(scene: &Scene, path: &Value, words: &str) {
    let text = scene.app.text(path.as_str().unwrap()).await;
    assert!(text.starts_with("1\n00:00:0") && text.contains(" --> ") && text.contains(words), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_design() {
    let scene = Scene::set("").await;
    assert_eq!(scene.store(given("translate")).await, 1);
    let link = scene.page(CLIP);
    let same = scene.run("translate-if-foreign", json!({ "link": link, "target": "en" })).await;
    let expected = ["media", "source", "subtitle", "text", "text:extract"].map(|key| (key, "succeeded"));
    let skipped = [("translated", "skipped")];
    assert_eq!(states(&same), expected.into_iter().chain(skipped).collect(), "{same}");
    assert_eq!((&same["result"]["text"], scene.llm.asked().len()), (&json!(WORDS), 0), "{same}");
    assert_file(&scene, &same["result"]["srt"], WORDS).await;

    let other = scene.run("translate-if-foreign", json!({ "link": link })).await;
    assert_succeeded(&other, &["media", "source", "subtitle", "text", "text:extract", "translated"]);
    assert_eq!(other["result"]["text"], "音乐在长盒子旁边。", "{other}");
    assert_file(&scene, &other["result"]["srt"], WORDS).await;
    let asked = scene.llm.asked();
    assert_eq!((asked.len(), asked[0].data()), (1, WORDS));
    assert!(asked[0].said_by("system")[0].contains("Translate into zh."), "{:?}", asked[0]);

    // Silence has no segments: no file, and the task ends well.
    let quiet = scene.run("translate-if-foreign", json!({ "link": scene.page("silence.wav"), "target": "xx" })).await;
    assert_eq!((states(&quiet)["subtitle"], &quiet["result"]["srt"]), ("skipped", &Value::Null), "{quiet}");
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_that_ships() {
    let scene = Scene::set("").await;
    let task = scene.run("translate-subtitles", json!({ "link": scene.page("zh-known-13.wav") })).await;
    assert_succeeded(&task, &["media", "original", "source", "subtitles", "text", "text:extract", "translated"]);
    assert_eq!(task["result"]["language"], "zh", "{task}");
    assert_file(&scene, &task["result"]["original"], "那个图片很大。").await;
    assert_file(&scene, &task["result"]["subtitles"], "In English: ").await;
    let times = async |name: &str| {
        let text = scene.app.text(task["result"][name].as_str().unwrap()).await;
        text.lines().filter(|line| line.contains(" --> ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(times("original").await, times("subtitles").await);
    let asked = scene.llm.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].data().contains("那个图片很大。"), "{:?}", asked[0]);
    scene.finish().await;
}
