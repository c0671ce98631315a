//! Whether this process may still act for what it has claimed: how long ago the database last took its heartbeat.
//!
//! A lease says when others may take work over, by the database's clock. A process that does not hear from the database
//! cannot know whether they have, so after three quarters of a lease it lets nothing happen any more that somebody outside
//! could see twice; the last quarter is for what is on its way and for clocks that differ. Times are monotonic.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// How often it is said at most that the database does not answer: whoever works on it finds out by itself.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// How long ago the database last took a heartbeat, and when it last refused something.
pub struct Pulse {
    last: watch::Sender<Instant>,
    patience: Duration,
    trouble: Mutex<Trouble>,
}

#[derive(Default)]
struct Trouble {
    last: Option<Instant>,
    told: Option<Instant>,
}

impl Pulse {
    /// The pulse of a process whose claims hold for `lease`.
    pub(super) fn new(lease: Duration) -> Self {
        Self { last: watch::Sender::new(Instant::now()), patience: lease * 3 / 4, trouble: Mutex::default() }
    }

    /// The database has taken a heartbeat that was sent at `sent`, or later.
    pub fn beat(&self, sent: Instant) {
        self.last.send_if_modified(|last| {
            let is_later = sent > *last;
            *last = sent.max(*last);
            is_later
        });
    }

    /// Whether claims are sure to be this process's still.
    pub fn is_sure(&self) -> bool {
        self.last.borrow().elapsed() < self.patience
    }

    /// Whether the database has taken a heartbeat that was sent after `since`.
    pub fn has_beaten_since(&self, since: Instant) -> bool {
        *self.last.borrow() > since
    }

    /// Waits until claims are not sure to be this process's any more.
    pub async fn lost(&self) {
        let mut beats = self.last.subscribe();
        loop {
            let end = *beats.borrow_and_update() + self.patience;
            let mut sleep = pin!(sleep_until(end));
            // A process that was stopped for a while learns it from the clock, before its timers have caught up.
            let over = poll_fn(|context| match Instant::now() >= end {
                true => Poll::Ready(()),
                false => sleep.as_mut().poll(context),
            });
            tokio::select! {
                biased;
                () = over => if !self.is_sure() { return },
                // The sender lives as long as this does.
                _ = beats.changed() => {}
            }
        }
    }

    /// Does what others can see, as long as claims are sure to be this process's; none when they are not. What had been
    /// begun then is dropped where it waits.
    pub async fn while_sure<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.lost() => None,
            done = work => Some(done),
        }
    }

    /// The database has refused something, or did not answer. Whether that is news worth a line in the log.
    pub fn trouble(&self) -> bool {
        let (mut trouble, now) = (self.trouble.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
        trouble.last = Some(now);
        let is_news = trouble.told.is_none_or(|told| now - told >= TELL_EVERY);
        if is_news {
            trouble.told = Some(now);
        }
        is_news
    }

    /// When there was trouble last.
    pub(super) fn last_trouble(&self) -> Option<Instant> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).last
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;

    const LEASE: Duration = Duration::from_secs(60);
    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn after_three_quarters_of_a_lease_nothing_is_sure() {
        let pulse = Pulse::new(LEASE);
        advance(44 * SECOND).await;
        assert!(pulse.is_sure() && pulse.lost().now_or_never().is_none());
        let sent = Instant::now();
        advance(SECOND / 2).await;
        pulse.beat(sent);
        // An answer that comes late tells of the time when its question was asked.
        pulse.beat(sent - 20 * SECOND);
        advance(44 * SECOND).await;
        assert!(pulse.is_sure());
        advance(SECOND).await;
        assert!(!pulse.is_sure() && pulse.lost().now_or_never().is_some());
        pulse.beat(Instant::now());
        assert!(pulse.is_sure() && pulse.lost().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_can_see_is_cut_off_and_goes_on_only_after_a_beat() {
        let pulse = Pulse::new(LEASE);
        let begun = Instant::now();
        let beats = async {
            for _ in 0..6 {
                tokio::time::sleep(10 * SECOND).await;
                pulse.beat(Instant::now());
            }
        };
        let (cut, ()) = tokio::join!(pulse.while_sure(pending::<()>()), beats);
        assert_eq!((cut, begun.elapsed()), (None, 105 * SECOND), "60 s with a pulse, and 45 s without");
        assert_eq!(pulse.while_sure(async { "sent" }).await, None);
        pulse.beat(Instant::now());
        assert_eq!(pulse.while_sure(async { "sent" }).await, Some("sent"));
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_is_told_now_and_then() {
        let pulse = Pulse::new(LEASE);
        assert!(pulse.last_trouble().is_none() && pulse.trouble() && !pulse.trouble());
        advance(TELL_EVERY - SECOND).await;
        assert!(!pulse.trouble());
        advance(SECOND).await;
        assert!(pulse.trouble());
        assert_eq!(pulse.last_trouble(), Some(Instant::now()));
    }
}
