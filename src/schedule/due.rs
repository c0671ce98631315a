//! Firing: from the times that are due to rows and tasks.

use super::{
    Scheduler, cron,
    fires::{self, Jitter},
    is_for_good, settle, submission,
};
use crate::{
    domain::{Fire, FireState, Overlap, Schedule, ScheduleId, SourceState},
    error::{Class, Code, Error, Result, guarded},
    fault,
    intake::{self, Checked},
    store::{FireEnd, Tx},
};

/// So many schedules are read at once.
const AT_ONCE: u64 = 100;

/// A time that fires.
struct Time {
    fire_at: i64,
    /// Whether it had passed before anybody saw it.
    is_late: bool,
}

/// What a fire of a schedule does.
pub(super) enum Ready {
    /// It makes this task.
    Task(Box<Checked>),
    /// It polls the source.
    Poll,
    /// Nothing, for a reason that is no failure.
    Pass(String),
    /// It cannot.
    Refused(Error),
}

impl Scheduler {
    /// Fires what is due by `now`. One that fails keeps no other from firing; what failed for a reason that may pass is
    /// due at the next look.
    pub(super) async fn fire_due(&self, now: i64) -> Result<()> {
        loop {
            let due = self.store().due_schedules(now, AT_ONCE).await?;
            if due.is_empty() {
                return Ok(());
            }
            let mut result = Ok(());
            for (id, schedule) in due {
                let fired = match schedule {
                    Ok(schedule) => guarded(self.fire(schedule, now)).await,
                    Err(error) => Err(error),
                };
                let fired = match fired {
                    Err(error) if is_for_good(&error) => self.give_up(id, now, &error).await,
                    fired => fired,
                };
                result = result.and(fired);
            }
            result?;
        }
    }

    /// Fails the time of a schedule that is due and goes on to the next one, if that can be told.
    async fn give_up(&self, id: ScheduleId, now: i64, error: &Error) -> Result<()> {
        tracing::error!(schedule = %id, error = %error.chain(), "a schedule cannot fire");
        let tx = self.store().begin().await?;
        let Some(mut schedule) = tx.lock_firing(id).await? else { return Ok(()) };
        let Some(fire_at) = schedule.next_fire.filter(|_| schedule.next_at.is_some_and(|at| at <= now)) else {
            return Ok(());
        };
        let end = FireEnd { state: FireState::Failed, new_items: None, note: None, error: Some(error.report()) };
        if let Some(number) = tx.insert_fire(id, fire_at, FireState::Started, None).await? {
            settle::end(&tx, &mut schedule, number, &end).await?;
        }
        // Its pattern may be what cannot be dealt with.
        let next = std::panic::catch_unwind(|| cron(&schedule).ok().and_then(|cron| cron.next_after(now.max(fire_at))));
        schedule.next_fire = next.ok().flatten();
        let jitter = Jitter { schedule: id, most_ms: schedule.jitter_ms };
        schedule.next_at = schedule.next_fire.map(|next| jitter.of(next));
        tx.note_fire(&schedule).await?;
        tx.commit().await?;
        self.queue.wake().event();
        Ok(())
    }

