//! Which times of a schedule fire now, which were missed, and which is next. Pure: the time is an argument.

use sha2::{Digest, Sha256};

use crate::{
    domain::{Catchup, ScheduleId},
    workflow::cron::Cron,
};

/// The most times that are made up for at once; of more, the newest are.
pub const MOST: usize = 100;
/// A time that is seen no later than this is on time: whoever looks at the clock looks at least once a minute.
pub const GRACE_MS: i64 = 90_000;
const HOUR_MS: i64 = 60 * 60 * 1000;

/// What chance adds to a schedule's times: always the same to one time, whoever asks and after whatever restart.
#[derive(Clone, Copy, Debug)]
pub struct Jitter {
    /// Whose times they are.
    pub schedule: ScheduleId,
    /// The most that is added, in milliseconds.
    pub most_ms: i64,
}

impl Jitter {
    /// Whether a time that is seen at `now` is on time: it was not made to wait for a scheduler.
    pub fn is_on_time(self, fire_at: i64, now: i64) -> bool {
        now - self.of(fire_at) <= GRACE_MS
    }

    /// When a time fires.
    pub fn of(self, fire_at: i64) -> i64 {
        if self.most_ms <= 0 {
            return fire_at;
        }
        let hash = Sha256::digest(format!("{}:{fire_at}", self.schedule));
        let chance = hash.iter().take(6).fold(0i64, |number, byte| (number << 8) | i64::from(*byte));
        fire_at.saturating_add(chance % (self.most_ms + 1))
    }
}

/// What is to be done now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The times that fire, the oldest first.
    pub fires: Vec<i64>,
    /// The newest of the times that were missed and are not made up for.
    pub missed: Option<i64>,
    /// The time that is next; none when there is none.
    pub next: Option<i64>,
}

/// What is to be done at `now` when `next` was to fire next.
pub fn due(cron: &Cron, jitter: Jitter, next: i64, now: i64, catchup: Catchup) -> Due {
    if jitter.of(next) > now {
        return Due { next: Some(next), ..Due::default() };
    }
    let mut times = newest(cron, next, now, MOST + 2);
    // What chance puts off is not due yet.
    while times.last().is_some_and(|last| jitter.of(*last) > now) {
        times.pop();
    }
    // A time from before the clock or the pattern was changed is still one.
    if times.is_empty() {
        times.push(next);
    }
    let last = times[times.len() - 1];
    let is_on_time = jitter.is_on_time(last, now);
    let made_up = match catchup {
        Catchup::All => times.len().min(MOST),
        Catchup::Latest => 1,
        Catchup::None => usize::from(is_on_time),
    };
    let fires = times.split_off(times.len() - made_up);
    Due { fires, missed: times.pop(), next: cron.next_after(last) }
}

/// The time that is next as the clock stands now. A clock that was ahead for a while has moved `next` ahead with it: times
/// that come again are looked at again, and whatever fired at them then is not done twice.
pub fn next_from(cron: &Cron, next: Option<i64>, since: i64) -> Option<i64> {
    let soonest = cron.next_after(since);
    next.into_iter().chain(soonest).min()
}

/// The shortest time between two of the next times, in milliseconds.
pub fn shortest_gap(cron: &Cron, now: i64) -> Option<i64> {
    let times = cron.times_after(now, 200);
    times.windows(2).map(|pair| pair[1] - pair[0]).min()
}

