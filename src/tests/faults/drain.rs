//! SIGTERM in the middle of work, again and again: no try is lost, and nobody waits long.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use super::{
    sized,
    world::{CLIP, WORDS, is_sound},
};
use crate::support::{Daemon, Event, Site, sample_bytes};

/// How long a stop may take: the drain, what is given back, and a machine that does other things.
const STOP_WITHIN: Duration = Duration::from_secs(35);

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_costs_no_try() {
    let site = Site::start().await;
    let link = site.file("/clip.mp3", "audio/mpeg", sample_bytes(CLIP));
    let mut daemon = Daemon::new("queue.drain = \"300ms\"");
    let mut tasks = Vec::new();
    for stop in 0..sized(5, 100) {
        daemon.start().await;
        let events = daemon.http.get(format!("{}/api/events", daemon.url)).send().await.unwrap();
        for _ in 0..3 {
            tasks.push(daemon.paste(&link, "").await);
        }
        // Each time at another moment of the work.
        let left = Cell::new(3 + stop * 7 % 17);
        Event::listen(events, |event| {
            left.set(left.get() - usize::from(event.kind == "step"));
            left.get() == 0
        })
        .await;
        let begun = Instant::now();
        assert!(daemon.stop().await, "{}", daemon.log());
        assert!(begun.elapsed() < STOP_WITHIN, "it took {:?} to stop", begun.elapsed());
    }
    daemon.start().await;
    for id in tasks {
        let task = daemon.end(id).await;
        assert_eq!(task["result"]["text"], WORDS, "{task}");
        for step in task["steps"].as_array().unwrap() {
            assert_eq!((&step["attempt"], &step["crashes"]), (&1.into(), &0.into()), "{task}");
        }
    }
    assert!(daemon.stop().await, "{}", daemon.log());
    is_sound(&daemon).await;
}
