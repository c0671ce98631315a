//! `resolve` with `expand` over a feed.

use serde_json::{Value, json};

use crate::support::{Site, TestApp};

const FAST: &str = "crawlers.pace.list_every = \"1ms\"";

/// Shows these episodes in this order.
fn show(site: &Site, episodes: &[u32]) -> String {
    let items = episodes.iter().map(|number| {
        format!(
            "<item><title>Episode {number}</title><guid>episode-{number}</guid><pubDate>{number:02} Jan 2026 08:00:00 GMT\
             </pubDate><enclosure url='{}/{number}.mp3' type='audio/mpeg'/></item>",
            site.url
        )
    });
    let items: String = items.collect();
    let feed = format!("<rss version='2.0'><channel><title>Radio</title>{items}</channel></rss>");
    site.file("/feed.xml", "application/rss+xml", feed.into_bytes())
}

/// Asks for the list in a workflow.
async fn ask(app: &TestApp, workflow: &str, with: Value) -> Value {
    let steps = json!({ "it": { "use": "resolve", "with": with, "retry": { "max": 0 } } });
    super::save(app.app.services.queue.store(), workflow, steps, json!("${steps.it.output}")).await;
    let id = app.submit(json!({ "link": super::NOWHERE, "workflow": workflow })).await;
    app.end(id).await
}

fn ids(task: &Value) -> Vec<&str> {
    assert_eq!(task["status"], "completed", "{task}");
    task["result"]["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_post_is_shown_once_and_none_is_lost() {
    let (app, site) = (TestApp::with(FAST).await, Site::start().await);
    let link = show(&site, &[4, 3, 2, 1]);
    let all = ask(&app, "all", json!({ "link": link, "expand": true, "limit": 3 })).await;
    assert_eq!(ids(&all), ["episode-4", "episode-3", "episode-2"]);
    assert_eq!((&all["result"]["more"], &all["result"]["title"]), (&json!(true), &json!("Radio")));
    let first = &all["result"]["items"][0];
    assert_eq!(first["title"], "Episode 4");
    assert!(first["url"].as_str().unwrap().starts_with(&site.url) && first["published_at"].is_string(), "{first}");
    let new = async |workflow: &str| {
        ask(&app, workflow, json!({ "link": link, "expand": true, "new_only": true, "limit": 3 })).await
    };
    let one = new("news").await;
    assert_eq!(ids(&one), ["episode-4", "episode-3", "episode-2"]);
    // What did not fit comes the next time, with what was added.
    show(&site, &[5, 4, 3, 2, 1]);
    assert_eq!(ids(&new("news").await), ["episode-5", "episode-1"]);
    let none = new("news").await;
    assert_eq!((ids(&none).len(), &none["result"]["seen"]), (0, &json!(5)));
    // Deleting the task brings nothing back; another workflow has its own news.
    assert_eq!(app.delete(&format!("/api/tasks/{}", one["id"])).await, 204);
    assert_eq!(ids(&new("news").await).len(), 0);
    assert_eq!(ids(&new("other").await).len(), 3);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_a_time_share_what_is_new() {
    let (app, site) = (TestApp::with(FAST).await, Site::start().await);
    let episodes: Vec<u32> = (1..=20).rev().collect();
    let link = show(&site, &episodes);
    let steps = json!({ "it": { "use": "resolve", "with": { "link": link, "expand": true, "new_only": true } } });
    super::save(app.app.services.queue.store(), "news", steps, json!("${steps.it.output}")).await;
    let body = json!({ "link": super::NOWHERE, "workflow": "news" });
    let mut tasks = Vec::new();
    for _ in 0..4 {
        tasks.push(app.submit(body.clone()).await);
    }
    let mut shown = Vec::new();
    for id in tasks {
        let task = app.end(id).await;
        shown.extend(ids(&task).into_iter().map(str::to_owned));
    }
    shown.sort();
    let count = shown.len();
    shown.dedup();
    assert_eq!((shown.len(), count), (20, 20), "{shown:?}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_list_is_told() {
    let (app, site) = (TestApp::with(FAST).await, Site::start().await);
    let link = show(&site, &[1]);
    for (with, code) in [
        (json!({ "link": format!("{}/gone.xml", site.url), "expand": true }), "source_not_found"),
        (json!({ "link": link, "expand": true, "limit": 0 }), "invalid_workflow"),
        (json!({ "link": link, "new_only": true }), "invalid_workflow"),
        (json!({ "link": "no link", "expand": true }), "invalid_link"),
    ] {
        let task = ask(&app, "bad", with.clone()).await;
        assert_eq!(task["error"]["code"], code, "{with}: {task}");
    }
    app.finish().await;
}
