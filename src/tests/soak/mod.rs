//! Nodes that are killed and stopped while they work: nothing is lost, and nothing is finished twice.
//!
//! The real binary, several of it where the database is a server, a receiver, a web site, and tasks that come in over the
//! API of whichever node answers. The verdict comes from the final database and the receiver's log. `TRAWL_SOAK_TASKS`,
//! `TRAWL_SOAK_KILLS`, `TRAWL_SOAK_STOPS` and `TRAWL_SOAK_SEED` say how much; `TRAWL_SOAK_FULL=1` measures times with the
//! settings that trawl comes with, too. What was measured is added to the file `TRAWL_SOAK_TABLE`.

mod outside;
mod people;
mod restarts;
mod table;
mod times;
mod trouble;
mod verdict;
mod world;

use std::time::{Duration, Instant};

use self::{
    people::Wanted,
    table::{is_full, number, say},
    trouble::Plan,
    verdict::{Facts, Verdict},
    world::World,
};
use crate::support::is_server;

/// How long a node's claims hold in these tests. Two cores have to carry four nodes that are not optimised.
const LEASE: Duration = Duration::from_secs(2);
/// So many tries may nodes need that can finish something twice: a zombie may be told of its loss before it writes.
const ZOMBIES: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_is_finished_twice() {
    let plan = Plan {
        tasks: number("TRAWL_SOAK_TASKS", 500),
        kills: number("TRAWL_SOAK_KILLS", 20),
        stops: number("TRAWL_SOAK_STOPS", 2),
        seed: number("TRAWL_SOAK_SEED", 1) as u64,
        harsh: is_full(),
    };
    let begun = Instant::now();
    let mut world = World::begin(if is_server() { 4 } else { 1 }, None).await;
    let wanted = Wanted::all(&world.outside, plan.tasks);
    let told = trouble::run(&mut world, &plan, &wanted).await;
    let worked = begun.elapsed();
    let accepted = wanted.accepted().await;
    world.end().await;
    let Verdict { lost, twice, left } = Facts::gather(&world, accepted).await.judge();

    println!("{told}; {} s of work, {} s in all", worked.as_secs(), begun.elapsed().as_secs());
    let asked = format!("{} kills, {} stops, {} tasks", plan.kills, plan.stops, plan.tasks);
    say("killed and stopped", &asked, &told.done(), told.kills == plan.kills && told.stops == plan.stops);
    say("lost", "0", &lost.len().to_string(), lost.is_empty());
    say("finished twice", "0", &twice.len().to_string(), twice.is_empty());
    say("left behind", "0", &left.len().to_string(), left.is_empty());
    if let Some(objects) = world.objects() {
        let clips = wanted.clips();
        say("clips in a bucket with S3's API", &format!("≥ {clips}"), &objects.to_string(), objects >= clips);
        assert!(objects >= clips, "{objects} files of {clips} clips");
    }
    if is_server() {
        say("stale writes refused", "> 0", &told.stale.to_string(), told.stale > 0 || plan.stops == 0);
    } else {
        let checked = world.integrity().await;
        say("integrity check", "ok", checked.as_ref().err().map_or("ok", String::as_str), checked.is_ok());
    }
    assert!(lost.is_empty() && twice.is_empty() && left.is_empty(), "{lost:#?}\n{twice:#?}\n{left:#?}");
    assert!(!is_server() || told.stale > 0 || plan.stops == 0, "no zombie has tried to write: {told}");
}

/// Without the fence the same verdict finds what is finished twice, so it can be believed when it finds nothing.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_fence_the_verdict_is_red() {
    if !is_server() {
        // A single process has nobody who takes its work over while it lives.
        return;
    }
    let mut world = World::begin(2, Some("store::unfenced=return")).await;
    let wanted = Wanted::some(&world.outside, ZOMBIES * 24);
    let mut twice = Vec::new();
    for zombie in 1..=ZOMBIES {
        wanted.release(zombie * 24);
        trouble::stop_one(&mut world, is_full()).await;
        twice = Facts::so_far(&world).await.judge().twice;
        if !twice.is_empty() {
            break;
        }
    }
    say("negative control: fence off", "red", if twice.is_empty() { "green" } else { "red" }, !twice.is_empty());
    assert!(!twice.is_empty(), "{ZOMBIES} zombies have written what they liked, and the verdict does not see it");
}
