//! Triggers that stand in definitions: the newest revision's become rows.

use super::fires::Jitter;
use crate::{
    domain::{Catchup, Overlap, Schedule, Wishes},
    error::Result,
    store::{EventTrigger, Store, Tx},
    workflow::{
        Definition,
        cron::Cron,
        definition::{self, CronTrigger, EventKind, Trigger},
    },
};

/// Puts the triggers of a workflow's newest revision in place of those before; of a workflow that is deleted, none. What
/// stays as it was keeps its next time, its count of failures and whether it is paused. To be called in every transaction
/// that makes or deletes a revision.
pub async fn sync(tx: &Tx, name: &str) -> Result<()> {
    let Some(newest) = tx.newest_workflow(name).await? else { return replace(tx, name, None, &[]).await };
    match serde_json::from_value::<Definition>(newest.definition) {
        Ok(definition) => replace(tx, name, definition.title.as_deref(), &definition.triggers).await,
        Err(error) => {
            tracing::warn!(workflow = name, %error, "a workflow cannot be read; its triggers stay as they were");
            Ok(())
        }
    }
}

/// Brings the triggers of every workflow up to date.
pub async fn sync_all(store: &Store) -> Result<()> {
    for name in store.workflow_names().await? {
        let tx = store.begin().await?;
        sync(&tx, &name).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn replace(tx: &Tx, name: &str, title: Option<&str>, triggers: &[Trigger]) -> Result<()> {
    let mut before = tx.schedules_in(name).await?;
    let mut events = Vec::new();
    for (number, trigger) in (0..).zip(triggers) {
        match trigger {
            Trigger::Cron(cron) => {
                let at = before.iter().position(|schedule| schedule.trigger == Some(number));
                let old = at.map(|at| before.swap_remove(at));
                put(tx, name, title.unwrap_or(name), number, cron, old).await?;
            }
            Trigger::Event(event) => events.push(EventTrigger {
                workflow: name.to_owned(),
                trigger: number,
                event: word(event.event).to_owned(),
                condition: event.when.clone(),
                params: Ok(event.params.clone()),
                since: 0,
            }),
        }
    }
    for gone in before {
        tx.delete_schedule(gone.id).await?;
    }
    tx.replace_triggers(name, events).await
}

/// The event's word, as it stands in definitions.
pub(super) fn word(event: EventKind) -> &'static str {
    match event {
        EventKind::MediaCreated => "media.created",
        EventKind::TranscriptCreated => "transcript.created",
        EventKind::TaskFailed => "task.failed",
    }
}

async fn put(
    tx: &Tx,
    workflow: &str,
    title: &str,
    number: i64,
    wanted: &CronTrigger,
    old: Option<Schedule>,
) -> Result<()> {
    let tz = wanted.tz.as_deref().unwrap_or("UTC");
    let cron = match Cron::parse(&wanted.cron, tz) {
        Ok(cron) => cron,
        // A definition from before patterns were checked.
        Err(problem) => {
            tracing::warn!(workflow, trigger = number, problem, "a trigger cannot be read and does not fire");
            return match old {
                Some(old) => tx.delete_schedule(old.id).await.map(|_| ()),
                None => Ok(()),
            };
        }
    };
    let jitter_ms = wanted.jitter.map_or(0, |span| i64::try_from(span.0.as_millis()).unwrap_or(i64::MAX));
    let mut schedule = Schedule {
        name: title.to_owned(),
        wishes: Wishes { params: wanted.params.clone(), ..Wishes::of(workflow) },
        cron: wanted.cron.clone(),
        tz: tz.to_owned(),
        trigger: Some(number),
        overlap: match wanted.overlap {
            definition::Overlap::Skip => Overlap::Skip,
            definition::Overlap::Queue => Overlap::Queue,
            definition::Overlap::Allow => Overlap::Allow,
        },
        catchup: match wanted.catchup {
            definition::Catchup::None => Catchup::None,
            definition::Catchup::Latest => Catchup::Latest,
            definition::Catchup::All => Catchup::All,
        },
        jitter_ms,
        ..old.clone().unwrap_or_else(|| Schedule::new(Wishes::of(workflow), &wanted.cron, tz))
    };
    let keeps_time = old.as_ref().is_some_and(|old| {
        (&old.cron, &old.tz, old.jitter_ms) == (&schedule.cron, &schedule.tz, schedule.jitter_ms)
            && old.next_fire.is_some()
    });
    if !keeps_time {
        let since = tx.now().max(schedule.paused_until.map_or(0, |until| until - 1));
        schedule.next_fire = cron.next_after(since);
    }
    if old.is_none() {
        // Chance depends on the id, which the first writing gives.
        schedule.id = tx.insert_schedule(&schedule).await?;
    }
    let jitter = Jitter { schedule: schedule.id, most_ms: jitter_ms };
    schedule.next_at = schedule.next_fire.map(|next| jitter.of(next));
    if old.as_ref() == Some(&schedule) {
        return Ok(());
    }
    tx.change_schedule(&schedule).await
}