/// The newest times from `from` to `to`, both included, at most so many; the oldest first. However long that span is, few
/// more are looked at: it grows backwards until there are enough.
fn newest(cron: &Cron, from: i64, to: i64, most: usize) -> Vec<i64> {
    for hours in [1, 24, 31 * 24, 366 * 24, i64::MAX / HOUR_MS] {
        let since = from.max(to.saturating_sub(hours * HOUR_MS));
        let first = cron.next_after(since - 1);
        let within = std::iter::successors(first, |last| cron.next_after(*last)).take_while(|time| *time <= to);
        let mut times: Vec<i64> = within.collect();
        if times.len() >= most || since == from {
            times.drain(..times.len().saturating_sub(most));
            return times;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000;
    /// 2026-11-20T00:00:00Z.
    const DAY: i64 = 1_795_132_800_000;
    const PLAIN: Jitter = Jitter { schedule: ScheduleId(1), most_ms: 0 };

    fn hourly() -> Cron {
        Cron::parse("0 * * * *", "UTC").unwrap()
    }

    #[track_caller]
    fn check(catchup: Catchup, hours_late: i64, fires: &[i64], missed: Option<i64>) {
        let at = |hour: i64| DAY + hour * HOUR_MS;
        let due = due(&hourly(), PLAIN, DAY, DAY + hours_late * HOUR_MS + 30 * MINUTE, catchup);
        let fires = fires.iter().copied().map(at).collect();
        assert_eq!(due, Due { fires, missed: missed.map(at), next: Some(at(hours_late + 1)) }, "{catchup}");
    }

    #[test]
    fn what_was_missed_is_made_up_for_as_wished() {
        check(Catchup::All, 3, &[0, 1, 2, 3], None);
        check(Catchup::Latest, 3, &[3], Some(2));
        check(Catchup::None, 3, &[], Some(3));
        check(Catchup::Latest, 0, &[0], None);
    }

    #[test]
    fn what_is_seen_in_time_was_not_missed() {
        for catchup in Catchup::ALL {
            let due = due(&hourly(), PLAIN, DAY, DAY + MINUTE, *catchup);
            assert_eq!(due, Due { fires: vec![DAY], missed: None, next: Some(DAY + HOUR_MS) });
        }
        assert_eq!(due(&hourly(), PLAIN, DAY, DAY - 1, Catchup::All), Due { next: Some(DAY), ..Due::default() });
    }

    #[test]
    fn years_of_minutes_are_bounded() {
        let every_minute = Cron::parse("* * * * *", "Europe/Berlin").unwrap();
        let now = DAY + 10 * 366 * 24 * HOUR_MS;
        let due = due(&every_minute, PLAIN, DAY, now, Catchup::All);
        assert_eq!(
            (due.fires.len(), due.fires.first(), due.fires.last()),
            (MOST, Some(&(now - 99 * MINUTE)), Some(&now))
        );
        assert_eq!((due.missed, due.next), (Some(now - 100 * MINUTE), Some(now + MINUTE)));
        let yearly = Cron::parse("0 0 1 1 *", "UTC").unwrap();
        assert_eq!(super::due(&yearly, PLAIN, DAY, now, Catchup::All).fires.len(), 10);
    }

    #[test]
    fn a_clock_that_was_ahead_hides_nothing() {
        let ahead = DAY + 1_000 * HOUR_MS;
        assert_eq!(next_from(&hourly(), Some(ahead), DAY + MINUTE), Some(DAY + HOUR_MS));
        assert_eq!(next_from(&hourly(), Some(DAY), DAY + MINUTE), Some(DAY));
    }

    proptest! {
        #[test]
        fn chance_is_bounded_and_always_the_same(id in 1i64.., fire_at in 0..DAY * 2, most_ms in 0..HOUR_MS) {
            let jitter = Jitter { schedule: ScheduleId(id), most_ms };
            let at = jitter.of(fire_at);
            prop_assert!((fire_at..=fire_at + most_ms).contains(&at));
            prop_assert_eq!(at, jitter.of(fire_at));
        }

        #[test]
        fn looking_often_or_seldom_finds_each_time_once(
            looks in prop::collection::vec(1..5 * HOUR_MS, 1..40), most_ms in 0..HOUR_MS,
        ) {
            let (cron, jitter) = (hourly(), Jitter { schedule: ScheduleId(7), most_ms });
            let (mut now, mut next, mut found) = (DAY, DAY, Vec::new());
            for wait in looks {
                now += wait;
                let due = due(&cron, jitter, next, now, Catchup::All);
                prop_assert!(due.missed.is_none());
                found.extend(due.fires);
                next = due.next.unwrap();
            }
            let all: Vec<i64> = (0..).map(|hour| DAY + hour * HOUR_MS).take_while(|time| jitter.of(*time) <= now).collect();
            prop_assert_eq!(found, all);
        }
    }
}
