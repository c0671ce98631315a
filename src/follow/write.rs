//! From new posts to rows: each is noted as seen, and becomes a task unless there is a reason against it.

use crawlers::Item;

use super::{Follow, submission};
use crate::{
    crawl::lists::key,
    domain::{SourceId, TaskId, Wishes},
    error::{Code, Error, Report, Result},
    intake::{self, Checked},
    store::{NewItem, Tx},
};

/// A post with what becomes of it.
struct Judged {
    item: Item,
    becomes: Becomes,
}

enum Becomes {
    Task(Box<Checked>),
    Refused(Report),
    Seen,
}

/// New posts, the oldest first, and what becomes of them.
#[derive(Default)]
pub(super) struct Sorted {
    posts: Vec<Judged>,
}

impl Follow {
    /// Checks each post as every other link is checked. A post whose own link is refused is noted with the reason; an error
    /// is one of the wishes, and so of all posts.
    pub(super) async fn judge(&self, wishes: &Wishes, posts: Vec<Item>) -> Result<Sorted> {
        let mut judged = Vec::with_capacity(posts.len());
        for item in posts {
            let becomes = match self.check(wishes, &item).await {
                Ok(checked) => Becomes::Task(Box::new(checked)),
                Err(error) if error.field.as_deref() == Some("link") => Becomes::Refused(error.report()),
                Err(error) => return Err(error),
            };
            judged.push(Judged { item, becomes });
        }
        Ok(Sorted { posts: judged })
    }

    async fn check(&self, wishes: &Wishes, item: &Item) -> Result<Checked> {
        // What is here already (`media:7`) is not a stranger's to name.
        if !item.link.starts_with("http://") && !item.link.starts_with("https://") {
            return Err(Error::new(Code::InvalidLink, "The list gives a link that is none").with_field("link"));
        }
        self.intake.check(submission(wishes, item.link.clone())).await
    }
}

impl Sorted {
    /// Puts posts that only are marked as seen in front of the others.
    pub fn after(mut self, marked: Vec<Item>) -> Self {
        let marked = marked.into_iter().map(|item| Judged { item, becomes: Becomes::Seen });
        self.posts.splice(0..0, marked);
        self
    }

    /// Writes the posts and their tasks; returns the tasks and how many posts became none. A post that someone else has
    /// noted in the meantime is theirs.
    pub async fn write(self, tx: &Tx, source: SourceId, anchored: bool) -> Result<(Vec<TaskId>, u64)> {
        let (mut tasks, mut skipped) = (Vec::new(), 0);
        for Judged { item, becomes } in self.posts {
            let error = match &becomes {
                Becomes::Refused(error) => Some(error.clone()),
                Becomes::Task(_) | Becomes::Seen => None,
            };
            let Some(number) = tx.insert_item(source, row(item, anchored, error)).await? else { continue };
            if let Becomes::Task(checked) = becomes {
                let task = intake::write(tx, *checked).await?;
                tx.set_item_task(number, task).await?;
                tasks.push(task);
            } else {
                skipped += 1;
            }
        }
        Ok((tasks, skipped))
    }
}

fn row(item: Item, anchored: bool, error: Option<Report>) -> NewItem {
    let (platform, item_id) = key(&item);
    NewItem {
        platform,
        item_id,
        link: item.link,
        title: item.title,
        published_at: item.published_at.map(|time| time.timestamp_millis()),
        pinned: item.pinned,
        anchored,
        error,
    }
}
