//! Watched folders: what is put there becomes words beside it.
//!
//! Callers may rely on this:
//! * a file is taken in when its size and time have not changed for `watch.settle`; symbolic links, hidden files and files
//!   with other endings never are;
//! * a content becomes one task for each folder, whatever its files are called and however often the daemon starts; when
//!   that task has failed, a file that was written to again makes another one;
//! * a result is a whole file or none, and replaces no file of anybody else; which results are still to be written is
//!   stored with the file, so a stop in between loses none.
//!
//! Files are copied, not linked: what is kept is named by its hash and must not change when somebody edits the file.

mod disk;
mod place;
mod results;
mod settling;
#[cfg(test)]
mod tests;

use std::{collections::HashSet, io::Read, path::Path, time::Duration};

use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use self::{
    place::Place,
    settling::{Found, Settling},
};
use crate::{
    config::{WatchConfig, WatchFolder},
    domain::{Options, TaskId, TaskStatus},
    error::{Code, Error, Result},
    files::{Files, Kept},
    intake::{self, Intake, Submission},
    metrics,
    queue::Queue,
    store::{NewUpload, Store, WatchedFile},
    subtitle::Format,
};

/// How much of a file is read at once.
const PIECE: usize = 1024 * 1024;

/// A watched folder with what its settings mean.
struct Folder {
    config: WatchFolder,
    /// Its path as it is stored.
    name: String,
    formats: Vec<Format>,
    place: Place,
}

/// Looks at watched folders.
pub struct Watch {
    config: WatchConfig,
    folders: Vec<Folder>,
    intake: Intake,
    queue: Queue,
    files: Files,
    settling: Settling,
    /// What was complained of and has not passed: it is told once.
    told: HashSet<String>,
}

impl Watch {
    /// Watches the folders of a configuration. Fails with `config` when an option, a format or a template makes no sense.
    pub fn new(config: &WatchConfig, intake: Intake, queue: Queue, files: Files) -> Result<Self> {
        let folder = |folder: &WatchFolder| {
            let name = folder.path.to_str().ok_or_else(|| {
                Error::new(Code::Config, format!("The name of the folder {} is no text", folder.path.display()))
            })?;
            let wrong = |error: Error| Error::new(Code::Config, error.detail).with_hint(error.hint);
            Options::from_json(&folder.options).map_err(wrong)?;
            let formats = folder.formats.iter().map(|word| word.parse().map_err(wrong));
            let place = Place::parse(&folder.result)?;
            Ok(Folder {
                config: folder.clone(),
                name: name.to_owned(),
                formats: formats.collect::<Result<_>>()?,
                place,
            })
        };
        let folders = config.folders.iter().map(folder).collect::<Result<_>>()?;
        let (settling, told) = (Settling::default(), HashSet::new());
        Ok(Self { config: config.clone(), folders, intake, queue, files, settling, told })
    }

