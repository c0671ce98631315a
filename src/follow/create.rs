//! Beginning to follow a source.

use super::{Follow, poll::Polled, submission};
use crate::{
    crawl::lists::{Known, Wanted},
    domain::{Source, SourceId, Wishes, source::MAX_PAGES},
    error::{Code, Error, Result},
    store::{NewSource, PollNote},
};

/// Which of the posts that are there already become tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backfill {
    /// None: the first page's posts are marked as seen.
    None,
    /// Those of the first page, at most [`Backfill::PAGE`] of them.
    Page,
    /// So many of the newest, as far as the source's pages go.
    Newest(usize),
}

impl Backfill {
    /// The most posts that a first page makes tasks of: whole podcasts are one page. The newest count.
    pub const PAGE: usize = 100;
    /// The most posts that may be asked for.
    pub const MAX: usize = 500;
}

/// What to follow, and how.
#[derive(Clone, Debug)]
pub struct Start {
    /// A link to a list, or a share text with one in it.
    pub link: String,
    /// What it is to be called; its own name when nothing is said.
    pub title: Option<String>,
    /// What is done with new posts.
    pub wishes: Wishes,
    /// How many pages one poll may read, 1 to [`MAX_PAGES`].
    pub pages: u32,
    /// What becomes of the posts that are there already.
    pub backfill: Backfill,
}

impl Follow {
    /// Follows a list from now on: reads it once and makes tasks as `backfill` says. A link that cannot be listed, or that
    /// is followed already, is refused and leaves nothing behind.
    pub async fn create(&self, start: Start) -> Result<(Source, Polled)> {
        if !(1..=MAX_PAGES).contains(&start.pages) {
            let detail = format!("Field \"pages\": must be 1 to {MAX_PAGES}");
            return Err(Error::new(Code::InvalidValue, detail).with_field("pages"));
        }
        let named = self.lists.name(&start.link)?;
        self.intake.check(submission(&start.wishes, named.link.clone())).await?;
        if let Some(id) = self.store().begin().await?.source_of_key(&named.key).await? {
            return Err(followed(id));
        }
        let (max_pages, enough, most) = match start.backfill {
            Backfill::None => (1, None, 0),
            Backfill::Page => (1, None, Backfill::PAGE),
            Backfill::Newest(count) => (start.pages, Some(count), count),
        };
        let mut read = self.read(Wanted { link: &named.link, known: Known::Nothing, max_pages, enough }).await?;
        let error = match read.error.take() {
            Some(error) if read.reading.pages == 0 => return Err(error),
            error => error.map(|error| error.report()),
        };
        let mut marked = read.reading.oldest_first();
        let newest = marked.split_off(marked.len().saturating_sub(most));
        let sorted = self.judge(&start.wishes, newest).await?.after(marked);
        let tx = self.store().begin().await?;
        if let Some(id) = tx.source_of_key(&named.key).await? {
            return Err(followed(id));
        }
        let title = start.title.or(read.title).unwrap_or_else(|| named.link.clone());
        let (key, platform, link) = (named.key, named.platform, named.link);
        // What stands behind these posts is not wanted, so the list counts as known from here on; unless the reading broke
        // off, then the next poll goes on.
        let is_whole = error.is_none();
        let horizon = read.reading.horizon().filter(|_| is_whole).map(|time| time.timestamp_millis());
        let source = NewSource { key, platform, link, title, wishes: start.wishes, pages: start.pages, horizon };
        let id = tx.insert_source(source).await?;
        let (tasks, skipped) = sorted.write(&tx, id, is_whole).await?;
        let (etag, last_modified) = (read.etag, read.last_modified);
        let note = PollNote { etag, last_modified, found: !tasks.is_empty(), error, warning: None };
        tx.note_poll(id, &note).await?;
        let source = tx.lock_source(id).await?;
        tx.commit().await?;
        self.intake.wake();
        tracing::info!(source = %id, new = tasks.len(), "source followed");
        let polled = Polled {
            tasks,
            skipped,
            seen: 0,
            unavailable: read.reading.unavailable,
            pages: read.reading.pages,
            not_modified: false,
            error: note.error,
            warning: None,
        };
        let missing = || Error::new(Code::Internal, "The source that was just written cannot be read");
        Ok((source.ok_or_else(missing)?, polled))
    }
}

fn followed(id: SourceId) -> Error {
    Error::new(Code::Conflict, format!("This list is followed already, as source {id}"))
        .with_hint(format!("Look at it, change it or poll it at /api/sources/{id}."))
        .with_field("link")
}
