//! Triggers by events: the table of events is read from where the last look ended, so no event is lost by a stop, and
//! each becomes one row for each trigger that takes it, and that row one task.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value};

use super::{
    Scheduler, circles,
    facts::{self, Fact},
    is_for_good, submission,
};
use crate::{
    domain::Wishes,
    error::{Class, Code, Error, Result, guarded, panicked},
    intake::{self, Checked},
    store::{Event, EventTrigger, NewEventFire, PendingFire},
    workflow::{expr, template},
};

/// The name of the cursor.
const CURSOR: &str = "triggers";
/// So many events are read at once.
const AT_ONCE: u64 = 500;
/// How many events may be read again after a stop, where none was taken: noting each look would be a write each time.
const READ_AGAIN: i64 = 1_000;
/// The most tasks that one trigger makes in a minute; others wait.
const PER_MINUTE: u64 = 60;
const MINUTE_MS: i64 = 60_000;

impl Scheduler {
    /// Reads the events since the last look, and notes those that a trigger takes.
    pub(super) async fn follow_events(&self) -> Result<()> {
        let store = self.store();
        // Read before the triggers: one that is missing among them knows these events to be older than itself.
        let upto = store.last_event().await?;
        let triggers = store.event_triggers().await?;
        let Some(since) = triggers.iter().map(|trigger| trigger.since).min() else { return Ok(()) };
        let written = store.cursor(CURSOR).await?;
        let mut after = written.max(since).max(self.shared.read.load(Ordering::SeqCst));
        while after < upto {
            let facts = store.facts(after, upto, AT_ONCE).await?;
            after = facts.last().map_or(upto, |last| last.id);
            let mut taken = Vec::new();
            for event in &facts {
                match guarded(self.take_event(&triggers, event)).await {
                    Ok(found) => taken.extend(found),
                    Err(error) if is_for_good(&error) => {
                        tracing::error!(event = event.id, task = %event.task_id, error = %error.chain(), "an event is passed over");
                    }
                    Err(error) => return Err(error),
                }
            }
            if !taken.is_empty() || after - written > READ_AGAIN {
                self.write_taken(taken, after).await?;
            }
            self.shared.read.fetch_max(after, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn write_taken(&self, taken: Vec<NewEventFire>, cursor: i64) -> Result<()> {
        let tx = self.store().begin().await?;
        for fire in taken {
            tx.insert_event_fire(fire).await?;
        }
        tx.set_cursor(CURSOR, cursor).await?;
        tx.commit().await
    }

    /// What the triggers make of an event.
    async fn take_event(&self, triggers: &[EventTrigger], event: &Event) -> Result<Vec<NewEventFire>> {
        let is_wanted = |word: &str| triggers.iter().any(|trigger| trigger.event == word && trigger.since < event.id);
        match facts::read(self.store(), event, is_wanted).await? {
            Some(fact) => self.take_fact(triggers, &fact).await,
            None => Ok(Vec::new()),
        }
    }

    /// What the triggers make of a fact.
    async fn take_fact(&self, triggers: &[EventTrigger], fact: &Fact) -> Result<Vec<NewEventFire>> {
        let mut taken = Vec::new();
        for trigger in triggers.iter().filter(|trigger| trigger.event == fact.word && trigger.since < fact.event_id) {
            let behind = circles::behind(self.store(), fact.task).await?;
            if behind.is_none_or(|workflows| workflows.contains(&trigger.workflow)) {
                tracing::debug!(workflow = trigger.workflow, task = %fact.task, "an event of its own does not start a workflow");
                continue;
            }
            let came_to = std::panic::catch_unwind(|| evaluate(trigger, &fact.scope));
            let params = match came_to.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))) {
                Ok(Some(params)) => Ok(params),
                Ok(None) => continue,
                Err(error) => {
                    tracing::error!(workflow = trigger.workflow, trigger = trigger.trigger, error = %error.chain(), "a trigger fails");
                    Err(error.detail)
                }
            };
            taken.push(NewEventFire {
                workflow: trigger.workflow.clone(),
                trigger: trigger.trigger,
                event_id: fact.event_id,
                source_task: fact.task,
                params,
            });
        }
        Ok(taken)
    }

    /// Makes the tasks of the events that were noted, as many in a minute as a trigger may.
    pub(super) async fn start_pending(&self) -> Result<()> {
        let now = chrono::Utc::now().timestamp_millis();
        for (workflow, trigger) in self.store().pending_triggers().await? {
            let made = self.store().event_fires_since(&workflow, trigger, now - MINUTE_MS).await?;
            let room = PER_MINUTE.saturating_sub(made);
            // One more than there is room for, to see whether some have to wait.
            let pending = self.store().pending_event_fires(&workflow, trigger, room + 1).await?;
            if pending.len() as u64 > room {
                tracing::warn!(workflow, trigger, "more than {PER_MINUTE} events in a minute: the others wait");
            }
            for (number, fire) in pending.into_iter().take(usize::try_from(room).unwrap_or(usize::MAX)) {
                let checked = match fire {
                    Ok(fire) => guarded(self.check_event(&workflow, fire)).await,
                    Err(error) => Err(error),
                };
                self.start_event(&workflow, number, checked).await?;
            }
        }
        Ok(())
    }

    async fn check_event(&self, workflow: &str, fire: PendingFire) -> Result<Checked> {
        self.intake.check(submission(&Wishes { params: fire.params, ..Wishes::of(workflow) })).await
    }

    async fn start_event(&self, workflow: &str, number: i64, checked: Result<Checked>) -> Result<()> {
        let checked = match checked {
            // A failure that may pass: it is tried again.
            Err(error) if error.code.class() == Class::Internal && !is_for_good(&error) => return Err(error),
            checked => checked,
        };
        let tx = self.store().begin().await?;
        match checked {
            Ok(checked) => {
                let task = intake::write(&tx, checked).await?;
                // Somebody else was faster: what was written here is undone with the transaction.
                if !tx.end_event_fire(number, Ok(task)).await? {
                    return Ok(());
                }
            }
            Err(error) => {
                tracing::warn!(workflow, error = %error.chain(), "an event cannot start a workflow");
                tx.end_event_fire(number, Err(&error.detail)).await?;
            }
        }
        tx.commit().await?;
        self.intake.wake();
        Ok(())
    }
}

/// The parameters of the task that a trigger makes of an event; none when its condition is not met.
fn evaluate(trigger: &EventTrigger, scope: &Value) -> Result<Option<Map<String, Value>>> {
    if let Some(condition) = &trigger.condition {
        match expr::evaluate(condition, scope)? {
            Value::Bool(true) => {}
            Value::Bool(false) => return Ok(None),
            other => {
                let detail = format!("\"when\" must come to true or false, not {}", shortened(&other));
                return Err(Error::new(Code::Expression, detail));
            }
        }
    }
    let params = trigger.params.clone().map_err(|why| Error::new(Code::Database, why))?;
    match template::fill(&Value::Object(params), scope)? {
        Value::Object(params) => Ok(Some(params)),
        // What goes in as an object comes out as one.
        other => Err(Error::new(Code::Internal, format!("Parameters became {}", shortened(&other)))),
    }
}

fn shortened(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}