    /// Takes files in and writes results until `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        if !self.folders.is_empty() {
            shutdown.run_until_cancelled(self.work()).await;
        }
    }

    async fn work(&mut self) {
        // Heard from before the first look, so that no end is missed.
        let mut ends = self.queue.wake().stops();
        let (started, mut looks) = (Instant::now(), interval(self.config.poll.0));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => {
                    self.look(started.elapsed()).await;
                    self.write_results(None).await;
                }
                end = ends.recv() => match end {
                    Ok(stop) => self.write_results(Some(stop.task)).await,
                    Err(RecvError::Lagged(_)) => self.write_results(None).await,
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    /// Looks at every folder once and takes in what has settled. `now` is the time of any clock that only goes forward.
    async fn look(&mut self, now: Duration) {
        for at in 0..self.folders.len() {
            let (path, endings) = (self.folders[at].config.path.clone(), self.config.extensions.clone());
            let (folder, name) = (path.clone(), self.folders[at].name.clone());
            let found = tokio::task::spawn_blocking(move || disk::walk(&folder, &endings)).await;
            let found = match found.map_err(std::io::Error::other).and_then(|found| found) {
                Ok(found) => found,
                Err(error) => {
                    self.complain(&name, &format!("a watched folder cannot be read: {error}"));
                    continue;
                }
            };
            self.told.remove(&name);
            self.settling.keep(&path, &found);
            for file in found {
                if !self.settling.is_settled(&file, self.config.settle.0, now) {
                    continue;
                }
                match self.take(&self.folders[at], &file).await {
                    Ok(()) => self.settling.done(&file.path),
                    Err(error) => {
                        let (name, error) = (file.path.display(), error.chain());
                        tracing::warn!(file = %name, %error, "a file cannot be taken in; it is tried again later");
                        self.settling.failed(&file.path, now);
                    }
                }
            }
        }
    }

    /// Takes a file in, unless it is known. What goes wrong and may pass is an error; what does not is written beside it.
    async fn take(&self, folder: &Folder, file: &Found) -> Result<()> {
        let Some(path) = file.path.to_str() else {
            tracing::warn!(file = %file.path.display(), "a file's name is no text; it is left alone");
            return Ok(());
        };
        let size = i64::try_from(file.size).unwrap_or(i64::MAX);
        let known = self.store().watched(path).await?;
        if known.as_ref().is_some_and(|known| (known.size, known.changed_at) == (size, file.changed_at)) {
            return Ok(());
        }
        let kept = match self.copy(file).await {
            // It is larger than anything may be.
            Err(error) if error.code == Code::TooLarge => {
                return self.refuse(folder, file, path, String::new(), error).await;
            }
            kept => kept?,
        };
        let mut row = WatchedFile {
            path: path.to_owned(),
            folder: folder.name.clone(),
            size,
            changed_at: file.changed_at,
            sha256: kept.sha256.clone(),
            task_id: None,
            written: false,
        };
        if let Some(task) = self.earlier(folder, &kept.sha256).await? {
            row.task_id = Some(task);
            row.written = known.is_some_and(|known| known.task_id == Some(task) && known.written);
            self.put(&row).await?;
            self.queue.drop_file(&self.files, &kept.key).await?;
            metrics::watched("known");
            return Ok(());
        }
        match self.submit(folder, &file.path, &kept, &mut row).await {
            Ok(task) => {
                tracing::info!(%task, file = path, "a watched file was taken in");
                metrics::watched("taken");
                Ok(())
            }
            Err(error) if error.is_retryable() => Err(error),
            Err(error) => self.refuse(folder, file, path, row.sha256, error).await,
        }
    }

    /// The task that was made of a content, unless it is gone or has come to nothing.
    async fn earlier(&self, folder: &Folder, sha256: &str) -> Result<Option<TaskId>> {
        let Some(id) = self.store().task_of_content(&folder.name, sha256).await? else { return Ok(None) };
        let task = self.store().task(id).await?;
        let is_good = |status| !matches!(status, TaskStatus::Failed | TaskStatus::Cancelled);
        Ok(task.filter(|task| is_good(task.status)).map(|task| task.id))
    }

    /// Copies a file into the store. An error when it changed on the way.
    async fn copy(&self, file: &Found) -> Result<Kept> {
        self.files.check_free(file.size)?;
        let mut upload = self.files.new_upload().await?;
        let path = file.path.clone();
        let blocked = |error| Error::new(Code::Internal, "A file's reader gave up").with_source(error);
        let mut source = tokio::task::spawn_blocking(move || disk::open(&path)).await.map_err(blocked)??;
        loop {
            let read = move || {
                let mut piece = Vec::with_capacity(PIECE);
                (&mut source).take(PIECE as u64).read_to_end(&mut piece).map(|_| (source, piece))
            };
            let (back, piece) = tokio::task::spawn_blocking(read).await.map_err(blocked)??;
            if piece.is_empty() {
                break;
            }
            upload.write(&piece).await?;
            source = back;
        }
        upload.finish().await?;
        let (size, found) = (upload.size(), file.clone());
        let is_unchanged = tokio::task::spawn_blocking(move || disk::is_unchanged(&found)).await.map_err(blocked)?;
        if size != file.size || !is_unchanged {
            return Err(Error::new(Code::Io, "The file has changed while it was read"));
        }
        self.files.keep(upload.path()).await
    }

    /// Makes a task of a kept file; the task and what is known of the file are written together.
    async fn submit(&self, folder: &Folder, file: &Path, kept: &Kept, row: &mut WatchedFile) -> Result<TaskId> {
        let id = uuid::Uuid::now_v7().to_string();
        let upload = NewUpload {
            id: id.clone(),
            file_name: file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            file: kept.key.clone(),
            size: i64::try_from(kept.size).unwrap_or(i64::MAX),
            sha256: kept.sha256.clone(),
            content_type: Some(kept.content_type.clone()),
            owner: None,
        };
        // Should it become no task, the sweep takes it away.
        let tx = self.store().begin().await?;
        tx.insert_upload(upload).await?;
        tx.commit().await?;
        let submission = Submission {
            link: format!("upload:{id}"),
            workflow: folder.config.workflow.clone(),
            options: folder.config.options.clone(),
            ..Submission::default()
        };
        let checked = self.intake.check(submission).await?;
        let tx = self.store().begin().await?;
        let task = intake::write(&tx, checked).await?;
        row.task_id = Some(task);
        tx.put_watched(row).await?;
        tx.commit().await?;
        self.intake.wake();
        Ok(task)
    }

    /// Notes that a file becomes no task, and why, beside it.
    async fn refuse(&self, folder: &Folder, file: &Found, path: &str, sha256: String, error: Error) -> Result<()> {
        tracing::warn!(file = path, error = %error.chain(), "a watched file was refused");
        metrics::watched("refused");
        self.tell(folder, &file.path, 0, &error.report()).await?;
        let size = i64::try_from(file.size).unwrap_or(i64::MAX);
        let folder = folder.name.clone();
        let (path, changed_at) = (path.to_owned(), file.changed_at);
        self.put(&WatchedFile { path, folder, size, changed_at, sha256, task_id: None, written: true }).await
    }

    async fn put(&self, row: &WatchedFile) -> Result<()> {
        let tx = self.store().begin().await?;
        tx.put_watched(row).await?;
        tx.commit().await
    }

    /// Tells of something that does not pass by itself, once.
    fn complain(&mut self, about: &str, what: &str) {
        if self.told.insert(about.to_owned()) {
            tracing::warn!(path = about, "{what}");
        }
    }

    fn store(&self) -> &Store {
        self.queue.store()
    }
}
