//! Following lists: what is new on an account's page, in a playlist or a feed becomes tasks.
//!
//! Callers may rely on this:
//! * a post that a source shows becomes one task, however often and in which order it is shown, whatever happens to that
//!   task later; deleted posts become none;
//! * the posts of one poll, their tasks and where the poll ended are written in one transaction: nothing is lost and
//!   nothing made twice when the process dies in between;
//! * a poll that breaks off hides nothing: the next one reads on where it broke off;
//! * one source is polled once at a time: a second poll is refused as a conflict.

mod create;
mod poll;
#[cfg(test)]
pub(crate) mod tests;
mod write;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

pub use self::{
    create::{Backfill, Start},
    poll::Polled,
};
use crate::{
    crawl::{
        Lists,
        lists::{self, Read, Wanted},
    },
    domain::{Caller, Source, SourceId, Wishes},
    error::{Code, Error, Result},
    intake::{Intake, Submission},
    queue::Queue,
    store::Store,
};

/// Follows sources. Cheap to clone.
#[derive(Clone)]
pub struct Follow {
    lists: Arc<dyn Lists>,
    intake: Intake,
    queue: Queue,
    busy: Arc<Mutex<HashSet<SourceId>>>,
}

impl Follow {
    /// Follows lists; what is new goes in at `intake`.
    pub fn new(lists: Arc<dyn Lists>, intake: Intake, queue: Queue) -> Self {
        Self { lists, intake, queue, busy: Arc::default() }
    }

    /// Changes the title, the state, the wishes or the pages of a source. Wishes that no task can be made with are
    /// refused.
    pub async fn change(&self, id: SourceId, change: impl Fn(&mut Source)) -> Result<Source> {
        loop {
            let mut wanted = self.source(id).await?;
            change(&mut wanted);
            self.intake.check(submission(&wanted.wishes, wanted.link.clone())).await?;
            let tx = self.store().begin().await?;
            let mut source = tx.lock_source(id).await?.ok_or_else(|| gone(id))?;
            change(&mut source);
            // Somebody else has changed it meanwhile: the two together are not checked yet.
            if source.wishes != wanted.wishes {
                continue;
            }
            tx.change_source(&source).await?;
            tx.commit().await?;
            return Ok(source);
        }
    }

    /// Stops following a source: which of its posts were seen is forgotten, the tasks made of them stay.
    pub async fn delete(&self, id: SourceId) -> Result<()> {
        let tx = self.store().begin().await?;
        let was_there = tx.delete_source(id).await?;
        tx.commit().await?;
        if was_there { Ok(()) } else { Err(gone(id)) }
    }

    /// One source.
    pub async fn source(&self, id: SourceId) -> Result<Source> {
        self.store().source(id).await?.ok_or_else(|| gone(id))
    }

    async fn read(&self, wanted: Wanted<'_>) -> Result<Read> {
        lists::read(&*self.lists, self.store(), wanted).await
    }

    fn store(&self) -> &Store {
        self.queue.store()
    }

    /// Keeps everyone else from polling a source for as long as the answer lives.
    fn occupy(&self, id: SourceId) -> Result<Busy> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if !busy.insert(id) {
            return Err(Error::new(Code::Conflict, format!("Source {id} is being looked at right now"))
                .with_hint("Wait a moment: the poll that runs brings the same posts."));
        }
        Ok(Busy { busy: Arc::clone(&self.busy), id })
    }
}

struct Busy {
    busy: Arc<Mutex<HashSet<SourceId>>>,
    id: SourceId,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn gone(id: SourceId) -> Error {
    Error::new(Code::NotFound, format!("There is no source {id}"))
}

/// What becomes of a link that a source with these wishes shows.
fn submission(wishes: &Wishes, link: String) -> Submission {
    Submission {
        link,
        workflow: wishes.workflow.clone(),
        revision: None,
        params: wishes.params.clone(),
        options: wishes.options.clone(),
        priority: Some(wishes.priority),
        callback_url: wishes.callback_url.clone(),
        caller: Caller::default(),
        facade: None,
        idempotency: None,
    }
}
