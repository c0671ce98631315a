//! The new posts of a list, each through a workflow of its own: the design's third example, and the one that ships.

use serde_json::{Value, json};

use super::{ANOTHER, CLIP, SUMMARY, Scene, WORDS, assert_succeeded, given};
use crate::support::sample_bytes;

/// Pages of a list may be asked for as fast as a test can.
const FAST: &str = "crawlers.pace.list_every = \"1ms\"";

/// Shows these episodes; the file of the second one is gone.
fn show(scene: &Scene, episodes: &[u32]) -> String {
    let items = episodes.iter().map(|number| {
        let path = format!("{}/{number}.flac", scene.site.url);
        if *number != 2 {
            scene.site.file(&format!("/{number}.flac"), "audio/flac", sample_bytes(CLIP));
        }
        format!(
            "<item><title>Episode {number}</title><guid>episode-{number}</guid>\
             <pubDate>{number:02} Jan 2026 08:00:00 GMT</pubDate><enclosure url='{path}' type='audio/flac'/></item>"
        )
    });
    let items: String = items.collect();
    let feed = format!("<rss version='2.0'><channel><title>Radio</title>{items}</channel></rss>");
    scene.site.file("/feed.xml", "application/rss+xml", feed.into_bytes())
}

/// The tasks of a workflow.
async fn tasks(scene: &Scene, workflow: &str) -> Vec<Value> {
    let (_, page) = scene.app.get(&format!("/api/tasks?workflow={workflow}")).await;
    page["items"].as_array().unwrap().clone()
}

/// The example, with the definition that the daemon knows as version 1 of `transcribe-summarise`.
async fn followed(mut scene: Scene) {
    assert_eq!(scene.store(given("follow")).await, 1);
    let (_, schedules) = scene.app.get("/api/schedules?workflow=follow-profile").await;
    let schedule = &schedules["items"][0];
    assert_eq!(
        (&schedules["total"], &schedule["origin"], &schedule["state"]),
        (&json!(1), &json!("workflow"), &json!("active"))
    );
    for (field, value) in
        [("cron", "0 */6 * * *"), ("tz", "Asia/Shanghai"), ("overlap", "skip"), ("catchup", "latest"), ("jitter", "5m")]
    {
        assert_eq!(schedule[field], value, "{schedule}");
    }
    assert_eq!(schedule["params"], given("follow")["triggers"][0]["params"]);
    assert_eq!(schedule["next"].as_array().unwrap().len(), 5, "{schedule}");

    let params = json!({ "profile": show(&scene, &[3, 2, 1]), "callback_url": scene.receiver.url });
    let first = scene.run("follow-profile", params.clone()).await;
    assert_succeeded(&first, &["each", "posts"]);
    assert_eq!(first["result"], json!({ "done": 2, "failed": 1 }));
    let below = tasks(&scene, "transcribe-summarise").await;
    let of = |status: &str| below.iter().filter(|task| task["status"] == status).collect::<Vec<_>>();
    assert_eq!((of("completed").len(), of("failed").len(), below.len()), (2, 1, 3), "{below:?}");
    assert_eq!(of("failed")[0]["error"]["code"], "source_not_found", "{below:?}");
    assert!(below.iter().all(|task| task["revision"] == 1), "{below:?}");
    let mut done: Vec<&Value> = of("completed").into_iter().map(|task| &task["id"]).collect();
    for _ in 0..2 {
        let callback = scene.receiver.next().await;
        assert!(callback.verified, "signed with another secret");
        let data = &callback.body["data"];
        assert_eq!((&data["step"], &data["data"]["summary"]), (&json!("notify"), &json!(SUMMARY)));
        done.retain(|id| **id != data["task_id"]);
    }
    assert_eq!(done, Vec::<&Value>::new(), "one of them has told nobody");
    let asked = scene.llm.asked();
    assert_eq!(asked.iter().map(super::Asked::data).collect::<Vec<_>>(), [WORDS, WORDS]);

    let again = scene.run("follow-profile", params.clone()).await;
    assert_eq!(again["result"], json!({ "done": 0, "failed": 0 }), "{again}");
    // The next one is started by the schedule, which now names this list.
    let mut definition = given("follow");
    definition["triggers"][0]["params"] = params.clone();
    let put = scene.app.http.put(format!("{}/api/workflows/follow-profile", scene.app.url)).json(&definition);
    assert_eq!(put.send().await.unwrap().status(), 200);
    show(&scene, &[4, 3, 2, 1]);
    let (_, schedules) = scene.app.get("/api/schedules?workflow=follow-profile").await;
    assert_eq!(schedules["total"], 1, "{schedules}");
    let (status, fire) =
        scene.app.post(&format!("/api/schedules/{}/run", schedules["items"][0]["id"]), json!({})).await;
    assert_eq!((status, &fire["state"]), (202, &json!("started")), "{fire}");
    let third = scene.app.end(fire["task_id"].as_i64().unwrap()).await;
    assert_eq!(third["result"], json!({ "done": 1, "failed": 0 }), "{third}");
    let newest = tasks(&scene, "transcribe-summarise").await;
    assert_eq!((newest.len(), scene.llm.asked().len()), (4, 3));
    scene.told(&newest[0], "notify").await;

    // A list that cannot be read fails the task, and that is told.
    let gone = json!({ "profile": format!("{}/gone.xml", scene.site.url), "callback_url": scene.receiver.url });
    let id = scene.app.submit(json!({ "workflow": "follow-profile", "params": gone })).await;
    let failed = scene.app.end(id).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    let told = scene.told(&failed, "tell").await;
    assert_eq!(told, json!({ "type": "crawl.failed", "error": "source_not_found" }));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_design_with_its_own_first_version() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("summarise.json"), given("summarise").to_string()).unwrap();
    let more = format!("{FAST}\ncallbacks.secret = \"{ANOTHER}\"\npaths.workflows = \"{}\"", folder.path().display());
    followed(Scene::set(&more).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_design_with_the_version_that_ships() {
    followed(Scene::set(FAST).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_that_ships() {
    let scene = Scene::set(FAST).await;
    let link = show(&scene, &[3, 2, 1]);
    let first = scene.run("follow-source", json!({ "link": link, "limit": 2 })).await;
    assert_succeeded(&first, &["each", "posts"]);
    assert_eq!(first["result"], json!({ "done": 1, "failed": 1, "more": true }));
    let second = scene.run("follow-source", json!({ "link": link, "workflow": "transcribe-summarise" })).await;
    assert_eq!(second["result"], json!({ "done": 1, "failed": 0, "more": false }));
    let below = tasks(&scene, "transcribe").await;
    let done = below.iter().find(|task| task["status"] == "completed").unwrap();
    let (_, done) = scene.app.get(&format!("/api/tasks/{}", done["id"])).await;
    assert_eq!((below.len(), &done["result"]["text"]), (2, &json!(WORDS)), "{done}");
    let summarised = tasks(&scene, "transcribe-summarise").await;
    let (_, done) = scene.app.get(&format!("/api/tasks/{}", summarised[0]["id"])).await;
    let expected = (1, 1, &json!(SUMMARY));
    assert_eq!((summarised.len(), scene.llm.asked().len(), &done["result"]["summary"]), expected, "{done}");
    let third = scene.run("follow-source", json!({ "link": link })).await;
    assert_eq!(third["result"], json!({ "done": 0, "failed": 0, "more": false }));
    scene.finish().await;
}
