//! SIGKILL at one place of the code after the other (src/fault.rs), each several times, on the same data.

use std::collections::HashMap;

use serde_json::json;
use trawl::{domain::ScheduleId, store::Store};

use super::{
    sized,
    world::{Ask, World, calls},
};
use crate::support::{Daemon, Site, test_url};

/// Dies at each of these places so many times, and then does all that it was asked for.
async fn dying_at(points: &[&str], ask: Ask) {
    die_at(World::new("").await, points, ask).await;
}

/// As [`dying_at`], in a world where something has happened already.
async fn die_at(mut world: World, points: &[&str], ask: Ask) {
    for point in points {
        for time in 0..sized(3, 20) {
            // The first time that it comes there, the second, the third.
            world.die_at(point, time % 3, ask).await;
        }
    }
    world.settle().await;
}

/// What it is asked for where it does not matter what that is.
fn light() -> Ask {
    if sized(0, 1) == 0 { Ask::Calls } else { Ask::Link }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_task_is_taken_in_and_its_steps_are_claimed() {
    dying_at(&["intake::written", "intake::committed", "claim::written", "claim::committed"], light()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_files_are_published() {
    let points = ["file::written", "file::named", "ffmpeg::ended", "samples::written", "samples::named"];
    dying_at(&points, Ask::Link).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_ends_are_written_with_their_callbacks() {
    dying_at(&["end::written", "end::committed", "outbox::before", "outbox::after"], light()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_callback_is_sent() {
    dying_at(&["delivery::claimed", "delivery::answered", "delivery::noted"], light()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_upload_is_taken_in() {
    dying_at(&["upload::kept", "upload::stored"], Ask::Upload).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_task_is_deleted() {
    let mut world = World::new("").await;
    // A file that stays: a storage full of files of which the database names none would be left alone, as another one's.
    world.die_at("end::committed", 0, Ask::Link).await;
    die_at(world, &["file::unused"], Ask::Delete).await;
}

/// The tables are those of a start without deaths: the last one comes through and works.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_tables_are_made() {
    // MariaDB's tests begin with tables that are there already: this one does not.
    let fresh = match std::env::var("TRAWL_TEST_DATABASE") {
        Ok(server) if server.starts_with("mysql") => {
            format!("database.url = \"{server}/schema_{:08x}\"", rand::random::<u32>())
        }
        _ => String::new(),
    };
    let mut world = World::new(&fresh).await;
    for time in 0..sized(3, 20) {
        // Made with each statement by itself, what was made stays made.
        let skip = if fresh.is_empty() { time } else { 0 };
        world.die_at("schema::changed", skip, Ask::Nothing).await;
    }
    world.die_at("end::committed", 2, Ask::Calls).await;
    world.settle().await;
}

/// Each time of a schedule makes one task.
#[tokio::test(flavor = "multi_thread")]
async fn while_schedules_fire() {
    let site = Site::start().await;
    let page = site.file("/page", "application/json", b"{\"said\": \"yes\"}".to_vec());
    let mut daemon = Daemon::new("queue.max_crashes = 1000");
    let workflows = daemon.folder().join("workflows");
    std::fs::create_dir(&workflows).unwrap();
    std::fs::write(workflows.join("calls.json"), calls(&page)).unwrap();
    daemon.start().await;
    let mut schedules = Vec::new();
    for number in 0..3 {
        let wanted = json!({ "name": format!("s{number}"), "workflow": "calls", "cron": "0 4 1 1 *",
            "overlap": "allow" });
        let made = daemon.http.post(format!("{}/api/schedules", daemon.url)).json(&wanted).send().await.unwrap();
        let made: serde_json::Value = made.json().await.unwrap();
        schedules.push(ScheduleId(made["id"].as_i64().unwrap_or_else(|| panic!("{made}"))));
    }
    assert!(daemon.stop().await);
    let mut times = HashMap::new();
    for point in ["fire::written", "fire::committed"] {
        for time in 0..sized(3, 20) {
            for due in make_due(&daemon, &schedules).await {
                *times.entry(due).or_insert(0) += 1;
            }
            let skipped = if time % 3 > 0 { format!("{}*off->", time % 3) } else { String::new() };
            daemon.env = vec![("FAILPOINTS", format!("{point}={skipped}1*return"))];
            daemon.try_start().await;
            assert!(daemon.died().await, "{point}: {}", daemon.log());
        }
    }
    daemon.env.clear();
    daemon.start().await;
    let mut tasks = Vec::new();
    for schedule in &schedules {
        let path = format!("/api/schedules/{schedule}/fires?limit=100");
        let ended = async {
            loop {
                let fires = daemon.get(&path).await["items"].as_array().unwrap().clone();
                if fires.len() == times[schedule] && fires.iter().all(|fire| fire["ended_at"].is_string()) {
                    return fires;
                }
            }
        };
        let fires = tokio::time::timeout(std::time::Duration::from_secs(60), ended).await.expect("fires are missing");
        assert!(fires.iter().all(|fire| fire["state"] == "succeeded"), "{fires:?}");
        tasks.extend(fires.iter().map(|fire| fire["task_id"].as_i64().unwrap()));
    }
    for id in &tasks {
        assert_eq!(daemon.end(*id).await["result"]["text"], "yes");
    }
    assert_eq!(daemon.get("/api/tasks").await["total"], tasks.len());
    assert!(daemon.stop().await, "{}", daemon.log());
    super::world::is_sound(&daemon).await;
}

/// Makes all schedules due; returns those that were not, each of which has one time more. What was due when the daemon died
/// and had not fired is due still.
async fn make_due(daemon: &Daemon, schedules: &[ScheduleId]) -> Vec<ScheduleId> {
    let store = Store::open(&test_url(daemon.folder())).await.unwrap();
    let tx = store.begin().await.unwrap();
    let mut more = Vec::new();
    for id in schedules {
        let mut schedule = tx.lock_schedule(*id).await.unwrap().unwrap();
        if schedule.next_at.is_none_or(|at| at > tx.now()) {
            (schedule.next_fire, schedule.next_at) = (Some(tx.now()), Some(tx.now()));
            tx.change_schedule(&schedule).await.unwrap();
            more.push(*id);
        }
    }
    tx.commit().await.unwrap();
    more
}
