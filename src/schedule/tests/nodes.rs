//! Several schedulers, restarts and a clock that jumps: each time makes one task, and none is lost.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// No look is earlier: a clock that is put back behind the first time lets times before it come.
const FIRST: i64 = START - HOUR / 2;

#[derive(Clone, Debug)]
enum Act {
    /// The clock moves by so many minutes, forwards or backwards.
    Jump(i64),
    /// A node looks.
    Look(usize),
    /// Both look at the same time.
    Both,
    /// A node starts anew.
    Restart(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (-150i64..400).prop_map(Act::Jump),
        3 => (0..2usize).prop_map(Act::Look),
        2 => Just(Act::Both),
        1 => (0..2usize).prop_map(Act::Restart),
    ]
}

async fn play(acts: Vec<Act>, jitter_ms: i64) {
    let bench = Bench::new().await;
    let id = bench.hourly(|_| ()).await;
    let jitter = fires::Jitter { schedule: id, most_ms: jitter_ms };
    let tx = bench.store().begin().await.unwrap();
    let schedule = bench.schedule(id).await;
    tx.change_schedule(&Schedule { jitter_ms, next_at: Some(jitter.of(START)), ..schedule }).await.unwrap();
    tx.commit().await.unwrap();
    let mut nodes = [bench.another(), bench.another()];
    let (mut now, mut latest) = (FIRST, FIRST);
    for act in acts {
        match act {
            Act::Jump(minutes) => now = FIRST.max(now + minutes * 60_000),
            Act::Look(node) => nodes[node].look(now).await.unwrap(),
            Act::Both => {
                let (one, other) = tokio::join!(nodes[0].look(now), nodes[1].look(now));
                one.and(other).unwrap();
            }
            Act::Restart(node) => nodes[node] = bench.another(),
        }
        if matches!(act, Act::Look(_) | Act::Both) {
            latest = latest.max(now);
        }
    }
    let fires = bench.all(id).await;
    let times: BTreeSet<i64> = fires.iter().map(|fire| fire.fire_at.timestamp_millis()).collect();
    let all: BTreeSet<i64> = (0..)
        .map(|hour| START + hour * HOUR)
        .take_while(|time| *time <= latest)
        .filter(|time| jitter.of(*time) <= latest)
        .collect();
    let lost: Vec<_> = all.difference(&times).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    assert_eq!(times, all, "fired before its time");
    let tasks: BTreeSet<_> = fires.iter().filter_map(|fire| fire.task_id).collect();
    assert_eq!((fires.len(), tasks.len(), bench.tasks().await.len()), (all.len(), all.len(), all.len()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn each_time_makes_one_task(acts in prop::collection::vec(act(), 1..30), jitter_ms in prop_oneof![Just(0), 1..HOUR]) {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(play(acts, jitter_ms));
    }
}
