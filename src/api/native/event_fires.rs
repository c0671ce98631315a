//! What became of the events that a workflow waits for.

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{Context, Group};
use crate::{
    api::{
        cursor,
        words::{Time, Word},
    },
    domain::EventFireState,
    store::EventFire,
};

/// Fires of triggers by events.
pub(in crate::api) struct EventFires(pub(super) Context);

/// A page of events that triggers have taken. / 一页由事件触发的记录。
#[derive(Debug, Object)]
struct EventFireList {
    /// The events, those taken last first.
    items: Vec<EventFireView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    next_cursor: Option<String>,
    /// How many there are on all pages.
    total: u64,
}

/// An event that a trigger has taken. / 被触发器接收的一个事件。
#[derive(Debug, Object)]
#[oai(rename = "EventFire")]
struct EventFireView {
    /// Its number.
    id: i64,
    /// The number of the trigger in the definition, from 0.
    trigger: i64,
    /// The event's number.
    event_id: i64,
    /// The task that the event is about.
    source_task_id: i64,
    /// Where it stands.
    state: Word<EventFireState>,
    /// The task that it made.
    #[oai(nullable)]
    task_id: Option<i64>,
    /// Why it made none.
    #[oai(nullable)]
    note: Option<String>,
    /// When the event was taken.
    created_at: Time,
    /// When its task was made, or it was known that there is none.
    #[oai(nullable)]
    started_at: Option<Time>,
}

fn default_limit() -> u64 {
    50
}

#[OpenApi(tag = "Group::Workflows")]
impl EventFires {
    /// List a workflow's events
    ///
    /// Every event that a trigger of the workflow has taken, with the task that it made or why it made none; those taken
    /// last first. They are kept for 90 days. What fires by the clock is told by `GET /api/schedules/{id}/fires`.
    ///
    /// 列出工作流触发器接收的事件、由此创建的任务或未创建的原因，最近的在前；保留 90 天。
    #[oai(path = "/api/workflows/:name/fires", method = "get", operation_id = "workflow_fires")]
    async fn list(
        &self,
        /// The workflow's name.
        name: Path<String>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> poem::Result<Json<EventFireList>> {
        let before = cursor.0.as_deref().map(cursor::decode).transpose()?;
        // What a workflow has done that was deleted can be looked at still.
        self.0.revisions(&name.0).await?;
        let page = self.0.store().event_fires(&name.0, limit.0, before).await?;
        Ok(Json(EventFireList {
            items: page.fires.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(cursor::encode),
            total: page.total,
        }))
    }
}

impl From<EventFire> for EventFireView {
    fn from(fire: EventFire) -> Self {
        Self {
            id: fire.id,
            trigger: fire.trigger,
            event_id: fire.event_id,
            source_task_id: fire.source_task.0,
            state: Word(fire.state),
            task_id: fire.task_id.map(|id| id.0),
            note: fire.note,
            created_at: Time(fire.created_at),
            started_at: fire.started_at.map(Time),
        }
    }
}
