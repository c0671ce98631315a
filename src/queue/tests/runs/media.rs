//! Media stay as long as a task names them, and go with the last one.

use super::*;
use crate::{domain::MediaId, store::NewMedia};

impl Bench {
    /// New media, by their ids.
    async fn media<const N: usize>(&self) -> [i64; N] {
        let tx = self.queue.store().begin().await.unwrap();
        let mut made = [0; N];
        for (at, id) in made.iter_mut().enumerate() {
            let new = NewMedia { platform: "web".to_owned(), platform_id: at.to_string(), ..NewMedia::default() };
            *id = tx.upsert_media(new).await.unwrap().0;
        }
        tx.commit().await.unwrap();
        made
    }

    async fn is_here(&self, media: i64) -> bool {
        self.queue.store().media(MediaId(media)).await.unwrap().is_some()
    }

    /// Deletes a task; the media that went with it.
    async fn gone_with(&self, id: TaskId) -> Vec<i64> {
        self.queue.delete(id).await.unwrap().media.into_iter().map(|media| media.id.0).collect()
    }
}

fn fetched(media: i64, file: &str) -> Value {
    json!({ "media_id": media, "file": file })
}

/// A list of downloads, and words for each.
fn fetching() -> Value {
    let get = json!({ "use": "download", "foreach": { "in": "params.list" }, "with": { "from": "${item}" } });
    let text = json!({ "use": "transcribe", "foreach": { "in": "steps.get.output", "parallel": 1 },
                       "with": { "media": "${item}" }, "retry": { "max": 0 } });
    json!({ "get": get, "text": text })
}

#[tokio::test]
async fn each_item_of_a_list_keeps_its_media() {
    let bench = Bench::new().await;
    let [a, b, c] = bench.media().await;
    let id = bench.begin(workflow("w", fetching()), json!({ "list": [a, b, c] })).await;
    bench
        .play(|_, input| match input.get("from") {
            Some(media) => output(fetched(media.as_i64().unwrap(), "x")),
            None => output(json!(1)),
        })
        .await;
    assert_eq!(bench.ended(id).await.0, "completed");
    // One that has not begun names it in its parameters, one as a constant of its workflow.
    let early = bench.begin(workflow("early", json!({ "a": trivial() })), json!({ "one": format!("media:{b}") })).await;
    let fixed = json!({ "use": "transcribe", "with": { "media": format!("media:{a}") } });
    let fixed = bench.begin(workflow("fixed", json!({ "a": fixed })), json!({})).await;
    assert_eq!(bench.gone_with(id).await, [c]);
    assert_eq!(bench.gone_with(early).await, [b]);
    assert_eq!(bench.gone_with(fixed).await, [a]);
}

#[tokio::test]
async fn results_keep_the_media_they_name() {
    let bench = Bench::new().await;
    let [made, told, unnamed] = bench.media().await;
    let mut inner = workflow("inner", json!({ "a": trivial(), "b": trivial() }));
    inner["output"] = json!({ "media": "media:${steps.a.output.media_id}" });
    bench.save(inner).await;
    let call = json!({ "use": "workflow", "with": { "name": "inner", "params": {} } });
    let mut outer = workflow("outer", json!({ "call": call }));
    outer["output"] = json!({ "list": [format!("media:{told}")] });
    let id = bench.begin(outer, json!({})).await;
    bench.play(|key, _| output(fetched(if key == "a" { made } else { unnamed }, "x"))).await;
    assert_eq!(bench.ended(id).await.0, "completed");
    let child = bench.output_of(id, "call").await["task_id"].as_i64().unwrap();
    assert_eq!(bench.gone_with(TaskId(child)).await, [unnamed]);
    assert!(bench.is_here(made).await && bench.is_here(told).await);
    assert_eq!(bench.gone_with(id).await, [made, told]);
}

#[tokio::test]
async fn another_try_fetches_the_one_file_of_a_list_that_cannot_be_read() {
    for code in [Code::Truncated, Code::NotFound] {
        let bench = Bench::new().await;
        let [a, b, c] = bench.media().await;
        let id = bench.begin(workflow("w", fetching()), json!({ "list": [a, b, c] })).await;
        let play = async |file: &str, broken: &str| {
            let outcome = |key: &str, input: &Value| match input.get("from") {
                Some(media) => output(fetched(media.as_i64().unwrap(), file)),
                None if input["media"] == fetched(b, broken) => failure(code, "short"),
                None => output(json!({ "key": key, "file": input["media"]["file"] })),
            };
            bench.play(outcome).await;
        };
        play("old", "old").await;
        assert_eq!(bench.ended(id).await, ("failed", code.as_str().to_owned()));
        bench.queue.retry(id).await.unwrap();
        let states = bench.by_key(id).await;
        let told: Vec<&str> = ["get", "get[0]", "get[1]", "get[2]", "text"].iter().map(|key| states[*key]).collect();
        assert_eq!(told, ["waiting", "succeeded", "ready", "succeeded", "blocked"]);
        play("new", "old").await;
        assert_eq!(bench.ended(id).await.0, "completed");
        let files: Vec<Value> = ["old", "new", "old"].iter().map(|file| json!(file)).collect();
        let made = bench.output_of(id, "text").await;
        assert_eq!(made.as_array().unwrap().iter().map(|item| item["file"].clone()).collect::<Vec<_>>(), files);
        for (key, times) in [("get[0]", 1), ("get[1]", 2), ("get[2]", 1), ("text[0]", 1), ("text[1]", 1)] {
            assert_eq!(bench.times(id, key, StepState::Succeeded).await, times, "{key}");
        }
        assert_eq!(bench.gone_with(id).await, [a, b, c]);
    }
}

/// One file of a list is used by a step of its own, and cannot be fetched once more.
#[tokio::test]
async fn a_list_that_is_shorter_the_next_time_is_written_anew() {
    let bench = Bench::new().await;
    let [a, b, c] = bench.media().await;
    let mut steps = fetching();
    steps["get"]["foreach"]["on_item_error"] = json!("collect");
    steps["get"]["retry"] = json!({ "max": 0 });
    steps["text"]["foreach"]["in"] = json!("steps.get.output.ok");
    let id = bench.begin(workflow("w", steps), json!({ "list": [a, b, c] })).await;
    let play = async |is_down: bool| {
        let outcome = |key: &str, input: &Value| match input.get("from").and_then(Value::as_i64) {
            Some(media) if media == b && is_down => failure(Code::SourceNotFound, "gone"),
            Some(media) => output(fetched(media, "x")),
            None if input["media"]["media_id"] == b => failure(Code::Truncated, "short"),
            None => output(json!({ "key": key, "media": input["media"]["media_id"] })),
        };
        bench.play(outcome).await;
    };
    play(false).await;
    assert_eq!(bench.ended(id).await, ("failed", "truncated".to_owned()));
    bench.queue.retry(id).await.unwrap();
    play(true).await;
    assert_eq!(bench.ended(id).await.0, "completed");
    let made = bench.output_of(id, "text").await;
    assert_eq!(made, json!([{ "key": "text[0]", "media": a }, { "key": "text[1]", "media": c }]));
    assert!(!bench.by_key(id).await.contains_key("text[2]"));
    assert_eq!(bench.times(id, "text[0]", StepState::Succeeded).await, 1);
}