    async fn fire(&self, seen: Schedule, now: i64) -> Result<()> {
        let plan = cron(&seen).map(|cron| {
            let jitter = Jitter { schedule: seen.id, most_ms: seen.jitter_ms };
            let due = fires::due(&cron, jitter, seen.next_fire.unwrap_or(now), now, seen.catchup);
            (due, jitter)
        });
        let ready = self.ready(&seen).await?;
        let tx = self.store().begin().await?;
        let Some(mut schedule) = tx.lock_schedule(seen.id).await? else { return Ok(()) };
        // Somebody else has fired or changed it: whoever looks next sees what is left to do.
        if schedule != seen {
            return Ok(());
        }
        let (due, jitter) = match plan {
            Ok(plan) => plan,
            Err(error) => {
                // Its zone is gone from the tables that this version was built with.
                tracing::error!(schedule = %seen.id, error = %error.chain(), "a schedule cannot be read and fires no more");
                (schedule.next_fire, schedule.next_at) = (None, None);
                tx.change_schedule(&schedule).await?;
                return tx.commit().await;
            }
        };
        if let Some(missed) = due.missed {
            let note = "this and any earlier times passed while nothing could fire";
            tx.insert_fire(schedule.id, missed, FireState::Missed, Some(note)).await?;
        }
        let mut polls = Vec::new();
        for fire_at in due.fires.iter().copied() {
            let time = Time { fire_at, is_late: !jitter.is_on_time(fire_at, now) };
            polls.extend(take(&tx, &mut schedule, time, &ready).await?);
        }
        schedule.next_fire = due.next;
        schedule.next_at = due.next.map(|next| jitter.of(next));
        schedule.last_fire_at = due.fires.last().copied().or(schedule.last_fire_at);
        tx.change_schedule(&schedule).await?;
        fault::point("fire::written");
        tx.commit().await?;
        fault::point("fire::committed");
        self.started(polls);
        Ok(())
    }

    /// Starts what waited for the end of the fire before.
    pub(super) async fn start_waiting(&self, waiting: &Fire) -> Result<()> {
        let Some(seen) = self.store().schedule(waiting.schedule_id).await? else { return Ok(()) };
        let ready = self.ready(&seen).await?;
        let tx = self.store().begin().await?;
        let Some(mut schedule) = tx.lock_schedule(seen.id).await? else { return Ok(()) };
        let is_still_waiting = tx.fire(waiting.id).await?.is_some_and(|fire| fire.state == FireState::Waiting);
        let is_free = tx.fire_in(schedule.id, FireState::Started).await?.is_none();
        let is_paused = schedule.paused_until.is_some_and(|until| until > tx.now());
        if schedule.wishes != seen.wishes || !is_still_waiting || !is_free || is_paused {
            return Ok(());
        }
        let polls = begin(&tx, &mut schedule, waiting.id, &ready).await?;
        tx.change_schedule(&schedule).await?;
        tx.commit().await?;
        self.started(polls.into_iter().collect());
        Ok(())
    }

    /// Fires a schedule by hand, whatever its state and whether or not the fire before has ended.
    pub async fn run_now(&self, id: ScheduleId) -> Result<Fire> {
        let seen = self.schedule(id).await?;
        let ready = self.ready(&seen).await?;
        let tx = self.store().begin().await?;
        let mut schedule = tx.lock_schedule(id).await?.ok_or_else(|| super::manage::gone(id))?;
        let number = tx
            .insert_fire(id, tx.now(), FireState::Started, Some("by hand"))
            .await?
            .ok_or_else(|| Error::new(Code::Conflict, format!("Schedule {id} fires at this very moment")))?;
        let polls = begin(&tx, &mut schedule, number, &ready).await?;
        schedule.last_fire_at = Some(tx.now());
        tx.change_schedule(&schedule).await?;
        let fire = tx.fire(number).await?;
        tx.commit().await?;
        self.started(polls.into_iter().collect());
        fire.ok_or_else(|| Error::new(Code::Internal, "The fire that was just written cannot be read"))
    }

    /// Looks again at the next time of every schedule, for times after `since`: at the start, and when the clock was put
    /// back.
    pub(super) async fn look_again(&self, since: i64) -> Result<()> {
        let mut after = ScheduleId(0);
        loop {
            let some = self.store().active_schedules(after, AT_ONCE).await?;
            let Some((last, _)) = some.last() else { return Ok(()) };
            after = *last;
            for (id, seen) in some {
                let seen = match seen {
                    Ok(seen) => seen,
                    Err(error) => {
                        tracing::error!(schedule = %id, error = %error.chain(), "a schedule is passed over");
                        continue;
                    }
                };
                let Ok(cron) = cron(&seen) else { continue };
                let since = since.max(seen.paused_until.map_or(since, |until| until - 1));
                let next = fires::next_from(&cron, seen.next_fire, since);
                if next == seen.next_fire {
                    continue;
                }
                let tx = self.store().begin().await?;
                if tx.lock_schedule(seen.id).await?.as_ref() == Some(&seen) {
                    let jitter = Jitter { schedule: seen.id, most_ms: seen.jitter_ms };
                    let next_at = next.map(|next| jitter.of(next));
                    tx.change_schedule(&Schedule { next_fire: next, next_at, ..seen }).await?;
                    tx.commit().await?;
                }
            }
        }
    }

