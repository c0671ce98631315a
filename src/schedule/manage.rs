//! Making, changing and removing schedules.

use super::{
    Scheduler, cron,
    fires::{self, Jitter},
    submission,
};
use crate::{
    domain::{Schedule, ScheduleId},
    error::{Code, Error, Result},
    store::Tx,
    workflow::cron::{self as patterns, Cron},
};

/// The most schedules that there may be.
pub const MOST_SCHEDULES: u64 = 10_000;
/// The most failures in a row before an alert.
const MOST_FAILURES: i64 = 1_000;

impl Scheduler {
    /// Writes a new schedule, which fires from now on. Whatever could not fire is refused.
    pub async fn create(&self, mut schedule: Schedule) -> Result<Schedule> {
        self.check(&schedule).await?;
        let tx = self.store().begin().await?;
        if tx.count_schedules().await? >= MOST_SCHEDULES {
            let detail = format!("There are {MOST_SCHEDULES} schedules, and there can be no more");
            return Err(Error::new(Code::Conflict, detail).with_hint("Delete some, or let one workflow do more."));
        }
        schedule.id = tx.insert_schedule(&schedule).await?;
        set_next(&tx, &mut schedule)?;
        tx.change_schedule(&schedule).await?;
        let written = tx.lock_schedule(schedule.id).await?;
        tx.commit().await?;
        self.shared.changed.notify_one();
        tracing::info!(schedule = %schedule.id, cron = schedule.cron, tz = schedule.tz, "schedule made");
        written.ok_or_else(|| gone(schedule.id))
    }

    /// Changes a schedule. Times that pass while it is paused are not made up for.
    pub async fn change(&self, id: ScheduleId, change: impl Fn(&mut Schedule)) -> Result<Schedule> {
        loop {
            let seen = self.schedule(id).await?;
            let mut wanted = seen.clone();
            change(&mut wanted);
            if seen.trigger.is_some() && !is_allowed(&seen, &wanted) {
                let detail = format!("Schedule {id} stands in the definition of workflow \"{}\"", seen.wishes.workflow);
                return Err(Error::new(Code::Conflict, detail)
                    .with_hint("Change its trigger there; here it can be paused, and its alerts can be set."));
            }
            self.check(&wanted).await?;
            let tx = self.store().begin().await?;
            let before = tx.lock_schedule(id).await?.ok_or_else(|| gone(id))?;
            let mut schedule = before.clone();
            change(&mut schedule);
            // Somebody else has changed it meanwhile: the two together are not checked yet.
            if asked(&schedule) != asked(&wanted) {
                continue;
            }
            if time_table(&before) != time_table(&schedule) {
                set_next(&tx, &mut schedule)?;
            }
            if schedule.alert_after == 0 {
                schedule.alerted_at = None;
            }
            tx.change_schedule(&schedule).await?;
            tx.commit().await?;
            self.shared.changed.notify_one();
            return Ok(schedule);
        }
    }

    /// Removes a schedule with the list of its fires; the tasks that it made stay.
    pub async fn delete(&self, id: ScheduleId) -> Result<()> {
        let tx = self.store().begin().await?;
        let schedule = tx.lock_schedule(id).await?.ok_or_else(|| gone(id))?;
        if schedule.trigger.is_some() {
            let detail = format!("Schedule {id} stands in the definition of workflow \"{}\"", schedule.wishes.workflow);
            return Err(Error::new(Code::Conflict, detail).with_hint("Remove its trigger there, or pause it here."));
        }
        tx.delete_schedule(id).await?;
        tx.commit().await
    }

    /// One schedule.
    pub async fn schedule(&self, id: ScheduleId) -> Result<Schedule> {
        self.store().schedule(id).await?.ok_or_else(|| gone(id))
    }

    /// The next times of a pattern after `now`.
    pub fn preview(expr: &str, tz: &str, now: i64, count: usize) -> Result<Vec<i64>> {
        check_times(expr, tz)?;
        let cron =
            Cron::parse(expr, tz).map_err(|problem| Error::new(Code::InvalidValue, problem).with_field("cron"))?;
        Ok(cron.times_after(now, count))
    }

