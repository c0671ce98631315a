//! How callbacks fare.

use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{Context, Group, views::Report};
use crate::{
    api::{
        cursor,
        who::Who,
        words::{Time, Word},
    },
    domain::{Caller, DeliveryState, TaskId},
    error::{Code, Error, Result},
    store::{Attempt, Delivery, DeliveryFilter},
};

/// Deliveries.
pub(in crate::api) struct Deliveries(pub(super) Context);

/// The callbacks of a task. / 任务的回调。
#[derive(Debug, Object)]
struct DeliveryList {
    /// The callbacks, the oldest first.
    items: Vec<DeliveryView>,
}

/// A page of callbacks. / 一页回调。
#[derive(Debug, Object)]
#[oai(rename = "DeliveryPage")]
struct PageView {
    /// The callbacks, the newest first.
    items: Vec<DeliveryView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    next_cursor: Option<String>,
}

/// One callback. / 一次回调。
#[derive(Debug, Object)]
#[oai(rename = "Delivery")]
struct DeliveryView {
    /// Its id, the same over all attempts: `webhook-id` for the receiver.
    id: String,
    /// The task that it tells of; null for a message about a schedule.
    #[oai(nullable)]
    task_id: Option<i64>,
    /// The receiver.
    url: String,
    /// `task.completed`, `task.failed`, `task.cancelled`, or what a workflow or a schedule tells.
    event: String,
    /// Where it stands; a `dead` one is not tried again by itself.
    state: Word<DeliveryState>,
    /// When it is tried next; null when nothing more is tried.
    #[oai(nullable)]
    next_at: Option<Time>,
    /// When it was written.
    created_at: Time,
    /// Every attempt, the first one first.
    attempts: Vec<AttemptView>,
}

/// One attempt to deliver. / 一次投递尝试。
#[derive(Debug, Object)]
#[oai(rename = "Attempt")]
struct AttemptView {
    /// Its number, from 1.
    attempt: i64,
    /// When it started.
    started_at: Time,
    /// How long it took, in milliseconds.
    took_ms: i64,
    /// The receiver's status.
    #[oai(nullable)]
    status: Option<u16>,
    /// Why it failed.
    #[oai(nullable)]
    error: Option<Report>,
}

fn default_limit() -> u64 {
    50
}

#[OpenApi(tag = "Group::Results")]
impl Deliveries {
    /// List a task's callbacks
    ///
    /// With every attempt to deliver them.
    ///
    /// 列出任务的回调及每次投递尝试。
    #[oai(path = "/api/tasks/:id/deliveries", method = "get", operation_id = "task_deliveries")]
    async fn of_task(
        &self,
        /// The task.
        id: Path<i64>,
    ) -> poem::Result<Json<DeliveryList>> {
        let task = self.0.task(TaskId(id.0)).await?.id;
        let items = self.0.store().deliveries_of(task).await?.into_iter().map(Into::into).collect();
        Ok(Json(DeliveryList { items }))
    }

    /// List callbacks
    ///
    /// Of all tasks, the newest first, with every attempt to deliver them.
    ///
    /// 列出所有任务的回调，最新的在前，含每次投递尝试。
    #[oai(path = "/api/deliveries", method = "get", operation_id = "list_deliveries")]
    async fn list(
        &self,
        /// Of this task.
        task: Query<Option<i64>>,
        /// In this state.
        state: Query<Option<Word<DeliveryState>>>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
        who: Who,
    ) -> poem::Result<Json<PageView>> {
        let filter = DeliveryFilter {
            task: task.0.map(TaskId),
            state: state.0.map(|word| word.0),
            owner: who.0.only(),
            limit: limit.0,
            before: cursor.0.as_deref().map(cursor::decode_text).transpose()?,
        };
        let page = self.0.store().deliveries(&filter).await?;
        let items = page.deliveries.into_iter().map(Into::into).collect();
        Ok(Json(PageView { items, next_cursor: page.next.as_deref().map(cursor::encode_text) }))
    }

    /// Look at a callback
    ///
    /// With every attempt to deliver it.
    ///
    /// 查询一次回调及每次投递尝试。
    #[oai(path = "/api/deliveries/:id", method = "get", operation_id = "get_delivery")]
    async fn get(
        &self,
        /// The callback's id.
        id: Path<String>,
        who: Who,
    ) -> poem::Result<Json<DeliveryView>> {
        Ok(Json(self.0.delivery(&id.0, who.0).await?.into()))
    }

    /// Send a callback once more
    ///
    /// Now, with the same id and the same body, whether it arrived before or not. A receiver that fails again is tried on
    /// as long as `callbacks.schedule` has attempts left; after them this is one attempt more.
    ///
    /// 立即再次发送回调：id 与内容不变，无论之前是否送达；若再次失败，则按 `callbacks.schedule` 的剩余次数继续重试。
    #[oai(path = "/api/deliveries/:id/redeliver", method = "post", operation_id = "redeliver")]
    async fn redeliver(
        &self,
        /// The callback's id.
        id: Path<String>,
        who: Who,
    ) -> poem::Result<Json<DeliveryView>> {
        let delivery = self.0.delivery(&id.0, who.0).await?;
        self.0.state.queue.redeliver(&delivery).await?;
        Ok(Json(self.0.delivery(&id.0, who.0).await?.into()))
    }
}

impl Context {
    /// One delivery, if this caller may know of it.
    async fn delivery(&self, id: &str, who: Caller) -> Result<Delivery> {
        let none = || Error::new(Code::NotFound, format!("There is no delivery \"{}\"", id.escape_debug()));
        let delivery = self.store().delivery(id).await?.ok_or_else(none)?;
        let owner = match delivery.task_id {
            Some(task) => self.task(task).await?.owner,
            None => None,
        };
        if who.may_see(owner) { Ok(delivery) } else { Err(none()) }
    }
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let goes_on = matches!(delivery.state, DeliveryState::Pending | DeliveryState::Sending);
        Self {
            id: delivery.id,
            task_id: delivery.task_id.map(|id| id.0),
            url: delivery.url,
            event: delivery.event,
            state: Word(delivery.state),
            next_at: goes_on.then_some(Time(delivery.next_at)),
            created_at: Time(delivery.created_at),
            attempts: delivery.attempts.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        Self {
            attempt: attempt.attempt,
            started_at: Time(attempt.started_at),
            took_ms: attempt.took_ms,
            status: attempt.status,
            error: attempt.error.map(Into::into),
        }
    }
}
