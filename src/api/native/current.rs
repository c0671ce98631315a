//! What tasks are at: the step that runs, or why the next one does not yet.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use poem_openapi::Object;

use super::{Context, views::Report};
use crate::{
    api::words::{Time, Word},
    domain::{Lane, StepKind, StepState, Task, TaskId, WaitsFor},
    error::Result,
    store::LiveStep,
};

/// The step that a task is at. / 任务当前所处的步骤。
#[derive(Debug, Object)]
pub(super) struct CurrentStep {
    /// Its row, to look its place up.
    #[oai(skip)]
    id: String,
    /// Its name in the workflow, as in `steps`.
    key: String,
    /// What it does: the phase that the task is in.
    kind: Word<StepKind>,
    /// Where it stands: `running`, `ready` (nobody works on it) or `waiting` (others do its work).
    state: Word<StepState>,
    /// Where it waits for its turn.
    lane: Word<Lane>,
    /// What it waits for. Left out while it runs.
    #[oai(skip_serializing_if_is_none)]
    waits_for: Option<Word<WaitsFor>>,
    /// Of one that waits for its turn, its place among those that wait in its lane, 1 for the next. Left out beyond 500, and
    /// in answers that make or change a task.
    #[oai(skip_serializing_if_is_none)]
    position: Option<u64>,
    /// Tries so far.
    attempt: i64,
    /// 0 to 1.
    progress: f64,
    /// The last try's error, or what is missing.
    #[oai(nullable)]
    error: Option<Report>,
    /// Of a list, how many of its items have not ended.
    #[oai(skip_serializing_if_is_none)]
    remaining: Option<i64>,
    /// When the last try started.
    #[oai(nullable)]
    started_at: Option<Time>,
    /// When it may start.
    eligible_at: Time,
}

impl Context {
    /// What these tasks are at, with places.
    pub(super) async fn currents(&self, tasks: &[Task]) -> Result<HashMap<TaskId, CurrentStep>> {
        let open: Vec<TaskId> = tasks.iter().filter(|task| !task.status.is_final()).map(|task| task.id).collect();
        let mut steps: HashMap<TaskId, Vec<LiveStep>> = HashMap::new();
        for step in self.store().live_steps(&open).await? {
            steps.entry(step.task_id).or_default().push(step);
        }
        let mut found = HashMap::new();
        for task in tasks {
            if let Some(current) = steps.remove(&task.id).and_then(|steps| CurrentStep::of(task, steps, Utc::now())) {
                found.insert(task.id, current);
            }
        }
        self.place(found.values_mut().collect()).await?;
        Ok(found)
    }

    /// Looks up the places of those that wait for their turn, each lane once.
    pub(super) async fn place(&self, mut steps: Vec<&mut CurrentStep>) -> Result<()> {
        steps.retain(|step| step.waits_for.is_some_and(|word| word.0 == WaitsFor::Turn));
        let lanes: HashSet<Lane> = steps.iter().map(|step| step.lane.0).collect();
        for lane in lanes {
            let places = self.store().places(lane).await?;
            for step in steps.iter_mut().filter(|step| step.lane.0 == lane) {
                step.position = places.get(&step.id).copied();
            }
        }
        Ok(())
    }
}

impl CurrentStep {
    /// Which of its steps a task is at: the first that runs, else the first that could, else what is soonest.
    pub(super) fn of(task: &Task, steps: Vec<LiveStep>, now: DateTime<Utc>) -> Option<Self> {
        let rank = |step: &LiveStep| match step.state {
            StepState::Running => (0, now),
            StepState::Waiting => (2, now),
            _ => (1, step.eligible_at.max(now)),
        };
        let step = steps.into_iter().min_by_key(rank).filter(|_| !task.status.is_final())?;
        Some(Self {
            waits_for: waits_for(task, &step, now).map(Word),
            id: step.id,
            key: step.key,
            kind: Word(step.kind),
            state: Word(step.state),
            lane: Word(step.lane),
            position: None,
            attempt: step.attempt,
            progress: step.progress,
            error: step.error.map(Into::into),
            remaining: step.remaining,
            started_at: step.started_at.map(Time),
            eligible_at: Time(step.eligible_at),
        })
    }
}

