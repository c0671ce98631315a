//! What people do to tasks: cancel, retry, delete.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    Queue,
    after::After,
    new,
    onward::{definition, failure_of},
    stale,
};
use crate::{
    domain::{
        Lane, Media, StepState, Task, TaskId, TaskStatus,
        media::{uploads_in, uploads_named},
    },
    error::{Code, Error, Result},
    fault,
    files::Files,
    store::{StepRow, TaskFacts, Tx},
    workflow::Rule,
};

/// What went with a task that was deleted.
#[derive(Debug, Default)]
pub struct Deleted {
    /// The task and the tasks of its steps.
    pub tasks: Vec<TaskId>,
    /// The media that no other task uses: their rows are gone, and their kept files should go too unless something else
    /// is made of the same bytes.
    pub media: Vec<Media>,
    /// The uploads that they named.
    pub uploads: BTreeSet<String>,
}

impl Queue {
    /// Cancels a task in any state, with the tasks of its steps. A finish that was committed first wins, and then this is
    /// a conflict.
    pub async fn cancel(&self, id: TaskId) -> Result<()> {
        let tx = self.store.begin().await?;
        let task = tx.lock_task(id).await?.ok_or_else(|| no_task(id))?;
        if task.status == TaskStatus::Cancelled {
            return Ok(());
        }
        if task.status.is_final() {
            return Err(Error::new(Code::Conflict, format!("Task {id} has already {}", task.status)));
        }
        let mut after = After::default();
        self.end_task(&tx, &task, TaskStatus::Cancelled, None, None, &mut after).await?;
        tx.commit().await?;
        self.announce(after);
        Ok(())
    }

    /// Tries a failed or cancelled task again from the steps that did not succeed; of a list, the items that did not.
    pub async fn retry(&self, id: TaskId) -> Result<()> {
        let tx = self.store.begin().await?;
        let task = tx.lock_task(id).await?.ok_or_else(|| no_task(id))?;
        let conflict = |why: &str| Err(Error::new(Code::Conflict, format!("Task {id} {why}")));
        if !matches!(task.status, TaskStatus::Failed | TaskStatus::Cancelled) {
            return conflict(&format!("is {}: only failed and cancelled tasks can be tried again", task.status));
        }
        if tx.steps_of(id).await?.iter().any(|row| row.step.state == StepState::Running) {
            return conflict("is still stopping: try again in a moment");
        }
        let mut after = After::default();
        self.reopen(&tx, &task, &mut after).await?;
        tx.commit().await?;
        after.anything();
        self.announce(after);
        Ok(())
    }

    /// Sends a task that has failed or was cancelled back to the start. Nothing of it runs.
    pub(super) async fn reopen(&self, tx: &Tx, task: &Task, after: &mut After) -> Result<()> {
        let id = task.id;
        let (items, rows): (Vec<_>, Vec<_>) = tx.steps_of(id).await?.into_iter().partition(|row| row.list.is_some());
        // The steps of `on_error` are written anew if it fails once more.
        let (handlers, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| Rule::read(&row.rule).handler);
        let keys: Vec<&str> = handlers.iter().map(|row| row.step.key.as_str()).collect();
        let is_theirs = |row: &StepRow| row.list.as_deref().is_some_and(|list| keys.contains(&list));
        let (theirs, items): (Vec<_>, Vec<_>) = items.into_iter().partition(is_theirs);
        let ids: Vec<String> = theirs.iter().chain(&handlers).map(|row| row.step.id.clone()).collect();
        self.remove_rows(tx, &ids, after).await?;
        let keys: Vec<String> = handlers.into_iter().map(|row| row.step.key).collect();
        let names: Vec<String> = rows.iter().map(|row| row.step.key.clone()).collect();
        let rows: Vec<StepRow> = rows.into_iter().chain(items).collect();
        let stale = stale::of(tx, task, &rows).await?;
        for (list, places) in &stale.items {
            tx.reset_items(id, list, places, None).await?;
        }
        tx.reset_steps(id, &stale.steps).await?;
        let definition = definition(tx, task).await.ok();
        let most = definition.as_ref().and_then(|definition| definition.max_active_runs);
        let held = task.parent_step.is_none() && new::is_enough(tx, &task.workflow, most).await?;
        tx.reopen_task(id, definition.and_then(|definition| definition.deadline).map(new::ms)).await?;
        tx.set_held(id, held).await?;
        // Those of transcripts that stay do so, too.
        let is_failure = |text: &String| keys.iter().chain(&names).any(|key| text.starts_with(&failure_of(key)));
        let warnings: Vec<String> = task.warnings.iter().filter(|text| !is_failure(text)).cloned().collect();
        tx.set_task_warnings(id, &warnings).await?;
        tx.add_event(id, "status", json!({ "status": TaskStatus::Queued }));
        if held { Ok(()) } else { self.go_on(tx, id, after).await }
    }

