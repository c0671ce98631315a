//! Retention: what is done goes when it is old enough, or when there is too much of it.
//!
//! Callers may rely on this: what is at work is never touched, whatever its age. What goes is decided by [`Rules`] alone,
//! and for tasks and files once more inside the transaction that removes them, so that what has come into use since the
//! look stays. Every transaction is small: one task, one file, or a page of a log. Several nodes may sweep at once.

mod rules;
#[cfg(test)]
mod tests;

pub use self::rules::Rules;
use crate::{
    config::RetentionConfig,
    domain::TaskId,
    error::Result,
    files::Files,
    intake::KEY_AGE_MS,
    queue::Queue,
    store::{FileFacts, Store},
};

/// How many rows are looked at in one query, and removed in one transaction.
const PAGE: u64 = 500;

/// What went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Tasks; those of their steps are not counted.
    pub tasks: u64,
    /// Kept media files; those that only tasks among these use are not counted.
    pub files: u64,
    /// Their bytes.
    pub bytes: i64,
    /// Events, those of the tasks not counted.
    pub events: u64,
    /// Attempts of deliveries, likewise.
    pub attempts: u64,
    /// Messages about no task.
    pub alerts: u64,
}

/// What goes by itself when it is old. Cheap to clone.
#[derive(Clone)]
pub struct Retention {
    config: RetentionConfig,
    queue: Queue,
    files: Files,
}

impl Retention {
    /// Of a queue's tasks and their files.
    pub fn new(config: &RetentionConfig, queue: Queue, files: Files) -> Self {
        Self { config: config.clone(), queue, files }
    }

    /// Removes what may go. What was removed before an error stays removed.
    pub async fn sweep(&self) -> Result<Gone> {
        let store = self.queue.store();
        let gone = Sweep::new(&self.config, store, Some((&self.queue, &self.files))).await?.all().await?;
        let tx = store.begin().await?;
        tx.prune_keys(tx.now() - KEY_AGE_MS).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

/// What would go now. Nothing is removed; what goes with a task may be counted as going by itself, too.
pub async fn look(config: &RetentionConfig, store: &Store) -> Result<Gone> {
    Sweep::new(config, store, None).await?.all().await
}

/// One look at everything.
struct Sweep<'a> {
    rules: Rules,
    store: &'a Store,
    /// What removes; without it, it is counted only.
    hands: Option<(&'a Queue, &'a Files)>,
    gone: Gone,
}

/// The logs that are cut at their old end.
#[derive(Clone, Copy)]
enum Log {
    Events,
    Attempts,
}

impl<'a> Sweep<'a> {
    async fn new(config: &RetentionConfig, store: &'a Store, hands: Option<(&'a Queue, &'a Files)>) -> Result<Self> {
        // Read before everything else: what is written after is younger.
        let read = store.events_read().await?;
        Ok(Self { rules: Rules::at(config, store.now().await?, read), store, hands, gone: Gone::default() })
    }

    async fn all(mut self) -> Result<Gone> {
        self.tasks().await?;
        self.files().await?;
        self.log(Log::Events).await?;
        self.deletions().await?;
        self.log(Log::Attempts).await?;
        self.alerts().await?;
        Ok(self.gone)
    }

    async fn tasks(&mut self) -> Result<()> {
        let Some(before) = self.rules.tasks else { return Ok(()) };
        let mut last = None;
        loop {
            let page = self.store.ended_before(before, last, PAGE).await?;
            for (_, id) in &page {
                self.gone.tasks += u64::from(self.task(*id).await?);
            }
            last = page.last().copied();
            if last.is_none() {
                return Ok(());
            }
        }
    }

    /// Removes a task if it may go; whether it does.
    async fn task(&self, id: TaskId) -> Result<bool> {
        let Some((queue, files)) = self.hands else {
            return Ok(self.store.task_facts(id).await?.is_some_and(|facts| self.rules.takes_task(&facts)));
        };
        let deleted = queue.delete_if(id, |facts| self.rules.takes_task(facts)).await?;
        if let Some(deleted) = &deleted {
            queue.drop_files(files, deleted).await?;
        }
        Ok(deleted.is_some())
    }

    async fn files(&mut self) -> Result<()> {
        let mut excess = match self.rules.media_bytes {
            Some(most) => self.store.kept_bytes().await? - most,
            None => 0,
        };
        let mut last: Option<FileFacts> = None;
        while excess > 0 || last.as_ref().map_or(0, |file| file.last_used) < self.rules.media.unwrap_or(0) {
            let page = self.store.files_by_use(last.as_ref(), PAGE).await?;
            for file in &page {
                if self.rules.takes_file(file, excess) && self.file(&file.key, excess).await? {
                    excess -= file.size;
                    self.gone.files += 1;
                    self.gone.bytes += file.size;
                }
            }
            last = page.into_iter().next_back();
            if last.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Removes a kept file if it may go; whether it does.
    async fn file(&self, key: &str, excess: i64) -> Result<bool> {
        let Some((queue, files)) = self.hands else { return Ok(true) };
        let tx = self.store.begin().await?;
        if !tx.file_facts(key).await?.is_some_and(|facts| self.rules.takes_file(&facts, excess)) {
            return Ok(false);
        }
        tx.give_file_up(key).await?;
        tx.commit().await?;
        queue.drop_file(files, key).await?;
        Ok(true)
    }

    async fn log(&mut self, log: Log) -> Result<()> {
        let mut last = 0;
        loop {
            let (page, (ids, more)) = match log {
                Log::Events => {
                    let page = self.store.event_log(last, PAGE).await?;
                    let old = self.rules.takes_events(&page);
                    (page, old)
                }
                Log::Attempts => {
                    let page = self.store.attempt_log(last, PAGE).await?;
                    let old = self.rules.takes_attempts(&page);
                    (page, old)
                }
            };
            let gone = if ids.is_empty() { 0 } else { self.cut(log, &ids).await? };
            match log {
                Log::Events => self.gone.events += gone,
                Log::Attempts => self.gone.attempts += gone,
            }
            match page.last() {
                Some(row) if more => last = row.id,
                _ => return Ok(()),
            }
        }
    }

    /// Removes rows of a log; how many.
    async fn cut(&self, log: Log, ids: &[i64]) -> Result<u64> {
        if self.hands.is_none() {
            return Ok(ids.len() as u64);
        }
        let tx = self.store.begin().await?;
        let gone = match log {
            Log::Events => tx.delete_events(ids).await?,
            Log::Attempts => tx.delete_attempts(ids).await?,
        };
        tx.commit().await?;
        Ok(gone)
    }

    /// That tasks were deleted is told as long as events are. Nobody misses it: it is not counted.
    async fn deletions(&self) -> Result<()> {
        let (Some(before), Some(_)) = (self.rules.events, self.hands) else { return Ok(()) };
        let tx = self.store.begin().await?;
        tx.prune_deletions(before).await?;
        tx.commit().await
    }

    async fn alerts(&mut self) -> Result<()> {
        let Some(before) = self.rules.attempts else { return Ok(()) };
        if self.hands.is_none() {
            self.gone.alerts = self.store.count_alerts(before).await?;
            return Ok(());
        }
        loop {
            let tx = self.store.begin().await?;
            let alerts = tx.delete_alerts(before, PAGE).await?;
            tx.commit().await?;
            self.gone.alerts += alerts;
            if alerts < PAGE {
                return Ok(());
            }
        }
    }
}
