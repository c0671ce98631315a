//! Deleting a task with its files.

use super::Context;
use crate::{
    domain::TaskId,
    error::{Code, Error, Result},
};

impl Context {
    /// Deletes a task, its working folder, and the files that nobody else has. Goes on to its end even when the client
    /// does not wait for it.
    pub(in crate::api) async fn delete(&self, id: TaskId) -> Result<()> {
        let context = self.clone();
        let work = tokio::spawn(async move { context.remove(id).await });
        work.await.map_err(|error| Error::new(Code::Internal, "The deletion was lost").with_source(error))?
    }

    async fn remove(&self, id: TaskId) -> Result<()> {
        let task = self.task(id).await?;
        // The files of a folder came with the tasks of its files, which are deleted with it.
        let children = self.store().children_of_task(id).await?;
        let deleted = self.state.queue.delete(id).await?;
        for id in deleted.tasks {
            // The work may be stopping still and hold its folder; it takes the folder away itself then.
            if let Err(error) = self.state.files.remove_task_dir(id).await {
                tracing::warn!(task = %id, error = %error.chain(), "a working folder cannot be removed yet");
            }
        }
        // One file that cannot be removed does not keep the others: the task is gone and nobody asks again.
        let mut file = Ok(());
        for key in deleted.media.into_iter().filter_map(|media| media.file) {
            file = file.and(self.state.queue.drop_file(&self.state.files, &key).await);
        }
        for link in [&task].into_iter().chain(&children).map(|task| &task.link) {
            if let Some(upload) = link.strip_prefix("upload:") {
                file = file.and(self.drop_upload(upload).await);
            }
        }
        file
    }

    /// Removes an upload that no task names any more, and its file unless something else is made of the same bytes.
    pub(in crate::api) async fn drop_upload(&self, id: &str) -> Result<()> {
        let tx = self.store().begin().await?;
        let file = tx.take_upload(id).await?;
        tx.commit().await?;
        match file {
            Some(file) => self.state.queue.drop_file(&self.state.files, &file).await,
            None => Ok(()),
        }
    }
}
