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
        self.task(id).await?;
        let deleted = self.state.queue.delete(id).await?;
        self.state.queue.drop_files(&self.state.files, &deleted).await
    }

    /// Removes an upload that no task names any more, and its file unless something else is made of the same bytes.
    pub(in crate::api) async fn drop_upload(&self, id: &str) -> Result<()> {
        self.state.queue.drop_upload(&self.state.files, id).await
    }
}
