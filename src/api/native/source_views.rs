//! Sources and their posts as the API shows them.

use std::collections::BTreeMap;

use poem_openapi::Object;
use serde_json::Value;

use super::views::Report;
use crate::{
    api::words::{Time, Word},
    domain::{Priority, Source, SourceItem, SourceState, TaskStatus},
    follow::Polled,
};

/// A page of sources. / 一页订阅源。
#[derive(Debug, Object)]
pub(super) struct SourceList {
    /// The sources, the newest first.
    pub items: Vec<SourceView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A list of posts that is followed. / 一个被跟踪的列表：账号、播放列表或订阅。
#[derive(Debug, Object)]
#[oai(rename = "Source")]
pub(super) struct SourceView {
    /// Its id.
    id: i64,
    /// The platform that it belongs to.
    platform: String,
    /// The link by which it is listed.
    link: String,
    /// What it is called.
    title: String,
    /// Whether schedules look at it.
    state: Word<SourceState>,
    /// The workflow that new posts go through.
    workflow: String,
    /// The workflow's parameters besides `link`.
    params: BTreeMap<String, Value>,
    /// Transcription options of the tasks.
    options: BTreeMap<String, Value>,
    /// How urgent the tasks are.
    priority: Word<Priority>,
    /// Where each task's end is told.
    #[oai(nullable)]
    callback_url: Option<String>,
    /// How many pages one poll may read.
    pages: u32,
    /// Posts published before this are not news: they stand behind those that were read at the beginning.
    #[oai(nullable)]
    horizon: Option<Time>,
    /// How many posts were seen in it.
    items: u64,
    /// When it was last looked at.
    #[oai(nullable)]
    last_polled_at: Option<Time>,
    /// When that last made a task.
    #[oai(nullable)]
    last_new_at: Option<Time>,
    /// Polls in a row that broke off.
    failures: i64,
    /// Why the last poll broke off; with no failures, what it may have missed.
    #[oai(nullable)]
    last_error: Option<Report>,
    /// Since when it is followed.
    created_at: Time,
}

/// What a poll has brought. / 一次检查的结果。
#[derive(Debug, Object)]
#[oai(rename = "Poll")]
pub(super) struct PollView {
    /// How many tasks were made.
    new: u64,
    /// Their ids, the oldest post's first.
    tasks: Vec<i64>,
    /// New posts that became no task: too old, only marked as seen, or with a link that is refused.
    skipped: u64,
    /// Posts that were seen before.
    seen: u64,
    /// Posts that are named in the list but gone.
    unavailable: u64,
    /// Pages with posts on them.
    pages: u32,
    /// The site said that nothing has changed.
    not_modified: bool,
    /// Why the poll broke off. What came before that counts, and the next poll goes on there.
    #[oai(nullable)]
    error: Option<Report>,
    /// What was passed over: new posts beyond 100, or what stands behind the last page that was read.
    #[oai(nullable)]
    warning: Option<Report>,
}

/// A source and what looking at it has brought. / 订阅源及检查结果。
#[derive(Debug, Object)]
#[oai(rename = "PolledSource")]
pub(super) struct PolledView {
    /// The source, after the poll.
    pub source: SourceView,
    /// What the poll has brought.
    pub poll: PollView,
}

/// A page of posts. / 一页条目。
#[derive(Debug, Object)]
pub(super) struct SourceItemList {
    /// The posts, those seen last first.
    pub items: Vec<SourceItemView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    pub next_cursor: Option<String>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A post that was seen in a source. / 订阅源中见过的一个条目。
#[derive(Debug, Object)]
#[oai(rename = "SourceItem")]
pub(super) struct SourceItemView {
    /// Its platform.
    platform: String,
    /// Its id there; very long ones are replaced by their hash.
    item_id: String,
    /// The link that resolves to it.
    link: String,
    /// Its title: text from strangers.
    title: String,
    /// When it was published.
    #[oai(nullable)]
    published_at: Option<Time>,
    /// When it was first seen.
    first_seen_at: Time,
    /// The task that was made of it; null when it was only marked as seen.
    #[oai(nullable)]
    task_id: Option<i64>,
    /// Where that task stands; null when there is none, or when it was deleted.
    #[oai(nullable)]
    status: Option<Word<TaskStatus>>,
    /// Whether it stood at the top whatever its age.
    pinned: bool,
    /// Why no task could be made of it.
    #[oai(nullable)]
    error: Option<Report>,
}

impl SourceView {
    /// A source in which so many posts were seen.
    pub(super) fn new(source: Source, items: u64) -> Self {
        Self {
            id: source.id.0,
            platform: source.platform,
            link: source.link,
            title: source.title,
            state: Word(source.state),
            workflow: source.wishes.workflow,
            params: source.wishes.params.into_iter().collect(),
            options: source.wishes.options.into_iter().collect(),
            priority: Word(source.wishes.priority),
            callback_url: source.wishes.callback_url,
            pages: source.pages,
            horizon: source.horizon.map(Time),
            items,
            last_polled_at: source.last_polled_at.map(Time),
            last_new_at: source.last_new_at.map(Time),
            failures: source.failures,
            last_error: source.last_error.map(Into::into),
            created_at: Time(source.created_at),
        }
    }
}

impl From<Polled> for PollView {
    fn from(polled: Polled) -> Self {
        Self {
            new: polled.tasks.len() as u64,
            tasks: polled.tasks.into_iter().map(|task| task.0).collect(),
            skipped: polled.skipped,
            seen: polled.seen,
            unavailable: polled.unavailable,
            pages: polled.pages,
            not_modified: polled.not_modified,
            error: polled.error.map(Into::into),
            warning: polled.warning.map(Into::into),
        }
    }
}

impl From<SourceItem> for SourceItemView {
    fn from(item: SourceItem) -> Self {
        Self {
            platform: item.platform,
            item_id: item.item_id,
            link: item.link,
            title: item.title,
            published_at: item.published_at.map(Time),
            first_seen_at: Time(item.first_seen_at),
            task_id: item.task_id.map(|task| task.0),
            status: item.status.map(Word),
            pinned: item.pinned,
            error: item.error.map(Into::into),
        }
    }
}