fn waits_for(task: &Task, step: &LiveStep, now: DateTime<Utc>) -> Option<WaitsFor> {
    match (step.state, &step.error) {
        (StepState::Running, _) => None,
        (StepState::Waiting, _) => Some(if step.remaining.is_some() { WaitsFor::Items } else { WaitsFor::Task }),
        // It is looked for again and again: the word stays the same between two looks.
        (_, Some(error)) if task.waiting.as_ref() == Some(error) => Some(WaitsFor::Outside),
        _ if step.eligible_at <= now => Some(WaitsFor::Turn),
        (_, Some(_)) => Some(WaitsFor::Retry),
        (_, None) => Some(WaitsFor::Delay),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        domain::TaskStatus,
        error::{Code, Error},
    };

    fn step(key: &str, state: StepState, eligible_at: DateTime<Utc>) -> LiveStep {
        LiveStep {
            id: key.to_owned(),
            task_id: TaskId(1),
            key: key.to_owned(),
            kind: StepKind::Transcribe,
            lane: Lane::Gpu,
            state,
            attempt: 1,
            progress: 0.5,
            error: None,
            remaining: None,
            started_at: None,
            eligible_at,
        }
    }

    fn task() -> Task {
        serde_json::from_value(serde_json::json!({
            "id": 1, "workflow": "w", "revision": 1, "status": "processing", "priority": "normal", "link": "",
            "params": {}, "options": {}, "progress": 0.0, "warnings": [], "held": false,
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn what_runs_comes_first_and_what_is_soonest_next() {
        let now = Utc::now();
        let later = now + Duration::from_secs(60);
        let (ready, put_off) = (step("ready", StepState::Ready, now), step("off", StepState::Ready, later));
        let (runs, list) = (step("runs", StepState::Running, now), step("list", StepState::Waiting, now));
        let at = |steps: &[&LiveStep]| {
            CurrentStep::of(&task(), steps.iter().map(|step| (*step).clone()).collect(), now).map(|step| step.key)
        };
        assert_eq!(at(&[&list, &put_off, &ready, &runs]).as_deref(), Some("runs"));
        assert_eq!(at(&[&list, &put_off, &ready]).as_deref(), Some("ready"));
        assert_eq!(at(&[&list, &put_off]).as_deref(), Some("off"));
        assert_eq!(at(&[]), None);
        let over = Task { status: TaskStatus::Failed, ..task() };
        assert!(CurrentStep::of(&over, vec![runs], now).is_none());
    }

    #[test]
    fn it_says_what_it_waits_for() {
        let now = Utc::now();
        let (soon, later) = (now - Duration::from_secs(1), now + Duration::from_secs(60));
        let error = Error::new(Code::ModelMissing, "not here").report();
        let of = |task: &Task, step: LiveStep| waits_for(task, &step, now);
        let failed = |at| LiveStep { error: Some(error.clone()), ..step("a", StepState::Ready, at) };
        assert_eq!(of(&task(), step("a", StepState::Running, now)), None);
        assert_eq!(of(&task(), step("a", StepState::Ready, soon)), Some(WaitsFor::Turn));
        assert_eq!(of(&task(), step("a", StepState::Ready, later)), Some(WaitsFor::Delay));
        assert_eq!(of(&task(), failed(later)), Some(WaitsFor::Retry));
        assert_eq!(of(&task(), failed(soon)), Some(WaitsFor::Turn));
        let waiting = Task { waiting: Some(error.clone()), ..task() };
        assert_eq!(of(&waiting, failed(soon)), Some(WaitsFor::Outside));
        assert_eq!(of(&task(), step("a", StepState::Waiting, now)), Some(WaitsFor::Task));
        let list = LiveStep { remaining: Some(2), ..step("a", StepState::Waiting, now) };
        assert_eq!(of(&task(), list), Some(WaitsFor::Items));
    }
}
