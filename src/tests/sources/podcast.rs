//! A podcast.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use poem::{Response, http::StatusCode};
use serde_json::json;

use super::{FAST, tasks};
use crate::support::{Reply, Site, TestApp, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

/// A feed that changes as the test wants, and knows who has its newest version.
pub(super) struct Podcast {
    site: Site,
    pub link: String,
    shown: Arc<Mutex<(String, String)>>,
    unchanged: Arc<AtomicUsize>,
}

impl Podcast {
    pub async fn start() -> Self {
        let site = Site::start().await;
        let (shown, unchanged) = (Arc::<Mutex<(String, String)>>::default(), Arc::<AtomicUsize>::default());
        let (now, count) = (Arc::clone(&shown), Arc::clone(&unchanged));
        let link = site.put(
            "/feed.xml",
            Reply::Made(Arc::new(move |request| {
                let (etag, feed) = now.lock().unwrap().clone();
                let answer = Response::builder().header("etag", &etag).content_type("application/rss+xml");
                if request.header("if-none-match") == Some(&etag) {
                    count.fetch_add(1, Ordering::SeqCst);
                    return answer.status(StatusCode::NOT_MODIFIED).finish();
                }
                answer.body(feed)
            })),
        );
        Self { site, link, shown, unchanged }
    }

    /// Shows these episodes in this order as another version of the feed.
    pub fn show(&self, episodes: &[u32]) {
        let items = episodes.iter().map(|number| {
            let file = self.site.file(&format!("/{number}.flac"), "audio/flac", sample_bytes(CLIP));
            format!(
                "<item><title>Episode {number}</title><guid>episode-{number}</guid>\
                 <pubDate>{number:02} Jan 2026 08:00:00 GMT</pubDate><enclosure url='{file}' type='audio/flac'/></item>"
            )
        });
        let items: String = items.collect();
        let feed = format!("<rss version='2.0'><channel><title>Radio</title>{items}</channel></rss>");
        *self.shown.lock().unwrap() = (format!("\"{episodes:?}\""), feed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_episode_comes_in_once_and_ends_in_words() {
    let (app, radio) = (TestApp::with(FAST).await, Podcast::start().await);
    radio.show(&[2, 1]);
    let (source, first) = app.follow(json!({ "link": radio.link, "options": {"language": "en"} })).await;
    // One more, in another order; one less and one more; then nothing.
    radio.show(&[1, 3, 2]);
    let second = app.poll(&source).await;
    radio.show(&[4, 3, 1]);
    let third = app.poll(&source).await;
    let again = app.poll(&source).await;
    assert_eq!((&again["not_modified"], radio.unchanged.load(Ordering::SeqCst)), (&json!(true), 1));
    let made: Vec<Vec<i64>> = [&first, &second, &third, &again].map(tasks).to_vec();
    assert_eq!(made.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 0]);
    let items = app.items(&source).await;
    let numbers: Vec<_> = items.keys().map(String::as_str).collect();
    assert_eq!(numbers, ["episode-1", "episode-2", "episode-3", "episode-4"]);
    // The oldest episode is the first task.
    for (id, episode) in made.concat().into_iter().zip(1..) {
        assert_eq!(items[&format!("episode-{episode}")], id);
        let task = app.end(id).await;
        assert_eq!((&task["status"], &task["result"]["text"]), (&json!("completed"), &json!(WORDS)), "{task}");
        assert_eq!(task["options"]["language"], "en");
    }
    // What was seen stays seen when the tasks are gone.
    for id in made.concat() {
        assert_eq!(app.delete(&format!("/api/tasks/{id}")).await, 204);
    }
    radio.show(&[4, 3, 2, 1]);
    let last = app.poll(&source).await;
    assert_eq!((&last["new"], &last["seen"]), (&json!(0), &json!(4)));
    let (_, twice) = app.post("/api/sources", json!({ "link": radio.link })).await;
    assert_eq!(twice["code"], "conflict");
    assert_eq!(app.delete(&source).await, 204);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_list_is_not_followed() {
    let (app, site) = (TestApp::with(FAST).await, Site::start().await);
    let clip = site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let gone = format!("{}/gone.xml", site.url);
    for (link, code) in [(clip, "no_media_found"), (gone, "source_not_found")] {
        let (_, problem) = app.post("/api/sources", json!({ "link": link })).await;
        assert_eq!(problem["code"], code, "{problem}");
    }
    assert_eq!(app.get("/api/sources").await.1["total"], 0);
    app.finish().await;
}
