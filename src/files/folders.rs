//! Working folders: `temp/<task>/`.
//!
//! Steps name what they put there by their key (`<task>/<step key>`): it is the same for every try, so that a later try
//! goes on where an earlier one broke off.

use std::{io::ErrorKind, path::Path, path::PathBuf};

use super::Files;
use crate::{domain::TaskId, error::Result};

impl Files {
    /// The folder of a task; it exists when one of its steps has put something there.
    pub fn task_dir(&self, task: TaskId) -> PathBuf {
        self.inner.temp.join(task.to_string())
    }

    /// Removes a task's folder with all that is in it. None is fine, too.
    pub async fn remove_task_dir(&self, task: TaskId) -> Result<()> {
        remove(&self.task_dir(task)).await
    }
}

/// Removes a folder, or a link or file in its place. Links inside are removed, not followed.
async fn remove(path: &Path) -> Result<()> {
    let removed = match tokio::fs::symlink_metadata(path).await {
        Ok(about) if about.is_dir() => tokio::fs::remove_dir_all(path).await,
        Ok(_) => tokio::fs::remove_file(path).await,
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
