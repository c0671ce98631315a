//! Working folders of tasks that go on, or end, on other nodes.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use super::Runner;
use crate::{domain::TaskId, error::Result};

/// The tasks that had not ended when their last step here did.
#[derive(Default)]
pub(super) struct Folders(Mutex<HashSet<TaskId>>);

impl Folders {
    fn with<T>(&self, change: impl FnOnce(&mut HashSet<TaskId>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Runner {
    /// Removes a task's working folder once the task has ended or is gone; one that goes on may end on another node.
    pub(super) async fn tidy(&self, id: TaskId) {
        match self.services.queue.store().is_open(id).await {
            Ok(false) => self.remove_folder(id).await,
            _ if self.services.queue.store().is_exclusive() => {}
            _ => drop(self.folders.with(|left| left.insert(id))),
        }
    }

    /// Removes what is left here of tasks that have ended on other nodes.
    pub(super) async fn tidy_behind(&self) -> Result<()> {
        let left: Vec<TaskId> = self.folders.with(|left| left.iter().copied().collect());
        let open = self.services.queue.store().open_among(&left).await?;
        for id in left.into_iter().filter(|id| !open.contains(id)) {
            self.remove_folder(id).await;
        }
        Ok(())
    }

    async fn remove_folder(&self, id: TaskId) {
        self.folders.with(|left| left.remove(&id));
        if let Err(error) = self.services.files.remove_task_dir(id).await {
            tracing::warn!(task = %id, error = %error.chain(), "a working folder cannot be removed; the sweep will");
        }
    }
}
