//! How long it takes until work goes on after a death, and until it stops after a cancel.

use std::{path::Path, time::Duration};

use serde_json::json;
use tokio::time::{Instant, interval, timeout};

use super::{
    LEASE,
    people::Wanted,
    table::{is_full, say},
    trouble,
    world::World,
};
use crate::support::{is_server, processes};

/// How often is looked for something that nobody tells.
const LOOK: Duration = Duration::from_millis(10);
/// The longest wait for it.
const PATIENCE: Duration = Duration::from_secs(150);
/// What trawl comes with: a lease and a heartbeat.
const USUAL: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(10));
/// By how much a figure may be missed in the short run, beside which others work on the same cores.
const CROWD: u32 = 5;

/// Tells how long something took, and fails when that was too long.
fn judge(row: &str, took: Duration, most: Duration) {
    say(row, &format!("≤ {} s", most.as_secs_f64()), &format!("{:.1} s", took.as_secs_f64()), took <= most);
    assert!(took <= if is_full() { most } else { most * CROWD }, "{row}: {took:?}, not {most:?}");
}

async fn until(what: &str, there: impl Fn() -> bool) {
    let looking = async {
        let mut looks = interval(LOOK);
        while !there() {
            looks.tick().await;
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// The leases and heartbeats to measure with.
fn settings() -> Vec<(Duration, Duration)> {
    let short = (LEASE, LEASE / 5);
    // A single process waits for no lease.
    if is_full() && is_server() { vec![short, USUAL] } else { vec![short] }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_node_had_begins_again() {
    for (lease, heartbeat) in settings() {
        let mut world = World::with(if is_server() { 2 } else { 1 }, None, lease, heartbeat, |_| String::new()).await;
        let asked = |world: &World, times: usize| {
            world.outside.site.seen().iter().filter(|path| *path == "/held").count() >= times
        };
        world.outside.gate.send_replace(false);
        // The second of these waits at the gate.
        let wanted = Wanted::some(&world.outside, 2);
        wanted.release(2);
        until("a step that runs", || asked(&world, 1)).await;
        let node = if is_server() { trouble::holder(&world).await.0 } else { 0 };
        world.show(node, false);
        world.nodes[node].kill().await;
        let killed = Instant::now();
        if is_server() {
            until("the step runs elsewhere", || asked(&world, 2)).await;
            // The lease, a heartbeat's length for the second look, and the looks themselves: 75 s with the usual ones.
            let most = lease + heartbeat + Duration::from_secs(5);
            judge(&format!("a dead node's step runs again (lease {} s)", lease.as_secs()), killed.elapsed(), most);
        } else {
            world.nodes[0].start().await;
            until("the step runs again", || asked(&world, 2)).await;
            judge("a step runs again after the start", killed.elapsed(), Duration::from_secs(2));
        }
        world.outside.gate.send_replace(true);
        world.told(2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_program_is_gone() {
    // Nobody else's.
    let seconds = format!("86399.{}", std::process::id());
    let program = format!("exec.sleep.argv = [\"sleep\", \"{seconds}\"]\nexec.sleep.timeout = \"1d\"");
    for (lease, heartbeat) in settings() {
        let one = World::with(1, None, lease, heartbeat, |_| program.clone()).await;
        judge("cancelled on the same node", cancelled(&one, &seconds).await, Duration::from_secs(1));
        drop(one);
        if is_server() {
            let roles = |node| format!("{program}\nserver.role = \"{}\"", ["api", "worker"][node]);
            let two = World::with(2, None, lease, heartbeat, roles).await;
            let row = format!("cancelled on another node (heartbeat {} s)", heartbeat.as_secs_f64());
            judge(&row, cancelled(&two, &seconds).await, Duration::from_secs(12));
        }
    }
}

/// Cancels a task at the first node when its program runs; how long the program stays.
async fn cancelled(world: &World, seconds: &str) -> Duration {
    let node = &world.nodes[0];
    let post = async |path: &str, body| {
        let answer = node.http.post(format!("{}{path}", node.url)).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json::<serde_json::Value>().await.unwrap()
    };
    let sleep = json!({ "dsl": 1, "name": "sleep", "steps": { "sleep": { "use": "exec:sleep" } }, "output": {} });
    post("/api/workflows", sleep).await;
    let task = post("/api/tasks", json!({ "workflow": "sleep" })).await;
    until("the program runs", || !processes(Path::new(seconds)).is_empty()).await;
    let begun = Instant::now();
    post(&format!("/api/tasks/{}/cancel", task["id"]), json!({})).await;
    until("the program is gone", || processes(Path::new(seconds)).is_empty()).await;
    begun.elapsed()
}
