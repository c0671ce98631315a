//! Deleting a task with its files.

use super::Context;
use crate::{
    domain::TaskId,
    error::{Code, Error, Result},
    store::{TaskFilter, Upload},
};

impl Context {
    /// Deletes a task, its working folder, and the files that nobody else has. Goes on to its end even when the client
    /// does not wait for it.
    pub(super) async fn delete(&self, id: TaskId) -> Result<()> {
        let context = self.clone();
        let work = tokio::spawn(async move { context.remove(id).await });
        work.await.map_err(|error| Error::new(Code::Internal, "The deletion was lost").with_source(error))?
    }

    async fn remove(&self, id: TaskId) -> Result<()> {
        let task = self.task(id).await?;
        let upload = match task.link.strip_prefix("upload:") {
            Some(upload) => self.store().upload(upload).await?.map(|(upload, _)| upload),
            None => None,
        };
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
        if let Some(upload) = upload
            && !self.is_linked(&task.link).await?
        {
            self.drop_upload(&upload).await?;
        }
        file
    }

    /// Removes an upload, and its file unless something else is made of the same bytes.
    pub(super) async fn drop_upload(&self, upload: &Upload) -> Result<()> {
        let tx = self.store().begin().await?;
        tx.delete_upload(&upload.id).await?;
        tx.commit().await?;
        self.state.queue.drop_file(&self.state.files, &upload.file).await
    }

    /// Whether a task still has this link.
    async fn is_linked(&self, link: &str) -> Result<bool> {
        let filter = TaskFilter { link: Some(link.to_owned()), limit: 1, ..TaskFilter::default() };
        Ok(self.store().tasks(&filter).await?.total > 0)
    }
}
