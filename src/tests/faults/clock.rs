//! A machine whose clock is put forward and back by an hour and by a day while it works (libfaketime; monotonic time goes on
//! as it is).

use std::{collections::BTreeSet, path::PathBuf};

use chrono::{TimeDelta, Timelike};
use serde_json::{Value, json};

use super::world::{CLIP, WORDS, is_sound};
use crate::support::{Daemon, Event, Receiver, Site, is_server, sample_bytes};

/// In hours.
const JUMPS: [i32; 8] = [1, 0, -1, 0, 24, 0, -24, 0];

fn libfaketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
    let found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|path| path.is_file());
    found.expect("libfaketime is not installed (run scripts/bootstrap.sh databases, or make test)")
}

/// Puts the clock of a daemon by so many hours.
fn put(daemon: &Daemon, hours: i32) {
    let (file, new) = (clock(daemon), daemon.folder().join("clock.new"));
    std::fs::write(&new, format!("{:+}h\n", hours)).unwrap();
    std::fs::rename(new, file).unwrap();
}

fn clock(daemon: &Daemon) -> PathBuf {
    daemon.folder().join("clock")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_twice_or_lost() {
    if is_server() {
        return; // leases and schedules there go by the server's clock
    }
    let (site, mut receiver) = (Site::start().await, Receiver::start().await);
    let link = site.file("/clip.mp3", "audio/mpeg", sample_bytes(CLIP));
    let mut daemon = Daemon::new("queue.heartbeat = \"1s\"");
    put(&daemon, 0);
    daemon.env = vec![
        ("LD_PRELOAD", libfaketime().display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", clock(&daemon).display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("FAKETIME_DONT_RESET", "1".to_owned()),
    ];
    daemon.start().await;
    // Once an hour, but not within this test.
    let first = chrono::Utc::now() + TimeDelta::minutes(30);
    let wanted = json!({ "name": "hourly", "workflow": "transcribe", "params": { "link": link },
        "cron": format!("{} * * * *", first.minute()), "overlap": "allow", "catchup": "latest" });
    let made = daemon.http.post(format!("{}/api/schedules", daemon.url)).json(&wanted).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    let fires = format!("/api/schedules/{}/fires?limit=100", made["id"]);

    let mut tasks = Vec::new();
    for hours in JUMPS {
        let events = daemon.http.get(format!("{}/api/events", daemon.url)).send().await.unwrap();
        tasks.push(daemon.paste(&link, &receiver.url).await);
        Event::listen(events, |event| event.kind == "step" && event.data["state"] == "running").await;
        put(&daemon, hours);
        for id in &tasks {
            let task = daemon.end(*id).await;
            assert_eq!(task["result"]["text"], WORDS, "{hours}: {task}");
        }
    }
    for id in &tasks {
        let task = daemon.end(*id).await;
        for step in task["steps"].as_array().unwrap() {
            assert_eq!((&step["attempt"], &step["crashes"]), (&json!(1), &json!(0)), "{task}");
        }
        let events = daemon.follow(*id, Event::is_end).await.unwrap();
        assert_eq!(events.iter().filter(|event| event.is_step("text", "succeeded")).count(), 1);
    }
    let mut told = BTreeSet::new();
    while told.len() < tasks.len() {
        told.insert(receiver.next().await.body["data"]["id"].as_i64().unwrap());
    }
    let fires = daemon.get(&fires).await["items"].as_array().unwrap().clone();
    let fired: Vec<&Value> = fires.iter().filter(|fire| fire["task_id"].is_number()).collect();
    let mut times: Vec<String> = fired.iter().map(|fire| fire["fire_at"].as_str().unwrap()[..16].to_owned()).collect();
    times.sort();
    // What the clock has gone over, once each: an hour ahead, from an hour ago, and of a day the newest, as `catchup` says.
    let expected = [-1, 0, 23].map(|hours| (first + TimeDelta::hours(hours)).format("%Y-%m-%dT%H:%M").to_string());
    assert_eq!(times, expected, "{fires:?}");
    for fire in fired {
        daemon.end(fire["task_id"].as_i64().unwrap()).await;
    }
    assert!(daemon.stop().await, "{}", daemon.log());
    is_sound(&daemon).await;
}