    /// The next times of a schedule, with what chance adds; none while it is paused.
    pub fn next_times(schedule: &Schedule, count: usize) -> Vec<i64> {
        let (Some(first), Ok(cron)) = (schedule.next_fire, cron(schedule)) else { return Vec::new() };
        let jitter = Jitter { schedule: schedule.id, most_ms: schedule.jitter_ms };
        let times = std::iter::once(first).chain(cron.times_after(first, count.saturating_sub(1)));
        times.map(|time| jitter.of(time)).collect()
    }

    async fn check(&self, schedule: &Schedule) -> Result<()> {
        let wrong = |field: &str, detail: String| Err(Error::new(Code::InvalidValue, detail).with_field(field));
        check_times(&schedule.cron, &schedule.tz)?;
        let gap = fires::shortest_gap(&cron(schedule)?, 0);
        if schedule.jitter_ms < 0 || gap.is_some_and(|gap| schedule.jitter_ms > gap) {
            return wrong("jitter", "Field \"jitter\": is longer than the time between two fires".to_owned());
        }
        if !(0..=MOST_FAILURES).contains(&schedule.alert_after) {
            return wrong("alert_after", format!("Field \"alert_after\": must be 0 to {MOST_FAILURES}"));
        }
        match &schedule.alert_url {
            Some(url) => {
                self.net.check_url(url).map_err(|error| error.with_field("alert_url"))?;
            }
            None if schedule.alert_after > 0 => {
                return wrong("alert_url", "Field \"alert_url\" is missing: there is nobody to be told".to_owned());
            }
            None => {}
        }
        match schedule.source_id {
            Some(id) => self.follow.source(id).await.map(|_| ()).map_err(|error| error.with_field("source_id")),
            // What stands in a definition is the definition's business, and told with the fires.
            None if schedule.trigger.is_some() => Ok(()),
            None => self.intake.check(submission(&schedule.wishes)).await.map(|_| ()),
        }
    }
}

pub(super) fn gone(id: ScheduleId) -> Error {
    Error::new(Code::NotFound, format!("There is no schedule {id}"))
}

fn check_times(expr: &str, tz: &str) -> Result<()> {
    let wrong = |field: &str, problem: String| {
        Error::new(Code::InvalidValue, format!("Field \"{field}\": {problem}")).with_field(field)
    };
    patterns::check_zone(tz).map_err(|problem| wrong("tz", problem))?;
    patterns::check(expr, tz).map_err(|problem| wrong("cron", problem))
}

/// The next time from the transaction's now on.
fn set_next(tx: &Tx, schedule: &mut Schedule) -> Result<()> {
    let since = tx.now().max(schedule.paused_until.map_or(0, |until| until - 1));
    schedule.next_fire = cron(schedule)?.next_after(since);
    let jitter = Jitter { schedule: schedule.id, most_ms: schedule.jitter_ms };
    schedule.next_at = schedule.next_fire.map(|next| jitter.of(next));
    Ok(())
}

/// What decides about the next time.
fn time_table(schedule: &Schedule) -> impl PartialEq + '_ {
    (&schedule.cron, &schedule.tz, schedule.jitter_ms, schedule.state, schedule.paused_until)
}

/// A schedule without what firing changes.
fn asked(schedule: &Schedule) -> Schedule {
    Schedule { next_fire: None, next_at: None, last_fire_at: None, failures: 0, alerted_at: None, ..schedule.clone() }
}

/// Whether a change of a schedule from a definition leaves alone what the definition says.
fn is_allowed(before: &Schedule, wanted: &Schedule) -> bool {
    let fixed = |schedule: &Schedule| Schedule {
        state: before.state,
        paused_until: before.paused_until,
        alert_after: before.alert_after,
        alert_url: before.alert_url.clone(),
        ..asked(schedule)
    };
    fixed(before) == fixed(wanted)
}
