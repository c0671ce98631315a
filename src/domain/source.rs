//! Sources: lists of posts that are followed, and the posts seen in them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Priority, SourceId, SourceState, TaskId, TaskStatus};
use crate::error::Report;

/// A list of posts that is followed: an account, a playlist, a feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its id.
    pub id: SourceId,
    /// The platform that it belongs to.
    pub platform: String,
    /// The link by which it is listed.
    pub link: String,
    /// What it is called: display text.
    pub title: String,
    /// Whether it is looked at by itself.
    pub state: SourceState,
    /// What is done with its new posts.
    pub wishes: Wishes,
    /// How many pages one poll may read, 1 to [`MAX_PAGES`].
    pub pages: u32,
    /// Posts older than this are not news: they stand behind those that were read at the beginning.
    pub horizon: Option<DateTime<Utc>>,
    /// The `ETag` of its first page, when the last poll came to its end.
    pub etag: Option<String>,
    /// The `Last-Modified` of its first page, when the last poll came to its end.
    pub last_modified: Option<String>,
    /// When it was last looked at.
    pub last_polled_at: Option<DateTime<Utc>>,
    /// When that last brought something new.
    pub last_new_at: Option<DateTime<Utc>>,
    /// Polls in a row that ended with an error.
    pub failures: i64,
    /// The last poll's error, or what it may have missed when there was none.
    pub last_error: Option<Report>,
    /// When it was first followed.
    pub created_at: DateTime<Utc>,
}

/// The most pages that one poll may read.
pub const MAX_PAGES: u32 = 20;

/// What is done with the new posts of a source: the fields of the tasks that come of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wishes {
    /// The workflow's name.
    pub workflow: String,
    /// Its parameters besides `link`, as given.
    pub params: Map<String, Value>,
    /// Transcription options.
    pub options: Map<String, Value>,
    /// How urgent.
    pub priority: Priority,
    /// Where each task's end is told.
    pub callback_url: Option<String>,
}

impl Wishes {
    /// Tasks of this workflow and nothing else wished.
    pub fn of(workflow: &str) -> Self {
        Self {
            workflow: workflow.to_owned(),
            params: Map::new(),
            options: Map::new(),
            priority: Priority::Normal,
            callback_url: None,
        }
    }
}

/// A post that was seen in a source. It stays when its task is deleted, so that it is not taken for new again.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceItem {
    /// Its number here, growing in the order in which posts were seen.
    pub id: i64,
    /// Its platform.
    pub platform: String,
    /// Its id there.
    pub item_id: String,
    /// The link that resolves to it.
    pub link: String,
    /// Its title: text from strangers.
    pub title: String,
    /// When it was published, where known.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was first seen.
    pub first_seen_at: DateTime<Utc>,
    /// The task that was made of it; none for posts that were only marked as seen.
    pub task_id: Option<TaskId>,
    /// Where that task stands; none when it was deleted.
    pub status: Option<TaskStatus>,
    /// Whether it stood at the top whatever its age.
    pub pinned: bool,
    /// Why no task could be made of it.
    pub error: Option<Report>,
}
