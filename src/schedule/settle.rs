//! How fires end, and who is told.

use serde_json::json;

use super::{Scheduler, is_for_good};
use crate::{
    domain::{Fire, FireState, Schedule, ScheduleId, TaskStatus},
    error::{Error, Result, guarded},
    queue::outbox,
    store::{Alert, FireEnd, Tx},
};

const FAILING: &str = "schedule.failing";
const RECOVERED: &str = "schedule.recovered";
/// So many fires are read at once.
const AT_ONCE: u64 = 100;

impl Scheduler {
    /// Ends the fires whose tasks have ended, and starts what waited for that.
    pub(super) async fn settle(&self) -> Result<()> {
        loop {
            let ended = self.store().ended_fires(AT_ONCE).await?;
            if ended.is_empty() {
                break;
            }
            for (fire, task) in ended {
                let (state, error) = match task {
                    Some((TaskStatus::Completed, _)) => (FireState::Succeeded, None),
                    Some((TaskStatus::Failed, error)) => (FireState::Failed, error),
                    _ => (FireState::Cancelled, None),
                };
                let end = FireEnd { state, new_items: None, note: fire.note, error };
                self.end_fire(fire.schedule_id, fire.id, &end).await?;
            }
        }
        for fire in self.store().free_fires(AT_ONCE).await? {
            match guarded(self.start_waiting(&fire)).await {
                Err(error) if is_for_good(&error) => self.fail_fire(&fire, &error).await?,
                started => started?,
            }
        }
        Ok(())
    }

    /// Fails a fire that cannot go on, whatever is tried.
    pub(super) async fn fail_fire(&self, fire: &Fire, error: &Error) -> Result<()> {
        tracing::error!(schedule = %fire.schedule_id, error = %error.chain(), "a fire cannot go on");
        let note = fire.note.clone();
        let end = FireEnd { state: FireState::Failed, new_items: None, note, error: Some(error.report()) };
        self.end_fire(fire.schedule_id, fire.id, &end).await
    }

    /// Ends a fire and counts it, also where its schedule cannot be read.
    pub(super) async fn end_fire(&self, schedule: ScheduleId, number: i64, fire: &FireEnd) -> Result<()> {
        let tx = self.store().begin().await?;
        let Some(mut schedule) = tx.lock_firing(schedule).await? else { return Ok(()) };
        end(&tx, &mut schedule, number, fire).await?;
        tx.note_end(&schedule).await?;
        tx.commit().await?;
        self.queue.wake().event();
        Ok(())
    }
}

/// Ends a fire, counts it, and writes the alert that follows. The schedule is changed in memory only.
pub(super) async fn end(tx: &Tx, schedule: &mut Schedule, number: i64, fire: &FireEnd) -> Result<()> {
    if !tx.end_fire(number, fire).await? {
        return Ok(());
    }
    let Some(event) = judge(schedule, fire.state, tx.now()) else { return Ok(()) };
    tracing::warn!(schedule = %schedule.id, failures = schedule.failures, event, "a schedule's alert");
    let Some(url) = schedule.alert_url.clone() else { return Ok(()) };
    let timestamp = chrono::DateTime::from_timestamp_millis(tx.now()).unwrap_or_default();
    let ended = tx.fire(number).await?;
    let body = json!({
        "type": event,
        "timestamp": timestamp,
        "data": {
            "schedule": {
                "id": schedule.id, "name": schedule.name, "workflow": schedule.wishes.workflow,
                "source_id": schedule.source_id,
            },
            "failures": schedule.failures,
            "fire": {
                "fire_at": ended.as_ref().map(|fire| fire.fire_at), "task_id": ended.as_ref().and_then(|fire| fire.task_id),
                "error": fire.error,
            },
        },
    });
    tx.insert_alert(Alert { id: outbox::message_id(), url, event: event.to_owned(), body: body.to_string() }).await
}

/// Counts how a fire ended; the word of the alert that follows. Pure.
fn judge(schedule: &mut Schedule, ended: FireState, now: i64) -> Option<&'static str> {
    match ended {
        FireState::Succeeded => {
            schedule.failures = 0;
            schedule.alerted_at.take().map(|_| RECOVERED)
        }
        FireState::Failed => {
            schedule.failures += 1;
            let is_enough = schedule.alert_after > 0 && schedule.failures >= schedule.alert_after;
            if !is_enough || schedule.alerted_at.is_some() {
                return None;
            }
            schedule.alerted_at = Some(now);
            Some(FAILING)
        }
        _ => None,
    }
}
