//! Which lapsed leases were left behind. Pure: what was seen and the time go in.
//!
//! That a lease is over is no proof: its holder may be about to renew it, the database may have been away for everybody,
//! a clock may have been put forward. So a lease counts when it was seen to be over twice, a while apart, and not at all
//! for a lease's length after there was trouble.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::store::Lapsed;

/// By how much the database's clock and the monotonic one may differ between two looks, in milliseconds.
const STEP_MS: i64 = 2_000;

/// What is known of lapsed leases from earlier looks.
#[derive(Debug)]
pub struct Reaper {
    seen: HashMap<Lapsed, Instant>,
    /// Nothing is believed before.
    rests_until: Instant,
    clock: Option<Look>,
    /// By how many milliseconds the database's clock was put back, as far as nobody has seen to it yet.
    pub(super) put_back: i64,
}

/// When a look was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// When it was asked.
    pub asked: Instant,
    /// When the answer was there.
    pub answered: Instant,
    /// The database's time of the answer, in milliseconds since 1970.
    pub told: i64,
}

impl Reaper {
    /// One that believes nothing for so long.
    pub fn new(rest: Duration) -> Self {
        Self { seen: HashMap::new(), rests_until: Instant::now() + rest, clock: None, put_back: 0 }
    }

    /// What of `lapsed` was left behind, as it was found at `look`: what was seen before at least `apart` ago. After the
    /// last trouble, and after a step of the clock, it rests for a `lease`.
    pub(super) fn left_behind(
        &mut self,
        look: Look,
        lapsed: impl IntoIterator<Item = Lapsed>,
        trouble: Option<Instant>,
        (apart, lease): (Duration, Duration),
    ) -> Vec<Lapsed> {
        if let Some(ms) = self.clock.replace(look).and_then(|before| step(before, look)) {
            tracing::warn!(ahead_ms = ms, "the database's clock was set; leases are not looked at for a while");
            self.put_back += (-ms).max(0);
            self.rests_until = self.rests_until.max(look.answered + lease);
        }
        if let Some(trouble) = trouble {
            self.rests_until = self.rests_until.max(trouble + lease);
        }
        let before = std::mem::take(&mut self.seen);
        if look.answered < self.rests_until {
            return Vec::new();
        }
        let mut left = Vec::new();
        for lease in lapsed {
            let first = before.get(&lease).copied().unwrap_or(look.answered);
            if before.contains_key(&lease) && look.answered - first >= apart {
                left.push(lease);
            } else {
                self.seen.insert(lease, first);
            }
        }
        left
    }
}

/// By how many milliseconds the database's clock was set between two looks, if it was.
fn step(before: Look, now: Look) -> Option<i64> {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let told = now.told - before.told;
    // Each time was read somewhere between the question and the answer.
    let (least, most) = (ms(now.asked - before.answered), ms(now.answered - before.asked));
    (told < least - STEP_MS || told > most + STEP_MS).then_some(told - most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RULE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));

    struct Bench {
        start: Instant,
        reaper: Reaper,
        trouble: Option<Instant>,
        /// By how many milliseconds the database's clock is ahead.
        ahead: i64,
    }

    impl Bench {
        fn new() -> Self {
            let reaper = Reaper::new(Duration::ZERO);
            Self { start: Instant::now(), reaper, trouble: None, ahead: 0 }
        }

        /// What is taken of these leases so many seconds after the start.
        fn look(&mut self, at: u32, lapsed: &[(&str, i64)]) -> Vec<String> {
            let answered = self.start + SECOND * at;
            let look = Look { asked: answered, answered, told: i64::from(at) * 1000 + self.ahead };
            let lapsed =
                lapsed.iter().map(|(id, until)| Lapsed { id: (*id).to_owned(), token: 1, until: Some(*until) });
            let left = self.reaper.left_behind(look, lapsed, self.trouble, RULE);
            left.into_iter().map(|lease| lease.id).collect()
        }
    }

    #[test]
    fn a_lease_counts_when_it_was_seen_twice() {
        let mut bench = Bench::new();
        assert!(bench.look(0, &[("a", 1)]).is_empty());
        assert!(bench.look(4, &[("a", 1), ("b", 1)]).is_empty());
        assert!(bench.look(8, &[("a", 1), ("b", 1)]).is_empty());
        assert_eq!(bench.look(10, &[("a", 1), ("b", 1)]), ["a"]);
        // Renewed once and over again: that is another one.
        assert!(bench.look(14, &[("b", 2)]).is_empty());
        assert!(bench.look(20, &[]).is_empty());
        assert!(bench.look(30, &[("b", 2)]).is_empty());
        assert_eq!(bench.look(40, &[("b", 2)]), ["b"]);
    }

    #[test]
    fn after_trouble_nothing_is_taken_for_a_lease() {
        let mut bench = Bench::new();
        assert!(bench.look(0, &[("a", 1)]).is_empty());
        bench.trouble = Some(bench.start + SECOND * 5);
        for at in [10, 30, 64] {
            assert!(bench.look(at, &[("a", 1)]).is_empty(), "{at}");
        }
        assert!(bench.look(65, &[("a", 1)]).is_empty(), "what was seen before the rest does not count");
        assert_eq!(bench.look(75, &[("a", 1)]), ["a"]);
    }

    #[test]
    fn a_clock_that_is_set_makes_no_mass_of_orphans() {
        for step in [3_600_000, -3_600_000, 86_400_000] {
            let mut bench = Bench::new();
            assert!(bench.look(0, &[]).is_empty());
            bench.ahead = step;
            for at in [2, 12, 60] {
                assert!(bench.look(at, &[("a", 1)]).is_empty(), "{step}: {at}");
            }
            assert!(bench.look(62, &[("a", 1)]).is_empty());
            assert_eq!(bench.look(72, &[("a", 1)]), ["a"]);
            assert_eq!(bench.reaper.put_back, (-step).max(0));
        }
        // A clock that is only being corrected is none.
        let mut bench = Bench::new();
        bench.look(0, &[("a", 1)]);
        bench.ahead = 1_500;
        assert_eq!(bench.look(10, &[("a", 1)]), ["a"]);
    }

    #[test]
    fn an_answer_that_took_its_time_is_no_step() {
        let mut bench = Bench::new();
        bench.look(0, &[]);
        let asked = bench.start + SECOND * 2;
        let slow = Look { asked, answered: asked + SECOND * 8, told: 9_500 };
        bench.reaper.left_behind(slow, [], None, RULE);
        let lapsed = [("a", 1)];
        assert!(bench.look(12, &lapsed).is_empty());
        assert_eq!(bench.look(22, &lapsed), ["a"]);
    }

    #[test]
    fn a_new_one_may_have_to_rest_first() {
        let mut bench = Bench::new();
        bench.reaper = Reaper::new(SECOND * 30);
        bench.start = Instant::now();
        for at in [0, 15, 29] {
            assert!(bench.look(at, &[("a", 1)]).is_empty());
        }
        assert!(bench.look(31, &[("a", 1)]).is_empty());
        assert_eq!(bench.look(41, &[("a", 1)]), ["a"]);
    }
}