    /// Lets a task begin that is not held any more: first its lists that were tried before, then all that may start.
    pub(super) async fn go_on(&self, tx: &Tx, id: TaskId, after: &mut After) -> Result<()> {
        let Some(task) = tx.lock_task(id).await? else { return Ok(()) };
        let rows = tx.main_steps_of(id).await?;
        let open: Vec<&str> =
            rows.iter().filter(|row| !row.step.state.is_final()).map(|row| row.step.key.as_str()).collect();
        for row in &rows {
            // One that waits for what is done anew is made anew itself, later.
            let may_start = row.needs.iter().all(|need| !open.contains(&need.as_str()));
            if row.remaining.is_some() && row.step.state == StepState::Blocked && may_start {
                self.reopen_list(tx, &task, row, after).await?;
            }
        }
        // With nothing left to do (only its output could not be made) it ends again at once.
        match tx.lock_task(id).await?.filter(|task| !task.status.is_final()) {
            Some(task) => self.advance(tx, &task, after).await,
            None => Ok(()),
        }
    }

    /// Deletes a task in any state with everything that belongs to it alone, and the tasks of its steps.
    ///
    /// Work that is still running loses its rows and so its claim; it is stopped and cannot write any more.
    pub async fn delete(&self, id: TaskId) -> Result<Deleted> {
        let tx = self.store.begin().await?;
        let task = tx.lock_task(id).await?.ok_or_else(|| no_task(id))?;
        self.delete_locked(tx, &task).await
    }

    /// Deletes a task as [`Queue::delete`] does if what is known of it says that it may go; none when it stays.
    pub async fn delete_if(&self, id: TaskId, goes: impl FnOnce(&TaskFacts) -> bool) -> Result<Option<Deleted>> {
        let tx = self.store.begin().await?;
        let Some(task) = tx.lock_task(id).await? else { return Ok(None) };
        if !tx.task_facts(id).await?.is_some_and(|facts| goes(&facts)) {
            return Ok(None);
        }
        self.delete_locked(tx, &task).await.map(Some)
    }

    async fn delete_locked(&self, tx: Tx, task: &Task) -> Result<Deleted> {
        let (mut after, mut deleted) = (After::default(), Deleted::default());
        self.remove(&tx, task, &mut deleted, &mut after).await?;
        tx.commit().await?;
        self.announce(after);
        Ok(deleted)
    }

    /// Removes what deleted tasks have left on the disk: their working folders, and the files that nobody else has.
    pub async fn drop_files(&self, files: &Files, deleted: &Deleted) -> Result<()> {
        for id in &deleted.tasks {
            // The work may be stopping still and hold its folder; it takes the folder away itself then.
            if let Err(error) = files.remove_task_dir(*id).await {
                tracing::warn!(task = %id, error = %error.chain(), "a working folder cannot be removed yet");
            }
        }
        // One file that cannot be removed does not keep the others: the task is gone and nobody asks again.
        let mut done = Ok(());
        for key in deleted.media.iter().filter_map(|media| media.file.as_ref()) {
            done = done.and(self.drop_file(files, key).await);
        }
        for upload in &deleted.uploads {
            done = done.and(self.drop_upload(files, upload).await);
        }
        done
    }

    /// Removes an upload that no task names any more, and its file unless something else is made of the same bytes.
    pub async fn drop_upload(&self, files: &Files, id: &str) -> Result<()> {
        let tx = self.store.begin().await?;
        let file = tx.take_upload(id).await?;
        tx.commit().await?;
        match file {
            Some(file) => self.drop_file(files, &file).await,
            None => Ok(()),
        }
    }

    /// Deletes rows that nobody works on, with the tasks that are their work. The files of their media are found and swept
    /// later.
    pub(super) async fn remove_rows(&self, tx: &Tx, ids: &[String], after: &mut After) -> Result<()> {
        let mut deleted = Deleted::default();
        for child in tx.children_of(ids).await? {
            Box::pin(self.remove(tx, &child, &mut deleted, after)).await?;
        }
        for some in ids.chunks(1_000) {
            tx.delete_steps(some.to_vec()).await?;
        }
        Ok(())
    }

    async fn remove(&self, tx: &Tx, task: &Task, deleted: &mut Deleted, after: &mut After) -> Result<()> {
        let id = task.id;
        if !task.status.is_final() {
            self.end_task(tx, task, TaskStatus::Cancelled, None, None, after).await?;
        }
        for child in tx.children_of_task(id).await? {
            Box::pin(self.remove(tx, &child, deleted, after)).await?;
        }
        after.stop(id, tx.stop_steps(id).await?.running);
        let media = tx.media_used_by(id).await?;
        tx.delete_task(id).await?;
        let mut uploads = uploads_named(&task.link).collect();
        task.params.values().for_each(|value| uploads_in(value, &mut uploads));
        deleted.uploads.extend(uploads.into_iter().map(str::to_owned));
        deleted.tasks.push(id);
        deleted.media.extend(tx.take_unused_media(&media).await?);
        Ok(())
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
    /// use between the look and the deletion; in a bucket nobody can, so that no writer has to wait for the bucket.
    pub async fn drop_file(&self, files: &Files, key: &str) -> Result<()> {
        fault::point("file::unused");
        let tx = self.store.begin().await?;
        if tx.file_is_used(key).await? {
            return Ok(());
        }
        let held = (!files.is_bucket()).then_some(tx);
        let deleted = files.delete_kept(key).await;
        drop(held);
        deleted
    }
}

fn no_task(id: TaskId) -> Error {
    Error::new(Code::NotFound, format!("There is no task {id}"))
}
