//! What people do to tasks: cancel, retry, delete.

use serde_json::json;

use super::Queue;
use crate::{
    domain::{Lane, Media, StepKind, StepState, TaskId, TaskStatus},
    error::{Code, Error, Result},
    files::Files,
    store::StepRow,
};

impl Queue {
    /// Cancels a task in any state. A finish that was committed first wins, and then this is a conflict.
    pub async fn cancel(&self, id: TaskId) -> Result<()> {
        let tx = self.store.begin().await?;
        let task = tx.lock_task(id).await?.ok_or_else(|| no_task(id))?;
        if task.status == TaskStatus::Cancelled {
            return Ok(());
        }
        if task.status.is_final() {
            return Err(Error::new(Code::Conflict, format!("Task {id} has already {}", task.status)));
        }
        let stopped = self.end_task(&tx, &task, TaskStatus::Cancelled, None, None).await?;
        tx.commit().await?;
        self.ended(id, stopped);
        Ok(())
    }

    /// Tries a failed or cancelled task again from the steps that did not succeed.
    pub async fn retry(&self, id: TaskId) -> Result<()> {
        let tx = self.store.begin().await?;
        let task = tx.lock_task(id).await?.ok_or_else(|| no_task(id))?;
        let conflict = |why: &str| Err(Error::new(Code::Conflict, format!("Task {id} {why}")));
        if !matches!(task.status, TaskStatus::Failed | TaskStatus::Cancelled) {
            return conflict(&format!("is {}: only failed and cancelled tasks can be tried again", task.status));
        }
        let steps = tx.steps_of(id).await?;
        if steps.iter().any(|row| row.step.state == StepState::Running) {
            return conflict("is still stopping: try again in a moment");
        }
        tx.reset_steps(id, &stale(&steps)).await?;
        tx.reopen_task(id).await?;
        tx.add_event(id, "status", json!({ "status": TaskStatus::Queued })).await?;
        // With nothing left to do (only its output could not be made) it ends again at once.
        let task = tx.lock_task(id).await?.ok_or_else(|| no_task(id))?;
        self.advance(&tx, &task).await?;
        tx.commit().await?;
        self.wake.event();
        self.wake.lanes();
        Ok(())
    }

    /// Deletes a task in any state with everything that belongs to it alone. Returns the media that no other task is
    /// about: its row is gone, and its kept file should go too.
    ///
    /// Work that is still running loses its rows and so its claim; it is stopped and cannot write any more.
    pub async fn delete(&self, id: TaskId) -> Result<Option<Media>> {
        let tx = self.store.begin().await?;
        let task = tx.lock_task(id).await?.ok_or_else(|| no_task(id))?;
        let stopped = tx.stop_steps(id).await?;
        let mut orphan = None;
        if let Some(media) = task.media_id
            && !tx.media_is_shared(media, id).await?
        {
            orphan = tx.media(media).await?;
            tx.delete_media(media).await?;
        }
        tx.delete_task(id).await?;
        if let Some(media) = orphan.as_mut()
            && let Some(file) = media.file.clone()
            && tx.file_is_used(&file).await?
        {
            media.file = None;
        }
        tx.commit().await?;
        self.ended(id, stopped);
        Ok(orphan)
    }

    /// A model has arrived: the steps that wait for one look again at once.
    pub async fn model_arrived(&self) -> Result<()> {
        let tx = self.store.begin().await?;
        tx.hurry_steps(Lane::Gpu, Code::ModelMissing.as_str()).await?;
        tx.commit().await?;
        self.wake.lane(Lane::Gpu);
        Ok(())
    }

    /// Deletes a kept file unless a media or an upload has it. The transaction keeps everybody from taking the file into
    /// use between the look and the deletion.
    pub async fn drop_file(&self, files: &Files, key: &str) -> Result<()> {
        let tx = self.store.begin().await?;
        if !tx.file_is_used(key).await? {
            files.delete_kept(key).await?;
        }
        Ok(())
    }
}

/// The steps that succeeded and whose result is of no use for another try.
///
/// Addresses of media hold for minutes only, so what a download used is asked for anew; and a file that ends too early is
/// downloaded anew.
fn stale(steps: &[StepRow]) -> Vec<String> {
    let needed_by = |kind: StepKind, users: &[&StepRow]| -> Vec<&StepRow> {
        let is_used = |row: &&StepRow| users.iter().any(|user| user.needs.contains(&row.step.key));
        steps.iter().filter(|row| row.step.kind == kind).filter(is_used).collect()
    };
    let is_cut_off =
        |row: &&StepRow| row.step.error.as_ref().is_some_and(|error| error.code == Code::Truncated.as_str());
    let cut_off: Vec<&StepRow> = steps.iter().filter(is_cut_off).collect();
    let mut downloads = needed_by(StepKind::Download, &cut_off);
    let stale_files: Vec<String> = downloads.iter().map(|row| row.step.key.clone()).collect();
    let unfinished = |row: &&StepRow| row.step.kind == StepKind::Download && row.step.state != StepState::Succeeded;
    downloads.extend(steps.iter().filter(unfinished));
    let resolved = needed_by(StepKind::Resolve, &downloads);
    stale_files.into_iter().chain(resolved.into_iter().map(|row| row.step.key.clone())).collect()
}

fn no_task(id: TaskId) -> Error {
    Error::new(Code::NotFound, format!("There is no task {id}"))
}
