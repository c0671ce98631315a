//! Pages of tasks.

use std::collections::HashMap;

use poem_openapi::Object;

use super::{Context, views::TaskView};
use crate::{
    api::{
        cursor,
        words::{Time, Word},
    },
    domain::{Caller, Media, MediaId, Priority, TaskId, TaskStatus},
    error::{Code, Error, Result},
    store::TaskFilter,
    zh,
};

/// The longest text that is looked for.
const MAX_Q: usize = 200;

/// The most words that are looked for at once: each is a search of its own.
const MAX_WORDS: usize = 8;

/// What was asked for.
#[derive(Default)]
pub(super) struct Filters {
    pub status: Option<Word<TaskStatus>>,
    pub platform: Option<String>,
    pub language: Option<String>,
    pub workflow: Option<String>,
    pub priority: Option<Word<Priority>>,
    pub q: Option<String>,
    pub link: Option<String>,
    pub created_after: Option<Time>,
    pub created_before: Option<Time>,
    pub limit: u64,
    pub cursor: Option<String>,
}

/// A page of tasks. / 一页任务。
#[derive(Debug, Object)]
pub(super) struct TaskList {
    /// The tasks, the newest first, without results and steps.
    items: Vec<TaskView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    next_cursor: Option<String>,
    /// How many there are on all pages.
    total: u64,
}

impl Filters {
    /// As the store understands it: with the caller's own tasks only, unless everybody's may be seen.
    pub(super) fn filter(self, caller: Caller) -> Result<TaskFilter> {
        let text = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let q = text(self.q);
        if q.as_ref().is_some_and(|q| q.chars().count() > MAX_Q) {
            let detail = format!("Parameter \"q\" is longer than {MAX_Q} characters");
            return Err(Error::new(Code::InvalidValue, detail).with_field("q"));
        }
        let mut words: Vec<&str> = q.iter().flat_map(|q| q.split_whitespace()).collect();
        words.sort_unstable();
        words.dedup();
        if words.len() > MAX_WORDS {
            let detail = format!("Parameter \"q\" has more than {MAX_WORDS} different words");
            return Err(Error::new(Code::InvalidValue, detail).with_field("q"));
        }
        Ok(TaskFilter {
            status: self.status.map(|word| word.0),
            platform: text(self.platform),
            language: text(self.language),
            workflow: text(self.workflow),
            priority: self.priority.map(|word| word.0),
            words: words.into_iter().map(zh::spellings).collect(),
            link: text(self.link).as_deref().map(canonical).transpose()?,
            created_after: self.created_after.map(|time| time.0.timestamp_millis()),
            created_before: self.created_before.map(|time| time.0.timestamp_millis()),
            owner: caller.only(),
            limit: self.limit,
            before: self.cursor.as_deref().map(cursor::decode).transpose()?.map(TaskId),
        })
    }
}

/// The link in what was pasted, as a task of it has it.
fn canonical(pasted: &str) -> Result<String> {
    if ["upload:", "media:"].iter().any(|kind| pasted.starts_with(kind)) {
        return Ok(pasted.to_owned());
    }
    let wrong = |error: crawlers::CrawlError| Error::new(Code::InvalidLink, error.message).with_field("link");
    Ok(crawlers::find_link(pasted).map_err(wrong)?.to_string())
}

impl Context {
    /// One page of what a caller may see.
    pub(super) async fn list(&self, caller: Caller, filters: Filters) -> Result<TaskList> {
        let page = self.store().tasks(&filters.filter(caller)?).await?;
        let ids: Vec<MediaId> = page.tasks.iter().filter_map(|task| task.media_id).collect();
        let media = self.store().media_of(&ids).await?;
        let media: HashMap<MediaId, Media> = media.into_iter().map(|media| (media.id, media)).collect();
        let mut currents = self.currents(&page.tasks).await?;
        let items = page.tasks.into_iter().map(|mut task| {
            task.result = None;
            let media = task.media_id.and_then(|id| media.get(&id).cloned());
            let current = currents.remove(&task.id);
            TaskView { current, ..TaskView::new(self.base(), task, media) }
        });
        Ok(TaskList {
            items: items.collect(),
            next_cursor: page.next.map(|id| cursor::encode(id.0)),
            total: page.total,
        })
    }
}
