//! Taking work, keeping it, and telling how far it is.

use std::collections::HashSet;

use futures_util::FutureExt;
use serde_json::json;

use super::{Queue, decide::is_open, progress, step_event};
use crate::{
    domain::{Lane, Segment, StepKind, StepState, TaskId, TaskStatus},
    error::{Code, Result},
    fault,
    store::{Claim, Fence, Heartbeat, StepRow, Tx},
};

/// A claimed step with the fence for everything its worker writes.
#[derive(Clone, Debug)]
pub struct Work {
    /// The row.
    pub row: StepRow,
    /// The claim.
    pub fence: Fence,
}

impl Queue {
    /// Takes up to `limit` ready steps of a lane, leaving `skip_kinds` alone; with `spare_urgent` those of the highest
    /// priority are taken all the same.
    pub async fn claim(
        &self,
        lane: Lane,
        limit: usize,
        skip_kinds: &[StepKind],
        spare_urgent: bool,
    ) -> Result<Vec<Work>> {
        let lease_ms = self.lease_ms();
        self.take(Claim { owner: &self.owner, lane, limit, skip_kinds, spare_urgent, urgent: false, lease_ms }).await
    }

    /// Takes a ready step of the highest priority, if there is one, but none on which a worker has died.
    pub async fn claim_urgent(&self, lane: Lane) -> Result<Vec<Work>> {
        let lease_ms = self.lease_ms();
        self.take(Claim {
            owner: &self.owner,
            lane,
            limit: 1,
            skip_kinds: &[],
            spare_urgent: false,
            urgent: true,
            lease_ms,
        })
        .await
    }

    async fn take(&self, claim: Claim<'_>) -> Result<Vec<Work>> {
        let work = self.store.beside(|tx| take(tx, &claim).boxed()).await?;
        if !work.is_empty() {
            self.wake.event();
        }
        Ok(work)
    }

    /// Renews the leases of the steps that this process works on. Those missing from the answer are lost: their work
    /// must stop.
    pub async fn heartbeat(&self, ids: &[String]) -> Result<Vec<Heartbeat>> {
        self.store
            .beside(|tx| {
                async move {
                    let kept = tx.heartbeat(&self.owner, self.lease_ms(), ids).await?;
                    tx.commit().await?;
                    Ok(kept)
                }
                .boxed()
            })
            .await
    }

    /// Notes how far a step is and the segments that it has made since the last call.
    pub async fn report(&self, work: &Work, fraction: f64, segments: &[Segment]) -> Result<bool> {
        let ours = self.store.beside(|tx| report(tx, work, fraction, segments).boxed()).await?;
        if ours {
            self.wake.event();
        }
        Ok(ours)
    }
}

/// Takes what a claim asks for.
async fn take(tx: Tx, claim: &Claim<'_>) -> Result<Vec<Work>> {
    let claimed = tx.claim_steps(claim).await?;
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let tasks: HashSet<TaskId> = claimed.iter().map(|row| row.step.task_id).collect();
    for task in tx.start_tasks(&tasks).await? {
        tx.add_event(task, "status", json!({ "status": TaskStatus::Processing }));
    }
    let mut work = Vec::new();
    for row in claimed {
        let step = &row.step;
        // A step that waits for something outside is looked at again and again; only its first start is news.
        let outside = [Code::ModelMissing, Code::InsufficientStorage, Code::Database].map(Code::as_str);
        let waited = step.error.as_ref().is_some_and(|error| outside.contains(&error.code.as_str()));
        // Nor is it news that somebody decides about it.
        if !waited && !is_open(&row) {
            step_event(&tx, &row, StepState::Running, None);
        }
        let fence = Fence { id: step.id.clone(), token: row.lease_token, owner: claim.owner.to_owned() };
        work.push(Work { row, fence });
    }
    fault::point("claim::written");
    tx.commit().await?;
    fault::point("claim::committed");
    Ok(work)
}

/// Notes how far a step is, if it is still the worker's.
async fn report(tx: Tx, work: &Work, fraction: f64, segments: &[Segment]) -> Result<bool> {
    let (task, key) = (work.row.step.task_id, &work.row.step.key);
    // Nothing is told of a task after its end.
    let Some(found) = tx.lock_task(task).await?.filter(|task| !task.status.is_final()) else { return Ok(false) };
    if !tx.set_progress(&work.fence, fraction).await? {
        return Ok(false);
    }
    if found.waiting.is_some() {
        tx.add_event(task, "status", json!({ "status": found.status }));
    }
    let overall = progress::overall(&tx.views_of(task).await?, &[]);
    tx.set_task_progress(task, overall, None).await?;
    for segment in segments {
        tx.add_event(task, "segment", json!({ "step": key, "segment": segment }));
    }
    tx.add_event(task, "progress", json!({ "step": key, "step_progress": fraction, "progress": overall }));
    tx.commit().await?;
    Ok(true)
}
