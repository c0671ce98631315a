//! Media stay as long as the tasks do that name them: in what they are given, in what their steps work on and make, and in
//! their results.

use serde_json::Value;

use super::Queue;
use crate::{
    domain::{TaskId, media::named_in},
    error::{Code, Error, Result},
    store::Tx,
};

impl Queue {
    /// Keeps the media that `value` names for a task.
    ///
    /// # Errors
    /// `cancelled` when the task is gone.
    pub async fn hold_named(&self, task: TaskId, value: &Value) -> Result<()> {
        let named = named_in(value);
        if self.store.uses_media(task, &named).await? {
            return Ok(());
        }
        let tx = self.store.begin().await?;
        let gone = || Error::new(Code::Cancelled, "The task is gone");
        tx.lock_task(task).await?.ok_or_else(gone)?;
        tx.use_media(task, &named).await?;
        tx.commit().await
    }
}

/// As [`Queue::hold_named`], for a task that is there.
pub(super) async fn hold_named(tx: &Tx, task: TaskId, value: &Value) -> Result<()> {
    tx.use_media(task, &named_in(value)).await
}
