//! What came of watched files, written where it should lie.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::{Folder, Watch, disk, place::Facts};
use crate::{
    domain::{Task, TaskId, TaskStatus},
    error::{Code, Error, Report, Result},
    metrics,
    queue::scope,
    store::WatchedFile,
    subtitle::{Layout, render},
    zh,
};

/// The ending of the file that says why there is no result.
const ERROR: &str = "error.txt";

impl Watch {
    /// Writes the results that are there and not written: all, or those of one task. What cannot be written is tried again
    /// at the next look.
    pub(super) async fn write_results(&mut self, task: Option<TaskId>) {
        let waiting = match self.store().watched_waiting(task).await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::error!(error = %error.chain(), "watched files cannot be looked for");
                return;
            }
        };
        for row in waiting {
            match self.result(&row).await {
                Ok(true) => _ = self.told.remove(&row.path),
                Ok(false) => {}
                Err(error) => {
                    metrics::watched("unwritten");
                    self.complain(&row.path, &format!("a result cannot be written: {}", error.chain()));
                }
            }
        }
    }

    /// Writes what came of a file, if its task has ended; whether nothing is left to be done.
    async fn result(&self, row: &WatchedFile) -> Result<bool> {
        let Some(folder) = self.folders.iter().find(|folder| folder.name == row.folder) else { return Ok(false) };
        let Some(id) = row.task_id else { return Ok(false) };
        // A task that is gone leaves nothing.
        if let Some(task) = self.store().task(id).await? {
            if !task.status.is_final() {
                return Ok(false);
            }
            self.write_result(folder, row, &task).await?;
            metrics::watched("written");
        }
        self.put(&WatchedFile { written: true, ..row.clone() }).await?;
        Ok(true)
    }

    async fn write_result(&self, folder: &Folder, row: &WatchedFile, task: &Task) -> Result<()> {
        let file = Path::new(&row.path);
        if task.status != TaskStatus::Completed {
            let cancelled = || Error::new(Code::Cancelled, "The task was cancelled").report();
            return self.tell(folder, file, task.id.0, &task.error.clone().unwrap_or_else(cancelled)).await;
        }
        let Some((made, mut transcript)) = self.store().transcript_of(task.id).await? else {
            let error = Error::new(Code::NotFound, "The workflow has made no transcript")
                .with_hint("Its other results are in the task.");
            return self.tell(folder, file, task.id.0, &error.report()).await;
        };
        zh::convert(&mut transcript, scope::script_of(&self.store().steps_of(task.id).await?, made));
        for format in &folder.formats {
            let text = render(&transcript, *format, &Layout::default());
            self.publish(folder, file, (task.id.0, task.created_at), format.extension(), text, false).await?;
        }
        Ok(())
    }

    /// Writes why there is no result. An older one of the same name is ours, and replaced.
    pub(super) async fn tell(&self, folder: &Folder, file: &Path, task: i64, why: &Report) -> Result<()> {
        let text = format!("{}\n{}\n{}\n", why.code, why.detail, why.hint);
        self.publish(folder, file, (task, Utc::now()), ERROR, text, true).await.map(drop)
    }

    async fn publish(
        &self,
        folder: &Folder,
        file: &Path,
        (task, time): (i64, DateTime<Utc>),
        ending: &'static str,
        text: String,
        replaces: bool,
    ) -> Result<PathBuf> {
        let inside = folder.config.path.clone();
        let path = folder.place.of(&Facts { folder: &inside, file, task, date: time.format("%Y-%m-%d").to_string() });
        let shown = path.display().to_string();
        let write = move || disk::publish(&inside, &path, ending, &text, replaces);
        let written =
            tokio::task::spawn_blocking(write).await.map_err(std::io::Error::other).and_then(|written| written);
        written.map_err(|error| {
            Error::new(Code::Io, format!("{shown}.{ending} cannot be written"))
                .with_hint("Check the folder and its permissions.")
                .with_source(error)
        })
    }
}
