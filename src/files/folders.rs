//! Working folders: `temp/<task>/<step>-<token>/`.
//!
//! Each claim of a step has its own folder, named by the fencing token, so a worker that lost its claim cannot write into
//! the folder of the one which has it now.

use std::{io::ErrorKind, path::Path, path::PathBuf};

use sha2::{Digest, Sha256};

use super::Files;
use crate::{domain::TaskId, error::Result};

impl Files {
    /// The folder of a task; it exists when one of its steps has a folder.
    pub fn task_dir(&self, task: TaskId) -> PathBuf {
        self.inner.temp.join(task.to_string())
    }

    /// Creates the folder of one claim of a step.
    pub async fn step_dir(&self, task: TaskId, step_id: &str, token: i64) -> Result<PathBuf> {
        let path = self.task_dir(task).join(format!("{}-{token}", step_name(step_id)));
        tokio::fs::create_dir_all(&path).await?;
        Ok(path)
    }

    /// Removes the folders of all claims of a step, except that of the claim `keep`.
    pub async fn remove_step_dirs(&self, task: TaskId, step_id: &str, keep: Option<i64>) -> Result<()> {
        let name = step_name(step_id);
        let mut entries = match tokio::fs::read_dir(self.task_dir(task)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        while let Some(entry) = entries.next_entry().await? {
            let file = entry.file_name();
            // Steps may be called "a" and "a-1": the token is what follows the last hyphen.
            if let Some((step, token)) = file.to_str().and_then(|file| file.rsplit_once('-'))
                && step == name
                && keep.is_none_or(|keep| token != keep.to_string())
            {
                remove(&entry.path()).await?;
            }
        }
        Ok(())
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

/// A step's id as part of a file name. Ids that are no plain words, or too long, keep apart by a hash.
pub(super) fn step_name(id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !id.is_empty() && id.len() <= 64 && id.chars().all(plain) {
        return id.to_owned();
    }
    let readable: String = id.chars().take(40).map(|c| if plain(c) { c } else { '_' }).collect();
    let hash: String = Sha256::digest(id).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("_{readable}.{hash}")
}
