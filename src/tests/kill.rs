//! SIGKILL in every phase: after a restart each task ends once, with the right words and at least one callback.

use tokio::sync::watch;

use super::support::{Daemon, Receiver, Reply, Site, sample_bytes};

const WORDS: &str = "The music is near the long box.";
/// A step may be over before the signal arrives; then the scene is played again, this often at most.
const SCENES: usize = 20;

/// Kills the daemon while the step `key` runs and starts it again.
async fn killed_in(key: &str) {
    for _ in 0..SCENES {
        if scene(key).await {
            return;
        }
    }
    panic!("the daemon was never hit in step {key}");
}

/// One try; whether the step was really running when the daemon died.
async fn scene(key: &str) -> bool {
    let (site, mut receiver) = (Site::start().await, Receiver::start().await);
    let (gate, opened) = watch::channel(false);
    let gated = |path: &str, held: bool, content_type: &'static str, body: Vec<u8>| {
        let reply = Reply::Body(content_type, body);
        site.put(path, if held { Reply::Gated(opened.clone(), Box::new(reply)) } else { reply })
    };
    gated("/clip.flac", key == "media", "audio/flac", sample_bytes("en-known-04.flac"));
    let page = b"<audio src='clip.flac'></audio>".to_vec();
    let link = gated("/page", key == "source", "text/html", page);

    let mut daemon = Daemon::new("");
    daemon.start().await;
    let id = daemon.paste(&link, &receiver.url).await;
    daemon.follow(id, |event| event.is_step(key, "running")).await.expect("the step never started");
    daemon.kill().await;
    gate.send_replace(true);
    daemon.start().await;

    let task = daemon.end(id).await;
    assert_eq!((task["status"].as_str(), task["result"]["text"].as_str()), (Some("completed"), Some(WORDS)), "{task}");
    let callback = receiver.next().await;
    assert!(callback.verified);
    assert_eq!((&callback.body["data"]["id"], &callback.body["type"]), (&id.into(), &"task.completed".into()));
    let events = daemon.follow(id, super::support::Event::is_end).await.expect("no end in the events");
    for step in ["source", "media", "text:extract", "text"] {
        let ends = events.iter().filter(|event| event.is_step(step, "succeeded")).count();
        assert_eq!(ends, 1, "step {step} has succeeded {ends} times");
    }
    assert!(daemon.stop().await, "the daemon did not stop cleanly");
    events.iter().any(|event| event.is_step(key, "ready") && event.data["error"]["code"] == "engine_crashed")
}

#[tokio::test(flavor = "multi_thread")]
async fn while_resolving() {
    killed_in("source").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_downloading() {
    killed_in("media").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_extracting() {
    killed_in("text:extract").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_transcribing() {
    killed_in("text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_calling_back() {
    let (site, mut receiver) = (Site::start().await, Receiver::start().await);
    let link = site.file("/clip.flac", "audio/flac", sample_bytes("en-known-04.flac"));
    let mut daemon = Daemon::new("");
    daemon.start().await;
    receiver.open(false);
    let id = daemon.paste(&link, &receiver.url).await;
    let first = receiver.next().await;
    daemon.kill().await;
    receiver.open(true);
    daemon.start().await;
    let second = receiver.next().await;
    assert!(first.verified && second.verified);
    assert_eq!((first.id, first.body), (second.id, second.body));
    assert_eq!(daemon.end(id).await["status"], "completed");
    assert!(daemon.stop().await, "the daemon did not stop cleanly");
}
