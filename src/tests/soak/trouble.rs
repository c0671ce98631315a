//! What happens to the nodes: SIGKILL and a new start, or SIGSTOP for two leases.

use std::{fmt, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use tokio::time::{Instant, interval, sleep_until, timeout};

use super::{LEASE, people::Wanted, table::note, world::World};
use crate::support::signal;

/// Every so many troubles it is told how far everything is.
const NEWS: usize = 25;
/// How often is looked for something that nobody tells.
const LOOK: Duration = Duration::from_millis(20);
/// How long a turn to write takes at most where nobody is stopped.
const TURN: Duration = Duration::from_millis(500);
/// The longest wait for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a node that goes on again has to find out what it has lost.
const FINDS_OUT: Duration = Duration::from_secs(10);

/// How much is to happen while how much is done.
pub struct Plan {
    /// Tasks.
    pub tasks: usize,
    /// SIGKILLs.
    pub kills: usize,
    /// SIGSTOPs for two leases.
    pub stops: usize,
    /// What chooses nodes and moments.
    pub seed: u64,
    /// Whether nodes may be stopped in the middle of a transaction. All others wait for its end then, until the server
    /// closes it after ten seconds.
    pub harsh: bool,
}

/// What has happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// SIGKILLs.
    pub kills: usize,
    /// SIGSTOPs.
    pub stops: usize,
    /// Writes of stopped nodes that were refused.
    pub stale: u64,
    /// The longest start after a kill.
    pub start: Duration,
}

impl Told {
    /// In the words of the table.
    pub fn done(&self) -> String {
        format!("{} kills, {} stops", self.kills, self.stops)
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, stops, stale, start } = self;
        write!(f, "{kills} kills, {stops} stops, {stale} stale writes; the longest start took {} ms", start.as_millis())
    }
}

#[derive(Clone, Copy)]
enum Trouble {
    Kill,
    Stop,
}

/// Lets everything happen while the wanted tasks come in and end: each trouble has its share of them.
pub async fn run(world: &mut World, plan: &Plan, wanted: &Wanted) -> Told {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut troubles = vec![Trouble::Kill; plan.kills];
    troubles.extend(vec![Trouble::Stop; plan.stops]);
    troubles.shuffle(&mut random);
    let mut told = Told::default();
    let share = plan.tasks / (troubles.len() + 1);
    assert!(share >= 8, "some of each share have to wait at the gate; {} tasks are too few", plan.tasks);
    for (turn, trouble) in troubles.into_iter().enumerate() {
        if turn % NEWS == NEWS - 1 {
            note(&format!("{told}; {} tasks have ended", world.outside.calls.borrow().of.len()));
        }
        let is_stop = matches!(trouble, Trouble::Stop);
        if is_stop {
            world.outside.gate.send_replace(false);
        }
        wanted.release(plan.tasks.min(share * (turn + 1)));
        if is_stop {
            told.stale += stop_one(world, plan.harsh).await;
            told.stops += 1;
        } else {
            let some = random.random_range(0..share);
            world.told((share * turn + some).min(plan.tasks) * 9 / 10).await;
            let node = random.random_range(0..world.nodes.len());
            told.start = told.start.max(kill(world, node).await);
            told.kills += 1;
        }
    }
    wanted.release(wanted.count());
    world.told(plan.tasks).await;
    told
}

/// Kills a node and starts it again; how long the start took.
async fn kill(world: &mut World, node: usize) -> Duration {
    world.show(node, false);
    world.nodes[node].kill().await;
    let begun = Instant::now();
    world.nodes[node].start().await;
    world.show(node, true);
    begun.elapsed()
}

/// Stops a node that has work in hand for two leases, and lets it go on. Returns how many of its writes were refused
/// then. Where the node is the only one, nothing can be taken from it.
pub async fn stop_one(world: &mut World, harsh: bool) -> u64 {
    // What waits at the gate is in the hands of some node.
    world.outside.gate.send_replace(false);
    let (node, id) = if world.store.is_some() { holder(world).await } else { (0, String::new()) };
    let before = world.stale(node).await;
    let pid = i32::try_from(world.nodes[node].pid()).unwrap();
    world.show(node, false);
    signal(pid, libc::SIGSTOP);
    while !harsh && !others_write(world, TURN).await {
        signal(pid, libc::SIGCONT);
        others_write(world, PATIENCE).await;
        signal(pid, libc::SIGSTOP);
    }
    let stopped = Instant::now();
    world.outside.gate.send_replace(true);
    sleep_until(stopped + LEASE * 2).await;
    until_taken(world, &id).await;
    signal(pid, libc::SIGCONT);
    let mut stale = 0;
    if world.store.is_some() {
        let found_out = async {
            let mut looks = interval(LOOK);
            while stale == 0 {
                looks.tick().await;
                stale = world.stale(node).await - before;
            }
        };
        let _ = timeout(FINDS_OUT, found_out).await;
    }
    world.show(node, true);
    stale
}

/// Whether others than the nodes come to write within this time.
async fn others_write(world: &World, within: Duration) -> bool {
    let Some(store) = &world.store else { return true };
    timeout(within, store.begin()).await.is_ok_and(|begun| begun.is_ok())
}

/// Waits until others have taken everything that a node has.
async fn until_taken(world: &World, id: &str) {
    let Some(store) = &world.store else { return };
    let looking = async {
        let mut looks = interval(LOOK);
        while store.running(None, 10_000).await.unwrap().iter().any(|step| step.node == id) {
            looks.tick().await;
        }
    };
    timeout(PATIENCE, looking).await.expect("nobody takes over what a stopped node has")
}

/// A node that works on something that waits at the gate: its number and its id.
pub async fn holder(world: &World) -> (usize, String) {
    let store = world.store.as_ref().unwrap();
    let looking = async {
        let mut looks = interval(LOOK);
        loop {
            looks.tick().await;
            let running = store.running(None, 10_000).await.unwrap();
            for step in running.into_iter().filter(|step| step.key == "held") {
                if let Some(node) = world.number_of(&step.node).await {
                    return (node, step.node);
                }
            }
        }
    };
    timeout(PATIENCE, looking).await.expect("nothing waits at the gate")
}
