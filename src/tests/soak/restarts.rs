//! The database's server dies and starts again, every 5 to 40 seconds, while tasks come in and end.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use super::{
    people::Wanted,
    table::{database, number, say},
    verdict::{Facts, Verdict},
    world::World,
};
use crate::support::is_server;

/// Between two deaths, in seconds.
const APART: std::ops::RangeInclusive<u64> = 5..=40;
/// So many deaths, and whatever has not ended by then never will.
const MANY: usize = 200;
/// Tasks that may be under way.
const UNDER_WAY: usize = 400;
/// Lines that nodes may log in a second, all of them together.
const LINES: f64 = 20.0;

/// Needs `TRAWL_TEST_RESTART` of `scripts/with_databases.sh`, and `TRAWL_SOAK_RESTARTS` for how many tasks: a server of its own,
/// because other tests would lose theirs.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_the_server_dies_again_and_again() {
    let tasks = number("TRAWL_SOAK_RESTARTS", 0);
    let Some(restart) = std::env::var_os("TRAWL_TEST_RESTART").filter(|_| is_server() && tasks > 0) else { return };
    let mut world = World::begin(4, None).await;
    let wanted = Wanted::all(&world.outside, tasks);
    let begun = Instant::now();
    let mut random = StdRng::seed_from_u64(number("TRAWL_SOAK_SEED", 1) as u64);
    let mut deaths = 0;
    let told = |world: &World| world.outside.calls.borrow().of.len();
    while told(&world) < tasks && deaths < MANY {
        // Not all at once: there has to be work at each death.
        wanted.release(tasks.min(told(&world) + UNDER_WAY));
        sleep(Duration::from_secs(random.random_range(APART))).await;
        let done = Command::new(&restart).arg(database()).status().await.unwrap();
        assert!(done.success(), "{} does not start again", database());
        deaths += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let lines: usize = world.nodes.iter().map(|node| node.log().lines().count()).sum();
    let accepted = wanted.accepted().await;
    world.end().await;
    let Verdict { lost, twice, left } = Facts::gather(&world, accepted).await.judge();
    let done = format!("{deaths} restarts in {seconds:.0} s, {} lost, {} twice", lost.len(), twice.len());
    let is_sound = lost.is_empty() && twice.is_empty() && left.is_empty();
    say("the server dies and starts again", &format!("{tasks} tasks, 0 lost, 0 twice"), &done, is_sound);
    assert!(is_sound, "{lost:#?}\n{twice:#?}\n{left:#?}");
    assert!((lines as f64) < seconds * LINES, "{lines} lines in {seconds} s");
}
