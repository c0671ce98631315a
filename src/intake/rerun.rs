//! Doing a task once more, as another task that takes over what need not be done again.

use std::collections::{HashMap, HashSet};

use super::{Intake, Submission, write};
use crate::{
    domain::{Caller, StepKind, StepState, Task, TaskId, options::nearest},
    error::{Code, Error, Result},
    store::StepRow,
    workflow::{Planned, plan::first_half},
};

/// How a task is done once more.
#[derive(Clone, Debug, Default)]
pub struct Rerun {
    /// From where.
    pub from: From,
    /// Whether by the newest revision of its workflow; otherwise by the one it had.
    pub latest: bool,
}

/// Where another run of a task begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// With the steps that did not succeed.
    #[default]
    Failed,
    /// At its beginning.
    Start,
    /// With this step and those that come after it.
    Step(String),
}

impl Intake {
    /// Makes a task that does an earlier one once more. Its steps take the results of the earlier one's where they would
    /// work on the same; the earlier one stays as it is.
    ///
    /// # Errors
    /// `not_found`, `conflict` while the task has not ended, `invalid_value` for a step that is not there, and whatever a
    /// submission with its parameters may come to.
    pub async fn rerun(&self, id: TaskId, rerun: &Rerun) -> Result<Task> {
        let store = self.queue.store();
        let gone = || Error::new(Code::NotFound, format!("There is no task {id}"));
        let old = store.task(id).await?.ok_or_else(gone)?;
        if !old.status.is_final() {
            let detail = format!("Task {id} is {}: only what has ended can be done once more", old.status);
            return Err(Error::new(Code::Conflict, detail).with_hint("Wait for its end, or cancel it."));
        }
        let submission = Submission {
            link: old.link.clone(),
            workflow: old.workflow.clone(),
            revision: Some(old.revision).filter(|_| !rerun.latest),
            params: old.params.clone(),
            options: old.options.clone(),
            priority: Some(old.priority),
            callback_url: old.callback_url.clone(),
            caller: Caller { token: old.owner, ..Caller::default() },
            idempotency: None,
        };
        let mut run = self.check(submission).await?;
        let rows = store.main_steps_of(id).await?;
        run.reuse = reusable(&run.planned, &rows, &rerun.from)?;
        run.task.rerun_of = Some(id);
        let reuses = !run.reuse.is_empty();
        if reuses {
            run.task.media_id = run.task.media_id.or(old.media_id);
        }
        let tx = store.begin().await?;
        let new = write(&tx, run).await?;
        if reuses {
            tx.use_media(new, &tx.media_used_by(id).await?).await?;
        }
        let task = tx.lock_task(new).await?;
        tx.commit().await?;
        self.wake();
        task.ok_or_else(|| Error::new(Code::Internal, "The task that was just written cannot be read"))
    }
}

/// The keys of the rows that may take over a result.
fn reusable(planned: &[Planned], old: &[StepRow], from: &From) -> Result<Vec<String>> {
    let mut again: HashSet<&str> = HashSet::new();
    match from {
        From::Start => return Ok(Vec::new()),
        From::Failed => {}
        From::Step(name) => {
            let found = planned.iter().find(|row| row.key == *name).ok_or_else(|| no_step(name, planned))?;
            again.insert(&found.key);
        }
    }
    // What comes after a step that is named is done again. Rows stand after those they wait for.
    for row in planned {
        if row.needs.iter().any(|need| again.contains(need.as_str())) {
            again.insert(&row.key);
        }
    }
    let succeeded: HashMap<&str, &StepRow> = old
        .iter()
        .filter(|row| row.step.state == StepState::Succeeded || row.remaining.is_some())
        .map(|row| (row.step.key.as_str(), row))
        .collect();
    let mut reuse: HashSet<&str> = planned
        .iter()
        .map(|row| row.key.as_str())
        .filter(|key| succeeded.contains_key(key) && !again.contains(key))
        .collect();
    // Samples are not kept: a first half is of use to its second half's result alone.
    let recognised = planned.iter().filter(|row| row.kind == StepKind::Transcribe);
    let anew: Vec<String> =
        recognised.filter(|row| !reuse.contains(row.key.as_str())).map(|row| first_half(&row.key)).collect();
    reuse.retain(|key| !anew.iter().any(|half| half == key));
    // Addresses of media hold for minutes only: what is downloaded again is looked up again.
    let downloads = planned.iter().filter(|row| row.kind == StepKind::Download);
    let fresh: Vec<&Planned> = downloads.filter(|row| !reuse.contains(row.key.as_str())).collect();
    for row in planned.iter().filter(|row| row.kind == StepKind::Resolve) {
        if fresh.iter().any(|download| download.needs.contains(&row.key)) {
            reuse.remove(row.key.as_str());
        }
    }
    Ok(planned.iter().filter(|row| reuse.contains(row.key.as_str())).map(|row| row.key.clone()).collect())
}

fn no_step(name: &str, planned: &[Planned]) -> Error {
    let known = planned.iter().filter(|row| row.kind != StepKind::Extract).map(|row| row.key.as_str());
    let hint = nearest(name, known).map_or_else(
        || "Take `failed`, `start` or the name of a step of the workflow.".to_owned(),
        |best| format!("Did you mean \"{best}\"?"),
    );
    let detail = format!("The workflow has no step \"{}\"", name.escape_debug());
    Error::new(Code::InvalidValue, detail).with_hint(hint).with_field("from")
}
