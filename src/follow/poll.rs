//! Looking at a source again.

use crawlers::Item;

use super::{Follow, gone, write::Sorted};
use crate::{
    crawl::lists::{Known, Wanted},
    domain::{SourceId, TaskId},
    error::{Code, Error, Report, Result, guarded, is_panic},
    store::PollNote,
};

/// The most tasks that one poll makes: a site that gives all its posts new ids does not flood the queue.
pub(super) const MOST: usize = 100;

/// What a poll has brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// The tasks that were made, the oldest post's first.
    pub tasks: Vec<TaskId>,
    /// New posts that became no task: marked as seen, or refused.
    pub skipped: u64,
    /// Posts on the pages that were seen before.
    pub seen: u64,
    /// Posts on the pages that are gone.
    pub unavailable: u64,
    /// Pages with posts on them.
    pub pages: u32,
    /// The list has not changed since the last poll.
    pub not_modified: bool,
    /// Why the poll broke off. What came before that counts.
    pub error: Option<Report>,
    /// What may have been missed though the poll came to its end.
    pub warning: Option<Report>,
}

impl Follow {
    /// Looks at a source, whether or not it is paused, and makes tasks of what is new. What the site answers is no failure
    /// of the poll but part of its result, and noted with the source.
    pub async fn poll(&self, id: SourceId) -> Result<Polled> {
        match guarded(self.look(id)).await {
            Err(error) if is_panic(&error) => {
                tracing::error!(source = %id, error = %error.chain(), "a source cannot be read");
                let tx = self.store().begin().await?;
                tx.note_poll(id, &PollNote { error: Some(error.report()), ..PollNote::default() }).await?;
                tx.commit().await?;
                Err(error)
            }
            polled => polled,
        }
    }

    async fn look(&self, id: SourceId) -> Result<Polled> {
        let busy = self.occupy(id)?;
        let source = self.source(id).await?;
        let wanted =
            Wanted { link: &source.link, known: Known::Source(&source), max_pages: source.pages, enough: None };
        let mut read = self.read(wanted).await?;
        let mut failed = read.error.take();
        let (mut sorted, mut marked) = (Sorted::default(), 0);
        if read.reading.pages > 0 {
            // What stood behind the posts that were read at the beginning is not new when it moves up or is pinned.
            let is_old = |item: &Item| item.published_at.zip(source.horizon).is_some_and(|(at, since)| at < since);
            let (mut old, mut new): (Vec<_>, Vec<_>) = read.reading.oldest_first().into_iter().partition(is_old);
            marked = new.len().saturating_sub(MOST);
            old.extend(new.drain(..marked));
            match self.judge(&source.wishes, new).await {
                Ok(judged) => sorted = judged.after(old),
                // Nothing can be made of any post: they are still new when that is mended.
                Err(error) => {
                    marked = 0;
                    failed = failed.or(Some(error));
                }
            }
        }
        let error = failed.map(|error| {
            tracing::warn!(source = %id, error = %error.chain(), "a source was not read to its end");
            error.report()
        });
        let warning = warning(marked, error.is_none() && read.reading.is_cut(), source.pages);
        let tx = self.store().begin().await?;
        tx.lock_source(id).await?.ok_or_else(|| gone(id))?;
        let anchored = error.is_none();
        let (tasks, skipped) = sorted.write(&tx, id, anchored).await?;
        if anchored {
            tx.anchor_items(id).await?;
        }
        // A first page that has not changed since would hide that the poll broke off.
        let (etag, last_modified) = match (&error, read.not_modified) {
            (Some(_), _) => (None, None),
            (None, true) => (read.etag.or(source.etag), read.last_modified.or(source.last_modified)),
            (None, false) => (read.etag, read.last_modified),
        };
        let note = PollNote { etag, last_modified, found: !tasks.is_empty(), error, warning };
        tx.note_poll(id, &note).await?;
        tx.commit().await?;
        drop(busy);
        if !tasks.is_empty() {
            self.intake.wake();
        }
        tracing::info!(source = %id, new = tasks.len(), pages = read.reading.pages, "source polled");
        Ok(Polled {
            tasks,
            skipped,
            seen: read.reading.seen,
            unavailable: read.reading.unavailable,
            pages: read.reading.pages,
            not_modified: read.not_modified,
            error: note.error,
            warning: note.warning,
        })
    }
}

/// What a poll has passed over: so many new posts, and whatever stands behind its last page where the reading was cut.
fn warning(marked: usize, is_cut: bool, pages: u32) -> Option<Report> {
    let many = format!("{marked} new posts were only marked as seen: a poll makes {MOST} tasks at most");
    let far = format!("The list goes on behind the {pages} pages that were read, and there may be new posts");
    let (detail, hint) = match (marked, is_cut) {
        (0, false) => return None,
        (0, true) => (far, "Poll more often, or raise `pages`."),
        (_, false) => (many, "Make tasks of the others by their links, which the source's items show."),
        (_, true) => (format!("{many}. {far}"), "Poll more often, or raise `pages`."),
    };
    Some(Error::new(Code::TooLarge, detail).with_hint(hint).report())
}