    /// What a fire of this schedule does. A failure of ours is returned, and what is due is tried again.
    async fn ready(&self, schedule: &Schedule) -> Result<Ready> {
        if let Some(id) = schedule.source_id {
            let source = match self.follow.source(id).await {
                Ok(source) => source,
                Err(error) => return refused(error),
            };
            let is_active = source.state == SourceState::Active;
            return Ok(if is_active { Ready::Poll } else { Ready::Pass("the source is paused".to_owned()) });
        }
        match self.intake.check(submission(&schedule.wishes)).await {
            Ok(checked) => Ok(Ready::Task(Box::new(checked))),
            Err(error) => refused(error),
        }
    }

    /// After the commit: polls begin, and whoever waits for tasks and deliveries is woken.
    pub(super) fn started(&self, polls: Vec<Fire>) {
        for fire in polls {
            self.spawn_poll(fire);
        }
        self.intake.wake();
    }
}

fn refused(error: Error) -> Result<Ready> {
    match error.code.class() {
        Class::Internal => Err(error), // one that is for good fails the fire, others are tried again
        _ => Ok(Ready::Refused(error)),
    }
}

/// Takes one time of a schedule; returns the fire when it is to poll.
async fn take(tx: &Tx, schedule: &mut Schedule, time: Time, ready: &Ready) -> Result<Option<Fire>> {
    let before = tx.fire_in(schedule.id, FireState::Started).await?;
    let (state, note) = match (schedule.overlap, &before) {
        (Overlap::Allow, _) | (_, None) => (FireState::Started, None),
        (Overlap::Queue, Some(_)) if tx.fire_in(schedule.id, FireState::Waiting).await?.is_none() => {
            (FireState::Waiting, Some("the fire before has not ended"))
        }
        (Overlap::Queue, Some(_)) => (FireState::Skipped, Some("another fire waits already")),
        (Overlap::Skip, Some(_)) => (FireState::Skipped, Some("the fire before has not ended")),
    };
    let Some(number) = tx.insert_fire(schedule.id, time.fire_at, state, note).await? else { return Ok(None) };
    if time.is_late && state != FireState::Skipped {
        tx.catch_fire_up(number).await?;
    }
    if state == FireState::Started { begin(tx, schedule, number, ready).await } else { Ok(None) }
}

/// Begins a fire that was taken; returns it when it is to poll.
async fn begin(tx: &Tx, schedule: &mut Schedule, number: i64, ready: &Ready) -> Result<Option<Fire>> {
    let end =
        |state, note, error: Option<&Error>| FireEnd { state, new_items: None, note, error: error.map(Error::report) };
    match ready {
        Ready::Task(checked) => {
            let task = intake::write(tx, Checked::clone(checked)).await?;
            tx.start_fire(number, Some(task)).await?;
        }
        Ready::Poll => {
            tx.start_fire(number, None).await?;
            return tx.fire(number).await;
        }
        Ready::Pass(note) => {
            tx.end_fire(number, &end(FireState::Skipped, Some(note.clone()), None)).await?;
        }
        Ready::Refused(error) => {
            tracing::warn!(schedule = %schedule.id, error = %error.chain(), "a schedule cannot fire");
            settle::end(tx, schedule, number, &end(FireState::Failed, None, Some(error))).await?;
        }
    }
    Ok(None)
}
